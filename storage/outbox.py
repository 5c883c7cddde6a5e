"""What must arrive at devices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tortoise.queryset import QuerySet

from domain.configs import Errand, OutboxEntry
from storage.client import TransactionClient
from storage.devices import device_rows
from storage.tables import OutboxRow


@dataclass(frozen=True, slots=True)
class OutboxRepository:
    """Implements domain.repositories.Outbox."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[OutboxRow]:
        return OutboxRow.all().using_db(self._client).select_related("device")

    async def add(self, entries: Sequence[OutboxEntry]) -> None:
        """Insert, in order.

        Raises:
            NotFoundError: One of their devices is not stored.
        """
        esp_ids = {entry.esp_id for entry in entries}
        devices = await device_rows(self._client, esp_ids)
        await OutboxRow.bulk_create(
            [
                OutboxRow(
                    device=devices[entry.esp_id],
                    errand=entry.errand,
                    body=dict(entry.body),
                    created_at=entry.created_at,
                    expires_at=entry.expires_at,
                )
                for entry in entries
            ],
            using_db=self._client,
        )

    async def of_device(self, esp_id: str, errands: Collection[Errand]) -> Sequence[OutboxEntry]:
        """Select those of one device."""
        found = self._rows().filter(device__esp_id=esp_id, errand__in=list(errands))
        rows = await found.order_by("id")
        return [_entry(row) for row in rows]

    async def remove(self, ids: Sequence[int]) -> None:
        """Delete several."""
        await OutboxRow.filter(id__in=ids).using_db(self._client).delete()

    async def waiting(self, errands: Collection[Errand]) -> Sequence[str]:
        """Select who is waited for."""
        rows = await self._client.execute_query_dict(
            "SELECT DISTINCT esp_id FROM outbox JOIN device ON device.id = outbox.device_id "
            "WHERE errand = ANY($1::text[])",
            [list(errands)],
        )
        return [row["esp_id"] for row in rows]


def _entry(row: OutboxRow) -> OutboxEntry:
    return OutboxEntry(
        id=row.id,
        esp_id=row.device.esp_id,
        errand=row.errand,
        body=row.body,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
