"""DS18B20: temperature over OneWire."""

from sensor_libs.api import Converted, Quality, Range, SensorLibrary, Vector

_DEGREES = 0.0625
_DISCONNECTED = -2032
_POWER_ON = 1360
_GOOD = Range(-10, 85)


def convert(raw: float) -> Converted:
    """Return degrees for the 12-bit register of the chip."""
    if raw == _DISCONNECTED:
        return Converted(None, Quality.ERROR, "-127 °C: the sensor is disconnected")
    celsius = raw * _DEGREES
    if raw == _POWER_ON:
        return Converted(celsius, Quality.SUSPECT, "85 °C: what it says before it has measured")
    good = _GOOD.low <= celsius <= _GOOD.high
    return Converted(celsius, Quality.GOOD if good else Quality.FAIR)


LIBRARIES = (
    SensorLibrary(
        name="ds18b20",
        version="1.0.0",
        sensor_types=("ds18b20",),
        unit="°C",
        decimals=2,
        valid=Range(-55, 125),
        typical=_GOOD,
        source="Maxim DS18B20, revision 042208, table 1; device protocol, section 5.4",
        convert=convert,
        vectors=(
            Vector(2000, 125.0, Quality.FAIR),
            Vector(1360, 85.0, Quality.SUSPECT),
            Vector(1359, 84.94, Quality.GOOD),
            Vector(344, 21.5, Quality.GOOD),
            Vector(0, 0.0, Quality.GOOD),
            Vector(-8, -0.5, Quality.GOOD),
            Vector(-24, -1.5, Quality.GOOD),
            Vector(-162, -10.12, Quality.FAIR),
            Vector(-880, -55.0, Quality.FAIR),
            Vector(-881, None, Quality.ERROR),
            Vector(-2032, None, Quality.ERROR),
            Vector(2001, None, Quality.ERROR),
        ),
    ),
)
