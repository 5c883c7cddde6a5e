"""Configurations: what the server says of a device's pins, and every form of the answer.

Field names and their meaning: device protocol, sections 1.9 and 5.2.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from domain.configs import (
    LARGEST_GENERATION,
    NO_PIN,
    ActuatorItem,
    ConfigAnswer,
    ConfigPart,
    DeviceConfig,
    ItemFailure,
    PinConfig,
    Section,
    SensorItem,
)
from mqtt_bridge.payloads import fields
from mqtt_bridge.payloads.fields import check_sender, first, pin_of, text, whole
from mqtt_bridge.topics import Kind, Topic

_WORD_LIMIT = 64
_MESSAGE_LIMIT = 500
_MOST_FAILURES = 256
_FULL_PWM = 255
_MS = 1000
_EMPTY_SECTION = "array is empty"
_NO_SECTION = "MISSING_FIELD"
_UNCARED_FOR = str.maketrans({'"': "'", "\\": "/"})
"""Firmware writes its own JSON without escaping: what it is told comes back as part of it."""

_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=_WORD_LIMIT)]
_Text = Annotated[str, msgspec.Meta(max_length=_WORD_LIMIT)]
_Pin = Annotated[int, msgspec.Meta(ge=0, le=NO_PIN - 1)]


class _Sensor(msgspec.Struct, kw_only=True):
    gpio: _Pin
    sensor_type: _Word
    sensor_name: _Word
    type: _Word | UnsetType = UNSET
    name: _Word | UnsetType = UNSET
    subzone_id: _Text | UnsetType = UNSET
    active: bool = True
    raw_mode: bool | UnsetType = UNSET
    measurement_interval_seconds: Annotated[int, msgspec.Meta(ge=1, le=300)] | UnsetType = UNSET
    onewire_address: _Word | UnsetType = UNSET
    i2c_address: Annotated[int, msgspec.Meta(ge=0, le=127)] | UnsetType = UNSET


class _Actuator(msgspec.Struct, kw_only=True):
    gpio: _Pin
    actuator_type: _Word
    actuator_name: _Word
    type: _Word | UnsetType = UNSET
    name: _Word | UnsetType = UNSET
    aux_gpio: fields.Pin = NO_PIN
    subzone_id: _Text | UnsetType = UNSET
    active: bool = True
    critical: bool = False
    inverted: bool = False
    default_state: bool = False
    default_pwm: Annotated[int, msgspec.Meta(ge=0, le=_FULL_PWM)] = 0
    max_runtime_ms: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] | UnsetType = UNSET


class _Config(msgspec.Struct, kw_only=True):
    sensors: list[_Sensor] | UnsetType = UNSET
    actuators: list[_Actuator] | UnsetType = UNSET
    config_id: _Word | UnsetType = UNSET
    correlation_id: _Word | UnsetType = UNSET
    generation: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_GENERATION)] | UnsetType = UNSET
    timestamp: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET


class _Part(msgspec.Struct, kw_only=True):
    config_id: _Word
    part_index: Annotated[int, msgspec.Meta(ge=0)]
    total_parts: Annotated[int, msgspec.Meta(ge=1)]
    part_data: str


class _PinConfig(msgspec.Struct, kw_only=True):
    enabled: bool = True
    interval_ms: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    sensor_type: _Word | UnsetType = UNSET
    actuator_type: _Word | UnsetType = UNSET


class _Answer(msgspec.Struct, kw_only=True):
    esp_id: str | None = None
    gpio: fields.Pin | None = None
    status: Any = None
    success: Any = None
    type: Any = None
    message: Any = None
    error: Any = None
    error_code: Any = None
    failed_item: Any = None
    failures: Any = None
    correlation_id: Any = None
    config_id: Any = None
    config_applied: bool | None = None
    failed_section: Any = None
    error_details: Any = None


_CONFIG = msgspec.json.Decoder(_Config)
_PART = msgspec.json.Decoder(_Part)
_PIN_CONFIG = msgspec.json.Decoder(_PinConfig)
_ANSWER = msgspec.json.Decoder(_Answer, strict=False)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.CONFIG: _Config,
    Kind.CONFIG_PART: _Part,
    Kind.CONFIG_SENSOR: _PinConfig,
    Kind.CONFIG_ACTUATOR: _PinConfig,
    Kind.CONFIG_RESPONSE: _Answer,
    Kind.CONFIG_ACK: _Answer,
    Kind.CONFIG_SENSOR_ACK: _Answer,
    Kind.CONFIG_ACTUATOR_ACK: _Answer,
}
_GOOD = {"success", "ok", "applied", "accepted", "true"}
_BAD = {"error", "failed", "failure", "partial_success", "rejected", "false"}
_SECTIONS = {
    "sensor": Section.SENSOR,
    "sensors": Section.SENSOR,
    "actuator": Section.ACTUATOR,
    "actuators": Section.ACTUATOR,
}


# ---------------------------------------------------------------- what devices say


def answer(topic: Topic, payload: bytes, received_at: datetime) -> ConfigAnswer:
    """Read the answer to a configuration, or to that of one pin."""
    body = _ANSWER.decode(payload)
    check_sender(topic, body.esp_id, body.gpio if topic.gpio is not None else None)
    section = _section_of(topic, body)
    success = _success(topic, body)
    message = text(first(body.message, body.error), _MESSAGE_LIMIT)
    code = "" if success else text(body.error_code, _WORD_LIMIT)
    failures = () if success else _failures(topic, body, section, message or code)
    return ConfigAnswer(
        esp_id=topic.esp_id,
        received_at=received_at,
        success=success,
        section=section,
        empty=not success
        and section is not None
        and (_EMPTY_SECTION in message.lower() or (code == _NO_SECTION and not failures)),
        failures=failures,
        listed=isinstance(body.failures, list) or body.config_applied is not None,
        code=code,
        message=message,
        correlation_id=text(body.correlation_id, _WORD_LIMIT)
        or text(body.config_id, _WORD_LIMIT)
        or None,
    )


def _section_of(topic: Topic, body: _Answer) -> Section | None:
    match topic.kind:
        case Kind.CONFIG_SENSOR_ACK:
            return Section.SENSOR
        case Kind.CONFIG_ACTUATOR_ACK:
            return Section.ACTUATOR
        case _:
            return _section(body.type)


def _section(word: object) -> Section | None:
    return _SECTIONS.get(text(word, _WORD_LIMIT).lower())


def _success(topic: Topic, body: _Answer) -> bool:
    if body.config_applied is not None:
        return body.config_applied and not body.error
    word = text(body.status, _WORD_LIMIT).lower() or str(body.success).lower()
    if word in _GOOD:
        return True
    if word in _BAD:
        return False
    if topic.gpio is not None and body.status is None and body.success is None:
        # Specified without fields: whoever answers has taken it, unless it names an error.
        return body.error is None and body.error_code is None
    raise ValueError(f"the status {word[:40]!r} says neither success nor error")


def _failures(
    topic: Topic, body: _Answer, section: Section | None, message: str
) -> tuple[ItemFailure, ...]:
    if isinstance(body.failures, list):
        return tuple(
            ItemFailure(
                section=_section(item.get("type")) or section,
                gpio=whole(item.get("gpio"), highest=NO_PIN),
                reason=_reason(item.get("error"), item.get("detail")) or message,
            )
            for item in body.failures[:_MOST_FAILURES]
            if isinstance(item, dict)
        )
    named = first(body.failed_item, body.error_details)
    pin = named.get("gpio") if isinstance(named, dict) else named
    gpio = first(topic.gpio, whole(pin, highest=NO_PIN))
    if gpio is None:
        return ()
    part = section or _section(body.failed_section)
    return (ItemFailure(section=part, gpio=gpio, reason=_reason(body.error_code, message)),)


def _reason(code: object, detail: object) -> str:
    parts = (text(code, _WORD_LIMIT), text(detail, _MESSAGE_LIMIT))
    return ": ".join(part for part in parts if part)


# ---------------------------------------------------------------- what the server says


def config(topic: Topic, payload: bytes) -> DeviceConfig:
    """Read a configuration as a device does."""
    body = _CONFIG.decode(payload)
    return DeviceConfig(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        sensors=tuple(_sensor_item(item) for item in body.sensors or ()),
        actuators=tuple(_actuator_item(item) for item in body.actuators or ()),
        config_id=body.config_id or "",
        correlation_id=body.correlation_id or None,
        generation=body.generation or 0,
        timestamp=body.timestamp or 0,
        both_spellings=any(bool(item.type) for item in body.sensors or ())
        or any(bool(item.type) for item in body.actuators or ()),
    )


def config_body(message: DeviceConfig) -> msgspec.Struct:
    """Return a configuration's fields, by the names that every firmware reads."""
    both, numbered = message.both_spellings, message.numbered
    sensors = [_sensor(item, both=both) for item in message.sensors]
    actuators = [_actuator(item, both=both) for item in message.actuators]
    return _Config(
        sensors=sensors if sensors or message.says_empty else UNSET,
        actuators=actuators if actuators or message.says_empty else UNSET,
        config_id=message.config_id or UNSET,
        correlation_id=(numbered and message.correlation_id) or UNSET,
        generation=(numbered and message.generation) or UNSET,
        timestamp=(numbered and message.timestamp) or UNSET,
    )


