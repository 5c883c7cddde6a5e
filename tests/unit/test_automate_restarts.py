"""What a rule makes of the end of the server: nothing is done twice, and nothing is missed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from domain.actuators import CommandAction
from domain.rule_executions import Remembered, RuleOutcome
from domain.rules.decide import Step
from domain.services.automate import ENDED_ALREADY, MOST_WAITING, TOO_MANY_WAIT
from domain.services.remember_rules import SAVE_EVERY
from tests.automation import (
    BEDS,
    HEAT,
    HEATER,
    PUMP,
    Greenhouse,
    Memory,
    above,
    cold,
    rule,
    switch,
)
from tests.fakes.rules import FakeRules

ON, OFF = CommandAction.ON, CommandAction.OFF
HOT = {"notify": {"message": "Hot.", "severity": "INFO"}}


def fired_for(house: Greenhouse) -> list[int]:
    """Return the ids of the readings that executions were decided on, in their order."""
    causes = [one.triggered_by for one in house.executions() if one.step is Step.FIRE]
    return [cause.reading_id for cause in causes if cause is not None]


@pytest.mark.parametrize("saved", [True, False], ids=["state saved", "rule just made"])
async def test_readings_whose_judgement_was_cut_off_are_judged_after_the_restart_in_their_order(
    saved: bool,  # noqa: FBT001 - the story
) -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30), HOT))
        await house.read(29)
        if saved:
            await house.pass_(SAVE_EVERY)
        first, _, second = (house.store(value) for value in (31, 29, 31))
    async with Greenhouse(memory).running() as again:
        await again.pass_(2)
        assert fired_for(again) == [first.id, second.id]
    async with Greenhouse(memory).running() as third:
        await third.pass_(2)
    assert fired_for(third) == [first.id, second.id]


async def test_a_fall_whose_judgement_was_cut_off_arms_the_rule_for_the_next_edge() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30)))
        await house.read(31)
        house.store(29)
    async with Greenhouse(memory).running() as again:
        edge = await again.read(31)
    assert fired_for(again)[-1] == edge.id
    assert len(again.executions()) == 2


async def test_what_was_cut_off_and_is_too_old_by_now_or_late_or_bad_does_nothing() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30)))
        await house.read(29)
        await house.pass_(SAVE_EVERY + 1)
        house.store(31, ago=30)
        house.store(None)
        memory.clock._elapsed += 900
        house.store(31, ago=40)
        house.store(29)
        memory.clock._elapsed += 870
    async with Greenhouse(memory).running() as again:
        await again.pass_(2)
    assert again.executions() == []


async def test_what_a_device_said_before_it_was_approved_is_not_caught_up_with() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30), switch(HEATER)))
        house.store(31)
    again = Greenhouse(memory)
    again.registry.change_device(BEDS, approved=False)
    async with again.running():
        await again.pass_(2)
    assert again.executions() == []


async def test_a_hold_that_began_and_ended_unjudged_is_known_and_not_made_up_for() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(cold(), switch(HEATER)))
        await house.read(19)
        house.store(17)
        house.store(21)
    async with Greenhouse(memory).running() as again:
        await again.pass_(2)
    assert again.sent() == []
    (begin,) = again.executions()
    assert (begin.step, begin.outcome) == (Step.HOLD_BEGINS, RuleOutcome.SKIPPED)
    assert begin.reason == ENDED_ALREADY


@pytest.mark.parametrize("noted", [True, False], ids=["end stored", "end not stored"])
async def test_a_hold_whose_rule_was_deleted_in_the_last_moment_is_switched_off_after_the_restart(
    noted: bool,  # noqa: FBT001 - the story
) -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        stored = await house.manage.create(rule(cold(), switch(HEATER)))
        await house.read(17)
    at = memory.clock.now()
    await memory.storage.rules.save(replace(stored, updated_at=at, deleted_at=at), None)
    if noted:
        (begin,) = memory.storage.rule_executions.rows.values()
        end = replace(
            begin,
            id=memory.new_id(),
            step=Step.HOLD_ENDS,
            outcome=RuleOutcome.RUNNING,
            place=0,
            completed_at=None,
        )
        memory.storage.rule_executions.rows[end.id] = end
        known = memory.storage.rules.remembered[stored.rule.id]
        free = replace(known, state=replace(known.state, held_since=None), execution_id=None)
        await memory.storage.rules.save_states([free])
    async with Greenhouse(memory).running() as again:
        await again.pass_(2)
        assert again.sent() == [ON, OFF]
        assert again.executions()[-1].outcome is RuleOutcome.SUCCEEDED
    async with Greenhouse(memory).running() as third:
        await third.pass_(2)
    assert third.sent() == [ON, OFF]


class SlowRules(FakeRules):
    """Keeps the first states on their way to the database until it may go on."""

    go_on: asyncio.Event | None = None

    @override
    async def save_states(self, remembered: Sequence[Remembered]) -> None:
        go_on, self.go_on = self.go_on, None
        if go_on is not None:
            await go_on.wait()
        await FakeRules.save_states(self, remembered)


async def test_an_older_state_never_overwrites_the_one_stored_with_an_execution() -> None:
    memory = Memory()
    slow = SlowRules()
    go_on = slow.go_on = asyncio.Event()
    memory.storage.rules = slow
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30)))
        await house.read(29)
        await house.pass_(SAVE_EVERY)
        # What it has seen is on its way now; the edge must not overtake it.
        await house.read(31)
        assert house.sent() == []
        go_on.set()
        await house.settle()
        assert house.sent() == [ON]
        (remembered,) = slow.remembered.values()
    assert not remembered.state.armed


async def test_what_an_execution_never_came_to_command_it_lets_go_of() -> None:
    actions = (switch(), {"delay": "PT1M"}, switch(HEATER))
    async with Greenhouse().running() as house:
        stored = await house.manage.create(rule(above(30), *actions, priority=1))
        await house.read(31)
        assert house.holders.get(HEATER, house.clock.now()) is not None
        await house.manage.set_enabled(stored.rule.id, enabled=False)
        await house.settle()
        assert house.holders.get(HEATER, house.clock.now()) is None
        # What it did switch on is its own until the lease ends.
        assert house.holders.get(PUMP, house.clock.now()) is not None


async def test_decisions_that_are_dropped_because_too_much_waits_are_told() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30), HOT))
        house.storage.available = False
        for _ in range(MOST_WAITING + 2):
            await house.read(31)
            house.clock._elapsed += 0.001
            await house.read(29)
            house.clock._elapsed += 0.001
        told = [burst.event.message for burst in house.record._waiting]
        house.storage.available = True
        await house.pass_(timedelta(minutes=2).total_seconds())
    assert house.automate.counts.dropped == 1
    assert any(TOO_MANY_WAIT in message for message in told)
    assert len(house.executions()) == MOST_WAITING + 1


async def test_what_was_decided_before_the_database_went_away_is_not_done_hours_later() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30), switch(), switch(HEATER), HOT, name="Late"))
        house.link.hold = asyncio.Event()
        await house.read(31)
        assert house.sent() == [ON]
        house.storage.available = False
        house.link.hold.set()
        await house.pass_(600)
        house.storage.available = True
        await house.pass_(120)
        assert house.sent() == [ON]
        told = [burst.event.message for burst in house.record._waiting]
    (execution,) = house.executions()
    assert execution.outcome is RuleOutcome.PARTLY
    assert "the database was away, and it was too late to go on" in (execution.reason or "")
    assert not any("Hot." in message for message in told)


async def test_a_hold_that_ended_before_its_turn_came_is_not_made_up_for() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch(HEATER)))
        house.link.hold = asyncio.Event()
        for value in (17, 21, 17, 21, 17, 21):
            await house.read(value)
            house.clock._elapsed += 0.001
        house.link.hold.set()
        await house.settle()
        told = [burst.event.message for burst in house.record._waiting]
        assert house.holders.get(HEATER, house.clock.now()) is None
    assert house.sent() == [ON, OFF]
    begins = [one for one in house.executions() if one.step is Step.HOLD_BEGINS]
    assert [one.reason for one in begins] == [None, ENDED_ALREADY, ENDED_ALREADY]
    assert not any(ENDED_ALREADY in message for message in told)


STOP = {"emergencyStop": {"espId": BEDS, "reason": "too hot"}}


async def cut(memory: Memory, *actions: Mapping[str, Any]) -> None:
    """Leave behind an execution that was stored, and nothing of it done."""
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30), *actions))
        await house.read(31)
    (execution,) = memory.storage.rule_executions.rows.values()
    running = replace(execution, outcome=RuleOutcome.RUNNING, place=0, completed_at=None)
    memory.storage.rule_executions.rows[running.id] = running
    memory.storage.emergency_stops.rows.clear()


@pytest.mark.parametrize("away", [10, 1200])
async def test_an_emergency_stop_that_was_cut_off_is_pressed_after_the_restart_however_late(
    away: float,
) -> None:
    memory = Memory()
    await cut(memory, HOT, STOP, switch(HEATER))
    memory.clock._elapsed += away
    async with Greenhouse(memory).running() as again:
        await again.pass_(2)
        assert again.latch.covering(PUMP)
    (execution,) = again.executions()
    assert execution.outcome is (RuleOutcome.SUCCEEDED if away == 10 else RuleOutcome.FAILED)


async def test_a_stop_that_a_rule_begins_with_does_not_wait_for_the_database() -> None:
    gone = {"deviceStatus": {"espId": HEAT, "status": "OFFLINE"}}
    async with Greenhouse().running() as house:
        await house.manage.create(rule(gone, HOT, STOP, name="At once"))
        await house.manage.create(rule(gone, switch(), STOP, name="In its turn", priority=1))
        await house.pass_(1)
        house.storage.available = False
        house.online(HEAT, False)
        await house.pass_(1)
        reasons = [stop.reason for stop in house.latch.stops]
        assert house.latch.covering(PUMP)
        house.storage.available = True
        await house.pass_(60)
    assert len(reasons) == 1
    assert "At once" in reasons[0]
    (first,) = [one for one in house.executions() if one.place == 2 and one.reason is None]
    assert first.outcome is RuleOutcome.SUCCEEDED
    assert len([stop for stop in house.latch.stops if "At once" in stop.reason]) == 1
