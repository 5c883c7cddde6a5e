"""What the health of devices was: one row per report, thinned as it grows older.

Every statement walks the primary key, (device, time reported).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.devices import DeviceHealth
from domain.pages import Page, PageRequest
from storage.client import TransactionClient
from storage.pages import cut, instant, key_after, microseconds


@dataclass(frozen=True, slots=True)
class HealthHistoryRepository:
    """Implements domain.repositories.HealthHistory."""

    _client: TransactionClient

    async def page(
        self,
        esp_id: str,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[DeviceHealth]:
        """Select a page, newest first."""
        key = key_after(page, int)
        before = None if key is None else instant(int(key[0]))
        rows = await self._fetch(_PAGE, esp_id, start, end, before, page.first + 1)
        reports = [DeviceHealth(**row) for row in rows]
        return cut(reports, page, lambda h: h, lambda h: (microseconds(h.reported_at),))

    async def times(
        self, esp_id: str, *, start: datetime | None, end: datetime, limit: int
    ) -> Sequence[datetime]:
        """Select only the times: the index alone knows them."""
        rows = await self._fetch(_TIMES, esp_id, start, end, limit)
        return [row["reported_at"] for row in rows]

    async def delete(self, esp_id: str, times: Sequence[datetime]) -> None:
        """Delete some."""
        await self._fetch(_DELETE, esp_id, times)

    async def _fetch(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]]
        _, rows = await self._client.execute_query(statement, [*values])
        return rows


_OF_DEVICE = "device_id = (SELECT id FROM device WHERE esp_id = $1)"

_PAGE = f"""
SELECT reported_at, system_state, uptime_seconds, free_heap_bytes, min_free_heap_bytes,
       heap_fragmentation_percent, wifi_rssi_dbm, safe_mode, sensor_count, actuator_count,
       error_count
FROM device_health_history
WHERE {_OF_DEVICE}
  AND reported_at >= coalesce($2::timestamptz, '-infinity')
  AND reported_at < coalesce(least($3::timestamptz, $4::timestamptz), 'infinity')
ORDER BY reported_at DESC LIMIT $5::int
"""  # noqa: S608 - made of constants

_TIMES = f"""
SELECT reported_at FROM device_health_history
WHERE {_OF_DEVICE} AND reported_at >= coalesce($2::timestamptz, '-infinity') AND reported_at < $3
ORDER BY reported_at LIMIT $4::int
"""  # noqa: S608 - made of constants

_DELETE = f"""
DELETE FROM device_health_history WHERE {_OF_DEVICE} AND reported_at = ANY ($2::timestamptz[])
"""  # noqa: S608 - made of constants
