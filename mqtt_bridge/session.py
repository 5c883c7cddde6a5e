"""One connection to the broker that comes back by itself; the only module that talks to aiomqtt.

aiomqtt acknowledges a message as soon as it is in a queue of its own, makes a task for each, and
drops what does not fit. Here every message is taken out of the stream before (`read_ahead`), handed
over in place, and nothing is acknowledged until somebody who has stored it says so: a crash before
that leads to redelivery. The session is persistent (a fixed client id, clean session off), so the
broker keeps what comes while we are away. Connecting, subscribing, publishing and keeping alive are
aiomqtt's.

A session that only hears speaks MQTT 3.1.1. One whose messages may expire speaks MQTT 5, and 3.1.1
to a broker that refuses it.

Private parts of aiomqtt and paho are used in a few places, each marked; the versions are pinned.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn, TypeVar, cast
from urllib.parse import unquote, urlsplit

import aiomqtt
from aiomqtt import ProtocolVersion
from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from typing_extensions import override

from domain.errors import BadInputError, BrokerUnavailableError
from domain.services.guard import Guard
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.read_ahead import Published, ReadAheadSocket

T = TypeVar("T")

KEEPALIVE = 30
"""Seconds after which a silent connection is probed."""

CONNECT_DEADLINE = 5.0
"""Seconds that connecting, subscribing or handing over a message may take."""

MOST_PUBLISHING = 1024
"""Messages that may be on their way to the broker at once; further ones wait."""

RESERVED = 8
"""One in so many of them is kept free for what must not wait behind others."""

MOST_UNACKNOWLEDGED = 4000
"""Messages that the broker may send an MQTT 5 session before it waits for acknowledgements."""

SESSION_LIFETIME = timedelta(days=14)
"""How long the broker keeps an MQTT 5 session of ours while we are away."""

_PUBACK = 0x40
_UNSUPPORTED_VERSION = 0x84
_SHORTEST_EXPIRY = 1
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
    """A persistent MQTT session.

    Attributes:
        address: The broker.
        client_id: Fixed: the broker keeps the session under this name.
        filters: What is subscribed, each with its quality of service, 0 or 1: a message that must
            not count twice has an identity of its own.
        deliver: Called in place for every message; must return at once. What it raises ends `run`.
        guard: Says when to connect again.
        clean: Whether the broker shall forget us when we leave; then nothing is kept for us.
        expiring: Whether what it publishes may expire: it then speaks MQTT 5 where the broker does.
        first_word: Published after each connect, before anything else of ours.
        last_word: Published by the broker when we vanish; asked for before each connect.
        connected_hook: Called after each successful connect and subscribe.
        downgraded_hook: Called once, when the broker turns out to speak no MQTT 5.
    """

    address: BrokerAddress
    client_id: str
    filters: Sequence[tuple[str, int]]
    deliver: Callable[[Delivery], None]
    guard: Guard
    clean: bool = False
    expiring: bool = False
    first_word: Callable[[], Outgoing] | None = None
    last_word: Callable[[], Outgoing] | None = None
    connected_hook: Callable[[], None] | None = None
    downgraded_hook: Callable[[], None] | None = None
    published: PublishCounts = field(default_factory=PublishCounts, init=False)
    _open: bool = field(default=False, init=False)
    _client: "_Client | None" = field(default=None, init=False)
    _subscribed: bool = field(default=False, init=False)
    _connection: int = field(default=0, init=False)
    _paused: bool = field(default=False, init=False)
    _old_broker: bool = field(default=False, init=False)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MOST_PUBLISHING), init=False
    )
    _reserved: asyncio.Semaphore = field(
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

    async def publish(  # noqa: PLR0913 - what a message is made of
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        expiry: timedelta | None = None,
        urgent: bool = False,
        permit: Callable[[], None] | None = None,
    ) -> None:
        """Hand a message to the broker; return when the broker has it (at once with qos 0).

        Args:
            topic: Where to.
            payload: What.
            qos: The quality of service.
            retain: Whether the broker keeps it for those who come later.
            expiry: Nobody gets it later than that, counted from now, where the broker speaks
                MQTT 5; it counts in whole seconds, so a part of one is cut off.
            urgent: Whether it overtakes everything that waits to be published.
            permit: Called when its turn has come, just before it leaves, with nothing in between.
                What it raises keeps it back.

        Raises:
            BrokerUnavailableError: There is no connection, or the broker did not confirm in time.
        """
        now = asyncio.get_running_loop().time
        latest = None if expiry is None else now() + expiry.total_seconds()
        slots = self._reserved if urgent else self._slots
        try:
            async with asyncio.timeout(CONNECT_DEADLINE):
                await slots.acquire()
        except TimeoutError:
            self.published.refused += 1
            raise BrokerUnavailableError("too many messages wait for the MQTT broker") from None
        self.published.in_flight += 1
        try:
            left = None if latest is None else latest - now()
            await self._hand_over(Outgoing(topic, payload, qos, retain), left, permit)
        except BrokerUnavailableError:
            self.published.refused += 1
            raise
        else:
            self.published.confirmed += 1
        finally:
            self.published.in_flight -= 1
            slots.release()

    async def _hand_over(
        self, message: Outgoing, left: float | None, permit: Callable[[], None] | None
    ) -> None:
        client = self._client
        # Before the broker has greeted us, paho would refuse a message and send it nevertheless
        # when the greeting comes: a command that counts as failed would run.
        if client is None or not self._open:
            raise BrokerUnavailableError("the MQTT broker is not connected")
        if left is not None and left < _SHORTEST_EXPIRY:
            raise BrokerUnavailableError("the message waited until it was too late for it")
        if permit is not None:
            # No wait from here until it is in the stream: what is said after this comes after it.
            permit()
        try:
            await client.say(message, left)
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
        if self.expiring and not self._old_broker:
            with suppress(_VersionRefusedError):
                await self._connect(ProtocolVersion.V5)
        await self._connect(ProtocolVersion.V311)

    async def _connect(self, version: ProtocolVersion) -> NoReturn:
        self._connection += 1
        self._paused = False
        try:
            # Known before it connects: what was kept for us arrives with the broker's first word,
            # and may be acknowledged at once.
            self._client = client = self._new_client(version, self._connection)
            async with client:
                await self._stay(client, version)
        except _VersionRefusedError:
            raise
        except (aiomqtt.MqttError, OSError) as error:
            raise BrokerUnavailableError(
                f"{self.address.host}:{self.address.port}: {error}"
            ) from error
        finally:
            self._client = None
            self._open = self._subscribed = False
        raise BrokerUnavailableError("the broker closed the connection")

    async def _stay(self, client: "_Client", version: ProtocolVersion) -> None:
        if self.expiring and version is not ProtocolVersion.V5 and not self._old_broker:
            # Now it is certain: the same broker that refused MQTT 5 takes this.
            self._old_broker = True
            if self.downgraded_hook is not None:
                self.downgraded_hook()
        reserved = client.most_publishing // RESERVED
        self._slots = asyncio.Semaphore(client.most_publishing - reserved)
        # A broker that takes only a few at once cannot spare any.
        self._reserved = asyncio.Semaphore(reserved) if reserved else self._slots
        if self.first_word is not None:
            await client.say(self.first_word())
        self._open = True
        await self._subscribe(client, version)
        self._subscribed = True
        self.guard.succeeded()
        if self.connected_hook is not None:
            self.connected_hook()
        # The messages never get that far: this ends only with the connection.
        async for _ in client.messages:
            pass

    async def _subscribe(self, client: "_Client", version: ProtocolVersion) -> None:
        if not self.filters:
            return
        wanted: list[Any] = list(self.filters)
        if version is ProtocolVersion.V5:
            wanted = [(name, SubscribeOptions(qos=qos)) for name, qos in self.filters]
        granted = await client.subscribe(wanted, timeout=CONNECT_DEADLINE)
        for (name, _), code in zip(self.filters, cast("list[ReasonCode]", granted), strict=True):
            if code.is_failure:
                raise BrokerUnavailableError(f"the broker refuses to let us hear {name}")

    def _new_client(self, version: ProtocolVersion, connection: int) -> "_Client":
        def deliver(message: Published) -> None:
            self.deliver(Delivery(*message, connection))

        will = self.last_word and aiomqtt.Will(*self.last_word()[:4])
        newest = version is ProtocolVersion.V5
        client = _Client(
            self.address.host,
            self.address.port,
            username=self.address.username,
            password=self.address.password,
            identifier=self.client_id,
            protocol=version,
            clean_session=None if newest else self.clean,
            clean_start=self.clean if newest else mqtt.MQTT_CLEAN_START_FIRST_ONLY,
            properties=_session_properties(clean=self.clean) if newest else None,
            keepalive=KEEPALIVE,
            timeout=CONNECT_DEADLINE,
            will=will,
            max_inflight_messages=MOST_PUBLISHING,
            tls_context=ssl.create_default_context() if self.address.encrypted else None,
            logger=_logger(),
        )
        client.pending_calls_threshold = MOST_PUBLISHING
        client.read_ahead(deliver)
        return client


class _VersionRefusedError(aiomqtt.MqttError):
    """The broker does not speak MQTT 5, or does not say why it left without a greeting."""


class _Client(aiomqtt.Client):
    """aiomqtt's client, which listens to what the broker says when it greets us, or does not.

    Attributes:
        most_publishing: How many messages the broker takes before it has confirmed some: MQTT 5
            brokers end a connection that sends more, and paho does not heed it.
    """

    most_publishing = MOST_PUBLISHING

    def read_ahead(self, deliver: Callable[[Published], None]) -> None:
        """Take messages out of the stream before paho sees them."""
        newest = self._newest
        connect = self._client._create_socket  # noqa: SLF001 - paho has no hook for its socket

        def create_socket() -> ReadAheadSocket:
            sock: Any = connect()
            # Without it every reply waits 44 ms.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return ReadAheadSocket(sock, deliver, properties=newest)

        self._client.disable_logger()  # a line per packet; reconnects are told by the guard
        self._client._create_socket = create_socket  # type: ignore[method-assign]  # noqa: SLF001 - see above

    async def say(self, message: Outgoing, left: float | None = None) -> None:
        """Publish a message that expires when `left` seconds are over."""
        properties = None
        if self._newest and left is not None:
            properties = _properties(PacketTypes.PUBLISH, MessageExpiryInterval=int(left))
        topic, payload, qos, retain, _ = message
        await self.publish(topic, payload, qos, retain, properties, timeout=CONNECT_DEADLINE)

    @override
    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:
        # asyncio.wait_for forgets that it was cancelled where the answer comes in the same moment
        # (Python 3.11): who publishes in a loop would then never end.
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("the broker does not answer") from None

    @property
    def _newest(self) -> bool:
        return bool(self._client.protocol == mqtt.MQTTv5)

    @override
    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.most_publishing = min(
            MOST_PUBLISHING, getattr(properties, "ReceiveMaximum", MOST_PUBLISHING)
        )
        # What somebody stopped waiting for is still on its way, and counts for the broker, too.
        client._max_inflight_messages = self.most_publishing  # noqa: SLF001 - the setter refuses now
        refused = self._newest and reason_code.value == _UNSUPPORTED_VERSION
        if refused and not self._connected.done():
            self._connected.set_exception(_VersionRefusedError(str(reason_code)))
        super()._on_connect(client, userdata, flags, reason_code, properties)

    @override
    def _on_disconnect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        # aiomqtt would wait for a greeting that cannot come any more. MQTT 3.1.1 lets a broker
        # leave a version that it does not know without a word (section 3.1.2.2).
        if not self._connected.done():
            error = _VersionRefusedError if self._newest else aiomqtt.MqttError
            self._connected.set_exception(error("the broker left without a greeting"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


def _session_properties(*, clean: bool) -> Properties:
    return _properties(
        PacketTypes.CONNECT,
        SessionExpiryInterval=0 if clean else int(SESSION_LIFETIME.total_seconds()),
        ReceiveMaximum=MOST_UNACKNOWLEDGED,
    )


def _properties(packet: int, **values: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho's is untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _logger() -> logging.Logger:
    # aiomqtt warns about many publishes at once, which is what we do.
    logger = logging.getLogger("mqtt")
    logger.setLevel(logging.CRITICAL)
    return logger
