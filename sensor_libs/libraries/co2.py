"""Carbon dioxide: MH-Z19 over UART, and SCD30 over I2C with temperature and humidity."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from sensor_libs.api import (
    OFFSET,
    PPM,
    Calibrates,
    CalibrationMethod,
    Channels,
    Converted,
    OtherUnit,
    Parameter,
    Quality,
    Range,
    RawForm,
    SensorLibrary,
    Vector,
    clamp,
    float_of_bits,
    graded,
    octets,
    sensirion_words,
)

_BOUNDS = (400, 1000, 1500)
_BANDS = (Quality.EXCELLENT, Quality.GOOD, Quality.FAIR, Quality.POOR)
_TYPICAL = Range(0, 2000)
_GOOD_CELSIUS = Range(0, 50)
_GOOD_PERCENT = Range(20, 80)
_FAIR_PERCENT = Range(5, 95)
_SCD30_LOWEST = 400
_START, _READ = 0xFF, 0x86
_LARGEST_VALUE = 1_000_000

# A device whose raw values are whole numbers sends the 32 bits of the chip's number; read with
# their sign they may be negative. No quantity of the chip is anywhere near a million.
FLOAT_OR_BITS = RawForm("the chip's number, or its 32 bits", -(2**31), 2**32 - 1)


def air(ppm: float) -> Converted:
    """Return parts per million; the quality is that of the air.

    From 2000 ppm on the protocol calls it bad. Here a bad reading is one that nothing may be
    decided by, and air that is bad must raise its alarm and start the fan: it stays POOR.
    """
    return Converted(ppm, _BANDS[bisect_right(_BOUNDS, ppm)])


def convert_ppm(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return what the chip says, shifted."""
    return air(raw + parameters["offset"])


def unpack_mhz19(values: Sequence[float]) -> float:
    """Return the parts per million of an answer.

    Raises:
        ValueError: It is no answer, or its checksum is wrong.
    """
    data = octets(values)
    if data[:2] != bytes((_START, _READ)):
        raise ValueError("an answer begins with 255, 134")
    checksum = (0xFF - (sum(data[1:8]) & 0xFF) + 1) & 0xFF
    if checksum != data[8]:
        raise ValueError(f"the checksum is {data[8]}, but must be {checksum}")
    return data[2] * 256 + data[3]


def told(raw: float) -> float:
    """Return the number that an SCD30 said; not finite where its bits are none."""
    if abs(raw) <= _LARGEST_VALUE:
        return raw
    return float_of_bits(int(raw) % 2**32)


def scd30_float(values: Sequence[float]) -> float:
    """Return the number in two words with check bytes."""
    return float_of_bits(int.from_bytes(sensirion_words(values), "big"))


