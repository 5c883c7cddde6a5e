"""Rules at work: what sets them going, what they do, and what a restart makes of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.actuators import CommandAction, CommandOrigin, CommandStatus
from domain.errors import BrokerUnavailableError, DeviceSilentError
from domain.events import RuleExecuted
from domain.rule_executions import ReadingKey, RuleOutcome
from domain.rules.decide import Reason, Step
from domain.rules.notation import write_condition
from domain.sensors import Quality
from domain.services.carry_out import HOLD_LEASE
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

ON, OFF = CommandAction.ON, CommandAction.OFF


def outcomes(house: Greenhouse) -> list[tuple[Step, RuleOutcome]]:
    return [(one.step, one.outcome) for one in house.executions()]


async def test_a_reading_runs_the_actions_once_and_the_execution_says_why() -> None:
    async with Greenhouse().running() as house:
        stored = await house.manage.create(rule(above(30)))
        reading = await house.read(31)
        await house.read(32)
    (execution,) = house.executions()
    assert (execution.rule_id, execution.rule_version) == (stored.rule.id, 1)
    assert execution.triggered_by == ReadingKey(1, reading.measured_at, reading.id)
    assert execution.outcome is RuleOutcome.SUCCEEDED
    assert execution.explanation["holds"] is True
    (command,) = house.storage.commands.rows.values()
    assert (command.origin, command.execution_id) == (CommandOrigin.RULE, execution.id)
    told = [event.execution for event in house.events.published if isinstance(event, RuleExecuted)]
    assert [one.outcome for one in told] == [RuleOutcome.RUNNING, RuleOutcome.SUCCEEDED]


async def test_every_edge_runs_it_again_even_when_both_come_at_once() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        for value in (31, 29, 31, 29, 31):
            house.clock._elapsed += 0.001
            await house.read(value)
    assert outcomes(house) == [(Step.FIRE, RuleOutcome.SUCCEEDED)] * 3


@pytest.mark.parametrize(
    "later",
    [
        {"value": 20, "ago": 60},
        {"value": None, "quality": Quality.ERROR},
        {"value": 20, "quality": Quality.SUSPECT},
    ],
)
async def test_late_and_bad_readings_neither_run_nor_arm_it(later: dict[str, Any]) -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        await house.read(31)
        await house.pass_(1)
        await house.read(**later)
        await house.read(31)
    assert len(house.executions()) == 1


async def test_a_limit_without_a_unit_keeps_the_meaning_that_it_had_when_the_rule_was_made() -> (
    None
):
    async with Greenhouse().running() as house:
        await house.read(20)
        stored = await house.manage.create(rule(above(30)))
        await house.read(86, unit="°F")
        # What passes through while a library is broken is no temperature.
        await house.read(344, unit=None, quality=Quality.UNKNOWN)
        assert house.executions() == []
        await house.read(88, unit="°F")
    assert write_condition(stored.rule.condition)["threshold"]["unit"] == "°C"
    assert len(house.executions()) == 1


async def test_of_a_sensor_that_said_nothing_yet_its_library_knows_the_unit() -> None:
    async with Greenhouse().running() as house:
        house.manage.unit_of = {"ds18b20": "°C"}.get
        stored = await house.manage.create(rule(above(30)))
    assert write_condition(stored.rule.condition)["threshold"]["unit"] == "°C"


@pytest.mark.parametrize("quality", [Quality.SUSPECT, Quality.BAD, Quality.STALE])
async def test_a_rule_that_says_so_acts_on_a_doubtful_reading_and_says_on_which(
    quality: Quality,
) -> None:
    whatever = {"threshold": {**above(30)["threshold"], "anyQuality": True}}
    async with Greenhouse().running() as house:
        await house.manage.create(rule(whatever))
        reading = await house.read(31, quality=quality)
        await house.read(None, quality=Quality.ERROR)
        await house.read(20)
        await house.read(31)
    first, second = house.executions()
    assert first.triggered_by == ReadingKey(1, reading.measured_at, reading.id)
    assert quality in str(first.explanation)
    assert second.outcome is RuleOutcome.SUCCEEDED


async def test_only_rules_that_watch_a_sensor_are_judged_for_its_readings() -> None:
    async with Greenhouse().running() as house:
        other = {"threshold": {**above(1)["threshold"]}}
        other["threshold"]["sensor"] = {"espId": HEAT, "gpio": 9, "sensorType": "ds18b20"}
        for number in range(5):
            await house.manage.create(rule(other, name=f"Other {number}"))
        await house.manage.create(rule(above(30)))
        before = house.automate.counts.judged
        await house.read(31)
    assert house.automate.counts.judged == before + 1


async def test_state_is_stored_before_anything_is_sent() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        house.storage.available = False
        await house.read(31)
        assert house.sent() == []
        house.storage.available = True
        await house.pass_(30)
    assert house.sent() == [ON]
    (remembered,) = house.storage.rules.remembered.values()
    assert not remembered.state.armed


async def test_a_restart_does_not_run_it_again_for_readings_it_has_seen() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30)))
        await house.read(31)
    async with Greenhouse(memory).running() as again:
        again.world(house.storage.readings.rows)
        await again.pass_(2)
        assert len(again.executions()) == 1
        await again.read(29)
        await again.read(31)
    assert len(again.executions()) == 2


async def test_a_hold_is_on_while_its_condition_holds_and_off_once() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch(HEATER)))
        await house.read(17)
        for _ in range(11):
            await house.pass_(60)
            await house.read(17.5)
        await house.read(19)
        on = house.sent()
        await house.read(20.5)
        await house.read(21)
    assert on == [ON] * 3
    assert house.sent()[len(on) :] == [OFF]
    assert house.leases.get(HEATER) is None
    assert outcomes(house) == [
        (Step.HOLD_BEGINS, RuleOutcome.SUCCEEDED),
        (Step.HOLD_ENDS, RuleOutcome.SUCCEEDED),
    ]
    begin = house.executions()[0].id
    renewals = [c for c in house.storage.commands.rows.values() if c.action is ON]
    assert {command.execution_id for command in renewals} == {begin}
    assert {command.duration for command in renewals} == {HOLD_LEASE}


@pytest.mark.parametrize("how", ["disabled", "deleted", "stale", "edited"])
async def test_a_hold_that_is_disabled_deleted_edited_or_blind_switches_off(how: str) -> None:
    async with Greenhouse().running() as house:
        stored = await house.manage.create(rule(cold(), switch(HEATER)))
        await house.read(17)
        match how:
            case "disabled":
                await house.manage.set_enabled(stored.rule.id, enabled=False)
            case "deleted":
                await house.manage.delete(stored.rule.id)
            case "edited":
                await house.manage.update(stored.rule.id, rule(cold(), switch(PUMP)))
            case "stale":
                await house.pass_(15 * 60 + 1)
        await house.pass_(2)
        assert house.sent(HEATER)[-1] is OFF
        assert house.sent(HEATER).count(OFF) == 1
        assert house.sent(PUMP) == ([ON] if how == "edited" else [])
        assert house.holders.get(HEATER, house.clock.now()) is None


async def test_a_restart_finds_a_hold_on_and_ends_it() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(cold(), switch(HEATER)))
        await house.read(17)
        await house.read(19)
    async with Greenhouse(memory).running() as again:
        holder = again.holders.get(HEATER, again.clock.now())
        assert holder is not None
        assert holder.name == "Rule"
        await again.read(19.5)
        assert again.sent() == [ON]
        await again.read(20.5)
    assert again.sent() == [ON, OFF]


async def test_while_its_device_is_away_a_trigger_is_skipped_and_runs_on_its_return() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        await house.pass_(1)
        house.online(BEDS, False)
        await house.read(31)
        assert house.sent() == []
        (skipped,) = house.executions()
        assert skipped.outcome is RuleOutcome.SKIPPED
        assert BEDS in (skipped.reason or "")
        await house.pass_(60)
        house.online(BEDS, True)
        await house.pass_(1)
    assert house.sent() == [ON]
    assert [one.why for one in house.executions()] == [Reason.TRUE, Reason.RETURNED]


async def test_what_ended_while_its_device_was_away_is_not_made_up_for() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        await house.pass_(1)
        house.online(BEDS, False)
        await house.read(31)
        await house.read(29)
        house.online(BEDS, True)
        await house.pass_(60)
    assert house.sent() == []


async def test_a_heater_that_is_away_when_the_night_begins_heats_when_it_is_back() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch(HEATER)))
        await house.pass_(1)
        house.online(HEAT, False)
        await house.read(17)
        for _ in range(6):
            await house.pass_(480)
            await house.read(15)
        assert house.sent() == []
        house.online(HEAT, True)
        await house.pass_(1)
        assert house.sent() == [ON]
        await house.read(21)
    assert house.sent() == [ON, OFF]
    assert outcomes(house) == [
        (Step.HOLD_BEGINS, RuleOutcome.SKIPPED),
        (Step.HOLD_RENEWS, RuleOutcome.SUCCEEDED),
        (Step.HOLD_ENDS, RuleOutcome.SUCCEEDED),
    ]


async def test_a_broker_that_is_away_delays_a_trigger() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        house.link.error = BrokerUnavailableError("no broker")
        await house.read(31)
        assert house.executions()[0].outcome is RuleOutcome.FAILED
        house.link.error = None
        # Nobody knows what the device heard, so it is told to switch off before anything else.
        lease = house.leases.get(PUMP)
        assert lease is not None
        house.leases.passed_on(PUMP, lease.id)
        house.leases.off(PUMP, house.send._now(), answered=True)
        await house.pass_(40)
    assert house.sent() == [ON]
    assert house.executions()[-1].outcome is RuleOutcome.SUCCEEDED


async def test_actions_come_in_their_order_with_delays_between() -> None:
    actions = (switch(), {"delay": "PT1M"}, switch(action="OFF"))
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30), *actions))
        await house.read(31)
        await house.pass_(59)
        assert house.sent() == [ON]
        assert house.executions()[0].outcome is RuleOutcome.RUNNING
        await house.pass_(2)
    assert house.sent() == [ON, OFF]
    assert house.executions()[0].duration >= timedelta(minutes=1)


@pytest.mark.parametrize(("away", "resumed"), [(0, True), (120, True), (1200, False)])
async def test_a_delay_in_flight_is_resumed_after_a_restart_unless_it_is_too_late(
    away: float,
    resumed: bool,  # noqa: FBT001 - the expectation
) -> None:
    memory = Memory()
    actions = (switch(), {"delay": "PT1M"}, switch(HEATER))
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30), *actions))
        await house.read(31)
    memory.clock._elapsed += away
    async with Greenhouse(memory).running() as again:
        await again.pass_(70)
    assert again.sent(PUMP) == [ON]
    assert again.sent(HEATER) == ([ON] if resumed else [])
    (execution,) = again.executions()
    assert execution.outcome is (RuleOutcome.SUCCEEDED if resumed else RuleOutcome.PARTLY)


async def test_a_command_under_way_when_the_server_is_killed_is_not_sent_twice() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(above(30), switch(), switch(HEATER)))
        await house.read(31)
    # As if it had been killed before it could note how far it had come.
    (execution,) = house.executions()
    cut = replace(execution, outcome=RuleOutcome.RUNNING, place=0, completed_at=None)
    memory.storage.rule_executions.rows[cut.id] = cut
    async with Greenhouse(memory).running() as again:
        await again.pass_(2)
    assert again.sent() == [ON, ON]
    assert again.executions()[0].outcome is RuleOutcome.SUCCEEDED


async def test_a_rule_that_is_disabled_during_a_delay_drops_the_rest() -> None:
    actions = (switch(), {"delay": "PT1M"}, switch(HEATER))
    async with Greenhouse().running() as house:
        stored = await house.manage.create(rule(above(30), *actions))
        await house.read(31)
        await house.manage.set_enabled(stored.rule.id, enabled=False)
        await house.pass_(70)
    assert house.sent(HEATER) == []
    assert house.executions()[0].outcome is RuleOutcome.PARTLY


async def test_rules_notify_stop_and_switch_each_other() -> None:
    async with Greenhouse().running() as house:
        other = await house.manage.create(rule(above(100), switch(HEATER), enabled=False))
        actions = (
            {"notify": {"message": "It is hot.", "severity": "WARNING"}},
            {"setRuleEnabled": {"id": str(other.rule.id), "enabled": True}},
            {"emergencyStop": {"espId": BEDS, "reason": "too hot"}},
        )
        await house.manage.create(rule(above(30), *actions))
        await house.read(31)
        enabled = house.manage.find(other.rule.id).rule.enabled
        waiting = [burst.event.message for burst in house.record._waiting]
    assert enabled
    assert "It is hot." in waiting
    (stop,) = house.latch.covering(PUMP)
    assert stop.reason == "too hot (rule Rule)"
    assert house.executions()[0].outcome is RuleOutcome.SUCCEEDED


async def test_of_two_rules_the_more_important_one_has_the_actuator() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch(), name="Low", priority=9))
        await house.read(17)
        high = rule(above(16, unit="°C"), switch(), name="High", priority=1, mode="HOLD")
        await house.manage.create(high)
        await house.settle()
        holder = house.holders.get(PUMP, house.clock.now())
        assert holder is not None
        assert (holder.name, holder.priority) == ("High", 1)
        await house.read(15)
        await house.pass_(1)
        assert house.sent()[-2:] == [OFF, ON]
        holder = house.holders.get(PUMP, house.clock.now())
        assert holder is not None
        assert holder.name == "Low"


async def test_a_less_important_trigger_is_skipped_with_the_name_of_the_holder() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch(), name="Frost", priority=1))
        await house.read(17)
        await house.manage.create(rule(above(16), switch(action="OFF"), name="Dry", priority=9))
        await house.settle()
    last = house.executions()[-1]
    assert last.outcome is RuleOutcome.SKIPPED
    assert "Frost" in (last.reason or "")
    assert house.sent() == [ON]


async def test_what_a_person_switches_off_rules_leave_off_for_a_while() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch()))
        await house.read(17)
        await house.person(OFF, override_for=timedelta(minutes=5))
        assert house.storage.commands.rows
        await house.pass_(4 * 60)
        assert house.sent() == [ON, OFF]
        await house.read(17)
        await house.pass_(2 * 60)
    assert house.sent() == [ON, OFF, ON]


async def test_a_restart_remembers_what_a_person_wanted() -> None:
    memory = Memory()
    async with Greenhouse(memory).running() as house:
        await house.manage.create(rule(cold(), switch()))
        await house.read(17)
        await house.person(OFF)
    async with Greenhouse(memory).running() as again:
        holder = again.holders.get(PUMP, again.clock.now())
        assert holder is not None
        assert holder.rule_id is None
        await again.read(16)
        await again.pass_(60)
    assert again.sent() == [ON, OFF]


async def test_a_person_who_asks_for_no_override_gives_the_actuator_back_at_once() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch()))
        await house.read(17)
        await house.person(OFF, override_for=timedelta(0))
        await house.pass_(60)
    assert house.sent() == [ON, OFF, ON]


async def test_a_refused_renewal_leaves_no_command_behind() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch()))
        await house.read(17)
        await house.emergency.stop("look", esp_id=BEDS, by=None)
        before = len(house.storage.commands.rows)
        await house.pass_(6 * 60)
    rejected = CommandStatus.REJECTED
    assert all(c.status is not rejected for c in house.storage.commands.rows.values())
    assert len(house.storage.commands.rows) == before


async def test_a_device_that_does_not_answer_a_hold_is_told_again() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(cold(), switch()))
        house.link.error = DeviceSilentError("no answer")
        await house.read(17)
        assert house.executions()[0].outcome is RuleOutcome.FAILED
        house.link.error = None
        await house.pass_(31)
        lease = house.leases.get(PUMP)
    assert house.sent() == [ON, ON]
    assert lease is not None
    assert lease.confirmed


async def test_a_jump_of_the_clock_runs_a_rule_at_most_once() -> None:
    window = {"timeWindow": {"start": "13:00", "end": "14:00", "timeZone": "UTC"}}
    async with Greenhouse().running() as house:
        await house.manage.create(rule(window))
        await house.pass_(1)
        house.clock.start += timedelta(days=9, hours=1, minutes=5)
        await house.pass_(3)
    assert len(house.executions()) == 1


async def test_a_rule_watches_devices_and_actuators() -> None:
    gone = {"deviceStatus": {"espId": HEAT, "status": "OFFLINE"}}
    runs = {"actuatorState": {"actuator": {"espId": HEAT, "gpio": 6}, "on": True}}
    async with Greenhouse().running() as house:
        await house.manage.create(rule(gone, name="Gone"))
        await house.pass_(1)
        house.online(HEAT, False)
        await house.pass_(1)
        assert house.sent() == [ON]
        await house.manage.create(rule(runs, switch(action="OFF"), name="Runs", priority=3))
        state = house.registry.actuator(HEATER)
        assert state is not None
        on = replace(state.state, is_active=True, value=1.0, reported_at=house.clock.now())
        house.registry.change_actuator(HEATER, state=on)
        await house.pass_(1)
    assert house.sent() == [ON, OFF]
