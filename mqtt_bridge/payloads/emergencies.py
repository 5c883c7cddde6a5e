"""Emergencies: the one stop that every generation obeys, orders to one device, and their answers.

What each generation obeys: device protocol, sections 1.8 and 3.5. No payload here is ever empty:
an empty one, which others use to clear a retained message, stops the earliest devices.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from mqtt_bridge.messages import (
    EmergencyAck,
    EmergencyAction,
    EmergencyBroadcast,
    EmergencyError,
    EmergencyOrder,
    EmergencyResponse,
    RecoveryConfirm,
)
from mqtt_bridge.payloads.fields import (
    MESSAGE_LIMIT,
    WORD_LIMIT,
    Text,
    Word,
    check_sender,
    fill,
    origin,
    whole,
)
from mqtt_bridge.payloads.fields import text as clean
from mqtt_bridge.topics import Kind, Topic

LARGEST_BROADCAST = 150
"""Bytes: builds before the spring of 2026 fail to parse more, and then do not stop."""

_STOPS = frozenset({"emergency_stop", "stop_all"})
_REASON_LIMIT = 64


class _Broadcast(msgspec.Struct, kw_only=True):
    # Newest firmware takes either word, and takes offence when they differ.
    command: str | UnsetType = UNSET
    action: str | UnsetType = UNSET
    auth_token: Word | UnsetType = UNSET
    reason: Text | UnsetType = UNSET
    issued_by: Text | UnsetType = UNSET
    timestamp: Text | UnsetType = UNSET


class _Order(msgspec.Struct, kw_only=True):
    command: EmergencyAction
    auth_token: Word
    reason: Text | UnsetType = UNSET
    correlation_id: Word | UnsetType = UNSET


class _Ack(msgspec.Struct, kw_only=True):
    command: str
    outcome: str
    esp_id: str | None = None
    gpio_count: Any = None
    correlation_id: Any = None


class _Recovery(msgspec.Struct, kw_only=True):
    state: str
    esp_id: str | None = None
    correlation_id: Any = None


class _Response(msgspec.Struct, kw_only=True):
    status: str
    esp_id: str | None = None


class _Error(msgspec.Struct, kw_only=True):
    error: str
    esp_id: str | None = None
    message: Any = None


_BROADCAST = msgspec.json.Decoder(_Broadcast)
_ORDER = msgspec.json.Decoder(_Order)
_ACK = msgspec.json.Decoder(_Ack)
_RECOVERY = msgspec.json.Decoder(_Recovery)
_RESPONSE = msgspec.json.Decoder(_Response)
_ERROR = msgspec.json.Decoder(_Error)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.BROADCAST_EMERGENCY: _Broadcast,
    Kind.EMERGENCY: _Order,
    Kind.EMERGENCY_ACK: _Ack,
    Kind.RECOVERY_CONFIRM: _Recovery,
    Kind.EMERGENCY_RESPONSE: _Response,
    Kind.EMERGENCY_ERROR: _Error,
}


def broadcast(_: Topic, payload: bytes) -> EmergencyBroadcast:
    """Read a broadcast as the most demanding of all generations."""
    body = _BROADCAST.decode(payload)
    words = {body.command, body.action} - {UNSET}
    if not words or not words <= _STOPS:
        raise ValueError("it does not say emergency_stop or stop_all, in lower case")
    if len(words) > 1:
        raise ValueError("command and action differ")
    return EmergencyBroadcast(
        reason=body.reason or "",
        issued_by=body.issued_by or "",
        issued_at=datetime.fromisoformat(body.timestamp) if body.timestamp else None,
        auth_token=body.auth_token or None,
    )


def broadcast_body(message: EmergencyBroadcast) -> msgspec.Struct:
    """Return a broadcast's fields, with as much of its text as fits."""
    body = _Broadcast(
        command=EmergencyAction.STOP.value,
        action=EmergencyAction.STOP.value,
        auth_token=message.auth_token or UNSET,
    )
    if message.issued_at is not None:
        stamp = message.issued_at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
        fill(body, "timestamp", stamp, LARGEST_BROADCAST, cut=False)
    fill(body, "reason", clean(message.reason, _REASON_LIMIT), LARGEST_BROADCAST)
    fill(body, "issued_by", clean(message.issued_by, _REASON_LIMIT), LARGEST_BROADCAST)
    return body


def order(topic: Topic, payload: bytes) -> EmergencyOrder:
    """Read an order as newest firmware does."""
    body = _ORDER.decode(payload)
    return EmergencyOrder(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        command=body.command,
        auth_token=body.auth_token,
        reason=body.reason or "",
        correlation_id=body.correlation_id or None,
    )


def order_body(message: EmergencyOrder) -> msgspec.Struct:
    """Return an order's fields."""
    return _Order(
        command=message.command,
        auth_token=message.auth_token,
        reason=clean(message.reason, _REASON_LIMIT) or UNSET,
        correlation_id=message.correlation_id or UNSET,
    )


def ack(topic: Topic, payload: bytes, received_at: datetime) -> EmergencyAck:
    """Read that an order was carried out."""
    body = _ACK.decode(payload)
    check_sender(topic, body.esp_id)
    return EmergencyAck(
        **origin(topic, received_at),
        command=clean(body.command, WORD_LIMIT).lower(),
        outcome=clean(body.outcome, WORD_LIMIT).lower(),
        stopped_pins=whole(body.gpio_count, highest=256),
        correlation_id=clean(body.correlation_id, WORD_LIMIT) or None,
    )


def recovery(topic: Topic, payload: bytes, received_at: datetime) -> RecoveryConfirm:
    """Read that an emergency is over on a device."""
    body = _RECOVERY.decode(payload)
    check_sender(topic, body.esp_id)
    return RecoveryConfirm(
        **origin(topic, received_at),
        state=clean(body.state, WORD_LIMIT).lower(),
        correlation_id=clean(body.correlation_id, WORD_LIMIT) or None,
    )


def response(topic: Topic, payload: bytes, received_at: datetime) -> EmergencyResponse:
    """Read what an order led to."""
    body = _RESPONSE.decode(payload)
    check_sender(topic, body.esp_id)
    return EmergencyResponse(
        **origin(topic, received_at),
        status=clean(body.status, WORD_LIMIT).lower(),
    )


def error(topic: Topic, payload: bytes, received_at: datetime) -> EmergencyError:
    """Read that an order was refused."""
    body = _ERROR.decode(payload)
    check_sender(topic, body.esp_id)
    return EmergencyError(
        **origin(topic, received_at),
        error=clean(body.error, WORD_LIMIT).lower(),
        message=clean(body.message, MESSAGE_LIMIT),
    )
