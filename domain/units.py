"""Units with their dimensions, so that nothing compares °F with °C, or µS with mS, unnoticed.

A table, not a library of units: what stands on a sensor's wire is spelled in ways that such a
library takes for something else (`pH` for picohenry, `C` for coulomb), and each conversion would
cost more than all the rest of a reading.
"""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from domain.errors import BadInputError


class Dimension(StrEnum):
    """What is measured, in words; only units of one dimension convert into each other."""

    TEMPERATURE = "temperature"
    PERCENTAGE = "percentage"
    ACIDITY = "pH"
    CONDUCTIVITY = "conductivity"
    GAS_CONCENTRATION = "gas concentration"
    PRESSURE = "pressure"
    ILLUMINANCE = "illuminance"
    FLOW = "flow"
    VOLUME = "volume"
    LENGTH = "length"
    VOLTAGE = "voltage"


class Unit(NamedTuple):
    """A unit of measurement: `base = (value + shift) * scale`.

    Attributes:
        symbol: How the server writes it.
        scale: How many of the dimension's base unit one of it is.
        shift: Added first; other than 0 only where zero means different things.
    """

    symbol: str
    dimension: Dimension
    scale: float = 1.0
    shift: float = 0.0


_UNITS = (
    Unit("°C", Dimension.TEMPERATURE),
    Unit("°F", Dimension.TEMPERATURE, 5 / 9, -32.0),
    Unit("K", Dimension.TEMPERATURE, 1.0, -273.15),
    # Relative humidity is a percentage whose name says of what; devices often leave that out.
    Unit("%", Dimension.PERCENTAGE),
    Unit("%RH", Dimension.PERCENTAGE),
    Unit("pH", Dimension.ACIDITY),
    Unit("µS/cm", Dimension.CONDUCTIVITY),
    Unit("mS/cm", Dimension.CONDUCTIVITY, 1000.0),
    Unit("dS/m", Dimension.CONDUCTIVITY, 1000.0),
    Unit("S/m", Dimension.CONDUCTIVITY, 10_000.0),
    # Meters of dissolved solids measure conductivity and halve it (the scale of table salt, "500";
    # device protocol, section 5.4); no gas is meant.
    Unit("ppm TDS", Dimension.CONDUCTIVITY, 2.0),
    Unit("ppm", Dimension.GAS_CONCENTRATION),
    Unit("ppb", Dimension.GAS_CONCENTRATION, 0.001),
    Unit("hPa", Dimension.PRESSURE),
    Unit("Pa", Dimension.PRESSURE, 0.01),
    Unit("kPa", Dimension.PRESSURE, 10.0),
    Unit("bar", Dimension.PRESSURE, 1000.0),
    # Conventional columns of mercury at 0 °C: NIST SP 811, appendix B.8.
    Unit("mmHg", Dimension.PRESSURE, 1.333224),
    Unit("inHg", Dimension.PRESSURE, 33.86389),
    Unit("lx", Dimension.ILLUMINANCE),
    Unit("klx", Dimension.ILLUMINANCE, 1000.0),
    Unit("L/min", Dimension.FLOW),
    Unit("L/h", Dimension.FLOW, 1 / 60),
    Unit("L/s", Dimension.FLOW, 60.0),
    Unit("mL/min", Dimension.FLOW, 0.001),
    Unit("m³/h", Dimension.FLOW, 1000 / 60),
    Unit("L", Dimension.VOLUME),
    Unit("mL", Dimension.VOLUME, 0.001),
    Unit("m³", Dimension.VOLUME, 1000.0),
    Unit("cm", Dimension.LENGTH),
    Unit("mm", Dimension.LENGTH, 0.1),
    Unit("m", Dimension.LENGTH, 100.0),
    Unit("V", Dimension.VOLTAGE),
    Unit("mV", Dimension.VOLTAGE, 0.001),
)

_ALIASES = {
    "°C": ("C", "ºC", "degC", "deg C", "celsius", "degree celsius", "degrees celsius"),
    "°F": ("F", "ºF", "degF", "deg F", "fahrenheit", "degrees fahrenheit"),
    "K": ("°K", "kelvin"),
    "%": ("percent", "pct"),
    "%RH": ("% rH", "RH", "RH%", "% r.h."),
    "pH": ("ph-value",),
    "µS/cm": ("uS/cm", "microsiemens/cm"),
    "mS/cm": ("millisiemens/cm",),
    "ppm TDS": ("ppm (TDS)", "ppm_tds", "TDS", "TDS ppm", "mg/L TDS"),
    "ppm": ("ppm CO2", "ppm_co2", "ppmv"),
    "hPa": ("mbar", "millibar"),
    "mmHg": ("torr", "mm Hg"),
    "inHg": ("in Hg", '"Hg'),
    "lx": ("lux",),
    "klx": ("klux", "kilolux"),
    "L/min": ("lpm", "l/minute", "litres/min"),
    "L/h": ("lph", "l/hour", "L/hr"),
    "m³/h": ("m3/h",),
    "m³": ("m3",),
    "L": ("liter", "litre", "liters", "litres"),
    "V": ("volt", "volts"),
}
"""Other spellings met in the field; blanks and capitals never count (protocol, section 2)."""

