"""SHT31: temperature and relative humidity over I2C, one word of 16 bits each."""

from sensor_libs.api import Converted, Quality, Range, SensorLibrary, Vector, clamp

_WORD_TOP = 65_535
_GOOD_CELSIUS = Range(0, 65)
_GOOD_PERCENT = Range(20, 80)
_FAIR_PERCENT = Range(5, 95)
_NO_WORD = Converted(None, Quality.ERROR, f"not a word of the chip, 0 to {_WORD_TOP}")


def convert_temperature(raw: float) -> Converted:
    """Return degrees."""
    if not 0 <= raw <= _WORD_TOP:
        return _NO_WORD
    celsius = -45 + 175 * raw / _WORD_TOP
    good = _GOOD_CELSIUS.low <= celsius <= _GOOD_CELSIUS.high
    return Converted(celsius, Quality.GOOD if good else Quality.FAIR)


def convert_humidity(raw: float) -> Converted:
    """Return percent relative humidity."""
    if not 0 <= raw <= _WORD_TOP:
        return _NO_WORD
    percent = clamp(100 * raw / _WORD_TOP, 0, 100)
    if _GOOD_PERCENT.low <= percent <= _GOOD_PERCENT.high:
        return Converted(percent, Quality.GOOD)
    fair = _FAIR_PERCENT.low <= percent <= _FAIR_PERCENT.high
    return Converted(percent, Quality.FAIR if fair else Quality.POOR)


_SOURCE = "Sensirion SHT3x-DIS, section 4.13; device protocol, section 5.4"

LIBRARIES = (
    SensorLibrary(
        name="sht31_temp",
        version="1.0.0",
        sensor_types=("sht31_temp",),
        unit="°C",
        decimals=2,
        valid=Range(-40, 125),
        typical=_GOOD_CELSIUS,
        source=_SOURCE,
        convert=convert_temperature,
        vectors=(
            # Recorded from real chips, with what they showed: 19.5, 19.5 and 20.9 °C.
            Vector(24173, 19.55, Quality.GOOD),
            Vector(24158, 19.51, Quality.GOOD),
            Vector(24696, 20.95, Quality.GOOD),
            Vector(16852, 0.0, Quality.GOOD),
            Vector(16851, 0.0, Quality.FAIR),
            Vector(41194, 65.0, Quality.FAIR),
            Vector(0, None, Quality.ERROR),
            Vector(65535, None, Quality.ERROR),
            Vector(65536, None, Quality.ERROR),
        ),
    ),
    SensorLibrary(
        name="sht31_humidity",
        version="1.0.0",
        sensor_types=("sht31_humidity",),
        unit="%RH",
        decimals=2,
        valid=Range(0, 100),
        typical=_GOOD_PERCENT,
        source=_SOURCE,
        convert=convert_humidity,
        vectors=(
            # Recorded from real chips, with what they showed: 40.5, 40.5 and 40.1 %.
            Vector(26551, 40.51, Quality.GOOD),
            Vector(26516, 40.46, Quality.GOOD),
            Vector(26282, 40.1, Quality.GOOD),
            Vector(13107, 20.0, Quality.GOOD),
            Vector(13106, 20.0, Quality.FAIR),
            Vector(0, 0.0, Quality.POOR),
            Vector(65535, 100.0, Quality.POOR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
