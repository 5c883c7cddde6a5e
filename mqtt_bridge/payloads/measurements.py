"""Conversions that devices ask for, measurements on demand, and scans of OneWire buses.

Field names and their meaning: device protocol, sections 1.5, 1.11 and 1.14.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from domain.sensors import Quality, canonical_type
from mqtt_bridge.messages import (
    MeasureCommand,
    MeasureResponse,
    OneWireDevice,
    OneWireScan,
    ProcessingRequest,
    ProcessingResponse,
)
from mqtt_bridge.payloads.fields import (
    WORD_LIMIT,
    Number,
    Pin,
    Seconds,
    T,
    Text,
    Word,
    check_sender,
    first,
    origin,
    pin_of,
    real,
    text,
    whole,
)
from mqtt_bridge.topics import Kind, Topic

_MOST_DEVICES = 64
_UNIT_LIMIT = 16
_ERROR_LIMIT = 200
_ROM = re.compile(r"[0-9A-F]{16}")


class _Request(msgspec.Struct, kw_only=True):
    gpio: Pin
    sensor_type: str
    esp_id: str | None = None
    raw_value: Number | None = None
    raw: Number | None = None
    raw_data: Number | None = None
    type: Any = None


class _Processed(msgspec.Struct, kw_only=True):
    # Firmware searches for these without a blank, and for the value before all others.
    processed_value: Number | UnsetType = UNSET
    value: Number | UnsetType = UNSET
    unit: Annotated[str, msgspec.Meta(max_length=_UNIT_LIMIT)] | UnsetType = UNSET
    quality: str | UnsetType = UNSET
    timestamp: Seconds | UnsetType = UNSET
    temperature: Number | UnsetType = UNSET
    humidity: Number | UnsetType = UNSET
    gpio: Pin | UnsetType = UNSET
    status: Literal["ok", "error"] | UnsetType = UNSET
    error: Text | UnsetType = UNSET


class _Measure(msgspec.Struct, kw_only=True):
    command: Literal["measure"]
    request_id: Word
    timeout_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 5000
    correlation_id: Word | UnsetType = UNSET
    intent_id: Word | UnsetType = UNSET


class _Measured(msgspec.Struct, kw_only=True):
    request_id: str
    success: bool
    esp_id: str | None = None
    gpio: Pin | None = None
    measurement_ok: bool | None = None
    publish_ok: bool | None = None
    timeout: bool | None = None
    reason_code: Any = None
    sensor_type: Any = None
    raw: Any = None
    correlation_id: Any = None


class _Found(msgspec.Struct, kw_only=True):
    rom_code: str
    device_type: Any = None
    pin: Any = None


class _Scan(msgspec.Struct, kw_only=True):
    devices: Annotated[list[_Found], msgspec.Meta(max_length=_MOST_DEVICES)]
    esp_id: str | None = None


_REQUEST = msgspec.json.Decoder(_Request, strict=False)
_PROCESSED = msgspec.json.Decoder(_Processed)
_MEASURE = msgspec.json.Decoder(_Measure)
_MEASURED = msgspec.json.Decoder(_Measured, strict=False)
_SCAN = msgspec.json.Decoder(_Scan)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.PROCESSING_REQUEST: _Request,
    Kind.PROCESSING_RESPONSE: _Processed,
    Kind.MEASURE_COMMAND: _Measure,
    Kind.MEASURE_RESPONSE: _Measured,
    Kind.ONEWIRE_SCAN: _Scan,
}


def request(topic: Topic, payload: bytes, received_at: datetime) -> ProcessingRequest:
    """Read that a raw value is to be converted."""
    body = _REQUEST.decode(payload)
    check_sender(topic, body.esp_id)
    raw = first(body.raw_value, body.raw, body.raw_data)
    sensor_type = canonical_type(text(body.sensor_type, WORD_LIMIT))
    if raw is None or not sensor_type:
        raise ValueError("a raw value and its sensor_type are needed")
    return ProcessingRequest(
        **origin(topic, received_at),
        gpio=body.gpio,
        sensor_type=sensor_type,
        raw_value=raw,
        interface=text(body.type, WORD_LIMIT).lower(),
    )


def processed(topic: Topic, payload: bytes) -> ProcessingResponse:
    """Read a converted value."""
    body = _PROCESSED.decode(payload)
    failed = body.status == "error"
    answer = ProcessingResponse(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        gpio=_given(body.gpio),
        processed_value=_given(body.processed_value, body.value),
        unit=body.unit or "",
        quality=Quality((body.quality or "unknown").upper()),
        temperature=_given(body.temperature),
        humidity=_given(body.humidity),
        timestamp=body.timestamp or 0,
        error=(body.error or "it could not be converted") if failed else "",
        both_spellings=UNSET not in {body.processed_value, body.value},
    )
    values = (answer.processed_value, answer.temperature, answer.humidity)
    if failed == any(value is not None for value in values):
        raise ValueError("there must be a value, or an error that says why there is none")
    return answer


def processed_body(message: ProcessingResponse) -> msgspec.Struct:
    """Return the fields of a converted value, that first which firmware searches for."""
    if message.error:
        return _Processed(
            gpio=_sent(message.gpio),
            status="error",
            error=text(message.error, _ERROR_LIMIT),
            timestamp=message.timestamp or UNSET,
        )
    two = message.processed_value is None
    return _Processed(
        processed_value=_sent(message.processed_value),
        value=_sent(message.processed_value if message.both_spellings else None),
        unit=UNSET if two else message.unit,
        quality=UNSET if two else message.quality.value.lower(),
        temperature=_sent(message.temperature),
        humidity=_sent(message.humidity),
        timestamp=message.timestamp or UNSET,
        gpio=_sent(message.gpio),
        status="ok" if two or message.both_spellings else UNSET,
    )


def _given(*values: T | UnsetType) -> T | None:
    return next((value for value in values if not isinstance(value, UnsetType)), None)


def _sent(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def measure(topic: Topic, payload: bytes) -> MeasureCommand:
    """Read an order to measure now."""
    body = _MEASURE.decode(payload)
    return MeasureCommand(
        esp_id=topic.esp_id,
        kaiser_id=topic.kaiser_id,
        gpio=pin_of(topic),
        request_id=body.request_id,
        timeout_ms=body.timeout_ms,
    )


def measure_body(message: MeasureCommand) -> msgspec.Struct:
    """Return the fields of an order to measure; one id serves all purposes."""
    return _Measure(
        command="measure",
        request_id=message.request_id,
        timeout_ms=message.timeout_ms,
        correlation_id=message.request_id,
        intent_id=message.request_id,
    )


def measured(topic: Topic, payload: bytes, received_at: datetime) -> MeasureResponse:
    """Read how a measurement on demand went."""
    body = _MEASURED.decode(payload)
    check_sender(topic, body.esp_id, body.gpio)
    return MeasureResponse(
        **origin(topic, received_at),
        gpio=pin_of(topic),
        request_id=text(body.request_id, WORD_LIMIT),
        success=body.success,
        measured=body.success if body.measurement_ok is None else body.measurement_ok,
        published=body.success if body.publish_ok is None else body.publish_ok,
        timed_out=body.timeout is True,
        reason=text(body.reason_code, WORD_LIMIT),
        sensor_type=canonical_type(text(body.sensor_type, WORD_LIMIT)),
        raw_value=real(body.raw),
        correlation_id=text(body.correlation_id, WORD_LIMIT) or None,
    )


def scan(topic: Topic, payload: bytes, received_at: datetime) -> OneWireScan:
    """Read what hangs on the OneWire buses."""
    body = _SCAN.decode(payload)
    check_sender(topic, body.esp_id)
    return OneWireScan(
        **origin(topic, received_at),
        devices=tuple(_found(each) for each in body.devices),
    )


def _found(body: _Found) -> OneWireDevice:
    rom = body.rom_code.upper()
    if not _ROM.fullmatch(rom):
        raise ValueError(f"rom_code {rom[:40]!r} is not 16 hexadecimal digits")
    return OneWireDevice(
        rom, text(body.device_type, WORD_LIMIT).lower(), whole(body.pin, highest=255)
    )
