"""Streams of readings: replayed from the store without a gap, thinned out for slow listeners."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Hashable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import TypeVar

from domain.errors import BadInputError
from domain.events import ReadingsStored
from domain.ports import Clock, EventStream
from domain.repositories import Storage
from domain.sensors import Reading
from domain.times import read_instant
from schema.pages import Cursors

T = TypeVar("T")

REPLAY_PAGE = 500
"""Stored readings that are fetched at once."""

LIVE_READINGS = Cursors("readings since")
"""The cursors of the subscription: the id of a reading, for ids grow in the order of commits."""


async def resume_id(since: str | None, storage: Storage) -> int | None:
    """Read the argument `since`: a cursor, or an instant by the server's clock.

    Returns:
        The id of the last reading that is not wanted; None: only what is yet to come.

    Raises:
        BadInputError: It is neither.
    """
    if since is None:
        return None
    try:
        instant: datetime | None = read_instant(since)
    except BadInputError:
        instant = None
    if instant is None:
        match LIVE_READINGS.read(since):
            case (int(reading_id),):
                return reading_id
            case _:
                raise BadInputError("since is neither a cursor of this subscription nor an instant")
    async with storage.autocommit() as work:
        return await work.readings.first_id_at(instant)


async def stored_then_live(
    storage: Storage, events: EventStream, after: int | None
) -> AsyncGenerator[Reading, None]:
    """Yield what was stored after a reading, then what is stored from now on, each once.

    The bulk is replayed before the live stream is joined, so that a long replay does not fill its
    inbox; what was committed meanwhile is replayed once joined. A reading committed later reaches
    the joined stream, and one that came both ways is known by its id.

    Args:
        storage: Where the stored ones are.
        events: Tells the live ones.
        after: The id of the last reading that is not wanted; None: only live ones.

    Raises:
        EventStreamLostError: Live readings were lost; subscribing again after the last one that
            was yielded brings them back.
    """
    if after is not None:
        async with aclosing(_stored(storage, after)) as past:
            async for reading in past:
                after = reading.id
                yield reading
    async with events.listen(ReadingsStored) as live:
        if after is not None:
            async with aclosing(_stored(storage, after)) as past:
                async for reading in past:
                    after = reading.id
                    yield reading
        async for event in live:
            for reading in event.readings:
                if after is None or reading.id > after:
                    yield reading


async def _stored(storage: Storage, after: int) -> AsyncGenerator[Reading, None]:
    while True:
        async with storage.autocommit() as work:
            page = await work.readings.since(after, REPLAY_PAGE)
        for reading in page:
            yield reading
        if len(page) < REPLAY_PAGE:
            return
        after = page[-1].id


async def throttled(
    source: AsyncGenerator[T, None],
    *,
    key: Callable[[T], Hashable],
    seconds: float,
    clock: Clock,
) -> AsyncGenerator[T, None]:
    """Yield at most one item per key and period, always the latest.

    The first item of a key passes at once. What comes before its period is over waits, replaced
    by whatever comes after it: at most one item per key is kept, however slow the listener.

    Args:
        source: What to thin out; closed at the end.
        key: What an item is about.
        seconds: The period.
        clock: The source of time.
    """
    waiting: dict[Hashable, T] = {}
    due: dict[Hashable, float] = {}
    arrived = asyncio.Event()

    async def read() -> None:
        try:
            async with aclosing(source):
                async for item in source:
                    waiting[key(item)] = item
                    arrived.set()
        finally:
            arrived.set()

    async with _beside(read()) as reader:
        while not reader.done():
            arrived.clear()
            now = clock.monotonic()
            for about in [about for about in waiting if due.get(about, now) <= now]:
                due[about] = now + seconds
                yield waiting.pop(about)
            next_due = min((due[about] for about in waiting if about in due), default=None)
            await _either(arrived, clock, None if next_due is None else next_due - now)
        await reader
        for item in waiting.values():
            yield item


@asynccontextmanager
async def _beside(work: Coroutine[object, object, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a coroutine beside a block, and end it with the block.

    Not a TaskGroup: the block yields to the consumer of a generator, and a TaskGroup would cancel
    that consumer when the work fails, and wrap the GeneratorExit that closes the block.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()


async def _either(arrived: asyncio.Event, clock: Clock, seconds: float | None) -> None:
    """Wait until something arrived or, unless None, so many seconds have passed."""
    if seconds is None:
        await arrived.wait()
        return
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(arrived.wait()), tasks.create_task(clock.sleep(seconds))
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        for task in first:
            task.cancel()
