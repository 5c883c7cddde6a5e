"""Libraries: whatever is sent can be checked piece by piece, and fits the device."""

import json
from uuid import UUID
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.library_installations import (
    FITTING_CHUNK,
    LARGEST_CHUNK,
    LARGEST_LIBRARY,
    MOST_CHUNKS,
    chunk_count,
    chunk_size_for,
)
from mqtt_bridge.messages import (
    ChunkAck,
    DownloadComplete,
    DownloadStart,
    DownloadStatus,
    LibraryChunk,
)
from mqtt_bridge.payloads import MalformedPayloadError, decode_outbound, encode
from mqtt_bridge.topics import Kind
from tests.wire import ESP, NOW, SMALLEST, read, refusal, topic_of


def chunk(data: bytes, *, index: int = 0, total: int = 1) -> LibraryChunk:
    return LibraryChunk(
        esp_id=ESP,
        kaiser_id="god",
        download_id="dl_1",
        library_name="dallas_temp",
        chunk_index=index,
        total_chunks=total,
        data=data,
    )


@given(
    st.binary(min_size=1, max_size=LARGEST_CHUNK),
    st.integers(1, MOST_CHUNKS).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))),
)
def test_every_chunk_reads_back_as_it_was_sent(data: bytes, place: tuple[int, int]) -> None:
    sent = chunk(data, index=place[0], total=place[1])
    payload = encode(sent).payload
    assert decode_outbound(topic_of(Kind.LIBRARY_CHUNK), payload) == sent
    assert int(json.loads(payload)["chunk_crc32"], 16) == crc32(data)


@pytest.mark.parametrize(
    "impossible",
    [
        chunk(b""),
        chunk(b"x" * (LARGEST_CHUNK + 1)),
        chunk(b"x", index=1, total=1),
        chunk(b"x", index=-1),
        chunk(b"x", total=MOST_CHUNKS + 1),
    ],
    ids=["empty", "too long", "behind the last", "before the first", "too many"],
)
def test_a_chunk_that_no_device_could_place_is_not_sent(impossible: LibraryChunk) -> None:
    with pytest.raises(MalformedPayloadError):
        encode(impossible)


@pytest.mark.parametrize("spoiled", ["QUJE", "QUJD!", "QUJ"])
def test_a_chunk_whose_checksum_does_not_hold_is_refused(spoiled: str) -> None:
    body = json.loads(encode(chunk(b"ABC")).payload)
    payload = json.dumps(body | {"chunk_data": spoiled}).encode()
    with pytest.raises(MalformedPayloadError):
        decode_outbound(topic_of(Kind.LIBRARY_CHUNK), payload)


def start(size: int, chunk_size: int = LARGEST_CHUNK) -> DownloadStart:
    return DownloadStart(
        esp_id=ESP,
        kaiser_id="god",
        request_id="r",
        download_id="d",
        library_name="l",
        version="1.0.0",
        total_size=size,
        chunk_size=chunk_size,
        crc32=7,
    )


@pytest.mark.parametrize(("size", "chunks"), [(1, 1), (1024, 1), (1025, 2), (524_288, 512)])
def test_the_start_says_how_many_chunks_follow(size: int, chunks: int) -> None:
    payload = encode(start(size)).payload
    body = json.loads(payload)
    assert body["total_chunks"] == chunks
    assert body["crc32"] == "00000007"
    assert decode_outbound(topic_of(Kind.LIBRARY_DOWNLOAD_START), payload) == start(size)
    with pytest.raises(MalformedPayloadError, match="bytes are not"):
        decode_outbound(
            topic_of(Kind.LIBRARY_DOWNLOAD_START),
            json.dumps(body | {"total_chunks": chunks % MOST_CHUNKS + 1}).encode(),
        )


@given(st.integers(1, LARGEST_LIBRARY), st.integers(1, LARGEST_CHUNK))
def test_every_library_is_cut_into_chunks_that_fit_and_are_not_too_many(
    size: int, fitting: int
) -> None:
    chunk_size = chunk_size_for(size, fitting)
    assert fitting <= chunk_size <= LARGEST_CHUNK
    assert chunk_count(size, chunk_size) <= MOST_CHUNKS
    sent = start(size, chunk_size)
    assert decode_outbound(topic_of(Kind.LIBRARY_DOWNLOAD_START), encode(sent).payload) == sent


def test_the_largest_usual_chunk_fits_the_smallest_board() -> None:
    sent = encode(
        LibraryChunk(
            esp_id=ESP,
            kaiser_id="god",
            download_id=str(UUID(int=0)),
            library_name="a_library_of_a_long_name",
            chunk_index=MOST_CHUNKS - 1,
            total_chunks=MOST_CHUNKS,
            data=b"x" * FITTING_CHUNK,
        )
    )
    header = 7
    assert header + len(sent.topic) + len(sent.payload) <= 1024


@pytest.mark.parametrize("chunk_size", [0, LARGEST_CHUNK + 1])
def test_chunks_that_no_device_expects_are_not_announced(chunk_size: int) -> None:
    body = json.loads(encode(start(1024)).payload) | {"chunk_size": chunk_size}
    with pytest.raises(MalformedPayloadError):
        decode_outbound(topic_of(Kind.LIBRARY_DOWNLOAD_START), json.dumps(body).encode())


@pytest.mark.parametrize("size", [0, 524_289])
def test_a_library_of_no_size_or_too_large_is_not_sent(size: int) -> None:
    with pytest.raises(MalformedPayloadError):
        encode(start(size))


def test_the_end_reads_back() -> None:
    end = DownloadComplete(
        esp_id=ESP,
        kaiser_id="god",
        download_id="d",
        library_name="l",
        total_chunks=3,
        crc32=2**32 - 1,
    )
    payload = encode(end).payload
    assert decode_outbound(topic_of(Kind.LIBRARY_DOWNLOAD_COMPLETE), payload) == end


def test_what_must_be_sent_again_is_named() -> None:
    body = SMALLEST[Kind.LIBRARY_DOWNLOAD_STATUS] | {
        "success": False,
        "request_retransmit": True,
        "failed_chunks": [3, 7],
    }
    status = read(Kind.LIBRARY_DOWNLOAD_STATUS, body)
    assert isinstance(status, DownloadStatus)
    assert status.failed_chunks == (3, 7)
    assert refusal(Kind.LIBRARY_DOWNLOAD_STATUS, body | {"failed_chunks": [512]})
    assert refusal(Kind.LIBRARY_DOWNLOAD_STATUS, body | {"failed_chunks": [1.5]})


def test_an_ack_names_its_chunk() -> None:
    body = SMALLEST[Kind.LIBRARY_CHUNK_ACK]
    assert read(Kind.LIBRARY_CHUNK_ACK, body) == ChunkAck(
        esp_id=ESP,
        kaiser_id="god",
        received_at=NOW,
        download_id="d",
        chunk_index=0,
        received=True,
        crc_valid=True,
    )
    assert refusal(Kind.LIBRARY_CHUNK_ACK, body | {"chunk_index": True})
    assert refusal(Kind.LIBRARY_CHUNK_ACK, body | {"download_id": " "})
