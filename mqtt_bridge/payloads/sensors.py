"""Sensor data: single samples and batches, in the dialects of all firmware generations.

Field names and their meaning: device protocol, sections 1.2 and 2.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from domain.devices import FirmwareEvidence, FirmwareGeneration
from domain.relays import Relayed
from domain.sensors import CLOCK_AHEAD, Quality, Sample, SensorKey, canonical_type
from mqtt_bridge.messages import SensorData
from mqtt_bridge.payloads.fields import (
    EARLIEST,
    LARGEST,
    WORD_LIMIT,
    Number,
    Pin,
    check_sender,
    first,
    pin_of,
    real,
    text,
)
from mqtt_bridge.topics import Kind, Topic

MOST_IN_A_BATCH = 10
"""Samples in one batch; more is a violation of the protocol (section 1.2)."""

MILLISECONDS_FROM = 1e10
"""Times above this are in milliseconds: as seconds they would lie in the year 2286."""

_UNIT_LIMIT = 16
_TYPE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_ROM = re.compile(r"[0-9A-F]{16}")

_QUALITIES = {quality.value.lower(): quality for quality in Quality} | {"critical": Quality.BAD}
"""`critical`: the word of some senders for a value beyond what is physically possible."""


class _Timed(msgspec.Struct, gc=False):
    ts: float | str | None = None
    timestamp: float | str | None = None
    ts_ms: float | str | None = None
    time_valid: bool | None = None

    def sent(self) -> float | None:
        """Return the time as sent; None where there is none, or it is no number."""
        sent = self.ts if self.ts is not None else self.timestamp
        if sent is None:
            sent = self.ts_ms
        try:
            return None if sent is None else float(sent)
        except ValueError:
            return None


class _Value(_Timed, kw_only=True, gc=False):
    sensor_type: str
    gpio: Pin | None = None
    raw: Number | None = None
    raw_value: Number | None = None
    raw_data: Number | None = None
    value: Number | None = None
    processed_value: Number | None = None
    raw_mode: bool | None = None
    unit: str | None = None
    quality: str | None = None
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    onewire_address: str | None = None
    i2c_address: Annotated[int, msgspec.Meta(ge=0, le=127)] | None = None


class _Data(_Value, kw_only=True, gc=False):
    esp_id: str | None = None
    zone_id: Any = None
    relayed_by: Any = None
    relay_ts: Any = None


class _Batch(_Timed, kw_only=True):
    sensors: Annotated[list[_Value], msgspec.Meta(min_length=1, max_length=MOST_IN_A_BATCH)]
    esp_id: str | None = None
    relayed_by: Any = None
    relay_ts: Any = None


_NOVEMBER = FirmwareEvidence(newest=FirmwareGeneration.NOVEMBER_2025)
_WINTER = FirmwareEvidence(FirmwareGeneration.DECEMBER_2025, FirmwareGeneration.FEBRUARY_2026)
_SEQUENCED = FirmwareEvidence(oldest=FirmwareGeneration.FEBRUARY_2026)
_APRIL = FirmwareEvidence(oldest=FirmwareGeneration.APRIL_2026)

_DATA = msgspec.json.Decoder(_Data, strict=False)
_BATCH = msgspec.json.Decoder(_Batch, strict=False)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.SENSOR_DATA: _Data,
    Kind.ZONE_SENSOR_DATA: _Data,
    Kind.SENSOR_BATCH: _Batch,
}


def data(topic: Topic, payload: bytes, received_at: datetime) -> SensorData:
    """Read a single sample."""
    body = _DATA.decode(payload)
    check_sender(topic, body.esp_id, body.gpio)
    sample = _sample(topic, pin_of(topic), body, body, received_at)
    if body.relayed_by is not None:
        sample = sample._replace(relayed=_relayed(body, received_at))
    return SensorData((sample,), _firmware(body))


def batch(topic: Topic, payload: bytes, received_at: datetime) -> SensorData:
    """Read several samples that share one time."""
    body = _BATCH.decode(payload)
    check_sender(topic, body.esp_id)
    samples = tuple(_batched(topic, value, body, received_at) for value in body.sensors)
    if body.relayed_by is not None:
        relayed = _relayed(body, received_at)
        samples = tuple(sample._replace(relayed=relayed) for sample in samples)
    return SensorData(samples)


def _relayed(body: _Data | _Batch, received_at: datetime) -> Relayed | None:
    """Return what a relay added; a sample is worth no less where that is of no use."""
    by = text(body.relayed_by, WORD_LIMIT)
    sent = real(body.relay_ts)
    if not by or sent is None:
        return Relayed(by) if by else None
    return Relayed(by, _clock(_Timed(ts=sent), received_at, uptime=False)[0])


def _firmware(body: _Data) -> FirmwareEvidence | None:
    if body.processed_value is not None:
        return _NOVEMBER
    if body.time_valid is not None:
        return _APRIL
    if body.seq is not None:
        return _SEQUENCED
    # The document knows no zone here; all firmware names one, if only an empty one.
    return None if body.ts is None or body.zone_id is None else _WINTER


def _batched(topic: Topic, body: _Value, shared: _Timed, received_at: datetime) -> Sample:
    if body.gpio is None:
        raise ValueError("a sample of the batch names no gpio")
    own_time = body.sent() is not None
    return _sample(topic, body.gpio, body, body if own_time else shared, received_at)


def _sample(topic: Topic, gpio: int, body: _Value, time: _Timed, received_at: datetime) -> Sample:
    raw = first(body.raw, body.raw_value, body.raw_data)
    final = body.processed_value
    if final is None and (body.raw_mode is False or (raw is None and not body.raw_mode)):
        final = body.value
    if raw is None and (raw := final) is None:
        raise ValueError("there is neither a raw value nor one that the device calls final")
    measured_at, ticks = _clock(time, received_at, uptime=body.processed_value is not None)
    return Sample(
        SensorKey(topic.esp_id, gpio, _sensor_type(body.sensor_type), _address(body)),
        _signed(raw),
        received_at,
        measured_at,
        ticks,
        body.seq,
        final,
        _unit(body.unit),
        _QUALITIES.get((body.quality or "").lower(), Quality.UNKNOWN),
        topic.kaiser_id,
    )


@lru_cache(1024)
def _sensor_type(name: str) -> str:
    canonical = canonical_type(name)
    if not _TYPE.fullmatch(canonical):
        raise ValueError(f"{name[:40]!r} is not a sensor_type")
    return canonical


@lru_cache(1024)
def _unit(unit: str | None) -> str | None:
    # Some builds send a degree sign that was encoded twice; `raw` is no unit.
    cleaned = text(unit, _UNIT_LIMIT).replace("Â°", "°")
    return None if cleaned in {"", "raw"} else cleaned


def _address(body: _Value) -> str:
    if body.onewire_address:
        rom = body.onewire_address.upper()
        if not _ROM.fullmatch(rom):
            raise ValueError(f"onewire_address {rom[:40]!r} is not 16 hexadecimal digits")
        return rom
    # I2C address 0 calls all chips at once: nobody answers under it.
    return str(body.i2c_address) if body.i2c_address else ""


def _signed(raw: float) -> float:
    # Firmware until 2026-03 sends negative values modulo 2**32.
    return raw - 2**32 if 2**31 <= raw < 2**32 else raw


def _clock(time: _Timed, received_at: datetime, *, uptime: bool) -> tuple[datetime | None, int]:
    """Return when the device measured, if its clock can be believed, and its time as sent.

    Args:
        time: The time fields.
        received_at: The server's time.
        uptime: Whether `timestamp` counts milliseconds since boot, as it does in the firmware
            that sends `processed_value`: after 19 days up it would pass for Unix seconds.
    """
    sent = time.sent()
    if sent is None or not -LARGEST <= sent <= LARGEST:
        return None, 0
    milliseconds = sent > MILLISECONDS_FROM or (
        time.ts is None and (uptime or time.timestamp is None)
    )
    seconds = sent / 1000 if milliseconds else sent
    believable = EARLIEST <= seconds <= (received_at + CLOCK_AHEAD).timestamp()
    if time.time_valid is False or not believable:
        return None, int(sent)
    return datetime.fromtimestamp(seconds, UTC), int(sent)
