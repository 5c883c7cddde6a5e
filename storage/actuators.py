"""Actuators with their reported state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.queryset import QuerySet

from domain.actuators import Actuator, ActuatorState, EmergencyPhase, Pin, StateChange
from domain.pages import Page, PageRequest
from storage.client import TransactionClient
from storage.devices import device_rows
from storage.pages import behind, cut, instant, key_after, microseconds
from storage.tables import ActuatorRow, DeviceRow

_KEY = ("device__esp_id", "gpio")


@dataclass(frozen=True, slots=True)
class ActuatorRepository:
    """Implements domain.repositories.Actuators."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[ActuatorRow]:
        return ActuatorRow.all().using_db(self._client).select_related("device")

    async def add(self, actuator: Actuator) -> Actuator:
        """Insert, unless the pin is taken.

        Raises:
            NotFoundError: Its device is not stored.
        """
        pin = actuator.pin
        device = (await device_rows(self._client, [pin.esp_id]))[pin.esp_id]
        await ActuatorRow.bulk_create(
            [_row(actuator, device)], ignore_conflicts=True, using_db=self._client
        )
        return _actuator(await self._rows().get(device=device, gpio=pin.gpio))

    async def save(self, actuator: Actuator) -> None:
        """Update what is configured."""
        await self._rows().filter(id=actuator.id).update(**_settings(actuator))

    async def save_state(self, actuator_id: int, state: ActuatorState) -> None:
        """Update what is reported, and remember it where it is something new, in one statement."""
        await self._client.execute_query(_SAVE_STATE, [actuator_id, *_columns(state).values()])

    async def changes_of(
        self,
        actuator_id: int,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[StateChange]:
        """Select a page, newest first: a walk through the primary key."""
        key = key_after(page, int)
        before = None if key is None else instant(int(key[0]))
        rows = await self._client.execute_query_dict(
            _CHANGES_OF, [actuator_id, start, end, before, page.first + 1]
        )
        return cut(rows, page, _change, lambda change: (microseconds(change.at),))

    async def trim_changes(self, before: datetime, limit: int) -> int:
        """Delete by the index on their times."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM_CHANGES, [before, limit])
        return deleted

    async def by_pin(self, pin: Pin) -> Actuator | None:
        """Select one."""
        row = await self._rows().get_or_none(**dict(zip(_KEY, pin, strict=True)))
        return None if row is None else _actuator(row)

    async def by_ids(self, ids: Sequence[int]) -> Mapping[int, Actuator]:
        """Select several."""
        return {row.id: _actuator(row) for row in await self._rows().filter(id__in=ids)}

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Actuator]]:
        """Select those of several devices."""
        found: dict[str, list[Actuator]] = {esp_id: [] for esp_id in esp_ids}
        for row in await self._rows().filter(device__esp_id__in=esp_ids).order_by(*_KEY):
            found[row.device.esp_id].append(_actuator(row))
        return found

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        actuator_type: str | None = None,
    ) -> Page[Actuator]:
        """Select a page, by device and pin."""
        found = self._found(esp_id, actuator_type)
        if (key := key_after(page, str, int)) is not None:
            found = found.filter(behind(_KEY, key))
        rows = await found.order_by(*_KEY).limit(page.first + 1)
        return cut(rows, page, _actuator, lambda actuator: tuple(actuator.pin))

    async def count(self, *, esp_id: str | None = None, actuator_type: str | None = None) -> int:
        """Count the same selection."""
        return await self._found(esp_id, actuator_type).count()

    def _found(self, esp_id: str | None, actuator_type: str | None) -> QuerySet[ActuatorRow]:
        wanted = {"device__esp_id": esp_id, "actuator_type": actuator_type}
        return self._rows().filter(**{k: v for k, v in wanted.items() if v is not None})

    async def remove(self, actuator_id: int) -> None:
        """Delete one."""
        await self._rows().filter(id=actuator_id).delete()

    async def all(self) -> Sequence[Actuator]:
        """Select all."""
        return [_actuator(row) for row in await self._rows()]


def _change(row: Mapping[str, Any]) -> StateChange:
    return StateChange(row["at"], row["value"], row["is_active"], EmergencyPhase(row["emergency"]))


def _columns(state: ActuatorState) -> dict[str, object]:
    return {
        "value": state.value,
        "is_active": state.is_active,
        "emergency": state.emergency,
        "runtime_ms": state.runtime_ms,
        "last_command_at": state.last_command_at,
        "reported_at": state.reported_at,
    }


def _settings(actuator: Actuator) -> dict[str, object]:
    return {
        "actuator_type": actuator.actuator_type,
        "name": actuator.name,
        "enabled": actuator.enabled,
        "critical": actuator.critical,
        "inverted": actuator.inverted,
        "aux_gpio": actuator.aux_gpio,
        "default_value": actuator.default_value,
        "max_runtime": actuator.max_runtime,
        "min_off_time": actuator.min_off_time,
        "max_starts_per_hour": actuator.max_starts_per_hour,
        "updated_at": actuator.updated_at,
    }


def _row(actuator: Actuator, device: DeviceRow) -> ActuatorRow:
    return ActuatorRow(
        device=device,
        gpio=actuator.pin.gpio,
        created_at=actuator.created_at,
        **_settings(actuator),
        **_columns(actuator.state),
    )


def _actuator(row: ActuatorRow) -> Actuator:
    return Actuator(
        id=row.id,
        pin=Pin(row.device.esp_id, row.gpio),
        actuator_type=row.actuator_type,
        name=row.name,
        enabled=row.enabled,
        critical=row.critical,
        inverted=row.inverted,
        aux_gpio=row.aux_gpio,
        default_value=row.default_value,
        max_runtime=row.max_runtime,
        min_off_time=row.min_off_time,
        max_starts_per_hour=row.max_starts_per_hour,
        state=ActuatorState(
            value=row.value,
            is_active=row.is_active,
            emergency=row.emergency,
            runtime_ms=row.runtime_ms,
            last_command_at=row.last_command_at,
            reported_at=row.reported_at,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


_SAVE_STATE = """
WITH said (value, is_active, emergency, runtime_ms, last_command_at, reported_at) AS (
    VALUES ($2::float8, $3::bool, $4::varchar, $5::float8, $6::timestamptz, $7::timestamptz)
), before AS (
    SELECT id, value, is_active, emergency, reported_at FROM actuator WHERE id = $1 FOR UPDATE
), stored AS (
    UPDATE actuator
    SET (value, is_active, emergency, runtime_ms, last_command_at, reported_at)
        = (SELECT * FROM said)
    WHERE id = $1
)
INSERT INTO actuator_state_change (actuator_id, at, value, is_active, emergency)
SELECT before.id, said.reported_at, said.value, said.is_active, said.emergency FROM before, said
WHERE said.reported_at IS NOT NULL
  AND (before.reported_at IS NULL
       OR (before.value, before.is_active, before.emergency)
          IS DISTINCT FROM (said.value, said.is_active, said.emergency))
ON CONFLICT DO NOTHING
"""

_CHANGES_OF = """
SELECT at, value, is_active, emergency FROM actuator_state_change
WHERE actuator_id = $1
  AND at >= coalesce($2::timestamptz, '-infinity')
  AND at < coalesce(least($3::timestamptz, $4::timestamptz), 'infinity')
ORDER BY at DESC LIMIT $5::int
"""

_TRIM_CHANGES = """
DELETE FROM actuator_state_change WHERE ctid IN (
    SELECT ctid FROM actuator_state_change WHERE at < $1 ORDER BY at LIMIT $2::int
)
"""
