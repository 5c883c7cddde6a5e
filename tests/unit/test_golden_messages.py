"""Every recorded message of the protocol is understood, or refused with a reason."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.actuators import ActuatorReport
from domain.configs import ConfigAnswer
from domain.devices import Heartbeat, LastWill
from domain.sensors import Sample
from mqtt_bridge.messages import (
    DeviceError,
    Diagnostics,
    Empty,
    FromDevice,
    Inbound,
    IntentOutcome,
    SensorData,
)
from mqtt_bridge.payloads import (
    MalformedPayloadError,
    decode,
    decode_outbound,
    encode,
)
from mqtt_bridge.topics import Topic, parse

Golden = Mapping[str, Any]

RECEIVED_AT = datetime(2026, 5, 1, tzinfo=UTC)
"""After the youngest recorded time."""

GOLDEN: list[Golden] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "golden_messages.json").read_text("utf-8")
)

NO_TOPIC = {"G139": "a lower-case device", "G141": "a foreign prefix"}
"""Messages whose topic is none of the protocol's."""


def payload_of(golden: Golden) -> bytes:
    if "payload_raw" in golden:
        return str(golden["payload_raw"]).encode()
    return json.dumps(golden["payload"], ensure_ascii=False).encode()


def topic_of(golden: Golden) -> Topic:
    topic = parse(golden["topic"])
    assert topic is not None
    return topic


IN_REACH = [golden for golden in GOLDEN if golden["id"] not in NO_TOPIC]
TO_SERVER = [golden for golden in IN_REACH if golden["direction"] == "device->server"]
TO_DEVICE = [golden for golden in IN_REACH if golden["direction"] == "server->device"]


def by_id(goldens: list[Golden]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("golden", goldens, ids=[golden["id"] for golden in goldens])


def test_no_message_is_passed_over_in_silence() -> None:
    assert {golden["id"] for golden in GOLDEN if parse(golden["topic"]) is None} == set(NO_TOPIC)
    assert len(TO_SERVER) + len(TO_DEVICE) + len(NO_TOPIC) == len(GOLDEN)


# ---------------------------------------------------------------- what devices say


@by_id([golden for golden in TO_SERVER if golden["valid"]])
def test_a_valid_message_is_understood(golden: Golden) -> None:
    message = decode(topic_of(golden), payload_of(golden), RECEIVED_AT)
    assert not isinstance(message, Empty)
    for key, expected in golden.get("expect", {}).items():
        assert EXPECTATIONS[key](message, expected), key


@by_id([golden for golden in TO_SERVER if not golden["valid"]])
def test_an_invalid_message_is_refused_with_a_reason(golden: Golden) -> None:
    topic, payload = topic_of(golden), payload_of(golden)
    if not payload:
        assert decode(topic, payload, RECEIVED_AT) == Empty()
    elif golden.get("expect", {}).get("liveness"):
        message = decode(topic, payload, RECEIVED_AT)
        assert isinstance(message, Heartbeat)
        assert message.health.free_heap_bytes is None
    else:
        with pytest.raises(MalformedPayloadError, match=r"\w+ \w+"):
            decode(topic, payload, RECEIVED_AT)


def sample(message: Inbound) -> Sample:
    assert isinstance(message, SensorData)
    (only,) = message.samples
    return only


def heartbeat(message: Inbound) -> Heartbeat:
    assert isinstance(message, Heartbeat)
    return message


def uses(message: Inbound, what: object) -> bool:
    return (sample(message).device_value is None) == (what == "raw")


def has_value(message: Inbound, value: object) -> bool:
    # Where the library is to convert, the device's own value is only a preview and left aside.
    return sample(message).device_value in {None, value}


def has_unknown_clock(message: Inbound, _: object) -> bool:
    if isinstance(message, Heartbeat | Diagnostics):
        return message.health.reported_at == RECEIVED_AT
    return sample(message).measured_at is None


def has_identity(message: Inbound, identity: list[object]) -> bool:
    return list(sample(message).key) == [*identity[:3], str(identity[3])]


def answerable(message: Inbound, ack: Mapping[str, object]) -> bool:
    epoch = heartbeat(message).handover_epoch or 1
    return epoch >= 1 if ack["handover_epoch"] == ">=1" else epoch == ack["handover_epoch"]


EXPECTATIONS: Mapping[str, Callable[[Inbound, Any], bool]] = {
    "sensor_type": lambda message, name: sample(message).key.sensor_type == name,
    "gpio": lambda message, gpio: sample(message).key.gpio == gpio,
    "raw": lambda message, raw: sample(message).raw_value == raw,
    "value": has_value,
    "use": uses,
    "raw_mode": lambda message, raw_mode: uses(message, "raw" if raw_mode else "value"),
    "identity": has_identity,
    "quality": lambda message, word: sample(message).device_quality.value == word.upper(),
    "ts": has_unknown_clock,
    "ts_unit": lambda message, _: (
        sample(message).measured_at == datetime(2025, 1, 2, 11, 40, tzinfo=UTC)
    ),
    "duplicate_key_ignores": lambda message, _: sample(message).sequence is None,
    "heap_free": lambda message, heap: heartbeat(message).health.free_heap_bytes == heap,
    "sensor_count": lambda message, count: heartbeat(message).health.sensor_count == count,
    "actuator_count": lambda message, count: heartbeat(message).health.actuator_count == count,
    "ack": answerable,
    "offline_if": lambda message, _: isinstance(message, LastWill),
    "classify": lambda message, word: (
        word == "noop" and isinstance(message, ConfigAnswer) and message.empty
    ),
    "esp_id": lambda message, esp_id: isinstance(message, FromDevice) and message.esp_id == esp_id,
    "severity": lambda message, word: (
        isinstance(message, DeviceError) and message.severity == word.upper()
    ),
    "intent_id": lambda message, _: isinstance(message, IntentOutcome) and message.synthetic,
    "state": lambda message, on: isinstance(message, ActuatorReport) and message.is_active is on,
}


# ---------------------------------------------------------------- what the server says


@by_id([golden for golden in TO_DEVICE if golden["valid"]])
def test_what_devices_understand_is_what_the_server_writes(golden: Golden) -> None:
    outgoing = encode(decode_outbound(topic_of(golden), payload_of(golden)))
    assert outgoing.topic == golden["topic"]
    assert json.loads(outgoing.payload) == golden["payload"]
    assert outgoing.qos >= golden["qos"]
    assert outgoing.retain == golden["retain"]


@by_id([golden for golden in TO_DEVICE if not golden["valid"]])
def test_what_devices_would_refuse_or_misread_is_never_written(golden: Golden) -> None:
    with pytest.raises(MalformedPayloadError, match=r"\w+ \w+"):
        decode_outbound(topic_of(golden), payload_of(golden))