def convert_co2(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return parts per million; below 400 the chip says numbers, but does not measure."""
    ppm = told(raw) + parameters["offset"]
    if ppm < _SCD30_LOWEST:
        return Converted(ppm, Quality.SUSPECT, "the chip measures from 400 ppm on")
    return air(ppm)


def convert_temperature(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return degrees."""
    celsius = told(raw) + parameters["offset"]
    return Converted(celsius, graded(celsius, _GOOD_CELSIUS))


def convert_humidity(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return percent relative humidity."""
    percent = told(raw) + parameters["offset"]
    if parameters["offset"]:
        percent = clamp(percent, 0, 100)
    return Converted(percent, graded(percent, _GOOD_PERCENT, _FAIR_PERCENT))


_OFFSET_PPM = OFFSET._replace(low=-2000, high=2000, unit="ppm")
_SHIFTS = (
    Calibrates(CalibrationMethod.OFFSET, ("offset",)),
    Calibrates(CalibrationMethod.ZERO, ("offset",)),
)
_ANSWER = Channels(
    tuple(f"byte {i}" for i in range(9)), unpack_mhz19, "parts per million: byte 2 * 256 + byte 3"
)
_FLOAT = Channels(
    ("byte 0", "byte 1", "check byte", "byte 2", "byte 3", "check byte"),
    scd30_float,
    "the number itself, or its 32 bits as a whole number",
)
_SCD30 = "Sensirion SCD30 interface description 1.0, section 1.4.4; device protocol, section 5.4"


def scd30(  # noqa: PLR0913 - what differs between three quantities of one chip
    quantity: str,
    *,
    version: str = "1.0.0",
    unit: str,
    decimals: int,
    valid: Range,
    typical: Range,
    convert: Callable[[float, Mapping[str, float]], Converted],
    offset: Parameter,
    calibrations: tuple[Calibrates, ...],
    max_rate: float,
    vectors: tuple[Vector, ...],
    units: tuple[OtherUnit, ...] = (),
) -> SensorLibrary:
    """Return the library of one quantity of the chip."""
    return SensorLibrary(
        name=f"scd30_{quantity}",
        version=version,
        sensor_types=(f"scd30_{quantity}",),
        aliases=("scd30",) if quantity == "co2" else (),
        raw=FLOAT_OR_BITS,
        unit=unit,
        decimals=decimals,
        valid=valid,
        typical=typical,
        source=_SCD30,
        convert=convert,
        parameters=(offset,),
        channels=_FLOAT,
        calibrations=calibrations,
        units=units,
        max_rate=max_rate,
        stuck_after=timedelta(hours=6),
        warm_up=timedelta(minutes=2),
        vectors=vectors,
    )


LIBRARIES = (
    SensorLibrary(
        name="mhz19",
        version="1.2.0",
        # Firmware that names only the quantity sends ppm as well, whatever the chip.
        sensor_types=("mhz19", "co2"),
        aliases=("mhz19b",),
        raw=PPM,
        unit="ppm",
        decimals=0,
        valid=Range(0, 5000),
        typical=_TYPICAL,
        source="Winsen MH-Z19B, command 0x86; device protocol, section 5.4",
        convert=convert_ppm,
        parameters=(_OFFSET_PPM,),
        channels=_ANSWER,
        calibrations=_SHIFTS,
        max_rate=500,
        stuck_after=timedelta(hours=6),
        warm_up=timedelta(minutes=3),
        vectors=(
            # The data sheet's example of an answer: 544 ppm.
            Vector((0xFF, 0x86, 0x02, 0x20, 0, 0, 0, 0, 0x58), 544.0, Quality.GOOD),
            Vector((0xFF, 0x86, 0x02, 0x21, 0, 0, 0, 0, 0x58), None, Quality.ERROR),
            Vector((0xFF, 0x99, 0x02, 0x20, 0, 0, 0, 0, 0x58), None, Quality.ERROR),
            Vector(399, 399.0, Quality.EXCELLENT),
            Vector(400, 400.0, Quality.GOOD),
            Vector(999, 999.0, Quality.GOOD),
            Vector(1000, 1000.0, Quality.FAIR),
            Vector(1500, 1500.0, Quality.POOR),
            Vector(2000, 2000.0, Quality.POOR),
            Vector(450, 400.0, Quality.GOOD, {"offset": -50}),
            Vector(5000, 5000.0, Quality.POOR),
            Vector(5001, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
    scd30(
        "co2",
        version="1.1.0",
        unit="ppm",
        decimals=1,
        valid=Range(0, 10_000),
        typical=_TYPICAL,
        convert=convert_co2,
        offset=_OFFSET_PPM,
        calibrations=_SHIFTS,
        max_rate=500,
        vectors=(
            # The interface description's example: 439 ppm, 27.2 °C, 48.8 %.
            Vector((0x43, 0xDB, 0xCB, 0x8C, 0x2E, 0x8F), 439.1, Quality.GOOD),
            Vector((0x43, 0xDB, 0xCC, 0x8C, 0x2E, 0x8F), None, Quality.ERROR),
            Vector(0x43DB8C2E, 439.1, Quality.GOOD),
            Vector(439.0953, 439.1, Quality.GOOD),
            Vector(1200, 1200.0, Quality.FAIR),
            Vector(450, 400.0, Quality.GOOD, {"offset": -50}),
            Vector(399, 399.0, Quality.SUSPECT),
            Vector(400, 400.0, Quality.GOOD),
            Vector(10_000, 10000.0, Quality.POOR),
            Vector(10_001, None, Quality.ERROR),
            Vector(0x7FC00000, None, Quality.ERROR),
            Vector(-5, None, Quality.ERROR),
        ),
    ),
    scd30(
        "temp",
        unit="°C",
        decimals=2,
        valid=Range(-40, 70),
        typical=_GOOD_CELSIUS,
        convert=convert_temperature,
        offset=OFFSET._replace(low=-10, high=10, unit="°C"),
        calibrations=_SHIFTS[:1],
        max_rate=5,
        units=(OtherUnit("°F", 1.8, 32), OtherUnit("K", 1, 273.15)),
        vectors=(
            Vector((0x41, 0xD9, 0x70, 0xE7, 0xFF, 0xF5), 27.24, Quality.GOOD),
            Vector(0x41D9E7FF, 27.24, Quality.GOOD),
            Vector(27.24, 27.24, Quality.GOOD),
            Vector(0xC1200000 - 2**32, -10.0, Quality.FAIR),
            Vector(27.24, 25.24, Quality.GOOD, {"offset": -2}),
            Vector(70.1, None, Quality.ERROR),
        ),
    ),
    scd30(
        "humidity",
        unit="%RH",
        decimals=2,
        valid=Range(0, 100),
        typical=_GOOD_PERCENT,
        convert=convert_humidity,
        offset=OFFSET._replace(low=-30, high=30, unit="%RH"),
        calibrations=_SHIFTS[:1],
        max_rate=20,
        vectors=(
            Vector((0x42, 0x43, 0xBF, 0x3A, 0x1B, 0x74), 48.81, Quality.GOOD),
            Vector(0x42433A1B, 48.81, Quality.GOOD),
            Vector(48.8, 48.8, Quality.GOOD),
            Vector(99, 100.0, Quality.POOR, {"offset": 3}),
            Vector(101, None, Quality.ERROR),
        ),
    ),
)
