"""The past as columns, made of readings in memory; and rules that live through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.rules.past import Past
from domain.rules.replay import Backtest
from domain.rules.world import Observation
from domain.sensors import Reading
from domain.services.relive import Progress, Rehearsal, relive
from tests.fakes.storage import FakeStorage


@dataclass(slots=True)
class FakePast:
    rows: list[Reading] = field(default_factory=list)

    async def of(
        self, sensor_ids: Sequence[int], start: datetime, end: datetime
    ) -> Mapping[int, Past]:
        found: dict[int, Past] = {}
        for reading in sorted(self.rows, key=lambda row: (row.received_at, row.id)):
            seen, sensor_id = Observation.of(reading), reading.sensor.id
            if sensor_id in sensor_ids and start <= reading.measured_at < end and seen.good:
                found.setdefault(sensor_id, Past()).add(reading.received_at, seen)
        return found

    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        found: dict[int, Observation] = {}
        for reading in sorted(self.rows, key=lambda row: (row.measured_at, row.id)):
            seen = Observation.of(reading)
            if reading.sensor.id in sensor_ids and reading.received_at < before and seen.good:
                found[reading.sensor.id] = seen
        return found


@dataclass(slots=True)
class FakeRelive:
    """Lets rules live through what is stored, in the process of the test."""

    storage: FakeStorage

    async def __call__(self, rehearsal: Rehearsal, progress: Progress) -> Sequence[Backtest]:
        async with self.storage.autocommit():
            past = FakePast(self.storage.readings.rows)
        return await relive(past, rehearsal, progress)
