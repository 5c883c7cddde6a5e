"""Sensors and their readings in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.pages import Page, PageRequest
from domain.rule_executions import ReadingKey
from domain.sensors import TRUSTED, Reading, Sensor, SensorKey
from domain.thresholds import Zone
from tests.fakes.paging import microseconds, paged


@dataclass(slots=True)
class FakeSensors:
    rows: dict[SensorKey, Sensor] = field(default_factory=dict)
    stand: dict[int, Zone] = field(default_factory=dict)
    since: dict[int, datetime] = field(default_factory=dict)

    async def add(self, sensors: Sequence[Sensor]) -> Sequence[Sensor]:
        for sensor in sensors:
            self.rows.setdefault(sensor.key, replace(sensor, id=len(self.rows) + 1))
        return [self.rows[sensor.key] for sensor in sensors]

    async def by_key(self, key: SensorKey) -> Sensor | None:
        return self.rows.get(key)

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Sensor]]:
        rows = sorted(self.rows.values(), key=lambda sensor: sensor.key)
        return {esp_id: [s for s in rows if s.key.esp_id == esp_id] for esp_id in esp_ids}

    def _found(
        self,
        esp_id: str | None,
        sensor_type: str | None,
        enabled: bool | None,  # noqa: FBT001 - a filter
    ) -> list[Sensor]:
        return [
            sensor
            for sensor in self.rows.values()
            if esp_id in (None, sensor.key.esp_id)
            and sensor_type in (None, sensor.key.sensor_type)
            and enabled in (None, sensor.enabled)
        ]

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> Page[Sensor]:
        return paged(self._found(esp_id, sensor_type, enabled), lambda s: tuple(s.key), page)

    async def count(
        self,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> int:
        return len(self._found(esp_id, sensor_type, enabled))

    async def save(self, sensor: Sensor) -> None:
        self.rows[sensor.key] = sensor

    async def zones(self) -> Mapping[int, Zone]:
        return {key: zone for key, zone in self.stand.items() if zone is not Zone.NORMAL}

    async def zones_since(self) -> Mapping[int, datetime]:
        return self.since

    async def save_zones(self, zones: Mapping[int, Zone]) -> None:
        self.stand.update(zones)

    async def remove(self, sensor_id: int) -> None:
        self.rows = {key: row for key, row in self.rows.items() if row.id != sensor_id}

    async def all(self) -> Sequence[Sensor]:
        return tuple(self.rows.values())


@dataclass(slots=True)
class FakeReadings:
    rows: list[Reading] = field(default_factory=list)

    async def latest(self, sensor_ids: Sequence[int]) -> Mapping[int, Reading]:
        newest: dict[int, Reading] = {}
        for reading in sorted(self.rows, key=lambda r: (r.measured_at, r.id)):
            if reading.sensor.id in sensor_ids:
                newest[reading.sensor.id] = reading
        return newest

    async def by_key(
        self, sensor_id: int, measured_at: datetime, reading_id: int
    ) -> Reading | None:
        key = (sensor_id, measured_at, reading_id)
        return next((r for r in self.rows if (r.sensor.id, r.measured_at, r.id) == key), None)

    async def page(
        self,
        page: PageRequest,
        *,
        sensor_ids: Sequence[int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Reading]:
        found = [
            reading
            for reading in self.rows
            if (sensor_ids is None or reading.sensor.id in sensor_ids)
            and (start is None or reading.measured_at >= start)
            and (end is None or reading.measured_at < end)
        ]
        return paged(found, lambda r: (microseconds(r.measured_at), r.id), page, descending=True)

    async def since(self, reading_id: int, limit: int) -> Sequence[Reading]:
        found = [reading for reading in self.rows if reading.id > reading_id]
        return sorted(found, key=lambda reading: reading.id)[:limit]

    async def unseen(self, seen: Sequence[ReadingKey], limit: int) -> Sequence[Reading]:
        found: list[Reading] = []
        for sensor_id, measured_at, reading_id in seen:
            follow = [
                one
                for one in self.rows
                if one.sensor.id == sensor_id
                and one.id > reading_id
                and one.measured_at >= measured_at
                and one.measurement.value is not None
                and one.measurement.quality in TRUSTED
            ]
            found += sorted(follow, key=lambda one: (one.measured_at, one.id))[-limit:]
        return sorted(found, key=lambda one: one.id)

    async def first_id_at(self, received_at: datetime) -> int:
        return max((r.id for r in self.rows if r.received_at < received_at), default=0)