def split(message: DeviceConfig, limit: int) -> list[DeviceConfig]:
    """Cut a configuration between items, so that each part fits a receiver.

    Args:
        message: All of it; ids and generation of the parts are the caller's to change, as long as
            they do not grow.
        limit: Bytes that a part's payload may have.

    Returns:
        The parts in order, every item in exactly one; one empty part for nothing at all. An item
        that alone is longer than the limit gets a part for itself: it cannot be cut.
    """
    parts: list[DeviceConfig] = []
    current = empty = replace(message, sensors=(), actuators=())
    frame = _size(replace(empty, says_empty=True))
    filled = frame
    items: list[SensorItem | ActuatorItem] = [*message.sensors, *message.actuators]
    for item in items:
        size = _item_size(item, both=message.both_spellings)
        if filled + size > limit and filled > frame:
            parts.append(current)
            current, filled = empty, frame
        current = _with(current, item)
        filled += size
    return [*parts, current]


def _with(message: DeviceConfig, item: SensorItem | ActuatorItem) -> DeviceConfig:
    if isinstance(item, SensorItem):
        return replace(message, sensors=(*message.sensors, item))
    return replace(message, actuators=(*message.actuators, item))


def _size(message: DeviceConfig) -> int:
    return len(msgspec.json.encode(config_body(message)))


