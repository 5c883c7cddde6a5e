"""How firmware of November 2025 has the server convert what it measured, over HTTP.

It knows neither JSON nor much of HTTP (device protocol, section 4.1): it reads lines, looks for
spellings, and publishes nothing that was not converted. What it does wrong is done wrong here, so
that a server which answers it properly can be told from one that only speaks HTTP properly.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from domain.ports import Clock
from simulator.sensors import Sampled

PATH = "/api/v1/sensors/process"

UNFINISHED_LINE = 5000.0
"""Seconds that the board stands still for a line that never ends: its timeout is mis-scaled."""

UNKNOWN_LENGTH = 5.0
"""Seconds that it waits for the end of a body whose length it did not understand."""

MOST_FAILURES = 5
REST = 60.0
"""Seconds that it asks nobody after so many failures in a row."""

_CONNECT_WITHIN = 3.0
_UNSIGNED = 2**32
_NUMBER = re.compile(rb" *(-?[0-9][0-9.eE+-]*)[,}]")


class Converted(NamedTuple):
    """What the board understood of an answer.

    Attributes:
        unit: As it stood in the answer; an escape stays one, and still means its character.
    """

    value: float
    unit: str
    quality: str

    def fields(self) -> dict[str, Any]:
        """Return what the firmware publishes of it."""
        return {"processed_value": self.value, "unit": self.unit, "quality": self.quality}


class Heard(NamedTuple):
    """What came of one call.

    Attributes:
        converted: None: the call failed.
        stood_still: Seconds that the board waited for nothing: no MQTT, no safety checks.
    """

    converted: Converted | None
    stood_still: float = 0.0


def request(host: str, esp_id: str, sampled: Sampled, uptime_ms: int) -> bytes:
    """Write a request as the firmware does: four headers, a body without a blank."""
    body = msgspec.json.encode(
        {
            "esp_id": esp_id,
            "gpio": sampled.sensor.gpio,
            "sensor_type": sampled.sensor.chip.early_type,
            "raw_value": sampled.raw % _UNSIGNED,
            "timestamp": uptime_ms,
            "metadata": {},
        }
    )
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def read(answer: bytes) -> Heard:
    """Read an answer line by line, as it came until the server hung up."""
    lines = answer.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if not lines:
        return Heard(None, UNFINISHED_LINE)
    words = lines[0].split()
    good = len(words) > 1 and words[1].isdigit() and 200 <= int(words[1]) <= 299  # noqa: PLR2004 - success
    blank = next((n for n, line in enumerate(lines) if line.strip() == b""), None)
    if blank is None:
        return Heard(None, UNFINISHED_LINE)
    knows_length = any(line.startswith(b"Content-Length:") for line in lines[1:blank])
    body = lines[blank + 1 :]
    stops = next((n for n, line in enumerate(body) if line.strip() == b""), None)
    stood_still = 0.0 if knows_length else UNKNOWN_LENGTH
    if stops is None:
        stood_still = UNFINISHED_LINE
    return Heard(_searched(b"\n".join(body[:stops])) if good else None, stood_still)


def _searched(body: bytes) -> Converted | None:
    """Find what is needed; None: the value is missing."""
    _, found, rest = body.partition(b'"processed_value":')
    if not found:
        return None
    number = _NUMBER.match(rest)
    # What is no number counts as 0: the firmware does not look.
    value = float(number[1]) if number else 0.0
    return Converted(value, _text(body, b'"unit":"'), _text(body, b'"quality":"'))


def _text(body: bytes, key: bytes) -> str:
    found = body.partition(key)[2].partition(b'"')[0]
    try:
        # Put between quotes again, as the firmware does when it publishes.
        return msgspec.json.decode(b'"' + found + b'"', type=str)
    except msgspec.DecodeError:
        return found.decode(errors="replace")


Call = Callable[[bytes], Awaitable[bytes | None]]
"""Sends a request and returns all that came until the server hung up; None: there is no server."""


def over_http(host: str, port: int) -> Call:
    """Return what opens a connection for each call."""

    async def call(sent: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return None
        try:
            async with asyncio.timeout(UNKNOWN_LENGTH):
                writer.write(sent)
                await writer.drain()
                return await reader.read()
        except (OSError, TimeoutError):
            return None
        finally:
            writer.close()

    return call


@dataclass(slots=True, kw_only=True)
class Processor:
    """The board's side of conversions: asks, gives up for a while, counts.

    Attributes:
        host: As it stands in the `Host` header.
        asked: Calls made.
        failed: Those that brought nothing.
        stood_still: Seconds that the board lost by them.
        last: What it understood last.
    """

    host: str
    call: Call
    clock: Clock
    asked: int = 0
    failed: int = 0
    stood_still: float = 0.0
    last: Converted | None = None
    _in_a_row: int = field(default=0, init=False)
    _rests_until: float = field(default=0.0, init=False)

    async def convert(self, esp_id: str, sampled: Sampled, uptime_ms: int) -> Converted | None:
        """Have a sample converted; None: it is to be dropped."""
        now = self.clock.monotonic()
        if now < self._rests_until:
            return None
        self.asked += 1
        answer = await self.call(request(self.host, esp_id, sampled, uptime_ms))
        heard = Heard(None) if answer is None else read(answer)
        self.stood_still += heard.stood_still
        if heard.converted is None:
            self.failed += 1
            self._in_a_row += 1
            if self._in_a_row >= MOST_FAILURES:
                self._rests_until, self._in_a_row = now + REST, 0
            return None
        self._in_a_row, self.last = 0, heard.converted
        return heard.converted
