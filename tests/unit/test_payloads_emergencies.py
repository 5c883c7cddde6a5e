"""Emergencies: the stop always goes out, short enough and in words that every generation obeys."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt_bridge.messages import (
    EmergencyAck,
    EmergencyAction,
    EmergencyBroadcast,
    EmergencyError,
    EmergencyOrder,
    EmergencyResponse,
    Empty,
    RecoveryConfirm,
)
from mqtt_bridge.payloads import MalformedPayloadError, clearing, decode_outbound, encode
from mqtt_bridge.payloads.fields import origin
from mqtt_bridge.topics import Direction, Kind, Topic
from tests.wire import ESP, NOW, read, topic_of

tokens = st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map(
    lambda token: token.replace('"', "x").replace("\\", "x")[:64]
)


@given(
    st.builds(
        EmergencyBroadcast,
        reason=st.text(max_size=300),
        issued_by=st.text(max_size=100),
        issued_at=st.none() | st.datetimes(datetime(2020, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is the other argument
        auth_token=tokens,
    )
)
def test_whatever_the_reason_a_stop_is_short_and_means_a_stop_to_all(
    stop: EmergencyBroadcast,
) -> None:
    topic, payload, qos, retain, expiry = encode(stop)
    assert topic == "kaiser/broadcast/emergency"
    assert 0 < len(payload) <= 150
    assert qos == 2
    assert not retain
    assert expiry is None, "a stop is right however late it comes"
    body = json.loads(payload)
    assert body["command"] == body["action"] == "emergency_stop"
    assert body.get("auth_token") == stop.auth_token
    assert all(isinstance(value, str) for value in body.values())


def test_a_usual_stop_says_who_why_and_when() -> None:
    stop = EmergencyBroadcast(reason="leak", issued_by="admin", issued_at=NOW)
    assert json.loads(encode(stop).payload) == {
        "command": "emergency_stop",
        "action": "emergency_stop",
        "timestamp": "2026-05-01T12:00:00Z",
        "reason": "leak",
        "issued_by": "admin",
    }


def test_a_long_reason_is_cut_and_the_stop_goes_out() -> None:
    body = json.loads(encode(EmergencyBroadcast(reason="water " * 100, issued_at=NOW)).payload)
    assert body["reason"].startswith("water water")
    assert body["timestamp"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command": "EMERGENCY_STOP", "action": "EMERGENCY_STOP"},
        {"command": "emergency_stop", "action": "stop_all"},
        {"command": "clear_emergency", "action": "clear_emergency"},
        {"command": "stop_all", "action": "stop_all", "auth_token": 7},
        {"command": "stop_all", "action": "stop_all", "timestamp": 1_776_900_000},
        {"command": "stop_all", "action": "stop_all", "timestamp": "yesterday"},
        {"command": "stop_all", "action": "stop_all", "reason": "x" * 150},
    ],
)
def test_a_broadcast_that_some_generation_would_not_obey_is_refused(body: object) -> None:
    with pytest.raises(MalformedPayloadError):
        decode_outbound(topic_of(Kind.BROADCAST_EMERGENCY), json.dumps(body).encode())


@pytest.mark.parametrize("word", ["emergency_stop", "stop_all"])
@pytest.mark.parametrize("key", ["command", "action"])
def test_one_word_is_enough_where_others_wrote_the_broadcast(key: str, word: str) -> None:
    payload = json.dumps({key: word, "reason": "leak"}).encode()
    stop = decode_outbound(topic_of(Kind.BROADCAST_EMERGENCY), payload)
    assert stop == EmergencyBroadcast(reason="leak")


@pytest.mark.parametrize("kind", [Kind.BROADCAST_EMERGENCY, Kind.EMERGENCY])
def test_an_empty_message_is_no_order(kind: Kind) -> None:
    with pytest.raises(MalformedPayloadError):
        decode_outbound(topic_of(kind), b"")


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind.route.direction is Direction.TO_DEVICE]
)
def test_nothing_that_devices_listen_to_is_ever_cleared(kind: Kind) -> None:
    with pytest.raises(ValueError, match="must never be cleared"):
        clearing(topic_of(kind))


def test_an_old_last_will_is_cleared_where_it_lies() -> None:
    will = Topic(Kind.WILL, "", ESP)
    assert clearing(will)[:4] == (f"kaiser//esp/{ESP}/system/will", b"", 1, True)


@pytest.mark.parametrize("action", EmergencyAction)
def test_an_order_to_one_device_carries_its_token_in_lower_case_words(
    action: EmergencyAction,
) -> None:
    order = EmergencyOrder(
        esp_id=ESP, kaiser_id="", command=action, auth_token=ESP, reason="test", correlation_id="e1"
    )
    outgoing = encode(order)
    assert outgoing.topic == f"kaiser//esp/{ESP}/actuator/emergency"
    assert json.loads(outgoing.payload) == {
        "command": action.value,
        "auth_token": ESP,
        "reason": "test",
        "correlation_id": "e1",
    }
    assert decode_outbound(Topic(Kind.EMERGENCY, "", ESP), outgoing.payload) == order


def test_an_order_without_a_token_is_not_sent() -> None:
    order = EmergencyOrder(esp_id=ESP, kaiser_id="god", command=EmergencyAction.STOP, auth_token="")
    with pytest.raises(MalformedPayloadError, match="auth_token"):
        encode(order)


def test_no_token_shows_in_logs() -> None:
    hush = "hush"
    order = EmergencyOrder(
        esp_id=ESP, kaiser_id="god", command=EmergencyAction.STOP, auth_token=hush
    )
    assert hush not in repr(order)
    assert hush not in repr(EmergencyBroadcast(auth_token=hush))


def test_the_answers_are_read() -> None:
    base = origin(topic_of(Kind.EMERGENCY_ACK), NOW)
    ack = {"command": "emergency_stop", "outcome": "executed", "gpio_count": 2}
    assert read(Kind.EMERGENCY_ACK, ack | {"correlation_id": "e1"}) == EmergencyAck(
        **base, command="emergency_stop", outcome="executed", stopped_pins=2, correlation_id="e1"
    )
    assert read(Kind.RECOVERY_CONFIRM, {"state": "cleared"}) == RecoveryConfirm(
        **base, state="cleared"
    )
    assert read(Kind.EMERGENCY_RESPONSE, {"status": "emergency_cleared"}) == EmergencyResponse(
        **base, status="emergency_cleared"
    )
    error = {"error": "unauthorized", "message": "bad token"}
    assert read(Kind.EMERGENCY_ERROR, error) == EmergencyError(
        **base, error="unauthorized", message="bad token"
    )
    assert read(Kind.EMERGENCY_ACK, ack | {"gpio_count": "many"}) != Empty()
