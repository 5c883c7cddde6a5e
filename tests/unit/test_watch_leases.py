"""The watchdog: it tells devices until they confirm, stores when it can, and tells people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from domain.actuators import (
    ActuatorReport,
    CommandAction,
    CommandOrigin,
    CommandResponse,
    CommandStatus,
    EmergencyPhase,
    Pin,
)
from domain.devices import DeviceHealth
from domain.emergency_latch import Latch
from domain.lease_book import ALARM_AFTER, ALARM_AGAIN, DIFFERS_AFTER, LeaseBook
from domain.leases import Lease, Moment
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.watch_leases import (
    MOST_STRANGERS,
    MOST_UNSTORED,
    REMOVED_FOR,
    SEEN_EVERY,
    TICK,
    WatchLeases,
)
from domain.system_events import EventKind, Severity, SystemEvent
from mqtt_bridge.control import Control
from mqtt_bridge.leases import LeaseWire
from mqtt_bridge.session import Delivery
from tests.fakes import FakeClock, FakeEventStream, FakeStorage
from tests.fakes.actuators import FakeLeaseLink
from tests.makers import make_actuator, make_command, make_device, make_emergency_stop, make_guard

PIN = Pin("ESP_12AB34", 5)
LEASE = UUID(int=999)


class House:
    """A pump with a watchdog, in a time that passes when a test says so."""

    def __init__(self, storage: FakeStorage | None = None, **device: object) -> None:
        self.clock = FakeClock()
        self.storage = storage or FakeStorage()
        self.link = FakeLeaseLink()
        self.events = FakeEventStream()
        self.registry = Registry()
        self.registry.add_device(make_device(**device))  # type: ignore[arg-type]  # a test's shorthand
        self.registry.add_actuator(make_actuator())
        self.latch, self.leases = Latch(), LeaseBook()
        numbers = iter(range(1, 100_000))
        guard = make_guard(self.clock)
        self.record = RecordEvents(
            storage=self.storage,
            registry=self.registry,
            events=self.events,
            clock=self.clock,
            guard=guard,
            new_id=lambda: UUID(int=next(numbers)),
        )
        self.watch = WatchLeases(
            storage=self.storage,
            registry=self.registry,
            latch=self.latch,
            leases=self.leases,
            link=self.link,
            events=self.events,
            clock=self.clock,
            guard=guard,
            record=self.record,
            new_id=lambda: UUID(int=next(numbers)),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[WatchLeases]:
        await self.watch.load()
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(self.watch.run()), tasks.create_task(self.record.run())]
            await self.clock.until_asleep(2)
            yield self.watch
            for job in jobs:
                job.cancel()

    def now(self) -> Moment:
        return Moment(self.clock.now(), self.clock.monotonic())

    async def switch_on(self, seconds: float) -> Lease:
        """Give it a lease, as a command does that the device has answered."""
        actuator = self.registry.actuator(PIN)
        assert actuator is not None
        asked = make_command(id=UUID(int=77), status=CommandStatus.ACKNOWLEDGED)
        length = timedelta(seconds=seconds)
        lease = self.leases.grant(LEASE, actuator, 1.0, length, self.now(), command_id=asked.id)
        self.leases.confirmed(PIN, LEASE)
        await self.storage.leases.grant(lease, asked)
        return lease

    def report(self, value: float, *, pin: Pin = PIN) -> None:
        self.watch.reported(
            ActuatorReport(
                pin=pin,
                kaiser_id="god",
                received_at=self.clock.now(),
                actuator_type="pump",
                value=value,
                is_active=value > 0,
                emergency=EmergencyPhase.NORMAL,
            )
        )

    def answer(self, action: CommandAction = CommandAction.OFF, *, success: bool = True) -> None:
        self.watch.answered(
            CommandResponse(
                pin=PIN, received_at=self.clock.now(), success=success, action=action.value
            )
        )

    def told(self, kind: EventKind) -> list[SystemEvent]:
        return [e for e in self.storage.system_events.rows.values() if e.kind is kind]


async def test_it_is_switched_off_at_the_end_and_that_stands_in_the_history() -> None:
    house = House()
    async with house.running():
        await house.switch_on(5)
        await house.clock.advance(5 - TICK)
        assert house.link.told == []
        await house.clock.advance(2 * TICK)
        (off,) = house.link.told
        assert (off.action, off.value, off.origin) == (CommandAction.OFF, 0.0, CommandOrigin.SAFETY)
        assert house.storage.commands.rows[off.id].status is CommandStatus.SENT
        house.answer()
        await house.clock.advance(TICK)
        ended = house.storage.commands.rows[off.id]
        assert (ended.status, ended.completed_at) == (
            CommandStatus.ACKNOWLEDGED,
            house.clock.now(),
        )
        assert house.storage.leases.rows == {}
        (run,) = house.storage.leases.runs
        assert run.pin == PIN
        await house.clock.advance(60)
    assert len(house.link.told) == 1
    assert house.storage.system_events.rows == {}


async def test_it_is_told_again_and_again_by_one_command_and_people_are_told_until_it_is_off() -> (
    None
):
    house = House()
    async with house.running():
        await house.switch_on(1)
        await house.clock.advance(1 + ALARM_AFTER - TICK)
        assert house.told(EventKind.ACTUATOR_NOT_OFF) == []
        assert len(house.link.told) in range(8, 12)
        await house.clock.advance(3 * TICK)
        (alarm,) = house.told(EventKind.ACTUATOR_NOT_OFF)
        assert alarm.severity is Severity.ERROR
        assert "go and look" in alarm.message
        assert len({command.id for command in house.link.told}) == 1
        await house.clock.advance(ALARM_AGAIN)
        assert len(house.told(EventKind.ACTUATOR_NOT_OFF)) == 2
        house.report(0.0)
        await house.clock.advance(2 * TICK)
        assert len(house.told(EventKind.ACTUATOR_OFF)) == 1
        told = len(house.link.told)
        await house.clock.advance(60)
        assert len(house.link.told) == told


async def test_the_alarm_of_a_critical_one_is_critical_and_says_where_its_device_is() -> None:
    house = House()
    house.registry.change_actuator(PIN, critical=True)
    house.registry.change_device(PIN.esp_id, online=False)
    async with house.running():
        await house.switch_on(1)
        await house.clock.advance(2 + ALARM_AFTER)
        (alarm,) = house.told(EventKind.ACTUATOR_NOT_OFF)
    assert alarm.severity is Severity.CRITICAL
    assert "(it is offline)" in alarm.message
    assert house.link.told, "it may only seem to be away"


@pytest.mark.parametrize("announced", [True, False])
async def test_a_device_that_comes_back_is_told_at_once(*, announced: bool) -> None:
    house = House()
    house.registry.change_device(PIN.esp_id, online=False)
    async with house.running() as watch:
        await house.switch_on(1)
        await house.clock.advance(1 + TICK)
        told = len(house.link.told)
        house.registry.change_device(PIN.esp_id, online=True)
        if announced:
            watch.connected(PIN.esp_id)
        await house.clock.advance(TICK)
        assert len(house.link.told) == told + 1


async def test_without_a_broker_it_goes_on_trying_and_takes_no_sign_for_an_answer() -> None:
    house = House()
    house.link.away = True
    async with house.running():
        await house.switch_on(1)
        await house.clock.advance(20)
        assert house.storage.commands.rows[UUID(int=1)].status is CommandStatus.PENDING
        house.link.away = False
        await house.clock.advance(1 + TICK)
        assert house.link.told


async def test_without_a_database_it_is_switched_off_and_all_of_it_is_stored_later() -> None:
    house = House()
    async with house.running():
        await house.switch_on(1)
        house.storage.available = False
        await house.clock.advance(1 + TICK)
        assert len(house.link.told) == 1
        house.answer()
        await house.clock.advance(2)
        assert len(house.storage.leases.rows) == 1
        house.storage.available = True
        await house.clock.advance(60)
    assert house.storage.leases.rows == {}
    assert house.storage.commands.rows[house.link.told[0].id].status is CommandStatus.ACKNOWLEDGED


async def test_what_waits_too_long_for_the_database_is_dropped_and_counted() -> None:
    house = House()
    house.storage.available = False
    async with asyncio.TaskGroup() as tasks:
        job = tasks.create_task(house.watch.run())
        await house.clock.until_asleep()
        for _ in range(MOST_UNSTORED // 2 + 1):
            house.report(1.0)
            house.watch._look()
            house.report(0.0)
            house.watch._look()
        assert house.watch.dropped == 2
        job.cancel()


async def test_a_restart_knows_what_is_on_and_switches_off_what_ended_meanwhile() -> None:
    before = House()
    async with before.running():
        await before.switch_on(5)
    after = House(before.storage)
    await after.clock.advance(60)
    async with after.running():
        await after.clock.advance(TICK)
        assert len(after.link.told) == 1


async def test_that_leases_are_in_force_is_stored_in_between() -> None:
    house = House()
    async with house.running():
        await house.switch_on(60)
        await house.clock.advance(2 * SEEN_EVERY)
        seen = house.storage.leases.rows[PIN].seen_at
        assert house.clock.now() - seen <= timedelta(seconds=SEEN_EVERY + TICK)


async def test_what_a_device_switched_on_has_a_lease_and_people_are_told() -> None:
    house = House()
    async with house.running():
        house.report(1.0)
        await house.clock.advance(TICK)
        assert house.storage.leases.rows[PIN].command_id is None
        (told,) = house.told(EventKind.ACTUATOR_DISAGREES)
        assert "the server did not switch it on" in told.message


@pytest.mark.parametrize("stopped", [False, True])
async def test_what_goes_off_long_before_its_time_is_told_unless_it_was_stopped(
    *, stopped: bool
) -> None:
    house = House()
    if stopped:
        house.latch.put(make_emergency_stop())
    async with house.running():
        await house.switch_on(60)
        house.report(0.0)
        await house.clock.advance(TICK)
        told = house.told(EventKind.ACTUATOR_DISAGREES)
        assert [("to be on for 1 min more" in event.message) for event in told] == [True] * (
            not stopped
        )


async def test_a_device_in_safe_mode_switches_off_without_a_word() -> None:
    house = House()
    health = DeviceHealth(reported_at=house.clock.now())
    house.registry.put_health(PIN.esp_id, replace(health, safe_mode=True))
    async with house.running():
        await house.switch_on(60)
        house.report(0.0)
        await house.clock.advance(TICK)
    assert house.told(EventKind.ACTUATOR_DISAGREES) == []


async def test_another_power_than_asked_for_is_told_once() -> None:
    house = House()
    async with house.running():
        await house.switch_on(3000)
        for _ in range(4):
            house.report(0.4)
            await house.clock.advance(DIFFERS_AFTER / 2)
        (told,) = house.told(EventKind.ACTUATOR_DISAGREES)
        assert "100% of its power" in told.message


async def test_a_pin_that_was_on_before_anybody_knew_it_has_a_lease_once_it_is_known() -> None:
    house, pin = House(), Pin(PIN.esp_id, 6)
    async with house.running():
        house.report(1.0, pin=pin)
        await house.clock.advance(TICK)
        assert house.leases.get(pin) is None
        house.registry.add_actuator(make_actuator(*pin, id=2))
        await house.clock.advance(TICK)
        assert house.leases.get(pin) is not None
        for number in range(MOST_STRANGERS + 5):
            house.report(1.0, pin=Pin(f"ESP_{number:06X}", 5))
        assert len(house.watch._strangers) == MOST_STRANGERS


async def test_a_device_that_is_not_approved_has_no_leases() -> None:
    house = House(approved=False)
    async with house.running():
        house.report(1.0)
        await house.clock.advance(TICK)
        assert house.leases.leases == []


async def test_an_actuator_that_was_removed_while_it_was_switched_on_is_switched_off() -> None:
    house = House()
    async with house.running():
        await house.switch_on(60)
        await house.clock.advance(TICK)
        house.registry.remove_actuator(PIN)
        await house.clock.advance(TICK)
        assert [command.action for command in house.link.told] == [CommandAction.OFF]
        house.report(0.0)
        await house.clock.advance(TICK)
        assert house.leases.leases == []


async def test_an_actuator_that_was_removed_is_forgotten_after_a_minute_of_silence() -> None:
    house = House()
    async with house.running():
        await house.switch_on(60)
        await house.clock.advance(TICK)
        house.registry.remove_device(PIN.esp_id)
        await house.clock.advance(REMOVED_FOR - 1)
        assert len(house.leases.leases) == 1
        await house.clock.advance(2)
        assert house.leases.leases == []


async def test_who_ends_a_lease_early_says_why_to_the_device_and_to_people() -> None:
    house = House()
    async with house.running() as watch:
        kind = EventKind.INTERLOCK_BROKEN
        watch.switch_off(PIN, "nothing is on", kind, Severity.WARNING)
        await house.switch_on(60)
        watch.switch_off(PIN, "the tank is empty", kind, Severity.WARNING)
        await house.clock.advance(TICK)
        (off,) = house.link.told
        assert off.reason == "the tank is empty"
        (told,) = house.told(kind)
        assert "is switched off: the tank is empty." in told.message


@pytest.mark.parametrize(("action", "success"), [("ON", True), ("OFF", False)])
async def test_only_a_good_answer_to_off_says_that_it_is_off(*, action: str, success: bool) -> None:
    house = House()
    async with house.running():
        await house.switch_on(1)
        await house.clock.advance(1 + TICK)
        house.answer(CommandAction(action), success=success)
        assert house.leases.get(PIN) is not None


class Line:
    """The control connection: what is said urgently, and nothing else."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object], int, bool]] = []

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, urgent: bool
    ) -> None:
        assert not retain
        self.said.append((topic, msgspec.json.decode(payload), qos, urgent))


