"""Emergency stops, and what their devices confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.emergency_stops import EmergencyStop, StoppedDevice
from storage.client import TransactionClient
from storage.tables import EmergencyStopRow


@dataclass(frozen=True, slots=True)
class EmergencyStopRepository:
    """Implements domain.repositories.EmergencyStops."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[EmergencyStopRow]:
        return EmergencyStopRow.all().using_db(self._client)

    async def _whole(self, rows: Sequence[EmergencyStopRow]) -> Sequence[EmergencyStop]:
        """Return stops with their devices, in the same order."""
        if not rows:
            return []
        found = await self._client.execute_query_dict(_DEVICES, [[row.id for row in rows]])
        devices: dict[UUID, dict[str, StoppedDevice]] = {}
        for device in found:
            stop_id = device.pop("stop_id")
            devices.setdefault(stop_id, {})[device["esp_id"]] = StoppedDevice(**device)
        return [_stop(row, devices.get(row.id, {})) for row in rows]

    async def save(self, stop: EmergencyStop) -> None:
        """Insert or update the stop and its devices, in one statement."""
        devices = stop.devices.values()
        await self._client.execute_query(
            _SAVE,
            [
                stop.id,
                stop.reason,
                stop.esp_id,
                stop.gpio,
                stop.triggered_by,
                stop.triggered_at,
                stop.cleared_by,
                stop.cleared_at,
                stop.resume,
                [device.esp_id for device in devices],
                [device.confirmed_at for device in devices],
                [device.released_at for device in devices],
                [device.resumed_at for device in devices],
            ],
        )

    async def by_id(self, stop_id: UUID) -> EmergencyStop | None:
        """Select one."""
        stops = await self._whole(await self._rows().filter(id=stop_id))
        return stops[0] if stops else None

    async def unfinished(self) -> Sequence[EmergencyStop]:
        """Select those about which something is left to be done."""
        found = await self._client.execute_query_dict(_UNFINISHED)
        rows = self._rows().filter(id__in=[row["id"] for row in found])
        return await self._whole(await rows.order_by("triggered_at", "id"))

    async def newest(self, limit: int, *, active: bool | None = None) -> Sequence[EmergencyStop]:
        """Select some, those in force first."""
        rows = self._rows().limit(limit)
        if active is not None:
            rows = rows.filter(cleared_at__isnull=active)
        # Sorting downwards, PostgreSQL puts NULL first.
        return await self._whole(await rows.order_by("-cleared_at", "-triggered_at", "-id"))


def _stop(row: EmergencyStopRow, devices: Mapping[str, StoppedDevice]) -> EmergencyStop:
    return EmergencyStop(
        id=row.id,
        reason=row.reason,
        esp_id=row.esp_id,
        gpio=row.gpio,
        triggered_by=row.triggered_by_id,
        triggered_at=row.triggered_at,
        cleared_by=row.cleared_by_id,
        cleared_at=row.cleared_at,
        resume=row.resume,
        devices=devices,
    )


# Written out: a stop waits for nothing but this one statement before it goes out.
_SAVE = """
WITH stop AS (
    INSERT INTO emergency_stop (id, reason, esp_id, gpio, triggered_by_id, triggered_at,
                                cleared_by_id, cleared_at, resume)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (id) DO UPDATE SET cleared_by_id = excluded.cleared_by_id,
                                   cleared_at = excluded.cleared_at,
                                   resume = excluded.resume
    RETURNING id
)
INSERT INTO emergency_stop_device AS known
    (stop_id, device_id, confirmed_at, released_at, resumed_at)
SELECT stop.id, device.id, told.confirmed_at, told.released_at, told.resumed_at
FROM stop, unnest($10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[])
               AS told (esp_id, confirmed_at, released_at, resumed_at)
     JOIN device ON device.esp_id = told.esp_id
ON CONFLICT (stop_id, device_id) DO UPDATE
    SET confirmed_at = excluded.confirmed_at, released_at = excluded.released_at,
        resumed_at = excluded.resumed_at
    WHERE (known.confirmed_at, known.released_at, known.resumed_at)
        IS DISTINCT FROM (excluded.confirmed_at, excluded.released_at, excluded.resumed_at)
"""

_UNFINISHED = """
SELECT id FROM emergency_stop
WHERE cleared_at IS NULL OR EXISTS (
    SELECT FROM emergency_stop_device
    WHERE stop_id = emergency_stop.id
        AND (released_at IS NULL OR (emergency_stop.resume AND resumed_at IS NULL))
)
"""

_DEVICES = """
SELECT stop_id, device.esp_id, confirmed_at, released_at, resumed_at
FROM emergency_stop_device JOIN device ON device.id = device_id
WHERE stop_id = ANY($1)
ORDER BY stop_id, device.esp_id
"""
