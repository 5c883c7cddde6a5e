"""Payloads: no bytes can do harm, and whatever is refused is refused with a reason."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt_bridge.messages import Empty, Outbound
from mqtt_bridge.payloads import LARGEST_PAYLOAD, MalformedPayloadError, decode, decode_outbound
from mqtt_bridge.payloads.fields import pin_of
from mqtt_bridge.topics import Direction, Kind
from tests.wire import ESP, NOW, SMALLEST, read, refusal, topic_of

INBOUND = [kind for kind in Kind if kind.route.direction is Direction.TO_SERVER]
OUTBOUND = [kind for kind in Kind if kind.route.direction is Direction.TO_DEVICE]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "on",
            "pwm",
            "offline",
            "PWM",
            "ON",
            "good",
            "nan",
            "\ud800",
            "a\x00b",
            "1e400",
            "12",
            "28FF641E8D3C0C79",
        ]
    )
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
known_keys = st.sampled_from(
    [
        *("active_handover_epoch", "actuator_count", "actuator_type", "alert_type", "command"),
        *("config_available", "config_status", "correlation_id", "duration", "emergency"),
        *("esp_id", "gpio", "handover_epoch", "heap", "i2c_address", "intent_id", "issued_by"),
        *("message", "onewire_address", "processed_value", "pwm", "quality", "raw", "raw_mode"),
        *("raw_value", "reason", "runtime_ms", "safe_mode", "sensor_type", "sensors", "seq"),
        *("server_time", "state", "status", "success", "system_state", "time_valid"),
        *("timestamp", "ts", "ts_ms", "type", "unit", "uptime", "value", "wifi_ip", "wifi_rssi"),
    ]
)
sensible = st.fixed_dictionaries(
    {
        "sensor_type": st.text(max_size=12) | st.just("ph"),
        "raw": st.floats(-1e16, 1e16) | st.integers(-(2**40), 2**40),
        "type": st.sampled_from(["pump", "pwm", "led"]),
        "state": st.sampled_from([True, False, "on", "off", "pwm"]),
        "success": st.booleans(),
        "status": st.sampled_from(["offline", "online"]),
        "handover_epoch": st.integers(-1, 5),
        "command": st.sampled_from(["ON", "OFF", "PWM"]),
        "value": st.floats(-0.5, 1.5),
    }
)
bodies = st.builds(
    lambda base, more: base | more, sensible, st.dictionaries(known_keys, anything, max_size=4)
)
payloads = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    anything.map(lambda value: json.dumps(value).encode()),
    bodies.map(lambda body: json.dumps(body).encode()),
    bodies.map(lambda body: json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")),
)


def leaves(value: object) -> Iterator[object]:
    """Return the plain values that a message is made of."""
    if isinstance(value, tuple):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from leaves(part)
    elif is_dataclass(value):
        for part in fields(value):
            yield from leaves(getattr(value, part.name))
    else:
        yield value


def attempt(read: Callable[[], object]) -> object:
    """Return a message, or why there is none."""
    try:
        return read()
    except MalformedPayloadError as error:
        return error


@given(st.sampled_from(Kind), payloads)
@settings(max_examples=1000)
def test_any_bytes_are_malformed_for_a_reason_or_a_message_that_can_be_stored(
    kind: Kind, payload: bytes
) -> None:
    outcome = attempt(lambda: decode(topic_of(kind), payload, NOW))
    for leaf in [str(outcome)] if isinstance(outcome, MalformedPayloadError) else leaves(outcome):
        if isinstance(leaf, str):
            assert leaf.isprintable()
            assert len(leaf) <= 500
        elif isinstance(leaf, int | float):
            assert math.isfinite(leaf)
            assert abs(leaf) < 2**63
        else:
            assert leaf is None or isinstance(leaf, datetime)
    assert str(outcome)


@given(st.sampled_from(Kind), payloads)
@settings(max_examples=300)
def test_any_bytes_are_malformed_or_an_order_that_the_server_might_have_given(
    kind: Kind, payload: bytes
) -> None:
    outcome = attempt(lambda: decode_outbound(topic_of(kind), payload))
    if kind in OUTBOUND:
        assert isinstance(outcome, Outbound | MalformedPayloadError)
    else:
        assert isinstance(outcome, MalformedPayloadError)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["arrays", "objects"])
@pytest.mark.parametrize("kind", Kind)
def test_a_payload_nested_without_end_is_malformed(kind: Kind, opening: bytes) -> None:
    payload = b'{"message":' + opening * (LARGEST_PAYLOAD // len(opening) - 10)
    reader = decode_outbound if kind in OUTBOUND else lambda topic, data: decode(topic, data, NOW)
    with pytest.raises(MalformedPayloadError):
        reader(topic_of(kind), payload)


@pytest.mark.parametrize("kind", INBOUND)
def test_a_cleared_retained_message_says_nothing(kind: Kind) -> None:
    assert decode(topic_of(kind), b"", NOW) == Empty()


@pytest.mark.parametrize("kind", INBOUND)
def test_a_payload_of_absurd_size_is_not_even_looked_at(kind: Kind) -> None:
    with pytest.raises(MalformedPayloadError, match="16385 bytes are more than the 16384 allowed"):
        decode(topic_of(kind), b" " * (LARGEST_PAYLOAD + 1), NOW)


@pytest.mark.parametrize("kind", OUTBOUND)
def test_what_the_server_says_is_not_for_the_server(kind: Kind) -> None:
    assert refusal(kind, {}) == "this is for devices, not for the server"


@pytest.mark.parametrize("kind", [kind for kind in INBOUND if "esp_id" in kind.levels])
def test_another_devices_name_in_the_payload_is_refused(kind: Kind) -> None:
    body = SMALLEST.get(kind, {})
    reason = refusal(kind, body | {"esp_id": "ESP_FFFFFF"})
    assert reason == f"esp_id 'ESP_FFFFFF' contradicts {ESP} in the topic"
    read(kind, body)
    read(kind, body | {"esp_id": ESP})
    read(kind, body | {"esp_id": ""})


@pytest.mark.parametrize("kind", [kind for kind in INBOUND if SMALLEST.get(kind)])
def test_what_is_needed_is_needed(kind: Kind) -> None:
    for missing in SMALLEST[kind]:
        without = {key: value for key, value in SMALLEST[kind].items() if key != missing}
        assert refusal(kind, without)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"raw": 1}, "Object missing required field sensor_type"),
        ({"sensor_type": "", "raw": 1}, "'' is not a sensor_type"),
        ({"sensor_type": "p h", "raw": 1}, "'p h' is not a sensor_type"),
        ({"sensor_type": "ph"}, "there is neither a raw value nor one that the device calls final"),
        ({"sensor_type": "ph", "raw": True}, "raw: expected float | null, got bool"),
        ({"sensor_type": "ph", "raw": 1, "gpio": 5}, "gpio 5 contradicts 4 in the topic"),
        ({"sensor_type": "ph", "raw": 1, "seq": -1}, "seq: expected int >= 0"),
        ({"sensor_type": "ph", "raw": 1, "gpio": 256}, "gpio: expected int <= 255"),
    ],
)
def test_the_reason_is_written_for_people(body: object, reason: str) -> None:
    assert refusal(Kind.SENSOR_DATA, body) == reason


def test_text_that_is_none_is_named_as_such() -> None:
    with pytest.raises(MalformedPayloadError, match="its text is not UTF-8"):
        decode(topic_of(Kind.SENSOR_DATA), b'{"sensor_type":"\xff","raw":1}', NOW)


def test_a_message_about_a_pin_needs_a_topic_with_a_pin() -> None:
    with pytest.raises(ValueError, match="names no pin"):
        pin_of(topic_of(Kind.HEARTBEAT))
