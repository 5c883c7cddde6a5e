"""Readings of one sensor over time, put together in the database: rows stay where they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.series import ORIGIN, SHOWN, Bucket, Window
from storage.client import TransactionClient
from storage.qualities import QUALITIES

_QUALITIES = sorted(QUALITIES[quality] for quality in SHOWN)


@dataclass(frozen=True, slots=True)
class SeriesRepository:
    """Implements domain.repositories.Series."""

    _client: TransactionClient

    async def buckets(self, sensor_id: int, window: Window) -> Sequence[Bucket]:
        """Walk one range of the index of (sensor, time measured), in the partitions it needs."""
        _, rows = await self._client.execute_query(
            _BUCKETS,
            [sensor_id, window.start, window.end, window.every, ORIGIN, _QUALITIES],
        )
        return [Bucket(*row) for row in rows]


_BUCKETS = """
SELECT date_bin($4::interval, reading.measured_at, $5::timestamptz) AS start, conversion.unit,
       count(*), avg(reading.value), min(reading.value), max(reading.value),
       (array_agg(reading.value ORDER BY reading.measured_at DESC, reading.id DESC))[1],
       max(reading.measured_at)
FROM reading JOIN conversion ON conversion.id = reading.conversion_id
WHERE reading.sensor_id = $1
  AND reading.measured_at >= $2::timestamptz AND reading.measured_at < $3::timestamptz
  AND reading.value IS NOT NULL
  AND reading.quality = ANY ($6::smallint[])
GROUP BY 1, 2
ORDER BY 1
"""
