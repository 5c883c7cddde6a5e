"""Rules: a condition, what to do when it holds, and what is remembered between two decisions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.actuators import CommandAction, Pin
from domain.rules.conditions import Condition, Hysteresis, Watched, leaves
from domain.rules.schedule import DstPolicy
from domain.rules.world import ConditionState
from domain.system_events import Severity

RENEW_EVERY = timedelta(seconds=30)
"""How often a hold tells its actuators again that they are to stay as they are."""

EXECUTIONS_COUNTED = timedelta(hours=1)
"""The time within which `max_executions_per_hour` counts."""

LOWEST_PRIORITY = 100
USUAL_PRIORITY = 50
MOST_ACTIONS = 20
MOST_EXECUTIONS = 3600
LONGEST_COOLDOWN = timedelta(days=31)
LONGEST_DELAY = timedelta(hours=24)


class RuleMode(StrEnum):
    """What a condition that holds means."""

    TRIGGER = "TRIGGER"
    """The actions run once when it becomes true."""
    HOLD = "HOLD"
    """Actuators stay as commanded while it is true, and are switched off once when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStep:
    """Tell an actuator something.

    Attributes:
        value: 0.0..1.0; only with PWM.
        duration: How long to stay on; None: as long as the actuator may.
    """

    pin: Pin
    action: CommandAction
    value: float | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DelayStep:
    """Wait before the next action."""

    time: timedelta


@dataclass(frozen=True, slots=True)
class NotifyStep:
    """Tell people something."""

    message: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStep:
    """Stop everything, one device, or one actuator.

    Attributes:
        esp_id: None: everything.
        gpio: None: all of the device.
    """

    reason: str
    esp_id: str | None = None
    gpio: int | None = None


@dataclass(frozen=True, slots=True)
class EnableRuleStep:
    """Enable or disable a rule, which may be this one."""

    rule_id: UUID
    enabled: bool


Action: TypeAlias = CommandStep | DelayStep | NotifyStep | EmergencyStep | EnableRuleStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule, in one of its versions.

    Attributes:
        id: The same for all versions.
        version: 1 or more; an execution names the one that it ran.
        priority: 1 is the most important.
        mode: See `default_mode`.
        actions: In their order, at least one.
        cooldown: How long after the begin of one execution the next may begin; zero: no pause.
        max_executions_per_hour: 1 or more; None: any number.
        dst: What its windows do where the clock is put, unless they say so themselves.
        watched: What its condition looks at.
    """

    id: UUID
    version: int
    name: str
    condition: Condition
    actions: tuple[Action, ...]
    mode: RuleMode
    enabled: bool = True
    priority: int = USUAL_PRIORITY
    description: str | None = None
    cooldown: timedelta = timedelta(0)
    max_executions_per_hour: int | None = None
    dst: DstPolicy = DstPolicy.ONCE
    watched: Watched = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once for a version what every judgement needs."""
        object.__setattr__(self, "watched", Watched.of((self.condition,)))

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The actuators that it commands, in the order of its actions, each once."""
        steps = (action for action in self.actions if isinstance(action, CommandStep))
        return tuple(dict.fromkeys(step.pin for step in steps))

    def switched_off(self) -> tuple[CommandStep, ...]:
        """Return what ends a hold: everything off that it switched on, in the opposite order."""
        held = (
            action.pin
            for action in self.actions
            if isinstance(action, CommandStep) and action.action is not CommandAction.OFF
        )
        pins = tuple(dict.fromkeys(held))
        return tuple(CommandStep(pin=pin, action=CommandAction.OFF) for pin in reversed(pins))


def default_mode(condition: Condition) -> RuleMode:
    """Return the mode of a rule that names none: HOLD where there is a hysteresis."""
    holds = any(isinstance(leaf, Hysteresis) for leaf in leaves(condition))
    return RuleMode.HOLD if holds else RuleMode.TRIGGER


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What is remembered of a rule; stored together with the execution that it caused.

    Attributes:
        condition: What its condition remembers.
        armed: Whether the condition becoming true would trigger it.
        fired_for: The readings that its last execution rested on.
        executed_at: When its last executions began, oldest first; as many as limits look at.
        decided_at: The latest instant that it decided at; later than now where the clock went back.
        held_since: When the hold began that is on; None: none is.
        held_version: The version of the rule that began it.
        renewed_at: When that was last told to its actuators.
        wanting: Whether an execution could not be carried out and is to be tried again when the
            device is there, if the condition still holds.
    """

    condition: ConditionState = field(default_factory=ConditionState)
    armed: bool = True
    fired_for: frozenset[int] = frozenset()
    executed_at: tuple[datetime, ...] = ()
    decided_at: datetime | None = None
    held_since: datetime | None = None
    held_version: int | None = None
    renewed_at: datetime | None = None
    wanting: bool = False
