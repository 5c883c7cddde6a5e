"""The condition language as a tree: one vocabulary for rules and for interlocks.

A condition says nothing of how it came to be written (`notation`), whether its sensors exist
(`checks`), or what it comes to (`evaluate`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from domain.actuators import Pin
from domain.devices import DeviceStatus
from domain.rules.schedule import TimeWindow
from domain.rules.sun import SunWindow
from domain.sensors import SensorKey

DEEPEST = 8
"""How many conditions may stand inside each other; people lose their way long before."""

LARGEST = 64
"""How many conditions one tree may have, branches counted."""

RATE_POINTS = 60
"""Into how many parts the window of a rate is divided; one reading of each is remembered."""


class Operator(StrEnum):
    """How two numbers are compared, exactly; BETWEEN includes both ends."""

    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"
    EQ = "EQ"
    NEQ = "NEQ"
    BETWEEN = "BETWEEN"


class Limit(NamedTuple):
    """What a number is compared with.

    Attributes:
        upper: The other end; only with BETWEEN, and then 'value' or more.
    """

    operator: Operator
    value: float
    upper: float | None = None

    def admits(self, number: float) -> bool:  # noqa: PLR0911 - one line for each operator
        """Say whether a number is as the limit has it."""
        match self.operator:
            case Operator.GT:
                return number > self.value
            case Operator.GTE:
                return number >= self.value
            case Operator.LT:
                return number < self.value
            case Operator.LTE:
                return number <= self.value
            case Operator.EQ:
                return number == self.value
            case Operator.NEQ:
                return number != self.value
            case Operator.BETWEEN:
                return self.value <= number <= (self.value if self.upper is None else self.upper)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every one holds, and not when one does not, whatever is unknown of the others."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when one holds, whatever is unknown of the others; not when none does."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when another one does not; unknown stays unknown."""

    condition: "Condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A sensor's value beyond a limit, and for how long without a break.

    Attributes:
        unit: Of the limit; None: whatever the sensor measures in.
        hold_for: How long it must have been so; zero: no time at all.
        max_age: How old the value may be; None: as old as everywhere (`world.MAX_AGE`).
        any_quality: Whether a value counts that is doubted. For rules that would rather act on a
            doubtful value than not at all; no other leaf takes one.
    """

    sensor: SensorKey
    limit: Limit
    unit: str | None = None
    hold_for: timedelta = timedelta(0)
    max_age: timedelta | None = None
    any_quality: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hysteresis:
    """On beyond one limit, off beyond another, and between them as it was.

    Attributes:
        activate: Beyond it, it holds: above where `rising`, else below.
        deactivate: Beyond it on the other side, it no longer does.
        rising: Whether it is the high values that activate.
        unit: Of both; None: whatever the sensor measures in.
        max_age: How old the value may be; None: as old as everywhere.
    """

    sensor: SensorKey
    activate: float
    deactivate: float
    rising: bool
    unit: str | None = None
    max_age: timedelta | None = None

    def next(self, value: float, *, active: bool) -> bool:
        """Return whether it holds, given a value and whether it held before."""
        activates, keeps = (
            (value > self.activate, value >= self.deactivate)
            if self.rising
            else (value < self.activate, value <= self.deactivate)
        )
        return activates or (active and keeps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One sensor's value against another's: `left operator (right + offset)`.

    Attributes:
        operator: Any but BETWEEN.
        offset: In the unit of the left sensor, a difference.
        max_age: How old either may be; None: as old as everywhere.
    """

    left: SensorKey
    operator: Operator
    right: SensorKey
    offset: float = 0.0
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast a sensor's value changes, a minute, over a window.

    It is the difference between the newest value and the oldest that lies in the window before it;
    unknown until they lie at least half a window apart.

    Attributes:
        limit: Of the change per minute; rising is positive.
        over: The window.
        unit: Of the change; None: whatever the sensor measures in.
        max_age: How old the newest value may be; None: as old as everywhere.
    """

    sensor: SensorKey
    limit: Limit
    over: timedelta
    unit: str | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A sensor has said nothing good for a time; of one that never did, nothing is known."""

    sensor: SensorKey
    older_than: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIs:
    """A device is there, is not, or is in another state."""

    esp_id: str
    status: DeviceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorIs:
    """What a device last said that an actuator does.

    Attributes:
        on: Whether it must be on, or off; None: `at_least` counts.
        at_least: The least value, more than 0.0 up to 1.0.
        max_age: How old the device's word may be; None: it counts until there is another.
    """

    pin: Pin
    on: bool | None = None
    at_least: float | None = None
    max_age: timedelta | None = None


