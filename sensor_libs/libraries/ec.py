"""Electrical conductivity: DFRobot's analog meter, and Atlas' EZO circuit."""

from collections.abc import Mapping
from datetime import timedelta

from sensor_libs.api import (
    ADC_ENDS,
    ADC_TOP,
    OFFSET,
    Calibrates,
    CalibrationMethod,
    Companion,
    Converted,
    OtherUnit,
    Parameter,
    Quality,
    Range,
    RawForm,
    Sees,
    SensorLibrary,
    Vector,
    adc_volts,
    graded,
)

_MICROSIEMENS_PER_VOLT = 6060
_WIDE_TOP, _WIDE_VOLTS = 32_767, 5.0
_REFERENCE_CELSIUS = 25
_TYPICAL = Range(100, 15_000)

EITHER_ADC = RawForm(
    "a value of the ADC or of a 16-bit converter",
    0,
    _WIDE_TOP,
    (),
    ADC_ENDS,
    "at the end of the ADC: no probe connected?",
)


def volts(raw: float) -> float:
    """Return the voltage of the probe; what exceeds the ADC is from a wider one, with 5 V."""
    return adc_volts(raw) if raw <= ADC_TOP else raw / _WIDE_TOP * _WIDE_VOLTS


def convert(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return microsiemens per centimetre at 25 °C."""
    measured = parameters["slope"] * volts(raw) + parameters["offset"]
    warmer = parameters["temperature"] - _REFERENCE_CELSIUS
    conductivity = measured / (1 + parameters["per_degree"] * warmer)
    return Converted(conductivity, graded(conductivity, _TYPICAL))


def convert_ezo(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return what the circuit says; it has its own calibration and compensation."""
    conductivity = raw * parameters["factor"] + parameters["offset"]
    return Converted(conductivity, graded(conductivity, _TYPICAL))


# Dissolved salts are told by the scale of sodium chloride: half a ppm per microsiemens.
_UNITS = (OtherUnit("mS/cm", 0.001), OtherUnit("ppm", 0.5))
_PLAIN = {"slope": 6000, "offset": 0}

LIBRARIES = (
    SensorLibrary(
        name="ec",
        version="1.1.0",
        sensor_types=("ec",),
        aliases=("ec_dfrobot",),
        raw=EITHER_ADC,
        unit="µS/cm",
        decimals=1,
        valid=Range(0, 20_000),
        typical=_TYPICAL,
        source="DFRobot Gravity analog EC meter, wiki DFR0300; device protocol, section 5.4",
        convert=convert,
        parameters=(
            Parameter("slope", _MICROSIEMENS_PER_VOLT, 1, 100_000, "µS/cm/V", "per volt at 25 °C"),
            Parameter("offset", 0, -20_000, 20_000, "µS/cm", "at 0 V"),
            Parameter("temperature", _REFERENCE_CELSIUS, 0, 100, "°C", "of the solution"),
            Parameter("per_degree", 0.02, 0, 0.03, "1/°C", "how conductivity rises with warmth"),
        ),
        companions=(
            Companion("temperature", "°C", "no live temperature of the solution: taken for 25 °C"),
        ),
        calibrations=(
            Calibrates(CalibrationMethod.EC_2POINT, ("slope", "offset"), Sees.VOLTS),
            Calibrates(CalibrationMethod.LINEAR, ("slope", "offset"), Sees.VOLTS),
        ),
        volts=volts,
        units=_UNITS,
        max_rate=500,
        stuck_after=timedelta(hours=12),
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
            # 6000 µS/cm per volt, at 1.1 V: 2 % less per degree above 25 °C.
            Vector(1365, 6600.0, Quality.GOOD, _PLAIN),
            Vector(1365, 6000.0, Quality.GOOD, {**_PLAIN, "temperature": 30}),
            Vector(1365, 7333.3, Quality.GOOD, {**_PLAIN, "temperature": 20}),
            Vector(1365, 6600.0, Quality.GOOD, {**_PLAIN, "temperature": 30, "per_degree": 0}),
            Vector(1365, 6500.0, Quality.GOOD, {**_PLAIN, "offset": -100}),
            Vector(100, None, Quality.ERROR, {**_PLAIN, "offset": -1000}),
            Vector(1365, None, Quality.BAD, {"temperature": 300}),
        ),
    ),
    SensorLibrary(
        name="ec_atlas",
        version="1.0.0",
        sensor_types=("ec_atlas",),
        aliases=("ec_ezo", "ezo_ec", "atlas_ec"),
        raw=RawForm("what the EZO circuit says, in µS/cm", 0, 500_000),
        unit="µS/cm",
        decimals=2,
        valid=Range(0, 500_000),
        typical=_TYPICAL,
        source="Atlas Scientific EZO-EC: 0.07 to 500,000 µS/cm",
        convert=convert_ezo,
        parameters=(
            Parameter("factor", 1, 0.001, 100, "", "every value is multiplied by it"),
            OFFSET._replace(low=-20_000, high=20_000, unit="µS/cm"),
        ),
        calibrations=(
            Calibrates(CalibrationMethod.FACTOR, ("factor",)),
            Calibrates(CalibrationMethod.LINEAR, ("factor", "offset"), Sees.RAW),
        ),
        units=_UNITS,
        max_rate=500,
        vectors=(
            Vector(1413, 1413.0, Quality.GOOD),
            Vector(12_880, 12880.0, Quality.GOOD),
            Vector(80_000, 80000.0, Quality.FAIR),
            Vector(84, 84.0, Quality.FAIR),
            Vector(1400, 1414.0, Quality.GOOD, {"factor": 1.01}),
            Vector(1400, 1413.0, Quality.GOOD, {"offset": 13}),
            Vector(500_001, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
