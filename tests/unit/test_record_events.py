"""What happened is stored, then told; a burst is one event; nobody who reports ever waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import OverloadedError, StorageRejectedError
from domain.events import SystemEventRecorded
from domain.services.record_events import (
    COUNT_EVERY,
    FINISHED_WITHIN,
    LONGEST_BURST,
    MOST_BURSTS,
    QUEUE,
    QUIET,
    TRIM_AFTER,
    RecordEvents,
)
from domain.services.registry import Registry
from domain.system_events import KEPT_FOR, EventKind, Severity, SystemEvent
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage, until
from tests.makers import make_device, make_guard, make_system_event

ESP = "ESP_12AB34"


class Books:
    """The recorder over fakes, with one approved device."""

    def __init__(self) -> None:
        self.storage = FakeStorage()
        self.events = FakeEventStream()
        self.clock = FakeClock()
        self.registry = Registry()
        self.registry.add_device(make_device(ESP))
        ids = iter(range(1000, 1_000_000))
        self.record = RecordEvents(
            storage=self.storage,
            registry=self.registry,
            events=self.events,
            clock=self.clock,
            guard=make_guard(self.clock),
            new_id=lambda: UUID(int=next(ids)),
        )

    def happens(
        self, about: str = "", esp_id: str | None = ESP, message: str = "It broke."
    ) -> None:
        self.record(
            EventKind.DEVICE_ERROR,
            Severity.ERROR,
            message,
            esp_id=esp_id,
            about=about,
            details={"about": about},
        )

    @property
    def stored(self) -> list[SystemEvent]:
        return list(self.storage.system_events.rows.values())

    @property
    def told(self) -> list[SystemEvent]:
        published = self.events.published
        return [event.event for event in published if isinstance(event, SystemEventRecorded)]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.record.run())
            await self.clock.until_asleep()
            yield
            running.cancel()

    async def until_stored(self, count: int) -> None:
        await until(lambda: len(self.told) >= count, turns=20_000)


async def test_what_happened_is_stored_and_told() -> None:
    books = Books()
    async with books.open():
        books.happens("pump")
        await books.until_stored(1)
    (event,) = books.stored
    assert books.told == [event]
    assert (event.kind, event.severity, event.message, event.esp_id) == (
        EventKind.DEVICE_ERROR,
        Severity.ERROR,
        "It broke.",
        ESP,
    )
    assert event.details == {"about": "pump"}
    assert event.occurred_at == START
    assert event.occurrences == 1


async def test_a_burst_is_one_event_that_counts() -> None:
    books = Books()
    async with books.open():
        books.happens()
        await books.until_stored(1)
        for _ in range(11):
            books.happens()
        await books.clock.advance(COUNT_EVERY.total_seconds())
        assert [event.occurrences for event in books.stored] == [12]
    assert len(books.told) == 1
    assert books.record.counts.repeated == 11


async def test_a_count_that_stands_is_not_stored_again() -> None:
    books = Books()
    async with books.open():
        books.happens()
        await books.until_stored(1)
        books.happens()
        await books.clock.advance(COUNT_EVERY.total_seconds())
        before = books.storage.queries["system_events"]
        await books.clock.advance(3 * COUNT_EVERY.total_seconds())
        assert books.storage.queries["system_events"] == before


async def test_different_things_are_different_events() -> None:
    books = Books()
    books.registry.add_device(make_device("ESP_OTHER"))
    async with books.open():
        books.happens("pump")
        books.happens("valve")
        books.happens("pump", esp_id="ESP_OTHER")
        books.happens("pump", esp_id=None)
        await books.until_stored(4)
    assert len(books.stored) == 4


async def test_after_a_quiet_time_it_is_told_again() -> None:
    books = Books()
    async with books.open():
        books.happens()
        await books.clock.advance(QUIET.total_seconds() + 1)
        books.happens()
        await books.until_stored(2)
    assert len(books.stored) == 2


async def test_what_never_stops_is_told_again_every_hour() -> None:
    books = Books()
    step = 60
    async with books.open():
        for _ in range(int(LONGEST_BURST.total_seconds()) // step + 2):
            books.happens()
            await books.clock.advance(step)
        await books.until_stored(2)
        assert [event.occurrences for event in books.stored] == [61, 1]


async def test_a_kind_that_was_forgotten_is_told_at_once() -> None:
    books = Books()
    async with books.open():
        books.happens()
        books.record.forget(EventKind.DEVICE_ERROR, ESP)
        books.happens()
        await books.until_stored(2)


async def test_nothing_is_told_of_a_device_that_is_not_approved() -> None:
    books = Books()
    books.registry.add_device(make_device("ESP_PENDING", approved=False))
    async with books.open():
        books.happens(esp_id="ESP_PENDING")
        books.happens(esp_id="ESP_STRANGER")
        books.happens("last")
        await books.until_stored(1)
    assert [event.esp_id for event in books.stored] == [ESP]


async def test_while_the_database_is_away_events_wait_and_count() -> None:
    books = Books()
    books.storage.available = False
    async with books.open():
        books.happens()
        await books.clock.until_asleep(2)
        books.happens()
        books.happens("valve")
        assert books.told == []
        books.storage.available = True
        await books.clock.advance(60)
        await books.until_stored(2)
    assert sorted(event.occurrences for event in books.stored) == [1, 2]


async def test_when_too_many_wait_the_newest_are_dropped_and_counted() -> None:
    books = Books()
    for number in range(QUEUE + 7):
        books.happens(str(number))
    assert books.record.counts.dropped == 7
    async with books.open():
        await books.until_stored(QUEUE)
    assert [event.details["about"] for event in books.stored] == [
        str(number) for number in range(QUEUE)
    ]


async def test_what_the_database_refuses_takes_nothing_else_with_it() -> None:
    books = Books()
    books.storage.system_events.refusals["odd"] = StorageRejectedError("never")
    books.happens("a")
    books.happens("b", message="odd")
    books.happens("c")
    async with books.open():
        await books.until_stored(2)
    assert [event.details["about"] for event in books.stored] == ["a", "c"]
    assert books.record.counts.refused == 1
    assert books.record.counts.recorded == 2


async def test_a_count_waits_for_the_database() -> None:
    books = Books()
    async with books.open():
        books.happens()
        await books.until_stored(1)
        books.happens()
        books.storage.available = False
        await books.clock.advance(COUNT_EVERY.total_seconds())
        assert [event.occurrences for event in books.stored] == [1]
        books.storage.available = True
        await books.clock.advance(COUNT_EVERY.total_seconds())
        assert [event.occurrences for event in books.stored] == [2]


async def test_what_is_old_leaves_when_something_is_stored() -> None:
    books = Books()
    old = make_system_event(1, occurred_at=START - KEPT_FOR - timedelta(days=1))
    await books.storage.system_events.add([old])
    async with books.open():
        books.happens()
        await until(lambda: old not in books.stored and len(books.stored) == 1)
        looked = books.storage.queries["system_events"]
        for number in range(TRIM_AFTER):
            books.happens(str(number))
        await until(lambda: books.storage.queries["system_events"] > looked + 1)


async def test_memory_is_bounded_however_much_is_different() -> None:
    books = Books()
    async with books.open():
        for number in range(MOST_BURSTS + QUEUE):
            books.happens(str(number))
            if number % 500 == 0:
                await until(lambda: not books.record._waiting)
        await until(lambda: not books.record._waiting)
    assert len(books.record._bursts) <= MOST_BURSTS
    assert books.record.counts.dropped == 0


# ---------------------------------------------------------------- for those who wait


async def order(books: Books, message: str = "It was told to restart.") -> SystemEvent:
    return await books.record.stored(
        EventKind.DEVICE_ORDERED, Severity.INFO, message, esp_id=ESP, details={"by": "anna"}
    )


async def test_who_needs_an_event_gets_it_once_it_is_stored_and_told() -> None:
    books = Books()
    async with books.open():
        first, second = await order(books), await order(books)
        assert books.stored == [first, second]
        await books.until_stored(2)
    assert (first.occurrences, first.details) == (1, {"by": "anna"})


async def test_who_needs_an_event_that_cannot_be_stored_is_told_so() -> None:
    books = Books()
    books.storage.system_events.refusals["odd"] = StorageRejectedError("never")
    async with books.open():
        with pytest.raises(StorageRejectedError):
            await order(books, "odd")


async def test_nobody_waits_where_too_much_waits_already() -> None:
    books = Books()
    for number in range(QUEUE):
        books.happens(str(number))
    with pytest.raises(OverloadedError):
        await order(books)


async def test_the_discovery_of_a_stranger_is_told() -> None:
    books = Books()
    async with books.open():
        books.record(EventKind.DEVICE_DISCOVERED, Severity.INFO, "A new one.", esp_id="ESP_NEW")
        await books.until_stored(1)
    assert [event.esp_id for event in books.stored] == ["ESP_NEW"]


# ---------------------------------------------------------------- the end of the server


async def test_what_waits_and_how_often_it_happened_is_stored_before_the_end() -> None:
    books = Books()
    async with books.open():
        books.happens()
        await books.until_stored(1)
        for _ in range(4):
            books.happens()
        books.happens("late")
        await books.record.finish()
        assert [event.occurrences for event in books.stored] == [5, 1]


async def test_the_end_does_not_wait_for_a_database_that_is_away() -> None:
    books = Books()
    books.storage.available = False
    async with books.open():
        books.happens()
        await books.clock.until_asleep(2)
        async with asyncio.timeout(10 * FINISHED_WITHIN.total_seconds()):
            await books.record.finish()
    assert books.stored == []
