"""A session on a real broker: what is not acknowledged comes again, and nothing else does."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from app.embedded.broker import EmbeddedBroker
from domain.errors import BrokerUnavailableError, ConflictError
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from tests.e2e.load import quick_guard
from tests.eventually import eventually
from tests.integration.embedded import data_directory

CONNACK, PUBACK = b"\x20\x02\x00\x00", b"\x40\x02"
"""How a broker greets, and how it begins to confirm (MQTT 3.1.1, sections 3.2 and 3.4)."""


@pytest.fixture
def directory() -> Iterator[Path]:
    with data_directory() as path:
        yield path


@dataclass(frozen=True, slots=True)
class Place:
    """A broker, and whether sessions there speak MQTT 5 as far as it does."""

    broker: EmbeddedBroker
    expiring: bool = True

    @property
    def url(self) -> str:
        return self.broker.url


@pytest.fixture(params=["mosquitto", "mosquitto, by 3.1.1", "iotcore"])
async def place(directory: Path, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    flavour, _, old = request.param.partition(",")
    async with EmbeddedBroker(directory, port=0, prefer=flavour) as broker:
        yield Place(broker, expiring=not old)


@pytest.fixture
async def mosquitto(directory: Path) -> AsyncIterator[Place]:
    async with EmbeddedBroker(directory, port=0, prefer="mosquitto") as broker:
        yield Place(broker)


def said(word: Outgoing | None) -> Callable[[], Outgoing] | None:
    return None if word is None else lambda: word


@dataclass
class Listener:
    """A session that notes what it hears."""

    place: Place
    client_id: str = "listener"
    filters: Sequence[tuple[str, int]] = (("a/#", 1),)
    clean: bool = False
    downgrades: list[str] = field(default_factory=list)
    first_word: Outgoing | None = None
    last_word: Outgoing | None = None
    heard: list[Delivery] = field(default_factory=list)
    session: MqttSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = MqttSession(
            address=BrokerAddress.from_url(self.place.url),
            client_id=self.client_id,
            filters=self.filters,
            deliver=self.heard.append,
            guard=quick_guard(self.client_id),
            clean=self.clean,
            expiring=self.place.expiring,
            first_word=said(self.first_word),
            last_word=said(self.last_word),
            downgraded_hook=lambda: self.downgrades.append(self.client_id),
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[MqttSession]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.session.run())
            await eventually(lambda: self.session.connected)
            yield self.session
            task.cancel()

    def payloads(self) -> list[bytes]:
        return [delivery.payload for delivery in self.heard]


def has(listener: Listener, count: int) -> Callable[[], bool]:
    return lambda: len(listener.heard) >= count


async def publish(place: Place, *payloads: bytes, topic: str = "a/b") -> None:
    """Publish from another client, and return when the broker has everything."""
    async with Listener(place, "publisher", (), clean=True).connected() as session:
        for payload in payloads:
            await session.publish(topic, payload, qos=1)


async def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(
    place: Place,
) -> None:
    first = Listener(place)
    async with first.connected() as session:
        # No more: iotcore holds at most a hundred back for those who do not acknowledge.
        await publish(place, *(b"%d" % number for number in range(100)))
        await eventually(has(first, 100))
        session.acknowledge(first.heard[:60])
        await session.settle()
    second = Listener(place)
    async with second.connected() as session:
        await eventually(has(second, 40))
        assert second.payloads() == [b"%d" % number for number in range(60, 100)]
        session.acknowledge(second.heard)
        await session.settle()
    third = Listener(place)
    async with third.connected():
        await publish(place, b"last")
        await eventually(has(third, 1))
    assert third.payloads() == [b"last"]


async def test_what_arrived_before_the_subscription_stood_can_be_acknowledged(
    place: Place,
) -> None:
    async with Listener(place).connected():
        pass
    await publish(place, b"kept")
    listener = Listener(place)

    def acknowledge_at_once(delivery: Delivery) -> None:
        listener.heard.append(delivery)
        listener.session.acknowledge([delivery])

    listener.session.deliver = acknowledge_at_once
    async with listener.connected():
        await eventually(has(listener, 1))
        await listener.session.settle()
    again = Listener(place)
    async with again.connected():
        await publish(place, b"next")
        await eventually(has(again, 1))
    assert again.payloads() == [b"next"]


async def test_an_acknowledgement_of_an_earlier_connection_is_not_sent(
    place: Place,
) -> None:
    listener = Listener(place)
    async with listener.connected():
        await publish(place, b"one")
        await eventually(has(listener, 1))
    stale = listener.heard[:]
    listener.heard.clear()
    async with listener.connected() as session:
        await eventually(has(listener, 1))
        session.acknowledge(stale)
        await session.settle()
    again = Listener(place)
    async with again.connected():
        await eventually(has(again, 1))
    assert again.payloads() == [b"one"]


async def test_reading_pauses_and_goes_on_without_loss(place: Place) -> None:
    listener = Listener(place)
    async with listener.connected() as session:
        session.pause()
        await publish(place, *(b"%d" % number for number in range(50)))
        assert listener.heard == []
        session.resume()
        await eventually(has(listener, 50))
    assert listener.payloads() == [b"%d" % number for number in range(50)]


async def test_a_large_message_and_many_small_ones_arrive_whole(place: Place) -> None:
    listener = Listener(place)
    large = bytes(range(256)) * 800
    async with listener.connected():
        await publish(place, b"before", large, *(b"x" * size for size in range(80)))
        await eventually(has(listener, 82))
    assert listener.payloads() == [b"before", large, *(b"x" * size for size in range(80))]


async def test_the_broker_says_the_last_word_of_a_session_that_vanishes(
    place: Place,
) -> None:
    listener = Listener(place)
    word = Outgoing("a/will", b"gone", 1, retain=False)
    async with listener.connected():
        mortal = Listener(place, "mortal", (), clean=True, last_word=word)
        usurper = Listener(place, "mortal", (), clean=True)
        # Another of the same name pushes it out: for the broker it vanished.
        async with mortal.connected(), usurper.connected():
            await eventually(has(listener, 1))
    assert listener.payloads()[0] == b"gone"


async def test_its_first_word_is_said_after_each_connect_before_anything_else(
    place: Place,
) -> None:
    listener = Listener(place)
    word = Outgoing("a/status", b"here", 1, retain=True)
    async with listener.connected():
        for _ in range(2):
            speaker = Listener(place, "speaker", (), first_word=word)
            async with speaker.connected() as session:
                await session.publish("a/b", b"something", qos=1)
        await eventually(has(listener, 4))
        assert listener.payloads() == [b"here", b"something"] * 2
    late = Listener(place, "late", clean=True)
    async with late.connected():
        await eventually(has(late, 1))
    assert late.heard[0].retain


async def test_it_comes_back_when_the_broker_does_and_says_so_meanwhile(
    place: Place,
) -> None:
    listener = Listener(place)
    async with listener.connected() as session:
        await place.broker.stop()
        await eventually(lambda: not session.connected)
        with_error = session.publish("a/b", b"nobody", qos=1)
        with pytest.raises(BrokerUnavailableError):
            await with_error
        await place.broker.start()
        await eventually(lambda: session.connected)
        await publish(place, b"again")
        await eventually(has(listener, 1))
    assert listener.payloads() == [b"again"]


@pytest.mark.parametrize("expiring", [True, False], ids=["MQTT 5", "MQTT 3.1.1"])
async def test_what_expired_reaches_nobody_who_comes_back_later(
    mosquitto: Place, *, expiring: bool
) -> None:
    async with Listener(mosquitto).connected():
        pass
    now = asyncio.get_running_loop().time
    speaker = Listener(replace(mosquitto, expiring=expiring), "speaker", ())
    async with speaker.connected() as session:
        await session.publish("a/b", b"soon late", qos=2, expiry=timedelta(seconds=1.5))
        await session.publish("a/b", b"in time", qos=2, expiry=timedelta(seconds=60))
        await session.publish("a/b", b"never late", qos=2)
        published = now()
        # Mosquitto counts in whole seconds: one that began, and the one that was told it.
        await eventually(lambda: now() > published + 2.1)
    listener = Listener(mosquitto)
    async with listener.connected():
        await eventually(lambda: b"never late" in listener.payloads())
    lasting = [b"in time", b"never late"]
    assert listener.payloads() == (lasting if expiring else [b"soon late", *lasting])


async def test_what_waited_until_it_was_too_late_is_not_sent_at_all(mosquitto: Place) -> None:
    listener, speaker = Listener(mosquitto), Listener(mosquitto, "speaker", ())
    async with listener.connected(), speaker.connected() as session:
        with pytest.raises(BrokerUnavailableError, match="too late"):
            await session.publish("a/b", b"late", qos=1, expiry=timedelta(seconds=0.9))
        await session.publish("a/b", b"next", qos=1, expiry=timedelta(seconds=9))
        await eventually(has(listener, 1))
    assert listener.payloads() == [b"next"]


@dataclass
class OldBroker:
    """Passes MQTT 3.1.1 on to a real broker, and refuses MQTT 5 as such a broker may.

    Attributes:
        refusal: What it says before it hangs up.
        versions: Of the protocol, as each connection asked for it.
    """

    behind: EmbeddedBroker
    refusal: bytes
    versions: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = await reader.readuntil(b"MQTT") + await reader.readexactly(1)
        self.versions.append(greeting[-1])
        if self.versions[-1] == 5:
            writer.write(self.refusal)
        else:
            other = await asyncio.open_connection("127.0.0.1", self.behind.port)
            other[1].write(greeting)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, other[1]))
                group.create_task(self._pass(other[0], writer))
        writer.close()

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while read := await reader.read(4096):
                writer.write(read)
        writer.close()


@dataclass(frozen=True, slots=True)
class Elsewhere(Place):
    """A broker that is reached by another address."""

    address: str = ""

    @property
    @override
    def url(self) -> str:
        return self.address


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b""], ids=["by name", "in silence"])
async def test_a_broker_that_refuses_mqtt_5_is_spoken_to_in_3_1_1_and_asked_only_once(
    mosquitto: Place, refusal: bytes
) -> None:
    old = OldBroker(mosquitto.broker, refusal)
    async with old.running() as address:
        listener = Listener(Elsewhere(mosquitto.broker, address=address))
        for expected in (b"one", b"two"):
            async with listener.connected() as session:
                await session.publish("a/b", expected, qos=1, expiry=timedelta(seconds=5))
                await eventually(lambda: expected in listener.payloads())  # noqa: B023 - at once
                session.acknowledge(listener.heard)
                await session.settle()
    assert listener.payloads() == [b"one", b"two"]
    assert old.versions == [5, 4, 4]
    assert listener.downgrades == ["listener"], "and told once"


async def test_a_broker_that_is_away_is_not_taken_for_an_old_one(mosquitto: Place) -> None:
    listener = Listener(mosquitto)
    async with listener.connected() as session:
        for _ in range(3):
            await mosquitto.broker.stop()
            await eventually(lambda: not session.connected)
            await mosquitto.broker.start()
            await eventually(lambda: session.connected)
    assert listener.downgrades == []


class NarrowBroker(EmbeddedBroker):
    """A Mosquitto as it comes: with twenty messages at once, and no patience with more."""

    @override
    def _write(self, name: str, text: str) -> str:
        narrow = re.sub(r"max_inflight_messages \d+", "max_inflight_messages 20", text)
        return super()._write(name, narrow)


async def test_many_messages_at_once_do_not_offend_a_broker_that_takes_few(
    directory: Path,
) -> None:
    async with NarrowBroker(directory, port=0, prefer="mosquitto") as broker:
        speaker = Listener(Place(broker), "speaker", ())
        async with speaker.connected() as session:
            connects: list[str] = []
            session.connected_hook = lambda: connects.append("again")
            await asyncio.gather(
                *(session.publish("a/b", b"%d" % number, qos=2) for number in range(500))
            )
            assert session.published.confirmed == 500
            assert connects == [], "it was not thrown out"


async def kept_back(session: MqttSession, permit: Callable[[], None]) -> bool:
    try:
        await session.publish("a/b", b"ON", qos=2, permit=permit)
    except ConflictError:
        return True
    return False


async def test_what_waits_for_its_turn_is_asked_again_when_it_comes_and_urgent_things_overtake_it(
    directory: Path,
) -> None:
    stopped = False

    def permit() -> None:
        if stopped:
            raise ConflictError("stopped meanwhile")

    async with NarrowBroker(directory, port=0, prefer="mosquitto") as broker:
        listener = Listener(Place(broker))
        speaker = Listener(Place(broker), "speaker", ())
        async with listener.connected(), speaker.connected() as session:
            async with asyncio.TaskGroup() as tasks:
                for number in range(100):
                    tasks.create_task(session.publish("a/b", b"%d" % number, qos=2))
                on = tasks.create_task(kept_back(session, permit))
                await asyncio.sleep(0)
                stopped = True
                await session.publish("a/b", b"OFF", qos=2, urgent=True)
            assert on.result()
            await session.publish("a/b", b"at last", qos=2, permit=lambda: None)
            await eventually(lambda: b"at last" in listener.payloads())
        assert session.published.in_flight == 0
    assert b"ON" not in listener.payloads()
    assert listener.payloads().index(b"OFF") < 50


def test_a_session_hears_with_qos_0_or_1_only(directory: Path) -> None:
    with pytest.raises(ValueError, match="QoS"):
        Listener(Place(EmbeddedBroker(directory, port=0)), filters=(("a", 2),))


@pytest.mark.parametrize("steps", range(10))
async def test_who_is_cancelled_while_the_broker_confirms_ends(steps: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        session = MqttSession(
            address=BrokerAddress.from_url(f"mqtt://127.0.0.1:{door.getsockname()[1]}"),
            client_id="publisher",
            filters=(),
            deliver=lambda _: None,
            guard=quick_guard("publisher"),
        )

        async def publish_for_ever() -> None:
            while True:
                await session.publish("a", b"", qos=1)

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            staying = group.create_task(session.run())
            broker, _ = await loop.sock_accept(door)
            with broker:
                await loop.sock_recv(broker, 1000)
                await loop.sock_sendall(broker, CONNACK)
                await eventually(lambda: session.connected)
                publishing = group.create_task(publish_for_ever())
                packet = await loop.sock_recv(broker, 1000)
                await loop.sock_sendall(broker, PUBACK + packet[5:7])
                for _ in range(steps):
                    await asyncio.sleep(0)
                publishing.cancel()
                _, unfinished = await asyncio.wait([publishing], timeout=1)
                staying.cancel()
                publishing.cancel()
        assert not unfinished
