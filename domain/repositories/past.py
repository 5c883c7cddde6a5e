"""Stored readings as columns, for rules that live through them again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.rules.past import Past
from domain.rules.world import Observation


class PastReadings(Protocol):
    """Readings that decisions may rest on: with a value, and nothing said against it."""

    async def of(
        self, sensor_ids: Sequence[int], start: datetime, end: datetime
    ) -> Mapping[int, Past]:
        """Return those measured from `start` on and before `end`, as they were received.

        A sensor without any is absent.
        """
        ...

    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        """Return the newest of each sensor that was received before; one without is absent."""
        ...
