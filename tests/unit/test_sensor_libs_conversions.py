"""What the libraries make of raw values holds for every raw value, not only for the vectors."""

import math
from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor_libs.api import Quality, Sees, SensorLibrary, sensirion_crc
from sensor_libs.loader import load_built_in

LIBRARIES = sorted(
    (library for libraries in load_built_in().files.values() for library in libraries),
    key=lambda library: library.name,
)
BY_NAME = {library.name: library for library in LIBRARIES}
every_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)

POISON = (math.nan, math.inf, -math.inf, -1e300, 1e300, 2.0**64, -(2.0**64))
raws = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**31), 2**40).map(float)
    | st.floats(-5000, 70_000)
    | st.sampled_from(POISON)
)


def known(library: SensorLibrary) -> Mapping[str, float]:
    """Return parameters with which the library has values."""
    return next(v.parameters for v in library.vectors if v.value is not None)


@st.composite
def parameters_of(draw: st.DrawFn, library: SensorLibrary) -> Mapping[str, float]:
    return {
        p.name: draw(st.floats(p.low, p.high) | st.integers(math.ceil(p.low), math.floor(p.high)))
        for p in library.parameters
    }


@every_library
@given(st.data())
def test_a_result_is_a_value_in_range_or_says_why_there_is_none(
    library: SensorLibrary, data: st.DataObject
) -> None:
    parameters = data.draw(st.just(known(library)) | st.just({}) | parameters_of(library))
    value, quality, why = library.measure(data.draw(raws), parameters)
    if value is None:
        assert quality in {Quality.ERROR, Quality.BAD}
        assert why
    else:
        assert library.valid.low <= value <= library.valid.high
        assert quality not in {Quality.ERROR, Quality.UNKNOWN}
        assert math.copysign(1, value) == 1 or value < 0
    if quality in {Quality.SUSPECT, Quality.ERROR}:
        assert why


@pytest.mark.parametrize("raw", POISON)
@every_library
def test_poison_is_no_measurement(library: SensorLibrary, raw: float) -> None:
    if library.raw is not None:
        made = library.measure(raw, known(library))
        assert (made.value, made.quality) == (None, Quality.ERROR)


@pytest.mark.parametrize("poison", [*POISON, "25", None, True])
@every_library
def test_a_poisoned_parameter_gives_no_value(library: SensorLibrary, poison: object) -> None:
    for parameter in library.parameters:
        given_ = {**known(library), parameter.name: poison}
        made = library.measure(next(_raw(library)), given_)  # type: ignore[arg-type]  # poison
        if poison is None and parameter.default is not None:
            continue  # nothing is known, so the default holds
        assert (made.value, made.quality) == (None, Quality.BAD)
        assert made.reason is not None
        assert parameter.name in made.reason


def _raw(library: SensorLibrary) -> Iterator[float]:
    """Find raw values, each one number, of which the library makes something."""
    return (v.raw for v in library.vectors if v.value and not isinstance(v.raw, tuple))


RISING = (
    *("ds18b20", "sht31_temp", "sht31_humidity", "dht22_humidity", "ec_atlas", "ph_atlas"),
    *("mhz19", "scd30_co2", "bh1750", "light", "flow", "flow_pulses", "pressure"),
    *("bmp280_temp", "bme280_temp", "bme280_humidity"),
)
FALLING = ("ph", "ph_atlas_analog", "moisture", "moisture_resistive", "bmp280_pressure")


@pytest.mark.parametrize("name", [*RISING, *FALLING])
@given(st.data())
def test_more_of_the_raw_value_is_always_more_or_always_less(
    name: str, data: st.DataObject
) -> None:
    library = BY_NAME[name]
    assert library.raw is not None
    # Beyond 65535 some forms begin another way of saying the same: frames, bits, registers.
    top = 1_000_000 if name.endswith(("_temp", "_pressure")) and name[0] == "b" else 65_535
    numbers = st.integers(
        math.ceil(max(library.raw.low, -32_768)), math.floor(min(library.raw.high, top))
    )
    one, other = sorted((data.draw(numbers), data.draw(numbers)))
    low, high = (library.measure(raw, known(library)).value for raw in (one, other))
    if low is not None and high is not None:
        assert low >= high if name in FALLING else low <= high


