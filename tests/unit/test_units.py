"""A unit has a dimension: values convert within it, and never leave it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError
from domain.units import (
    _UNITS,
    canonical_unit,
    convert,
    find_unit,
    fitting,
    shown,
    unit_named,
)

SYMBOLS = [unit.symbol for unit in _UNITS]
GROUPS = [fitting(unit) for unit in _UNITS]
VALUES = st.floats(min_value=-1e6, max_value=1e6)


@pytest.mark.parametrize(
    ("value", "source", "wanted", "expected"),
    [
        (100, "°C", "°F", 212),
        (-40, "°F", "°C", -40),
        (0, "°C", "K", 273.15),
        (0, "K", "°F", -459.67),
        (1413, "µS/cm", "mS/cm", 1.413),
        (2, "dS/m", "mS/cm", 2),
        (1000, "µS/cm", "ppm TDS", 500),
        (1013.25, "hPa", "mmHg", 760.0),
        (1013.25, "hPa", "inHg", 29.9213),
        (1, "bar", "kPa", 100),
        (120, "L/h", "L/min", 2),
        (12_000, "lx", "klx", 12),
        (45, "%", "%RH", 45),
        (6.5, "pH", "ph", 6.5),
    ],
)
def test_known_values_convert(value: float, source: str, wanted: str, expected: float) -> None:
    assert convert(value, source, wanted) == pytest.approx(expected, rel=2e-5, abs=1e-9)


@pytest.mark.parametrize(
    ("spelling", "symbol"),
    [
        ("Â°C", "°C"),
        ("C", "°C"),
        ("℃", "°C"),
        (" degC ", "°C"),
        ("uS/cm", "µS/cm"),
        ("\u03bcS/cm", "µS/cm"),
        ("\u00b5S/cm", "µS/cm"),
        ("ÂµS/cm", "µS/cm"),
        ("MS/CM", "mS/cm"),
        ("mS", "mS/cm"),
        ("uS", "µS/cm"),
        ("\u03bcS", "µS/cm"),
        ("\u00baC", "°C"),
        ("\u00baF", "°F"),
        ("ph", "pH"),
        ("% RH", "%RH"),
        ("%rh", "%RH"),
        ("mbar", "hPa"),
        ("lux", "lx"),
        ("l/min", "L/min"),
        ("PPM", "ppm"),
        ("ppm (TDS)", "ppm TDS"),
    ],
)
def test_spellings_met_in_the_field_mean_one_unit(spelling: str, symbol: str) -> None:
    assert unit_named(spelling).symbol == canonical_unit(spelling) == symbol


@pytest.mark.parametrize("time", ["ms", "us", "µs"])
def test_a_time_is_no_conductivity(time: str) -> None:
    assert find_unit(time) is None


def test_a_unit_that_nobody_knows_is_kept_as_written_and_converts_to_nothing_but_itself() -> None:
    assert canonical_unit(" furlong ") == "furlong"
    assert find_unit("furlong") is None
    assert convert(3, "furlong", "furlong") == 3
    with pytest.raises(BadInputError, match="'furlong' is no unit known here; known are °C"):
        convert(3, "furlong", "cm")
    with pytest.raises(BadInputError, match="'raw'"):
        convert(3, "°C", "raw")


def test_across_dimensions_the_refusal_says_what_each_unit_is_and_what_would_fit() -> None:
    with pytest.raises(BadInputError) as refused:
        convert(1413, "µS/cm", "°F")
    assert str(refused.value) == (
        "°F is a unit of temperature, µS/cm one of conductivity; for µS/cm, ask for µS/cm, mS/cm, "
        "dS/m, S/m, ppm TDS"
    )


def test_ppm_of_a_gas_and_ppm_of_dissolved_solids_are_different_things() -> None:
    assert convert(1413, "µS/cm", "ppm") == pytest.approx(706.5), "of water, ppm is meant as TDS"
    for wanted in ("ppm TDS", "µS/cm"):
        with pytest.raises(BadInputError, match="gas concentration"):
            convert(800, "ppm", wanted)
    with pytest.raises(BadInputError):
        convert(800, "%", "ppm")


def test_shown_values_carry_no_noise() -> None:
    assert shown(convert(21.5, "°C", "°F")) == 70.7
    assert shown(convert(1413, "µS/cm", "mS/cm")) == 1.413


def test_no_two_units_share_a_spelling() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS)
    for symbol in SYMBOLS:
        assert unit_named(symbol.upper()).symbol == symbol
        assert unit_named(f" {symbol} ").symbol == symbol


@given(VALUES, st.sampled_from(GROUPS).flatmap(lambda g: st.tuples(*[st.sampled_from(g)] * 2)))
def test_there_and_back_is_where_one_was(value: float, pair: tuple[str, str]) -> None:
    there, back = pair
    again = convert(convert(value, there, back), back, there)
    assert again == pytest.approx(value, rel=1e-9, abs=1e-6)


@given(VALUES, st.sampled_from(GROUPS).flatmap(lambda g: st.tuples(*[st.sampled_from(g)] * 3)))
def test_a_detour_changes_nothing(value: float, way: tuple[str, str, str]) -> None:
    start, middle, end = way
    detour = convert(convert(value, start, middle), middle, end)
    assert detour == pytest.approx(convert(value, start, end), rel=1e-9, abs=1e-6)


@given(VALUES, st.sampled_from(SYMBOLS), st.sampled_from(SYMBOLS))
def test_values_never_leave_their_dimension(value: float, source: str, wanted: str) -> None:
    meant_otherwise = wanted == "ppm" and source in fitting(unit_named("µS/cm"))
    if wanted in fitting(unit_named(source)) or meant_otherwise:
        convert(value, source, wanted)
    else:
        with pytest.raises(BadInputError, match="is a unit of"):
            convert(value, source, wanted)


@given(st.text(max_size=60))
def test_any_spelling_is_known_or_refused_in_a_sentence(spelling: str) -> None:
    if find_unit(spelling) is None:
        with pytest.raises(BadInputError, match="is no unit known here"):
            unit_named(spelling)
    else:
        assert unit_named(canonical_unit(spelling)) == unit_named(spelling)
