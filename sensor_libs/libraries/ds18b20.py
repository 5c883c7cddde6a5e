"""DS18B20: temperature over OneWire."""

from collections.abc import Mapping
from datetime import timedelta

from sensor_libs.api import (
    INT16,
    OFFSET,
    Calibrates,
    CalibrationMethod,
    Converted,
    OtherUnit,
    Quality,
    Range,
    SensorLibrary,
    Vector,
    graded,
)

_DEGREES = 0.0625
_DISCONNECTED = -2032
_POWER_ON = 1360
_GOOD = Range(-10, 85)


def convert(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return degrees for the 12-bit register of the chip."""
    if raw == _DISCONNECTED:
        return Converted(None, Quality.ERROR, "-127 °C: the sensor is disconnected")
    celsius = raw * _DEGREES + parameters["offset"]
    if raw == _POWER_ON:
        return Converted(celsius, Quality.SUSPECT, "85 °C: what it says before it has measured")
    return Converted(celsius, graded(celsius, _GOOD))


LIBRARIES = (
    SensorLibrary(
        name="ds18b20",
        version="1.1.0",
        sensor_types=("ds18b20",),
        raw=INT16,
        unit="°C",
        decimals=2,
        valid=Range(-55, 125),
        typical=_GOOD,
        source="Maxim DS18B20, revision 042208, table 1; device protocol, section 5.4",
        convert=convert,
        parameters=(OFFSET._replace(low=-10, high=10, unit="°C"),),
        calibrations=(Calibrates(CalibrationMethod.OFFSET, ("offset",)),),
        units=(OtherUnit("°F", 1.8, 32), OtherUnit("K", 1, 273.15)),
        max_rate=2,
        stuck_after=timedelta(days=1),
        vectors=(
            # Table 1 of the data sheet: 07D0h, 0550h, 0191h, 00A2h, 0008h, 0, FFF8h, FF5Eh, FE6Fh,
            # FC90h; the last five as words that were read without their sign, too.
            Vector(0x07D0, 125.0, Quality.FAIR),
            Vector(0x0550, 85.0, Quality.SUSPECT),
            Vector(0x0191, 25.06, Quality.GOOD),
            Vector(0x00A2, 10.12, Quality.GOOD),
            Vector(0x0008, 0.5, Quality.GOOD),
            Vector(0, 0.0, Quality.GOOD),
            Vector(-8, -0.5, Quality.GOOD),
            Vector(-162, -10.12, Quality.FAIR),
            Vector(-401, -25.06, Quality.FAIR),
            Vector(-880, -55.0, Quality.FAIR),
            Vector(0xFF5E, -10.12, Quality.FAIR),
            Vector(0xFE6F, -25.06, Quality.FAIR),
            Vector(0xFC90, -55.0, Quality.FAIR),
            Vector(2**32 - 8, -0.5, Quality.GOOD),
            Vector(1359, 84.94, Quality.GOOD),
            Vector(344, 21.0, Quality.GOOD, {"offset": -0.5}),
            Vector(-2032, None, Quality.ERROR),
            Vector(0xF810, None, Quality.ERROR),
            Vector(-881, None, Quality.ERROR),
            Vector(2001, None, Quality.ERROR),
            Vector(65_536 + 344, None, Quality.ERROR),
        ),
    ),
)
