"""Libraries, sent in chunks that each carry their own checksum.

Field names, limits and the checksum (CRC-32, IEEE 802.3): device protocol, section 1.12.
"""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Annotated, Any
from zlib import crc32

import msgspec

from domain.library_installations import (
    LARGEST_CHUNK,
    LARGEST_LIBRARY,
    MOST_CHUNKS,
    chunk_count,
)
from mqtt_bridge.messages import (
    ChunkAck,
    ChunkRequest,
    DownloadAbort,
    DownloadComplete,
    DownloadReady,
    DownloadStart,
    DownloadStatus,
    LibraryChunk,
    LibraryError,
    LibraryInstalled,
    LibraryReady,
    LibraryRequest,
)
from mqtt_bridge.payloads.fields import (
    MESSAGE_LIMIT,
    WORD_LIMIT,
    Word,
    check_sender,
    origin,
    text,
    whole,
)
from mqtt_bridge.topics import Kind, Topic

_HEX = 16
_Checksum = Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{8}$")]
_Index = Annotated[int, msgspec.Meta(ge=0, le=MOST_CHUNKS - 1)]
_Chunks = Annotated[int, msgspec.Meta(ge=1, le=MOST_CHUNKS)]


class _Sender(msgspec.Struct, kw_only=True):
    esp_id: str | None = None


class _Request(_Sender, kw_only=True):
    library_name: Word
    request_id: Word
    reason: Any = None


class _Ready(_Sender, kw_only=True):
    download_id: Word
    ready: bool
    free_heap: Any = None


class _ChunkAck(_Sender, kw_only=True):
    download_id: Word
    chunk_index: _Index
    received: bool
    crc_valid: bool | None = None
    error: Any = None


class _ChunkRequest(_Sender, kw_only=True):
    download_id: Word
    chunk_index: _Index
    reason: Any = None


class _Status(_Sender, kw_only=True):
    download_id: Word
    library_name: Word
    success: bool
    crc_valid: bool
    installed: bool = False
    error: Any = None
    request_retransmit: bool = False
    failed_chunks: Annotated[list[_Index], msgspec.Meta(max_length=MOST_CHUNKS)] = []


class _Installed(_Sender, kw_only=True):
    library_name: Word
    success: bool
    version: Any = None


class _Error(_Sender, kw_only=True):
    error_type: str
    error_message: Any = None


class _Abort(_Sender, kw_only=True):
    download_id: Word
    reason: Any = None


class _Start(msgspec.Struct, kw_only=True):
    request_id: Word
    library_name: Word
    version: Word
    total_size: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_LIBRARY)]
    total_chunks: _Chunks
    chunk_size: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_CHUNK)]
    crc32: _Checksum
    download_id: Word


class _Chunk(msgspec.Struct, kw_only=True):
    download_id: Word
    library_name: Word
    chunk_index: _Index
    total_chunks: _Chunks
    chunk_data: str
    chunk_crc32: _Checksum


class _Complete(msgspec.Struct, kw_only=True):
    download_id: Word
    library_name: Word
    total_chunks: _Chunks
    crc32: _Checksum


