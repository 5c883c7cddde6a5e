"""The past as columns, made of readings in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.rules.past import Past
from domain.rules.world import Observation
from domain.sensors import Reading


@dataclass(slots=True)
class FakePast:
    rows: list[Reading] = field(default_factory=list)

    async def of(self, sensor_id: int, start: datetime, end: datetime) -> Past:
        past = Past()
        for reading in sorted(self.rows, key=lambda row: (row.received_at, row.id)):
            seen = Observation.of(reading)
            if reading.sensor.id == sensor_id and start <= reading.measured_at < end and seen.good:
                past.add(reading.received_at, seen)
        return past

    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        found: dict[int, Observation] = {}
        for reading in sorted(self.rows, key=lambda row: (row.measured_at, row.id)):
            seen = Observation.of(reading)
            if reading.sensor.id in sensor_ids and reading.received_at < before and seen.good:
                found[reading.sensor.id] = seen
        return found
