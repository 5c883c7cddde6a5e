"""Emergency stops, and what their devices confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any
from uuid import UUID

from domain.emergency_stops import EmergencyStop, StoppedDevice
from storage.client import TransactionClient


@dataclass(frozen=True, slots=True)
class EmergencyStopRepository:
    """Implements domain.repositories.EmergencyStops."""

    _client: TransactionClient

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
        stops = await self._select(stop_id=stop_id)
        return stops[0] if stops else None

    async def unfinished(self) -> Sequence[EmergencyStop]:
        """Select those about which something is left to be done."""
        stops = await self._select(unfinished=True)
        return sorted(stops, key=lambda stop: (stop.triggered_at, stop.id))

    async def newest(
        self, limit: int, *, active: bool | None = None, devices: int | None = None
    ) -> Sequence[EmergencyStop]:
        """Select some, those in force first."""
        return await self._select(active=active, limit=limit, devices=devices)

    async def _select(
        self,
        *,
        stop_id: UUID | None = None,
        active: bool | None = None,
        unfinished: bool = False,
        limit: int | None = None,
        devices: int | None = None,
    ) -> Sequence[EmergencyStop]:
        rows = await self._client.execute_query_dict(
            _SELECT, [stop_id, active, unfinished, limit, devices]
        )
        return [_stop(list(group)) for _, group in groupby(rows, key=lambda row: row["id"])]


def _stop(rows: Sequence[Mapping[str, Any]]) -> EmergencyStop:
    """Return a stop of its rows: one per device, or one where it has none."""
    return EmergencyStop(
        **{name: rows[0][name] for name in _OF_STOP},
        devices={
            row["told_id"]: StoppedDevice(
                esp_id=row["told_id"], **{name: row[name] for name in _OF_DEVICE}
            )
            for row in rows
            if row["told_id"] is not None
        },
    )


_OF_STOP = [known.name for known in fields(EmergencyStop) if known.name != "devices"]
_OF_DEVICE = [known.name for known in fields(StoppedDevice) if known.name != "esp_id"]

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

_SELECT = """
SELECT stop.id, reason, stop.esp_id, gpio, triggered_by_id AS triggered_by, triggered_at,
       cleared_by_id AS cleared_by, cleared_at, resume,
       device.esp_id AS told_id, told.confirmed_at, told.released_at, told.resumed_at
FROM (
    SELECT *, sum((SELECT count(*) FROM emergency_stop_device WHERE stop_id = chosen.id))
        OVER (ORDER BY cleared_at IS NULL DESC, triggered_at DESC, id DESC
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS devices_before
    FROM (
        SELECT * FROM emergency_stop
        WHERE ($1::uuid IS NULL OR id = $1)
            AND ($2::bool IS NULL OR (cleared_at IS NULL) = $2)
            AND (NOT $3::bool OR cleared_at IS NULL OR EXISTS (
                SELECT FROM emergency_stop_device
                WHERE stop_id = emergency_stop.id
                    AND (released_at IS NULL OR (emergency_stop.resume AND resumed_at IS NULL))
            ))
        ORDER BY cleared_at IS NULL DESC, triggered_at DESC, id DESC
        LIMIT $4::bigint
    ) AS chosen
) AS stop
LEFT JOIN emergency_stop_device AS told ON told.stop_id = stop.id
LEFT JOIN device ON device.id = told.device_id
WHERE $5::bigint IS NULL OR cleared_at IS NULL OR coalesce(devices_before, 0) < $5
ORDER BY cleared_at IS NULL DESC, triggered_at DESC, stop.id DESC, device.esp_id
"""
