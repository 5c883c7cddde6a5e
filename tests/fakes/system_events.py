"""System events in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError
from domain.pages import Page, PageRequest
from domain.system_events import Severity, SystemEvent
from tests.fakes.paging import paged


@dataclass(slots=True)
class FakeSystemEvents:
    """`refusals` are raised for events whose message holds their key."""

    rows: dict[UUID, SystemEvent] = field(default_factory=dict)
    refusals: dict[str, DomainError] = field(default_factory=dict)

    async def add(self, events: Sequence[SystemEvent]) -> None:
        for event in events:
            for text, error in self.refusals.items():
                if text in event.message:
                    raise error
        for event in events:
            self.rows.setdefault(event.id, event)

    async def save_occurrences(self, event_id: UUID, occurrences: int) -> None:
        if event_id in self.rows:
            self.rows[event_id] = replace(self.rows[event_id], occurrences=occurrences)

    async def by_id(self, event_id: UUID) -> SystemEvent | None:
        return self.rows.get(event_id)

    def _found(self, severities: Collection[Severity] | None) -> list[SystemEvent]:
        rows = sorted(self.rows.values(), key=lambda event: event.id)
        return [e for e in rows if severities is None or e.severity in severities]

    async def page(
        self,
        page: PageRequest,
        *,
        severities: Collection[Severity] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[SystemEvent]:
        found = [
            event
            for event in self._found(severities)
            if (start is None or event.occurred_at >= start)
            and (end is None or event.occurred_at < end)
        ]
        return paged(found, lambda event: (str(event.id),), page, descending=True)

    async def since(
        self, event_id: UUID, limit: int, *, severities: Collection[Severity] | None = None
    ) -> Sequence[SystemEvent]:
        return [event for event in self._found(severities) if event.id > event_id][:limit]

    async def trim(self, keep: int, before: datetime) -> int:
        kept = [e for e in self._found(None) if e.occurred_at >= before][-keep:]
        gone = len(self.rows) - len(kept)
        self.rows.clear()
        self.rows.update((event.id, event) for event in kept)
        return gone
