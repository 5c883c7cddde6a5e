"""BH1750: illuminance over I2C, counts of 16 bits in its high-resolution mode."""

from bisect import bisect_right

from sensor_libs.api import Converted, Quality, Range, SensorLibrary, Vector

_COUNTS_TOP = 65_535
_COUNTS_PER_LUX = 1.2
_BOUNDS = (50, 200, 1000)
_BANDS = (Quality.POOR, Quality.FAIR, Quality.GOOD, Quality.EXCELLENT)


def convert(raw: float) -> Converted:
    """Return lux; the quality says how much light there is, and with it how finely it is read."""
    lux = raw / _COUNTS_PER_LUX
    if raw == _COUNTS_TOP:
        return Converted(lux, Quality.SUSPECT, "brighter than the chip can tell")
    return Converted(lux, _BANDS[bisect_right(_BOUNDS, lux)])


LIBRARIES = (
    SensorLibrary(
        name="bh1750",
        version="1.0.0",
        sensor_types=("bh1750",),
        unit="lx",
        decimals=1,
        # The data sheet names 1 lx as its lowest; at night it says 0, and is right.
        valid=Range(0, 54_612.5),
        typical=Range(50, 54_612.5),
        source="ROHM BH1750FVI, measurement mode; device protocol, section 5.4",
        convert=convert,
        vectors=(
            Vector(0, 0.0, Quality.POOR),
            Vector(59, 49.2, Quality.POOR),
            Vector(60, 50.0, Quality.FAIR),
            Vector(240, 200.0, Quality.GOOD),
            Vector(1200, 1000.0, Quality.EXCELLENT),
            Vector(65534, 54611.7, Quality.EXCELLENT),
            Vector(65535, 54612.5, Quality.SUSPECT),
            Vector(65536, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
