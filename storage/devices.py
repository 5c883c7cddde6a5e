"""Devices and their health."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from domain.devices import Device, DeviceHealth, DeviceStatus
from domain.errors import NotFoundError
from domain.pages import Page, PageRequest
from storage.client import TransactionClient
from storage.pages import behind, cut, key_after
from storage.tables import DeviceHealthRow, DeviceRow

_NONE = Q(id__in=[])

_PRESENCE: Mapping[DeviceStatus, Q] = {
    DeviceStatus.DISCOVERED: Q(approved=False),
    DeviceStatus.ONLINE: Q(approved=True, online=True),
    DeviceStatus.OFFLINE: Q(approved=True, online=False),
    DeviceStatus.ERROR: _NONE,
}
"""`Device.status` in SQL. No index: it would make every sign of life dearer, for a short table."""


@dataclass(frozen=True, slots=True)
class DeviceRepository:
    """Implements domain.repositories.Devices."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[DeviceRow]:
        return DeviceRow.all().using_db(self._client)

    async def add(self, device: Device) -> Device:
        """Insert, unless the name is there."""
        await DeviceRow.bulk_create([_row(device)], ignore_conflicts=True, using_db=self._client)
        return _device(await self._rows().get(esp_id=device.esp_id))

    async def save(self, device: Device) -> None:
        """Update what people decide."""
        await (
            self._rows()
            .filter(esp_id=device.esp_id)
            .update(
                name=device.name,
                approved=device.approved,
                zone_id=device.zone_id,
                subzone_id=device.subzone_id,
                is_zone_master=device.is_zone_master,
                metadata=dict(device.metadata),
                updated_at=device.updated_at,
            )
        )

    async def save_presence(self, device: Device) -> None:
        """Update what is heard of it."""
        await (
            self._rows()
            .filter(esp_id=device.esp_id)
            .update(
                kaiser_id=device.kaiser_id,
                online=device.online,
                last_seen=device.last_seen,
                ip_address=device.ip_address,
                mac_address=device.mac_address,
                firmware_version=device.firmware_version,
                hardware_type=device.hardware_type,
                last_boot_at=device.last_boot_at,
                handover_epoch=device.handover_epoch,
                firmware_generation=device.firmware_generation,
            )
        )

    async def by_esp_id(self, esp_id: str) -> Device | None:
        """Select one."""
        return (await self.by_esp_ids([esp_id])).get(esp_id)

    async def by_esp_ids(self, esp_ids: Sequence[str]) -> Mapping[str, Device]:
        """Select several."""
        rows = await self._rows().filter(esp_id__in=esp_ids)
        return {row.esp_id: _device(row) for row in rows}

    async def page(
        self,
        page: PageRequest,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> Page[Device]:
        """Select a page, by name."""
        found = self._found(statuses, search, zone_id, kaiser_id)
        if (key := key_after(page, str)) is not None:
            found = found.filter(behind(["esp_id"], key))
        rows = await found.order_by("esp_id").limit(page.first + 1)
        return cut(rows, page, _device, lambda device: (device.esp_id,))

    async def count(
        self,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> int:
        """Count the same selection."""
        return await self._found(statuses, search, zone_id, kaiser_id).count()

    def _found(
        self,
        statuses: Collection[DeviceStatus] | None,
        search: str | None,
        zone_id: str | None,
        kaiser_id: str | None,
    ) -> QuerySet[DeviceRow]:
        found = self._rows()
        if kaiser_id is not None:
            found = found.filter(kaiser_id=kaiser_id)
        if zone_id is not None:
            found = found.filter(zone_id=zone_id)
        if statuses is not None:
            wanted = (q for status, q in _PRESENCE.items() if status in statuses)
            found = found.filter(reduce(or_, wanted, _NONE))
        if search:
            found = found.filter(Q(esp_id__icontains=search) | Q(name__icontains=search))
        return found

    async def remove(self, esp_id: str) -> None:
        """Delete one; the foreign keys take everything along."""
        await self._rows().filter(esp_id=esp_id).delete()

    async def all(self) -> Sequence[Device]:
        """Select all."""
        return [_device(row) for row in await self._rows()]

    async def save_health(self, esp_id: str, health: DeviceHealth) -> None:
        """Insert or replace the health of a device that is known, and insert it as history."""
        await self._client.execute_query(
            _SAVE_HEALTH,
            [
                esp_id,
                health.reported_at,
                health.system_state,
                health.uptime_seconds,
                health.free_heap_bytes,
                health.min_free_heap_bytes,
                health.heap_fragmentation_percent,
                health.wifi_rssi_dbm,
                health.safe_mode,
                health.sensor_count,
                health.actuator_count,
                health.error_count,
                health.boot_sequence_id,
                health.reset_reason,
            ],
        )

    async def health(self, esp_ids: Sequence[str]) -> Mapping[str, DeviceHealth]:
        """Select the health of several."""
        return await self._health(DeviceHealthRow.filter(device__esp_id__in=esp_ids))

    async def all_health(self) -> Mapping[str, DeviceHealth]:
        """Select the health of all."""
        return await self._health(DeviceHealthRow.all())

    async def _health(self, found: QuerySet[DeviceHealthRow]) -> Mapping[str, DeviceHealth]:
        rows = await found.using_db(self._client).select_related("device")
        return {row.device.esp_id: _health(row) for row in rows}


_SAVE_HEALTH = """
WITH report AS (
    SELECT id AS device_id, $2::timestamptz AS reported_at, $3::text AS system_state,
           $4::bigint AS uptime_seconds, $5::bigint AS free_heap_bytes,
           $6::bigint AS min_free_heap_bytes, $7::smallint AS heap_fragmentation_percent,
           $8::bigint AS wifi_rssi_dbm, $9::boolean AS safe_mode, $10::bigint AS sensor_count,
           $11::bigint AS actuator_count, $12::bigint AS error_count
    FROM device WHERE esp_id = $1
), history AS (
    INSERT INTO device_health_history (
        device_id, reported_at, system_state, uptime_seconds, free_heap_bytes, min_free_heap_bytes,
        heap_fragmentation_percent, wifi_rssi_dbm, safe_mode, sensor_count, actuator_count,
        error_count)
    SELECT * FROM report ON CONFLICT DO NOTHING
)
INSERT INTO device_health (
    device_id, reported_at, system_state, uptime_seconds, free_heap_bytes, min_free_heap_bytes,
    heap_fragmentation_percent, wifi_rssi_dbm, safe_mode, sensor_count, actuator_count,
    error_count, boot_sequence_id, reset_reason)
SELECT report.*, $13, $14 FROM report
ON CONFLICT (device_id) DO UPDATE SET
    reported_at = excluded.reported_at, system_state = excluded.system_state,
    uptime_seconds = excluded.uptime_seconds, free_heap_bytes = excluded.free_heap_bytes,
    min_free_heap_bytes = excluded.min_free_heap_bytes,
    heap_fragmentation_percent = excluded.heap_fragmentation_percent,
    wifi_rssi_dbm = excluded.wifi_rssi_dbm, safe_mode = excluded.safe_mode,
    sensor_count = excluded.sensor_count, actuator_count = excluded.actuator_count,
    error_count = excluded.error_count, boot_sequence_id = excluded.boot_sequence_id,
    reset_reason = excluded.reset_reason
"""


async def device_rows(
    client: TransactionClient, esp_ids: Collection[str]
) -> Mapping[str, DeviceRow]:
    """Select the rows that something else is to hang on.

    Raises:
        NotFoundError: One of them is not stored.
    """
    found = await DeviceRow.filter(esp_id__in=esp_ids).using_db(client)
    rows = {row.esp_id: row for row in found}
    if unknown := set(esp_ids) - rows.keys():
        raise NotFoundError(f"no such device: {', '.join(sorted(unknown))}")
    return rows


def _row(device: Device) -> DeviceRow:
    return DeviceRow(
        id=device.id,
        esp_id=device.esp_id,
        kaiser_id=device.kaiser_id,
        name=device.name,
        approved=device.approved,
        online=device.online,
        zone_id=device.zone_id,
        subzone_id=device.subzone_id,
        is_zone_master=device.is_zone_master,
        metadata=dict(device.metadata),
        ip_address=device.ip_address,
        mac_address=device.mac_address,
        firmware_version=device.firmware_version,
        hardware_type=device.hardware_type,
        last_seen=device.last_seen,
        last_boot_at=device.last_boot_at,
        handover_epoch=device.handover_epoch,
        firmware_generation=device.firmware_generation,
        created_at=device.created_at,
        updated_at=device.updated_at,
    )


def _device(row: DeviceRow) -> Device:
    return Device(
        id=row.id,
        esp_id=row.esp_id,
        kaiser_id=row.kaiser_id,
        name=row.name,
        approved=row.approved,
        online=row.online,
        zone_id=row.zone_id,
        subzone_id=row.subzone_id,
        is_zone_master=row.is_zone_master,
        metadata=row.metadata,
        ip_address=row.ip_address,
        mac_address=row.mac_address,
        firmware_version=row.firmware_version,
        hardware_type=row.hardware_type,
        last_seen=row.last_seen,
        last_boot_at=row.last_boot_at,
        handover_epoch=row.handover_epoch,
        firmware_generation=row.firmware_generation,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _health(row: DeviceHealthRow) -> DeviceHealth:
    return DeviceHealth(
        reported_at=row.reported_at,
        system_state=row.system_state,
        uptime_seconds=row.uptime_seconds,
        free_heap_bytes=row.free_heap_bytes,
        min_free_heap_bytes=row.min_free_heap_bytes,
        heap_fragmentation_percent=row.heap_fragmentation_percent,
        wifi_rssi_dbm=row.wifi_rssi_dbm,
        safe_mode=row.safe_mode,
        sensor_count=row.sensor_count,
        actuator_count=row.actuator_count,
        error_count=row.error_count,
        boot_sequence_id=row.boot_sequence_id,
        reset_reason=row.reset_reason,
    )
