"""Libraries on their way to devices, in GraphQL."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from domain import library_installations
from domain.errors import NotFoundError
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node

if TYPE_CHECKING:
    from schema.devices import Device


@strawberry.type(description="A conversion library on its way to a device, or installed there.")
class LibraryInstallation(Node):
    """An installation and how far it has come."""

    library_name: str = strawberry.field(description="The library's name in the catalog.")
    version: str = strawberry.field(description="The library's version.")
    status: str = strawberry.field(
        description="`PENDING`: it waits for the device, or for the library before it. `WAITING`: "
        "the device was asked for room. `SENDING`. `VERIFYING`: all of it was sent, and the device "
        "checks it. `INSTALLED`. `FAILED`. `ABORTED`: the device gave up. `EXPIRED`: the device "
        "was away for too long."
    )
    chunks_sent: int = strawberry.field(
        description="How many pieces the device acknowledged; told every few pieces."
    )
    total_chunks: int = strawberry.field(description="How many pieces there are.")
    crc32: str = strawberry.field(
        description="The checksum of the whole library (CRC-32, IEEE 802.3), in hexadecimal."
    )
    error: str | None = strawberry.field(
        description="Why it is not installed; null while there is hope."
    )
    started_at: datetime = strawberry.field(description="When it was decided.")
    completed_at: datetime | None = strawberry.field(
        description="When it ended, well or not; null: it has not ended."
    )
    esp_id: strawberry.Private[str]

    @classmethod
    def of(cls, installation: library_installations.LibraryInstallation) -> Self:
        """Show an installation to clients."""
        return cls(
            id=global_id("LibraryInstallation", installation.id),
            library_name=installation.library_name,
            version=installation.version,
            status=installation.status.value,
            chunks_sent=installation.chunks_sent,
            total_chunks=installation.total_chunks,
            crc32=f"{installation.crc32:08X}",
            error=installation.error,
            started_at=installation.started_at,
            completed_at=installation.completed_at,
            esp_id=installation.esp_id,
        )

    @field
    async def device(self, info: Info) -> Annotated["Device", strawberry.lazy("schema.devices")]:
        """The device that takes it."""
        from schema.devices import Device  # noqa: PLC0415 - it is lazy above for the same reason

        device = await info.context.loaders.devices.load(self.esp_id)
        if device is None:
            raise NotFoundError(f"the device {self.esp_id} is gone")
        return Device.of(device)
