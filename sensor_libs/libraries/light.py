"""Light: BH1750 and TSL2561 over I2C, and devices that compute lux themselves."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sensor_libs.api import (
    FACTOR,
    WORD16,
    WORD32,
    Calibrates,
    CalibrationMethod,
    Channels,
    Converted,
    Parameter,
    Quality,
    Range,
    RawForm,
    SensorLibrary,
    Vector,
)

_COUNTS_TOP = 65_535
_COUNTS_PER_LUX = 1.2
_SENSITIVITY = 69
_LONG, _HIGH_GAIN = 402, 16
_BOUNDS = (50, 200, 1000)
_BANDS = (Quality.POOR, Quality.FAIR, Quality.GOOD, Quality.EXCELLENT)

_T_FN_CL = (
    (0.50, 0.0304, 0.062),
    (0.61, 0.0224, 0.031),
    (0.80, 0.0128, 0.0153),
    (1.30, 0.00146, 0.00112),
)
_CS = (
    (0.52, 0.0315, 0.0593),
    (0.65, 0.0229, 0.0291),
    (0.80, 0.0157, 0.0180),
    (1.30, 0.00338, 0.00260),
)
"""Up to which ratio of the channels, and how much of each counts; the first with ratio^1.4."""

_TOPS = ((100, 5047), (400, 37_177))
"""Below how many milliseconds, and what the channels can count to in them; else 65535."""


def lit(lux: float) -> Converted:
    """Return lux; the quality says how much light there is, and with it how finely it is read."""
    return Converted(lux, _BANDS[bisect_right(_BOUNDS, lux)])


def convert_bh1750(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return lux of the high-resolution modes."""
    lux = raw / _COUNTS_PER_LUX * _SENSITIVITY / parameters["sensitivity"]
    lux = lux / parameters["steps_per_count"] * parameters["factor"]
    if raw == _COUNTS_TOP:
        return Converted(lux, Quality.SUSPECT, "brighter than the chip can tell")
    return lit(lux)


