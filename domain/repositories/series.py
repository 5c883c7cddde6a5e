"""Stored readings, put together over time."""

from collections.abc import Sequence
from typing import Protocol

from domain.series import Bucket, Window


class Series(Protocol):
    """Readings with a value, of a quality that is fit to be shown (`domain.series.SHOWN`)."""

    async def buckets(self, sensor_id: int, window: Window) -> Sequence[Bucket]:
        """Return the buckets that are not empty, in order of start, one for each unit in them."""
        ...
