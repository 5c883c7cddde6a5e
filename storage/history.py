"""The history of one sensor: walked through in order of time, written again, and restored.

Every statement names a span of time measured, so that only the partitions that hold it are opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.recomputations import Place, Recomputation, Span
from domain.repositories.recomputations import Extent, Rewritten
from domain.sensors import Reading
from storage.client import TransactionClient
from storage.conversions import INTERN, Meaning, meaning
from storage.qualities import QUALITIES
from storage.reading_writer import written_notes
from storage.readings import COLUMNS, JOINS, readings_of


@dataclass(frozen=True, slots=True)
class HistoryRepository:
    """Implements domain.repositories.History."""

    _client: TransactionClient

    async def newest_id(self) -> int:
        """Look at the end of the index of ids."""
        (row,) = await self._fetch("SELECT coalesce(max(id), 0) AS newest FROM reading")
        return int(row["newest"])

    async def extent(self, span: Span) -> Extent:
        """Count: a walk along the index of (sensor, time measured)."""
        (row,) = await self._fetch(_EXTENT, *span)
        return Extent(row["count"], row["first"], row["last"])

    async def forward(self, span: Span, after: Place | None, limit: int) -> Sequence[Reading]:
        """Select what follows a place."""
        at, reading_id = after or (None, None)
        rest = span if at is None else span._replace(start=max(span.start, at))
        return readings_of(await self._fetch(_FORWARD, *rest, at, reading_id, limit))

    async def before(self, sensor_id: int, start: datetime, limit: int) -> Sequence[Reading]:
        """Select the last ones, and turn them round."""
        return readings_of(await self._fetch(_BEFORE, sensor_id, start, limit))[::-1]

    async def held_at(
        self, sensor_id: int, moments: Sequence[datetime], max_age: timedelta
    ) -> Sequence[Reading | None]:
        """Select what held: one index probe for each moment."""
        span = (min(moments) - max_age, max(moments))
        rows = await self._fetch(_HELD_AT, sensor_id, list(moments), max_age, *span)
        found = dict(zip((row["number"] for row in rows), readings_of(rows), strict=True))
        return [found.get(number) for number in range(1, len(moments) + 1)]

    async def rewrite(self, recomputation: Recomputation, rewritten: Sequence[Rewritten]) -> None:
        """Update, and insert what was there: one statement sees all of it as it was before."""
        if not rewritten:
            return
        numbers = await self._numbers({meaning(new) for _, new in rewritten})
        moments = [reading.measured_at for reading, _ in rewritten]
        await self._fetch(
            _REWRITE,
            recomputation.id,
            recomputation.span.sensor_id,
            min(moments),
            max(moments),
            [reading.id for reading, _ in rewritten],
            moments,
            [new.value for _, new in rewritten],
            [QUALITIES[new.quality] for _, new in rewritten],
            [numbers[meaning(new)] for _, new in rewritten],
            [written_notes(new) for _, new in rewritten],
        )

    async def restore(self, recomputation: Recomputation, limit: int) -> int:
        """Delete some of what was kept, and put it back."""
        (page,) = await self._fetch(_KEPT, recomputation.id, limit)
        if page["count"]:
            span = (page["first"], page["last"])
            await self._fetch(
                _RESTORE, recomputation.id, recomputation.span.sensor_id, *span, limit
            )
        return int(page["count"])

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete some of what was kept for too long."""
        (row,) = await self._fetch(_FORGET, before, limit)
        return int(row["count"])

    async def _numbers(self, meanings: set[Meaning]) -> Mapping[Meaning, int]:
        columns = [list(column) for column in zip(*meanings, strict=True)]
        rows = await self._fetch(_NUMBERS, *columns)
        return {tuple(known): number for number, *known in (row.values() for row in rows)}

    async def _fetch(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]]
        _, rows = await self._client.execute_query(statement, [*values])
        return rows


_EXTENT = """
SELECT count(*), min(measured_at) AS first, max(measured_at) AS last FROM reading
WHERE sensor_id = $1 AND measured_at >= $2::timestamptz AND measured_at < $3::timestamptz
  AND id <= $4
"""

