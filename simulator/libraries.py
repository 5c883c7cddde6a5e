"""A board that takes libraries over the air, as the documented firmware of 2025 was meant to.

Device protocol, section 1.12; no firmware of today has it. Like the rest of a board it is pure:
told the time and what arrives, it says what leaves.
"""

from base64 import b64decode
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

import msgspec

from mqtt_bridge.topics import Kind

HEARD = (Kind.LIBRARY_DOWNLOAD_START, Kind.LIBRARY_CHUNK, Kind.LIBRARY_DOWNLOAD_COMPLETE)
"""What such a board subscribes to."""

CHUNK_PATIENCE = 10.0
"""Seconds without a chunk after which the board asks for the one that it misses."""

MOST_REQUESTS = 3
"""How often it asks before it gives up."""

_NEVER = float("inf")


class Said(NamedTuple):
    """Something that leaves the board."""

    kind: Kind
    fields: dict[str, object]


class _Start(msgspec.Struct):
    download_id: str
    library_name: str
    version: str
    total_size: int
    total_chunks: int
    chunk_size: int
    crc32: str


class _Chunk(msgspec.Struct):
    download_id: str
    chunk_index: int
    chunk_data: str
    chunk_crc32: str


class _Complete(msgspec.Struct):
    download_id: str


@dataclass(slots=True)
class _Download:
    start: _Start
    buffer: bytearray
    missing: set[int]
    requests: int = 0
    quiet_since: float = 0.0


@dataclass(slots=True)
class Libraries:
    """The libraries of one board, and the one that is on its way.

    Attributes:
        room: Bytes of the largest library that fits.
        installed: Version and text of each library; outlives a reboot.
        downloads: Transfers that began.
    """

    room: int = 512 * 1024
    installed: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    downloads: int = 0
    _waiting: list[Said] = field(default_factory=list, init=False)
    _download: _Download | None = field(default=None, init=False)

    @property
    def received(self) -> int:
        """How many chunks of the library on its way are there."""
        download = self._download
        return 0 if download is None else download.start.total_chunks - len(download.missing)

    @property
    def wake_at(self) -> float:
        """When `due` has something to say, in Unix seconds."""
        if self._waiting:
            return 0.0
        download = self._download
        return _NEVER if download is None else download.quiet_since + CHUNK_PATIENCE

    def connected(self) -> None:
        """Take in that a session begins: the server is told that libraries are welcome."""
        self._say(Kind.LIBRARY_READY)

    def want(self, library_name: str, request_id: str) -> None:
        """Ask the server for a library, as soon as anything can be said."""
        self._say(
            Kind.LIBRARY_REQUEST,
            library_name=library_name,
            request_id=request_id,
            reason="not_installed",
        )

    def abort(self, reason: str) -> None:
        """Give up what is on its way."""
        if self._download is not None:
            self._say(
                Kind.LIBRARY_DOWNLOAD_ABORT,
                download_id=self._download.start.download_id,
                reason=reason,
            )
            self._download = None

    def restart(self) -> None:
        """Lose what is half there, as a reboot does."""
        self._download = None
        self._waiting.clear()

    def due(self, now: float) -> list[Said]:
        """Return what is to be said by now."""
        download = self._download
        if download is not None and now >= download.quiet_since + CHUNK_PATIENCE:
            self._miss(download, now)
        said, self._waiting = self._waiting, []
        return said

    def hear(self, kind: Kind, payload: bytes, now: float) -> None:
        """Take in what the server says; what cannot be read is not there."""
        try:
            if kind is Kind.LIBRARY_DOWNLOAD_START:
                self._start(msgspec.json.decode(payload, type=_Start), now)
            elif kind is Kind.LIBRARY_CHUNK:
                self._chunk(msgspec.json.decode(payload, type=_Chunk), now)
            elif kind is Kind.LIBRARY_DOWNLOAD_COMPLETE:
                self._complete(msgspec.json.decode(payload, type=_Complete))
        except ValueError:
            return

    # ------------------------------------------------------------ the steps of a transfer

    def _start(self, start: _Start, now: float) -> None:
        fits = start.total_size <= self.room
        known = self._download is not None and self._download.start == start
        if fits and not known:
            self.downloads += 1
            self._download = _Download(
                start, bytearray(start.total_size), set(range(start.total_chunks)), quiet_since=now
            )
        self._say(
            Kind.LIBRARY_DOWNLOAD_READY,
            download_id=start.download_id,
            ready=fits,
            buffer_allocated=fits,
            free_heap=self.room,
        )

    def _chunk(self, chunk: _Chunk, now: float) -> None:
        download = self._under_way(chunk.download_id)
        if download is None or not 0 <= chunk.chunk_index < download.start.total_chunks:
            return
        try:
            data = b64decode(chunk.chunk_data, validate=True)
            whole = crc32(data) == int(chunk.chunk_crc32, 16)
        except ValueError:
            data, whole = b"", False
        if whole:
            place = chunk.chunk_index * download.start.chunk_size
            download.buffer[place : place + len(data)] = data
            download.missing.discard(chunk.chunk_index)
        download.quiet_since, download.requests = now, 0
        self._say(
            Kind.LIBRARY_CHUNK_ACK,
            download_id=chunk.download_id,
            chunk_index=chunk.chunk_index,
            received=True,
            crc_valid=whole,
        )

    def _miss(self, download: _Download, now: float) -> None:
        if not download.missing:
            download.quiet_since = _NEVER  # the server's turn
        elif download.requests >= MOST_REQUESTS:
            self.abort("no chunk came")
        else:
            download.requests += 1
            download.quiet_since = now
            self._say(
                Kind.LIBRARY_CHUNK_REQUEST,
                download_id=download.start.download_id,
                chunk_index=min(download.missing),
                reason="timeout",
            )

    def _complete(self, complete: _Complete) -> None:
        download = self._under_way(complete.download_id)
        if download is None:
            return
        start, content = download.start, bytes(download.buffer)
        whole = not download.missing and crc32(content) == int(start.crc32, 16)
        if whole:
            self.installed[start.library_name] = (start.version, content)
        self._say(
            Kind.LIBRARY_DOWNLOAD_STATUS,
            download_id=start.download_id,
            library_name=start.library_name,
            success=whole,
            crc_valid=whole,
            installed=whole,
            request_retransmit=bool(download.missing),
            failed_chunks=sorted(download.missing),
        )
        if whole:
            name, version = start.library_name, start.version
            self._say(Kind.LIBRARY_INSTALLED, library_name=name, version=version, success=True)

    def _under_way(self, download_id: str) -> _Download | None:
        download = self._download
        return download if download and download.start.download_id == download_id else None

    def _say(self, kind: Kind, **fields: object) -> None:
        self._waiting.append(Said(kind, fields))
