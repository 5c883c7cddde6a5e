"""Readings, for those who ask.

Every statement walks an index of the partitions it needs and stops when it has enough: the unique
index of (sensor, time measured, sequence), or the one of id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from domain.limits import read_limits
from domain.pages import Page, PageRequest
from domain.rule_executions import ReadingKey
from domain.sensors import (
    Measurement,
    ProcessingMode,
    Reading,
    Sensor,
    SensorKey,
)
from domain.thresholds import read_thresholds
from storage.client import TransactionClient
from storage.pages import cut, instant, key_after, microseconds
from storage.qualities import QUALITY_OF, TRUSTED_NUMBERS
from storage.sensors import read_sources


@dataclass(frozen=True, slots=True)
class ReadingRepository:
    """Implements domain.repositories.Readings."""

    _client: TransactionClient

    async def latest(self, sensor_ids: Sequence[int]) -> Mapping[int, Reading]:
        """Select the newest of each sensor: one index probe for each."""
        rows = await self._fetch(_LATEST, sensor_ids)
        return {reading.sensor.id: reading for reading in readings_of(rows)}

    async def by_key(
        self, sensor_id: int, measured_at: datetime, reading_id: int
    ) -> Reading | None:
        """Select one: a probe of one partition's index."""
        found = readings_of(await self._fetch(_BY_KEY, sensor_id, measured_at, reading_id))
        return found[0] if found else None

    async def page(
        self,
        page: PageRequest,
        *,
        sensor_ids: Sequence[int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Reading]:
        """Select a page, newest first."""
        key = key_after(page, int, int)
        before, before_id = (None, None) if key is None else (instant(int(key[0])), int(key[1]))
        if sensor_ids is None or len(sensor_ids) > 1:
            # Of many sensors, a page needs few readings of each: so see how far back it reaches.
            border = await self._fetch(_BORDER, sensor_ids, start, end, before, page.first + 1)
            start = border[0]["measured_at"] if border else start
        rows = await self._fetch(_PAGE, sensor_ids, start, end, before, before_id, page.first + 1)
        return cut(
            readings_of(rows), page, lambda r: r, lambda r: (microseconds(r.measured_at), r.id)
        )

    async def since(self, reading_id: int, limit: int) -> Sequence[Reading]:
        """Select what follows, by id."""
        return readings_of(await self._fetch(_SINCE, reading_id, limit))

    async def unseen(self, seen: Sequence[ReadingKey], limit: int) -> Sequence[Reading]:
        """Select what follows the last one seen of each sensor: one index probe for each."""
        columns = [list(column) for column in zip(*seen, strict=True)] or [[], [], []]
        return readings_of(await self._fetch(_UNSEEN, *columns, limit))

    async def first_id_at(self, received_at: datetime) -> int:
        """Return the id before what was received at or after a time.

        The writer gives no id below the time of receipt in microseconds, so nothing has to be
        looked up.
        """
        return max(0, microseconds(received_at) - 1)

    async def _fetch(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]]
        _, rows = await self._client.execute_query(statement, [*values])
        return rows


def readings_of(rows: Sequence[Mapping[str, Any]]) -> Sequence[Reading]:
    """Make readings of rows that have the COLUMNS."""
    sensors: dict[int, Sensor] = {}
    return [
        Reading(
            id=row["id"],
            sensor=sensors.get(row["sensor_id"])
            or sensors.setdefault(row["sensor_id"], _sensor(row)),
            measured_at=row["measured_at"],
            received_at=row["received_at"],
            raw_value=row["raw_value"],
            measurement=Measurement(
                value=row["value"],
                unit=row["conversion_unit"],
                quality=QUALITY_OF[row["quality"]],
                mode=ProcessingMode(row["mode"]),
                library=row["library"],
                library_version=row["library_version"],
                calibration_id=row["calibration_id"],
                notes=None if row["metadata"] is None else msgspec.json.decode(row["metadata"]),
            ),
            sequence=row["sequence"],
        )
        for row in rows
    ]


