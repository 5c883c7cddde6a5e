"""Messages that could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg.pool import PoolConnectionProxy

from domain.dead_letters import PAYLOAD_LIMIT, TOPIC_LIMIT, DeadLetter
from domain.pages import Page, PageRequest
from storage.client import TransactionClient
from storage.pages import behind, cut, key_after
from storage.tables import DeadLetterRow
from storage.texts import storable


@dataclass(frozen=True, slots=True)
class DeadLetterRepository:
    """Implements domain.repositories.DeadLetters."""

    _client: TransactionClient

    async def by_id(self, letter_id: int) -> DeadLetter | None:
        """Select one."""
        row = await DeadLetterRow.get_or_none(id=letter_id, using_db=self._client)
        return None if row is None else _dead_letter(row)

    async def page(
        self,
        page: PageRequest,
        *,
        topic_contains: str | None = None,
        start: datetime | None = None,
    ) -> Page[DeadLetter]:
        """Select a page, newest first."""
        found = DeadLetterRow.all().using_db(self._client)
        if topic_contains:
            found = found.filter(topic__contains=topic_contains)
        if start is not None:
            found = found.filter(received_at__gte=start)
        if (key := key_after(page, int)) is not None:
            found = found.filter(behind(["id"], key, descending=True))
        rows = await found.order_by("-id").limit(page.first + 1)
        return cut(rows, page, _dead_letter, lambda letter: (letter.id,))

    async def trim(self, keep: int) -> int:
        """Delete the oldest."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM, [keep])
        return deleted


async def insert_dead_letters(
    connection: PoolConnectionProxy, dead_letters: Sequence[DeadLetter]
) -> None:
    """Insert, cut at the limits; whatever came in is made storable."""
    await connection.execute(
        _INSERT,
        [storable(letter.topic)[:TOPIC_LIMIT] for letter in dead_letters],
        [letter.payload[:PAYLOAD_LIMIT] for letter in dead_letters],
        [storable(letter.reason) for letter in dead_letters],
        [letter.received_at for letter in dead_letters],
    )


_INSERT = """
INSERT INTO dead_letter (topic, payload, reason, received_at)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::timestamptz[])
"""

_TRIM = """
DELETE FROM dead_letter
WHERE id <= (SELECT id FROM dead_letter ORDER BY id DESC OFFSET $1 LIMIT 1)
"""


def _dead_letter(row: DeadLetterRow) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        topic=row.topic,
        payload=row.payload,
        reason=row.reason,
        received_at=row.received_at,
    )
