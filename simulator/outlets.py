"""The way out of a board: through its faults, its registration gate, its memory while offline."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from mqtt_bridge.messages import Outgoing
from mqtt_bridge.topics import Kind
from simulator.dialects import Dialect
from simulator.faults import Faults
from simulator.registration import Registration

_ANSWERS = frozenset({Kind.ACTUATOR_RESPONSE, Kind.INTENT_OUTCOME})
"""What a command is answered with."""


@dataclass(slots=True, kw_only=True)
class Outlet:
    """Decides what of all that the firmware writes reaches the connection.

    Attributes:
        connected: Whether there is a connection.
        muted: Messages that the registration gate kept in.
        overflowed: Messages lost because the memory for times without connection was full.
    """

    dialect: Dialect
    faults: Faults
    registration: Registration = field(init=False)
    connected: bool = False
    muted: int = 0
    overflowed: int = 0
    _backlog: deque[Outgoing] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self.registration = Registration(self.dialect.gate)

    @property
    def kept(self) -> tuple[Outgoing, ...]:
        """What waits in the board's memory for a connection, oldest first."""
        return tuple(self._backlog)

    @property
    def is_mute(self) -> bool:
        """Whether the server has still to take the device over."""
        return not self.registration.open

    def send(self, kind: Kind, topic: str, payload: bytes, now: float) -> list[Outgoing]:
        """Return what leaves the board right now for one message."""
        reliable = kind.route.qos > 0
        outgoing = Outgoing(
            topic,
            payload,
            qos=self.dialect.qos if reliable else 0,
            retain=reliable and self.dialect.retains,
        )
        answer = kind in _ANSWERS
        sample = kind is Kind.SENSOR_DATA
        return self._pass(kind, self.faults.distort(outgoing, now, answer=answer, sample=sample))

    def due(self, now: float) -> list[Outgoing]:
        """Return the late answers whose time has come."""
        return self._pass(Kind.ACTUATOR_RESPONSE, self.faults.due(now))

    def release(self) -> list[Outgoing]:
        """Return what was kept while nothing could leave, once it can."""
        if self.is_mute:
            return []
        kept = list(self._backlog)
        self._backlog.clear()
        return kept

    def restart(self) -> None:
        """Lose connection, registration and memory, as a reboot does."""
        self.connected = False
        self.registration = Registration(self.dialect.gate)
        self._backlog.clear()
        self.faults.forget()

    def _pass(self, kind: Kind, messages: Iterable[Outgoing]) -> list[Outgoing]:
        leaving: list[Outgoing] = []
        for message in messages:
            if not self.connected:
                self._keep(kind, message)
            elif self.is_mute and not self.registration.lets_pass(kind):
                self.muted += 1
            else:
                leaving.append(message)
        return leaving

    def _keep(self, kind: Kind, message: Outgoing) -> None:
        if kind.route.qos == 0:
            return
        if len(self._backlog) < self.dialect.backlog:
            self._backlog.append(message)
        else:
            self.overflowed += 1
