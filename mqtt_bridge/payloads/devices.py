"""Devices about themselves: heartbeats, sessions, last wills; and the server's answer.

A heartbeat proves life whatever its numbers are worth, so an unusable one is only left out.
Field names and their meaning: device protocol, sections 1.3 and 1.4.
"""

import re
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from domain.devices import (
    DeviceHealth,
    FirmwareEvidence,
    FirmwareGeneration,
    Heartbeat,
    LastWill,
)
from mqtt_bridge.messages import AckStatus, HeartbeatAck, SessionAnnounce
from mqtt_bridge.payloads.fields import (
    EARLIEST,
    LARGEST_WHOLE,
    Text,
    check_sender,
    fill,
    text,
    whole,
)
from mqtt_bridge.topics import Kind, Topic

LARGEST_ACK = 199
"""Bytes: devices parse an ack in 256 of the parser's own, which it also needs for the keys."""

_WORD_LIMIT = 64
_REASON_LIMIT = 200
_BETWEEN = re.compile(r"[:.-]")
_MAC = re.compile(r"[0-9A-F]{12}")

_EARLY_STATES = (
    "BOOT",
    "WIFI_SETUP",
    "WIFI_CONNECTED",
    "MQTT_CONNECTING",
    "MQTT_CONNECTED",
    "AWAITING_USER_CONFIG",
    "ZONE_CONFIGURED",
    "SENSORS_CONFIGURED",
)
_NEWEST_STATES = (
    *_EARLY_STATES,
    "CONFIG_PENDING_AFTER_RESET",
    "OPERATIONAL",
    "PENDING_APPROVAL",
    "LIBRARY_DOWNLOADING",
    "SAFE_MODE",
    "SAFE_MODE_PROVISIONING",
    "ERROR",
)
_OLDER_STATES = (*_EARLY_STATES, "OPERATIONAL")
"""Above these, older firmware disagrees with itself (device protocol, section 5.3)."""

_CLOCK_ERROR = 86_400
"""Seconds that a device's clock may differ from the server's and still be one."""

_UPTIME_STEP = 2_000
"""Milliseconds by which two counts of the same uptime may differ; one is in whole seconds."""

_NOVEMBER = FirmwareEvidence(newest=FirmwareGeneration.NOVEMBER_2025)
_WINTER = FirmwareEvidence(FirmwareGeneration.DECEMBER_2025, FirmwareGeneration.FEBRUARY_2026)
_FEBRUARY = FirmwareEvidence(FirmwareGeneration.FEBRUARY_2026, FirmwareGeneration.FEBRUARY_2026)
_APRIL = FirmwareEvidence(oldest=FirmwareGeneration.APRIL_2026)

Epoch = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_WHOLE)]


class _Body(msgspec.Struct, kw_only=True):
    esp_id: str | None = None
    status: Any = None
    reason: Any = None
    state: Any = None
    system_state: Any = None
    config_status: Any = None
    safe_mode: Any = None
    uptime: Any = None
    uptime_seconds: Any = None
    heap_free: Any = None
    heap: Any = None
    free_heap: Any = None
    wifi_rssi: Any = None
    wifi_ip: Any = None
    ip_address: Any = None
    ip: Any = None
    mac_address: Any = None
    mac: Any = None
    firmware_version: Any = None
    fw_version: Any = None
    hardware_type: Any = None
    board: Any = None
    sensor_count: Any = None
    sensors_active: Any = None
    sensors_configured: Any = None
    actuator_count: Any = None
    actuators_active: Any = None
    actuators_configured: Any = None
    active_handover_epoch: Any = None
    boot_sequence_id: Any = None
    reset_reason: Any = None
    time_valid: Any = None
    gpio_status: Any = None
    zone_assigned: Any = None
    seq: Any = None
    ts: Any = None


class _Announce(msgspec.Struct, kw_only=True):
    handover_epoch: Epoch
    esp_id: str | None = None
    reason: str | None = None


class _Ack(msgspec.Struct, kw_only=True):
    status: AckStatus
    handover_epoch: Epoch
    server_time: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] = 0
    config_available: bool = False
    error: Text | UnsetType = UNSET


_BODY = msgspec.json.Decoder(_Body)
_ANNOUNCE = msgspec.json.Decoder(_Announce, strict=False)
_ACK = msgspec.json.Decoder(_Ack)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.HEARTBEAT: _Body,
    Kind.SHORT_HEARTBEAT: _Body,
    Kind.STATUS: _Body,
    Kind.WILL: _Body,
    Kind.SESSION_ANNOUNCE: _Announce,
    Kind.HEARTBEAT_ACK: _Ack,
}


def heartbeat(topic: Topic, payload: bytes, received_at: datetime) -> Heartbeat:
    """Read a heartbeat."""
    return _heartbeat(topic, _body(topic, payload), received_at)


def status(topic: Topic, payload: bytes, received_at: datetime) -> Heartbeat | LastWill:
    """Read a status report: a sign of life, unless it is the last will of documented firmware."""
    body = _body(topic, payload)
    if _offline(body):
        return _last_will(topic, body, received_at)
    return _heartbeat(topic, body, received_at)


def will(topic: Topic, payload: bytes, received_at: datetime) -> LastWill:
    """Read a last will.

    Its own time is left aside: it tells when the device connected, not when it was lost.
    """
    body = _body(topic, payload)
    if not _offline(body):
        raise ValueError("a last will must have the status offline")
    return _last_will(topic, body, received_at)


