"""DHT22 (AM2302): temperature and humidity over one wire, in a frame of 40 bits."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from sensor_libs.api import (
    OFFSET,
    Calibrates,
    CalibrationMethod,
    Channels,
    Converted,
    OtherUnit,
    Quality,
    Range,
    RawForm,
    SensorLibrary,
    Vector,
    Wrap,
    clamp,
    graded,
    octets,
)

_WORD_TOP = 0xFFFF
_SIGN = 0x8000
_GOOD_CELSIUS = Range(0, 50)
_GOOD_PERCENT = Range(20, 80)
_FAIR_PERCENT = Range(5, 95)

# Firmware that reads the word of a frost as signed sends it as a negative number.
FRAME = RawForm(
    "a word of 16 bits, or the whole frame of 40", 0, 2**40 - 1, (Wrap(-32_768, -1, 65_536),)
)


def words(frame: Sequence[float]) -> tuple[int, int]:
    """Return the words of humidity and temperature.

    Raises:
        ValueError: The checksum is wrong.
    """
    *data, checksum = octets(frame)
    if sum(data) & 0xFF != checksum:
        raise ValueError(f"the checksum is {checksum}, but must be {sum(data) & 0xFF}")
    return data[0] << 8 | data[1], data[2] << 8 | data[3]


def reading(index: int, convert: Callable[[int, float], Converted]) -> Callable[..., Converted]:
    """Make a conversion that takes a word, or finds its own (0 or 1) in a whole frame."""

    def convert_either(raw: float, parameters: Mapping[str, float]) -> Converted:
        if raw != int(raw):
            return Converted(None, Quality.ERROR, "not a whole number")
        word = int(raw)
        if word > _WORD_TOP:
            try:
                word = words(word.to_bytes(5, "big"))[index]
            except ValueError as error:
                return Converted(None, Quality.ERROR, str(error))
        return convert(word, parameters["offset"])

    return convert_either


def convert_temperature(word: int, offset: float) -> Converted:
    """Return degrees; the highest bit is the sign, and no part of a two's complement."""
    tenths = -(word & ~_SIGN) if word & _SIGN else word
    celsius = tenths / 10 + offset
    return Converted(celsius, graded(celsius, _GOOD_CELSIUS))


def convert_humidity(word: int, offset: float) -> Converted:
    """Return percent relative humidity."""
    percent = word / 10 + offset
    if word / 10 <= 100:  # noqa: PLR2004 - percent
        percent = clamp(percent, 0, 100)
    return Converted(percent, graded(percent, _GOOD_PERCENT, _FAIR_PERCENT))


_SOURCE = "Aosong AM2302 (DHT22), data format; device protocol, section 5.4"
_BYTES = ("humidity high", "humidity low", "temperature high", "temperature low", "checksum")
_PACKING = "high byte * 256 + low byte of the quantity, or all five bytes as one number"
_CALIBRATIONS = (Calibrates(CalibrationMethod.OFFSET, ("offset",)),)
# The data sheet's example, and its example of a temperature below zero.
_EXAMPLE = (0x02, 0x8C, 0x01, 0x5F, 0xEE)
_FROST = (0x02, 0x8C, 0x80, 0x65, 0x73)

LIBRARIES = (
    SensorLibrary(
        name="dht22_temp",
        version="1.0.0",
        sensor_types=("dht22_temp",),
        aliases=("dht22", "am2302"),
        raw=FRAME,
        unit="°C",
        decimals=1,
        valid=Range(-40, 80),
        typical=_GOOD_CELSIUS,
        source=_SOURCE,
        convert=reading(1, convert_temperature),
        parameters=(OFFSET._replace(low=-10, high=10, unit="°C"),),
        channels=Channels(_BYTES, lambda frame: words(frame)[1], _PACKING),
        calibrations=_CALIBRATIONS,
        units=(OtherUnit("°F", 1.8, 32), OtherUnit("K", 1, 273.15)),
        max_rate=5,
        stuck_after=timedelta(days=1),
        warm_up=timedelta(seconds=2),
        vectors=(
            Vector(_EXAMPLE, 35.1, Quality.GOOD),
            Vector(_FROST, -10.1, Quality.FAIR),
            Vector(0x028C015FEE, 35.1, Quality.GOOD),
            Vector(0x028C015FEF, None, Quality.ERROR),
            Vector((0x02, 0x8C, 0x01, 0x5F, 0xEF), None, Quality.ERROR),
            Vector((0x02, 0x8C, 0x01, 0x5F), None, Quality.ERROR),
            Vector((0x02, 0x8C, 0x01, 0x5F, 256), None, Quality.ERROR),
            Vector(351, 35.1, Quality.GOOD),
            Vector(351, 34.1, Quality.GOOD, {"offset": -1}),
            Vector(0x8065, -10.1, Quality.FAIR),
            Vector(0x8065 - 65_536, -10.1, Quality.FAIR),
            Vector(0x8000, 0.0, Quality.GOOD),
            Vector(0x8190, -40.0, Quality.FAIR),
            Vector(800, 80.0, Quality.FAIR),
            Vector(0x8191, None, Quality.ERROR),
            Vector(801, None, Quality.ERROR),
            Vector(35.1, None, Quality.ERROR),
            Vector(2**40, None, Quality.ERROR),
        ),
    ),
    SensorLibrary(
        name="dht22_humidity",
        version="1.0.0",
        sensor_types=("dht22_humidity",),
        raw=FRAME,
        unit="%RH",
        decimals=1,
        valid=Range(0, 100),
        typical=_GOOD_PERCENT,
        source=_SOURCE,
        convert=reading(0, convert_humidity),
        parameters=(OFFSET._replace(low=-30, high=30, unit="%RH"),),
        channels=Channels(_BYTES, lambda frame: words(frame)[0], _PACKING),
        calibrations=_CALIBRATIONS,
        max_rate=20,
        stuck_after=timedelta(days=1),
        warm_up=timedelta(seconds=2),
        vectors=(
            Vector(_EXAMPLE, 65.2, Quality.GOOD),
            Vector(0x028C015FEE, 65.2, Quality.GOOD),
            Vector(652, 65.2, Quality.GOOD),
            Vector(652, 62.2, Quality.GOOD, {"offset": -3}),
            Vector(990, 100.0, Quality.POOR, {"offset": 3}),
            Vector(0, 0.0, Quality.POOR),
            Vector(1000, 100.0, Quality.POOR),
            Vector(1001, None, Quality.ERROR),
            Vector(-5000, None, Quality.ERROR),
        ),
    ),
)
