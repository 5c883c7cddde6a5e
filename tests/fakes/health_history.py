"""The history of devices' health in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.devices import DeviceHealth
from domain.pages import Page, PageRequest
from tests.fakes.paging import paged

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class FakeHealthHistory:
    rows: dict[tuple[str, datetime], DeviceHealth] = field(default_factory=dict)

    def add(self, esp_id: str, health: DeviceHealth) -> None:
        self.rows.setdefault((esp_id, health.reported_at), health)

    def _found(
        self, esp_id: str, start: datetime | None, end: datetime | None
    ) -> list[DeviceHealth]:
        return [
            health
            for (owner, at), health in sorted(self.rows.items(), key=lambda row: row[0])
            if owner == esp_id and (start is None or at >= start) and (end is None or at < end)
        ]

    async def page(
        self,
        esp_id: str,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[DeviceHealth]:
        return paged(
            self._found(esp_id, start, end),
            lambda health: ((health.reported_at - _EPOCH) // timedelta(microseconds=1),),
            page,
            descending=True,
        )

    async def times(
        self, esp_id: str, *, start: datetime | None, end: datetime, limit: int
    ) -> Sequence[datetime]:
        return [health.reported_at for health in self._found(esp_id, start, end)][:limit]

    async def delete(self, esp_id: str, times: Sequence[datetime]) -> None:
        for time in times:
            self.rows.pop((esp_id, time), None)