@given(st.integers(0, 4095), st.integers(0, 4095))
def test_conductivity_rises_with_the_voltage(one: int, other: int) -> None:
    low, high = (BY_NAME["ec"].measure(raw).value for raw in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert low <= high


@given(st.floats(-55, 125))
def test_a_temperature_is_found_again_from_its_register(celsius: float) -> None:
    made = BY_NAME["ds18b20"].measure(round(celsius / 0.0625))
    assert made.value == pytest.approx(celsius, abs=0.0363)


VOLT = 4095 / 3.3
INVERSES: Mapping[str, tuple[int, int, Callable[[float], float]]] = {
    "ds18b20": (-880, 2000, lambda celsius: celsius / 0.0625),
    "sht31_temp": (1873, 63_662, lambda celsius: (celsius + 45) * 65_535 / 175),
    "sht31_humidity": (0, 65_535, lambda percent: percent * 655.35),
    "ph": (0, 3500, lambda ph: (12.25 - ph) / 3.5 * VOLT),
    "ph_atlas_analog": (400, 3400, lambda ph: (15.509 - ph) / 5.6548 * VOLT),
    "ec": (0, 4095, lambda microsiemens: microsiemens / 6060 * VOLT),
    "moisture": (1500, 3200, lambda percent: 3200 - 17 * percent),
    "moisture_resistive": (1200, 4000, lambda percent: 4000 - 28 * percent),
    "mhz19": (0, 5000, lambda ppm: ppm),
    "bh1750": (0, 65_535, lambda lux: lux * 1.2),
    "flow": (0, 750, lambda litres: litres * 7.5),
}
"""From a value back to its raw value, by the formulas of the protocol; between which raw values."""


@pytest.mark.parametrize("name", INVERSES)
@given(st.data())
def test_a_raw_value_is_found_again_from_what_it_means(name: str, data: st.DataObject) -> None:
    low, high, back = INVERSES[name]
    raw = data.draw(st.integers(low, high))
    value = BY_NAME[name].measure(raw).value
    assert value is not None
    half_a_digit = 0.5 * 10 ** -BY_NAME[name].decimals
    assert back(value) == pytest.approx(raw, abs=abs(back(half_a_digit) - back(0)) + 1e-6)


@given(st.integers(-400, 800))
def test_a_frame_says_what_went_into_it(tenths: int) -> None:
    word = 0x8000 | -tenths if tenths < 0 else tenths
    data = [2, 140, word >> 8, word & 255]
    frame = (*data, sum(data) & 255)
    whole = float(int.from_bytes(bytes(frame), "big"))
    for made in (
        BY_NAME["dht22_temp"].measure_channels(frame),
        BY_NAME["dht22_temp"].measure(whole),
        BY_NAME["dht22_temp"].measure(word),
    ):
        assert made.value == tenths / 10
    assert BY_NAME["dht22_humidity"].measure(whole).value == 65.2


@given(st.integers(0, 65_535), st.integers(0, 2), st.integers(1, 255))
def test_one_wrong_byte_spoils_a_word_with_a_check_byte(word: int, place: int, change: int) -> None:
    data = list(word.to_bytes(2, "big"))
    data.append(sensirion_crc(bytes(data)))
    library = BY_NAME["sht31_humidity"]
    assert library.measure_channels(data) == library.measure(word)
    data[place] ^= change
    assert library.measure_channels(data).quality is Quality.ERROR


@given(st.floats(0, 60), st.floats(1, 100))
def test_at_the_dew_point_the_air_is_saturated(celsius: float, percent: float) -> None:
    air = {"temperature": celsius, "humidity": percent}
    dew = BY_NAME["dew_point"].measure(0, air).value
    assert dew is not None
    assert dew <= celsius + 0.005
    wet = BY_NAME["vpd"].measure(0, {"temperature": celsius, "humidity": 0}).value
    deficit = BY_NAME["vpd"].measure(0, air).value
    if dew > -39:
        held = BY_NAME["vpd"].measure(0, {"temperature": dew, "humidity": 0}).value
        assert wet is not None
        assert held is not None
        assert deficit == pytest.approx(wet - held, abs=0.03)


def fixed_point(raw: int, trim: Mapping[str, float]) -> tuple[int, int]:
    """The same chip by the other formula of the data sheet (section 3.11.3): whole numbers."""
    t1, t2, t3 = (int(trim[f"dig_T{i}"]) for i in range(1, 4))
    first = (((raw >> 3) - (t1 << 1)) * t2) >> 11
    second = ((((raw >> 4) - t1) * ((raw >> 4) - t1)) >> 12) * t3 >> 14
    return first + second, ((first + second) * 5 + 128) >> 8


def fixed_point_pascal(raw: int, fine: int, trim: Mapping[str, float]) -> float:
    p = [0, *(int(trim[f"dig_P{i}"]) for i in range(1, 10))]
    v1 = fine - 128000
    v2 = v1 * v1 * p[6] + ((v1 * p[5]) << 17) + (p[4] << 35)
    v1 = ((v1 * v1 * p[3]) >> 8) + ((v1 * p[2]) << 12)
    v1 = (((1 << 47) + v1) * p[1]) >> 33
    pressure = (((1048576 - raw) << 31) - v2) * 3125 // v1
    v1 = (p[9] * (pressure >> 13) * (pressure >> 13)) >> 25
    v2 = (p[8] * pressure) >> 19
    return (((pressure + v1 + v2) >> 8) + (p[7] << 4)) / 256


def fixed_point_percent(raw: int, fine: int, trim: Mapping[str, float]) -> float:
    """BST-BME280-DS002, section 4.2.3."""
    h = [0, *(int(trim[f"dig_H{i}"]) for i in range(1, 7))]
    v = fine - 76800
    left = ((raw << 14) - (h[4] << 20) - h[5] * v + 16384) >> 15
    right = (((((v * h[6]) >> 10) * (((v * h[3]) >> 11) + 32768)) >> 10) + 2097152) * h[2] + 8192
    v = left * (right >> 14)
    v -= ((((v >> 15) * (v >> 15)) >> 7) * h[1]) >> 4
    return (min(max(v, 0), 419430400) >> 12) / 1024


@pytest.mark.parametrize("name", ["bmp280", "bme280"])
@given(st.integers(450_000, 600_000), st.integers(250_000, 500_000), st.integers(20_000, 45_000))
def test_bosch_chips_agree_with_the_fixed_point_formula_of_their_data_sheet(
    name: str, temperature: int, pressure: int, humidity: int
) -> None:
    trim = known(BY_NAME[f"{name}_pressure"])
    fine, hundredths = fixed_point(temperature, trim)
    assert BY_NAME[f"{name}_temp"].measure(temperature, trim).value == pytest.approx(
        hundredths / 100, abs=0.011
    )
    together = {**trim, "temperature_raw": temperature}
    hectopascal = fixed_point_pascal(pressure, fine, trim) / 100
    made = BY_NAME[f"{name}_pressure"].measure(pressure, together).value
    if made is not None:
        assert made == pytest.approx(hectopascal, abs=0.03)
    else:
        assert not 301 < hectopascal < 1099
    chip = known(BY_NAME["bme280_humidity"])
    fine, _ = fixed_point(temperature, chip)
    wet = BY_NAME["bme280_humidity"].measure(humidity, {**chip, "temperature_raw": temperature})
    assert wet.value == pytest.approx(fixed_point_percent(humidity, fine, chip), abs=0.1)


@every_library
def test_every_calibration_finds_parameters_that_change_the_value(library: SensorLibrary) -> None:
    for calibrates in library.calibrations:
        raw = next(_raw(library))
        before = library.measure(raw, known(library))
        seen = library.seen(calibrates, raw, known(library))
        assert math.isfinite(seen)
        if calibrates.sees is Sees.VALUE and not set(calibrates.sets) & set(known(library)):
            assert seen == before.value
        parameter = next(p for p in library.parameters if p.name == calibrates.sets[-1])
        step = 0.1 if parameter.name == "factor" else 0.9
        moved = {**known(library), parameter.name: (parameter.default or 0) + step}
        if calibrates.sees is not Sees.RAW:
            assert library.measure(raw, moved) != before
            assert library.seen(calibrates, raw, moved) == seen


def test_a_calibration_sees_nothing_where_the_chip_said_nothing() -> None:
    library = BY_NAME["ds18b20"]
    with pytest.raises(ValueError, match="disconnected"):
        library.seen(library.calibrations[0], -2032)
    ph = BY_NAME["ph"]
    with pytest.raises(ValueError, match="not a value of the ADC"):
        ph.seen(ph.calibrations[0], 5000)


def test_what_had_to_be_assumed_is_said() -> None:
    ph = BY_NAME["ph"]
    assert "no live temperature" in str(ph.measure(2150).reason)
    assert ph.measure(2150, {"temperature": 25}).reason is None
    assert ph.measure(2150, {"temperature": 25}).value == ph.measure(2150).value
    pressure = BY_NAME["bmp280_pressure"]
    alone = {k: v for k, v in known(pressure).items() if k != "temperature_raw"}
    why = str(pressure.measure(415_148, alone).reason)
    assert "temperature_raw" in why
    assert "bmp280_temp" in why


def test_parameters_of_other_libraries_do_no_harm() -> None:
    assert BY_NAME["ds18b20"].measure(344, {"slope": math.nan}).value == 21.5
