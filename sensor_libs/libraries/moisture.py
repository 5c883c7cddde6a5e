"""Soil moisture with a capacitive probe (version 1.2), on an ADC pin: the drier, the higher."""

from sensor_libs.api import Converted, Quality, Range, SensorLibrary, Vector, analog, clamp

_DRY, _WET = 3200, 1500
_GOOD = Range(20, 80)
_FAIR = Range(10, 95)


@analog
def convert(raw: float) -> Converted:
    """Return percent between dry air and water."""
    percent = clamp((raw - _DRY) / (_WET - _DRY) * 100, 0, 100)
    if _GOOD.low <= percent <= _GOOD.high:
        return Converted(percent, Quality.GOOD)
    fair = _FAIR.low <= percent <= _FAIR.high
    return Converted(percent, Quality.FAIR if fair else Quality.POOR)


LIBRARIES = (
    SensorLibrary(
        name="moisture",
        version="1.0.0",
        sensor_types=("moisture",),
        unit="%",
        decimals=1,
        valid=Range(0, 100),
        typical=_GOOD,
        source="DFRobot capacitive soil moisture sensor 1.2, wiki SEN0193; device protocol, 5.4",
        convert=convert,
        vectors=(
            Vector(2300, 52.9, Quality.GOOD),
            Vector(2143, 62.2, Quality.GOOD),
            Vector(2860, 20.0, Quality.GOOD),
            Vector(2900, 17.6, Quality.FAIR),
            Vector(1700, 88.2, Quality.FAIR),
            Vector(3100, 5.9, Quality.POOR),
            Vector(1500, 100.0, Quality.POOR),
            Vector(1200, 100.0, Quality.POOR),
            Vector(3500, 0.0, Quality.POOR),
            Vector(0, 100.0, Quality.SUSPECT),
            Vector(4095, 0.0, Quality.SUSPECT),
            Vector(5000, None, Quality.ERROR),
        ),
    ),
)
