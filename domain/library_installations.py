"""Conversion libraries that devices take over the air, and how far each has come on its way.

Device protocol, section 1.12. The text of a library is never stored with an installation: it is
read from the catalog when it is sent, and its checksum says whether it is still the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

LARGEST_LIBRARY = 512 * 1024
"""Bytes of the largest library (device protocol, section 1.12)."""

MOST_CHUNKS = 512
"""Chunks of the largest library (device protocol, section 1.12)."""

LARGEST_CHUNK = 1024
"""Bytes of one chunk, before they are written as base64 (device protocol, section 1.12)."""

FITTING_CHUNK = 512
"""Bytes of a chunk whose message fits every receiver.

The documented 1024 bytes become 1368 characters, more than the 1152 bytes that a message may have
and the 1024 that the smallest board can take. 512 bytes become 684; topic and keys fit beside them.
"""

INSTALLATION_LIFETIME = timedelta(days=7)
"""How long a device that is away is waited for, and how long a transfer may go on at all."""

KEPT_PER_DEVICE = 100
"""Installations of a device that are remembered; the oldest that ended leave first."""


class InstallationStatus(StrEnum):
    """Where a library is on its way to a device."""

    PENDING = "PENDING"
    """It waits for the device, or for the library before it."""
    WAITING = "WAITING"
    """The device was told, and has not said that it has room."""
    SENDING = "SENDING"
    VERIFYING = "VERIFYING"
    """The device has every chunk, and checks and installs them."""
    INSTALLED = "INSTALLED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    """The device gave up."""
    EXPIRED = "EXPIRED"
    """The device was away for too long."""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self in _OVER


_OVER = {
    InstallationStatus.INSTALLED,
    InstallationStatus.FAILED,
    InstallationStatus.ABORTED,
    InstallationStatus.EXPIRED,
}


class LibrarySource(NamedTuple):
    """A library as it can be sent.

    Attributes:
        content: The bytes of its file.
    """

    name: str
    version: str
    content: bytes

    @property
    def crc32(self) -> int:
        """Its checksum, IEEE 802.3."""
        return crc32(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryInstallation:
    """One library on its way to one device.

    Attributes:
        id: Time-ordered (UUIDv7); it also names the transfer on the wire.
        request_id: What the device asked with; None: people decided it.
        chunk_size: Bytes of every chunk but the last.
        chunks_sent: Chunks that the device acknowledged, 0 to `total_chunks`. While a transfer goes
            on, the stored number may lag behind.
        crc32: IEEE 802.3, over the whole library.
        error: Why it is not installed, fit to be shown; None while there is hope.
        started_at: When it was decided.
        completed_at: When it ended, well or not.
    """

    id: UUID
    esp_id: str
    library_name: str
    version: str
    request_id: str | None = None
    size: int
    chunk_size: int
    crc32: int
    status: InstallationStatus = InstallationStatus.PENDING
    chunks_sent: int = 0
    error: str | None = None
    started_at: datetime
    completed_at: datetime | None = None

    @property
    def total_chunks(self) -> int:
        """How many pieces it is cut into."""
        return chunk_count(self.size, self.chunk_size)

    def expired(self, now: datetime) -> "LibraryInstallation":
        """Return what becomes of it when its time is over."""
        return replace(
            self,
            status=InstallationStatus.EXPIRED,
            error=f"the device did not take it within {INSTALLATION_LIFETIME.days} days",
            completed_at=now,
        )

    def of(self, source: LibrarySource) -> bool:
        """Say whether a source still is the one that this installation was decided on."""
        return (source.version, len(source.content), source.crc32) == (
            self.version,
            self.size,
            self.crc32,
        )


def chunk_count(size: int, chunk_size: int) -> int:
    """Return how many chunks so many bytes are cut into."""
    return -(-size // chunk_size)


def chunk_size_for(size: int, fitting: int = FITTING_CHUNK) -> int:
    """Return the bytes of each chunk of a library: few enough to fit, and never too many chunks.

    Args:
        size: Bytes of the library, 1 to `LARGEST_LIBRARY`.
        fitting: Bytes of a chunk that the receiver can take, 1 to `LARGEST_CHUNK`.
    """
    return max(fitting, chunk_count(size, MOST_CHUNKS))
