"""Emergency stops: the orders, and how devices confirm them (device protocol, section 1.8)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mqtt_bridge.messages.base import FromDevice, ToDevice


class EmergencyAction(StrEnum):
    """What one device is told."""

    STOP = "emergency_stop"
    CLEAR = "clear_emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOrder(ToDevice):
    """Stop one device, or let it go on; the latter not before 5 s after the stop.

    Attributes:
        auth_token: What the device demands, 1..64 characters; its esp_id unless it was changed.
    """

    command: EmergencyAction
    auth_token: str = field(repr=False)
    reason: str = ""
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyBroadcast:
    """Stop every device of every firmware generation.

    Text that does not fit is cut, so that the order itself always goes out.

    Attributes:
        auth_token: What production builds demand, at most 64 characters; None: none is set.
    """

    reason: str = ""
    issued_by: str = ""
    issued_at: datetime | None = None
    auth_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyAck(FromDevice):
    """A device carried out a stop or a clearing.

    Attributes:
        stopped_pins: How many pins it concerned; None where it does not say.
    """

    command: str
    outcome: str
    stopped_pins: int | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryConfirm(FromDevice):
    """A device left its emergency; `state` is `cleared`."""

    state: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyResponse(FromDevice):
    """A device did what its emergency topic asked; `status` is such as `emergency_cleared`."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyError(FromDevice):
    """A device refused an emergency order.

    Attributes:
        error: `unauthorized` or `clear_failed`.
    """

    error: str
    message: str = ""