class Deaf:
    """Implements the connection of `Control`, and carries nothing."""

    async def publish(self, topic: str, payload: bytes, **how: object) -> None:
        raise AssertionError(topic, payload, how)

    def acknowledge(self, deliveries: object) -> None:
        """Nothing is kept."""

    def pause(self) -> None:
        """Nothing is too much."""

    def resume(self) -> None:
        """Nothing is too much."""


async def test_off_goes_out_ahead_of_everything_and_never_expires() -> None:
    line = Line()
    off = make_command(id=UUID(int=5), action=CommandAction.OFF, value=0.0)
    await LeaseWire(connection=line).switch_off(off, "god")
    ((topic, body, qos, urgent),) = line.said
    assert topic == "kaiser/god/esp/ESP_12AB34/actuator/5/command"
    assert (body["command"], body["value"], body["correlation_id"]) == ("OFF", 0.0, str(off.id))
    assert (qos, urgent) == (2, True)


async def test_the_watchdog_hears_reports_answers_and_sessions() -> None:
    house = House()
    control = Control(connection=Deaf(), clock=house.clock, bury=lambda *_: None)
    LeaseWire(connection=Line()).attach(control, house.watch)

    def hear(what: str, **fields: object) -> None:
        topic, payload = f"kaiser/god/esp/{PIN.esp_id}/{what}", msgspec.json.encode(fields)
        control.hear(Delivery(topic, payload, 1, retain=False, mid=1, connection=1))

    async with house.running():
        hear("actuator/5/status", state="on", type="pump", ts=1, esp_id=PIN.esp_id, gpio=5)
        assert house.leases.get(PIN) is not None
        await house.switch_on(1)
        await house.clock.advance(1 + TICK)
        told = len(house.link.told)
        hear("session/announce", esp_id=PIN.esp_id, handover_epoch=1, reason="reconnect", ts_ms=1)
        await house.clock.advance(TICK)
        assert len(house.link.told) == told + 1
        hear("actuator/5/response", success=True, command="OFF", esp_id=PIN.esp_id, gpio=5, ts=1)
        assert house.leases.get(PIN) is None
