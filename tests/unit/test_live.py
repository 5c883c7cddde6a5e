"""Streams of readings: no gap between stored and live, and an honest throttle."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import ReadingsStored
from resolvers.live import stored_then_live, throttled
from tests.fakes import FakeClock, FakeEventStream, FakeStorage, until
from tests.makers import make_reading

PERIOD = 10.0


async def test_what_is_committed_between_the_last_page_and_going_live_is_not_lost() -> None:
    storage, events = FakeStorage(), FakeEventStream()
    storage.readings.rows.append(make_reading(1))

    async with aclosing(stored_then_live(storage, events, 0)) as readings, asyncio.timeout(5):
        assert (await anext(readings)).id == 1
        storage.readings.rows.append(make_reading(2))
        assert (await anext(readings)).id == 2
        await events.publish(ReadingsStored((make_reading(3),)))
        assert (await anext(readings)).id == 3


async def test_without_since_the_store_is_not_asked() -> None:
    storage, events = FakeStorage(available=False), FakeEventStream()

    async def publish() -> None:
        await until(lambda: events.listeners == 1)
        await events.publish(ReadingsStored((make_reading(1),)))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publish())
        async with aclosing(stored_then_live(storage, events, None)) as readings:
            assert (await anext(readings)).id == 1


Item = tuple[str, int]
"""A key and the item's number in the order of arrival."""


async def thinned_out(gaps: list[tuple[float, str]], clock: FakeClock) -> list[tuple[float, Item]]:
    """Let items arrive after these gaps; return what passed, and when."""
    passed: list[tuple[float, Item]] = []
    arrivals: asyncio.Queue[Item | None] = asyncio.Queue(maxsize=100)

    async def source() -> AsyncGenerator[Item, None]:
        while (item := await arrivals.get()) is not None:
            yield item

    async def listen() -> None:
        stream = throttled(source(), key=lambda item: item[0], seconds=PERIOD, clock=clock)
        async with aclosing(stream):
            passed.extend([(clock.monotonic(), item) async for item in stream])

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        for number, (gap, key) in enumerate(gaps):
            await clock.advance(gap)
            arrivals.put_nowait((key, number))
            for _ in range(20):
                await asyncio.sleep(0)
        await clock.advance(2 * PERIOD)
        arrivals.put_nowait(None)
    return passed


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 4.0, 10.0, 25.0]), st.sampled_from("ab")), max_size=20
    )
)
def test_throttled_items_keep_their_distance_and_the_latest_always_comes(
    gaps: list[tuple[float, str]],
) -> None:
    passed = asyncio.run(thinned_out(gaps, FakeClock()))

    times = defaultdict(list)
    numbers = defaultdict(list)
    for at, (key, number) in passed:
        times[key].append(at)
        numbers[key].append(number)
    for key in times:
        pauses = [later - earlier for earlier, later in pairwise(times[key])]
        assert all(pause >= PERIOD for pause in pauses)
        assert numbers[key] == sorted(set(numbers[key]))
    last = {key: number for number, (_, key) in enumerate(gaps)}
    assert {key: numbers[key][-1] for key in numbers} == last


async def test_an_error_of_the_source_reaches_the_listener() -> None:
    async def source() -> AsyncGenerator[Item, None]:
        yield ("a", 1)
        raise ValueError("broken")

    stream = throttled(source(), key=lambda item: item[0], seconds=PERIOD, clock=FakeClock())
    async with aclosing(stream):
        with pytest.raises(ValueError, match="broken"):
            _ = [item async for item in stream]


async def test_the_source_is_closed_when_the_listener_leaves() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[Item, None]:
        try:
            yield ("a", 1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    stream = throttled(source(), key=lambda item: item[0], seconds=PERIOD, clock=FakeClock())
    async with aclosing(stream):
        assert await anext(stream) == ("a", 1)

    assert closed.is_set()
