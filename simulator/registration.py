"""The gate of the newest firmware: mute until the server has taken the device over.

After each (re)connect only signs of life and answers may leave, until a heartbeat is acknowledged
with a status and the handover epoch of this session (device protocol, sections 1.3 and 3.4). The
gate never opens by itself.
"""

from dataclasses import dataclass
from enum import IntEnum

from mqtt_bridge.messages import AckStatus, HeartbeatAck
from mqtt_bridge.topics import Kind

BOOTSTRAP_INTERVAL = 5.0
"""Seconds between heartbeats until one is acknowledged."""

HEARTBEAT_INTERVAL = 60.0
"""Seconds between heartbeats from then on."""

ACK_DEADLINE = 120.0
"""Seconds without a valid acknowledgement after which every output falls back to off."""

_PASSES_MUTE = frozenset(
    {
        Kind.SESSION_ANNOUNCE,
        Kind.HEARTBEAT,
        Kind.ACTUATOR_RESPONSE,
        Kind.CONFIG_RESPONSE,
        Kind.ZONE_ACK,
        Kind.SUBZONE_ACK,
    }
)


class SystemState(IntEnum):
    """System states as the newest firmware numbers them (device protocol, section 5.3)."""

    MQTT_CONNECTED = 4
    OPERATIONAL = 9
    PENDING_APPROVAL = 10
    ERROR = 14


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
        sessions: Connections since boot; the epoch that is announced.
        epoch: The epoch in force; 0 until one was ever agreed on.
        completed: The last epoch that was confirmed.
        open: Whether everything may leave.
        state: What the server made of it.
        heard_at: When the last valid acknowledgement came, or the first connection began.
    """

    sessions: int = 0
    epoch: int = 0
    completed: int = 0
    open: bool = False
    state: SystemState = SystemState.MQTT_CONNECTED
    heard_at: float = 0.0

    def connected(self, now: float) -> None:
        """Begin a session: from the second one on, only its own epoch counts."""
        self.sessions += 1
        if self.sessions == 1:
            self.heard_at = now
        else:
            self.epoch = max(self.epoch + 1, self.sessions)
        self.open = False
        self.state = SystemState.MQTT_CONNECTED

    @property
    def announced(self) -> int:
        """The epoch to announce: 1 or more."""
        return self.epoch or self.sessions

    def acknowledged(self, ack: HeartbeatAck, now: float) -> bool:
        """Take in an acknowledgement.

        Returns:
            Whether it is valid; one that is not changes nothing.
        """
        if ack.handover_epoch <= 0 or (self.epoch and ack.handover_epoch != self.epoch):
            return False
        self.epoch = self.completed = ack.handover_epoch
        self.state = _STATES[ack.status]
        self.open = self.state is not SystemState.ERROR
        self.heard_at = now
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
