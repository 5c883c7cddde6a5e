"""Stored system events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.pages import Page, PageRequest
from domain.system_events import Severity, SystemEvent


class SystemEvents(Protocol):
    """Stored system events."""

    async def add(self, events: Sequence[SystemEvent]) -> None:
        """Store new events; known ids are left as they are, so that it may be repeated."""
        ...

    async def save_occurrences(self, event_id: UUID, occurrences: int) -> None:
        """Store how often a known event happened by now."""
        ...

    async def by_id(self, event_id: UUID) -> SystemEvent | None:
        """Return one event."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        severities: Collection[Severity] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[SystemEvent]:
        """Return events, newest first; `start` included, `end` excluded; None: any severity."""
        ...

    async def since(
        self, event_id: UUID, limit: int, *, severities: Collection[Severity] | None = None
    ) -> Sequence[SystemEvent]:
        """Return what was stored after an event, known or not, in order of id."""
        ...

    async def trim(self, keep: int, before: datetime) -> int:
        """Delete all but the newest `keep`, and what is older; return how many went."""
        ...
