"""Virtual sensors of the air: what temperature and humidity together mean for plants."""

from collections.abc import Callable, Mapping
from math import exp, log

from sensor_libs.api import (
    Companion,
    Converted,
    OtherUnit,
    Parameter,
    Quality,
    Range,
    SensorLibrary,
    Vector,
    graded,
)

_KILOPASCAL, _SLOPE, _POLE = 0.6108, 17.27, 237.3
_TYPICAL_VPD = Range(0.4, 1.6)
_DRIEST = 0.1
_CHIPS = ("sht31", "dht22", "bme280", "scd30")
"""Those that measure both; at the address of one of them, nobody needs to name the inputs."""


def saturated(celsius: float) -> float:
    """Return the vapour pressure of saturated air, in kPa (FAO-56, equation 11)."""
    return _KILOPASCAL * exp(_SLOPE * celsius / (celsius + _POLE))


def convert_vpd(_raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return how much more vapour the air could hold, in kPa."""
    celsius, percent = parameters["temperature"], parameters["humidity"]
    deficit = saturated(celsius) * (1 - percent / 100)
    return Converted(deficit, graded(deficit, _TYPICAL_VPD))


def convert_dew_point(_raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return the temperature at which dew falls, in °C: equation 11, turned round."""
    percent = parameters["humidity"]
    if percent < _DRIEST:
        return Converted(None, Quality.ERROR, "air without vapour has no dew point")
    celsius = parameters["temperature"]
    bent = log(percent / 100) + _SLOPE * celsius / (celsius + _POLE)
    return Converted(_POLE * bent / (_SLOPE - bent), Quality.GOOD)


def virtual(  # noqa: PLR0913 - what differs between the quantities
    name: str,
    *,
    unit: str,
    valid: Range,
    typical: Range,
    convert: Callable[[float, Mapping[str, float]], Converted],
    units: tuple[OtherUnit, ...],
    vectors: tuple[Vector, ...],
) -> SensorLibrary:
    """Return the library of one quantity."""
    return SensorLibrary(
        name=name,
        version="1.0.0",
        sensor_types=(name,),
        raw=None,
        unit=unit,
        decimals=2,
        valid=valid,
        typical=typical,
        source="FAO Irrigation and Drainage Paper 56, equation 11 and annex 2, table 2.3",
        convert=convert,
        parameters=(
            Parameter("temperature", None, -40, 80, "°C", "of the air"),
            Parameter("humidity", None, 0, 100, "%RH", "of the air"),
        ),
        companions=(
            Companion(
                "temperature",
                "°C",
                "no fresh temperature of the air",
                beside=tuple(f"{chip}_temp" for chip in _CHIPS),
            ),
            Companion(
                "humidity",
                "%RH",
                "no fresh humidity of the air",
                beside=tuple(f"{chip}_humidity" for chip in _CHIPS),
            ),
        ),
        units=units,
        vectors=vectors,
    )


LIBRARIES = (
    virtual(
        "vpd",
        unit="kPa",
        valid=Range(0, 50),
        typical=_TYPICAL_VPD,
        convert=convert_vpd,
        units=(OtherUnit("hPa", 10), OtherUnit("Pa", 1000)),
        vectors=(
            # Table 2.3: saturated air holds 0.61, 1.23, 2.34, 3.17 and 4.24 kPa at 0, 10, 20, 25
            # and 30 °C (to the digit: 0.611, 1.228, 2.338, 3.168, 4.243).
            Vector(0, 0.61, Quality.GOOD, {"temperature": 0, "humidity": 0}),
            Vector(0, 1.23, Quality.GOOD, {"temperature": 10, "humidity": 0}),
            Vector(0, 1.17, Quality.GOOD, {"temperature": 20, "humidity": 50}),
            Vector(0, 1.27, Quality.GOOD, {"temperature": 25, "humidity": 60}),
            Vector(0, 2.12, Quality.FAIR, {"temperature": 30, "humidity": 50}),
            Vector(0, 0.0, Quality.FAIR, {"temperature": 25, "humidity": 100}),
            Vector(0, None, Quality.BAD, {"temperature": 25}),
            Vector(0, None, Quality.BAD),
            Vector(0, None, Quality.BAD, {"temperature": 25, "humidity": 101}),
        ),
    ),
    virtual(
        "dew_point",
        unit="°C",
        valid=Range(-100, 80),
        typical=Range(-10, 30),
        convert=convert_dew_point,
        units=(OtherUnit("°F", 1.8, 32), OtherUnit("K", 1, 273.15)),
        vectors=(
            # Saturated air is at its dew point; and by table 2.3 air of 30 °C with the vapour of
            # 20 °C (2.338 of 4.243 kPa, 55.1 %) has its dew point at 20 °C.
            Vector(0, 25.0, Quality.GOOD, {"temperature": 25, "humidity": 100}),
            Vector(0, 20.0, Quality.GOOD, {"temperature": 30, "humidity": 55.1027}),
            Vector(0, 0.0, Quality.GOOD, {"temperature": 20, "humidity": 26.1255}),
            Vector(0, None, Quality.ERROR, {"temperature": 20, "humidity": 0}),
            Vector(0, None, Quality.BAD, {"humidity": 50}),
        ),
    ),
)
