"""Rules keep every version; what is remembered of them, and what they did, comes back as it was."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.actuators import CommandOrigin
from domain.errors import BadInputError
from domain.pages import PageRequest
from domain.rule_executions import (
    ReadingKey,
    Remembered,
    RuleExecution,
    RuleOutcome,
    StoredRule,
    Tally,
)
from domain.rules.decide import Reason, Step
from domain.rules.model import Rule, RuleState
from domain.rules.rule_notation import read_rule
from storage.connection import Database
from tests.fakes import START
from tests.makers import make_actuator, make_command, make_device

RULE = UUID(int=1)

WRITTEN: Mapping[str, Any] = {
    "name": "Water the beds",
    "condition": {
        "hysteresis": {
            "sensor": {"espId": "ESP_12AB34", "gpio": 4, "sensorType": "moisture"},
            "activateBelow": 30,
            "deactivateAbove": 40,
        }
    },
    "actions": [
        {"command": {"actuator": {"espId": "ESP_12AB34", "gpio": 5}, "action": "ON"}},
    ],
}


def rule(version: int = 1, rule_id: UUID = RULE, **changes: Any) -> Rule:  # noqa: ANN401 - any field
    return replace(read_rule(WRITTEN, rule_id, version), **changes)


def stored(made: Rule, **changes: Any) -> StoredRule:  # noqa: ANN401 - any field
    return replace(StoredRule(rule=made, created_at=START, updated_at=START), **changes)


def execution(number: int, **changes: Any) -> RuleExecution:  # noqa: ANN401 - any field
    made = RuleExecution(
        id=UUID(int=number),
        rule_id=RULE,
        rule_version=1,
        step=Step.FIRE,
        why=Reason.TRUE,
        triggered_at=START + timedelta(seconds=number),
        triggered_by=ReadingKey(1, START, 77),
        explanation={"holds": True, "sentence": "it is 20 °C"},
        arbitration={"priority": 50, "heldBy": [{"name": "Tür"}]},
    )
    return replace(made, **changes)


async def test_every_version_of_a_rule_stays(database: Database) -> None:
    first, second = rule(), rule(2, priority=3)
    async with database.unit_of_work() as work:
        await work.rules.add(stored(first), None)
        later = START + timedelta(hours=1)
        await work.rules.save(stored(second, updated_at=later), UUID(int=9))
    async with database.autocommit() as work:
        assert await work.rules.all() == [stored(second, updated_at=later)]
        assert await work.rules.version(RULE, 1) == first
        assert await work.rules.version(RULE, 2) == second
        assert await work.rules.version(RULE, 3) is None


async def test_how_a_rule_stood_is_known_of_every_moment(database: Database) -> None:
    minute = timedelta(minutes=1)
    made, edited = stored(rule()), stored(rule(2, priority=3), updated_at=START + minute)
    off = replace(edited, rule=replace(edited.rule, enabled=False), updated_at=START + 2 * minute)
    gone = replace(off, updated_at=START + 3 * minute, deleted_at=START + 3 * minute)
    async with database.autocommit() as work:
        await work.rules.add(made, None)
        for one in (edited, off, gone):
            await work.rules.save(one, None)

        async def at(minutes: float) -> StoredRule | None:
            return await work.rules.at(RULE, START + minutes * minute)

        assert await at(-0.1) is None
        assert [await at(0), await at(0.9)] == [made, made]
        assert [await at(1), await at(2), await at(9)] == [edited, off, gone]
        assert await work.rules.trim_changes(START + 2.5 * minute) == 2
        assert [await at(1.5), await at(2.5), await at(3)] == [None, off, gone]
        assert await work.rules.trim_changes(START + 100 * minute) == 1
        assert await at(100) == gone


async def test_enabling_is_no_version(database: Database) -> None:
    async with database.autocommit() as work:
        await work.rules.add(stored(rule()), None)
        await work.rules.save(stored(rule(enabled=False)), None)
        assert (await work.rules.by_ids([RULE]))[RULE].rule == rule(enabled=False)
        assert await work.rules.version(RULE, 1) == rule()


async def test_a_deleted_rule_is_found_by_its_id_only(database: Database) -> None:
    gone = stored(rule(), deleted_at=START)
    async with database.autocommit() as work:
        await work.rules.add(gone, None)
        assert await work.rules.all() == []
        assert (await work.rules.page(PageRequest())).entries == ()
        assert await work.rules.by_ids([RULE]) == {RULE: gone}


async def test_rules_are_listed_by_name_page_by_page(database: Database) -> None:
    async with database.autocommit() as work:
        for number, name in enumerate("cab", 1):
            on = name != "a"
            await work.rules.add(
                stored(rule(rule_id=UUID(int=number), name=name, enabled=on)), None
            )
        first = await work.rules.page(PageRequest(2))
        rest = await work.rules.page(PageRequest(2, first.entries[-1].key))
        enabled = await work.rules.page(PageRequest(), enabled=True)
        with pytest.raises(BadInputError):
            await work.rules.page(PageRequest(1, ("b", "no id")))
    names = [entry.item.rule.name for page in (first, rest) for entry in page.entries]
    assert (names, first.has_next, rest.has_next) == (["a", "b", "c"], True, False)
    assert [entry.item.rule.name for entry in enabled.entries] == ["b", "c"]


async def test_what_is_remembered_comes_back_and_is_replaced(database: Database) -> None:
    held = RuleState(held_since=START, held_version=1, fired_for=frozenset({5, 7}), armed=False)
    async with database.autocommit() as work:
        await work.rules.save_states([Remembered(rule_id=RULE, state=RuleState())])
        await work.rules.save_states(
            [
                Remembered(rule_id=RULE, state=held, execution_id=UUID(int=3)),
                Remembered(rule_id=UUID(int=2), state=RuleState()),
            ]
        )
        found = await work.rules.states()
    assert found[RULE] == Remembered(rule_id=RULE, state=held, execution_id=UUID(int=3))
    assert len(found) == 2


async def test_an_execution_is_stored_once_and_saved_as_it_goes_on(database: Database) -> None:
    begun = execution(1)
    ended = replace(
        begun,
        outcome=RuleOutcome.PARTLY,
        reason="it did not answer",
        place=2,
        completed_at=START + timedelta(seconds=9),
    )
    async with database.autocommit() as work:
        remembered = Remembered(rule_id=RULE, state=RuleState(armed=False), execution_id=begun.id)
        await work.rule_executions.add(begun, remembered)
        assert await work.rules.states() == {RULE: remembered}
        await work.rule_executions.add(ended)
        assert await work.rule_executions.running() == [begun]
        await work.rule_executions.save(ended)
        assert await work.rule_executions.by_ids([begun.id, UUID(int=2)]) == {begun.id: ended}
        assert await work.rule_executions.running() == []


async def test_executions_are_found_by_rule_outcome_and_time(database: Database) -> None:
    skipped = execution(2, outcome=RuleOutcome.SKIPPED, triggered_by=None)
    other = execution(3, rule_id=UUID(int=8), outcome=RuleOutcome.SUCCEEDED)
    async with database.autocommit() as work:
        repository = work.rule_executions
        for one in (execution(1), skipped, other):
            await repository.add(one)

        async def ids(**which: Any) -> list[int]:  # noqa: ANN401 - any filter
            page = await repository.page(PageRequest(), **which)
            return [entry.item.id.int for entry in page.entries]

        assert await ids() == [3, 2, 1]
        assert await ids(rule_id=RULE) == [2, 1]
        assert await ids(outcome=RuleOutcome.SKIPPED) == [2]
        assert await ids(start=skipped.triggered_at, end=other.triggered_at) == [2]
        assert await repository.since(UUID(int=1), 10) == [skipped, other]
        assert await repository.since(UUID(int=1), 10, rule_id=RULE) == [skipped]
        tallies = await repository.tallies([RULE, UUID(int=8)])
    assert tallies == {RULE: Tally(1, 0), UUID(int=8): Tally(1, 1)}


async def test_the_oldest_executions_leave_but_none_that_is_under_way(database: Database) -> None:
    over = [execution(number, outcome=RuleOutcome.SUCCEEDED) for number in range(2, 6)]
    async with database.autocommit() as work:
        for one in (execution(1), *over):
            await work.rule_executions.add(one)
        assert await work.rule_executions.trim(3, START) == 1
        assert await work.rule_executions.trim(9, over[2].triggered_at) == 1
        page = await work.rule_executions.page(PageRequest())
    assert [entry.item.id.int for entry in page.entries] == [5, 4, 1]


async def test_commands_know_their_execution_and_how_long_they_keep_rules_away(
    database: Database,
) -> None:
    async with database.unit_of_work() as work:
        await work.devices.add(make_device())
        actuator = await work.actuators.add(make_actuator())
        caused = make_command(
            actuator, id=UUID(int=1), origin=CommandOrigin.RULE, execution_id=UUID(int=4)
        )
        until = START + timedelta(minutes=5)
        person = make_command(
            actuator, id=UUID(int=2), override_until=until, arbitration={"name": "Tür"}
        )
        await work.commands.add(caused)
        await work.commands.add(person)
        assert await work.commands.of_executions([UUID(int=4)]) == {UUID(int=4): [caused]}
        assert await work.commands.overriding(START) == [person]
        assert await work.commands.overriding(until) == []