_SENDER = msgspec.json.Decoder(_Sender)
_REQUEST = msgspec.json.Decoder(_Request)
_READY = msgspec.json.Decoder(_Ready, strict=False)
_CHUNK_ACK = msgspec.json.Decoder(_ChunkAck, strict=False)
_CHUNK_REQUEST = msgspec.json.Decoder(_ChunkRequest, strict=False)
_STATUS = msgspec.json.Decoder(_Status, strict=False)
_INSTALLED = msgspec.json.Decoder(_Installed, strict=False)
_ERROR = msgspec.json.Decoder(_Error)
_ABORT = msgspec.json.Decoder(_Abort)
_START = msgspec.json.Decoder(_Start)
_CHUNK = msgspec.json.Decoder(_Chunk)
_COMPLETE = msgspec.json.Decoder(_Complete)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.LIBRARY_READY: _Sender,
    Kind.LIBRARY_REQUEST: _Request,
    Kind.LIBRARY_DOWNLOAD_START: _Start,
    Kind.LIBRARY_DOWNLOAD_READY: _Ready,
    Kind.LIBRARY_CHUNK: _Chunk,
    Kind.LIBRARY_CHUNK_ACK: _ChunkAck,
    Kind.LIBRARY_CHUNK_REQUEST: _ChunkRequest,
    Kind.LIBRARY_DOWNLOAD_COMPLETE: _Complete,
    Kind.LIBRARY_DOWNLOAD_STATUS: _Status,
    Kind.LIBRARY_INSTALLED: _Installed,
    Kind.LIBRARY_ERROR: _Error,
    Kind.LIBRARY_DOWNLOAD_ABORT: _Abort,
}


def ready(topic: Topic, payload: bytes, received_at: datetime) -> LibraryReady:
    """Read that a device can take libraries."""
    check_sender(topic, _SENDER.decode(payload).esp_id)
    return LibraryReady(**origin(topic, received_at))


def request(topic: Topic, payload: bytes, received_at: datetime) -> LibraryRequest:
    """Read which library a device wants."""
    body = _REQUEST.decode(payload)
    check_sender(topic, body.esp_id)
    return LibraryRequest(
        **origin(topic, received_at),
        library_name=_word(body.library_name),
        request_id=_word(body.request_id),
        reason=text(body.reason, MESSAGE_LIMIT),
    )


def download_ready(topic: Topic, payload: bytes, received_at: datetime) -> DownloadReady:
    """Read whether a device has room."""
    body = _READY.decode(payload)
    check_sender(topic, body.esp_id)
    return DownloadReady(
        **origin(topic, received_at),
        download_id=_word(body.download_id),
        ready=body.ready,
        free_heap_bytes=whole(body.free_heap),
    )


def chunk_ack(topic: Topic, payload: bytes, received_at: datetime) -> ChunkAck:
    """Read that a chunk arrived."""
    body = _CHUNK_ACK.decode(payload)
    check_sender(topic, body.esp_id)
    return ChunkAck(
        **origin(topic, received_at),
        download_id=_word(body.download_id),
        chunk_index=body.chunk_index,
        received=body.received,
        crc_valid=body.received if body.crc_valid is None else body.crc_valid,
        error=text(body.error, MESSAGE_LIMIT),
    )


def chunk_request(topic: Topic, payload: bytes, received_at: datetime) -> ChunkRequest:
    """Read that a chunk must be sent again."""
    body = _CHUNK_REQUEST.decode(payload)
    check_sender(topic, body.esp_id)
    return ChunkRequest(
        **origin(topic, received_at),
        download_id=_word(body.download_id),
        chunk_index=body.chunk_index,
        reason=text(body.reason, MESSAGE_LIMIT),
    )


def status(topic: Topic, payload: bytes, received_at: datetime) -> DownloadStatus:
    """Read how a transfer ended."""
    body = _STATUS.decode(payload)
    check_sender(topic, body.esp_id)
    return DownloadStatus(
        **origin(topic, received_at),
        download_id=_word(body.download_id),
        library_name=_word(body.library_name),
        success=body.success,
        crc_valid=body.crc_valid,
        installed=body.installed,
        error=text(body.error, MESSAGE_LIMIT),
        request_retransmit=body.request_retransmit,
        failed_chunks=tuple(body.failed_chunks),
    )


def installed(topic: Topic, payload: bytes, received_at: datetime) -> LibraryInstalled:
    """Read whether a library is in use."""
    body = _INSTALLED.decode(payload)
    check_sender(topic, body.esp_id)
    return LibraryInstalled(
        **origin(topic, received_at),
        library_name=_word(body.library_name),
        version=text(body.version, WORD_LIMIT),
        success=body.success,
    )


