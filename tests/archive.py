"""A house with a past, and somebody who has second thoughts of it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from typing_extensions import override

from domain.calibrations import Calibration
from domain.recomputations import RECOMPUTED, Recomputation
from domain.sensors import Measurement, Reading, Sensor
from tests.converting import House, at
from tests.fakes import START, FakeClock
from tests.recomputing import Recomputing

LATER = START + timedelta(days=1)
RAWS = [1861.0, 1900.0, 2000.0, 2925.0]


class WorkingDay(FakeClock):
    """Time passes by itself while there is work to do, and stands still between the days."""

    @override
    async def sleep(self, seconds: float) -> None:
        if seconds > 60:
            await asyncio.Event().wait()
        await super().sleep(seconds)


class Archive(House):
    """The house: a pH electrode that takes the temperature from a probe."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = WorkingDay(start=LATER, automatic=True)
        self.probe = self.has("ds18b20", 4)
        self.sensor = self.has("ph", 34, sources={"temperature": self.probe.key})
        self.again = self.reopened()

    def reopened(self) -> Recomputing:
        self.again = Recomputing(
            storage=self.storage, registry=self.registry, clock=self.clock, libraries=self.libraries
        )
        return self.again

    async def measures(self, raws: Sequence[float], first: int = 0) -> None:
        await self.takes(*(at(self.sensor, first + number, raw) for number, raw in enumerate(raws)))

    def readings(self, sensor: Sensor | None = None) -> list[Reading]:
        wanted = (sensor or self.sensor).id
        return [row for row in self.storage.readings.rows if row.sensor.id == wanted]

    def said(self) -> list[Measurement]:
        """What readings say, but for that they were made again."""
        return [unmarked(reading.measurement) for reading in self.readings()]

    def values(self) -> list[float | None]:
        return [reading.measurement.value for reading in self.readings()]

    async def order(self, **options: Calibration | UUID | None) -> Recomputation:
        return await self.again.recompute(
            self.sensor.key,
            START,
            calibration_id=options.get("calibration_id"),  # type: ignore[arg-type]  # an id
            user_id=None,
        )

    async def recomputed(self) -> Recomputation:
        async with self.again.running():
            return await self.again.ended(await self.order())

    async def taken_back(self, done: Recomputation) -> Recomputation:
        async with self.again.running():
            await self.again.recompute.take_back(done.id)
            return await self.again.ended(done)


def unmarked(made: Measurement) -> Measurement:
    notes = {name: note for name, note in (made.notes or {}).items() if name != RECOMPUTED}
    return made._replace(notes=notes or None)
