"""A command is judged, stored at every step, sent once, and always comes to an end."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domain.actuators import (
    Actuator,
    ActuatorState,
    CommandAction,
    CommandOrigin,
    CommandStatus,
    Order,
    Pin,
)
from domain.arbitration import Holder
from domain.devices import Device
from domain.errors import (
    BadInputError,
    BrokerUnavailableError,
    ConflictError,
    DeviceSilentError,
    NotFoundError,
    StorageUnavailableError,
)
from domain.services.command import MOST_OPEN
from tests.commanding import PIN, Greenhouse, on
from tests.fakes import START, FakeClock, until
from tests.makers import make_actuator, make_command, make_device, make_emergency_stop


async def test_a_command_is_returned_as_the_device_confirmed_it() -> None:
    house = Greenhouse()
    async with house.running() as send:
        command = await send(on())
    assert command.status is CommandStatus.ACKNOWLEDGED
    assert house.storage.commands.rows[command.id] == command
    assert house.statuses() == [
        CommandStatus.PENDING,
        CommandStatus.SENT,
        CommandStatus.ACKNOWLEDGED,
    ]
    state = house.registry.actuator(PIN)
    assert state is not None
    assert state.state.last_command_at == command.completed_at


async def test_a_command_that_is_not_waited_for_is_carried_through_all_the_same() -> None:
    house = Greenhouse()
    async with house.running() as send:
        command = await send(on(), wait=False)
        assert command.status is CommandStatus.PENDING
        await until(
            lambda: house.storage.commands.rows[command.id].status is CommandStatus.ACKNOWLEDGED
        )


async def test_a_command_outlives_the_request_that_gave_it() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send, asyncio.TaskGroup() as group:
        request = group.create_task(send(on()))
        await until(lambda: bool(house.link.sent))
        request.cancel()
        house.link.hold.set()
        await until(lambda: house.statuses()[-1] is CommandStatus.ACKNOWLEDGED)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DeviceSilentError("no answer"), CommandStatus.TIMED_OUT),
        (BrokerUnavailableError("no broker"), CommandStatus.FAILED),
    ],
)
async def test_what_stays_unanswered_ends_with_the_reason(
    error: DeviceSilentError | BrokerUnavailableError, status: CommandStatus
) -> None:
    house = Greenhouse()
    house.link.error = error
    async with house.running() as send:
        command = await send(on())
    assert (command.status, command.reason) == (status, str(error))
    assert house.ended == [command]


async def test_a_device_that_refuses_makes_the_command_fail_with_its_words() -> None:
    house = Greenhouse()
    house.link.success, house.link.message = False, "Actuator in emergency stop state."
    async with house.running() as send:
        command = await send(on())
    assert command.status is CommandStatus.FAILED
    assert command.reason == "Actuator in emergency stop state."


@pytest.mark.parametrize(
    ("device", "actuator"),
    [
        (make_device(online=False), make_actuator()),
        (make_device(), make_actuator(enabled=False)),
    ],
)
async def test_a_refused_command_is_stored_with_its_reason_and_never_sent(
    device: Device, actuator: Actuator
) -> None:
    house = Greenhouse(device, actuator)
    async with house.running() as send:
        command = await send(on())
    assert command.status is CommandStatus.REJECTED
    assert command.reason
    assert house.storage.commands.rows[command.id] == command
    assert house.link.sent == []


async def test_nothing_is_told_about_a_device_that_is_not_approved() -> None:
    house = Greenhouse(make_device(approved=False))
    async with house.running() as send:
        command = await send(on())
    assert command.status is CommandStatus.REJECTED
    assert house.statuses() == []


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (on(pin=Pin("ESP_12AB34", 9)), NotFoundError),
        (on(pin=Pin("ESP_FFFFFF", 5)), NotFoundError),
        (on(action=CommandAction.PWM), BadInputError),
        (on(action=CommandAction.PWM, value=float("nan")), BadInputError),
        (on(value=0.5), BadInputError),
        (on(value=0.0), BadInputError),
        (on(action=CommandAction.OFF, value=1.0), BadInputError),
        (on(action=CommandAction.TOGGLE, value=1.0), BadInputError),
        (on(duration=-timedelta(seconds=5)), BadInputError),
        (on(idempotency_key=""), BadInputError),
        (on(idempotency_key="k" * 256), BadInputError),
        (on(duration=timedelta(0)), BadInputError),
        (on(duration=timedelta(days=8)), BadInputError),
        (on(action=CommandAction.TOGGLE), BadInputError),
    ],
)
async def test_an_order_that_makes_no_sense_is_an_error_and_leaves_nothing_behind(
    order: Order, error: type[Exception]
) -> None:
    house = Greenhouse()
    async with house.running() as send:
        with pytest.raises(error):
            await send(order)
    assert house.storage.commands.rows == {}
    assert house.link.sent == []


@pytest.mark.parametrize("value", [1.01, -0.01, 255.0])
async def test_a_value_beyond_full_power_or_none_is_refused_and_the_refusal_stored(
    value: float,
) -> None:
    house = Greenhouse()
    async with house.running() as send:
        command = await send(on(action=CommandAction.PWM, value=value))
    assert command.status is CommandStatus.REJECTED
    assert command.reason == f"the value {value} lies outside 0.0 to 1.0"
    assert house.storage.commands.rows[command.id] == command
    assert house.link.sent == []


@pytest.mark.parametrize(("active", "sent"), [(True, CommandAction.OFF), (False, CommandAction.ON)])
async def test_toggle_is_resolved_from_what_the_device_last_said(
    *, active: bool, sent: CommandAction
) -> None:
    clock = FakeClock()
    state = ActuatorState(is_active=active, reported_at=clock.now())
    house = Greenhouse(actuator=make_actuator(state=state))
    async with house.running() as send:
        command = await send(on(action=CommandAction.TOGGLE))
    assert command.action is sent
    assert house.link.sent[0][0].action is sent


@pytest.mark.parametrize(
    ("action", "value"),
    [(CommandAction.ON, 1.0), (CommandAction.OFF, 0.0), (CommandAction.PWM, 1.0)],
)
async def test_a_value_that_says_the_same_as_the_action_is_no_contradiction(
    action: CommandAction, value: float
) -> None:
    house = Greenhouse()
    async with house.running() as send:
        command = await send(on(action=action, value=value))
    assert (command.status, command.value) == (CommandStatus.ACKNOWLEDGED, value)


async def test_toggle_follows_what_the_device_confirmed_before_its_report_comes() -> None:
    clock = FakeClock()
    house = Greenhouse(actuator=make_actuator(state=ActuatorState(reported_at=clock.now())))
    toggle = on(action=CommandAction.TOGGLE)
    async with house.running() as send:
        actions = []
        for _ in range(4):
            await house.clock.advance(1)
            actions.append((await send(toggle)).action)
    assert actions == [CommandAction.ON, CommandAction.OFF] * 2


@pytest.mark.parametrize("value", [0.0, -0.0, 0.00004])
async def test_power_that_is_nothing_on_the_wire_is_off_and_passes_as_that(value: float) -> None:
    house = Greenhouse(actuator=make_actuator(actuator_type="pwm"))
    async with house.running() as send:
        await send(on(action=CommandAction.PWM, value=0.5))
        house.latch.put(make_emergency_stop())
        command = await send(on(action=CommandAction.PWM, value=value))
        assert (command.action, command.value) == (CommandAction.OFF, 0.0)
        assert command.status is CommandStatus.ACKNOWLEDGED
        assert house.leases.get(command.pin) is None


async def test_a_pin_has_one_command_under_way_at_a_time_in_the_order_given() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        commands = [await send(on(), wait=False) for _ in range(5)]
        await until(lambda: bool(house.link.sent))
        house.link.hold.set()
        await until(lambda: house.statuses().count(CommandStatus.ACKNOWLEDGED) == 5)
    assert house.link.most_open == 1
    assert [command.id for command, _ in house.link.sent] == [command.id for command in commands]


async def test_a_command_is_judged_again_when_its_turn_comes() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        await send(on(), wait=False)
        second = await send(on(), wait=False)
        await until(lambda: bool(house.link.sent))
        house.registry.change_device("ESP_12AB34", online=False)
        house.link.hold.set()
        await until(lambda: house.storage.commands.rows[second.id].status is CommandStatus.REJECTED)
    assert len(house.link.sent) == 1


FROST, DRY = UUID(int=1001), UUID(int=1002)


@pytest.mark.parametrize(
    ("asking", "priority", "passes"), [(FROST, 1, True), (DRY, 2, False), (DRY, 0, True)]
)
async def test_a_rule_whose_turn_comes_yields_to_who_took_the_actuator_meanwhile(
    asking: UUID, priority: int, *, passes: bool
) -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    by_rule = on(origin=CommandOrigin.RULE, rule_id=asking, priority=priority)
    async with house.running() as send:
        await send(on(), wait=False)
        second = await send(by_rule, wait=False)
        await until(lambda: bool(house.link.sent))
        assert send.judge(by_rule) is None
        house.holder = Holder(rule_id=FROST, name="Frost", priority=1, since=START)
        assert (send.judge(by_rule) is None) == passes
        house.link.hold.set()
        await until(lambda: house.storage.commands.rows[second.id].completed_at is not None)
    reason = house.storage.commands.rows[second.id].reason
    assert (reason is None) == passes
    assert passes or "the rule Frost (priority 1) holds it" in (reason or "")
    assert len(house.link.sent) == 1 + passes


@pytest.mark.parametrize("gpio", [None, PIN.gpio], ids=["of the device", "of the actuator"])
async def test_what_waits_for_its_slot_on_the_wire_is_kept_back_by_a_stop_that_comes_meanwhile(
    gpio: int | None,
) -> None:
    house = Greenhouse()
    house.link.slot = asyncio.Event()
    async with house.running() as send, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(send(on()))
        await until(lambda: house.link.most_open == 1)
        assert house.leases.leases
        house.latch.put(make_emergency_stop(esp_id=PIN.esp_id, gpio=gpio))
        house.link.slot.set()
        command = await waiting
        assert house.link.sent == []
        assert not house.leases.leases
        await send(on(action=CommandAction.OFF))
    assert command.status is CommandStatus.REJECTED
    assert "emergency stop" in (command.reason or "")
    assert command.sent_at is None
    assert [sent.action for sent, _ in house.link.sent] == [CommandAction.OFF]


async def test_a_command_that_waits_for_its_turn_is_refused_when_an_emergency_stop_comes() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        await send(on(), wait=False)
        await until(lambda: bool(house.link.sent))
        second = await send(on(), wait=False)
        off = await send(on(action=CommandAction.OFF), wait=False)
        house.latch.put(make_emergency_stop(reason="flood"))
        house.link.hold.set()
        await until(
            lambda: house.storage.commands.rows[off.id].status is CommandStatus.ACKNOWLEDGED
        )
    refused = house.storage.commands.rows[second.id]
    assert refused.status is CommandStatus.REJECTED
    assert "emergency stop of every device is in force (flood)" in (refused.reason or "")
    assert [command.action for command, _ in house.link.sent] == [
        CommandAction.ON,
        CommandAction.OFF,
    ]


async def test_without_a_database_nothing_is_sent() -> None:
    house = Greenhouse()
    async with house.running() as send:
        house.storage.available = False
        with pytest.raises(StorageUnavailableError):
            await send(on())
    assert house.link.sent == []


async def test_without_a_database_what_is_to_be_off_is_switched_off_all_the_same() -> None:
    house = Greenhouse()
    async with house.running() as send:
        await send(on())
        house.storage.available = False
        with pytest.raises(StorageUnavailableError, match="it is switched off all the same"):
            await send(on(action=CommandAction.OFF))
    assert [lease.pin for lease in house.leases.due(send._now())] == [PIN]


async def test_an_outcome_is_stored_when_the_database_comes_back() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        command = await send(on(), wait=False)
        await until(lambda: CommandStatus.SENT in house.statuses())
        house.storage.available = False
        house.link.hold.set()
        await until(lambda: len(house.clock.slept) > 2)
        house.storage.available = True
        await until(
            lambda: house.storage.commands.rows[command.id].status is CommandStatus.ACKNOWLEDGED
        )


@pytest.mark.parametrize(
    ("status", "value", "ends", "why"),
    [
        (CommandStatus.SENT, 1.0, CommandStatus.TIMED_OUT, "answer was heard"),
        (CommandStatus.PENDING, 1.0, CommandStatus.EXPIRED, "before it was sent"),
        (CommandStatus.PENDING, 0.0, CommandStatus.TIMED_OUT, "answer was heard"),
    ],
)
@pytest.mark.parametrize("ago", [-3600, 60], ids=["by a clock that was ahead", "before"])
async def test_commands_that_a_restart_cut_off_are_ended_at_the_next_start(
    status: CommandStatus, value: float, ends: CommandStatus, why: str, ago: int
) -> None:
    house = Greenhouse()
    at = START - timedelta(seconds=ago)
    cut_off = make_command(status=status, value=value, created_at=at)
    house.storage.commands.rows[cut_off.id] = cut_off
    async with house.running():
        pass
    ended = house.storage.commands.rows[cut_off.id]
    assert ended.status is ends
    assert why in (ended.reason or "")


async def test_what_the_watchdog_gave_since_the_start_is_its_own() -> None:
    house = Greenhouse()
    at = START + timedelta(seconds=1)
    off = make_command(
        status=CommandStatus.PENDING, value=0.0, created_at=at, origin=CommandOrigin.SAFETY
    )
    house.storage.commands.rows[off.id] = off
    async with house.running():
        pass
    assert house.storage.commands.rows[off.id] == off


async def test_before_the_service_runs_nothing_is_taken() -> None:
    house = Greenhouse()
    with pytest.raises(ConflictError, match="only begun to start"):
        await house.send(on())
    assert house.storage.commands.rows == {}


async def test_only_so_many_commands_may_be_under_way() -> None:
    house = Greenhouse()
    house.link.hold = asyncio.Event()
    async with house.running() as send:
        for _ in range(MOST_OPEN):
            await send(on(), wait=False)
        with pytest.raises(ConflictError, match="too many"):
            await send(on(), wait=False)
        assert len(house.storage.commands.rows) == MOST_OPEN
        await until(lambda: house.leases.get(PIN) is not None)
        with pytest.raises(ConflictError, match=r"too many .* it is switched off all the same"):
            await send(on(action=CommandAction.OFF))
        assert [lease.pin for lease in house.leases.due(send._now())] == [PIN]
        house.link.hold.set()
        await until(lambda: house.statuses().count(CommandStatus.ACKNOWLEDGED) == 1)
        await send(on(), wait=False)
