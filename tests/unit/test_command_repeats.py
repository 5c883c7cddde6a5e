"""A command that is repeated is done once, and one that is late is not done at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.actuators import (
    ActuatorState,
    CommandAction,
    CommandStatus,
    Order,
    Pin,
)
from domain.errors import (
    ConflictError,
)
from domain.leases import Moment
from tests.commanding import PIN, Greenhouse, on
from tests.fakes import FakeClock, until
from tests.makers import make_actuator


async def test_a_repeat_with_the_same_key_returns_the_first_command_and_sends_nothing() -> None:
    house = Greenhouse()
    async with house.running() as send:
        first = await send(on(idempotency_key="k"))
        again = await send(on(idempotency_key="k"))
    assert again == first
    assert len(house.link.sent) == 1


async def test_a_repeat_waits_for_what_the_first_comes_to() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send, asyncio.TaskGroup() as tasks:
        first = await send(on(idempotency_key="k"), wait=False)
        again = tasks.create_task(send(on(idempotency_key="k")))
        unwaited = await send(on(idempotency_key="k"), wait=False)
        await until(lambda: bool(house.link.sent))
        house.link.hold.set()
    assert unwaited.id == first.id
    assert again.result().id == first.id
    assert again.result().status is CommandStatus.ACKNOWLEDGED
    assert len(house.link.sent) == 1


@pytest.mark.parametrize(
    "other",
    [
        on(action=CommandAction.OFF),
        on(pin=Pin("ESP_12AB34", 6)),
        on(duration=timedelta(seconds=6)),
        on(action=CommandAction.PWM, value=1.0),
        on(action=CommandAction.TOGGLE),
    ],
)
async def test_a_key_that_was_used_for_another_command_is_refused_and_not_taken_for_done(
    other: Order,
) -> None:
    house = Greenhouse()
    house.registry.add_actuator(make_actuator(gpio=6, id=2))
    async with house.running() as send:
        first = await send(on(idempotency_key="k", duration=timedelta(seconds=5)))
        with pytest.raises(ConflictError, match=r"another .* \(ON of GPIO 5 of ESP_12AB34\)"):
            await send(replace(other, idempotency_key="k"))
    assert [command.id for command, _ in house.link.sent] == [first.id]
    assert list(house.storage.commands.rows) == [first.id]


async def test_a_toggle_that_is_repeated_is_the_same_whatever_it_came_to() -> None:
    clock = FakeClock()
    house = Greenhouse(actuator=make_actuator(state=ActuatorState(reported_at=clock.now())))
    toggle = on(action=CommandAction.TOGGLE, idempotency_key="k")
    async with house.running() as send:
        first, again = await send(toggle), await send(toggle)
    assert first.action is CommandAction.ON
    assert again == first


async def test_what_waited_for_too_long_expires_and_is_never_sent() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        await send(on(), wait=False)
        late = await send(on(), wait=False)
        await until(lambda: bool(house.link.sent))
        await house.clock.advance(10.1)
        house.link.hold.set()
        await until(lambda: house.storage.commands.rows[late.id].completed_at is not None)
    expired = house.storage.commands.rows[late.id]
    assert expired.status is CommandStatus.EXPIRED
    assert "could not leave within 10 s: give it again" in (expired.reason or "")
    assert expired.sent_at is None
    assert len(house.link.sent) == 1


async def test_what_has_not_left_when_somebody_says_off_never_leaves() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        sent = await send(on(), wait=False)
        await until(lambda: bool(house.link.sent))
        waits = await send(on(), wait=False)
        other = await send(on(duration=timedelta(seconds=5)), wait=False)
        off = await send(on(action=CommandAction.OFF), wait=False)
        again = await send(on(), wait=False)
        house.link.hold.set()
        await until(lambda: house.storage.commands.rows[again.id].completed_at is not None)
    rows = house.storage.commands.rows
    assert [rows[one.id].status for one in (sent, waits, other, off, again)] == [
        CommandStatus.ACKNOWLEDGED,
        CommandStatus.SUPERSEDED,
        CommandStatus.SUPERSEDED,
        CommandStatus.ACKNOWLEDGED,
        CommandStatus.ACKNOWLEDGED,
    ]
    assert rows[waits.id].reason == "OFF was given after it"
    assert [command.id for command, _ in house.link.sent] == [sent.id, off.id, again.id]


@pytest.mark.parametrize("pin", [PIN, Pin("ESP_12AB34", 6)])
async def test_what_waits_for_its_slot_is_overtaken_by_off_of_the_same_pin_only(pin: Pin) -> None:
    house = Greenhouse()
    house.registry.add_actuator(make_actuator(gpio=6, id=2))
    house.link.slot = asyncio.Event()
    async with house.running() as send:
        waits = await send(on(), wait=False)
        await until(lambda: house.link.most_open == 1)
        await send(on(pin=pin, action=CommandAction.OFF), wait=False)
        house.link.slot.set()
        await until(lambda: house.storage.commands.rows[waits.id].completed_at is not None)
        assert (house.leases.get(PIN) is None) == (pin == PIN)
    ended = house.storage.commands.rows[waits.id].status
    assert (ended is CommandStatus.SUPERSEDED) == (pin == PIN)


async def test_a_database_that_is_away_for_hours_lets_nothing_out_when_it_is_back() -> None:
    """An outcome that cannot be stored keeps its pin from all that was given after it."""
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        await send(on(), wait=False)
        late = await send(on(), wait=False)
        await until(lambda: bool(house.link.sent))
        house.storage.available = False
        house.link.hold.set()
        await until(lambda: len(house.clock.slept) > 2)
        await house.clock.advance(3 * 3600)
        house.storage.available = True
        await until(lambda: house.storage.commands.rows[late.id].completed_at is not None)
    assert house.storage.commands.rows[late.id].status is CommandStatus.EXPIRED
    assert len(house.link.sent) == 1


async def test_what_waits_for_its_slot_on_the_wire_for_too_long_expires_without_its_lease() -> None:
    house = Greenhouse()
    house.link.slot = asyncio.Event()
    async with house.running() as send, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(send(on()))
        await until(lambda: house.link.most_open == 1)
        await house.clock.advance(10.1)
        house.link.slot.set()
        command = await waiting
    assert command.status is CommandStatus.EXPIRED
    assert command.sent_at is None
    assert house.link.sent == []
    assert not house.leases.leases


async def test_an_off_that_expires_is_the_watchdogs_from_then_on() -> None:
    house = Greenhouse()
    async with house.running() as send:
        await send(on())
        house.link.hold = asyncio.Event()
        await send(on(duration=timedelta(seconds=60)), wait=False)
        await until(lambda: len(house.link.sent) == 2)
        off = await send(on(action=CommandAction.OFF), wait=False)
        await house.clock.advance(10.1)
        house.link.hold.set()
        await until(lambda: house.storage.commands.rows[off.id].completed_at is not None)
        now = Moment(house.clock.now(), house.clock.monotonic())
        assert house.storage.commands.rows[off.id].status is CommandStatus.EXPIRED
        assert [lease.pin for lease in house.leases.due(now)] == [PIN]