Leaf: TypeAlias = (
    Threshold
    | Hysteresis
    | Comparison
    | Rate
    | TimeWindow
    | SunWindow
    | Stale
    | DeviceIs
    | ActuatorIs
)
Condition: TypeAlias = AllOf | AnyOf | Not | Leaf


def in_units(condition: Condition, unit_of: Callable[[SensorKey], str | None]) -> Condition:
    """Return a condition with every unit said that is not: what its sensor measures in now.

    So that a limit keeps its meaning when the sensor measures in another unit one day.

    Args:
        condition: Any.
        unit_of: Returns the unit of a sensor; None: nobody knows.
    """
    match condition:
        case AllOf() | AnyOf():
            inner = tuple(in_units(each, unit_of) for each in condition.conditions)
            return replace(condition, conditions=inner)
        case Not():
            return Not(in_units(condition.condition, unit_of))
        case Threshold() | Hysteresis() | Rate() if condition.unit is None:
            return replace(condition, unit=unit_of(condition.sensor))
        case _:
            return condition


def children(condition: Condition) -> "tuple[Condition, ...]":
    """Return what stands directly inside a condition; nothing stands in a leaf."""
    if isinstance(condition, AllOf | AnyOf):
        return condition.conditions
    return (condition.condition,) if isinstance(condition, Not) else ()


def places(condition: Condition, place: str = "condition") -> Iterator[tuple[str, Condition]]:
    """Yield every condition of a tree with its place in it, such as `condition.all[2].not`."""
    yield place, condition
    for step, child in zip(steps(condition), children(condition), strict=True):
        yield from places(child, f"{place}.{step}")


def steps(condition: Condition) -> tuple[str, ...]:
    """Return how the children of a condition are reached from it: `all[0]`, `any[1]`, `not`."""
    match condition:
        case AllOf():
            return tuple(f"all[{index}]" for index in range(len(condition.conditions)))
        case AnyOf():
            return tuple(f"any[{index}]" for index in range(len(condition.conditions)))
        case Not():
            return ("not",)
        case _:
            return ()


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the leaves of a tree, from left to right."""
    if isinstance(condition, AllOf | AnyOf | Not):
        for child in children(condition):
            yield from leaves(child)
    else:
        yield condition


def sensors(leaf: Leaf) -> tuple[SensorKey, ...]:
    """Return the sensors that a leaf looks at."""
    match leaf:
        case Threshold() | Hysteresis() | Rate() | Stale():
            return (leaf.sensor,)
        case Comparison():
            return (leaf.left, leaf.right)
        case _:
            return ()


class Watched(NamedTuple):
    """Everything whose changes can change what conditions come to."""

    sensors: frozenset[SensorKey]
    devices: frozenset[str]
    actuators: frozenset[Pin]
    doubtful: frozenset[SensorKey] = frozenset()

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> "Watched":
        """Return what some conditions watch; worked out once, not at each judgement."""
        every = tuple(conditions)
        return cls(
            frozenset[SensorKey]().union(*map(watched_sensors, every)),
            frozenset[str]().union(*map(watched_devices, every)),
            frozenset[Pin]().union(*map(watched_actuators, every)),
            frozenset[SensorKey]().union(*map(doubtful_sensors, every)),
        )


def watched_sensors(condition: Condition) -> frozenset[SensorKey]:
    """Return all sensors whose readings can change what a condition comes to."""
    return frozenset(key for leaf in leaves(condition) for key in sensors(leaf))


def doubtful_sensors(condition: Condition) -> frozenset[SensorKey]:
    """Return the sensors whose doubtful values count, too."""
    found = (leaf for leaf in leaves(condition) if isinstance(leaf, Threshold) and leaf.any_quality)
    return frozenset(leaf.sensor for leaf in found)


def watched_devices(condition: Condition) -> frozenset[str]:
    """Return the devices whose comings and goings can change what a condition comes to."""
    return frozenset(leaf.esp_id for leaf in leaves(condition) if isinstance(leaf, DeviceIs))


def watched_actuators(condition: Condition) -> frozenset[Pin]:
    """Return the actuators whose states can change what a condition comes to."""
    return frozenset(leaf.pin for leaf in leaves(condition) if isinstance(leaf, ActuatorIs))
