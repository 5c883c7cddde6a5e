"""What a conversion depends on besides the raw value: parameters, and where they come from.

A calibration is nothing but parameters that were found by measuring known things, and a live
temperature is nothing but a parameter that changes. So a conversion is a function of one number and
of one small mapping, and anybody can compute it again later.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from domain.calibrations import CalibrationMethod
from domain.parameters import Companion, Parameter, Takes, out_of_limits

__all__ = [
    "FACTOR",
    "OFFSET",
    "Calibrates",
    "Companion",
    "Parameter",
    "Sees",
    "Settled",
    "Takes",
    "is_number",
    "out_of_limits",
    "settle",
]


class Sees(Enum):
    """What of a sensor a calibration compares with the reference."""

    VALUE = "value"
    """The value as it is with the defaults of the parameters that the calibration sets."""

    VOLTS = "volts"
    """The voltage of the probe."""

    RAW = "raw"
    """The raw value itself."""


class Calibrates(NamedTuple):
    """A method by which a library can be calibrated.

    Attributes:
        method: Its name.
        sets: The parameters that it finds, in the order of the method: slope before offset, dry
            before wet.
        sees: What it compares with the reference.
    """

    method: CalibrationMethod
    sets: tuple[str, ...]
    sees: Sees = Sees.VALUE


class Settled(NamedTuple):
    """All parameters of one conversion.

    Attributes:
        parameters: Every declared one that has a value, by name.
        fault: Why nothing can be computed with them; None: it can.
        note: What had to be assumed; None: nothing.
    """

    parameters: Mapping[str, float]
    fault: str | None = None
    note: str | None = None


_NUMBERS = frozenset({float, int})

OFFSET = Parameter("offset", 0.0, -1e6, 1e6, "", "added to every value")
"""For quantities that a calibration shifts; a library narrows its limits with `_replace`."""

FACTOR = Parameter("factor", 1.0, 0.01, 100, "", "every value is multiplied by it")


def settle(
    declared: Sequence[Parameter], companions: Sequence[Companion], given: Mapping[str, float]
) -> Settled:
    """Complete the parameters that are known of a sensor.

    Args:
        declared: The parameters of its library.
        companions: Which of them come from other sensors.
        given: What its owner set, over it what calibrations found, over it what its companions
            said; names that the library does not know are none of its business.

    Returns:
        The parameters, and why they will not do where they do not.
    """
    parameters: dict[str, float] = {}
    missing: list[str] = []
    for parameter in declared:
        name, default, low, high, _, _ = parameter
        value = given.get(name, default)
        if value is None:
            missing.append(name)
        elif value.__class__ in _NUMBERS and low <= value <= high:
            parameters[name] = value
        else:
            return Settled(parameters, out_of_limits(parameter, value))
    if missing:
        unaccompanied = [c.note for c in companions if c.parameter in missing]
        return Settled(parameters, "; ".join([_lack(missing), *unaccompanied]))
    notes = [c.note for c in companions if given.get(c.parameter) is None]
    return Settled(parameters, None, "; ".join(notes) if notes else None)


def is_number(value: object) -> bool:
    """Return whether something that came from outside can be computed with; True cannot."""
    return value.__class__ in _NUMBERS


def _lack(missing: Sequence[str]) -> str:
    names = ", ".join(missing)
    return f"cannot be computed without {names}"
