"""What the formulas of the protocol give at their limits; computed by hand, not by libraries."""

from collections.abc import Mapping

import pytest

from domain.sensors import TRUSTED, Quality
from domain.services.process import ProcessRequest
from sensor_libs.loader import load_built_in
from tests.fakes.processing import Pipeline

LIBRARIES = load_built_in().by_type
GOOD, FAIR, POOR = Quality.GOOD, Quality.FAIR, Quality.POOR
BAD, SUSPECT, ERROR = Quality.BAD, Quality.SUSPECT, Quality.ERROR
EXCELLENT = Quality.EXCELLENT
ELECTRODE = {"slope": -5.7, "offset": 15.6}

CASES: list[tuple[str, float, float | None, Quality, Mapping[str, float]]] = [
    # Sixteenths of a degree; the words of the data sheet's table, as unsigned numbers, too.
    ("ds18b20", 0x07D0, 125.0, FAIR, {}),
    ("ds18b20", 0x07D1, None, ERROR, {}),
    ("ds18b20", 0xFC90, -55.0, FAIR, {}),
    ("ds18b20", 0xFC8F, None, ERROR, {}),
    ("ds18b20", 0xFFF8, -0.5, GOOD, {}),
    ("ds18b20", -160, -10.0, GOOD, {}),
    ("ds18b20", -161, -10.06, FAIR, {}),
    ("ds18b20", 1359, 84.94, GOOD, {}),
    ("ds18b20", 1360, 85.0, SUSPECT, {}),
    ("ds18b20", 1361, 85.06, FAIR, {}),
    ("ds18b20", -2032, None, ERROR, {}),
    ("ds18b20", 0xF810, None, ERROR, {}),
    ("ds18b20", 70_000, None, ERROR, {}),
    # -45 + 175 * raw / 65535, and 100 * raw / 65535.
    ("sht31_temp", 1872, None, ERROR, {}),
    ("sht31_temp", 1873, -40.0, FAIR, {}),
    ("sht31_temp", 63_662, 125.0, FAIR, {}),
    ("sht31_temp", 63_663, None, ERROR, {}),
    ("sht31_humidity", 3276, 5.0, POOR, {}),
    ("sht31_humidity", 3277, 5.0, FAIR, {}),
    ("sht31_humidity", 52_429, 80.0, FAIR, {}),
    ("sht31_humidity", 62_258, 95.0, FAIR, {}),
    ("sht31_humidity", 62_259, 95.0, POOR, {}),
    ("sht31_humidity", 65_536, None, ERROR, {}),
    # 7 - 3.5 * (volts - 1.5), with 3.3 V at 4095.
    ("ph", 49, 12.11, SUSPECT, {}),
    ("ph", 50, 12.11, POOR, {}),
    ("ph", 4045, 0.84, POOR, {}),
    ("ph", 4046, 0.84, SUSPECT, {}),
    ("ph", 1000, 9.43, FAIR, {}),
    ("ph", 800, 11.93, FAIR, ELECTRODE),
    ("ph", 1100, 10.55, GOOD, ELECTRODE),
    ("ph", 2700, 3.2, GOOD, ELECTRODE),
    ("ph", 3700, 0.0, FAIR, ELECTRODE),
    ("ph", 100, 14.0, FAIR, ELECTRODE),
    # 4.116 at 25 °C; and 10 degrees away 3 % of its distance to 7.
    ("ph", 2500, 4.12, GOOD, ELECTRODE),
    ("ph", 2500, 4.2, GOOD, {**ELECTRODE, "temperature": 35}),
    ("ph", 2500, 4.03, GOOD, {**ELECTRODE, "temperature": 15}),
    # (raw - 3200) / (1500 - 3200).
    ("moisture", 3200, 0.0, POOR, {}),
    ("moisture", 3201, 0.0, POOR, {}),
    ("moisture", 3030, 10.0, FAIR, {}),
    ("moisture", 2860, 20.0, GOOD, {}),
    ("moisture", 2300, 52.9, GOOD, {}),
    ("moisture", 1840, 80.0, GOOD, {}),
    ("moisture", 1585, 95.0, FAIR, {}),
    ("moisture", 1400, 100.0, POOR, {}),
    ("moisture", 2300, 50.0, BAD, {"dry": 2000, "wet": 2000}),
    ("mhz19", 399, 399, EXCELLENT, {}),
    ("mhz19", 400, 400, GOOD, {}),
    ("mhz19", 1000, 1000, FAIR, {}),
    ("mhz19", 1500, 1500, POOR, {}),
    ("mhz19", 2000, 2000, POOR, {}),
    ("mhz19", 5000, 5000, POOR, {}),
    ("mhz19", 5001, None, ERROR, {}),
    ("scd30_co2", 0, 0, SUSPECT, {}),
    ("scd30_co2", 399.9, 399.9, SUSPECT, {}),
    ("scd30_co2", 400, 400, GOOD, {}),
    ("scd30_co2", 10_000, 10_000, POOR, {}),
    ("scd30_co2", 10_001, None, ERROR, {}),
    # raw / 1.2 lx.
    ("bh1750", 59, 49.2, POOR, {}),
    ("bh1750", 60, 50.0, FAIR, {}),
    ("bh1750", 240, 200.0, GOOD, {}),
    ("bh1750", 1200, 1000.0, EXCELLENT, {}),
    ("bh1750", 65_536, None, ERROR, {}),
    # Pulses in a second, 450 to the litre.
    ("flow", 225, 30.0, GOOD, {}),
    ("flow", 450, 1.0, GOOD, {"window_s": 60}),
    ("flow", 751, None, ERROR, {}),
]