def _item_size(item: SensorItem | ActuatorItem, *, both: bool) -> int:
    body: msgspec.Struct = (
        _sensor(item, both=both) if isinstance(item, SensorItem) else _actuator(item, both=both)
    )
    return len(msgspec.json.encode(body)) + 1


def part(topic: Topic, payload: bytes) -> ConfigPart:
    """Read a piece of a configuration's text."""
    body = _PART.decode(payload)
    if body.part_index >= body.total_parts:
        raise ValueError(f"part {body.part_index} of {body.total_parts} does not exist")
    return ConfigPart(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        config_id=body.config_id,
        part_index=body.part_index,
        total_parts=body.total_parts,
        part_data=body.part_data,
    )


def part_body(message: ConfigPart) -> msgspec.Struct:
    """Return the fields of a piece of text."""
    return _Part(
        config_id=message.config_id,
        part_index=message.part_index,
        total_parts=message.total_parts,
        part_data=message.part_data,
    )


def pin_config(topic: Topic, payload: bytes) -> PinConfig:
    """Read the configuration of one pin."""
    body = _PIN_CONFIG.decode(payload)
    sensor = topic.kind is Kind.CONFIG_SENSOR
    kind = body.sensor_type if sensor else body.actuator_type
    if not kind:
        raise ValueError("the type is missing")
    return PinConfig(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        gpio=pin_of(topic),
        section=Section.SENSOR if sensor else Section.ACTUATOR,
        kind=kind,
        enabled=body.enabled,
        interval_ms=body.interval_ms or None,
    )


def pin_config_body(message: PinConfig) -> msgspec.Struct:
    """Return the fields of the configuration of one pin."""
    sensor = message.section is Section.SENSOR
    return _PinConfig(
        enabled=message.enabled,
        interval_ms=message.interval_ms or UNSET,
        sensor_type=message.kind if sensor else UNSET,
        actuator_type=UNSET if sensor else message.kind,
    )


def _sensor_item(body: _Sensor) -> SensorItem:
    return SensorItem(
        gpio=body.gpio,
        sensor_type=body.sensor_type,
        name=body.sensor_name,
        active=body.active,
        raw_mode=None if body.raw_mode is UNSET else body.raw_mode,
        subzone_id=None if body.subzone_id is UNSET else body.subzone_id,
        interval_seconds=body.measurement_interval_seconds or None,
        onewire_address=body.onewire_address or None,
        i2c_address=None if body.i2c_address is UNSET else body.i2c_address,
    )


def _sensor(item: SensorItem, *, both: bool) -> _Sensor:
    name = _told(item.name)
    return _Sensor(
        gpio=item.gpio,
        sensor_type=item.sensor_type,
        sensor_name=name,
        type=item.sensor_type if both else UNSET,
        name=name if both else UNSET,
        subzone_id=UNSET if item.subzone_id is None else item.subzone_id,
        active=item.active,
        raw_mode=UNSET if item.raw_mode is None else item.raw_mode,
        measurement_interval_seconds=item.interval_seconds or UNSET,
        onewire_address=item.onewire_address or UNSET,
        i2c_address=UNSET if item.i2c_address is None else item.i2c_address,
    )


def _actuator_item(body: _Actuator) -> ActuatorItem:
    on = 1.0 if body.default_state else 0.0
    return ActuatorItem(
        gpio=body.gpio,
        actuator_type=body.actuator_type,
        name=body.actuator_name,
        active=body.active,
        critical=body.critical,
        inverted=body.inverted,
        aux_gpio=body.aux_gpio,
        default_value=body.default_pwm / _FULL_PWM if body.default_pwm else on,
        subzone_id=None if body.subzone_id is UNSET else body.subzone_id,
        max_runtime_ms=body.max_runtime_ms or None,
    )


def _actuator(item: ActuatorItem, *, both: bool) -> _Actuator:
    name = _told(item.name)
    return _Actuator(
        gpio=item.gpio,
        actuator_type=item.actuator_type,
        actuator_name=name,
        type=item.actuator_type if both else UNSET,
        name=name if both else UNSET,
        aux_gpio=item.aux_gpio,
        subzone_id=UNSET if item.subzone_id is None else item.subzone_id,
        active=item.active,
        critical=item.critical,
        inverted=item.inverted,
        default_state=item.default_value > 0,
        default_pwm=round(item.default_value * _FULL_PWM),
        max_runtime_ms=item.max_runtime_ms or UNSET,
    )


def _told(name: str) -> str:
    """Return a name as a device can repeat it."""
    return text(name.translate(_UNCARED_FOR), _WORD_LIMIT) or "?"
