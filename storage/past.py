"""Stored readings as columns: copied out in binary, since an object for each row costs too much.

Every row that COPY sends is as long as every other, so a column is a stride through the bytes: C
takes it apart, and Python does nothing for a single row.
"""

import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from domain.rules.past import Kind, Past
from domain.rules.world import Observation
from storage.client import TransactionClient
from storage.errors import translated
from storage.readings import QUALITIES, TRUSTED_NUMBERS

_HEADER = 19
"""Bytes before the first row (PostgreSQL, COPY, "Binary Format"): signature, flags, extension."""

_TRAILER = 2
"""Bytes after the last row."""

_ROW = 64
"""Bytes of a row: the number of its columns, and before each column its length."""

_ID, _RECEIVED, _MEASURED, _VALUE, _CONVERSION, _QUALITY = 6, 18, 30, 42, 54, 62
"""Where the columns of a row begin."""

_EPOCH = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL begins to count."""

_QUALITY_OF = {number: quality for quality, number in QUALITIES.items()}


@dataclass(frozen=True, slots=True)
class PastRepository:
    """Implements domain.repositories.PastReadings."""

    _client: TransactionClient
    _units: dict[int, str | None] = field(default_factory=dict, init=False)

    async def of(self, sensor_id: int, start: datetime, end: datetime) -> Past:
        """Walk one range of the index of (sensor, time measured), and sort what came late."""
        chunks: list[bytes] = []

        async def take(chunk: bytes) -> None:
            chunks.append(chunk)

        # COPY takes no arguments: nothing but a number and two times stands in it.
        statement = _COPY.format(sensor=int(sensor_id), start=_text(start), end=_text(end))
        async with self._client.acquire_connection() as connection:
            await _copy(connection, statement, take)
        rows = memoryview(b"".join(chunks))[_HEADER:-_TRAILER].tobytes()
        return Past(
            _column("q", rows, _ID),
            _instants(_column("q", rows, _RECEIVED)),
            _instants(_column("q", rows, _MEASURED)),
            _column("d", rows, _VALUE),
            await self._kinds(_column("i", rows, _CONVERSION), _column("h", rows, _QUALITY)),
        )

    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        """Select the newest of each sensor: one index probe for each."""
        _, rows = await self._client.execute_query(_LATEST, [list(sensor_ids), before])
        return {
            row["sensor_id"]: Observation(
                row["id"], row["value"], row["unit"], row["at"], _QUALITY_OF[row["quality"]]
            )
            for row in rows
        }

    async def _kinds(self, conversions: "array[Any]", qualities: "array[Any]") -> list[Kind]:
        pairs = set(zip(conversions, qualities, strict=True))
        await self._learn({conversion for conversion, _ in pairs} - self._units.keys())
        kinds = {
            (conversion, quality): Kind(self._units[conversion], _QUALITY_OF[quality])
            for conversion, quality in pairs
        }
        if len(kinds) == 1:
            return [*kinds.values()] * len(conversions)
        return list(map(kinds.__getitem__, zip(conversions, qualities, strict=True)))

    async def _learn(self, conversions: set[int]) -> None:
        if conversions:
            _, rows = await self._client.execute_query(_UNITS, [list(conversions)])
            self._units.update((row["id"], row["unit"]) for row in rows)


async def _copy(connection: asyncpg.Connection, statement: str, output: Any) -> None:  # noqa: ANN401 - a coroutine function
    with translated():
        await connection.copy_from_query(statement, output=output, format="binary")


def _column(typecode: str, rows: bytes, begin: int) -> "array[Any]":
    """Return a column: byte by byte, each a stride through all rows."""
    column = array(typecode)
    size = column.itemsize
    gathered = bytearray(len(rows) // _ROW * size)
    for place in range(size):
        gathered[place::size] = rows[begin + place :: _ROW]
    column.frombytes(gathered)
    if sys.byteorder == "little":  # the wire is the other way round
        column.byteswap()
    return column


def _instants(column: "array[int]") -> "array[int]":
    return array("q", map(_EPOCH.__add__, column))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


_COPY = f"""
SELECT id, received_at, least(measured_at, received_at), value, conversion_id, quality
FROM reading
WHERE sensor_id = {{sensor}} AND measured_at >= '{{start}}' AND measured_at < '{{end}}'
  AND value IS NOT NULL AND quality IN ({TRUSTED_NUMBERS})
ORDER BY received_at, id
"""  # noqa: S608 - made of constants, numbers and times

_LATEST = f"""
SELECT wanted.id AS sensor_id, reading.id, reading.value, reading.at, reading.quality,
       conversion.unit
FROM (SELECT DISTINCT unnest($1::int[]) AS id) AS wanted
CROSS JOIN LATERAL (
    SELECT id, value, least(measured_at, received_at) AS at, quality, conversion_id FROM reading
    WHERE sensor_id = wanted.id AND received_at < $2::timestamptz
      AND measured_at < $2::timestamptz + interval '1 hour'
      AND value IS NOT NULL AND quality IN ({TRUSTED_NUMBERS})
    ORDER BY measured_at DESC, id DESC LIMIT 1
) AS reading
JOIN conversion ON conversion.id = reading.conversion_id
"""  # noqa: S608 - made of constants

_UNITS = "SELECT id, unit FROM conversion WHERE id = ANY ($1::int[])"
