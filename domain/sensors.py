"""Sensors, the samples that devices send of them, and the readings that the server keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from domain.limits import QualityLimits
from domain.relays import Relayed
from domain.thresholds import Thresholds


class Quality(StrEnum):
    """How far a reading can be trusted (device protocol, section 7, decision 5)."""

    EXCELLENT = "EXCELLENT"
    GOOD = "GOOD"
    FAIR = "FAIR"
    POOR = "POOR"
    BAD = "BAD"
    STALE = "STALE"
    SUSPECT = "SUSPECT"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


TRUSTED = frozenset({Quality.EXCELLENT, Quality.GOOD, Quality.FAIR, Quality.POOR, Quality.UNKNOWN})
"""What decisions may rest on: nobody says anything against the value itself."""

CLOCK_AHEAD = timedelta(days=1)
"""How far the clock of a device may run ahead of the server's before it is not believed."""


class ProcessingMode(StrEnum):
    """Who made the value: a server library, the device itself, or nobody (raw passed through)."""

    PI_ENHANCED = "PI_ENHANCED"
    LOCAL = "LOCAL"
    RAW = "RAW"


_SEVERAL_VALUES = ("sht31", "bmp280", "bme280", "scd30", "dht22")
"""Chips that measure more than one quantity; each quantity is a sensor type of its own."""

_QUANTITIES = {
    "temp": "temp",
    "temperature": "temp",
    "humidity": "humidity",
    "pressure": "pressure",
    "co2": "co2",
}

_ONE_VALUE = {
    "ds18b20": ("ds18b20", "temp", "temperature"),
    "mhz19": ("mhz19", "co2"),
    "bh1750": ("bh1750", "light"),
    "tsl2561": ("tsl2561", "light"),
    "yfs201": ("flow", "flow"),
}
"""Chips that measure one quantity: as what each is known, and what may stand beside its name."""

_ALIASES = (
    {
        "sht31": "sht31_temp",
        "soil_moisture": "moisture",
        "moisture_capacitive": "moisture",
        "yfs201": "flow",
        # As their makers spell them.
        "yf_s201": "flow",
        "mh_z19": "mhz19",
        "mh_z19b": "mhz19",
    }
    | {
        f"{quantity}_sensor": quantity
        for quantity in ("ph", "ec", "moisture", "co2", "light", "flow")
    }
    | {
        alias: name
        for chip, (name, *quantities) in _ONE_VALUE.items()
        for quantity in quantities
        for alias in (f"{chip}_{quantity}", f"{quantity}_{chip}")
    }
    | {
        alias: f"{chip}_{quantity}"
        for chip in _SEVERAL_VALUES
        for spelling, quantity in _QUANTITIES.items()
        for alias in (f"{chip}_{spelling}", f"{spelling}_{chip}")
    }
)


def canonical_type(name: str) -> str:
    """Return the one name under which a sensor type is known here, whatever its device calls it.

    A name keeps its chip wherever the chip decides what a raw value means: `bh1750` and `tsl2561`
    are not both `light`, nor `mhz19` and `scd30_co2` both `co2`, because the formula would be lost.
    Names follow device protocol, section 5.6, with `_`, `-` or blanks between their words; an
    unknown one is only lower-cased.
    """
    lower = name.strip().lower()
    return _ALIASES.get(lower.replace("-", "_").replace(" ", "_"), lower)


def other_names(sensor_type: str) -> Sequence[str]:
    """Return by which other names devices call a sensor type, in alphabetical order."""
    return sorted(alias for alias, name in _ALIASES.items() if alias != name == sensor_type)


class SensorKey(NamedTuple):
    """What tells one sensor from another: several share a pin (device protocol, pitfall 9).

    Attributes:
        esp_id: The device.
        gpio: The pin, 0..255; buses report 0.
        sensor_type: Canonical lower-case name, such as `ds18b20` or `sht31_temp`.
        address: I2C address in decimal or OneWire ROM in hex; empty where the pin has one sensor.
    """

    esp_id: str
    gpio: int
    sensor_type: str
    address: str = ""

    @property
    def path(self) -> str:
        """What readings call it, as in `ESP_12AB34/4/ds18b20`."""
        name = f"{self.esp_id}/{self.gpio}/{self.sensor_type}"
        return f"{name}/{self.address}" if self.address else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor that was heard of or configured.

    Attributes:
        enabled: Whether its device reads it.
        interval: Between two samples, 1 to 300 s; None: the device's own default.
        processing_mode: Who is to convert its raw values, the server (PI_ENHANCED) or the device
            (LOCAL); None: as the device does by itself.
        thresholds: Where people want to be told; None: nowhere.
        limits: What is believable of it, where that is not as its library says; None: all is.
        parameters: What people set of its library's parameters, by name; a calibration in force
            stands over them.
        sources: Which other sensors its library takes parameters from, by the name of the
            parameter.
    """

    id: int
    key: SensorKey
    name: str
    unit: str | None = None
    enabled: bool = True
    interval: timedelta | None = None
    processing_mode: ProcessingMode | None = None
    thresholds: Thresholds | None = None
    limits: QualityLimits | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, SensorKey] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime


class Sample(NamedTuple):
    """One value as a device sent it.

    Attributes:
        key: Which sensor.
        raw_value: What the chip said, or the device's own value where it sends nothing else.
        received_at: When the server had it; strictly increasing within a process.
        measured_at: The device's own time, or None when its clock cannot be believed.
        ticks: The time field as sent, believable or not; part of the sample's identity.
        sequence: The device's message counter where its firmware has one.
        device_value: The value that the device computed, if it says it is final.
        device_unit: Its unit, if the device names one.
        device_quality: What the device thinks of it.
        kaiser_id: The topic level it came on; a device that is new is answered there.
        relayed: The relay that passed it on; None: it was heard directly. No part of its identity.
    """

    key: SensorKey
    raw_value: float
    received_at: datetime
    measured_at: datetime | None = None
    ticks: int = 0
    sequence: int | None = None
    device_value: float | None = None
    device_unit: str | None = None
    device_quality: Quality = Quality.UNKNOWN
    kaiser_id: str = "god"
    relayed: Relayed | None = None


class Measurement(NamedTuple):
    """What was made of a sample, and by whom.

    Attributes:
        value: In `unit`; None when nothing true can be said.
        library: Name of the library that converted it; None where none did.
        library_version: Its version.
        notes: Why the quality is what it is, as metadata; None when there is nothing to say.
        calibration_id: The calibration whose parameters it took; None: none was in force.
    """

    value: float | None
    unit: str | None
    quality: Quality
    mode: ProcessingMode
    library: str | None = None
    library_version: str | None = None
    notes: Mapping[str, Any] | None = None
    calibration_id: UUID | None = None


class Reading(NamedTuple):
    """A stored measurement.

    What the device sent never changes, nor does the id; what was made of it changes only when
    somebody has the history of the sensor converted again (`domain.recomputations`).

    Attributes:
        id: Increases in the order in which readings were committed; what live streams resume from.
        sensor: The sensor as it was known when the reading arrived.
        measured_at: The device's time, or the time of receipt where its clock was unknown.
    """

    id: int
    sensor: Sensor
    measured_at: datetime
    received_at: datetime
    raw_value: float
    measurement: Measurement
    sequence: int | None = None
