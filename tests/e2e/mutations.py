"""Recorded messages, spoilt in every way that a wire, a firmware or a fool could think of."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

LARGEST = 100_000
"""Bytes of a payload: the server's own broker refuses more than 256 KiB, and all that follows."""

_GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden_messages.json"

_WEIRD: tuple[Any, ...] = (
    None, True, False, "", "x" * 5000, "\x00", "°", "-1", "nan", [], {}, [[[]]], {"a": {"b": 1}},
    -1, 0, 0.5, -0.0, 255, 256, 2**31, 2**53, 2**63, 2**64, 1e308, -1e308, 4294967272,
)  # fmt: skip
"""Values that are of the wrong kind, or at the end of some range."""

_TOKENS = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"{",
    b"]",
    b'"',
    b"\\u0000",
    b"\xff\xfe",
    b"\x00",
    b"//",
)
_SPELLINGS = "abzAZ09_-. %°"


class Message(NamedTuple):
    """What is published."""

    topic: str
    payload: bytes


def mutated(count: int, random: Random) -> Iterator[Message]:
    """Make messages of devices, most of them spoilt: in their fields, their bytes, their topic.

    Most get a number of their own, so that many are new readings and not the same again.
    """
    golden = [one for one in _recorded() if one["direction"] == "device->server"]
    for number in range(count):
        one = random.choice(golden)
        topic: str = one["topic"]
        body = one["payload"]
        if isinstance(body, dict):
            body = json.loads(json.dumps(body))
            _vary(body, number, random)
            payload = json.dumps(body, ensure_ascii=False).encode()
        else:
            payload = str(one["payload_raw"]).encode()
        if random.random() < 0.3:
            for _ in range(random.randint(1, 3)):
                payload = random.choice(_BYTES)(payload, random)
        if random.random() < 0.05:
            topic = _spell(topic, random)
        yield Message(topic, payload[:LARGEST])


def _recorded() -> list[Mapping[str, Any]]:
    recorded: list[Mapping[str, Any]] = json.loads(_GOLDEN.read_text("utf-8"))
    return recorded


def _vary(body: dict[str, Any], number: int, random: Random) -> None:
    if random.random() < 0.8:
        body["seq"] = number
    if not body or random.random() < 0.4:
        return
    key = random.choice(list(body))
    change = random.randrange(4)
    if change == 0:
        body[key] = random.choice(_WEIRD)
    elif change == 1:
        del body[key]
    elif change == 2:
        body[random.choice(list(body))] = body[key]
    else:
        body[key] = random.randint(-(10**6), 2 * 10**9)


def _flip(payload: bytes, random: Random) -> bytes:
    if not payload:
        return b"{"
    at = random.randrange(len(payload))
    return payload[:at] + bytes([payload[at] ^ 1 << random.randrange(8)]) + payload[at + 1 :]


def _cut(payload: bytes, random: Random) -> bytes:
    begin = random.randint(0, len(payload))
    return payload[:begin] + payload[random.randint(begin, len(payload)) :]


def _insert(payload: bytes, random: Random) -> bytes:
    at = random.randint(0, len(payload))
    return payload[:at] + random.choice(_TOKENS) + payload[at:]


def _double(payload: bytes, random: Random) -> bytes:
    return payload * random.randint(2, 40)


def _nest(payload: bytes, random: Random) -> bytes:
    depth = random.choice((1, 3, 2000))
    return b"[" * depth + payload + b"]" * depth


def _noise(_payload: bytes, random: Random) -> bytes:
    return random.randbytes(random.randint(1, 300))


_BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip, _cut, _insert, _double, _nest, _noise,
)  # fmt: skip


def _spell(topic: str, random: Random) -> str:
    """Misspell one level; wildcards and NUL are not for publishing (MQTT 3.1.1, section 4.7)."""
    levels = topic.split("/")
    at = random.randrange(1, len(levels))
    levels[at] = "".join(random.choice(_SPELLINGS) for _ in range(random.randint(0, 40)))
    return "/".join(levels)
