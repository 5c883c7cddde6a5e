"""What a conversion depends on besides the raw value, as libraries declare it and owners set it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple, Protocol

from domain.errors import BadInputError
from domain.json_objects import number, only
from domain.sensors import Sensor, SensorKey
from domain.units import canonical_unit, target


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


class Recipe(Protocol):
    """What a library says its conversion depends on; the same object until the library changes."""

    @property
    def name(self) -> str:
        """Of the library."""
        ...

    @property
    def unit(self) -> str:
        """Of its values."""
        ...

    @property
    def parameters(self) -> Sequence[Parameter]:
        """Every parameter that it knows."""
        ...

    @property
    def companions(self) -> Sequence[Companion]:
        """Which of them other sensors fill."""
        ...

    @property
    def is_virtual(self) -> bool:
        """Whether there is no chip: the value is computed from companions alone."""
        ...


def read_parameters(given: object, recipe: Recipe | None, sensor_type: str) -> Mapping[str, float]:
    """Read parameters as people write them.

    Args:
        given: A JSON object of numbers; an empty one: none.
        recipe: What the sensor's library knows; None: no library reads it.
        sensor_type: For the complaint.

    Raises:
        BadInputError: It says which parameter is unknown, or which limits one exceeds.
    """
    if given == {}:
        return {}
    known = {} if recipe is None else {parameter.name: parameter for parameter in recipe.parameters}
    if not known:
        raise BadInputError(f"a {sensor_type} has no parameters")
    entries: Mapping[str, Any] = only(given, tuple(known), "parameters")
    read = {}
    for name in entries:
        value, parameter = number(entries, name), known[name]
        if value is not None:
            if not parameter.low <= value <= parameter.high:
                raise BadInputError(f"parameters: {out_of_limits(parameter, f'{value:g}')}")
            read[name] = value
    return read


def check_source(
    parameter: str, source: Sensor, measured: Recipe | None, key: SensorKey, recipe: Recipe | None
) -> None:
    """Refuse to take a parameter from a sensor that cannot give it.

    Args:
        parameter: Its name.
        source: The sensor that its owner names.
        measured: What reads that sensor; None: nothing, its device may compute its values.
        key: The sensor whose parameter it is.
        recipe: What reads that one.

    Raises:
        BadInputError: It says why.
    """
    companions = {} if recipe is None else {c.parameter: c for c in recipe.companions}
    companion = companions.get(parameter)
    if companion is None:
        known = f"it takes {', '.join(companions)}" if companions else "it takes nothing from any"
        raise BadInputError(
            f"sources: a {key.sensor_type} takes no {parameter[:40]!r} from another sensor; {known}"
        )
    if source.key == key:
        raise BadInputError(f"sources: {parameter} cannot come from the sensor itself")
    if measured is not None and measured.is_virtual:
        raise BadInputError(
            f"sources: a {source.key.sensor_type} is computed itself; name a sensor that measures"
        )
    unit = source.unit if measured is None else measured.unit
    if companion.takes is Takes.VALUE and unit is not None and unit != companion.unit:
        try:
            target(companion.unit, canonical_unit(unit))
        except BadInputError as error:
            raise BadInputError(f"sources: {parameter}: {error}") from None


def out_of_limits(parameter: Parameter, value: object) -> str:
    """Say what a parameter accepts."""
    limits = f"{parameter.low:g} to {parameter.high:g} {parameter.unit}".rstrip()
    return f"parameter {parameter.name} is {value}, but must be {limits}"
