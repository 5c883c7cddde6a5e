"""Soil moisture on an ADC pin: capacitive probes (the drier, the higher) and resistive ones."""

from collections.abc import Mapping
from datetime import timedelta

from sensor_libs.api import (
    ADC12,
    Calibrates,
    CalibrationMethod,
    Converted,
    Parameter,
    Quality,
    Range,
    Sees,
    SensorLibrary,
    Vector,
    clamp,
    graded,
)

_GOOD = Range(20, 80)
_FAIR = Range(10, 95)


def convert(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return percent between dry air and water."""
    dry, wet = parameters["dry"], parameters["wet"]
    if dry == wet:
        return Converted(50, Quality.BAD, "dry and wet are the same: calibrate it again")
    percent = clamp((raw - dry) / (wet - dry) * 100, 0, 100)
    if parameters["invert"]:
        percent = 100 - percent
    return Converted(percent, graded(percent, _GOOD, _FAIR))


def probe(dry: float, wet: float) -> tuple[Parameter, ...]:
    """Return the parameters of a probe."""
    return (
        Parameter("dry", dry, 0, 4095, "", "raw value in dry air or soil, 0 %"),
        Parameter("wet", wet, 0, 4095, "", "raw value in water or wet soil, 100 %"),
        Parameter("invert", 0, 0, 1, "", "1 where the probe says how dry it is"),
    )


_CALIBRATIONS = (Calibrates(CalibrationMethod.DRY_WET, ("dry", "wet"), Sees.RAW),)

LIBRARIES = (
    SensorLibrary(
        name="moisture",
        version="1.1.0",
        sensor_types=("moisture",),
        aliases=("capacitive_moisture",),
        raw=ADC12,
        unit="%",
        decimals=1,
        valid=Range(0, 100),
        typical=_GOOD,
        source="DFRobot capacitive soil moisture sensor 1.2, wiki SEN0193; device protocol, 5.4",
        convert=convert,
        parameters=probe(3200, 1500),
        calibrations=_CALIBRATIONS,
        max_rate=20,
        stuck_after=timedelta(days=1),
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
            Vector(2300, 47.1, Quality.GOOD, {"invert": 1}),
            Vector(2000, 50.0, Quality.GOOD, {"dry": 3000, "wet": 1000}),
            Vector(2000, 50.0, Quality.BAD, {"dry": 3000, "wet": 3000}),
        ),
    ),
    SensorLibrary(
        name="moisture_resistive",
        version="1.0.0",
        sensor_types=("moisture_resistive",),
        aliases=("resistive_moisture", "yl69", "fc28"),
        raw=ADC12,
        unit="%",
        decimals=1,
        valid=Range(0, 100),
        typical=_GOOD,
        source="YL-69 / FC-28 module: about 3.3 V in dry air, falling as the soil conducts better",
        convert=convert,
        parameters=probe(4000, 1200),
        calibrations=_CALIBRATIONS,
        max_rate=20,
        stuck_after=timedelta(days=1),
        vectors=(
            Vector(2600, 50.0, Quality.GOOD),
            Vector(4000, 0.0, Quality.POOR),
            Vector(1200, 100.0, Quality.POOR),
            Vector(1480, 90.0, Quality.FAIR),
            Vector(4095, 0.0, Quality.SUSPECT),
            Vector(1480, 10.0, Quality.FAIR, {"invert": 1}),
            Vector(1000, 25.0, Quality.GOOD, {"dry": 0, "wet": 4000}),
            Vector(4096, None, Quality.ERROR),
        ),
    ),
)
