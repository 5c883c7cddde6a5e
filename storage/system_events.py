"""System events: few, told at once, kept for a season."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.errors import BadInputError
from domain.pages import Page, PageRequest
from domain.system_events import Detail, Severity, SystemEvent
from storage.client import TransactionClient
from storage.pages import cut, key_after
from storage.tables import SystemEventRow
from storage.texts import storable


@dataclass(frozen=True, slots=True)
class SystemEventRepository:
    """Implements domain.repositories.SystemEvents."""

    _client: TransactionClient

    def _rows(self, severities: Collection[Severity] | None) -> QuerySet[SystemEventRow]:
        found = SystemEventRow.all().using_db(self._client)
        return found if severities is None else found.filter(severity__in=severities)

    async def add(self, events: Sequence[SystemEvent]) -> None:
        """Insert all in one statement."""
        await self._client.execute_query(
            _ADD,
            [
                [event.id for event in events],
                [storable(event.kind) for event in events],
                [event.severity for event in events],
                [storable(event.message) for event in events],
                [event.esp_id for event in events],
                [_json(event.details) for event in events],
                [event.occurred_at for event in events],
                [event.occurrences for event in events],
            ],
        )

    async def save_occurrences(self, event_id: UUID, occurrences: int) -> None:
        """Update the count."""
        await self._client.execute_query(_SAVE_OCCURRENCES, [event_id, occurrences])

    async def by_id(self, event_id: UUID) -> SystemEvent | None:
        """Select one."""
        row = await SystemEventRow.get_or_none(id=event_id, using_db=self._client)
        return None if row is None else _system_event(row)

    async def page(
        self,
        page: PageRequest,
        *,
        severities: Collection[Severity] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[SystemEvent]:
        """Select a page, newest first: the primary key is in order of time."""
        found = self._rows(severities)
        if start is not None:
            found = found.filter(occurred_at__gte=start)
        if end is not None:
            found = found.filter(occurred_at__lt=end)
        if (key := key_after(page, str)) is not None:
            found = found.filter(id__lt=_id(str(key[0])))
        rows = await found.order_by("-id").limit(page.first + 1)
        return cut(rows, page, _system_event, lambda event: (str(event.id),))

    async def since(
        self, event_id: UUID, limit: int, *, severities: Collection[Severity] | None = None
    ) -> Sequence[SystemEvent]:
        """Select what follows, oldest first."""
        rows = await self._rows(severities).filter(id__gt=event_id).order_by("id").limit(limit)
        return [_system_event(row) for row in rows]

    async def trim(self, keep: int, before: datetime) -> int:
        """Delete the oldest."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM, [keep, before])
        return deleted


# Through jsonb as text: an array of jsonb would need a codec of its own.
_ADD = """
INSERT INTO system_event
    (id, kind, severity, message, esp_id, details, occurred_at, occurrences)
SELECT id, kind, severity, message, esp_id, details::jsonb, occurred_at, occurrences
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[], $8::int[])
    AS new (id, kind, severity, message, esp_id, details, occurred_at, occurrences)
ON CONFLICT (id) DO NOTHING
"""

_SAVE_OCCURRENCES = "UPDATE system_event SET occurrences = $2 WHERE id = $1"

_TRIM = """
DELETE FROM system_event
WHERE occurred_at < $2
   OR id <= (SELECT id FROM system_event ORDER BY id DESC OFFSET $1 LIMIT 1)
"""


def _json(details: Mapping[str, Detail]) -> str:
    plain = {storable(name): _plain(value) for name, value in details.items()}
    return json.dumps(plain, ensure_ascii=False)


def _plain(value: Detail) -> Detail:
    # JSON has no word for NaN and infinity.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return storable(value) if isinstance(value, str) else value


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInputError("the cursor belongs to another list") from None


def _system_event(row: SystemEventRow) -> SystemEvent:
    return SystemEvent(
        id=row.id,
        kind=row.kind,
        severity=row.severity,
        message=row.message,
        esp_id=row.esp_id,
        details=row.details,
        occurred_at=row.occurred_at,
        occurrences=row.occurrences,
    )
