"""Libraries on their way to devices, and who takes any."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.library_installations import InstallationStatus, LibraryInstallation
from storage.client import TransactionClient
from storage.devices import device_rows
from storage.tables import LibraryInstallationRow
from storage.texts import storable

_OVER = [status for status in InstallationStatus if status.over]


@dataclass(frozen=True, slots=True)
class LibraryInstallationRepository:
    """Implements domain.repositories.LibraryInstallations."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[LibraryInstallationRow]:
        return LibraryInstallationRow.all().using_db(self._client).select_related("device")

    async def add(self, installations: Sequence[LibraryInstallation]) -> None:
        """Insert.

        Raises:
            NotFoundError: One of their devices is not stored.
        """
        esp_ids = {installation.esp_id for installation in installations}
        devices = await device_rows(self._client, esp_ids)
        await LibraryInstallationRow.bulk_create(
            [
                LibraryInstallationRow(
                    id=installation.id,
                    device=devices[installation.esp_id],
                    library_name=installation.library_name,
                    version=installation.version,
                    request_id=installation.request_id,
                    size=installation.size,
                    chunk_size=installation.chunk_size,
                    crc32=installation.crc32,
                    status=installation.status,
                    chunks_sent=installation.chunks_sent,
                    error=installation.error,
                    started_at=installation.started_at,
                    completed_at=installation.completed_at,
                )
                for installation in installations
            ],
            using_db=self._client,
        )

    async def save(self, installation: LibraryInstallation) -> None:
        """Update how far it has come."""
        await (
            LibraryInstallationRow.filter(id=installation.id)
            .using_db(self._client)
            .update(
                status=installation.status,
                chunks_sent=installation.chunks_sent,
                error=None if installation.error is None else storable(installation.error),
                completed_at=installation.completed_at,
            )
        )

    async def by_id(self, installation_id: UUID) -> LibraryInstallation | None:
        """Select one."""
        row = await self._rows().get_or_none(id=installation_id)
        return None if row is None else _installation(row)

    async def newest(
        self, limit: int, *, esp_ids: Collection[str] | None = None, library_name: str | None = None
    ) -> Sequence[LibraryInstallation]:
        """Select some, newest first."""
        found = self._rows()
        if esp_ids is not None:
            found = found.filter(device__esp_id__in=list(esp_ids))
        if library_name is not None:
            found = found.filter(library_name=library_name)
        return [_installation(row) for row in await found.order_by("-id").limit(limit)]

    async def open(self, esp_ids: Collection[str]) -> Sequence[LibraryInstallation]:
        """Select those that go on."""
        found = self._rows().filter(device__esp_id__in=list(esp_ids)).exclude(status__in=_OVER)
        return [_installation(row) for row in await found.order_by("id")]

    async def trim(self, esp_id: str, keep: int) -> None:
        """Delete what ended, but for the newest."""
        await self._client.execute_query(_TRIM, [esp_id, [s.value for s in _OVER], keep])

    async def save_receiver(self, esp_id: str, at: datetime) -> None:
        """Insert or replace."""
        await self._client.execute_query(_SAVE_RECEIVER, [esp_id, at])

    async def receivers(self) -> Sequence[str]:
        """Select all."""
        rows = await self._client.execute_query_dict(_RECEIVERS)
        return [row["esp_id"] for row in rows]


def _installation(row: LibraryInstallationRow) -> LibraryInstallation:
    return LibraryInstallation(
        id=row.id,
        esp_id=row.device.esp_id,
        library_name=row.library_name,
        version=row.version,
        request_id=row.request_id,
        size=row.size,
        chunk_size=row.chunk_size,
        crc32=row.crc32,
        status=row.status,
        chunks_sent=row.chunks_sent,
        error=row.error,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )


_TRIM = """
DELETE FROM library_installation WHERE id IN (
    SELECT i.id FROM library_installation i JOIN device d ON d.id = i.device_id
    WHERE d.esp_id = $1 AND i.status = ANY ($2::text[]) ORDER BY i.id DESC OFFSET $3)
"""

_SAVE_RECEIVER = """
INSERT INTO library_receiver (device_id, ready_at) SELECT id, $2 FROM device WHERE esp_id = $1
ON CONFLICT (device_id) DO UPDATE SET ready_at = excluded.ready_at
"""

_RECEIVERS = """
SELECT esp_id FROM library_receiver JOIN device ON device.id = device_id ORDER BY esp_id
"""
