"""A conversion library on its way to a device, piece by piece (device protocol, section 1.12)."""

from dataclasses import dataclass, field

from mqtt_bridge.messages.base import FromDevice, ToDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryReady(FromDevice):
    """A device can take libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRequest(FromDevice):
    """A device wants a library."""

    library_name: str
    request_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReady(FromDevice):
    """Whether a device has room for the library."""

    download_id: str
    ready: bool
    free_heap_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkAck(FromDevice):
    """A chunk arrived; the next one may follow when its checksum was right."""

    download_id: str
    chunk_index: int
    received: bool
    crc_valid: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRequest(FromDevice):
    """A chunk must be sent again.

    Attributes:
        reason: `timeout` or `crc_error`.
    """

    download_id: str
    chunk_index: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStatus(FromDevice):
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
class LibraryInstalled(FromDevice):
    """A library is in use, or could not be installed."""

    library_name: str
    version: str
    success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryError(FromDevice):
    """Something about libraries went wrong on the device."""

    error_type: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadAbort(FromDevice):
    """The device gave up."""

    download_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStart(ToDevice):
    """A library follows, in chunks of 1024 bytes; at most 512 KiB.

    Attributes:
        crc32: IEEE, over the whole library.
    """

    request_id: str
    download_id: str
    library_name: str
    version: str
    total_size: int
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryChunk(ToDevice):
    """One piece; its checksum is computed where it is written.

    Attributes:
        chunk_index: 0 .. total_chunks - 1.
        data: 1..1024 bytes.
    """

    download_id: str
    library_name: str
    chunk_index: int
    total_chunks: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadComplete(ToDevice):
    """All chunks were sent."""

    download_id: str
    library_name: str
    total_chunks: int
    crc32: int
