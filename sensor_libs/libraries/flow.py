"""Flow: turbines that give pulses, counted over a while (or told as pulses per second)."""

from collections.abc import Callable, Mapping

from sensor_libs.api import (
    FACTOR,
    PULSES,
    Calibrates,
    CalibrationMethod,
    Converted,
    OtherUnit,
    Parameter,
    Quality,
    Range,
    SensorLibrary,
    Vector,
)

_SECONDS_PER_MINUTE = 60
_YF_S201_LOWEST = 1
_YF_S201_PULSES = 450


def turbine(lowest: float) -> Callable[[float, Mapping[str, float]], Converted]:
    """Make the conversion of a turbine that turns evenly from a lowest flow on."""

    def convert(raw: float, parameters: Mapping[str, float]) -> Converted:
        litres = raw / parameters["pulses_per_litre"]
        flow = litres / parameters["window_s"] * _SECONDS_PER_MINUTE * parameters["factor"]
        if 0 < flow < lowest:
            return Converted(flow, Quality.FAIR, "less than the turbine turns evenly with")
        return Converted(flow, Quality.GOOD)

    return convert


def pulses(default: float | None) -> tuple[Parameter, ...]:
    """Return the parameters of a turbine."""
    return (
        Parameter("pulses_per_litre", default, 0.001, 100_000, "1/L", "as its data sheet says"),
        Parameter("window_s", 1, 0.01, 86_400, "s", "how long pulses are counted; 1: per second"),
        FACTOR,
    )


_CALIBRATIONS = (Calibrates(CalibrationMethod.FACTOR, ("factor",)),)
_UNITS = (OtherUnit("L/h", 60), OtherUnit("m³/h", 0.06))

LIBRARIES = (
    SensorLibrary(
        name="flow",
        version="1.0.0",
        sensor_types=("flow",),
        raw=PULSES,
        unit="L/min",
        decimals=2,
        valid=Range(0, 100),
        typical=Range(0, 30),
        source="YF-S201: F = 7.5 * Q (450 pulses per litre); device protocol, section 5.4",
        convert=turbine(_YF_S201_LOWEST),
        parameters=pulses(_YF_S201_PULSES),
        calibrations=_CALIBRATIONS,
        units=_UNITS,
        vectors=(
            # The data sheet's table: 16, 32.5, 49.3, 65.5, 82 and 90.2 Hz at 120, 240, 360, 480,
            # 600 and 720 L/h, within its 10 %; the formula is exact.
            Vector(0, 0.0, Quality.GOOD),
            Vector(16, 2.13, Quality.GOOD),
            Vector(32.5, 4.33, Quality.GOOD),
            Vector(7.5, 1.0, Quality.GOOD),
            Vector(225, 30.0, Quality.GOOD),
            Vector(450, 1.0, Quality.GOOD, {"window_s": 60}),
            Vector(75, 2.0, Quality.GOOD, {"window_s": 5}),
            Vector(3, 0.4, Quality.FAIR),
            Vector(7.5, 1.1, Quality.GOOD, {"factor": 1.1}),
            Vector(751, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
            Vector(10, None, Quality.BAD, {"pulses_per_litre": 0}),
        ),
    ),
    SensorLibrary(
        name="flow_pulses",
        version="1.0.0",
        sensor_types=("flow_pulses",),
        aliases=("pulse_flow", "flow_meter"),
        raw=PULSES,
        unit="L/min",
        decimals=3,
        valid=Range(0, 1000),
        typical=Range(0, 100),
        source="Volume is pulses divided by the pulses per litre of the meter's data sheet",
        convert=turbine(0),
        parameters=pulses(None),
        calibrations=_CALIBRATIONS,
        units=_UNITS,
        vectors=(
            Vector(10, None, Quality.BAD),
            Vector(10, 60.0, Quality.GOOD, {"pulses_per_litre": 10}),
            Vector(10, 1.0, Quality.GOOD, {"pulses_per_litre": 10, "window_s": 60}),
            Vector(10, 66.0, Quality.GOOD, {"pulses_per_litre": 10, "factor": 1.1}),
            Vector(0, 0.0, Quality.GOOD, {"pulses_per_litre": 10}),
            Vector(1000, None, Quality.ERROR, {"pulses_per_litre": 10}),
        ),
    ),
)
