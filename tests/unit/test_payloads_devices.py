"""Devices about themselves: heartbeats, sessions and last wills, and the acks they get."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.devices import DeviceHealth, Heartbeat, LastWill
from mqtt_bridge.messages import AckStatus, HeartbeatAck, Outgoing, SessionAnnounce
from mqtt_bridge.payloads import decode_outbound, encode
from mqtt_bridge.topics import Kind, parse
from tests.wire import ESP, NOW, SECONDS, read, refusal

UNUSABLE: tuple[object, ...] = ("lots", True, -200, 2**31, 1.5, [], None, {})


def health(**body: object) -> DeviceHealth:
    message = read(Kind.HEARTBEAT, body)
    assert isinstance(message, Heartbeat)
    return message.health


@pytest.mark.parametrize(
    ("field", "keys"),
    [
        ("free_heap_bytes", ["heap", "heap_free", "free_heap"]),
        ("uptime_seconds", ["uptime", "uptime_seconds"]),
        ("sensor_count", ["sensor_count", "sensors_active", "sensors_configured"]),
        ("actuator_count", ["actuator_count", "actuators_active", "actuators_configured"]),
        ("wifi_rssi_dbm", ["wifi_rssi"]),
    ],
)
def test_every_generations_name_for_a_metric_is_known(field: str, keys: list[str]) -> None:
    for key in keys:
        assert getattr(health(**{key: 42}), field) == 42
        assert getattr(health(**{key: "42"}), field) == 42
        for unusable in UNUSABLE:
            assert getattr(health(**{key: unusable}), field) is None


def test_a_heartbeat_without_a_single_number_still_proves_life() -> None:
    assert read(Kind.HEARTBEAT, {}) == Heartbeat(
        esp_id=ESP, kaiser_id="god", received_at=NOW, health=DeviceHealth(reported_at=NOW)
    )


@pytest.mark.parametrize(
    ("active", "epoch"),
    [(4, 4), (1, 1), (0, None), (-1, None), (None, None), ("4", 4), (True, None), (2**31, None)],
)
def test_a_heartbeat_names_the_epoch_that_is_active_or_none(
    active: object, epoch: int | None
) -> None:
    message = read(Kind.HEARTBEAT, {"active_handover_epoch": active})
    assert isinstance(message, Heartbeat)
    assert message.handover_epoch == epoch


def test_a_heartbeat_tells_which_boot_it_is_and_why() -> None:
    told = health(boot_sequence_id="ESP_12AB34-b7-r2", reset_reason="brownout")
    assert (told.boot_sequence_id, told.reset_reason) == ("ESP_12AB34-b7-r2", "BROWNOUT")
    nothing: tuple[object, ...] = ("", 5, None, [])
    for unusable in nothing:
        told = health(boot_sequence_id=unusable, reset_reason=unusable)
        assert (told.boot_sequence_id, told.reset_reason) == (None, None)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"state": "operational"}, "OPERATIONAL"),
        ({"system_state": "SAFE_MODE"}, "SAFE_MODE"),
        ({"config_status": {"state": 9}, "active_handover_epoch": 0}, "OPERATIONAL"),
        ({"config_status": {"state": 8}}, "OPERATIONAL"),
        ({"config_status": {"state": 9}}, "STATE_9"),
        ({"config_status": {"state": 4}}, "MQTT_CONNECTED"),
        ({"config_status": {"state": 99}, "active_handover_epoch": 1}, "STATE_99"),
        ({"config_status": 5}, "UNKNOWN"),
        ({}, "UNKNOWN"),
    ],
)
def test_a_states_number_is_read_by_the_firmware_generation(
    body: Mapping[str, object], state: str
) -> None:
    assert health(**body).system_state == state
    assert health(**body).safe_mode is (state == "SAFE_MODE")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"wifi_ip": "10.0.0.7"}, {"ip_address": "10.0.0.7"}),
        ({"ip_address": "10.0.0.7"}, {"ip_address": "10.0.0.7"}),
        ({"ip": "fe80::1", "wifi_ip": "unset"}, {"ip_address": "fe80::1"}),
        ({"mac_address": "24:6f:28:12:ab:34"}, {"mac_address": "24:6F:28:12:AB:34"}),
        ({"mac": "24-6F-28-12-AB-34"}, {"mac_address": "24:6F:28:12:AB:34"}),
        ({"mac": "246f2812ab34"}, {"mac_address": "24:6F:28:12:AB:34"}),
        ({"mac": "24:6F:28:12:AB", "mac_address": 5}, {}),
        ({"firmware_version": "4.1.0"}, {"firmware_version": "4.1.0"}),
        ({"fw_version": " 4.1.0 ", "firmware_version": ""}, {"firmware_version": "4.1.0"}),
        ({"hardware_type": "ESP32_WROOM"}, {"hardware_type": "ESP32_WROOM"}),
        ({"board": "XIAO_ESP32_C3", "hardware_type": 3}, {"hardware_type": "XIAO_ESP32_C3"}),
    ],
)
@pytest.mark.parametrize("kind", [Kind.HEARTBEAT, Kind.STATUS])
def test_what_a_board_is_stands_under_several_names(
    kind: Kind, sent: Mapping[str, object], told: Mapping[str, object]
) -> None:
    message = read(kind, sent)
    assert isinstance(message, Heartbeat)
    names = ("ip_address", "mac_address", "firmware_version", "hardware_type")
    assert {name: getattr(message, name) for name in names} == {**dict.fromkeys(names), **told}


@pytest.mark.parametrize(
    ("sent", "kept"), [("192.168.0.7", "192.168.0.7"), ("somewhere", None), (7, None), ("", None)]
)
def test_an_address_is_kept_when_it_is_one(sent: object, kept: str | None) -> None:
    message = read(Kind.HEARTBEAT, {"wifi_ip": sent})
    assert isinstance(message, Heartbeat)
    assert message.ip_address == kept


@pytest.mark.parametrize("kind", [Kind.WILL, Kind.STATUS])
def test_a_last_will_is_dated_by_its_receipt(kind: Kind) -> None:
    message = read(kind, {"status": "offline", "reason": "unexpected_disconnect", "timestamp": 5})
    assert message == LastWill(
        esp_id=ESP, kaiser_id="god", received_at=NOW, reason="unexpected_disconnect"
    )


def test_a_last_will_without_a_reason_gets_one() -> None:
    message = read(Kind.WILL, {"status": "offline"})
    assert isinstance(message, LastWill)
    assert message.reason == "connection lost"


def test_a_signal_strength_that_no_radio_has_is_left_out() -> None:
    assert health(wifi_rssi=-61).wifi_rssi_dbm == -61
    assert health(wifi_rssi=-129).wifi_rssi_dbm is None
    assert health(wifi_rssi=128).wifi_rssi_dbm is None


def test_a_will_that_does_not_say_offline_is_none() -> None:
    assert refusal(Kind.WILL, {"status": "online"}) == "a last will must have the status offline"


def test_an_ordinary_status_is_a_sign_of_life() -> None:
    assert isinstance(read(Kind.STATUS, {"system_state": "OPERATIONAL"}), Heartbeat)


def test_an_announced_session_carries_its_epoch() -> None:
    assert read(Kind.SESSION_ANNOUNCE, {"handover_epoch": 4, "reason": "boot"}) == SessionAnnounce(
        esp_id=ESP, kaiser_id="god", received_at=NOW, handover_epoch=4, reason="boot"
    )
    for epoch in (0, -1, True, None, 2**31):
        refusal(Kind.SESSION_ANNOUNCE, {"handover_epoch": epoch})


# ---------------------------------------------------------------- what the server answers

ACK = HeartbeatAck(
    esp_id=ESP,
    kaiser_id="god",
    status=AckStatus.APPROVED,
    handover_epoch=4,
    server_time=SECONDS,
)

acks = st.builds(
    HeartbeatAck,
    esp_id=st.just(ESP),
    kaiser_id=st.sampled_from(["god", "", "relay 7"]),
    status=st.sampled_from(AckStatus),
    handover_epoch=st.integers(1, 2**31 - 1),
    server_time=st.integers(0, 2**32 - 1),
    config_available=st.booleans(),
)


@given(acks)
def test_a_device_reads_the_ack_that_the_server_wrote(ack: HeartbeatAck) -> None:
    outgoing = encode(ack)
    topic = parse(outgoing.topic)
    assert topic is not None
    assert decode_outbound(topic, outgoing.payload) == ack
    assert len(outgoing.payload) < 200, "the smallest parser has 256 bytes"


def test_an_ack_looks_as_firmware_expects_it() -> None:
    assert encode(ACK) == Outgoing(
        topic=f"kaiser/god/esp/{ESP}/system/heartbeat/ack",
        payload=b'{"status":"approved","handover_epoch":4,"server_time":1776900000,'
        b'"config_available":false}',
        qos=1,
        retain=False,
        expiry=timedelta(seconds=10),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"handover_epoch": 0},
        {"handover_epoch": -1},
        {"handover_epoch": 2**31},
        {"handover_epoch": True},
        {"server_time": -1},
        {"server_time": 2**32},
        {"esp_id": "esp_lower"},
    ],
)
def test_an_ack_that_would_mute_a_device_is_never_written(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encode(replace(ACK, **change))
