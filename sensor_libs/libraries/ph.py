"""Acidity: analog meters of DFRobot and Atlas on an ADC pin, and Atlas' EZO circuit."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sensor_libs.api import (
    ADC12,
    OFFSET,
    Calibrates,
    CalibrationMethod,
    Companion,
    Converted,
    Parameter,
    Quality,
    Range,
    RawForm,
    Sees,
    SensorLibrary,
    Vector,
    adc_volts,
    clamp,
    graded,
)

_DFROBOT = (-3.5, 12.25)
_ATLAS = (-5.6548, 15.509)
"""pH per volt, and pH at 0 V."""

_CALIBRATED = Range(3, 11)
_FAIR = Range(4, 10)
_PER_DEGREE = 0.003
_REFERENCE_CELSIUS = 25


def analog(
    ideal: tuple[float, float],
) -> Callable[[float, Mapping[str, float]], Converted]:
    """Make the conversion of a meter; with `ideal` slope and offset its electrode is a guess."""

    def convert(raw: float, parameters: Mapping[str, float]) -> Converted:
        slope, offset = parameters["slope"], parameters["offset"]
        ph = slope * adc_volts(raw) + offset
        warmer = parameters["temperature"] - _REFERENCE_CELSIUS
        ph = clamp(ph + warmer * _PER_DEGREE * (7 - ph), 0, 14)
        if (slope, offset) != ideal:
            return Converted(ph, graded(ph, _CALIBRATED))
        fair = _FAIR.low <= ph <= _FAIR.high
        return Converted(ph, Quality.FAIR if fair else Quality.POOR)

    return convert


def convert_ezo(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return what the circuit says; it has its own calibration and compensation."""
    ph = raw / parameters["counts_per_ph"] + parameters["offset"]
    return Converted(ph, graded(ph, _CALIBRATED))


def electrode(ideal: tuple[float, float]) -> tuple[Parameter, ...]:
    """Return the parameters of an analog meter."""
    slope, offset = ideal
    return (
        Parameter("slope", slope, -20, 20, "pH/V", "pH per volt at 25 °C"),
        Parameter("offset", offset, -60, 60, "pH", "pH at 0 V"),
        Parameter("temperature", _REFERENCE_CELSIUS, 0, 100, "°C", "of the solution"),
    )


_COMPANIONS = (
    Companion("temperature", "°C", "no live temperature of the solution: taken for 25 °C"),
)
_ELECTRODE_METHODS = (
    Calibrates(CalibrationMethod.PH_2POINT, ("slope", "offset"), Sees.VOLTS),
    Calibrates(CalibrationMethod.PH_3POINT, ("slope", "offset"), Sees.VOLTS),
    Calibrates(CalibrationMethod.LINEAR, ("slope", "offset"), Sees.VOLTS),
)

LIBRARIES = (
    SensorLibrary(
        name="ph",
        version="1.1.0",
        sensor_types=("ph",),
        aliases=("ph_dfrobot",),
        raw=ADC12,
        unit="pH",
        decimals=2,
        valid=Range(0, 14),
        typical=_CALIBRATED,
        source="DFRobot Gravity analog pH meter, wiki SEN0161; device protocol, section 5.4",
        convert=analog(_DFROBOT),
        parameters=electrode(_DFROBOT),
        companions=_COMPANIONS,
        calibrations=_ELECTRODE_METHODS,
        max_rate=0.5,
        stuck_after=timedelta(hours=12),
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
            # pH 7 at 1.5 V and pH 4 at 2.03 V: 5.66 pH per volt; then neutral stays neutral
            # whatever the temperature, and acid is 3 % further away per 10 °C.
            Vector(1861, 7.0, Quality.GOOD, {"slope": -5.66, "offset": 15.49}),
            Vector(2519, 4.0, Quality.GOOD, {"slope": -5.66, "offset": 15.49}),
            Vector(2519, 4.09, Quality.GOOD, {"slope": -5.66, "offset": 15.49, "temperature": 35}),
            Vector(1861, 7.0, Quality.FAIR, {"temperature": 10}),
            Vector(2519, 2.0, Quality.FAIR, {"slope": -5.66, "offset": 13.49}),
            Vector(2150, None, Quality.BAD, {"slope": 99}),
        ),
    ),
    SensorLibrary(
        name="ph_atlas_analog",
        version="1.0.0",
        sensor_types=("ph_atlas_analog",),
        aliases=("ph_gravity",),
        raw=ADC12,
        unit="pH",
        decimals=2,
        valid=Range(0, 14),
        typical=_CALIBRATED,
        source="Atlas Scientific Gravity analog pH sensor: pH = -5.6548 * volts + 15.509",
        convert=analog(_ATLAS),
        parameters=electrode(_ATLAS),
        companions=_COMPANIONS,
        calibrations=_ELECTRODE_METHODS,
        max_rate=0.5,
        stuck_after=timedelta(hours=12),
        vectors=(
            # Atlas' calibration points 2.03, 1.5 and 0.975 V stand for pH 4, 7 and 10.
            Vector(2519, 4.03, Quality.FAIR),
            Vector(1861, 7.03, Quality.FAIR),
            Vector(1210, 10.0, Quality.FAIR),
            Vector(4000, 0.0, Quality.POOR),
            Vector(1861, 7.0, Quality.GOOD, {"slope": -5.66, "offset": 15.49}),
            Vector(2519, 4.12, Quality.FAIR, {"temperature": 35}),
            Vector(4095, 0.0, Quality.SUSPECT),
            Vector(4096, None, Quality.ERROR),
        ),
    ),
    SensorLibrary(
        name="ph_atlas",
        version="1.0.0",
        sensor_types=("ph_atlas",),
        aliases=("ph_ezo", "ezo_ph", "atlas_ph"),
        raw=RawForm("what the EZO circuit says", 0, 14_000),
        unit="pH",
        decimals=3,
        valid=Range(0, 14),
        typical=_CALIBRATED,
        source="Atlas Scientific EZO-pH, version 5.8: 0.001 to 14.000, three decimals",
        convert=convert_ezo,
        parameters=(
            Parameter(
                "counts_per_ph", 1, 1, 1000, "1/pH", "1000 where the firmware sends thousandths"
            ),
            OFFSET._replace(low=-2, high=2, unit="pH"),
        ),
        calibrations=(Calibrates(CalibrationMethod.OFFSET, ("offset",)),),
        max_rate=0.5,
        vectors=(
            Vector(9.56, 9.56, Quality.GOOD),
            Vector(7, 7.0, Quality.GOOD),
            Vector(2.9, 2.9, Quality.FAIR),
            Vector(9560, 9.56, Quality.GOOD, {"counts_per_ph": 1000}),
            Vector(7, 6.9, Quality.GOOD, {"offset": -0.1}),
            Vector(14, 14.0, Quality.FAIR),
            Vector(14.01, None, Quality.ERROR),
            Vector(-0.1, None, Quality.ERROR),
        ),
    ),
)
