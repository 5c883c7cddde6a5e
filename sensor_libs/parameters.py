"""What a conversion depends on besides the raw value: parameters, and where they come from.

A calibration is nothing but parameters that were found by measuring known things, and a live
temperature is nothing but a parameter that changes. So a conversion is a function of one number and
of one small mapping, and anybody can compute it again later.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

from domain.calibrations import CalibrationMethod


class Parameter(NamedTuple):
    """A number that a conversion needs.

    Attributes:
        name: As it stands in the mapping that `convert` is given.
        default: What holds until somebody sets it, or a calibration finds it; None: there is none,
            and without it nothing can be said.
        low: The smallest that makes sense.
        high: The largest that makes sense.
        unit: Of the number; empty where it has none.
        description: For the person who sets it.
    """

    name: str
    default: float | None
    low: float
    high: float
    unit: str
    description: str


class Takes(Enum):
    """Which number of another sensor's newest reading fills a parameter."""

    VALUE = "value"
    RAW = "raw"


class Companion(NamedTuple):
    """A parameter that takes what another sensor said last.

    Attributes:
        parameter: Name of the parameter; its default holds while there is no fresh reading.
        unit: In which the reading is wanted; of no meaning for a raw value.
        note: Said in the reading when the parameter's default had to do.
        beside: Sensor types of which one on the same device, pin and address is taken without
            asking; empty: the sensor's owner names one.
        takes: Its value, or its raw value.
        max_age: How old its reading may be.
    """

    parameter: str
    unit: str
    note: str
    beside: tuple[str, ...] = ()
    takes: Takes = Takes.VALUE
    max_age: timedelta = timedelta(minutes=10)


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
        name = parameter.name
        value = given.get(name, parameter.default)
        if value is None:
            missing.append(name)
        elif not is_number(value) or not parameter.low <= value <= parameter.high:
            return Settled(parameters, out_of_limits(parameter, value))
        else:
            parameters[name] = value
    notes = [c.note for c in companions if given.get(c.parameter) is None]
    if missing:
        unaccompanied = [c.note for c in companions if c.parameter in missing]
        return Settled(parameters, "; ".join([_lack(missing), *unaccompanied]))
    return Settled(parameters, None, "; ".join(notes) or None)


def is_number(value: object) -> bool:
    """Return whether something that came from outside can be computed with; True cannot."""
    return value.__class__ is float or value.__class__ is int


def out_of_limits(parameter: Parameter, value: object) -> str:
    """Say what a parameter accepts."""
    limits = f"{parameter.low:g} to {parameter.high:g} {parameter.unit}".rstrip()
    return f"parameter {parameter.name} is {value}, but must be {limits}"


def _lack(missing: Sequence[str]) -> str:
    names = ", ".join(missing)
    return f"cannot be computed without {names}"
