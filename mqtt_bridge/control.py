"""The control connection: everything but readings comes in here, and all that is said goes out.

It routes: whoever wants to hear a kind of message says so once, when the server is put together.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from domain.ports import Clock
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import Inbound, Outbound
from mqtt_bridge.session import Delivery

INBOX = 4000
"""Messages that may wait to be handled; then reading stops and the broker keeps the queue."""

M = TypeVar("M")


class Connection(Protocol):
    """The control connection."""

    async def publish(  # noqa: PLR0913 - what a message is made of
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        expiry: timedelta | None = None,
        permit: Callable[[], None] | None = None,
    ) -> None:
        """Hand a message to the broker, if that is permitted still when its turn comes."""
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these messages are handled."""
        ...

    def pause(self) -> None:
        """Stop reading."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...


class Sender(Protocol):
    """Where messages leave; implemented by `Control`."""

    async def send(self, message: Outbound, permit: Callable[[], None] | None = None) -> None:
        """Publish a message.

        Args:
            message: What is said.
            permit: Called in the moment in which it leaves; what it raises keeps it back.

        Raises:
            BrokerUnavailableError: The broker did not take it.
        """
        ...


@dataclass(slots=True, kw_only=True)
class Control:
    """Routes what devices say to who wants to hear it, and publishes what they are told.

    What the broker had retained is history: it reaches only those who asked for history.

    Attributes:
        bury: Keeps a message that could not be read, and acknowledges it once it is stored.
    """

    connection: Connection
    clock: Clock
    bury: Callable[[Connection, Delivery, str], None]
    _answers: dict[type, list[Callable[[Any], None]]] = field(default_factory=dict, init=False)
    _every: list[Callable[[str, Inbound], None]] = field(default_factory=list, init=False)
    _listeners: dict[tuple[type, bool], list[Callable[[Any], Awaitable[None]]]] = field(
        default_factory=dict, init=False
    )
    _inbox: deque[tuple[Delivery, Inbound]] = field(default_factory=deque, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _paused: bool = field(default=False, init=False)

    @property
    def backlog(self) -> int:
        """How many messages wait to be handled."""
        return len(self._inbox)

    def on(self, kind: type[M], handle: Callable[[M], Awaitable[None]]) -> None:
        """Hear every live message of a kind: in order, one after the other of all kinds.

        Args:
            kind: The type of the message.
            handle: Must not raise, and not wait long: what follows waits for it.
        """
        self._listeners.setdefault((kind, True), []).append(handle)

    def on_history(self, kind: type[M], handle: Callable[[M], Awaitable[None]]) -> None:
        """Hear what the broker had retained of a kind, in order with all others."""
        self._listeners.setdefault((kind, False), []).append(handle)

    def on_answer(self, kind: type[M], match: Callable[[M], None]) -> None:
        """Hear every live message of a kind at once: answers must not wait behind a heartbeat.

        Args:
            kind: The type of the message.
            match: Called in place, before anybody who hears the kind with `on`; must not raise.
        """
        self._answers.setdefault(kind, []).append(match)

    def on_every(self, note: Callable[[str, Inbound], None]) -> None:
        """Hear every live message of every kind at once, before anybody else.

        Args:
            note: Called in place with the device, empty for none, and the message; must not raise.
        """
        self._every.append(note)

    def hear(self, delivery: Delivery) -> None:
        """Take in one message; called in place for each."""
        topic = topics.parse(delivery.topic)
        if topic is None:
            self.bury(self.connection, delivery, "no topic of the protocol")
            return
        try:
            message = payloads.decode(topic, delivery.payload, self.clock.now())
        except payloads.MalformedPayloadError as error:
            self.bury(self.connection, delivery, str(error))
            return
        if not delivery.retain:
            for note in self._every:
                note(topic.esp_id, message)
            for match in self._answers.get(type(message), ()):
                match(message)
        if (type(message), not delivery.retain) not in self._listeners:
            self.connection.acknowledge([delivery])
            return
        self._inbox.append((delivery, message))
        self._arrived.set()
        if len(self._inbox) >= INBOX:
            # Said again with every message: a new connection starts out reading.
            self._paused = True
            self.connection.pause()

    async def run(self) -> None:
        """Handle messages in order until cancelled."""
        while True:
            await self._arrived.wait()
            while self._inbox:
                delivery, message = self._inbox.popleft()
                for handle in self._listeners[type(message), not delivery.retain]:
                    await handle(message)
                self.connection.acknowledge([delivery])
            self._arrived.clear()
            if self._paused:
                self._paused = False
                self.connection.resume()

    async def send(self, message: Outbound, permit: Callable[[], None] | None = None) -> None:
        """Publish a message; see `Sender`."""
        topic, payload, qos, retain, expiry = payloads.encode(message)
        await self.connection.publish(
            topic, payload, qos=qos, retain=retain, expiry=expiry, permit=permit
        )