def _sensor(row: Mapping[str, Any]) -> Sensor:
    return Sensor(
        id=row["sensor_id"],
        key=SensorKey(row["esp_id"], row["gpio"], row["sensor_type"], row["address"]),
        name=row["name"],
        unit=row["unit"],
        enabled=row["enabled"],
        interval=_duration(row["interval"]),
        processing_mode=row["processing_mode"] and ProcessingMode(row["processing_mode"]),
        thresholds=row["thresholds"] and read_thresholds(msgspec.json.decode(row["thresholds"])),
        limits=row["limits"] and read_limits(msgspec.json.decode(row["limits"])),
        parameters=msgspec.json.decode(row["parameters"]),
        sources=read_sources(msgspec.json.decode(row["sources"])),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _duration(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else timedelta(microseconds=microseconds)


COLUMNS = """
SELECT reading.id, reading.sensor_id, reading.measured_at, reading.received_at, reading.raw_value,
       reading.value, reading.sequence, reading.quality, reading.metadata,
       conversion.mode, conversion.library, conversion.library_version,
       conversion.calibration_id,
       conversion.unit AS conversion_unit,
       device.esp_id, sensor.gpio, sensor.sensor_type, sensor.address, sensor.name, sensor.unit,
       sensor.enabled, sensor.interval, sensor.processing_mode, sensor.thresholds, sensor.limits,
       sensor.parameters, sensor.sources, sensor.created_at, sensor.updated_at
"""

JOINS = """
JOIN sensor ON sensor.id = reading.sensor_id
JOIN device ON device.id = sensor.device_id
JOIN conversion ON conversion.id = reading.conversion_id
"""

_WANTED = "SELECT id FROM sensor WHERE $1::int[] IS NULL OR id = ANY ($1::int[])"

_LATEST = f"""
{COLUMNS}
FROM (SELECT DISTINCT unnest($1::int[]) AS id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM reading WHERE sensor_id = wanted.id
    ORDER BY measured_at DESC, id DESC LIMIT 1
) AS reading
{JOINS}
"""  # noqa: S608 - made of constants

_BY_KEY = f"""
{COLUMNS}
FROM reading {JOINS}
WHERE reading.sensor_id = $1 AND reading.measured_at = $2 AND reading.id = $3
"""

_SINCE = f"""
{COLUMNS}
FROM reading {JOINS}
WHERE reading.id > $1 ORDER BY reading.id LIMIT $2
"""

_UNSEEN = f"""
{COLUMNS}
FROM unnest($1::int[], $2::timestamptz[], $3::bigint[]) AS seen (sensor, at, id)
CROSS JOIN LATERAL (
    SELECT * FROM reading
    WHERE sensor_id = seen.sensor AND measured_at >= seen.at AND reading.id > seen.id
      AND value IS NOT NULL AND quality IN ({TRUSTED_NUMBERS})
    ORDER BY measured_at DESC, id DESC LIMIT $4
) AS reading
{JOINS}
ORDER BY reading.id
"""  # noqa: S608 - made of constants

# Each sensor's newest, merged: no index has the readings of several sensors in order.
_PAGE = f"""
{COLUMNS}
FROM (
    SELECT newest.* FROM ({_WANTED}) AS wanted CROSS JOIN LATERAL (
        SELECT * FROM reading
        WHERE sensor_id = wanted.id
          AND measured_at >= coalesce($2::timestamptz, '-infinity')
          AND measured_at < coalesce($3::timestamptz, 'infinity')
          AND measured_at <= coalesce($4::timestamptz, 'infinity')
          AND ($4::timestamptz IS NULL OR measured_at < $4 OR id < $5::bigint)
        ORDER BY measured_at DESC, id DESC LIMIT $6::int
    ) AS newest
    ORDER BY newest.measured_at DESC, newest.id DESC LIMIT $6::int
) AS reading
{JOINS}
ORDER BY reading.measured_at DESC, reading.id DESC
"""  # noqa: S608 - made of constants

# The time of the n-th newest among a share of each sensor's newest, without those on the page
# before. At least n readings are not older, so nothing older can be on the page.
_BORDER = f"""
WITH wanted AS MATERIALIZED ({_WANTED})
SELECT newest.measured_at FROM wanted CROSS JOIN LATERAL (
    SELECT measured_at FROM reading
    WHERE sensor_id = wanted.id
      AND measured_at >= coalesce($2::timestamptz, '-infinity')
      AND measured_at < coalesce(least($3::timestamptz, $4::timestamptz), 'infinity')
    ORDER BY measured_at DESC
    LIMIT least($5::int, 4 * $5::int / (SELECT greatest(count(*), 1) FROM wanted) + 1)
) AS newest
ORDER BY newest.measured_at DESC OFFSET $5::int - 1 LIMIT 1
"""  # noqa: S608 - made of constants