CHANNELS: list[tuple[str, tuple[float, ...], float | None]] = [
    # Both sides of each knee of the curve: ratios of 0.50, 0.61, 0.80 and 1.30.
    ("tsl2561", (1000, 0), 30.4),
    ("tsl2561", (1000, 500), 6.9),
    ("tsl2561", (1000, 501), 6.9),
    ("tsl2561", (1000, 610), 3.5),
    ("tsl2561", (1000, 611), 3.5),
    ("tsl2561", (1000, 800), 0.6),
    ("tsl2561", (1000, 801), 0.6),
    ("tsl2561", (1000, 1300), 0.0),
    ("tsl2561", (1000, 1301), 0.0),
    ("tsl2561", (0, 5), 0.0),
    # 02 8C 01 5F EE: 65.2 %RH, 35.1 °C; then below zero, and each end of what the chip measures.
    ("dht22_humidity", (0x02, 0x8C, 0x01, 0x5F, 0xEE), 65.2),
    ("dht22_temp", (0x02, 0x8C, 0x01, 0x5F, 0xEE), 35.1),
    ("dht22_temp", (0x02, 0x8C, 0x01, 0x5F, 0xEF), None),
    ("dht22_temp", (0x01, 0xF4, 0x80, 0x65, 0xDA), -10.1),
    ("dht22_temp", (0x01, 0xF4, 0x81, 0x90, 0x06), -40.0),
    ("dht22_temp", (0x01, 0xF4, 0x81, 0x91, 0x07), None),
    ("dht22_temp", (0x03, 0xE8, 0x03, 0x20, 0x0E), 80.0),
    ("dht22_humidity", (0x03, 0xE8, 0x03, 0x20, 0x0E), 100.0),
    ("dht22_humidity", (0x03, 0xE9, 0x03, 0x20, 0x0F), None),
]


@pytest.mark.parametrize(("sensor_type", "raw", "value", "quality", "parameters"), CASES)
def test_at_its_limits_a_formula_gives_what_the_protocol_says(
    sensor_type: str,
    raw: float,
    value: float | None,
    quality: Quality,
    parameters: Mapping[str, float],
) -> None:
    made = LIBRARIES[sensor_type].measure(raw, parameters)
    assert (made.value, made.quality) == (value, quality)


@pytest.mark.parametrize(("sensor_type", "raw", "value", "quality", "parameters"), CASES)
async def test_whoever_judges_what_is_usual_grades_no_worse_than_the_protocol(
    sensor_type: str,
    raw: float,
    value: float | None,
    quality: Quality,
    parameters: Mapping[str, float],
) -> None:
    asked = ProcessRequest(sensor_type, raw, parameters=parameters)
    made = (await Pipeline().process(asked)).measurement
    assert (made.value, made.quality) == (value, quality)


@pytest.mark.parametrize("sensor_type", ["mhz19", "co2", "scd30_co2"])
@pytest.mark.parametrize("ppm", [1999, 2000, 4000, 5000])
async def test_air_that_is_bad_is_no_bad_reading_or_it_would_raise_no_alarm(
    sensor_type: str, ppm: float
) -> None:
    made = await Pipeline().process(ProcessRequest(sensor_type, ppm))
    assert (made.measurement.value, made.measurement.quality) == (ppm, Quality.POOR)
    assert made.measurement.quality in TRUSTED


@pytest.mark.parametrize(("sensor_type", "numbers", "value"), CHANNELS)
def test_several_numbers_give_what_the_data_sheet_says(
    sensor_type: str, numbers: tuple[float, ...], value: float | None
) -> None:
    assert LIBRARIES[sensor_type].measure_channels(numbers).value == value
