"""What is wrong with what a library says of itself: all of it at once, each with the next step.

An author who is told one mistake at a time gives up at the third.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.calibrations import CalibrationMethod
from domain.sensors import canonical_type
from sensor_libs.frames import Channels
from sensor_libs.parameters import Calibrates, Companion, Parameter, is_number
from sensor_libs.raw_forms import Range, RawForm

if TYPE_CHECKING:  # it is the library that asks to be checked
    from sensor_libs.api import SensorLibrary

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_MOST_DECIMALS = 6
_KINDS: Sequence[tuple[str, type | tuple[type, ...], str]] = (
    ("name", str, "text in quotation marks"),
    ("version", str, "text in quotation marks"),
    ("unit", str, "text in quotation marks"),
    ("source", str, "text in quotation marks"),
    ("decimals", int, "a whole number"),
    ("valid", Range, "a Range(low, high)"),
    ("typical", Range, "a Range(low, high)"),
    ("raw", (RawForm, NoneType), "a RawForm such as ADC12 or WORD16, or None"),
    ("channels", (Channels, NoneType), "Channels(names, pack, packing), or None"),
    ("max_rate", (float, int, NoneType), "a number of units per second, or None"),
    ("stuck_after", (timedelta, NoneType), "a timedelta, or None"),
    ("warm_up", timedelta, "a timedelta"),
)
_ENTRIES: Mapping[str, type] = {
    "sensor_types": str,
    "aliases": str,
    "vectors": tuple,
    "parameters": Parameter,
    "companions": Companion,
    "calibrations": Calibrates,
    "units": tuple,
}
_POINTS = {
    CalibrationMethod.LINEAR: 2,
    CalibrationMethod.PH_2POINT: 2,
    CalibrationMethod.PH_3POINT: 2,
    CalibrationMethod.EC_2POINT: 2,
    CalibrationMethod.DRY_WET: 2,
}
"""How many parameters a method finds; the others find one."""


class Mistake(NamedTuple):
    """Something wrong in a declaration.

    Attributes:
        field: Of the library.
        says: What is wrong, and what would be right.
    """

    field: str
    says: str


class DeclarationError(ValueError):
    """A library says of itself what cannot be."""

    def __init__(self, name: str, mistakes: list[Mistake]) -> None:
        super().__init__(f"{name}: " + "; ".join(mistake.says for mistake in mistakes))
        self.name = name
        self.mistakes = mistakes


def refuse_wrong(library: "SensorLibrary") -> None:
    """Raise DeclarationError for a library whose declaration is wrong."""
    mistakes = list(_kinds(library))
    if not mistakes:
        mistakes = list(chain(_identity(library), _ranges(library), _links(library)))
    if mistakes:
        raise DeclarationError(str(library.name), mistakes)


def _kinds(library: "SensorLibrary") -> Iterator[Mistake]:
    """Find what is not of the kind it must be; looking closer would only raise."""
    convert: Any = library.convert  # an author may have written anything
    for name, kind, says in _KINDS:
        if not isinstance(getattr(library, name), kind):
            yield Mistake(name, f"{name} must be {says}")
    if not callable(convert):
        yield Mistake("convert", "convert must be a function of (raw, parameters)")
    for name, kind in _ENTRIES.items():
        entries: Any = getattr(library, name)
        if not isinstance(entries, tuple):
            yield Mistake(name, f"{name} must be a tuple: (one,) or (one, another)")
        elif not all(isinstance(entry, kind) for entry in entries):
            yield Mistake(name, f"{name} must hold {kind.__name__} and nothing else")


def _identity(library: "SensorLibrary") -> Iterator[Mistake]:
    if not _NAME.fullmatch(library.name):
        yield Mistake(
            "name", f"{library.name!r} is no name: lower case, digits and _, at most 32 of them"
        )
    if not _VERSION.fullmatch(library.version):
        yield Mistake("version", f"{library.version!r} is no version: three numbers, such as 1.0.0")
    for name in ("sensor_types", "source", "vectors"):
        if not getattr(library, name):
            yield Mistake(name, f"{name} must not be empty")
    for name in ("sensor_types", "aliases"):
        for sensor_type in getattr(library, name):
            if (canonical := canonical_type(sensor_type)) != sensor_type:
                yield Mistake(name, f"{sensor_type!r} is known as {canonical!r}; write that")


def _ranges(library: "SensorLibrary") -> Iterator[Mistake]:
    valid, typical = library.valid, library.typical
    if not valid.low <= typical.low < typical.high <= valid.high:
        yield Mistake(
            "typical", f"typical {tuple(typical)} does not lie within valid {tuple(valid)}"
        )
    if not 0 <= library.decimals <= _MOST_DECIMALS:
        yield Mistake("decimals", f"decimals must be 0 to {_MOST_DECIMALS}")
    if library.raw is not None and not library.raw.low < library.raw.high:
        yield Mistake("raw", f"raw: {library.raw.low:g} is not below {library.raw.high:g}")
    if library.max_rate is not None and not library.max_rate > 0:
        yield Mistake("max_rate", "max_rate must be above 0, in units per second, or None")


def _links(library: "SensorLibrary") -> Iterator[Mistake]:
    yield from _parameters(library)
    known = {parameter.name for parameter in library.parameters}
    for companion in library.companions:
        if companion.parameter not in known:
            yield Mistake(
                "companions", f"companion {companion.parameter!r} is no declared parameter"
            )
    if library.raw is None and not library.companions:
        yield Mistake("companions", "without a raw form there must be companions to compute from")
    for calibrates in library.calibrations:
        if missing := set(calibrates.sets) - known:
            names = ", ".join(sorted(missing))
            yield Mistake(
                "calibrations", f"{calibrates.method} sets {names}: no declared parameter"
            )
        if len(calibrates.sets) != (wanted := _POINTS.get(calibrates.method, 1)):
            yield Mistake("calibrations", f"{calibrates.method} must set {wanted} parameter(s)")


def _parameters(library: "SensorLibrary") -> Iterator[Mistake]:
    names = [parameter.name for parameter in library.parameters]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Mistake("parameters", f"parameter {name!r} is declared more than once")
    for parameter in library.parameters:
        name, default, low, high = parameter[:4]
        if not _PARAMETER.fullmatch(name):
            yield Mistake("parameters", f"{name!r} is no name of a parameter")
        if not all(map(is_number, (low, high))) or not low < high or math.isinf(high - low):
            yield Mistake("parameters", f"parameter {name}: its low must be below its high")
        elif default is not None and not low <= default <= high:
            yield Mistake(
                "parameters", f"parameter {name}: its default {default} is not {low:g} to {high:g}"
            )
