"""An emergency stop is in force at once, stored, told to everybody, and only a person ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from typing_extensions import override

from domain.actuators import Pin
from domain.emergency_latch import FOUND_AFTER, LATE_ALARM, Latch
from domain.emergency_stops import LONGEST_REASON
from domain.errors import BadInputError, ConflictError, NotFoundError, StorageUnavailableError
from domain.services.emergency import Emergency
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity
from tests.fakes import FakeClock, FakeEmergencyLink, FakeEventStream, FakeStorage, until
from tests.makers import make_actuator, make_device, make_guard

ESP, AWAY = "ESP_12AB34", "ESP_FFFFFF"
ANNA = UUID(int=7)
SECOND = timedelta(seconds=1)


class House:
    """Two devices, one of them offline, and a service on a database that outlives it."""

    def __init__(self, storage: FakeStorage | None = None) -> None:
        self.clock = FakeClock(automatic=True)
        self.storage = storage or FakeStorage()
        self.link = FakeEmergencyLink()
        self.registry = Registry()
        self.registry.add_device(make_device(ESP))
        self.registry.add_device(make_device(AWAY, online=False))
        self.registry.add_actuator(make_actuator(ESP, 5))
        self.latch = Latch()
        numbers = iter(range(1, 10_000))
        guard = make_guard(self.clock)
        self.record = RecordEvents(
            storage=self.storage,
            registry=self.registry,
            events=FakeEventStream(),
            clock=self.clock,
            guard=guard,
            new_id=lambda: UUID(int=next(numbers)),
        )
        self.service = Emergency(
            storage=self.storage,
            registry=self.registry,
            latch=self.latch,
            link=self.link,
            clock=self.clock,
            guard=guard,
            record=self.record,
            new_id=lambda: UUID(int=next(numbers)),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Emergency]:
        await self.service.load()
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(self.service.run()), tasks.create_task(self.record.run())]
            await until(lambda: self.service._tasks is not None)
            yield self.service
            for job in jobs:
                job.cancel()

    def told(self, what: str) -> list[str]:
        return [esp_id for said, esp_id, _ in self.link.told if said == what]

    def confirmed(self, stop_id: UUID) -> set[str]:
        devices = self.storage.emergency_stops.rows[stop_id].devices.values()
        return {device.esp_id for device in devices if device.confirmed_at is not None}


async def test_a_stop_for_all_is_stored_and_told_to_everybody_and_each_by_name() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("water on the floor", by=ANNA)
        assert house.storage.emergency_stops.rows[stop.id] == stop
        await until(lambda: len(house.told("stop")) >= 2)
    assert house.told("broadcast") == [""]
    assert {*house.told("stop")} == {ESP, AWAY}
    assert (stop.triggered_by, stop.active, set(stop.devices)) == (ANNA, True, {ESP, AWAY})


async def test_it_is_in_force_before_it_is_stored() -> None:
    house = House()
    async with house.running() as service, asyncio.TaskGroup() as tasks:
        tasks.create_task(service.stop("fire", by=ANNA))
        await asyncio.sleep(0)
        assert house.latch.covering(Pin(ESP, 5))


@pytest.mark.parametrize("esp_id", [None, ESP])
async def test_nobody_is_told_before_it_is_stored_however_often_somebody_looks(
    esp_id: str | None,
) -> None:
    house = House()
    house.storage.emergency_stops.hold = hold = asyncio.Event()
    async with house.running() as service, asyncio.TaskGroup() as tasks:
        tasks.create_task(service.stop("fire", esp_id=esp_id, by=ANNA))
        looks = len(house.clock.slept)
        await until(lambda: len(house.clock.slept) > looks + 10)
        assert house.link.told == []
        hold.set()
        await until(lambda: ESP in house.told("stop"))


async def test_without_a_database_it_goes_out_all_the_same_and_is_stored_later() -> None:
    house = House()
    async with house.running() as service:
        house.storage.available = False
        stop = await service.stop("fire", by=ANNA)
        await until(lambda: ESP in house.told("stop"))
        assert house.storage.emergency_stops.rows == {}
        house.storage.available = True
        await until(lambda: stop.id in house.storage.emergency_stops.rows)


async def test_what_devices_confirm_is_stored() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", by=ANNA)
        service.stopped(ESP, house.clock.now())
        await until(lambda: house.confirmed(stop.id) == {ESP})
        assert service.note(stop, AWAY) == "it is offline: it is stopped as soon as it comes back"


async def test_after_a_restart_the_stop_holds_and_is_told_again() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", by=ANNA)
    again = House(house.storage)
    async with again.running():
        assert again.latch.covering(Pin(ESP, 5)) == [stop]
        await until(lambda: {*again.told("stop")} == {ESP, AWAY})
        await until(lambda: again.told("broadcast") == [""])


async def test_a_broadcast_that_the_broker_did_not_take_is_repeated_until_it_did() -> None:
    house = House()
    house.link.away = True
    async with house.running() as service:
        await service.stop("fire", by=ANNA)
        await until(lambda: len(house.clock.slept) > 20)
        house.link.away = False
        await until(lambda: house.told("broadcast") == [""])
        await until(lambda: ESP in house.told("stop"))


async def test_only_clearing_ends_it_and_devices_are_freed_afterwards() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", by=ANNA)
        await until(lambda: ESP in house.told("stop"))
        service.stopped(ESP, house.clock.now())
        cleared = await service.clear(stop.id, ANNA, resume=True)
        assert (cleared.active, cleared.cleared_by) == (False, ANNA)
        assert not house.latch.covering(Pin(ESP, 5))
        await until(lambda: house.told("clear") == [ESP], turns=5000)
        service.freed(ESP, house.clock.now())
        await until(lambda: house.told("resume") == [ESP])
        with pytest.raises(ConflictError):
            await service.clear(stop.id, ANNA, resume=False)


async def test_without_a_database_nothing_is_cleared() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", by=ANNA)
        house.storage.available = False
        with pytest.raises(StorageUnavailableError):
            await service.clear(stop.id, ANNA, resume=False)
        assert house.latch.covering(Pin(ESP, 5))


async def test_a_device_that_only_a_power_cycle_frees_is_not_told_to_clear_and_people_are() -> None:
    house = House()
    house.link.stuck.add(ESP)
    async with house.running() as service:
        stop = await service.stop("fire", esp_id=ESP, by=ANNA)
        service.stopped(ESP, house.clock.now())
        assert service.note(stop, ESP) == "it has not confirmed yet, and is told again"
        house.link.deaf.add(ESP)
        note = "it has not confirmed yet, and is told again; it may be deaf"
        assert service.note(stop, ESP) == note
        known = house.latch.get(stop.id)
        assert known is not None
        assert service.note(known, ESP) == "switch it off and on again"
        await service.clear(stop.id, ANNA, resume=False)
        await until(lambda: EventKind.EMERGENCY_UNCONFIRMED in kinds(house), turns=5000)
        assert house.told("clear") == []
        house.registry.change_device(ESP, last_boot_at=house.clock.now())
        await until(lambda: house.latch.stops == (), turns=5000)


def kinds(house: House) -> list[str]:
    return [event.kind for event in house.storage.system_events.rows.values()]


async def test_people_are_told_of_the_stop_of_who_does_not_confirm_and_of_the_clearing() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", by=ANNA)
        await until(lambda: kinds(house).count(EventKind.EMERGENCY_UNCONFIRMED) == 2, turns=5000)
        await service.clear(stop.id, ANNA, resume=False)
        await until(lambda: EventKind.EMERGENCY_CLEARED in kinds(house))
    events = house.storage.system_events.rows.values()
    assert {event.severity for event in events} == {Severity.CRITICAL}
    assert kinds(house)[0] == EventKind.EMERGENCY_STOP


async def test_a_device_that_stops_itself_is_held_and_one_that_was_told_only_confirms() -> None:
    house = House()
    async with house.running() as service:
        await service.stopped_itself(ESP, house.clock.now(), "button\x00 pressed")
        (stop,) = house.latch.stops
        assert stop.reason == f"{ESP} stopped itself: button pressed"
        assert (stop.esp_id, stop.triggered_by) == (ESP, None)
        await service.stopped_itself(ESP, house.clock.now(), "again")
        assert len(house.latch.stops) == 1
        await until(lambda: house.confirmed(stop.id) == {ESP})


async def test_an_alarm_is_a_stop_though_an_actuator_of_the_device_is_stopped_already() -> None:
    house = House()
    async with house.running() as service:
        pin = await service.stop("runs dry", esp_id=ESP, gpio=5, by=ANNA)
        await service.stopped_itself(ESP, house.clock.now(), "hot")
        assert house.latch.holds(ESP)
        await service.clear(pin.id, ANNA, resume=False)
        assert house.latch.holds(ESP)


async def test_an_alarm_while_a_device_is_being_freed_holds_it_anew() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", esp_id=ESP, by=ANNA)
        house.link.stuck.add(ESP)
        await service.clear(stop.id, ANNA, resume=False)
        await service.stopped_itself(ESP, house.clock.now(), "late")
        assert not house.latch.holds(ESP), "it may confirm what it was told before"
        await house.clock.sleep(LATE_ALARM.total_seconds())
        await service.stopped_itself(ESP, house.clock.now(), "hot")
        assert house.latch.holds(ESP)


async def test_who_shows_that_it_is_stopped_is_held_though_its_alarm_was_lost() -> None:
    house = House()
    now = house.clock.now()
    async with house.running() as service:
        await service.found_stopped(ESP, now)
        service.off(Pin(ESP, 5), now + SECOND)
        await service.found_stopped(ESP, now + FOUND_AFTER)
        assert not house.latch.holds(ESP)
        await service.found_stopped(ESP, now + 2 * FOUND_AFTER)
        (stop,) = house.latch.stops
        assert (stop.esp_id, stop.active) == (ESP, True)
        assert "nobody heard why" in stop.reason
        await service.found_stopped(ESP, now + 4 * FOUND_AFTER)
        await service.clear(stop.id, ANNA, resume=False)
        await service.found_stopped(ESP, now + 6 * FOUND_AFTER)
        assert not house.latch.holds(ESP), "it is being freed"


@pytest.mark.parametrize(
    ("reason", "esp_id", "gpio", "error"),
    [
        ("", None, None, BadInputError),
        ("a\x00b", None, None, BadInputError),
        ("x" * (LONGEST_REASON + 1), None, None, BadInputError),
        ("fire", None, 5, BadInputError),
        ("fire", "ESP_000000", None, NotFoundError),
        ("fire", ESP, 9, NotFoundError),
    ],
)
async def test_a_stop_of_nothing_is_refused(
    reason: str, esp_id: str | None, gpio: int | None, error: type[Exception]
) -> None:
    house = House()
    async with house.running() as service:
        with pytest.raises(error):
            await service.stop(reason, esp_id=esp_id, gpio=gpio, by=ANNA)
        assert house.latch.stops == ()


@pytest.mark.parametrize(("esp_id", "gpio"), [(None, None), (ESP, None), (ESP, 5)])
async def test_while_the_server_starts_a_stop_is_stored_and_goes_out_with_the_first_it_does(
    esp_id: str | None, gpio: int | None
) -> None:
    house, empty = House(), Registry()
    known, house.service.registry = house.service.registry, empty
    house.storage.available = False
    async with asyncio.TaskGroup() as tasks:
        pressed = tasks.create_task(house.service.stop("fire", esp_id=esp_id, gpio=gpio, by=ANNA))
        await until(lambda: len(house.clock.slept) > 3)
        house.storage.available = True
    stop = pressed.result()
    assert house.storage.emergency_stops.rows == {stop.id: stop}
    house.service.registry = known
    async with house.running() as service:
        await until(lambda: ESP in house.told("stop" if gpio is None else "off"))
        assert house.told("broadcast") == ([""] if esp_id is None else [])
        await service.clear(stop.id, ANNA, resume=False)


async def test_starting_without_a_database_it_lets_nobody_believe_that_anything_stopped() -> None:
    house = House()
    house.storage.available = False
    with pytest.raises(StorageUnavailableError, match="nothing has stopped yet"):
        await house.service.stop("fire", by=ANNA)
    house.storage.available = True
    async with house.running():
        await until(lambda: ESP in house.told("stop"))
        await until(lambda: len(house.storage.emergency_stops.rows) == 1)


async def test_a_stop_that_is_loaded_late_does_not_undo_what_was_done_to_it() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", by=ANNA)
        cleared = await service.clear(stop.id, ANNA, resume=False)
        house.storage.emergency_stops.rows[stop.id] = stop
        await service.load()
        assert not any(known.active for known in house.latch.stops)
        assert not cleared.active


async def test_nothing_is_cleared_before_it_is_known_what_there_is() -> None:
    with pytest.raises(StorageUnavailableError, match="is starting; ask again"):
        await House().service.clear(ANNA, ANNA, resume=False)


async def test_what_was_confirmed_last_is_stored_though_the_stop_is_over_by_then() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop("fire", esp_id=ESP, by=ANNA)
        service.stopped(ESP, house.clock.now())
        await service.clear(stop.id, ANNA, resume=False)
        await until(lambda: house.told("clear") == [ESP], turns=5000)
        async with service._storing:
            service.freed(ESP, house.clock.now())
            # Something to be stored is in hand, and cannot be yet.
            await until(lambda: house.latch.stops == (), turns=5000)
        await until(
            lambda: house.storage.emergency_stops.rows[stop.id].devices[ESP].released_at is not None
        )


async def test_what_the_server_saw_itself_it_stops_once_and_says_who_saw_it() -> None:
    house = House()
    async with house.running() as service:
        first = await service.stop_once("too hot", "rule Heat", esp_id=ESP)
        assert (first.reason, first.triggered_by) == ("too hot (rule Heat)", None)
        assert await service.stop_once("too hot", "rule Heat", esp_id=ESP) == house.latch.get(
            first.id
        )
        assert len(house.latch.stops) == 1
        other = await service.stop_once("too hot", "rule Heat", esp_id=AWAY)
        await service.clear(first.id, ANNA, resume=False)
        again = await service.stop_once("too hot", "rule Heat", esp_id=ESP)
    assert len({first.id, other.id, again.id}) == 3


async def test_a_long_reason_leaves_room_for_who_saw_it() -> None:
    house = House()
    async with house.running() as service:
        stop = await service.stop_once("too hot\n" * 100, "rule " + "x" * 500)
    assert len(stop.reason) == LONGEST_REASON
    assert stop.reason.startswith("too hot too hot")
    assert "(rule xxx" in stop.reason


@dataclass(slots=True)
class SlowStorage(FakeStorage):
    """A database that answers once it may."""

    may: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    async def check(self) -> None:
        await self.may.wait()


async def test_it_goes_out_though_whoever_pressed_is_gone_by_then() -> None:
    storage = SlowStorage()
    storage.may.set()
    house = House(storage)
    async with house.running() as service, asyncio.TaskGroup() as tasks:
        storage.may.clear()
        pressing = tasks.create_task(service.stop("fire", by=ANNA))
        await until(lambda: bool(house.latch.stops))
        pressing.cancel()
        await until(lambda: house.told("broadcast") == [""])
        storage.may.set()
        await until(lambda: len(storage.emergency_stops.rows) == 1)
