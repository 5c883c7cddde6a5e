"""Libraries on their way, in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.errors import BrokerUnavailableError
from domain.library_installations import LibraryInstallation, LibrarySource
from domain.library_messages import LibraryMessage


@dataclass(slots=True)
class FakeLibraryInstallations:
    rows: dict[UUID, LibraryInstallation] = field(default_factory=dict)
    ready: dict[str, datetime] = field(default_factory=dict)
    saved: int = 0

    async def add(self, installations: Sequence[LibraryInstallation]) -> None:
        self.rows.update((installation.id, installation) for installation in installations)

    async def save(self, installation: LibraryInstallation) -> None:
        self.saved += 1
        self.rows[installation.id] = replace(
            self.rows[installation.id],
            status=installation.status,
            chunks_sent=installation.chunks_sent,
            error=installation.error,
            completed_at=installation.completed_at,
        )

    async def by_id(self, installation_id: UUID) -> LibraryInstallation | None:
        return self.rows.get(installation_id)

    async def newest(
        self, limit: int, *, esp_ids: Collection[str] | None = None, library_name: str | None = None
    ) -> Sequence[LibraryInstallation]:
        found = [
            row
            for row in self.rows.values()
            if (esp_ids is None or row.esp_id in esp_ids)
            and library_name in {None, row.library_name}
        ]
        return sorted(found, key=lambda row: row.id, reverse=True)[:limit]

    async def open(self, esp_ids: Collection[str]) -> Sequence[LibraryInstallation]:
        return [row for row in self.rows.values() if row.esp_id in esp_ids and not row.status.over]

    async def trim(self, esp_id: str, keep: int) -> None:
        ended = [row.id for row in self.rows.values() if row.esp_id == esp_id and row.status.over]
        for number in sorted(ended)[:-keep]:
            del self.rows[number]

    async def save_receiver(self, esp_id: str, at: datetime) -> None:
        self.ready[esp_id] = at

    async def receivers(self) -> Sequence[str]:
        return sorted(self.ready)


@dataclass(slots=True)
class FakeLibrarySources:
    """A catalog of texts, by name."""

    rows: dict[str, LibrarySource] = field(default_factory=dict)

    def has(self, name: str, content: bytes, version: str = "1.0.0") -> None:
        self.rows[name] = LibrarySource(name, version, content)

    def find(self, name: str, version: str | None) -> LibrarySource | None:
        found = self.rows.get(name)
        return found if found and version in {None, found.version} else None


@dataclass(slots=True)
class FakeLibraryLink:
    """Remembers what devices were told; `away` takes the broker away."""

    told: list[LibraryMessage] = field(default_factory=list)
    away: bool = False

    async def tell(self, message: LibraryMessage) -> None:
        if self.away:
            raise BrokerUnavailableError("the broker is away")
        self.told.append(message)
