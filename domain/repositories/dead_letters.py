"""Stored messages that could not be read."""

from datetime import datetime
from typing import Protocol

from domain.dead_letters import DeadLetter
from domain.pages import Page, PageRequest


class DeadLetters(Protocol):
    """Stored messages that could not be read; `ReadingWriter` stores them."""

    async def by_id(self, letter_id: int) -> DeadLetter | None:
        """Return one dead letter."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        topic_contains: str | None = None,
        start: datetime | None = None,
    ) -> Page[DeadLetter]:
        """Return dead letters, newest first."""
        ...

    async def trim(self, keep: int) -> int:
        """Delete all but the newest `keep`; return how many went."""
        ...
