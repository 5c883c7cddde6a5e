"""A board that takes libraries: what it says and when, piece by piece."""

import json
from zlib import crc32

import pytest

from mqtt_bridge import payloads
from mqtt_bridge.messages import DownloadComplete, DownloadStart, LibraryChunk, Outgoing
from simulator.dialects import HEAD
from simulator.libraries import CHUNK_PATIENCE, Libraries
from tests.esp32.driving import Bench, make_device

CONTENT = b"0123456789" * 120
CHUNK = 512
NAMES = {
    "esp_id": "ESP_12AB34",
    "kaiser_id": "god",
    "download_id": "dl_1",
    "library_name": "ph",
}
START = DownloadStart(
    **NAMES,
    request_id="r",
    version="1.0.0",
    total_size=len(CONTENT),
    chunk_size=CHUNK,
    crc32=crc32(CONTENT),
)
COMPLETE = DownloadComplete(**NAMES, total_chunks=3, crc32=crc32(CONTENT))


def chunk(index: int) -> LibraryChunk:
    data = CONTENT[index * CHUNK : (index + 1) * CHUNK]
    return LibraryChunk(**NAMES, chunk_index=index, total_chunks=3, data=data)


def about_libraries(sent: list[Outgoing]) -> list[tuple[str, dict[str, object]]]:
    return [
        (message.topic.rpartition("/")[2], json.loads(message.payload))
        for message in sent
        if "/library/" in message.topic
    ]


def bench(**changes: object) -> Bench:
    board = Bench(make_device(HEAD, libraries=Libraries(**changes)))  # type: ignore[arg-type]  # any field
    board.connect()
    return board


def test_it_says_that_it_takes_libraries_once_it_may_say_anything() -> None:
    board = bench()
    assert about_libraries(board.sent) == []
    said = about_libraries(board.acknowledge() + board.wait(1))
    assert said == [("ready", {})]


def test_a_board_of_today_neither_says_so_nor_hears_of_libraries() -> None:
    board = Bench(make_device(HEAD))
    board.connect()
    board.acknowledge()
    board.receive(payloads.encode(START))
    assert about_libraries(board.sent) == []
    assert not any("library" in name for name, _ in board.device.subscriptions())


def taking() -> Bench:
    board = bench()
    board.acknowledge()
    board.wait(1)
    assert ("library/chunk", 1) in [
        ("/".join(name.split("/")[-2:]), qos) for name, qos in board.device.subscriptions()
    ]
    return board


def test_what_arrived_whole_is_installed() -> None:
    board = taking()
    ((kind, ready),) = about_libraries(board.receive(payloads.encode(START)))
    assert (kind, ready["ready"]) == ("download_ready", True)
    for index in range(3):
        ((kind, ack),) = about_libraries(board.receive(payloads.encode(chunk(index))))
        assert (kind, ack["chunk_index"], ack["crc_valid"]) == ("chunk_ack", index, True)
    (_, status), (_, installed) = about_libraries(board.receive(payloads.encode(COMPLETE)))
    assert (status["success"], installed["version"]) == (True, "1.0.0")
    assert board.device.libraries is not None
    assert board.device.libraries.installed == {"ph": ("1.0.0", CONTENT)}


def test_a_spoiled_chunk_is_refused_and_a_missing_one_is_named_at_the_end() -> None:
    board = taking()
    board.receive(payloads.encode(START))
    board.receive(payloads.encode(chunk(0)))
    spoiled = payloads.encode(chunk(1))
    payload = spoiled.payload.replace(b'"chunk_data":"', b'"chunk_data":"AAAA')
    ((_, ack),) = about_libraries(board.receive(spoiled._replace(payload=payload)))
    assert ack["crc_valid"] is False
    ((_, status),) = about_libraries(board.receive(payloads.encode(COMPLETE)))
    assert (status["success"], status["failed_chunks"]) == (False, [1, 2])


def test_it_asks_for_what_does_not_come_and_gives_up_in_the_end() -> None:
    board = taking()
    board.receive(payloads.encode(START))
    board.receive(payloads.encode(chunk(0)))
    said = about_libraries(board.wait(6 * CHUNK_PATIENCE))
    assert [kind for kind, _ in said] == ["chunk_request"] * 3 + ["download_abort"]
    assert said[0][1]["chunk_index"] == 1


def test_a_reboot_loses_what_is_half_there() -> None:
    board = taking()
    board.receive(payloads.encode(START))
    assert board.device.libraries is not None
    board.device.libraries.restart()
    assert about_libraries(board.receive(payloads.encode(chunk(0)))) == []


@pytest.mark.parametrize("room", [0, len(CONTENT) - 1])
def test_what_does_not_fit_is_refused(room: int) -> None:
    board = bench(room=room)
    board.acknowledge()
    board.wait(1)
    ((_, ready),) = about_libraries(board.receive(payloads.encode(START)))
    assert ready["ready"] is False