def convert_tsl2561(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return lux from both channels, by the formula for the chip's package."""
    broad, infrared = int(raw) & 0xFFFF, int(raw) >> 16
    milliseconds = parameters["integration_ms"]
    scale = _LONG / milliseconds * _HIGH_GAIN / parameters["gain"] * parameters["factor"]
    lux = scale * visible(broad, infrared, _CS if parameters["package_cs"] else _T_FN_CL)
    top = next((top for below, top in _TOPS if milliseconds < below), _COUNTS_TOP)
    if max(broad, infrared) >= top:
        return Converted(lux, Quality.SUSPECT, "brighter than the chip can tell at this gain")
    return lit(lux)


def visible(broad: int, infrared: int, segments: Sequence[tuple[float, float, float]]) -> float:
    """Return lux at full integration time and gain; 0 where there is more infrared than light."""
    if not broad:
        return 0
    ratio = infrared / broad
    for number, (up_to, of_broad, of_infrared) in enumerate(segments):
        if ratio <= up_to:
            less = broad * ratio**1.4 if number == 0 else infrared
            return max(0.0, of_broad * broad - of_infrared * less)
    return 0


def convert_told(raw: float, parameters: Mapping[str, float]) -> Converted:
    """Return the lux that a device computed itself."""
    return lit(raw * parameters["factor"])


def pack_channels(values: Sequence[float]) -> float:
    """Return both channels in one number.

    Raises:
        ValueError: One is no word of 16 bits.
    """
    broad, infrared = values
    if not (0 <= broad <= _COUNTS_TOP and 0 <= infrared <= _COUNTS_TOP):
        raise ValueError(f"a channel counts 0 to {_COUNTS_TOP}")
    return int(infrared) * 65_536 + int(broad)


_CALIBRATIONS = (Calibrates(CalibrationMethod.FACTOR, ("factor",)),)
_LOW_GAIN = {"gain": 1}

LIBRARIES = (
    SensorLibrary(
        name="bh1750",
        version="1.1.0",
        sensor_types=("bh1750",),
        raw=WORD16,
        unit="lx",
        decimals=1,
        # The data sheet names 1 lx as its lowest; at night it says 0, and is right. The highest is
        # that of its lowest sensitivity.
        valid=Range(0, 121_557),
        typical=Range(50, 54_612.5),
        source="ROHM BH1750FVI, measurement modes and MTreg; device protocol, section 5.4",
        convert=convert_bh1750,
        parameters=(
            FACTOR,
            Parameter("sensitivity", _SENSITIVITY, 31, 254, "", "register MTreg of the chip"),
            Parameter("steps_per_count", 1, 1, 2, "", "2 in high-resolution mode 2"),
        ),
        calibrations=_CALIBRATIONS,
        warm_up=timedelta(seconds=1),
        vectors=(
            # The data sheet's examples: 8390h is 28067 lx, 0110h in mode 2 is 113 lx.
            Vector(0x8390, 28066.7, Quality.EXCELLENT),
            Vector(0x0110, 113.3, Quality.FAIR, {"steps_per_count": 2}),
            Vector(0, 0.0, Quality.POOR),
            Vector(59, 49.2, Quality.POOR),
            Vector(60, 50.0, Quality.FAIR),
            Vector(240, 200.0, Quality.GOOD),
            Vector(1200, 1000.0, Quality.EXCELLENT),
            Vector(1200, 500.0, Quality.GOOD, {"sensitivity": 138}),
            Vector(1200, 1100.0, Quality.EXCELLENT, {"factor": 1.1}),
            Vector(65534, 54611.7, Quality.EXCELLENT),
            Vector(65535, 54612.5, Quality.SUSPECT),
            Vector(65536, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
    SensorLibrary(
        name="tsl2561",
        version="1.0.0",
        sensor_types=("tsl2561",),
        raw=WORD32,
        unit="lx",
        decimals=1,
        valid=Range(0, 40_000),
        typical=Range(50, 40_000),
        source="TAOS TSL2560/TSL2561, calculating lux; device protocol, section 5.4",
        convert=convert_tsl2561,
        parameters=(
            FACTOR,
            Parameter("gain", _HIGH_GAIN, 1, 16, "", "1 or 16"),
            Parameter("integration_ms", _LONG, 13, 10_000, "ms", "13.7, 101 or 402"),
            Parameter("package_cs", 0, 0, 1, "", "1 for the chip-scale package"),
        ),
        channels=Channels(
            ("channel 0", "channel 1"), pack_channels, "channel 1 * 65536 + channel 0"
        ),
        calibrations=_CALIBRATIONS,
        warm_up=timedelta(seconds=1),
        vectors=(
            # Counts per lux of the data sheet: 36 and 4 for fluorescent light, 144 and 72 for
            # incandescent; the formula is within 1 % of what they stand for.
            Vector((36, 4), 1.0, Quality.POOR),
            Vector((144, 72), 1.0, Quality.POOR),
            Vector((36_000, 4000), 991.4, Quality.GOOD),
            Vector(4000 * 65_536 + 36_000, 991.4, Quality.GOOD),
            Vector((14_400, 7200), 99.5, Quality.FAIR),
            Vector((1000, 0), 30.4, Quality.POOR),
            Vector((1000, 600), 3.8, Quality.POOR),
            Vector((1000, 700), 2.1, Quality.POOR),
            Vector((1000, 1000), 0.3, Quality.POOR),
            Vector((1000, 1301), 0.0, Quality.POOR),
            Vector((0, 0), 0.0, Quality.POOR),
            Vector((0, 10), 0.0, Quality.POOR),
            Vector((1000, 0), 486.4, Quality.GOOD, _LOW_GAIN),
            Vector((1000, 0), 121.0, Quality.FAIR, {"integration_ms": 101}),
            Vector((1000, 0), 31.5, Quality.POOR, {"package_cs": 1}),
            Vector((1000, 0), 60.8, Quality.FAIR, {"factor": 2}),
            Vector((65_535, 10), 1992.2, Quality.SUSPECT),
            Vector((37_177, 0), 4498.3, Quality.SUSPECT, {"integration_ms": 101}),
            Vector((65_535, 0), 31876.2, Quality.SUSPECT, _LOW_GAIN),
            Vector((65_536, 0), None, Quality.ERROR),
            Vector((1000,), None, Quality.ERROR),
            Vector((40_000, 40_000), 13.6, Quality.POOR),
            Vector(40_000 * 65_536 + 40_000 - 2**32, 13.6, Quality.POOR),
            Vector(2**32, None, Quality.ERROR),
        ),
    ),
    SensorLibrary(
        name="light",
        version="1.0.0",
        # Devices that name only the quantity have computed lux themselves.
        sensor_types=("light",),
        aliases=("light_lux",),
        raw=RawForm("lux", 0, 200_000),
        unit="lx",
        decimals=1,
        valid=Range(0, 200_000),
        typical=Range(50, 100_000),
        source="Device protocol, section 5.4: lux as computed by the device",
        convert=convert_told,
        parameters=(FACTOR,),
        calibrations=_CALIBRATIONS,
        vectors=(
            Vector(0, 0.0, Quality.POOR),
            Vector(850.5, 850.5, Quality.GOOD),
            Vector(100, 50.0, Quality.FAIR, {"factor": 0.5}),
            Vector(200_001, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
