"""What devices say of themselves, and what the server tells and orders them."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.devices import DeviceHealth, FirmwareEvidence
from domain.system_events import Severity
from mqtt_bridge.messages.base import Details, FromDevice, ToDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAnnounce(FromDevice):
    """A device connected and asks to be taken over; the first thing newest firmware says.

    Attributes:
        handover_epoch: Counts its sessions, 1 or more; the next heartbeat acks must repeat it.
        reason: `boot` or `reconnect`; empty where it does not say.
    """

    handover_epoch: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatMetrics(FromDevice):
    """Counters of the newest firmware, sent apart from its heartbeat."""

    counters: Details


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeMode(FromDevice):
    """A device entered or left its safe mode."""

    active: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics(FromDevice):
    """A device's report on its health, in more detail than a heartbeat.

    Attributes:
        details: What `health` has no place for, under the firmware's names.
    """

    health: DeviceHealth
    details: Details = field(default_factory=dict)
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceError(FromDevice):
    """Something failed inside a device.

    Attributes:
        code: The firmware's number as sent, 0..65535; None where it gives only a name.
        name: The firmware's word, such as `GPIO_CONFLICT`; empty where it gives only a number.
        category: `HARDWARE`, `SERVICE`, `COMMUNICATION`, `APPLICATION` …; empty: not said.
        details: The context it gives, of plain type.
    """

    code: int | None
    name: str
    severity: Severity
    category: str = ""
    message: str = ""
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemResponse(FromDevice):
    """The answer to a system command.

    Attributes:
        command: The command word, lower case; `factory_reset` where earliest firmware only
            reports that it began.
        details: What the command asked for, of plain type.
    """

    command: str
    success: bool
    message: str = ""
    correlation_id: str | None = None
    details: Details = field(default_factory=dict)
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePressure(FromDevice):
    """A device cannot publish as fast as it wants to, or can again.

    Attributes:
        entered: True: the pressure began; False: it is over.
    """

    entered: bool
    fill_level: int | None = None
    high_watermark: int | None = None
    shed_count: int | None = None
    drop_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthStatus(FromDevice):
    """How a device fared with new broker credentials.

    Attributes:
        mode: `anonymous` or `authenticated`; empty: not said.
    """

    success: bool
    mode: str
    username: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery(FromDevice):
    """Somebody found a device on the network; `esp_id` is empty where it names none."""

    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResponse(FromDevice):
    """A mock device's answer to a trial command.

    Attributes:
        command: The word it answers; `pong` for `ping`.
    """

    trial_id: str
    success: bool
    command: str = ""
    error: str = ""
    details: Details = field(default_factory=dict)


class AckStatus(StrEnum):
    """How the server stands to a device; only the first two let newest firmware work."""

    ONLINE = "online"
    APPROVED = "approved"
    PENDING_APPROVAL = "pending_approval"
    REJECTED = "rejected"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAck(ToDevice):
    """The answer without which newest firmware stays mute (device protocol, section 1.3).

    Attributes:
        handover_epoch: The epoch of the heartbeat it answers, 1 or more.
        server_time: Unix seconds; the only clock of a device without internet.
        config_available: Whether a configuration waits for it.
        error: What went wrong, in the one form in which the server tells devices: the status
            `error` and a sentence.
    """

    status: AckStatus
    handover_epoch: int
    server_time: int
    config_available: bool = False
    error: str = ""


class SystemAction(StrEnum):
    """What a device can be told to do with itself; which firmware can: mqtt_bridge.dialects."""

    FACTORY_RESET = "factory_reset"
    REBOOT = "reboot"
    STATUS = "status"
    DIAGNOSTICS = "diagnostics"
    GET_CONFIG = "get_config"
    SAFE_MODE = "safe_mode"
    EXIT_SAFE_MODE = "exit_safe_mode"
    RESUME_OPERATION = "resume_operation"
    RESET_CONFIG = "reset_config"
    ONEWIRE_SCAN = "onewire/scan"
    SET_LOG_LEVEL = "set_log_level"
    SET_EMERGENCY_TOKEN = "set_emergency_token"  # noqa: S105 - a command word


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCommand(ToDevice):
    """An order to the device as a whole.

    Attributes:
        pin: Which bus to scan; None: the default one.
        level: The log level to set.
        token_type: Which token to set: `esp` or `broadcast`.
        token: The new token, 1..64 characters.
        delay_ms: How long to wait before a reboot.
        correlation_id: What newest firmware repeats in its answer; None: nothing.
    """

    command: SystemAction
    pin: int | None = None
    level: str | None = None
    token_type: str | None = None
    token: str | None = field(default=None, repr=False)
    delay_ms: int | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthUpdate(ToDevice):
    """New broker credentials.

    Attributes:
        username: 3..32 characters.
        password: 8..64 characters.
    """

    enabled: bool
    username: str
    password: str = field(repr=False)
    force_reconnect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCommand(ToDevice):
    """A command to a mock device.

    Attributes:
        command: `ping`, `actuator_set`, `actuator_get`, `sensor_read`, `config_get`,
            `config_set`, `emergency_stop` or `reset`.
        timestamp: Unix seconds with a fraction.
    """

    trial_id: str
    command: str
    timestamp: float
    params: Details = field(default_factory=dict)
