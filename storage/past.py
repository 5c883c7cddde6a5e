"""Stored readings as columns: an object for each row, or a row for each reading, costs too much.

PostgreSQL puts the readings of a sensor one behind the other, column by column, as the bytes that
it would send for each: one pass over a time for all sensors, since those lie on the same pages.
Python takes whole columns, and does nothing for a single reading.
"""

import sys
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from domain.rules.past import AHEAD, Kind, Past
from domain.rules.world import Observation
from storage.errors import translated
from storage.qualities import QUALITY_OF, TRUSTED_NUMBERS

_CONNECT_WITHIN = 10.0
_ANSWERS_WITHIN = 60.0
"""Seconds for one stretch of the past."""

_SETTINGS = {
    "application_name": "god-kaiser rehearsal",
    "default_transaction_read_only": "on",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",  # else partitions are chosen too late
    "max_parallel_workers_per_gather": "0",  # the other cores are for those who do not rehearse
}


@asynccontextmanager
async def past_readings(url: str) -> AsyncIterator["PastRepository"]:
    """Open a connection for one rehearsal.

    Args:
        url: Of a database whose tables are up to date.

    Raises:
        StorageUnavailableError: PostgreSQL is not there.
    """
    with translated():
        connection = await asyncpg.connect(
            url,
            timeout=_CONNECT_WITHIN,
            command_timeout=_ANSWERS_WITHIN,
            server_settings=_SETTINGS,
        )
    try:
        yield PastRepository(connection)
    finally:
        connection.terminate()


@dataclass(frozen=True, slots=True)
class PastRepository:
    """Implements domain.repositories.PastReadings."""

    _connection: asyncpg.Connection

    async def of(
        self, sensor_ids: Sequence[int], start: datetime, end: datetime
    ) -> Mapping[int, Past]:
        """Pass over a range of time once, for all sensors together."""
        with translated():
            rows = await self._connection.fetch(_COLUMNS, list(sensor_ids), start, end)
        found: dict[int, Past] = {}
        for row in rows:
            part, sensor_id = _past(row), row["sensor_id"]
            found[sensor_id] = found.get(sensor_id, Past()).then(part)
        return found

    async def latest(
        self, sensor_ids: Sequence[int], before: datetime
    ) -> Mapping[int, Observation]:
        """Select the newest of each sensor: one index probe for each."""
        with translated():
            rows = await self._connection.fetch(_LATEST, list(sensor_ids), before, before + AHEAD)
        return {
            row["sensor_id"]: Observation(
                row["id"], row["value"], row["unit"], row["at"], QUALITY_OF[row["quality"]]
            )
            for row in rows
        }


def _past(row: asyncpg.Record) -> Past:
    ids = _column("q", row["ids"])
    kind = Kind(row["unit"], QUALITY_OF[row["quality"]])
    return Past(
        ids,
        _column("q", row["received"]),
        _column("q", row["measured"]),
        _column("d", row["said"]),
        [kind] * len(ids),
    ).in_order()


def _column(typecode: str, sent: bytes) -> "array[Any]":
    column = array(typecode)
    column.frombytes(sent)
    if sys.byteorder == "little":  # the wire is the other way round
        column.byteswap()
    return column


_COLUMNS = f"""
WITH found AS (
    SELECT sensor_id, conversion_id, quality,
           string_agg(int8send(id), '') AS ids,
           string_agg(timestamptz_send(received_at), '') AS received,
           string_agg(timestamptz_send(least(measured_at, received_at)), '') AS measured,
           string_agg(float8send(value), '') AS said
    FROM reading
    WHERE sensor_id = ANY ($1::int[])
      AND measured_at >= $2::timestamptz AND measured_at < $3::timestamptz
      AND value IS NOT NULL AND quality IN ({TRUSTED_NUMBERS})
    GROUP BY sensor_id, conversion_id, quality
)
SELECT found.*, conversion.unit
FROM found JOIN conversion ON conversion.id = found.conversion_id
"""  # noqa: S608 - made of constants

_LATEST = f"""
SELECT wanted.id AS sensor_id, reading.id, reading.value, reading.at, reading.quality,
       conversion.unit
FROM (SELECT DISTINCT unnest($1::int[]) AS id) AS wanted
CROSS JOIN LATERAL (
    SELECT id, value, least(measured_at, received_at) AS at, quality, conversion_id FROM reading
    WHERE sensor_id = wanted.id AND received_at < $2::timestamptz
      AND measured_at < $3::timestamptz
      AND value IS NOT NULL AND quality IN ({TRUSTED_NUMBERS})
    ORDER BY measured_at DESC, id DESC LIMIT 1
) AS reading
JOIN conversion ON conversion.id = reading.conversion_id
"""  # noqa: S608 - made of constants
