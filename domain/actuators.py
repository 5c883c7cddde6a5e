"""Actuators, the commands given to them, and what their devices say they do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from domain.devices import FirmwareEvidence
from domain.errors import BadInputError

ACK_TIMEOUT = timedelta(seconds=5)
"""How long a device may take to answer a command, where the operator says nothing else; and after
which a broker that knows of expiry does not hand it over any more."""

LAST_PIN = 254
"""The highest GPIO that something can hang on: 255 says that there is none."""

LONGEST_DURATION = timedelta(days=7)
"""The longest time on that a command may ask for."""

VALUE_DIGITS = 4
"""Decimals of a value that devices are told: what would be 0 there is 0 here, too."""


class ActuatorMode(StrEnum):
    """What values an actuator can take: fully on or off, any part of full power, or a position."""

    DIGITAL = "DIGITAL"
    PWM = "PWM"
    SERVO = "SERVO"


class EmergencyPhase(StrEnum):
    """How far an emergency stop has come on one actuator (device protocol, section 5.3)."""

    NORMAL = "NORMAL"
    ACTIVE = "ACTIVE"
    CLEARING = "CLEARING"
    RESUMING = "RESUMING"


class CommandAction(StrEnum):
    """What a command asks for; TOGGLE is resolved to ON or OFF before it is sent."""

    ON = "ON"
    OFF = "OFF"
    PWM = "PWM"
    TOGGLE = "TOGGLE"


class CommandStatus(StrEnum):
    """How far a command has come; the first two are still open."""

    PENDING = "PENDING"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"


class CommandOrigin(StrEnum):
    """Who asked."""

    USER = "USER"
    API_KEY = "API_KEY"
    REST = "REST"
    RULE = "RULE"
    PREDICTION = "PREDICTION"
    SAFETY = "SAFETY"


class Pin(NamedTuple):
    """Where an actuator is: a device and one of its pins, 0..254 (255 means the whole device)."""

    esp_id: str
    gpio: int


MODES = {
    "pump": ActuatorMode.DIGITAL,
    "valve": ActuatorMode.DIGITAL,
    "relay": ActuatorMode.DIGITAL,
    "pwm": ActuatorMode.PWM,
    "servo": ActuatorMode.SERVO,
}
"""The actuator types, and what each can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorState:
    """What the device last said its pin does.

    Attributes:
        value: 0.0 (off) .. 1.0 (full).
        reported_at: When the device said so; None: never heard, the rest is an assumption.
    """

    value: float = 0.0
    is_active: bool = False
    emergency: EmergencyPhase = EmergencyPhase.NORMAL
    runtime_ms: float | None = None
    last_command_at: datetime | None = None
    reported_at: datetime | None = None


class StateChange(NamedTuple):
    """A device said that one of its pins does something else than before.

    Attributes:
        at: When it said so.
        value: 0.0 (off) .. 1.0 (full), from then on.
    """

    at: datetime
    value: float
    is_active: bool
    emergency: EmergencyPhase = EmergencyPhase.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuator:
    """A pin that does something.

    Attributes:
        inverted: Whether the pin is low when it is on.
        aux_gpio: A second pin that it needs, such as a valve's direction; None: none.
        default_value: What it does from the device's boot on, 0.0 to 1.0.
        max_runtime: The longest time on without a pause, whoever asks; None: what is usual for its
            type.
        min_off_time: How long it rests before it is switched on again; None: not at all.
        max_starts_per_hour: How often it may be switched on within an hour; None: any number.
    """

    id: int
    pin: Pin
    actuator_type: str
    name: str
    enabled: bool = True
    critical: bool = False
    inverted: bool = False
    aux_gpio: int | None = None
    default_value: float = 0.0
    max_runtime: timedelta | None = None
    min_off_time: timedelta | None = None
    max_starts_per_hour: int | None = None
    state: ActuatorState = ActuatorState()
    created_at: datetime
    updated_at: datetime

    @property
    def mode(self) -> ActuatorMode:
        """What values its type can take; an unknown type is only ever switched."""
        return MODES.get(self.actuator_type, ActuatorMode.DIGITAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants of an actuator, before anything has judged it.

    Attributes:
        value: 0.0..1.0; only for PWM.
        duration: How long to stay on; None: until told otherwise.
        idempotency_key: A repeat with the same key returns the first command.
        override_for: How long rules leave the actuator alone after a person's command; zero: not at
            all, None: see `domain.arbitration`.
        execution_id: The execution of a rule that it is part of; None: no rule asks.
        rule_id: That rule.
        priority: Of that rule, 1 is the most important.
    """

    pin: Pin
    action: CommandAction
    value: float | None = None
    duration: timedelta | None = None
    origin: CommandOrigin
    user_id: UUID | None = None
    idempotency_key: str | None = None
    override_for: timedelta | None = None
    execution_id: UUID | None = None
    rule_id: UUID | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An order with its history; the id also travels to the device as the correlation id.

    Attributes:
        action: ON, OFF or PWM: a TOGGLE is resolved before the command exists.
        value: What the pin is to become, 0.0..1.0.
        override_until: Until when rules leave the actuator alone; None: nothing was said of that.
        execution_id: The execution of a rule that caused it; None: no rule did.
        arbitration: Who had the actuator when a person took it (`arbitration.told`); None: nobody,
            or no person asked.
    """

    id: UUID
    actuator_id: int
    pin: Pin
    action: CommandAction
    value: float
    duration: timedelta | None = None
    status: CommandStatus
    reason: str | None = None
    origin: CommandOrigin
    user_id: UUID | None = None
    idempotency_key: str | None = None
    created_at: datetime
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    override_until: datetime | None = None
    execution_id: UUID | None = None
    arbitration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorReport:
    """A device says what one of its pins does now.

    Attributes:
        firmware: Which generations write such a report; None: any.
    """

    pin: Pin
    kaiser_id: str
    received_at: datetime
    actuator_type: str
    value: float
    is_active: bool
    emergency: EmergencyPhase
    runtime_ms: float | None = None
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResponse:
    """A device's answer to a command.

    Attributes:
        correlation_id: The command's id where the firmware repeats it, else None.
        action: The command word it answers, upper case, where it says so.
        firmware: Which generations write such a response; None: any.
    """

    pin: Pin
    received_at: datetime
    success: bool
    message: str = ""
    correlation_id: str | None = None
    action: str | None = None
    value: float | None = None
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


def check_pin(gpio: int, what: str = "gpio") -> None:
    """Demand that something can hang on a pin.

    Raises:
        BadInputError: No board has it.
    """
    if not 0 <= gpio <= LAST_PIN:
        raise BadInputError(f"{what} must lie between 0 and {LAST_PIN}, not {gpio}")
