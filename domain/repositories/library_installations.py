"""Libraries on their way to devices, and who takes any; `Outbox` knows their order and expiry."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.library_installations import LibraryInstallation


class LibraryInstallations(Protocol):
    """Stored installations."""

    async def add(self, installations: Sequence[LibraryInstallation]) -> None:
        """Store new installations for known devices.

        Raises:
            NotFoundError: One of the devices is not known.
        """
        ...

    async def save(self, installation: LibraryInstallation) -> None:
        """Store how far an installation has come (status, chunks sent, error, completed at)."""
        ...

    async def by_id(self, installation_id: UUID) -> LibraryInstallation | None:
        """Return one installation."""
        ...

    async def newest(
        self, limit: int, *, esp_ids: Collection[str] | None = None, library_name: str | None = None
    ) -> Sequence[LibraryInstallation]:
        """Return installations, newest first.

        Args:
            limit: At most so many.
            esp_ids: Only to these devices; None: to any.
            library_name: Only of this library; None: of any.
        """
        ...

    async def open(self, esp_ids: Collection[str]) -> Sequence[LibraryInstallation]:
        """Return what has not ended yet for some devices, oldest first."""
        ...

    async def trim(self, esp_id: str, keep: int) -> None:
        """Delete what ended for a device, but for the newest `keep`."""
        ...

    async def save_receiver(self, esp_id: str, at: datetime) -> None:
        """Store that a known device said that it takes libraries."""
        ...

    async def receivers(self) -> Sequence[str]:
        """Return the esp_ids of all approved devices that take libraries, in order."""
        ...
