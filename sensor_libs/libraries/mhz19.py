"""MH-Z19: carbon dioxide over UART; the chip itself says parts per million."""

from bisect import bisect_right

from sensor_libs.api import Converted, Quality, Range, SensorLibrary, Vector

_BOUNDS = (400, 1000, 1500, 2000)
_BANDS = (Quality.EXCELLENT, Quality.GOOD, Quality.FAIR, Quality.POOR, Quality.BAD)


def convert(raw: float) -> Converted:
    """Return parts per million; the quality is that of the air."""
    return Converted(raw, _BANDS[bisect_right(_BOUNDS, raw)])


LIBRARIES = (
    SensorLibrary(
        name="mhz19",
        version="1.0.0",
        # Firmware that names only the quantity sends ppm as well, whatever the chip.
        sensor_types=("mhz19", "co2"),
        unit="ppm",
        decimals=0,
        valid=Range(0, 5000),
        typical=Range(400, 2000),
        source="Winsen MH-Z19B, command 0x86; device protocol, section 5.4",
        convert=convert,
        vectors=(
            Vector(399, 399.0, Quality.EXCELLENT),
            Vector(400, 400.0, Quality.GOOD),
            Vector(999, 999.0, Quality.GOOD),
            Vector(1000, 1000.0, Quality.FAIR),
            Vector(1500, 1500.0, Quality.POOR),
            Vector(2000, 2000.0, Quality.BAD),
            Vector(5000, 5000.0, Quality.BAD),
            Vector(5001, None, Quality.ERROR),
            Vector(-1, None, Quality.ERROR),
        ),
    ),
)
