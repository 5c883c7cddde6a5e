"""One connection to the broker that comes back by itself; the only module that talks to aiomqtt.

aiomqtt acknowledges a message as soon as it is in a queue of its own, makes a task for each, and
drops what does not fit. Here every message is taken out of the stream before (`read_ahead`), handed
over in place, and nothing is acknowledged until somebody who has stored it says so: a crash before
that leads to redelivery. The session is persistent (a fixed client id, clean session off), so the
broker keeps what comes while we are away. Connecting, subscribing, publishing and keeping alive are
aiomqtt's.

Private parts of aiomqtt and paho are used in three places, each marked; the versions are pinned.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt import client as mqtt

from domain.errors import BadInputError, BrokerUnavailableError
from domain.services.guard import Guard
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.read_ahead import Published, ReadAheadSocket

KEEPALIVE = 30
"""Seconds after which a silent connection is probed."""

CONNECT_DEADLINE = 5.0
"""Seconds that connecting, subscribing or handing over a message may take."""

MOST_PUBLISHING = 1024
"""Messages that may be on their way to the broker at once; further ones wait."""

_PUBACK = 0x40
_SUBSCRIPTION_REFUSED = 0x80
_NEVER_HEARD = "god-kaiser/settle"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are to it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    encrypted: bool = False

    @classmethod
    def from_url(cls, url: str) -> "BrokerAddress":
        """Read `mqtt://[user:password@]host[:1883]`, or `mqtts://` with port 8883.

        Raises:
            BadInputError: It is no such URL.
        """
        parts = urlsplit(url)
        encrypted = parts.scheme == "mqtts"
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadInputError("an MQTT URL reads mqtt://host:port or mqtts://host:port")
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if encrypted else 1883),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            encrypted=encrypted,
        )


class Delivery(NamedTuple):
    """A message as it came from the broker, and what is needed to acknowledge it.

    Attributes:
        connection: Counts the connections of its session: a message of an earlier one cannot be
            acknowledged any more, the broker sends it again.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    connection: int


@dataclass(slots=True)
class PublishCounts:
    """What became of the messages we published, since the start.

    Attributes:
        in_flight: On their way: the broker has not confirmed them yet.
        confirmed: The broker has them (QoS 0: they left).
        refused: The broker was away, or did not confirm in time; whoever published was told.
    """

    in_flight: int = 0
    confirmed: int = 0
    refused: int = 0


