"""What a server and a device say to each other while a library is handed over.

Device protocol, section 1.12. An answer belongs to a transfer by its `download_id`, where it
carries one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a device said.

    Attributes:
        esp_id: Which device.
        kaiser_id: The topic level it speaks on.
        received_at: The server's time of receipt.
    """

    esp_id: str
    kaiser_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryReady(_Said):
    """A device can take libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRequest(_Said):
    """A device wants a library."""

    library_name: str
    request_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReady(_Said):
    """Whether a device has room for the library."""

    download_id: str
    ready: bool
    free_heap_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkAck(_Said):
    """A chunk arrived; the next one may follow when its checksum was right."""

    download_id: str
    chunk_index: int
    received: bool
    crc_valid: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRequest(_Said):
    """A chunk must be sent again.

    Attributes:
        reason: `timeout` or `crc_error`.
    """

    download_id: str
    chunk_index: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStatus(_Said):
    """How the transfer ended.

    Attributes:
        failed_chunks: What must be sent again, if `request_retransmit`.
    """

    download_id: str
    library_name: str
    success: bool
    crc_valid: bool
    installed: bool = False
    error: str = ""
    request_retransmit: bool = False
    failed_chunks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryInstalled(_Said):
    """A library is in use, or could not be installed."""

    library_name: str
    version: str
    success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryError(_Said):
    """Something about libraries went wrong on the device."""

    error_type: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadAbort(_Said):
    """The device gave up."""

    download_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is meant for one device.

    Attributes:
        download_id: Names the transfer.
    """

    esp_id: str
    kaiser_id: str
    download_id: str
    library_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStart(_Told):
    """A library follows, in chunks of at most 1024 bytes; at most 512 KiB.

    Attributes:
        request_id: What the device asked with, or the transfer's own name.
        crc32: IEEE, over the whole library.
    """

    request_id: str
    version: str
    total_size: int
    chunk_size: int
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryChunk(_Told):
    """One piece; its checksum is computed where it is written.

    Attributes:
        chunk_index: 0 .. total_chunks - 1.
        data: 1..1024 bytes.
    """

    chunk_index: int
    total_chunks: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadComplete(_Told):
    """All chunks were sent."""

    total_chunks: int
    crc32: int


LibraryMessage: TypeAlias = DownloadStart | LibraryChunk | DownloadComplete
"""What a device is told during a transfer."""

LibraryAnswer: TypeAlias = (
    DownloadReady
    | ChunkAck
    | ChunkRequest
    | DownloadStatus
    | LibraryInstalled
    | LibraryError
    | DownloadAbort
)
"""What it says to that."""

LibraryReport: TypeAlias = LibraryReady | LibraryRequest | LibraryAnswer
"""All that a device says about libraries."""
