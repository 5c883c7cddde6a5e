"""A hundred thousand spoiled messages: each is read or refused, in bounded time and memory."""

import json
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mqtt_bridge.messages import Inbound, Outbound
from mqtt_bridge.payloads import MalformedPayloadError, decode, decode_outbound
from mqtt_bridge.topics import Direction, Topic, parse

MESSAGES = 100_000
SEED = 20_260_501
LONGEST = 0.25
"""Seconds that one message may take, however busy the machine is."""
MOST_MEMORY = 150 * 1024
"""Kibibytes by which the process may grow."""

RECEIVED_AT = datetime(2026, 5, 1, tzinfo=UTC)

Bytes = Callable[[random.Random, bytes], bytes]

ODD = [
    *(b"null", b"true", b"false", b"nan", b"NaN", b"Infinity", b"-0", b"1e999", b"-1e-999"),
    *(b"0", b"-1", b"255", b"256", b"4294967272", b"9223372036854775808", b"1" * 400, b"1e10"),
    *(b'""', b'"0"', b'"nan"', b'"\\ud800"', b'"\\u0000"', b'"' + b"x" * 3000 + b'"', b'"on"'),
    *(b"[]", b"{}", b"[[[[[[]]]]]]", b'{"a":{"b":{"c":[1]}}}', b'["ESP_FFFFFF"]', b'"critical"'),
]


def corpus() -> list[tuple[str, bytes]]:
    path = Path(__file__).parents[1] / "fixtures" / "golden_messages.json"
    golden: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return [
        (
            each["topic"],
            str(each["payload_raw"]).encode()
            if "payload_raw" in each
            else json.dumps(each["payload"], ensure_ascii=False).encode(),
        )
        for each in golden
    ]


def flip(rng: random.Random, payload: bytes) -> bytes:
    spoiled = bytearray(payload)
    for _ in range(rng.randint(1, 4)):
        spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
    return bytes(spoiled)


def cut(rng: random.Random, payload: bytes) -> bytes:
    return payload[: rng.randrange(len(payload))]


def insert(rng: random.Random, payload: bytes) -> bytes:
    at = rng.randrange(len(payload) + 1)
    return payload[:at] + rng.randbytes(rng.randint(1, 8)) + payload[at:]


def repeat(rng: random.Random, payload: bytes) -> bytes:
    start, end = sorted(rng.randrange(len(payload) + 1) for _ in range(2))
    return payload[:end] + payload[start:end] * rng.choice((1, 2, 200)) + payload[end:]


def odd_value(rng: random.Random, payload: bytes) -> bytes:
    """Put something else behind one of the keys."""
    colons = [at for at, byte in enumerate(payload) if byte == ord(":")]
    if not colons:
        return insert(rng, payload)
    start = rng.choice(colons) + 1
    ends = [at for sign in b",}" if (at := payload.find(sign, start)) >= 0]
    return payload[:start] + rng.choice(ODD) + payload[min(ends, default=len(payload)) :]


def lost_key(rng: random.Random, payload: bytes) -> bytes:
    try:
        body = json.loads(payload)
        del body[rng.choice(list(body))]
    except (ValueError, IndexError, TypeError, KeyError):
        return cut(rng, payload)
    return json.dumps(body).encode()


def odd_whole(rng: random.Random, _: bytes) -> bytes:
    return rng.choice(ODD)


MUTATIONS: list[Bytes] = [flip, cut, insert, repeat, odd_value, odd_value, lost_key, odd_whole]


def spoiled() -> Iterator[tuple[str, bytes]]:
    rng = random.Random(SEED)
    messages = corpus()
    for _ in range(MESSAGES):
        topic, payload = rng.choice(messages)
        for _ in range(rng.choice((1, 1, 2))):
            payload = rng.choice(MUTATIONS)(rng, payload or b"{}")
        match rng.random():
            case chance if chance < 0.1:
                topic = rng.choice(messages)[0]
            case chance if chance < 0.15:
                topic = flip(rng, topic.encode()).decode("utf-8", "replace")
        yield topic, payload


def read(topic: Topic, payload: bytes) -> Inbound | Outbound | str:
    try:
        if topic.kind.route.direction is Direction.TO_SERVER:
            return decode(topic, payload, RECEIVED_AT)
        return decode_outbound(topic, payload)
    except MalformedPayloadError as error:
        return str(error)


@pytest.mark.timeout(60)
def test_every_spoiled_message_is_a_message_or_malformed_for_a_reason() -> None:
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, payload in spoiled():
        topic = parse(name)
        if topic is None:
            outcomes["no topic"] += 1
            continue
        began = time.thread_time()
        outcome = read(topic, payload)
        slowest = max(slowest, time.thread_time() - began)
        if isinstance(outcome, str):
            assert 0 < len(outcome) <= 300
            assert outcome.isprintable()
            outcomes["malformed"] += 1
        else:
            outcomes["message"] += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert outcomes.total() == MESSAGES
    assert outcomes["message"] > MESSAGES / 10, "the fuzzer only makes rubbish"
    assert outcomes["malformed"] > MESSAGES / 10, "the fuzzer is too kind"
    assert slowest < LONGEST
    assert grown < MOST_MEMORY