def error(topic: Topic, payload: bytes, received_at: datetime) -> LibraryError:
    """Read what went wrong."""
    body = _ERROR.decode(payload)
    check_sender(topic, body.esp_id)
    return LibraryError(
        **origin(topic, received_at),
        error_type=_word(body.error_type),
        message=text(body.error_message, MESSAGE_LIMIT),
    )


def abort(topic: Topic, payload: bytes, received_at: datetime) -> DownloadAbort:
    """Read that a device gave up."""
    body = _ABORT.decode(payload)
    check_sender(topic, body.esp_id)
    return DownloadAbort(
        **origin(topic, received_at),
        download_id=_word(body.download_id),
        reason=text(body.reason, MESSAGE_LIMIT),
    )


def start(topic: Topic, payload: bytes) -> DownloadStart:
    """Read that a library follows."""
    body = _START.decode(payload)
    if body.total_chunks != chunk_count(body.total_size, body.chunk_size):
        raise ValueError(f"{body.total_size} bytes are not {body.total_chunks} chunks")
    return DownloadStart(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        request_id=body.request_id,
        download_id=body.download_id,
        library_name=body.library_name,
        version=body.version,
        total_size=body.total_size,
        chunk_size=body.chunk_size,
        crc32=int(body.crc32, _HEX),
    )


def start_body(message: DownloadStart) -> msgspec.Struct:
    """Return the fields of the beginning of a transfer."""
    return _Start(
        request_id=message.request_id,
        library_name=message.library_name,
        version=message.version,
        total_size=message.total_size,
        total_chunks=chunk_count(message.total_size, message.chunk_size),
        chunk_size=message.chunk_size,
        crc32=_hex(message.crc32),
        download_id=message.download_id,
    )


def chunk(topic: Topic, payload: bytes) -> LibraryChunk:
    """Read a chunk, and check it as a device would."""
    body = _CHUNK.decode(payload)
    data = b64decode(body.chunk_data, validate=True)
    if not 1 <= len(data) <= LARGEST_CHUNK:
        raise ValueError(f"a chunk has 1 to {LARGEST_CHUNK} bytes, not {len(data)}")
    if body.chunk_index >= body.total_chunks:
        raise ValueError(f"there is no chunk {body.chunk_index} among {body.total_chunks}")
    if crc32(data) != int(body.chunk_crc32, _HEX):
        raise ValueError("the chunk does not have the checksum that it names")
    return LibraryChunk(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        download_id=body.download_id,
        library_name=body.library_name,
        chunk_index=body.chunk_index,
        total_chunks=body.total_chunks,
        data=data,
    )


def chunk_body(message: LibraryChunk) -> msgspec.Struct:
    """Return the fields of a chunk."""
    return _Chunk(
        download_id=message.download_id,
        library_name=message.library_name,
        chunk_index=message.chunk_index,
        total_chunks=message.total_chunks,
        chunk_data=b64encode(message.data).decode("ascii"),
        chunk_crc32=_hex(crc32(message.data)),
    )


def complete(topic: Topic, payload: bytes) -> DownloadComplete:
    """Read that all chunks were sent."""
    body = _COMPLETE.decode(payload)
    return DownloadComplete(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        download_id=body.download_id,
        library_name=body.library_name,
        total_chunks=body.total_chunks,
        crc32=int(body.crc32, _HEX),
    )


def complete_body(message: DownloadComplete) -> msgspec.Struct:
    """Return the fields of the end of a transfer."""
    return _Complete(
        download_id=message.download_id,
        library_name=message.library_name,
        total_chunks=message.total_chunks,
        crc32=_hex(message.crc32),
    )


def _word(value: str) -> str:
    word = text(value, WORD_LIMIT)
    if not word:
        raise ValueError("a name or an id is empty")
    return word


def _hex(checksum: int) -> str:
    return f"{checksum:08X}"
