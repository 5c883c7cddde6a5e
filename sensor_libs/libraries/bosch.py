"""BMP280 and BME280: pressure, temperature and humidity, as words that mean nothing by themselves.

The formulas are those of the data sheets in double precision. The trim words are parameters: a
device reads them out of the chip once (registers 88h to A1h and E1h to E7h), and without them there
is no value (device protocol, section 7, decision 10).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sensor_libs.api import (
    OFFSET,
    WORD16,
    WORD24,
    Calibrates,
    CalibrationMethod,
    Channels,
    Companion,
    Converted,
    OtherUnit,
    Parameter,
    Quality,
    Range,
    RawForm,
    SensorLibrary,
    Takes,
    Vector,
    big_endian,
    clamp,
    graded,
)

_TWENTY_BITS = 0xFFFFF
_SKIPPED, _SKIPPED_HUMIDITY = 0x80000, 0x8000
_GOOD_CELSIUS = Range(0, 65)
_GOOD_HECTOPASCAL = Range(950, 1050)
_GOOD_PERCENT = Range(20, 80)
_FAIR_PERCENT = Range(5, 95)
_NOT_MEASURED = "the word that the chip says when it has not measured"


def adc(word: float) -> float:
    """Return the 20 bits of the converter.

    Firmware sends the three bytes of the register, with four empty bits at the end. A number that
    fits 20 bits is the converter's own: as a whole register it would be below -40 °C or beyond
    1100 hPa.
    """
    return word if word <= _TWENTY_BITS else word // 16


def fine_temperature(word: float, trim: Mapping[str, float]) -> float:
    """Return t_fine, 5120 to the degree (BST-BMP280-DS001, section 8.1)."""
    of_t1 = adc(word) / 16384 - trim["dig_T1"] / 1024
    small = adc(word) / 131072 - trim["dig_T1"] / 8192
    return of_t1 * trim["dig_T2"] + small * small * trim["dig_T3"]


def pascal(word: float, fine: float, trim: Mapping[str, float]) -> float:
    """Return the pressure (the same section); infinite where the trim words make none."""
    var1 = fine / 2 - 64000
    var2 = var1 * var1 * trim["dig_P6"] / 32768 + var1 * trim["dig_P5"] * 2
    var2 = var2 / 4 + trim["dig_P4"] * 65536
    var1 = (trim["dig_P3"] * var1 * var1 / 524288 + trim["dig_P2"] * var1) / 524288
    var1 = (1 + var1 / 32768) * trim["dig_P1"]
    if var1 == 0:
        return float("inf")
    pressure = (1048576 - adc(word) - var2 / 4096) * 6250 / var1
    var1 = trim["dig_P9"] * pressure * pressure / 2147483648
    var2 = pressure * trim["dig_P8"] / 32768
    return pressure + (var1 + var2 + trim["dig_P7"]) / 16


def percent_humidity(word: float, fine: float, trim: Mapping[str, float]) -> float:
    """Return the relative humidity, which may lie a little beyond 0..100 (DS002, section 8.1)."""
    above = fine - 76800
    signal = word - (trim["dig_H4"] * 64 + trim["dig_H5"] / 16384 * above)
    curve = 1 + trim["dig_H3"] / 67108864 * above
    gain = trim["dig_H2"] / 65536 * (1 + trim["dig_H6"] / 67108864 * above * curve)
    humidity = signal * gain
    return humidity * (1 - trim["dig_H1"] * humidity / 524288)


def convert_temperature(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return degrees."""
    celsius = fine_temperature(raw, parameters) / 5120 + parameters["offset"]
    if adc(raw) == _SKIPPED:
        return Converted(celsius, Quality.SUSPECT, _NOT_MEASURED)
    return Converted(celsius, graded(celsius, _GOOD_CELSIUS))