_IN_THESE_LETTERS = {"mS": "mS/cm", "uS": "µS/cm", "\u00b5S": "µS/cm", "\u03bcS": "µS/cm"}
"""Meters leave the centimetre out; but `ms` and `us` are times."""

_MEANT_AFTER = {("ppm", Dimension.CONDUCTIVITY): "ppm TDS"}
"""What a symbol means when asked for of another dimension: of conductivity, ppm is no gas."""

_LONGEST = 40
_DIGITS = 12
"""Significant digits that every conversion keeps."""


def _folded(spelling: str) -> str:
    # Â is what ° becomes when UTF-8 is read as Latin 1; NFKC writes ℃ and both kinds of µ one way.
    plain = unicodedata.normalize("NFKC", spelling).casefold()
    return "".join(character for character in plain if character not in " \tâ")


_BY_SYMBOL = {unit.symbol: unit for unit in _UNITS}
_BY_LETTERS = _BY_SYMBOL | {
    letters: _BY_SYMBOL[symbol] for letters, symbol in _IN_THESE_LETTERS.items()
}
_BY_SPELLING = {_folded(symbol): unit for symbol, unit in _BY_SYMBOL.items()} | {
    _folded(alias): _BY_SYMBOL[symbol] for symbol, aliases in _ALIASES.items() for alias in aliases
}


def find_unit(spelling: str) -> Unit | None:
    """Return the unit that a spelling means; None: it is not known here."""
    return _BY_LETTERS.get(spelling) or _BY_SPELLING.get(_folded(spelling[:_LONGEST]))


def unit_named(spelling: str) -> Unit:
    """Return the unit that a spelling means.

    Raises:
        BadInputError: It is not known here.
    """
    unit = find_unit(spelling)
    if unit is None:
        raise BadInputError(
            f"{spelling[:_LONGEST]!r} is no unit known here; known are {_listed(_BY_SYMBOL)}"
        )
    return unit


def canonical_unit(spelling: str) -> str:
    """Return how the server writes a unit; one that is not known here stays as it is written."""
    unit = find_unit(spelling)
    return spelling.strip() if unit is None else unit.symbol


def fitting(unit: Unit) -> tuple[str, ...]:
    """Return the symbols of all units of the same dimension."""
    return tuple(other.symbol for other in _UNITS if other.dimension is unit.dimension)


def target(wanted: str, source: str) -> Unit:
    """Return the unit that is asked for, of values in another one.

    Raises:
        BadInputError: One of them is not known, or they measure different things; the units that
            fit are named.
    """
    unit, given = unit_named(wanted), unit_named(source)
    if unit.dimension is given.dimension:
        return unit
    if (meant := _MEANT_AFTER.get((unit.symbol, given.dimension))) is not None:
        return _BY_SYMBOL[meant]
    raise BadInputError(
        f"{unit.symbol} is a unit of {unit.dimension}, {given.symbol} one of {given.dimension}; "
        f"for {given.symbol}, ask for {_listed(fitting(given))}"
    )


def convert(value: float, source: str, wanted: str) -> float:
    """Return a value in another unit, exact to the last digit or two of a float.

    Args:
        value: In `source`.
        source: The unit it is in, in any spelling.
        wanted: The unit it is to be in; the same spelling returns the value, whatever it means.

    Raises:
        BadInputError: One of the units is not known, or they measure different things.
    """
    if source == wanted:
        return value
    unit, given = target(wanted, source), unit_named(source)
    if unit.scale == given.scale and unit.shift == given.shift:
        return value
    return (value + given.shift) * given.scale / unit.scale - unit.shift


def convert_change(change: float, source: str, wanted: str) -> float:
    """Return a difference in another unit: 9 °F more are 5 °C more, wherever zero is.

    Raises:
        BadInputError: One of the units is not known, or they measure different things.
    """
    return change * unit_named(source).scale / target(wanted, source).scale


def shown(value: float) -> float:
    """Return a converted value without the noise behind its digits: 70.7, not 70.69999999999999."""
    return float(f"{value:.{_DIGITS}g}")


def _listed(symbols: Iterable[str]) -> str:
    return ", ".join(symbols)
