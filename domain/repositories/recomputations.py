"""Stored recomputations, and the history that they walk through."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.pages import Page, PageRequest
from domain.recomputations import Place, Recomputation, Span
from domain.sensors import Measurement, Reading


class Recomputations(Protocol):
    """Stored recomputations."""

    async def add(self, recomputation: Recomputation) -> None:
        """Store a new one."""
        ...

    async def save(self, recomputation: Recomputation) -> None:
        """Store how far a known one has come."""
        ...

    async def by_id(self, recomputation_id: UUID) -> Recomputation | None:
        """Return one."""
        ...

    async def unfinished(self) -> Sequence[Recomputation]:
        """Return those that something is still to be done for, oldest first."""
        ...

    async def since(self, recomputation: Recomputation) -> Sequence[Recomputation]:
        """Return those of the same sensor that were ordered later, oldest first."""
        ...

    async def page(self, page: PageRequest, *, sensor_id: int | None = None) -> Page[Recomputation]:
        """Return recomputations, newest first; None: of every sensor."""
        ...


class Extent(NamedTuple):
    """How much history there is; the times mean something where there is any."""

    size: int
    first: datetime | None
    last: datetime | None


class Rewritten(NamedTuple):
    """A reading with what it says from now on."""

    reading: Reading
    measurement: Measurement


class History(Protocol):
    """Stored readings of one sensor in order of time measured, to be converted again."""

    async def newest_id(self) -> int:
        """Return the id of the reading that was stored last; 0: there is none."""
        ...

    async def extent(self, span: Span) -> Extent:
        """Return how many readings lie in a span, and from when to when."""
        ...

    async def forward(self, span: Span, after: Place | None, limit: int) -> Sequence[Reading]:
        """Return the first readings behind a place, in order of time measured and id."""
        ...

    async def before(self, sensor_id: int, start: datetime, limit: int) -> Sequence[Reading]:
        """Return the last readings before a time, in the same order."""
        ...

    async def held_at(
        self, sensor_id: int, moments: Sequence[datetime], max_age: timedelta
    ) -> Sequence[Reading | None]:
        """Return for each moment the newest reading of it or before; None: none young enough."""
        ...

    async def rewrite(self, recomputation: Recomputation, rewritten: Sequence[Rewritten]) -> None:
        """Let readings say something else, and keep what they said before."""
        ...

    async def restore(self, recomputation: Recomputation, limit: int) -> int:
        """Let some readings say what they said before; return how many, 0: all of them do."""
        ...

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete some of what is kept for recomputations that ended before; return how many."""
        ...
