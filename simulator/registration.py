"""The gate of firmware since February 2026: mute until the server has taken the device over.

After each (re)connect only signs of life and answers may leave, until a heartbeat is acknowledged:
in February with a status, or by itself after a minute; in April with a status and the epoch of this
session, and never by itself (device protocol, sections 0, 1.3 and 3.4).
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated

import msgspec

from mqtt_bridge.messages import AckStatus
from mqtt_bridge.topics import Kind

HEARTBEAT_INTERVAL = 60.0
"""Seconds between heartbeats once one was acknowledged."""

ACK_DEADLINE = 120.0
"""Seconds without a valid acknowledgement after which newest firmware switches all off."""

LARGEST_ACK = 256
"""Bytes of the firmware's parser for acknowledgements."""

_NEVER = float("inf")

_PASSES_MUTE = frozenset(
    {
        Kind.SESSION_ANNOUNCE,
        Kind.HEARTBEAT,
        Kind.ACTUATOR_RESPONSE,
        Kind.MEASURE_RESPONSE,
        Kind.CONFIG_RESPONSE,
        Kind.ZONE_ACK,
        Kind.SUBZONE_ACK,
        Kind.SYSTEM_COMMAND_RESPONSE,
        Kind.SYSTEM_ERROR,
        Kind.EMERGENCY_RESPONSE,
        Kind.EMERGENCY_ERROR,
    }
)


class SystemState(Enum):
    """What a board thinks of itself; how a generation numbers it is a matter of its dialect."""

    BOOT = auto()
    MQTT_CONNECTED = auto()
    OPERATIONAL = auto()
    PENDING_APPROVAL = auto()
    SAFE_MODE = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How a generation registers.

    Attributes:
        hands_over: It announces its sessions, and takes an acknowledgement only with their epoch.
        opens_after: Seconds after which it no longer waits; None: it waits for ever.
        bootstrap: Seconds between heartbeats until one is acknowledged.
    """

    hands_over: bool
    opens_after: float | None
    bootstrap: float


APRIL_GATE = Gate(hands_over=True, opens_after=None, bootstrap=5.0)
FEBRUARY_GATE = Gate(hands_over=False, opens_after=60.0, bootstrap=HEARTBEAT_INTERVAL)


class _Ack(msgspec.Struct):
    status: AckStatus
    server_time: int = 0


class _EpochAck(_Ack, kw_only=True):
    handover_epoch: Annotated[int, msgspec.Meta(gt=0)]


_STATES = {
    AckStatus.ONLINE: SystemState.OPERATIONAL,
    AckStatus.APPROVED: SystemState.OPERATIONAL,
    AckStatus.PENDING_APPROVAL: SystemState.PENDING_APPROVAL,
    AckStatus.REJECTED: SystemState.ERROR,
    AckStatus.ERROR: SystemState.ERROR,
}


@dataclass(slots=True)
class Registration:
    """Where a device stands with its server.

    Attributes:
        gate: How it registers; None: firmware that knows no registration.
        sessions: Connections since boot; the epoch that is announced.
        epoch: The epoch in force; 0 until one was ever agreed on.
        completed: The last epoch that was confirmed.
        open: Whether everything may leave.
        state: What the server made of it.
        heard_at: When the last valid acknowledgement came, or the first connection began.
        opens_at: When the gate opens by itself, Unix seconds; infinite: not by itself.
    """

    gate: Gate | None = None
    sessions: int = 0
    epoch: int = 0
    completed: int = 0
    open: bool = False
    state: SystemState = SystemState.BOOT
    heard_at: float = 0.0
    opens_at: float = _NEVER

    def connected(self, now: float) -> None:
        """Begin a session: from the second one on, only its own epoch counts."""
        self.sessions += 1
        self.open = self.gate is None
        if self.gate is None:
            self.state = SystemState.OPERATIONAL
            return
        if self.sessions == 1:
            self.heard_at = now
        elif self.gate.hands_over:
            self.epoch = max(self.epoch + 1, self.sessions)
        if self.gate.hands_over:
            self.state = SystemState.MQTT_CONNECTED
        if self.gate.opens_after is not None:
            self.opens_at = now + self.gate.opens_after

    @property
    def announced(self) -> int:
        """The epoch to announce: 1 or more."""
        return self.epoch or self.sessions

    def acknowledged(self, payload: bytes, now: float) -> int | None:
        """Take in an acknowledgement.

        Returns:
            The server's time in Unix seconds, 0 where it says none; None: the acknowledgement is
            not valid and changes nothing.
        """
        if self.gate is None or len(payload) > LARGEST_ACK:
            return None
        try:
            ack = msgspec.json.decode(payload, type=_EpochAck if self.gate.hands_over else _Ack)
        except ValueError:
            return None
        if isinstance(ack, _EpochAck):
            if self.epoch and ack.handover_epoch != self.epoch:
                return None
            self.epoch = self.completed = ack.handover_epoch
        self.state = _STATES[ack.status]
        self.open = self.state is not SystemState.ERROR
        self.heard_at = now
        self.opens_at = _NEVER
        return ack.server_time

    def waited(self, now: float) -> bool:
        """Take in that time passed; return whether the gate has just opened by itself."""
        if self.open or now < self.opens_at:
            return False
        self.open, self.opens_at = True, _NEVER
        return True

    def lets_pass(self, kind: Kind) -> bool:
        """Whether a kind of message may leave now."""
        return self.open or kind in _PASSES_MUTE

    def refusal(self) -> str | None:
        """Why no command is obeyed now, as the firmware's reason code; None when it is."""
        if not self.open:
            return "REGISTRATION_PENDING"
        if self.state is SystemState.PENDING_APPROVAL:
            return "PENDING_APPROVAL_BLOCKED"
        return None
