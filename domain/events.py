"""What happened, in the past tense: everything that is told to live listeners and to rules.

Every event stands for itself: whoever hears it needs no look-up to judge whether it is meant.
Only stored facts become events, and none about devices that are not approved.
"""

from dataclasses import dataclass
from typing import TypeAlias

from domain.actuators import Actuator, Command
from domain.devices import Device, DeviceHealth
from domain.rule_executions import RuleExecution
from domain.sensors import Reading
from domain.system_events import SystemEvent


@dataclass(frozen=True, slots=True)
class ReadingsStored:
    """Readings were committed, in the order of their ids; duplicates are not among them."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class ActuatorChanged:
    """A device reported what a pin does."""

    actuator: Actuator


@dataclass(frozen=True, slots=True)
class CommandChanged:
    """A command came a step further, from PENDING to its end."""

    command: Command


@dataclass(frozen=True, slots=True)
class DeviceHeard:
    """A device gave a sign of life, went offline, or was approved.

    `health` is None when the event carries no report.
    """

    device: Device
    health: DeviceHealth | None = None


@dataclass(frozen=True, slots=True)
class SystemEventRecorded:
    """Something happened that a grower should know of."""

    event: SystemEvent


@dataclass(frozen=True, slots=True)
class RuleExecuted:
    """A rule began to do something, or came to its end with it."""

    execution: RuleExecution


Event: TypeAlias = (
    ReadingsStored
    | ActuatorChanged
    | CommandChanged
    | DeviceHeard
    | SystemEventRecorded
    | RuleExecuted
)
