"""Why something was done, and why nothing was, as it was at that moment and not as it is now."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.actuators import CommandAction, CommandOrigin, CommandStatus
from domain.errors import NotFoundError
from domain.services.reasons import Reasons
from tests.automation import PUMP, Greenhouse, above, rule, switch
from tests.makers import make_command

HOUR = timedelta(hours=1)


def reasons(house: Greenhouse) -> Reasons:
    return Reasons(storage=house.storage, registry=house.registry, automate=house.automate)


async def why(house: Greenhouse, origin: CommandOrigin = CommandOrigin.RULE) -> dict[str, Any]:
    """Ask about the newest command of an origin."""
    found = [c for c in house.storage.commands.rows.values() if c.origin is origin]
    return {**(await reasons(house).why(found[-1].id))["arbitration"]}


async def test_a_rule_that_takes_an_actuator_says_from_whom_and_that_for_ever() -> None:
    async with Greenhouse().running() as house:
        low = rule(above(20), name="Low", mode="HOLD", priority=50)
        limits = {"cooldown": "PT5M", "maxExecutionsPerHour": 3}
        high = rule(above(30), switch(duration="PT1M"), name="High", priority=10, **limits)
        await house.manage.create(low)
        await house.manage.create(high)
        await house.read(25)
        nobody = await why(house)
        assert (nobody["heldBy"], nobody["preempted"], nobody["priority"]) == (None, False, 50)
        began = house.clock.now()
        await house.pass_(20)
        await house.read(31)
        took = await why(house)
    later = Greenhouse(house.memory)
    assert await why(later) == took
    assert took["preempted"] is True
    assert (took["priority"], took["lastRanAt"], took["cooldown"]) == (10, None, "PT5M")
    assert (took["executionsInTheHour"], took["maxExecutionsPerHour"]) == (0, 3)
    held = took["heldBy"]
    assert (held["kind"], held["name"], held["priority"]) == ("RULE", "Low", 50)
    assert held["since"] == began.replace(tzinfo=None).isoformat() + "Z"
    assert held["reason"] == "the rule Low (priority 50) holds it: its condition holds"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (CommandStatus.REJECTED, "refused: why"),
        (CommandStatus.EXPIRED, "kept back: why"),
        (CommandStatus.SUPERSEDED, "kept back: why"),
        (CommandStatus.TIMED_OUT, "nothing stood against it"),
    ],
)
async def test_what_kept_a_command_from_leaving_is_said(status: CommandStatus, said: str) -> None:
    house = Greenhouse()
    command = make_command(status=status, reason="why")
    house.storage.commands.rows[command.id] = command
    assert (await reasons(house).why(command.id))["safety"] == said


async def test_the_second_run_of_a_rule_says_when_the_first_was() -> None:
    async with Greenhouse().running() as house:
        limits = {"cooldown": "PT1M", "maxExecutionsPerHour": 3}
        await house.manage.create(rule(above(30), switch(duration="PT10S"), **limits))
        await house.read(31)
        first = house.clock.now()
        await house.pass_(120)
        await house.read(20)
        await house.read(31)
        again = await why(house)
    assert again["lastRanAt"] == first.replace(tzinfo=None).isoformat() + "Z"
    assert again["executionsInTheHour"] == 1


async def test_a_person_who_takes_an_actuator_is_told_from_whom() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(20), name="Low", mode="HOLD"))
        await house.read(25)
        await house.person(CommandAction.OFF, override_for=HOUR)
        took = await why(house, CommandOrigin.USER)
        until = (house.clock.now() + HOUR).replace(tzinfo=None).isoformat() + "Z"
        await house.person(CommandAction.ON)
        again = await why(house, CommandOrigin.USER)
    assert (took["heldBy"]["name"], took["preempted"]) == ("Low", True)
    assert took["overridesUntil"] == until
    assert again["heldBy"]["kind"] == "PERSON"
    assert again["heldBy"]["until"] == until


async def test_a_rule_that_a_person_kept_away_wrote_down_who_and_until_when() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(20), name="Low", mode="HOLD"))
        await house.person(CommandAction.OFF, override_for=HOUR)
        until = (house.clock.now() + HOUR).replace(tzinfo=None).isoformat() + "Z"
        await house.read(25)
        (skipped,) = house.executions()
    (held,) = skipped.arbitration["heldBy"]
    assert (held["kind"], held["until"], held["gpio"]) == ("PERSON", until, PUMP.gpio)


async def test_who_commands_what_nobody_had_took_it_from_nobody() -> None:
    async with Greenhouse().running() as house:
        command = await house.person(CommandAction.ON)
        told = (await reasons(house).why(command.id))["arbitration"]
    assert (told["heldBy"], told["preempted"]) == (None, False)


async def test_the_watchdog_asks_nobody() -> None:
    async with Greenhouse().running() as house:
        house.storage.commands.rows[UUID(int=7)] = make_command(origin=CommandOrigin.SAFETY)
        told = (await reasons(house).why(UUID(int=7)))["arbitration"]
    assert (told["by"], told["heldBy"]) == ("the server asks nobody", None)


async def test_nobody_knows_why_of_a_command_that_is_not_known() -> None:
    async with Greenhouse().running() as house:
        with pytest.raises(NotFoundError):
            await reasons(house).why(UUID(int=999))


async def test_why_not_judges_the_version_that_was_in_force_then() -> None:
    async with Greenhouse().running() as house:
        made = await house.manage.create(rule(above(30), name="First"))
        await house.pass_(60)
        await house.read(25)
        await house.pass_(60)
        await house.manage.update(made.rule.id, rule(above(20), name="Second"))
        await house.pass_(60)
        ask = reasons(house).why_not
        then = await ask(made.rule.id, house.clock.now() - timedelta(seconds=90))
        now = await ask(made.rule.id, None)
    assert (then["rule"]["version"], then["rule"]["name"], then["holds"]) == (1, "First", False)
    assert "must be above 30" in then["objections"][0]
    assert then["rule"]["enabled"] is True
    assert (now["rule"]["version"], now["rule"]["name"], now["holds"]) == (2, "Second", True)


async def test_why_not_says_that_a_rule_was_disabled_deleted_or_not_there_yet() -> None:
    async with Greenhouse().running() as house:
        start = house.clock.now()
        await house.pass_(60)
        made = await house.manage.create(rule(above(20)))
        rule_id, created = made.rule.id, house.clock.now()
        await house.read(25)
        await house.pass_(60)
        await house.manage.set_enabled(rule_id, enabled=False)
        await house.pass_(60)
        await house.manage.set_enabled(rule_id, enabled=True)
        await house.pass_(60)
        await house.manage.delete(rule_id)
        await house.pass_(60)
        ask = reasons(house).why_not
        before = await ask(rule_id, start)
        at_work = await ask(rule_id, created + timedelta(seconds=30))
        disabled = await ask(rule_id, created + timedelta(seconds=90))
        enabled = await ask(rule_id, created + timedelta(seconds=150))
        deleted = await ask(rule_id, None)
        with pytest.raises(NotFoundError):
            await ask(UUID(int=999), start)
    assert before["rule"] is None
    assert "there was no such rule yet: Rule was made at" in before["objections"][0]
    assert (at_work["holds"], at_work["objections"]) == (True, [])
    assert (disabled["holds"], disabled["rule"]["enabled"]) == (True, False)
    assert disabled["objections"][0].startswith("it was disabled")
    assert (enabled["rule"]["enabled"], enabled["objections"]) == (True, [])
    assert deleted["rule"]["enabled"] is False
    assert deleted["objections"][0].startswith("it was deleted at")
