"""Stored readings, and the fast way in for new ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.dead_letters import DeadLetter
from domain.pages import Page, PageRequest
from domain.rule_executions import ReadingKey
from domain.sensors import Measurement, Reading, Sample, Sensor


class Readings(Protocol):
    """Stored readings, for those who ask; `ReadingWriter` stores them."""

    async def latest(self, sensor_ids: Sequence[int]) -> Mapping[int, Reading]:
        """Return the newest reading of each sensor by time measured; one without any is absent."""
        ...

    async def by_key(
        self, sensor_id: int, measured_at: datetime, reading_id: int
    ) -> Reading | None:
        """Return one reading; the time says in which month it lies."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        sensor_ids: Sequence[int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Reading]:
        """Return readings, newest first; `start` included, `end` excluded; None: every sensor."""
        ...

    async def since(self, reading_id: int, limit: int) -> Sequence[Reading]:
        """Return what was committed after a reading, in order of id."""
        ...

    async def unseen(self, seen: Sequence[ReadingKey], limit: int) -> Sequence[Reading]:
        """Return what decisions may rest on and nobody has seen yet, in order of id.

        Args:
            seen: The last reading that was seen of each sensor. What was stored after it is
                unseen, unless it was measured before it.
            limit: How many of each sensor, the newest ones; at least 1.
        """
        ...

    async def first_id_at(self, received_at: datetime) -> int:
        """Return the id before the first reading received at or after a time; 0: before all."""
        ...


class NewReading(NamedTuple):
    """A converted sample on its way into the store."""

    sensor: Sensor
    sample: Sample
    measurement: Measurement


class ReadingWriter(Protocol):
    """The fast way in, made for volume: one transaction for all that has gathered."""

    async def write(
        self, readings: Sequence[NewReading], dead_letters: Sequence[DeadLetter]
    ) -> Sequence[Reading]:
        """Store a batch; return only after COMMIT, with the readings that were really new.

        A reading is known already when its sensor, time measured and sequence are; where the
        device's clock is unknown, when sensor, ticks, sequence and raw value are those of one
        received within the last minutes (device protocol, section 7, decision 12).

        Raises:
            StorageUnavailableError: Nothing may have been stored; the same call may be repeated.
            StorageRejectedError: Nothing was stored, and the same batch never can be.
        """
        ...
