"""Sensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.queryset import QuerySet

from domain.limits import read_limits
from domain.pages import Page, PageRequest
from domain.sensors import Sensor, SensorKey
from domain.system_events import EventKind
from domain.thresholds import Zone, read_thresholds
from storage.client import TransactionClient
from storage.devices import device_rows
from storage.pages import behind, cut, key_after
from storage.tables import DeviceRow, SensorRow

_KEY = ("device__esp_id", "gpio", "sensor_type", "address")


@dataclass(frozen=True, slots=True)
class SensorRepository:
    """Implements domain.repositories.Sensors."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[SensorRow]:
        return SensorRow.all().using_db(self._client).select_related("device")

    async def add(self, sensors: Sequence[Sensor]) -> Sequence[Sensor]:
        """Insert those whose key is new.

        Raises:
            NotFoundError: One of their devices is not stored.
        """
        esp_ids = {sensor.key.esp_id for sensor in sensors}
        devices = await device_rows(self._client, esp_ids)
        await SensorRow.bulk_create(
            [_row(sensor, devices[sensor.key.esp_id]) for sensor in sensors],
            ignore_conflicts=True,
            using_db=self._client,
        )
        stored = {
            sensor.key: sensor
            for sensor in map(_sensor, await self._rows().filter(device__esp_id__in=esp_ids))
        }
        return [stored[sensor.key] for sensor in sensors]

    async def by_key(self, key: SensorKey) -> Sensor | None:
        """Select one."""
        row = await self._rows().get_or_none(**dict(zip(_KEY, key, strict=True)))
        return None if row is None else _sensor(row)

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Sensor]]:
        """Select those of several devices."""
        found: dict[str, list[Sensor]] = {esp_id: [] for esp_id in esp_ids}
        for row in await self._rows().filter(device__esp_id__in=esp_ids).order_by(*_KEY):
            found[row.device.esp_id].append(_sensor(row))
        return found

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> Page[Sensor]:
        """Select a page, by device, pin, type and address."""
        found = self._found(esp_id, sensor_type, enabled)
        if (key := key_after(page, str, int, str, str)) is not None:
            found = found.filter(behind(_KEY, key))
        rows = await found.order_by(*_KEY).limit(page.first + 1)
        return cut(rows, page, _sensor, lambda sensor: tuple(sensor.key))

    async def count(
        self,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> int:
        """Count the same selection."""
        return await self._found(esp_id, sensor_type, enabled).count()

    def _found(
        self,
        esp_id: str | None,
        sensor_type: str | None,
        enabled: bool | None,  # noqa: FBT001 - a filter, not a switch
    ) -> QuerySet[SensorRow]:
        wanted = {"device__esp_id": esp_id, "sensor_type": sensor_type, "enabled": enabled}
        return self._rows().filter(**{k: v for k, v in wanted.items() if v is not None})

    async def save(self, sensor: Sensor) -> None:
        """Update what is configured."""
        await self._rows().filter(id=sensor.id).update(**_settings(sensor))

    async def zones(self) -> Mapping[int, Zone]:
        """Select where those stand that stand anywhere."""
        rows = self._rows().filter(zone__isnull=False)
        return {row.id: row.zone for row in await rows}

    async def zones_since(self) -> Mapping[int, datetime]:
        """Select the newest edge of each; one that led elsewhere does not count."""
        edges = [EventKind.THRESHOLD_CROSSED, EventKind.THRESHOLD_RETURNED]
        rows = await self._client.execute_query_dict(_ZONES_SINCE, [edges])
        return {row["id"]: row["since"] for row in rows}

    async def save_zones(self, zones: Mapping[int, Zone]) -> None:
        """Update all in one statement."""
        plain = [None if zone is Zone.NORMAL else zone.value for zone in zones.values()]
        await self._client.execute_query(_SAVE_ZONES, [[*zones], plain])

    async def remove(self, sensor_id: int) -> None:
        """Delete one."""
        await self._rows().filter(id=sensor_id).delete()

    async def all(self) -> Sequence[Sensor]:
        """Select all."""
        return [_sensor(row) for row in await self._rows()]


_ZONES_SINCE = """
SELECT sensor.id, (edge.details ->> 'measured_at')::timestamptz AS since
FROM (
    SELECT DISTINCT ON (
        esp_id, details -> 'gpio', details -> 'sensor_type', details -> 'address'
    ) esp_id, details
    FROM system_event WHERE kind = ANY($1::text[])
    ORDER BY esp_id, details -> 'gpio', details -> 'sensor_type', details -> 'address', id DESC
) AS edge
JOIN device ON device.esp_id = edge.esp_id
JOIN sensor ON sensor.device_id = device.id AND edge.details @> jsonb_build_object(
    'gpio', gpio, 'sensor_type', sensor_type, 'address', address,
    'zone', COALESCE(sensor.zone, 'NORMAL')
)
"""

_SAVE_ZONES = """
UPDATE sensor SET zone = new.zone FROM unnest($1::int[], $2::text[]) AS new (id, zone)
WHERE sensor.id = new.id
"""


def _settings(sensor: Sensor) -> dict[str, object]:
    return {
        "name": sensor.name,
        "enabled": sensor.enabled,
        "interval": sensor.interval,
        "processing_mode": sensor.processing_mode,
        "thresholds": sensor.thresholds and sensor.thresholds.as_json(),
        "limits": sensor.limits and sensor.limits.as_json(),
        "parameters": dict(sensor.parameters),
        "sources": {name: list(key) for name, key in sensor.sources.items()},
        "updated_at": sensor.updated_at,
    }


def _row(sensor: Sensor, device: DeviceRow) -> SensorRow:
    return SensorRow(
        device=device,
        gpio=sensor.key.gpio,
        sensor_type=sensor.key.sensor_type,
        address=sensor.key.address,
        unit=sensor.unit,
        created_at=sensor.created_at,
        **_settings(sensor),
    )


def _sensor(row: SensorRow) -> Sensor:
    return Sensor(
        id=row.id,
        key=SensorKey(row.device.esp_id, row.gpio, row.sensor_type, row.address),
        name=row.name,
        unit=row.unit,
        enabled=row.enabled,
        interval=row.interval,
        processing_mode=row.processing_mode,
        thresholds=read_thresholds(row.thresholds or {}),
        limits=read_limits(row.limits or {}),
        parameters=row.parameters,
        sources=read_sources(row.sources),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def read_sources(stored: Mapping[str, Sequence[str | int]]) -> Mapping[str, SensorKey]:
    """Read which sensors fill which parameters."""
    return {name: _key(parts) for name, parts in stored.items()}


def _key(parts: Sequence[str | int]) -> SensorKey:
    esp_id, gpio, sensor_type, address = parts
    return SensorKey(str(esp_id), int(gpio), str(sensor_type), str(address))
