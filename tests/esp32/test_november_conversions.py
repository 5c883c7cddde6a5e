"""Firmware of November 2025 and its reading of HTTP: what it understands, and what stalls it."""

import json

import pytest

from app.legacy_rest.answers import Answer
from mqtt_bridge.topics import Kind
from simulator.actions import Convert
from simulator.dialects import NOVEMBER
from simulator.processing import (
    MOST_FAILURES,
    REST,
    UNFINISHED_LINE,
    UNKNOWN_LENGTH,
    Converted,
    Heard,
    Processor,
    read,
    request,
)
from simulator.sensors import DS18B20, Sampled, VirtualSensor
from tests.esp32.driving import Bench, make_device, of
from tests.fakes import FakeClock

FROST = Sampled(VirtualSensor(chip=DS18B20, gpio=4), raw=-80)
GOOD = Converted(-5.0, "°C", "good")
BODY = b'{"processed_value":-5.0,"unit":"\\u00b0C","quality":"good","timestamp":1735818000}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"


def test_it_sends_four_headers_and_wraps_a_negative_value() -> None:
    head, _, body = request("10.0.0.9:8000", "ESP_12AB34", FROST, 1234).partition(b"\r\n\r\n")

    assert head.split(b"\r\n") == [
        b"POST /api/v1/sensors/process HTTP/1.1",
        b"Host: 10.0.0.9:8000",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    assert json.loads(body)["raw_value"] == 4294967216
    assert b" " not in body


def test_it_understands_what_is_spelt_as_it_searches() -> None:
    assert read(HEAD + BODY + b"\n\n") == Heard(GOOD)
    assert read(HEAD.replace(b"\r", b"") + BODY + b"\r\n\r\n") == Heard(GOOD)
    assert read(HEAD + BODY.replace(b":-5.0", b": -5.0") + b"\n\n") == Heard(GOOD)


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (HEAD + BODY, Heard(GOOD, UNFINISHED_LINE)),
        (HEAD + BODY + b"\n", Heard(GOOD, UNFINISHED_LINE)),
        (HEAD.replace(b"-Length", b"-length") + BODY + b"\n\n", Heard(GOOD, UNKNOWN_LENGTH)),
        (HEAD.replace(b"200", b"422") + BODY + b"\n\n", Heard(None)),
        (HEAD + b'{"value":1}\n\n', Heard(None)),
        (HEAD + BODY.replace(b'"unit":', b'"unit": ') + b"\n\n", Heard(GOOD._replace(unit=""))),
        (b"HTTP/1.1 200 OK\r\n", Heard(None, UNFINISHED_LINE)),
        (b"", Heard(None, UNFINISHED_LINE)),
    ],
)
def test_what_is_spelt_otherwise_is_missed_and_what_does_not_end_stalls_it(
    answer: bytes, heard: Heard
) -> None:
    assert read(answer) == heard


async def test_it_understands_every_answer_of_the_server_at_once() -> None:
    sent: list[bytes] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message.get("body", b""))

    await Answer({"processed_value": -5.0, "unit": "°C", "quality": "good", "x": [1]}).send(send)

    assert read(HEAD + b"".join(sent)) == Heard(GOOD)


class Server:
    """Answers with `answer`, and remembers what it was asked."""

    def __init__(self, answer: bytes | None = HEAD + BODY + b"\n\n") -> None:
        self.answer = answer
        self.asked: list[bytes] = []

    async def __call__(self, sent: bytes) -> bytes | None:
        self.asked.append(sent)
        return self.answer


async def test_after_five_failures_it_asks_nobody_for_a_minute() -> None:
    server, clock = Server(None), FakeClock()
    processor = Processor(host="h", call=server, clock=clock)
    for _ in range(MOST_FAILURES + 3):
        assert await processor.convert("ESP_12AB34", FROST, 0) is None
    assert len(server.asked) == processor.failed == MOST_FAILURES

    server.answer = HEAD + BODY + b"\n\n"
    await clock.advance(REST)

    assert await processor.convert("ESP_12AB34", FROST, 0) == GOOD
    assert processor.last == GOOD


def test_a_board_that_asks_publishes_nothing_by_itself_and_then_what_it_was_told() -> None:
    bench = Bench(make_device(NOVEMBER, asks_server=True))
    bench.connect()
    bench.wait(30.0)
    assert of(bench.sent, Kind.SENSOR_DATA) == []

    device = bench.device
    (due,) = [action for action in _woken(bench) if isinstance(action, Convert)]
    assert device.converted(due.sampled, None, bench.now) == []
    bench._take(device.converted(due.sampled, GOOD, bench.now))

    (body,) = of(bench.sent, Kind.SENSOR_DATA)
    assert (body["processed_value"], body["unit"], body["quality"]) == (-5.0, "°C", "good")
    assert body["raw_value"] == due.sampled.raw


def _woken(bench: Bench) -> list[object]:
    """Let the board take its next sample, and return what it wants."""
    wanted: list[object] = []
    while not wanted:
        bench.now = max(bench.now, bench.device.wake_at)
        actions = bench.device.tick(bench.now)
        wanted = [action for action in actions if isinstance(action, Convert)]
    return wanted
