"""Commands and how far they have come."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.actuators import Command, CommandStatus, Pin
from domain.errors import BadInputError
from domain.pages import Key, Page, PageRequest
from storage.client import TransactionClient
from storage.pages import behind, cut, instant, key_after, microseconds
from storage.tables import CommandRow
from storage.texts import storable

_MICROSECOND = timedelta(microseconds=1)
_OPEN = (CommandStatus.PENDING, CommandStatus.SENT)


@dataclass(frozen=True, slots=True)
class CommandRepository:
    """Implements domain.repositories.Commands."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[CommandRow]:
        return CommandRow.all().using_db(self._client).select_related("actuator__device")

    async def add(self, command: Command) -> Command:
        """Insert, unless the idempotency key is there."""
        added = await self._client.execute_insert(
            _ADD,
            [
                command.id,
                command.actuator_id,
                command.action,
                command.value,
                None if command.duration is None else command.duration // _MICROSECOND,
                command.status,
                command.reason,
                command.origin,
                command.user_id,
                command.idempotency_key,
                command.created_at,
                command.sent_at,
                command.completed_at,
                command.override_until,
                command.execution_id,
                None
                if command.arbitration is None
                else storable(json.dumps(command.arbitration, ensure_ascii=False)),
            ],
        )
        if added is not None:
            return command
        return _command(await self._rows().get(idempotency_key=command.idempotency_key))

    async def save(self, command: Command) -> None:
        """Update how far it has come."""
        await self._client.execute_query(
            _SAVE,
            [command.id, command.status, command.reason, command.sent_at, command.completed_at],
        )

    async def by_id(self, command_id: UUID) -> Command | None:
        """Select one."""
        row = await self._rows().get_or_none(id=command_id)
        return None if row is None else _command(row)

    async def of_actuator(self, actuator_id: int, page: PageRequest) -> Page[Command]:
        """Select a page, newest first."""
        found = self._rows().filter(actuator_id=actuator_id)
        if (key := key_after(page, int, str)) is not None:
            found = found.filter(behind(("created_at", "id"), _values(key), descending=True))
        rows = await found.order_by("-created_at", "-id").limit(page.first + 1)
        return cut(rows, page, _command, lambda c: (microseconds(c.created_at), str(c.id)))

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, Command]:
        """Select several."""
        return {row.id: _command(row) for row in await self._rows().filter(id__in=ids)}

    async def last_asked(self, actuator_ids: Sequence[int]) -> Mapping[int, Command]:
        """Select the newest of each actuator, one step into the index for each."""
        found = await self._client.execute_query_dict(_LAST_ASKED, [list(actuator_ids)])
        commands = await self.by_ids([row["id"] for row in found])
        return {command.actuator_id: command for command in commands.values()}

    async def overriding(self, now: datetime) -> Sequence[Command]:
        """Select by time: a partial index holds only those that say one."""
        found = self._rows().filter(override_until__gt=now).exclude(status="REJECTED")
        return [_command(row) for row in await found.order_by("created_at", "id")]

    async def of_executions(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Command]]:
        """Select by execution: a partial index holds only those that have one."""
        rows = await self._rows().filter(execution_id__in=ids).order_by("created_at", "id")
        found: dict[UUID, list[Command]] = {}
        for command in map(_command, rows):
            if command.execution_id is not None:
                found.setdefault(command.execution_id, []).append(command)
        return found

    async def unfinished(self) -> Sequence[Command]:
        """Select the open ones, oldest first."""
        rows = await self._rows().filter(status__in=_OPEN).order_by("created_at", "id")
        return [_command(row) for row in rows]

    async def trim(self, keep: int, before: datetime, limit: int) -> int:
        """Delete the oldest: the primary key is in order of time."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM, [keep, _first_id(before), limit])
        return deleted


def _first_id(at: datetime) -> UUID:
    """Return what no time-ordered id (UUIDv7, RFC 9562) of this time or later is below."""
    return UUID(int=microseconds(at) // 1000 << 80)


def _values(key: Key) -> tuple[object, object]:
    created_at, command_id = key
    try:
        return instant(int(created_at)), UUID(str(command_id))
    except ValueError:
        raise BadInputError("the cursor belongs to another list") from None


def _command(row: CommandRow) -> Command:
    return Command(
        id=row.id,
        actuator_id=row.actuator.id,
        pin=Pin(row.actuator.device.esp_id, row.actuator.gpio),
        action=row.action,
        value=row.value,
        duration=row.duration,
        status=row.status,
        reason=row.reason,
        origin=row.origin,
        user_id=row.user_id,
        idempotency_key=row.idempotency_key,
        created_at=row.created_at,
        sent_at=row.sent_at,
        completed_at=row.completed_at,
        override_until=row.override_until,
        execution_id=row.execution_id,
        arbitration=row.arbitration,
    )


# Written out: between a person and a pump, an object of the mapper per step is a millisecond.
_ADD = """
INSERT INTO command (id, actuator_id, action, value, duration, status, reason, origin, user_id,
                     idempotency_key, created_at, sent_at, completed_at, override_until,
                     execution_id, arbitration)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::text::jsonb)
ON CONFLICT (idempotency_key) DO NOTHING
RETURNING id
"""

_LAST_ASKED = """
SELECT last.id FROM unnest($1::int[]) AS wanted (actuator_id)
CROSS JOIN LATERAL (
    SELECT id FROM command
    WHERE command.actuator_id = wanted.actuator_id AND status <> 'REJECTED'
    ORDER BY created_at DESC, id DESC LIMIT 1
) AS last
"""

_SAVE = "UPDATE command SET status = $2, reason = $3, sent_at = $4, completed_at = $5 WHERE id = $1"

_TRIM = """
DELETE FROM command WHERE id IN (
    SELECT id FROM command AS old
    WHERE id < greatest($2, (SELECT id FROM command ORDER BY id DESC OFFSET $1 - 1 LIMIT 1))
      AND status NOT IN ('PENDING', 'SENT')
      AND NOT EXISTS (SELECT FROM lease WHERE lease.command_id = old.id)
      AND (status = 'REJECTED' OR EXISTS (
          SELECT FROM command AS newer
          WHERE newer.actuator_id = old.actuator_id AND newer.created_at > old.created_at
            AND newer.status <> 'REJECTED'))
    ORDER BY id LIMIT $3::int
)
"""
