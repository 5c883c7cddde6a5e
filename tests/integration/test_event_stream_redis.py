"""Two server processes hear each other through Redis, or know that they did not."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random

import pytest

from app.event_stream import BroadcastEventStream, Limits
from app.event_stream.codec import LARGEST_PART, Notice, encode
from domain.errors import EventStreamLostError
from domain.events import ActuatorChanged, ReadingsStored
from tests.eventually import eventually
from tests.integration.redis_server import RedisServer, redis_server
from tests.makers import make_actuator, make_reading

CHANNEL = "god-kaiser:0:events"
QUICK = Limits(inbox=50, outbox=100, patience=10, tick=0.1, farewell=0.5)
PATIENT = Limits(inbox=5000, patience=10)


class RealClock:
    def now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def changed(gpio: int) -> ActuatorChanged:
    return ActuatorChanged(make_actuator(gpio=gpio))


@asynccontextmanager
async def process(url: str, limits: Limits = PATIENT) -> AsyncIterator[BroadcastEventStream]:
    """One process's worth of event stream; leaving cancels it, as a TaskGroup would."""
    stream = BroadcastEventStream(url, RealClock(), Random(1), limits)
    async with asyncio.TaskGroup() as tasks:
        job = tasks.create_task(stream.run())
        yield stream
        job.cancel()


async def heard(listener: AsyncIterator[ActuatorChanged], count: int) -> list[int]:
    async with asyncio.timeout(10):
        return [(await anext(listener)).actuator.pin.gpio for _ in range(count)]


async def until_lost(listener: AsyncIterator[ActuatorChanged], why: str) -> None:
    with pytest.raises(EventStreamLostError, match=f"{why}.*subscribe again with since"):
        await heard(listener, 10_000)


async def test_two_processes_hear_each_other_in_order(redis: RedisServer) -> None:
    await redis.start()
    async with (
        process(redis.url) as one,
        process(redis.url) as other,
        one.listen(ActuatorChanged) as at_one,
        other.listen(ActuatorChanged) as at_other,
    ):
        for gpio in range(100):
            await one.publish(changed(gpio))
        assert await heard(at_other, 100) == list(range(100))
        assert await heard(at_one, 100) == list(range(100))
        for gpio in range(100, 200):
            await other.publish(changed(gpio))
        assert await heard(at_one, 100) == list(range(100, 200))
        assert await heard(at_other, 100) == list(range(100, 200))
        assert one.counts.unreadable == other.counts.unreadable == 0


async def test_many_readings_travel_in_small_messages_and_whole(redis: RedisServer) -> None:
    await redis.start()
    readings = tuple(make_reading(number) for number in range(4000))
    async with (
        process(redis.url) as one,
        process(redis.url) as other,
        one.listen(ReadingsStored) as near,
        other.listen(ReadingsStored) as far,
    ):
        await one.publish(ReadingsStored(readings))
        arrived: list[ReadingsStored] = []
        async with asyncio.timeout(10):
            while sum(len(event.readings) for event in arrived) < len(readings):
                arrived.append(await anext(far))
            assert (await anext(near)).readings is readings
        assert max(len(event.readings) for event in arrived) <= LARGEST_PART
        assert sum((event.readings for event in arrived), ()) == readings


async def test_different_databases_of_one_redis_are_different_greenhouses(
    redis: RedisServer,
) -> None:
    await redis.start()
    async with (
        process(redis.url + "?db=1") as mine,
        process(redis.url + "?db=2") as neighbour,
        mine.listen(ActuatorChanged) as listener,
        neighbour.listen(ActuatorChanged) as at_neighbour,
    ):
        await neighbour.publish(changed(1))
        assert await heard(at_neighbour, 1) == [1]
        await mine.publish(changed(2))
        assert await heard(listener, 1) == [2]


async def test_after_a_restart_of_redis_listeners_are_ended_and_new_ones_hear(
    redis: RedisServer,
) -> None:
    await redis.start()
    async with process(redis.url, QUICK) as one, process(redis.url, QUICK) as other:
        async with (
            one.listen(ActuatorChanged) as at_one,
            other.listen(ActuatorChanged) as at_other,
        ):
            await one.publish(changed(1))
            assert await heard(at_other, 1) == [1]
            redis.kill()
            await until_lost(at_other, "connection to Redis was lost")
            await until_lost(at_one, "connection to Redis was lost")
            assert not other.available
            await one.publish(changed(2))
        await redis.start()
        async with (
            one.listen(ActuatorChanged) as at_one,
            other.listen(ActuatorChanged) as at_other,
        ):
            await other.publish(changed(3))
            assert await heard(at_one, 1) == [3]
            # What was published while Redis was away may still arrive before it, or not.
            await one.publish(changed(4))
            while await heard(at_other, 1) != [4]:
                continue
        assert one.counts.dropped == 0


async def test_while_redis_is_away_publishing_is_harmless_and_counted(redis: RedisServer) -> None:
    async with process(redis.url, QUICK) as one:
        for number in range(QUICK.outbox + 20):
            await one.publish(changed(number % 200))
        assert one.counts.dropped > 0
        await redis.start()
        async with one.listen(ActuatorChanged) as listener:
            await one.publish(changed(9))
            assert await heard(listener, 1) == [9]


