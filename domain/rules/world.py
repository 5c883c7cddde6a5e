"""What conditions are judged on, and what is remembered between two judgements; plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from domain.actuators import ActuatorState, Pin
from domain.devices import DeviceStatus
from domain.rules.conditions import Hysteresis, Rate, Threshold
from domain.sensors import TRUSTED, Quality, Reading, SensorKey

MAX_AGE = timedelta(minutes=15)
"""Age from which on a value says nothing any more, where neither condition nor world says else."""


class Observation(NamedTuple):
    """A reading, as far as conditions look at it.

    Attributes:
        reading_id: Grows in the order in which readings were stored.
        value: In `unit`; None: nothing true can be said.
        measured_at: Not after it was received, whatever its device's clock says.
    """

    reading_id: int
    value: float | None
    unit: str | None
    measured_at: datetime
    quality: Quality = Quality.GOOD

    @classmethod
    def of(cls, reading: Reading) -> "Observation":
        """Return what conditions look at of a reading."""
        made = reading.measurement
        at = min(reading.measured_at, reading.received_at)
        return cls(reading.id, made.value, made.unit, at, made.quality)

    @property
    def good(self) -> bool:
        """Whether a decision may rest on it."""
        return self.value is not None and self.quality in TRUSTED

    @property
    def order(self) -> tuple[datetime, int]:
        """What makes one reading newer than another."""
        return self.measured_at, self.reading_id


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How things are; what is not in it is not known.

    Attributes:
        readings: One for each sensor. Rules hand in the latest good one, so that a bad one does
            nothing; interlocks the latest of all, so that a bad one makes the answer unknown.
        doubtful: The latest reading of all, of sensors of which a rule takes even that.
        devices: What is known of the devices' presence.
        actuators: What devices last said that their actuators do.
        gone: Sensors that are not there any more: what is remembered of them says nothing.
        max_age: From which age on a value says nothing, where a condition does not say else.
        doubting: Whether what hangs on a past that nobody remembers is unknown; else a condition
            begins as if nothing had ever been. Interlocks doubt, rules begin.
    """

    readings: Mapping[SensorKey, Observation] = field(default_factory=dict)
    doubtful: Mapping[SensorKey, Observation] = field(default_factory=dict)
    devices: Mapping[str, DeviceStatus] = field(default_factory=dict)
    actuators: Mapping[Pin, ActuatorState] = field(default_factory=dict)
    gone: frozenset[SensorKey] = frozenset()
    max_age: timedelta = MAX_AGE
    doubting: bool = False


class TrueSince(NamedTuple):
    """Of a threshold with a time: since when the value is beyond it without a break.

    Attributes:
        surely: Whether it was not so before; else nobody knows. Only who doubts asks.
    """

    since: datetime
    surely: bool = True


class Active(NamedTuple):
    """Of a hysteresis: whether it held when it was last known."""

    active: bool


class Point(NamedTuple):
    """One value of the past."""

    at: datetime
    value: float


class Points(NamedTuple):
    """Of a rate: the values that the newest one is compared with, oldest first, in one unit."""

    unit: str | None
    points: tuple[Point, ...]


Remembering: TypeAlias = Threshold | Hysteresis | Rate
"""The leaves that remember something."""

Memory: TypeAlias = TrueSince | Active | Points


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionState:
    """What is remembered of one condition; it survives a restart as JSON (`state_notation`).

    Memories belong to a leaf, not to a place in the tree: what did not change when a rule was
    edited is still remembered.

    Attributes:
        observations: The newest good reading of each sensor; an older one is ignored.
        memories: What leaves remember.
    """

    observations: Mapping[SensorKey, Observation] = field(default_factory=dict)
    memories: Mapping[Remembering, Memory] = field(default_factory=dict)