@dataclass(slots=True, kw_only=True)
class MqttSession:
    """A persistent MQTT 3.1.1 session.

    Attributes:
        address: The broker.
        client_id: Fixed: the broker keeps the session under this name.
        filters: What is subscribed, each with its quality of service, 0 or 1: a message that must
            not count twice has an identity of its own.
        deliver: Called in place for every message; must return at once. What it raises ends `run`.
        guard: Says when to connect again.
        clean: Whether the broker shall forget us when we leave; then nothing is kept for us.
        first_word: Published after each connect, before anything else of ours.
        last_word: Published by the broker when we vanish; asked for before each connect.
        connected_hook: Called after each successful connect and subscribe.
    """

    address: BrokerAddress
    client_id: str
    filters: Sequence[tuple[str, int]]
    deliver: Callable[[Delivery], None]
    guard: Guard
    clean: bool = False
    first_word: Callable[[], Outgoing] | None = None
    last_word: Callable[[], Outgoing] | None = None
    connected_hook: Callable[[], None] | None = None
    published: PublishCounts = field(default_factory=PublishCounts, init=False)
    _open: bool = field(default=False, init=False)
    _client: aiomqtt.Client | None = field(default=None, init=False)
    _subscribed: bool = field(default=False, init=False)
    _connection: int = field(default=0, init=False)
    _paused: bool = field(default=False, init=False)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_PUBLISHING), init=False
    )

    def __post_init__(self) -> None:
        if any(qos not in {0, 1} for _, qos in self.filters):
            raise ValueError("a session hears with QoS 0 or 1")

    @property
    def connected(self) -> bool:
        """Whether the broker is there and our subscriptions stand."""
        return self._subscribed

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            await self.guard.insist(self._connect_and_stay)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Hand a message to the broker; return when the broker has it (at once with qos 0).

        Raises:
            BrokerUnavailableError: There is no connection, or the broker did not confirm in time.
        """
        try:
            async with asyncio.timeout(CONNECT_DEADLINE):
                await self._slots.acquire()
        except TimeoutError:
            self.published.refused += 1
            raise BrokerUnavailableError("too many messages wait for the MQTT broker") from None
        self.published.in_flight += 1
        try:
            await self._hand_over(topic, payload, qos, retain=retain)
        except BrokerUnavailableError:
            self.published.refused += 1
            raise
        else:
            self.published.confirmed += 1
        finally:
            self.published.in_flight -= 1
            self._slots.release()

    async def _hand_over(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        client = self._client
        # Before the broker has greeted us, paho would refuse a message and send it nevertheless
        # when the greeting comes: a command that counts as failed would run.
        if client is None or not self._open:
            raise BrokerUnavailableError("the MQTT broker is not connected")
        try:
            await client.publish(topic, payload, qos, retain, timeout=CONNECT_DEADLINE)
        except (aiomqtt.MqttError, ValueError) as error:
            raise BrokerUnavailableError(f"the MQTT broker did not take it: {error}") from error

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Tell the broker that these messages are safe; those of an earlier connection are skipped.

        All acknowledgements leave in one write: one by one they cost a quarter of the time of a
        message.
        """
        frames = b"".join(
            b"\x40\x02" + delivery.mid.to_bytes(2, "big")
            for delivery in deliveries
            if delivery.qos and delivery.connection == self._connection
        )
        if frames and self._client is not None:
            paho = self._client._client  # noqa: SLF001 - the public API has no late acknowledgement
            paho._packet_queue(_PUBACK, frames, 0, 0)  # noqa: SLF001 - nor one for many at once

    async def settle(self) -> None:
        """Wait until the broker has taken in everything that was sent so far.

        Mosquitto reads one packet at a time, and forgets what it has not read of a connection that
        is closed: acknowledgements in a row need this before one leaves.

        Raises:
            BrokerUnavailableError: There is no connection, or no answer.
        """
        # Any question will do, for the broker answers in order; nobody hears this one.
        await self.publish(_NEVER_HEARD, b"", qos=1)

    def pause(self) -> None:
        """Stop reading: the broker keeps what follows."""
        sock = self._socket()
        if sock is not None and not self._paused:
            self._paused = True
            asyncio.get_running_loop().remove_reader(sock.fileno())

    def resume(self) -> None:
        """Read again."""
        sock = self._socket()
        if sock is not None and self._paused:
            self._paused = False
            # aiomqtt's own reader cannot be had back once it was removed; this one does the same.
            asyncio.get_running_loop().add_reader(sock.fileno(), self._read)

    def _read(self) -> None:
        while self._client is not None:
            self._client._client.loop_read()  # noqa: SLF001 - aiomqtt has no way to read again
            sock = self._socket()
            if sock is None or not sock.pending():
                return

    def _socket(self) -> ReadAheadSocket | None:
        if self._client is None:
            return None
        paho = self._client._client  # noqa: SLF001 - aiomqtt does not show its socket
        return cast("ReadAheadSocket | None", paho.socket())

    async def _connect_and_stay(self) -> None:
        self._connection += 1
        self._paused = False
        try:
            # Known before it connects: what was kept for us arrives with the broker's first word,
            # and may be acknowledged at once.
            self._client = client = self._new_client(self._connection)
            async with client:
                if self.first_word is not None:
                    await client.publish(*self.first_word(), timeout=CONNECT_DEADLINE)
                self._open = True
                await self._subscribe(client)
                self._subscribed = True
                self.guard.succeeded()
                if self.connected_hook is not None:
                    self.connected_hook()
                # The messages never get that far: this ends only with the connection.
                async for _ in client.messages:
                    pass
        except (aiomqtt.MqttError, OSError) as error:
            raise BrokerUnavailableError(
                f"{self.address.host}:{self.address.port}: {error}"
            ) from error
        finally:
            self._client = None
            self._open = self._subscribed = False
        raise BrokerUnavailableError("the broker closed the connection")

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        if not self.filters:
            return
        granted = await client.subscribe(list(self.filters), timeout=CONNECT_DEADLINE)
        refused = [
            name
            for (name, _), code in zip(self.filters, granted, strict=True)
            if code == _SUBSCRIPTION_REFUSED
        ]
        if refused:
            raise BrokerUnavailableError(f"the broker refuses to let us hear {refused[0]}")

    def _new_client(self, connection: int) -> aiomqtt.Client:
        def deliver(message: Published) -> None:
            self.deliver(Delivery(*message, connection))

        will = self.last_word and aiomqtt.Will(*self.last_word())
        client = aiomqtt.Client(
            self.address.host,
            self.address.port,
            username=self.address.username,
            password=self.address.password,
            identifier=self.client_id,
            clean_session=self.clean,
            keepalive=KEEPALIVE,
            timeout=CONNECT_DEADLINE,
            will=will,
            max_inflight_messages=MOST_PUBLISHING,
            tls_context=ssl.create_default_context() if self.address.encrypted else None,
            logger=_logger(),
        )
        client.pending_calls_threshold = MOST_PUBLISHING
        _read_ahead(client._client, deliver)  # noqa: SLF001 - aiomqtt has no hook for its socket
        return client


def _read_ahead(paho: mqtt.Client, deliver: Callable[[Published], None]) -> None:
    connect = paho._create_socket  # noqa: SLF001 - nor has paho

    def create_socket() -> ReadAheadSocket:
        sock: Any = connect()
        # Without it every reply waits 44 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return ReadAheadSocket(sock, deliver)

    paho.disable_logger()  # it formats a line per packet; reconnects are told by the guard
    paho._create_socket = create_socket  # type: ignore[method-assign]  # noqa: SLF001 - see above


def _logger() -> logging.Logger:
    # aiomqtt warns about many publishes at once, which is what we do.
    logger = logging.getLogger("mqtt")
    logger.setLevel(logging.CRITICAL)
    return logger