def announce(topic: Topic, payload: bytes, received_at: datetime) -> SessionAnnounce:
    """Read the start of a session."""
    body = _ANNOUNCE.decode(payload)
    check_sender(topic, body.esp_id)
    return SessionAnnounce(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        handover_epoch=body.handover_epoch,
        reason=text(body.reason, _WORD_LIMIT),
    )


def ack(topic: Topic, payload: bytes) -> HeartbeatAck:
    """Read an ack as strictly as newest firmware does."""
    body = _ACK.decode(payload)
    return HeartbeatAck(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        status=body.status,
        handover_epoch=body.handover_epoch,
        server_time=body.server_time,
        config_available=body.config_available,
        error=body.error or "",
    )


def ack_body(message: HeartbeatAck) -> msgspec.Struct:
    """Return an ack's fields; few and short, since devices parse them in 256 bytes."""
    body = _Ack(
        status=message.status,
        handover_epoch=message.handover_epoch,
        server_time=message.server_time,
        config_available=message.config_available,
    )
    fill(body, "error", text(message.error, _REASON_LIMIT), LARGEST_ACK)
    return body


def _body(topic: Topic, payload: bytes) -> _Body:
    body = _BODY.decode(payload)
    check_sender(topic, body.esp_id)
    return body


def _offline(body: _Body) -> bool:
    return text(body.status, _WORD_LIMIT).lower() == "offline"


def _last_will(topic: Topic, body: _Body, received_at: datetime) -> LastWill:
    return LastWill(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        reason=text(body.reason, _REASON_LIMIT) or "connection lost",
        firmware=_by_will(topic, body),
    )


def _by_will(topic: Topic, body: _Body) -> FirmwareEvidence | None:
    if topic.kind is not Kind.WILL:
        return None  # the documented place, which no firmware uses
    return _APRIL if body.esp_id else _WINTER


def _heartbeat(topic: Topic, body: _Body, received_at: datetime) -> Heartbeat:
    return Heartbeat(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        health=_health(body, received_at),
        ip_address=_ip_address(body.wifi_ip, body.ip_address, body.ip),
        handover_epoch=whole(body.active_handover_epoch, lowest=1),
        mac_address=_mac_address(body.mac_address, body.mac),
        firmware_version=_word(body.firmware_version, body.fw_version),
        hardware_type=_word(body.hardware_type, body.board),
        firmware=_firmware(body, received_at),
    )


def _firmware(body: _Body, received_at: datetime) -> FirmwareEvidence | None:
    """Return which generations send such a heartbeat, by the keys that each of them added."""
    if body.active_handover_epoch is not None or body.time_valid is not None:
        return _APRIL
    if body.seq is not None:
        return _FEBRUARY
    if any(each is not None for each in (body.gpio_status, body.config_status, body.wifi_ip)):
        return _WINTER
    if body.zone_assigned is None:
        return None
    ts = whole(body.ts, highest=2**32 - 1) or 0
    return _by_clock(ts, whole(body.uptime), received_at)


def _by_clock(ts: int, uptime: int | None, received_at: datetime) -> FirmwareEvidence | None:
    """Only the first generation counts milliseconds from boot; others know the date, or say 0.

    After 18 days such a count looks like a date, too: then it is known by the uptime beside it.
    """
    counts_up = uptime is not None and abs(ts - uptime * 1000) <= _UPTIME_STEP
    since_boot = 0 < ts < EARLIEST or (ts > 0 and counts_up)
    if since_boot and abs(ts - received_at.timestamp()) <= _CLOCK_ERROR:
        return None  # for three minutes in fifty days it could be either
    return _NOVEMBER if since_boot else _WINTER


def _health(body: _Body, received_at: datetime) -> DeviceHealth:
    state = _system_state(body)
    return DeviceHealth(
        reported_at=received_at,
        system_state=state,
        uptime_seconds=whole(body.uptime, body.uptime_seconds),
        free_heap_bytes=whole(body.heap_free, body.heap, body.free_heap),
        wifi_rssi_dbm=whole(body.wifi_rssi, lowest=-128, highest=127),
        safe_mode=body.safe_mode is True or state.startswith("SAFE_MODE"),
        sensor_count=whole(body.sensor_count, body.sensors_active, body.sensors_configured),
        actuator_count=whole(body.actuator_count, body.actuators_active, body.actuators_configured),
        boot_sequence_id=text(body.boot_sequence_id, _WORD_LIMIT) or None,
        reset_reason=text(body.reset_reason, _WORD_LIMIT).upper() or None,
    )


def _system_state(body: _Body) -> str:
    """Return the state as a word; the numbers mean what the firmware generation says they mean."""
    word = text(body.state, _WORD_LIMIT) or text(body.system_state, _WORD_LIMIT)
    if word:
        return word.upper()
    number = (
        whole(body.config_status.get("state")) if isinstance(body.config_status, dict) else None
    )
    if number is None:
        return "UNKNOWN"
    states = _OLDER_STATES if body.active_handover_epoch is None else _NEWEST_STATES
    return states[number] if number < len(states) else f"STATE_{number}"


def _ip_address(*values: object) -> str | None:
    for value in values:
        with suppress(ValueError):
            return str(ip_address(text(value, _WORD_LIMIT)))
    return None


def _mac_address(*values: object) -> str | None:
    """Return an address as people write it, whatever stands between its digits."""
    for value in values:
        digits = _BETWEEN.sub("", text(value, _WORD_LIMIT)).upper()
        if _MAC.fullmatch(digits):
            return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return None


def _word(*values: object) -> str | None:
    return next((word for value in values if (word := text(value, _WORD_LIMIT))), None)
