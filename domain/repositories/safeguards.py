"""Stored safeguards of actuators."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from domain.actuators import Pin
from domain.safeguards import Safeguards


class StoredSafeguards(Protocol):
    """What is declared to keep actuators from doing harm; removed with its actuator."""

    async def save(self, actuator_id: int, safeguards: Safeguards) -> None:
        """Store what is declared of an actuator, in the place of what was."""
        ...

    async def all(self) -> Mapping[Pin, Safeguards]:
        """Return all of them, for the registry; an actuator without any is absent."""
        ...

    async def save_judged(self, pin: Pin, at: datetime) -> None:
        """Store when it was decided whether an actuator has an effect; nothing where it is gone."""
        ...

    async def judged(self) -> Mapping[Pin, datetime]:
        """Return when that was last decided, where it ever was."""
        ...
