"""SHT31: temperature and relative humidity over I2C, one word of 16 bits each."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sensor_libs.api import (
    OFFSET,
    WORD16,
    Calibrates,
    CalibrationMethod,
    Channels,
    Converted,
    OtherUnit,
    Quality,
    Range,
    SensorLibrary,
    Vector,
    clamp,
    graded,
    sensirion_words,
)

_WORD_TOP = 65_535
_GOOD_CELSIUS = Range(0, 65)
_GOOD_PERCENT = Range(20, 80)
_FAIR_PERCENT = Range(5, 95)


def convert_temperature(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return degrees."""
    celsius = -45 + 175 * raw / _WORD_TOP + parameters["offset"]
    return Converted(celsius, graded(celsius, _GOOD_CELSIUS))


def convert_humidity(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return percent relative humidity."""
    percent = clamp(100 * raw / _WORD_TOP + parameters["offset"], 0, 100)
    return Converted(percent, graded(percent, _GOOD_PERCENT, _FAIR_PERCENT))


def pack(values: Sequence[float]) -> float:
    """Return the word in front of its check byte."""
    return int.from_bytes(sensirion_words(values), "big")


_SOURCE = "Sensirion SHT3x-DIS, sections 4.12 and 4.13; device protocol, section 5.4"
_CHANNELS = Channels(("high byte", "low byte", "check byte"), pack, "high byte * 256 + low byte")
_CALIBRATIONS = (Calibrates(CalibrationMethod.OFFSET, ("offset",)),)

LIBRARIES = (
    SensorLibrary(
        name="sht31_temp",
        version="1.1.0",
        sensor_types=("sht31_temp",),
        raw=WORD16,
        unit="°C",
        decimals=2,
        valid=Range(-40, 125),
        typical=_GOOD_CELSIUS,
        source=_SOURCE,
        convert=convert_temperature,
        parameters=(OFFSET._replace(low=-10, high=10, unit="°C"),),
        channels=_CHANNELS,
        calibrations=_CALIBRATIONS,
        units=(OtherUnit("°F", 1.8, 32), OtherUnit("K", 1, 273.15)),
        max_rate=5,
        stuck_after=timedelta(hours=6),
        vectors=(
            # Recorded from real chips, with what they showed: 19.5, 19.5 and 20.9 °C.
            Vector(24173, 19.55, Quality.GOOD),
            Vector(24158, 19.51, Quality.GOOD),
            Vector(24696, 20.95, Quality.GOOD),
            Vector(24173, 20.05, Quality.GOOD, {"offset": 0.5}),
            Vector(16852, 0.0, Quality.GOOD),
            Vector(16851, 0.0, Quality.FAIR),
            Vector(41194, 65.0, Quality.FAIR),
            # The data sheet's example of a check byte: BEEFh is followed by 92h.
            Vector((0xBE, 0xEF, 0x92), 85.52, Quality.FAIR),
            Vector((0xBE, 0xEF, 0x93), None, Quality.ERROR),
            Vector(0, None, Quality.ERROR),
            Vector(65535, None, Quality.ERROR),
            Vector(65536, None, Quality.ERROR),
        ),
    ),
    SensorLibrary(
        name="sht31_humidity",
        version="1.1.0",
        sensor_types=("sht31_humidity",),
        raw=WORD16,
        unit="%RH",
        decimals=2,
        valid=Range(0, 100),
        typical=_GOOD_PERCENT,
        source=_SOURCE,
        convert=convert_humidity,
        parameters=(OFFSET._replace(low=-30, high=30, unit="%RH"),),
        channels=_CHANNELS,
        calibrations=_CALIBRATIONS,
        max_rate=20,
        stuck_after=timedelta(hours=6),
        vectors=(
            # Recorded from real chips, with what they showed: 40.5, 40.5 and 40.1 %. The second
            # digit is below the chip's accuracy, but not below its resolution: it shows trends.
            Vector(26551, 40.51, Quality.GOOD),
            Vector(26516, 40.46, Quality.GOOD),
            Vector(26282, 40.1, Quality.GOOD),
            Vector(26282, 38.1, Quality.GOOD, {"offset": -2}),
            Vector((0xBE, 0xEF, 0x92), 74.58, Quality.GOOD),
            Vector(13107, 20.0, Quality.GOOD),
            Vector(13106, 20.0, Quality.FAIR),
            Vector(0, 0.0, Quality.POOR),
            Vector(65535, 100.0, Quality.POOR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
