"""Electrical conductivity with DFRobot's analog meter: on an ADC pin, or on a 16-bit converter."""

from sensor_libs.api import (
    ADC_TOP,
    Converted,
    Quality,
    Range,
    SensorLibrary,
    Vector,
    adc_volts,
    analog,
)

_MICROSIEMENS_PER_VOLT = 6060
_WIDE_TOP, _WIDE_VOLTS = 32_767, 5.0
_TYPICAL = Range(100, 15_000)


def _from_volts(volts: float) -> Converted:
    conductivity = _MICROSIEMENS_PER_VOLT * volts
    typical = _TYPICAL.low <= conductivity <= _TYPICAL.high
    return Converted(conductivity, Quality.GOOD if typical else Quality.FAIR)


@analog
def _convert_pin(raw: float) -> Converted:
    return _from_volts(adc_volts(raw))


def convert(raw: float) -> Converted:
    """Return microsiemens per centimetre at 25 °C; what exceeds the ADC is from a wider one."""
    if raw <= ADC_TOP:
        return _convert_pin(raw)
    return _from_volts(raw / _WIDE_TOP * _WIDE_VOLTS)


LIBRARIES = (
    SensorLibrary(
        name="ec",
        version="1.0.0",
        sensor_types=("ec",),
        unit="µS/cm",
        decimals=1,
        valid=Range(0, 20_000),
        typical=_TYPICAL,
        source="DFRobot Gravity analog EC meter, wiki DFR0300; device protocol, section 5.4",
        convert=convert,
        vectors=(
            Vector(290, 1416.2, Quality.GOOD),
            Vector(1000, 4883.5, Quality.GOOD),
            Vector(2637, 12877.8, Quality.GOOD),
            Vector(3500, 17092.3, Quality.FAIR),
            Vector(20, 97.7, Quality.SUSPECT),
            Vector(4095, 19998.0, Quality.SUSPECT),
            Vector(6553, 6059.6, Quality.GOOD),
            Vector(32767, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
