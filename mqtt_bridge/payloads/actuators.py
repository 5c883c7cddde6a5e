"""Actuators: what devices report of their pins, and the commands that the server sends.

Field names and their meaning: device protocol, section 1.7.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from domain.actuators import (
    LONGEST_DURATION,
    MODES,
    VALUE_DIGITS,
    ActuatorMode,
    ActuatorReport,
    CommandAction,
    CommandResponse,
    EmergencyPhase,
    Pin,
)
from domain.devices import FirmwareEvidence, FirmwareGeneration
from mqtt_bridge.messages import ActuatorAlert, ActuatorCommand
from mqtt_bridge.payloads import fields
from mqtt_bridge.payloads.fields import (
    EARLIEST,
    Fraction,
    check_sender,
    first,
    pin_of,
    text,
    whole,
)
from mqtt_bridge.topics import Kind, Topic

STEP = VALUE_DIGITS
"""Decimals of a value on the wire: finer ones would be written with an exponent.

Old firmware searches the payload for digits, and would read the 1 of `1e-05` as full power.
"""

_WORD_LIMIT = 64
_MESSAGE_LIMIT = 500
_FULL_PWM = 255
_VALVE_STEP = 127
_VALVE_OPEN = 2
_WHOLE_DEVICE = 255
_STATES = {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False}

_Word = Annotated[str, msgspec.Meta(max_length=_WORD_LIMIT)]


class _Report(msgspec.Struct, kw_only=True):
    state: bool | int | str
    esp_id: str | None = None
    gpio: fields.Pin | None = None
    type: str | None = None
    actuator_type: str | None = None
    pwm: Annotated[float, msgspec.Meta(ge=0, le=_FULL_PWM)] | None = None
    value: Fraction | None = None
    runtime_ms: Annotated[float, msgspec.Meta(ge=0, le=fields.LARGEST)] | None = None
    emergency: str | None = None
    ts: Any = None
    seq: Any = None


class _Response(msgspec.Struct, kw_only=True):
    success: bool
    esp_id: str | None = None
    gpio: fields.Pin | None = None
    command: Any = None
    value: Any = None
    message: Any = None
    correlation_id: Any = None
    ts: Any = None
    seq: Any = None


class _Alert(msgspec.Struct, kw_only=True):
    esp_id: str | None = None
    gpio: fields.Pin | None = None
    type: str | None = None
    alert_type: str | None = None
    message: Any = None


class _Command(msgspec.Struct, kw_only=True):
    command: str
    value: Fraction
    duration: Annotated[int, msgspec.Meta(ge=0, le=int(LONGEST_DURATION.total_seconds()))] = 0
    timestamp: Annotated[int, msgspec.Meta(ge=0)] | UnsetType = UNSET
    issued_by: _Word | UnsetType = UNSET
    correlation_id: _Word | UnsetType = UNSET
    intent_id: _Word | UnsetType = UNSET


_NOVEMBER = FirmwareEvidence(newest=FirmwareGeneration.NOVEMBER_2025)
_LATER = FirmwareEvidence(oldest=FirmwareGeneration.DECEMBER_2025)
_SEQUENCED = FirmwareEvidence(oldest=FirmwareGeneration.FEBRUARY_2026)

_REPORT = msgspec.json.Decoder(_Report, strict=False)
_RESPONSE = msgspec.json.Decoder(_Response, strict=False)
_ALERT = msgspec.json.Decoder(_Alert, strict=False)
_COMMAND = msgspec.json.Decoder(_Command)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.ACTUATOR_STATUS: _Report,
    Kind.ACTUATOR_RESPONSE: _Response,
    Kind.ACTUATOR_ALERT: _Alert,
    Kind.ACTUATOR_COMMAND: _Command,
}


def report(topic: Topic, payload: bytes, received_at: datetime) -> ActuatorReport:
    """Read what a pin does."""
    body = _REPORT.decode(payload)
    check_sender(topic, body.esp_id, body.gpio)
    actuator_type = text(first(body.actuator_type, body.type), _WORD_LIMIT).lower()
    if not actuator_type:
        raise ValueError("the type of the actuator is missing")
    active = _active(body)
    return ActuatorReport(
        pin=_pin(topic),
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        actuator_type=actuator_type,
        value=_value(body, actuator_type) if active else 0.0,
        is_active=active,
        emergency=_emergency(body.emergency),
        runtime_ms=body.runtime_ms,
        firmware=_firmware(body),
    )


def response(topic: Topic, payload: bytes, received_at: datetime) -> CommandResponse:
    """Read the answer to a command.

    Only whether it succeeded must be there; whatever else cannot be used is left out, since
    somebody waits for the answer.
    """
    body = _RESPONSE.decode(payload)
    check_sender(topic, body.esp_id, body.gpio)
    return CommandResponse(
        pin=_pin(topic),
        received_at=received_at,
        success=body.success,
        message=text(body.message, _MESSAGE_LIMIT),
        correlation_id=text(body.correlation_id, _WORD_LIMIT) or None,
        action=text(body.command, _WORD_LIMIT).upper() or None,
        value=_fraction(body.value),
        firmware=_firmware(body),
    )


def alert(topic: Topic, payload: bytes, received_at: datetime) -> ActuatorAlert:
    """Read an alert."""
    body = _ALERT.decode(payload)
    check_sender(topic, body.esp_id, body.gpio)
    alert_type = text(first(body.alert_type, body.type), _WORD_LIMIT).lower()
    if not alert_type:
        raise ValueError("the type of the alert is missing")
    return ActuatorAlert(
        pin=_pin(topic),
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        alert_type=alert_type,
        message=text(body.message, _MESSAGE_LIMIT),
        firmware=_LATER if body.alert_type else _NOVEMBER,
    )


def command(topic: Topic, payload: bytes) -> ActuatorCommand:
    """Read a command as a device does."""
    body = _COMMAND.decode(payload)
    pin = _pin(topic)
    word = body.command.upper()
    if word not in CommandAction.__members__:
        raise ValueError(f"{word[:40]!r} is not a command")
    if pin.gpio == _WHOLE_DEVICE:
        raise ValueError("pin 255 is the whole device, and takes no command")
    return ActuatorCommand(
        esp_id=pin.esp_id,
        kaiser_id=topic.kaiser_id,
        gpio=pin.gpio,
        action=CommandAction(word),
        value=body.value,
        duration=body.duration,
        correlation_id=body.correlation_id or None,
        issued_by=body.issued_by or "",
        timestamp=body.timestamp or 0,
    )


def command_body(message: ActuatorCommand) -> msgspec.Struct:
    """Return a command's fields, those that old firmware searches for first.

    Raises:
        ValueError: It would not do the same thing when delivered twice.
    """
    if message.action is CommandAction.TOGGLE:
        raise ValueError("TOGGLE must be resolved to ON or OFF before it is sent")
    correlation_id = message.correlation_id or UNSET
    return _Command(
        command=message.action.value,
        value=round(message.value, STEP),
        duration=message.duration,
        timestamp=message.timestamp or UNSET,
        issued_by=message.issued_by or UNSET,
        correlation_id=correlation_id,
        intent_id=correlation_id,
    )


def _firmware(body: _Report | _Response) -> FirmwareEvidence | None:
    if body.seq is not None:
        return _SEQUENCED
    # Only the first generation counts from boot; after 18 days that, too, looks like a date.
    since_boot = 0 < (whole(body.ts) or 0) < EARLIEST
    return _NOVEMBER if since_boot and body.esp_id is not None else None


def _pin(topic: Topic) -> Pin:
    return Pin(topic.esp_id, pin_of(topic))


def _active(body: _Report) -> bool:
    word = str(body.state).lower()
    if word == "pwm":
        return _power(body) != 0
    if word in _STATES:
        return _STATES[word]
    raise ValueError(f"the state {str(body.state)[:40]!r} is neither on nor off")


def _value(body: _Report, actuator_type: str) -> float:
    """Return what an active pin gives, 0.0 .. 1.0.

    Pumps and relays are fully on, whatever their firmware puts into `pwm`: 0 in the document, 255
    in the firmware. Valves put their position there, 127 for each of two steps; one that stands in
    the middle is half open, though it can only be told to open and to close.
    """
    power = _power(body)
    if actuator_type == "valve" and body.pwm:
        return min(1.0, round(body.pwm / _VALVE_STEP) / _VALVE_OPEN) or 1.0
    if power is None or MODES.get(actuator_type) is ActuatorMode.DIGITAL:
        return 1.0
    return power


def _power(body: _Report) -> float | None:
    return body.value if body.pwm is None else body.pwm / _FULL_PWM


def _emergency(word: str | None) -> EmergencyPhase:
    if not word:
        return EmergencyPhase.NORMAL
    try:
        return EmergencyPhase(word.upper())
    except ValueError:
        raise ValueError(f"{word[:40]!r} is not a phase of an emergency") from None


def _fraction(value: object) -> float | None:
    try:
        return msgspec.convert(value, Fraction, strict=False)
    except msgspec.ValidationError:
        return None