async def test_while_redis_is_away_a_new_listener_is_told_so(redis: RedisServer) -> None:
    async with (
        process(redis.url, Limits(patience=0.1)) as one,
        one.listen(ActuatorChanged) as listener,
    ):
        await until_lost(listener, "away for the moment")


async def test_a_redis_that_falls_silent_counts_as_lost(redis: RedisServer) -> None:
    await redis.start()
    async with process(redis.url, QUICK) as one, one.listen(ActuatorChanged) as listener:
        redis.freeze()
        await until_lost(listener, "connection to Redis was lost")
        redis.thaw()
        async with one.listen(ActuatorChanged) as again:
            await one.publish(changed(1))
            assert await heard(again, 1) == [1]


async def test_a_cut_subscription_ends_the_listeners_of_that_process(redis: RedisServer) -> None:
    await redis.start()
    async with process(redis.url, QUICK) as one, one.listen(ActuatorChanged) as listener:
        redis.hang_up("pubsub")
        await until_lost(listener, "connection to Redis was lost")
        async with one.listen(ActuatorChanged) as again:
            await one.publish(changed(1))
            assert await heard(again, 1) == [1]


async def test_what_was_said_while_away_does_not_end_those_who_came_later(
    redis: RedisServer,
) -> None:
    await redis.start()
    async with process(redis.url) as one:
        async with one.listen(ActuatorChanged) as listener:
            redis.publish(CHANNEL, encode("somebody", 1, changed(1)))
            assert await heard(listener, 1) == [1]
            redis.hang_up("pubsub")
            await until_lost(listener, "connection to Redis was lost")
        async with one.listen(ActuatorChanged) as again:
            redis.publish(CHANNEL, encode("somebody", 9, changed(9)))
            assert await heard(again, 1) == [9]
            redis.publish(CHANNEL, encode("somebody", 10, changed(10)))
            assert await heard(again, 1) == [10]


async def test_events_that_a_publisher_had_to_drop_end_the_listeners_elsewhere(
    redis: RedisServer,
) -> None:
    await redis.start()
    async with (
        process(redis.url, QUICK) as one,
        process(redis.url) as other,
        other.listen(ActuatorChanged) as listener,
    ):
        await one.publish(changed(1))
        assert await heard(listener, 1) == [1]
        for gpio in range(QUICK.outbox + 10):
            await one.publish(changed(gpio))
        assert one.counts.dropped > 0
        await until_lost(listener, "events of another server process were lost")


@pytest.mark.parametrize("garbage", [b"\xff\xfe\x00", b"", b"hello", b"\x91" * 5000, b"\x94\x01"])
async def test_garbage_on_the_channel_is_counted_and_kills_nobody(
    redis: RedisServer, garbage: bytes
) -> None:
    await redis.start()
    async with process(redis.url) as one, one.listen(ActuatorChanged) as listener:
        redis.publish(CHANNEL, garbage)
        await eventually(lambda: one.counts.unreadable == 1)
        redis.publish(CHANNEL, encode("somebody", 1, changed(5)))
        assert await heard(listener, 1) == [5]


async def test_an_event_that_cannot_be_read_is_a_lost_event(redis: RedisServer) -> None:
    await redis.start()
    async with process(redis.url) as one, one.listen(ActuatorChanged) as listener:
        good = encode("somebody", 1, changed(5))
        redis.publish(CHANNEL, good.replace(b"actuator_type", b"actuator_kind"))
        await until_lost(listener, "cannot be read")
        assert one.counts.unreadable == 1


async def test_a_process_that_crashed_ends_listeners_and_one_that_stopped_does_not(
    redis: RedisServer,
) -> None:
    await redis.start()
    async with process(redis.url, QUICK) as one, one.listen(ActuatorChanged) as listener:
        async with process(redis.url, QUICK) as other:
            await eventually(lambda: other.available)
            await other.publish(changed(1))
        assert await heard(listener, 1) == [1]
        redis.publish(CHANNEL, encode("another", 1, changed(2)))
        redis.publish(CHANNEL, encode("another", 1, Notice.GOODBYE))
        assert await heard(listener, 1) == [2]
        redis.publish(CHANNEL, encode("crashing", 7, Notice.TICK))
        await until_lost(listener, "went away without a word")


async def test_the_last_events_of_a_process_are_sent_before_it_ends(redis: RedisServer) -> None:
    await redis.start()
    async with process(redis.url) as other, other.listen(ActuatorChanged) as listener:
        async with process(redis.url) as one:
            await eventually(lambda: one.available)
            for gpio in range(200):
                await one.publish(changed(gpio))
        assert await heard(listener, 200) == list(range(200))


async def test_listeners_and_processes_that_come_and_go_leave_nothing_behind(
    redis: RedisServer,
) -> None:
    await redis.start()
    tasks_before = asyncio.all_tasks()
    async with process(redis.url) as one:
        for _ in range(50):
            async with one.listen(ActuatorChanged) as listener:
                await one.publish(changed(1))
                assert await heard(listener, 1) == [1]
        assert one.counts.listeners == 0
    await eventually(lambda: asyncio.all_tasks() == tasks_before)


async def test_a_stream_ends_at_once_when_redis_ends_with_it(redis: RedisServer) -> None:
    for _ in range(20):
        await redis.start()
        async with asyncio.timeout(5), process(redis.url) as one:
            await eventually(lambda: one.available)
            await one.publish(changed(1))
            redis.kill()