def convert_pressure(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return hectopascal where the chip is, or at sea level where its altitude is given."""
    fine = fine_temperature(parameters["temperature_raw"], parameters)
    hectopascal = pascal(raw, fine, parameters) / 100 + parameters["offset"]
    hectopascal /= (1 - parameters["altitude"] / 44330) ** 5.255
    if adc(raw) == _SKIPPED:
        return Converted(hectopascal, Quality.SUSPECT, _NOT_MEASURED)
    return Converted(hectopascal, graded(hectopascal, _GOOD_HECTOPASCAL))


def convert_humidity(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return percent relative humidity."""
    fine = fine_temperature(parameters["temperature_raw"], parameters)
    percent = percent_humidity(raw, fine, parameters) + parameters["offset"]
    percent = clamp(percent, 0, 100)
    if raw == _SKIPPED_HUMIDITY:
        return Converted(percent, Quality.SUSPECT, _NOT_MEASURED)
    return Converted(percent, graded(percent, _GOOD_PERCENT, _FAIR_PERCENT))


def trim_words(unsigned: Sequence[str], signed: Sequence[str]) -> tuple[Parameter, ...]:
    """Return trim words of 16 bits as parameters that nobody can guess."""
    limits = [*((name, 0, 65_535) for name in unsigned), *((n, -32_768, 32_767) for n in signed)]
    return tuple(
        Parameter(name, None, low, high, "", "trim word of this very chip")
        for name, low, high in limits
    )


_TRIM_T = trim_words(["dig_T1"], ["dig_T2", "dig_T3"])
_TRIM_P = trim_words(["dig_P1"], [f"dig_P{i}" for i in range(2, 10)])
_TRIM_H = (
    *trim_words([], ["dig_H2", "dig_H4", "dig_H5"]),
    Parameter("dig_H1", None, 0, 255, "", "trim word of this very chip"),
    Parameter("dig_H3", None, 0, 255, "", "trim word of this very chip"),
    Parameter("dig_H6", None, -128, 127, "", "trim word of this very chip"),
)
_TEMPERATURE_RAW = Parameter(
    "temperature_raw", None, 0, WORD24.high, "", "newest raw temperature of the same chip"
)
_ALTITUDE = Parameter("altitude", 0, -500, 9000, "m", "above the sea; 0: pressure as it is there")
_OFFSET = (Calibrates(CalibrationMethod.OFFSET, ("offset",)),)
_BYTES = Channels(("high byte", "middle byte", "low byte"), big_endian, "all bytes as one number")
_PRESSURE_UNITS = (
    OtherUnit("Pa", 100),
    OtherUnit("mmHg", 0.750062),
    OtherUnit("inHg", 0.02953),
)
_SOURCES = {
    "bmp280": "Bosch BST-BMP280-DS001, sections 3.11.3, 3.12 and 8.1; device protocol, 5.4",
    "bme280": "Bosch BST-BME280-DS002, sections 4.2.3 and 8.1; device protocol, 5.4",
}

# The worked example of BST-BMP280-DS001, section 3.12.
_T = {"dig_T1": 27504, "dig_T2": 26435, "dig_T3": -1000}
_P = dict(
    zip(
        (f"dig_P{i}" for i in range(1, 10)),
        (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000),
        strict=True,
    )
)
_EXAMPLE = {**_T, **_P, "temperature_raw": 519_888}
# Two real chips. Registers and results of the first stand in the manufacturer's forum ("BME280 data
# to test calculations", 2019): 24.44 °C and 54.17 %RH. Those of the second, 24.79 °C, 1006.62 hPa
# and 68.67 %RH, are published with the driver of a maker of breakout boards (Pimoroni).
_ONE_T = {"dig_T1": 28268, "dig_T2": 26231, "dig_T3": 50}
_ONE_H = {"dig_H1": 75, "dig_H2": 357, "dig_H3": 0, "dig_H4": 331, "dig_H5": 0, "dig_H6": 30}
_ONE = {**_ONE_T, **_ONE_H, "temperature_raw": 0x817FB0}
_TWO_T = {"dig_T1": 28009, "dig_T2": 25654, "dig_T3": 50}
_TWO_P = dict(
    zip(
        (f"dig_P{i}" for i in range(1, 10)),
        (39145, -10750, 3024, 5667, -120, -7, 15500, -14600, 6000),
        strict=True,
    )
)
_TWO_H = {"dig_H1": 75, "dig_H2": 376, "dig_H3": 0, "dig_H4": 286, "dig_H5": 50, "dig_H6": 30}
_TWO = {**_TWO_T, **_TWO_P, **_TWO_H, "temperature_raw": 529_191}


def temperature(chip: str, vectors: tuple[Vector, ...]) -> SensorLibrary:
    """Return the library of a chip's temperature."""
    return SensorLibrary(
        name=f"{chip}_temp",
        version="1.0.0",
        sensor_types=(f"{chip}_temp",),
        raw=WORD24,
        unit="°C",
        decimals=2,
        valid=Range(-40, 85),
        typical=_GOOD_CELSIUS,
        source=_SOURCES[chip],
        convert=convert_temperature,
        parameters=(*_TRIM_T, OFFSET._replace(low=-10, high=10, unit="°C")),
        channels=_BYTES,
        calibrations=_OFFSET,
        units=(OtherUnit("°F", 1.8, 32), OtherUnit("K", 1, 273.15)),
        max_rate=5,
        stuck_after=timedelta(hours=6),
        vectors=vectors,
    )


def companion(chip: str) -> Companion:
    """Return where the chip's temperature comes from."""
    return Companion(
        "temperature_raw",
        "",
        f"no fresh raw value of {chip}_temp at the same address",
        beside=(f"{chip}_temp",),
        takes=Takes.RAW,
    )


def pressure(chip: str, vectors: tuple[Vector, ...]) -> SensorLibrary:
    """Return the library of a chip's pressure."""
    return SensorLibrary(
        name=f"{chip}_pressure",
        version="1.0.0",
        sensor_types=(f"{chip}_pressure",),
        aliases=(chip,),
        raw=WORD24,
        unit="hPa",
        decimals=2,
        valid=Range(300, 1100),
        typical=_GOOD_HECTOPASCAL,
        source=_SOURCES[chip],
        convert=convert_pressure,
        parameters=(
            *_TRIM_T,
            *_TRIM_P,
            _TEMPERATURE_RAW,
            _ALTITUDE,
            OFFSET._replace(low=-100, high=100, unit="hPa"),
        ),
        companions=(companion(chip),),
        channels=_BYTES,
        calibrations=_OFFSET,
        units=_PRESSURE_UNITS,
        max_rate=10,
        stuck_after=timedelta(hours=6),
        vectors=vectors,
    )


def humidity(chip: str, vectors: tuple[Vector, ...]) -> SensorLibrary:
    """Return the library of a chip's humidity."""
    return SensorLibrary(
        name=f"{chip}_humidity",
        version="1.0.0",
        sensor_types=(f"{chip}_humidity",),
        raw=WORD16,
        unit="%RH",
        decimals=2,
        valid=Range(0, 100),
        typical=_GOOD_PERCENT,
        source=_SOURCES[chip],
        convert=convert_humidity,
        parameters=(
            *_TRIM_T,
            *_TRIM_H,
            _TEMPERATURE_RAW,
            OFFSET._replace(low=-30, high=30, unit="%RH"),
        ),
        companions=(companion(chip),),
        channels=Channels(("high byte", "low byte"), big_endian, "both bytes as one number"),
        calibrations=_OFFSET,
        max_rate=20,
        stuck_after=timedelta(hours=6),
        vectors=vectors,
    )


def convert_told(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return the hectopascal that a device computed itself."""
    hectopascal = raw + parameters["offset"]
    return Converted(hectopascal, graded(hectopascal, _GOOD_HECTOPASCAL))


LIBRARIES = (
    temperature(
        "bmp280",
        (
            Vector(519_888, 25.08, Quality.GOOD, _T),
            Vector(519_888 * 16, 25.08, Quality.GOOD, _T),
            Vector((0x7E, 0xED, 0x00), 25.08, Quality.GOOD, _T),
            Vector(519_888, 24.58, Quality.GOOD, {**_T, "offset": -0.5}),
            Vector(0x800000, 26.46, Quality.SUSPECT, _T),
            Vector(519_888, None, Quality.BAD),
            Vector(519_888, None, Quality.BAD, {"dig_T1": 27504}),
            Vector(0, None, Quality.ERROR, _T),
            Vector(2**24, None, Quality.ERROR, _T),
        ),
    ),
    pressure(
        "bmp280",
        (
            Vector(415_148, 1006.53, Quality.GOOD, _EXAMPLE),
            Vector(415_148 * 16, 1006.53, Quality.GOOD, _EXAMPLE),
            Vector((0x65, 0x5A, 0xC0), 1006.53, Quality.GOOD, _EXAMPLE),
            Vector(415_148, 1018.55, Quality.GOOD, {**_EXAMPLE, "altitude": 100}),
            Vector(415_148, 1007.53, Quality.GOOD, {**_EXAMPLE, "offset": 1}),
            Vector(415_148, None, Quality.BAD),
            Vector(415_148, None, Quality.BAD, {**_T, **_P}),
            Vector(415_148, None, Quality.BAD, {**_T, "temperature_raw": 519_888}),
            Vector(0, None, Quality.ERROR, _EXAMPLE),
            Vector(-1, None, Quality.ERROR, _EXAMPLE),
        ),
    ),
    temperature(
        "bme280",
        (
            Vector(0x817FB0, 24.44, Quality.GOOD, _ONE_T),
            Vector(529_191, 24.79, Quality.GOOD, _TWO_T),
            Vector(519_888, 25.08, Quality.GOOD, _T),
            Vector(519_888, 26.08, Quality.GOOD, {**_T, "offset": 1}),
            Vector(0x817FB0, None, Quality.BAD),
        ),
    ),
    pressure(
        "bme280",
        (
            Vector(415_148, 1006.53, Quality.GOOD, _EXAMPLE),
            Vector(326_816, 1006.62, Quality.GOOD, _TWO),
            Vector(326_816 * 16, 906.62, Quality.FAIR, {**_TWO, "offset": -100}),
            Vector(415_148, 1018.55, Quality.GOOD, {**_EXAMPLE, "altitude": 100}),
            Vector(0, None, Quality.ERROR, _TWO),
            Vector(326_816, None, Quality.BAD),
        ),
    ),
    humidity(
        "bme280",
        (
            Vector(0x7913, 54.17, Quality.GOOD, _ONE),
            Vector((0x79, 0x13), 54.17, Quality.GOOD, _ONE),
            Vector(30_281, 68.67, Quality.GOOD, _TWO),
            Vector(0x7913, 52.17, Quality.GOOD, {**_ONE, "offset": -2}),
            Vector(0, 0.0, Quality.POOR, _ONE),
            Vector(0xFFFF, 100.0, Quality.POOR, _ONE),
            Vector(0x7913, None, Quality.BAD),
            Vector(0x7913, None, Quality.BAD, _ONE_H),
            Vector(65_536, None, Quality.ERROR, _ONE),
        ),
    ),
    SensorLibrary(
        name="pressure",
        version="1.0.0",
        # Devices that name only the quantity have compensated it themselves.
        sensor_types=("pressure",),
        raw=RawForm("hectopascal", 300, 1100),
        unit="hPa",
        decimals=2,
        valid=Range(300, 1100),
        typical=_GOOD_HECTOPASCAL,
        source="Device protocol, section 5.4: hectopascal as computed by the device",
        convert=convert_told,
        parameters=(OFFSET._replace(low=-100, high=100, unit="hPa"),),
        calibrations=_OFFSET,
        units=_PRESSURE_UNITS,
        max_rate=10,
        vectors=(
            Vector(1013.25, 1013.25, Quality.GOOD),
            Vector(800, 800.0, Quality.FAIR),
            Vector(1013, 1012.0, Quality.GOOD, {"offset": -1}),
            Vector(6_642_368, None, Quality.ERROR),
        ),
    ),
)
