"""What the protocol says that the domain has no word for: the server's side of each conversation.

Readings, heartbeats, last wills, actuator reports and responses are the domain's own types.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from domain.actuators import ActuatorReport, CommandAction, CommandResponse, Pin
from domain.devices import Heartbeat, LastWill
from domain.sensors import Sample


@dataclass(frozen=True, slots=True)
class SensorData:
    """A device reports one sample or several."""

    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAnnounce:
    """A device connected and asks to be taken over; the first thing newest firmware says.

    Attributes:
        handover_epoch: Counts its sessions, 1 or more; the next heartbeat acks must repeat it.
        reason: `boot` or `reconnect`; empty where it does not say.
    """

    esp_id: str
    kaiser_id: str
    received_at: datetime
    handover_epoch: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorAlert:
    """A device protected itself or found something wrong; pin 255 stands for the whole device."""

    pin: Pin
    kaiser_id: str
    received_at: datetime
    alert_type: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """Somebody cleared a retained message: nothing was said, and nothing is wrong."""


Inbound: TypeAlias = (
    SensorData
    | Heartbeat
    | SessionAnnounce
    | LastWill
    | ActuatorReport
    | CommandResponse
    | ActuatorAlert
    | Empty
)
"""What devices say."""


class AckStatus(StrEnum):
    """How the server stands to a device; only the first two let newest firmware work."""

    ONLINE = "online"
    APPROVED = "approved"
    PENDING_APPROVAL = "pending_approval"
    REJECTED = "rejected"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAck:
    """The answer without which newest firmware stays mute (device protocol, section 1.3).

    Attributes:
        handover_epoch: The epoch of the heartbeat it answers, 1 or more.
        server_time: Unix seconds; the only clock of a device without internet.
        config_available: Whether a configuration waits for it.
    """

    esp_id: str
    kaiser_id: str
    status: AckStatus
    handover_epoch: int
    server_time: int
    config_available: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorCommand:
    """A command on its way to a pin.

    Attributes:
        action: The command word.
        value: 0.0 (off) .. 1.0 (full), in steps of 0.0001 on the wire.
        duration: Seconds until the device switches off by itself; 0: until told otherwise.
        correlation_id: What newest firmware repeats in its response; None: nothing.
        issued_by: Who asked, repeated in the next status report; empty: nobody named.
        timestamp: When it was sent, in Unix seconds; 0: not said.
    """

    esp_id: str
    kaiser_id: str
    gpio: int
    action: CommandAction
    value: float
    duration: int = 0
    correlation_id: str | None = None
    issued_by: str = ""
    timestamp: int = 0


Outbound: TypeAlias = HeartbeatAck | ActuatorCommand
"""What the server says."""


class Outgoing(NamedTuple):
    """A message as the broker takes it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