_FORWARD = f"""
{COLUMNS}
FROM reading {JOINS}
WHERE reading.sensor_id = $1
  AND reading.measured_at >= $2::timestamptz AND reading.measured_at < $3::timestamptz
  AND reading.id <= $4
  AND ($5::timestamptz IS NULL OR reading.measured_at > $5 OR reading.id > $6::bigint)
ORDER BY reading.measured_at, reading.id LIMIT $7
"""

_BEFORE = f"""
{COLUMNS}
FROM reading {JOINS}
WHERE reading.sensor_id = $1 AND reading.measured_at < $2::timestamptz
ORDER BY reading.measured_at DESC, reading.id DESC LIMIT $3
"""

_HELD_AT = f"""
{COLUMNS}, wanted.number
FROM unnest($2::timestamptz[]) WITH ORDINALITY AS wanted (at, number)
CROSS JOIN LATERAL (
    SELECT * FROM reading
    WHERE sensor_id = $1
      AND measured_at BETWEEN $4::timestamptz AND $5::timestamptz
      AND measured_at BETWEEN wanted.at - $3::interval AND wanted.at
    ORDER BY measured_at DESC, id DESC LIMIT 1
) AS reading
{JOINS}
ORDER BY wanted.number
"""  # noqa: S608 - made of constants

_REWRITE = """
WITH made AS (
    SELECT * FROM unnest($5::bigint[], $6::timestamptz[], $7::float8[], $8::smallint[], $9::int[],
                         $10::jsonb[])
             AS made (id, measured_at, value, quality, conversion_id, metadata)
), kept AS (
    INSERT INTO recomputed_reading (recomputation_id, measured_at, reading_id, value, quality,
                                    conversion_id, metadata)
    SELECT $1::uuid, reading.measured_at, reading.id, reading.value, reading.quality,
           reading.conversion_id, reading.metadata
    FROM reading JOIN made USING (id, measured_at)
    WHERE reading.sensor_id = $2::int
      AND reading.measured_at BETWEEN $3::timestamptz AND $4::timestamptz
)
UPDATE reading
SET value = made.value, quality = made.quality, conversion_id = made.conversion_id,
    metadata = made.metadata
FROM made
WHERE reading.sensor_id = $2 AND reading.measured_at BETWEEN $3 AND $4
  AND reading.measured_at = made.measured_at AND reading.id = made.id
"""

_KEPT = """
SELECT count(*), min(measured_at) AS first, max(measured_at) AS last FROM (
    SELECT measured_at FROM recomputed_reading WHERE recomputation_id = $1
    ORDER BY measured_at, reading_id LIMIT $2
) AS page
"""

_RESTORE = """
WITH page AS (
    SELECT measured_at, reading_id FROM recomputed_reading
    WHERE recomputation_id = $1 AND measured_at BETWEEN $3::timestamptz AND $4::timestamptz
    ORDER BY measured_at, reading_id LIMIT $5
), old AS (
    DELETE FROM recomputed_reading AS kept USING page
    WHERE kept.recomputation_id = $1 AND kept.measured_at = page.measured_at
      AND kept.reading_id = page.reading_id
    RETURNING kept.*
)
UPDATE reading
SET value = old.value, quality = old.quality, conversion_id = old.conversion_id,
    metadata = old.metadata
FROM old
WHERE reading.sensor_id = $2::int AND reading.measured_at BETWEEN $3 AND $4
  AND reading.measured_at = old.measured_at AND reading.id = old.reading_id
"""

_NUMBERS = f"WITH known AS ({INTERN}) SELECT * FROM known"  # noqa: S608 - made of constants

_FORGET = """
WITH gone AS (
DELETE FROM recomputed_reading USING (
    SELECT kept.recomputation_id, kept.measured_at, kept.reading_id
    FROM recomputed_reading AS kept
    JOIN recomputation ON recomputation.id = kept.recomputation_id
    WHERE recomputation.state = 'DONE' AND recomputation.ended_at < $1::timestamptz
    LIMIT $2
) AS old
WHERE recomputed_reading.recomputation_id = old.recomputation_id
  AND recomputed_reading.measured_at = old.measured_at
  AND recomputed_reading.reading_id = old.reading_id
RETURNING recomputed_reading.reading_id
)
SELECT count(*) FROM gone
"""
