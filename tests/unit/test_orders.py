"""Orders to devices themselves: judged, answered, and written down with who gave them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from uuid import UUID

import pytest

from domain.errors import (
    BrokerUnavailableError,
    ConflictError,
    DeviceSilentError,
    DomainError,
    NotFoundError,
)
from domain.orders import OneWireChip, OrderAnswer, OrderKind
from domain.services.order import MOST_DETAILS, SendOrder
from domain.system_events import EventKind, Severity
from tests.fakes import until
from tests.fakes.orders import FakeOrderLink
from tests.unit.test_record_events import ESP, Books


class Office(Books):
    """The service over fakes, with one device that is there."""

    def __init__(self) -> None:
        super().__init__()
        self.registry.change_device(ESP, name="Tomato bed", kaiser_id="")
        self.link = FakeOrderLink()
        ids = count(1)
        self.send = SendOrder(
            registry=self.registry,
            link=self.link,
            record=self.record,
            new_id=lambda: UUID(int=next(ids)),
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        async with self.open(), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.send.run())
            await until(lambda: self.send._tasks is not None)
            yield
            running.cancel()


async def test_an_order_is_carried_out_and_written_down_with_who_gave_it() -> None:
    office = Office()
    office.link.answer = OrderAnswer(success=True, message="ok", details={"delay": 3})
    async with office.working():
        event, answer = await office.send(ESP, OrderKind.FACTORY_RESET, by="anna")
    ((order, kaiser_id),) = office.link.sent
    assert (order.kind, order.esp_id, kaiser_id) == (OrderKind.FACTORY_RESET, ESP, "")
    assert answer == office.link.answer
    assert office.stored == [event]
    assert (event.kind, event.severity, event.esp_id) == (
        EventKind.DEVICE_ORDERED,
        Severity.INFO,
        ESP,
    )
    assert event.message == (
        "Tomato bed was told by anna to forget all its settings, its WiFi included, and does so."
    )
    assert event.details == {
        "order": "FACTORY_RESET",
        "by": "anna",
        "outcome": "DONE",
        "said": "ok",
        "delay": 3,
    }


async def test_the_same_order_twice_is_written_down_twice() -> None:
    office = Office()
    async with office.working():
        for _ in range(2):
            await office.send(ESP, OrderKind.DIAGNOSE, by="anna")
    assert [event.occurrences for event in office.stored] == [1, 1]


async def test_what_a_device_found_and_measured_is_written_down() -> None:
    office = Office()
    chips = (OneWireChip("28FF641E8D3C0C79", "ds18b20", 4),)
    office.link.answer = OrderAnswer(success=True, chips=chips, raw_value=361.0)
    async with office.working():
        event, answer = await office.send(ESP, OrderKind.SCAN_ONEWIRE, by="anna", gpio=4)
    assert answer.chips == chips
    assert event.details["28FF641E8D3C0C79"] == "ds18b20"
    assert (event.details["gpio"], event.details["raw_value"]) == (4, 361.0)


async def test_an_endless_answer_is_cut() -> None:
    office = Office()
    office.link.answer = OrderAnswer(success=True, details={str(n): n for n in range(500)})
    async with office.working():
        event, _ = await office.send(ESP, OrderKind.DIAGNOSE, by="anna")
    assert len(event.details) == MOST_DETAILS + 4


async def test_a_refusal_is_written_down_and_told() -> None:
    office = Office()
    office.link.answer = OrderAnswer(success=False, message="Unknown command")
    async with office.working():
        with pytest.raises(ConflictError, match="Tomato bed refused: Unknown command"):
            await office.send(ESP, OrderKind.RESTART, by="anna")
    (event,) = office.stored
    assert event.severity is Severity.WARNING
    assert event.message == (
        "Tomato bed was told by anna to restart, and refused: Unknown command."
    )


async def test_silence_is_written_down_and_told() -> None:
    office = Office()
    office.link.error = DeviceSilentError("no answer within 5 s")
    async with office.working():
        with pytest.raises(DeviceSilentError):
            await office.send(ESP, OrderKind.RESTART, by="anna")
        await office.until_stored(1)
    (event,) = office.stored
    assert event.message.endswith("was told by anna to restart, and did not answer.")
    assert event.details["outcome"] == "UNANSWERED"


async def test_what_never_left_the_server_is_not_written_down() -> None:
    office = Office()
    office.link.error = BrokerUnavailableError("away")
    async with office.working():
        with pytest.raises(BrokerUnavailableError):
            await office.send(ESP, OrderKind.RESTART, by="anna")
        office.link.error = None
        await office.send(ESP, OrderKind.RESTART, by="anna")
    assert [event.details["outcome"] for event in office.stored] == ["DONE"]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"approved": False}, ConflictError, "let it in with approveDevice"),
        ({"online": False}, ConflictError, "never kept for later"),
    ],
)
async def test_nobody_orders_a_device_that_is_not_let_in_or_not_there(
    changes: dict[str, bool], error: type[DomainError], said: str
) -> None:
    office = Office()
    office.registry.change_device(ESP, **changes)
    async with office.working():
        with pytest.raises(error, match=said):
            await office.send(ESP, OrderKind.RESTART, by="anna")
    assert not office.link.sent


async def test_what_the_firmware_cannot_do_is_said_with_the_cure() -> None:
    office = Office()
    office.link.cannot = "its firmware has no restart: switch it off and on"
    async with office.working():
        with pytest.raises(ConflictError, match="Tomato bed cannot do this: its firmware has no"):
            await office.send(ESP, OrderKind.RESTART, by="anna")


async def test_an_unknown_device_is_not_found() -> None:
    office = Office()
    async with office.working():
        with pytest.raises(NotFoundError):
            await office.send("ESP_NOBODY", OrderKind.RESTART, by="anna")


async def test_before_the_server_has_started_nothing_is_ordered() -> None:
    with pytest.raises(ConflictError, match="begun to start"):
        await Office().send(ESP, OrderKind.RESTART, by="anna")


async def test_a_device_has_one_order_at_a_time_and_takes_the_next_one_after_it() -> None:
    office = Office()
    office.link.hold = asyncio.Event()
    async with office.working(), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(office.send(ESP, OrderKind.DIAGNOSE, by="anna"))
        await until(lambda: bool(office.link.sent))
        with pytest.raises(ConflictError, match="under way"):
            await office.send(ESP, OrderKind.RESTART, by="bert")
        office.link.hold.set()
        await first
        await office.send(ESP, OrderKind.RESTART, by="bert")


async def test_an_order_outlives_whoever_gave_it() -> None:
    office = Office()
    office.link.hold = asyncio.Event()
    async with office.working(), asyncio.TaskGroup() as tasks:
        giving = tasks.create_task(office.send(ESP, OrderKind.FACTORY_RESET, by="anna"))
        await until(lambda: bool(office.link.sent))
        giving.cancel()
        office.link.hold.set()
        await office.until_stored(1)
    assert giving.cancelled()
    assert office.stored[0].details["by"] == "anna"
