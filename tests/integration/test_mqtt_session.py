"""A session on a real broker: what is not acknowledged comes again, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker, Flavour
from domain.errors import BrokerUnavailableError
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from tests.e2e.load import quick_guard
from tests.eventually import eventually
from tests.integration.embedded import data_directory


@pytest.fixture
def directory() -> Iterator[Path]:
    with data_directory() as path:
        yield path


@pytest.fixture(params=["mosquitto", "iotcore"])
async def broker(directory: Path, request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedBroker]:
    flavour: Flavour = request.param
    async with EmbeddedBroker(directory, port=0, prefer=flavour) as broker:
        yield broker


def said(word: Outgoing | None) -> Callable[[], Outgoing] | None:
    return None if word is None else lambda: word


@dataclass
class Listener:
    """A session that notes what it hears."""

    broker: EmbeddedBroker
    client_id: str = "listener"
    filters: Sequence[tuple[str, int]] = (("a/#", 1),)
    clean: bool = False
    first_word: Outgoing | None = None
    last_word: Outgoing | None = None
    heard: list[Delivery] = field(default_factory=list)
    session: MqttSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = MqttSession(
            address=BrokerAddress.from_url(self.broker.url),
            client_id=self.client_id,
            filters=self.filters,
            deliver=self.heard.append,
            guard=quick_guard(self.client_id),
            clean=self.clean,
            first_word=said(self.first_word),
            last_word=said(self.last_word),
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


async def publish(broker: EmbeddedBroker, *payloads: bytes, topic: str = "a/b") -> None:
    """Publish from another client, and return when the broker has everything."""
    async with Listener(broker, "publisher", (), clean=True).connected() as session:
        for payload in payloads:
            await session.publish(topic, payload, qos=1)


async def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(
    broker: EmbeddedBroker,
) -> None:
    first = Listener(broker)
    async with first.connected() as session:
        # No more: iotcore holds at most a hundred back for those who do not acknowledge.
        await publish(broker, *(b"%d" % number for number in range(100)))
        await eventually(has(first, 100))
        session.acknowledge(first.heard[:60])
        await session.settle()
    second = Listener(broker)
    async with second.connected() as session:
        await eventually(has(second, 40))
        assert second.payloads() == [b"%d" % number for number in range(60, 100)]
        session.acknowledge(second.heard)
        await session.settle()
    third = Listener(broker)
    async with third.connected():
        await publish(broker, b"last")
        await eventually(has(third, 1))
    assert third.payloads() == [b"last"]


async def test_what_arrived_before_the_subscription_stood_can_be_acknowledged(
    broker: EmbeddedBroker,
) -> None:
    async with Listener(broker).connected():
        pass
    await publish(broker, b"kept")
    listener = Listener(broker)

    def acknowledge_at_once(delivery: Delivery) -> None:
        listener.heard.append(delivery)
        listener.session.acknowledge([delivery])

    listener.session.deliver = acknowledge_at_once
    async with listener.connected():
        await eventually(has(listener, 1))
        await listener.session.settle()
    again = Listener(broker)
    async with again.connected():
        await publish(broker, b"next")
        await eventually(has(again, 1))
    assert again.payloads() == [b"next"]


async def test_an_acknowledgement_of_an_earlier_connection_is_not_sent(
    broker: EmbeddedBroker,
) -> None:
    listener = Listener(broker)
    async with listener.connected():
        await publish(broker, b"one")
        await eventually(has(listener, 1))
    stale = listener.heard[:]
    listener.heard.clear()
    async with listener.connected() as session:
        await eventually(has(listener, 1))
        session.acknowledge(stale)
        await session.settle()
    again = Listener(broker)
    async with again.connected():
        await eventually(has(again, 1))
    assert again.payloads() == [b"one"]


async def test_reading_pauses_and_goes_on_without_loss(broker: EmbeddedBroker) -> None:
    listener = Listener(broker)
    async with listener.connected() as session:
        session.pause()
        await publish(broker, *(b"%d" % number for number in range(50)))
        assert listener.heard == []
        session.resume()
        await eventually(has(listener, 50))
    assert listener.payloads() == [b"%d" % number for number in range(50)]


async def test_a_large_message_and_many_small_ones_arrive_whole(broker: EmbeddedBroker) -> None:
    listener = Listener(broker)
    large = bytes(range(256)) * 800
    async with listener.connected():
        await publish(broker, b"before", large, *(b"x" * size for size in range(80)))
        await eventually(has(listener, 82))
    assert listener.payloads() == [b"before", large, *(b"x" * size for size in range(80))]


async def test_the_broker_says_the_last_word_of_a_session_that_vanishes(
    broker: EmbeddedBroker,
) -> None:
    listener = Listener(broker)
    word = Outgoing("a/will", b"gone", 1, retain=False)
    async with listener.connected():
        mortal = Listener(broker, "mortal", (), clean=True, last_word=word)
        usurper = Listener(broker, "mortal", (), clean=True)
        # Another of the same name pushes it out: for the broker it vanished.
        async with mortal.connected(), usurper.connected():
            await eventually(has(listener, 1))
    assert listener.payloads()[0] == b"gone"


async def test_its_first_word_is_said_after_each_connect_before_anything_else(
    broker: EmbeddedBroker,
) -> None:
    listener = Listener(broker)
    word = Outgoing("a/status", b"here", 1, retain=True)
    async with listener.connected():
        for _ in range(2):
            speaker = Listener(broker, "speaker", (), first_word=word)
            async with speaker.connected() as session:
                await session.publish("a/b", b"something", qos=1)
        await eventually(has(listener, 4))
        assert listener.payloads() == [b"here", b"something"] * 2
    late = Listener(broker, "late", clean=True)
    async with late.connected():
        await eventually(has(late, 1))
    assert late.heard[0].retain


async def test_it_comes_back_when_the_broker_does_and_says_so_meanwhile(
    broker: EmbeddedBroker,
) -> None:
    listener = Listener(broker)
    async with listener.connected() as session:
        await broker.stop()
        await eventually(lambda: not session.connected)
        with_error = session.publish("a/b", b"nobody", qos=1)
        with pytest.raises(BrokerUnavailableError):
            await with_error
        await broker.start()
        await eventually(lambda: session.connected)
        await publish(broker, b"again")
        await eventually(has(listener, 1))
    assert listener.payloads() == [b"again"]


def test_a_session_hears_with_qos_0_or_1_only(directory: Path) -> None:
    with pytest.raises(ValueError, match="QoS"):
        Listener(EmbeddedBroker(directory, port=0), filters=(("a", 2),))
