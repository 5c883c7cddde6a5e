"""A device's line to the broker: what a fleet needs of it, and the real one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from domain.errors import DomainError
from domain.ports import Clock
from domain.services.guard import Guard
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession


class Connection(Protocol):
    """One connection: made, used and lost once."""

    async def run(self) -> None:
        """Connect, subscribe, and stay until the connection is lost or the task is cancelled.

        Raises:
            BrokerUnavailableError: The connection could not be made, or was lost.
        """
        ...

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Hand over a message; return when the broker has it.

        Raises:
            BrokerUnavailableError: It may not have arrived.
        """
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these messages were heard."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a device wants of its next connection.

    Attributes:
        subscriptions: What it hears, each filter with its QoS.
        last_word: What the broker says when the connection breaks; None: nothing.
        deliver: Called in place for every message.
        connected: Called once the subscriptions stand.
    """

    client_id: str
    subscriptions: Sequence[tuple[str, int]]
    last_word: Outgoing | None
    deliver: Callable[[Delivery], None]
    connected: Callable[[], None]


_HIGHEST_QOS = 1
"""What a session can acknowledge; a command sent with QoS 2 then arrives with 1."""

Connect = Callable[[Line], Connection]


class _NeverError(DomainError):
    """What no call raises: the session must not try again, the device itself decides when."""


def mqtt(address: BrokerAddress, clock: Clock) -> Connect:
    """Return what opens real MQTT connections, clean sessions as every firmware asks for."""

    def connect(line: Line) -> Connection:
        word = line.last_word
        return MqttSession(
            address=address,
            client_id=line.client_id,
            filters=[(name, min(qos, _HIGHEST_QOS)) for name, qos in line.subscriptions],
            deliver=line.deliver,
            guard=Guard(
                name=line.client_id,
                away=_NeverError,
                clock=clock,
                random=Random(0),
                failed=lambda _name, _error, _seconds: None,
            ),
            clean=True,
            last_word=word and (lambda: word),
            connected_hook=line.connected,
        )

    return connect
