"""All that the author of a sensor library imports.

A library is a file with a tuple `LIBRARIES`. It knows one formula and says where it has it from;
everything that all sensors have in common is done here and by `sensor_libs.runner`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple

from domain.sensors import Quality, canonical_type

__all__ = [
    "ADC_TOP",
    "Converted",
    "Quality",
    "Range",
    "SensorLibrary",
    "Vector",
    "adc_volts",
    "analog",
    "clamp",
]

ADC_TOP = 4095
"""The largest value of the ESP32's ADC, at 3.3 V (device protocol, section 5.4)."""

_ADC_VOLTS = 3.3
_ADC_LOWEST, _ADC_HIGHEST = 50, 4045

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class Range(NamedTuple):
    """From `low` to `high`, both included, in the unit of the library."""

    low: float
    high: float


class Converted(NamedTuple):
    """What a raw value means.

    Attributes:
        value: In the unit of the library; None when the raw value is no measurement.
        reason: Why the quality is what it is, where that is not plain from the value.
    """

    value: float | None
    quality: Quality
    reason: str | None = None


class Vector(NamedTuple):
    """A golden vector: what a raw value is known to mean."""

    raw: float
    value: float | None
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorLibrary:
    """How one quantity of one kind of chip is read.

    Attributes:
        name: Lower case, unique; stored with each reading.
        version: Three numbers; raised whenever the same raw value would get another result.
        sensor_types: Canonical names of the sensor types that it converts.
        unit: Of its values.
        decimals: Digits behind the point that the chip can vouch for.
        valid: What the chip can measure; a value outside is an error.
        typical: What is usual; for charts.
        source: The data sheet or guide that the formula is from.
        convert: From the raw value alone to what it means; pure, and within microseconds.
        vectors: Checked whenever the library is loaded.
    """

    name: str
    version: str
    sensor_types: tuple[str, ...]
    unit: str
    decimals: int
    valid: Range
    typical: Range
    source: str
    convert: Callable[[float], Converted]
    vectors: tuple[Vector, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name: lower case, digits and _ only")
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"{self.version!r} is no version: three numbers, such as 1.0.0")
        for sensor_type in self.sensor_types:
            if (canonical := canonical_type(sensor_type)) != sensor_type:
                raise ValueError(f"{sensor_type!r} is known as {canonical!r}")
        if not self.valid.low <= self.typical.low < self.typical.high <= self.valid.high:
            raise ValueError(f"typical {self.typical} does not lie within valid {self.valid}")
        if not (self.sensor_types and self.source and self.vectors):
            raise ValueError("sensor_types, source and vectors must not be empty")

    def measure(self, raw: float) -> Converted:
        """Convert a raw value, and refuse what the chip cannot have measured.

        May raise whatever `convert` raises, and TypeError for what is no result.
        """
        converted = self.convert(raw)
        value, quality, reason = converted
        if quality.__class__ is not Quality:
            raise TypeError(f"{quality!r} is no Quality")
        if value is None:
            return converted
        if (fault := self.fault(value)) is not None:
            return Converted(None, Quality.ERROR, fault)
        # Adding zero takes the sign off what was rounded to nothing.
        return Converted(round(float(value), self.decimals) + 0.0, quality, reason)

    def fault(self, value: float) -> str | None:
        """Say why a value cannot be what the chip measured; None: it can."""
        low, high = self.valid
        return None if low <= value <= high else f"outside {low:g} to {high:g} {self.unit}"


def adc_volts(raw: float) -> float:
    """Return the voltage at the ADC for a raw value of 0..4095."""
    return raw / ADC_TOP * _ADC_VOLTS


def analog(convert: Callable[[float], Converted]) -> Callable[[float], Converted]:
    """Make a conversion doubt the ends of the ADC's range, and refuse what lies beyond them.

    The ends (49 and less, 4046 and more) are where a probe that is not connected ends up (device
    protocol, section 5.4).
    """

    @wraps(convert)
    def convert_analog(raw: float) -> Converted:
        if not 0 <= raw <= ADC_TOP:
            return Converted(None, Quality.ERROR, f"not a value of the ADC, 0 to {ADC_TOP}")
        converted = convert(raw)
        if _ADC_LOWEST <= raw <= _ADC_HIGHEST:
            return converted
        return Converted(converted.value, Quality.SUSPECT, "at the end of the ADC: no probe?")

    return convert_analog


def clamp(value: float, low: float, high: float) -> float:
    """Return the nearest value within a range."""
    return min(max(value, low), high)
