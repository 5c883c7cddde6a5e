"""Acidity with DFRobot's analog pH meter, on an ADC pin."""

from sensor_libs.api import (
    Converted,
    Quality,
    Range,
    SensorLibrary,
    Vector,
    adc_volts,
    analog,
    clamp,
)

_NEUTRAL_VOLTS = 1.5
_PH_PER_VOLT = -3.5
_FAIR = Range(4, 10)


@analog
def convert(raw: float) -> Converted:
    """Return pH at 25 °C; without a calibration, two buffers away from 7 it is a guess."""
    ph = clamp(7 + _PH_PER_VOLT * (adc_volts(raw) - _NEUTRAL_VOLTS), 0, 14)
    return Converted(ph, Quality.FAIR if _FAIR.low <= ph <= _FAIR.high else Quality.POOR)


LIBRARIES = (
    SensorLibrary(
        name="ph",
        version="1.0.0",
        sensor_types=("ph",),
        unit="pH",
        decimals=2,
        valid=Range(0, 14),
        typical=_FAIR,
        source="DFRobot Gravity analog pH meter, wiki SEN0161; device protocol, section 5.4",
        convert=convert,
        vectors=(
            Vector(1861, 7.0, Quality.FAIR),
            Vector(2150, 6.19, Quality.FAIR),
            Vector(798, 10.0, Quality.FAIR),
            Vector(700, 10.28, Quality.POOR),
            Vector(2925, 4.0, Quality.FAIR),
            Vector(2950, 3.93, Quality.POOR),
            Vector(49, 12.11, Quality.SUSPECT),
            Vector(4095, 0.7, Quality.SUSPECT),
            Vector(4096, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
