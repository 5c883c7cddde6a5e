"""What rules do with each other, with people's decisions about them, and after an outage."""

from collections.abc import Sequence

import pytest
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from domain.times import read_instant
from tests.e2e.asking import ask, client
from tests.e2e.devices import living, running
from tests.e2e.probes import SENSOR, Probe, now
from tests.e2e.ruling import (
    BOARD,
    COLD,
    DELETE,
    DISABLE,
    HOT,
    SOON,
    SWITCH_ON,
    board,
    executions,
    make,
    until_done,
    until_heard,
    until_known,
)
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

HOLDER = """query($board: String!) { actuator(espId: $board, gpio: 5) {
    holder { reason priority rule { name } }
} }"""
AFTERWARDS = """query($other: ID!, $itself: ID!) {
    systemEvents(first: 100) { edges { node { message severity } } }
    emergencyStops { reason active device { espId } }
    other: rule(id: $other) { enabled }
    itself: rule(id: $itself) { enabled }
}"""
MINUTE = 60.0


async def holder(http: AsyncClientSession) -> str | None:
    found = (await ask(http, HOLDER, board=BOARD))["actuator"]["holder"]
    name: str | None = found and found["rule"]["name"]
    return name


async def until_held_by(http: AsyncClientSession, name: str | None) -> None:
    async def held() -> bool:
        return await holder(http) == name

    await eventually(held, within=SOON, what=f"{name} holds the pump")


async def steps(http: AsyncClientSession, name: str) -> Sequence[str]:
    return [one["step"] for one in await executions(http) if one["rule"]["name"] == name]


async def until_steps(http: AsyncClientSession, name: str, *wanted: str) -> None:
    async def done() -> bool:
        return list(await steps(http, name)) == list(wanted)

    await eventually(done, within=SOON, what=f"{name} did {wanted}")


async def test_the_more_important_rule_takes_the_pump_and_gives_it_back(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    freezing = {"threshold": {"sensor": SENSOR, "operator": "LT", "value": 5, "unit": "°C"}}
    off = {"command": {"actuator": {"espId": BOARD, "gpio": 5}, "action": "OFF"}}
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        await make(http, "Comfort", COLD, priority=50)
        await make(http, "Frost", freezing, priority=1, mode="HOLD")
        await make(http, "Saving", freezing, priority=90, actions=[off])
        await probe.shows(17.0)
        await until_held_by(http, "Comfort")
        await probe.shows(4.0)
        await until_held_by(http, "Frost")
        await until_steps(http, "Saving", "FIRE")
        assert running(device)
        (refused,) = [one for one in await executions(http) if one["rule"]["name"] == "Saving"]
        assert refused["outcome"] == "SKIPPED"
        assert "Frost" in refused["reason"] or "Comfort" in refused["reason"]
        await probe.shows(6.0)
        await until_held_by(http, "Comfort")
        await eventually(lambda: running(device), within=SOON, what="it heats again")
        assert await steps(http, "Frost") == ["HOLD_BEGINS", "HOLD_ENDS"]
        await probe.shows(21.0)
        await until_held_by(http, None)
        await eventually(lambda: not running(device), within=SOON, what="it is off")
        assert await steps(http, "Comfort") == ["HOLD_BEGINS", "HOLD_ENDS"]


@pytest.mark.parametrize("how", ["disabled", "deleted", "stale"])
async def test_a_hold_that_is_let_go_of_switches_off_once(
    server: ServerProcess, broker: EmbeddedBroker, how: str
) -> None:
    device, probe = board(), Probe(broker)
    cold = {"threshold": {**HOT["threshold"], "operator": "LT", "value": 18, "maxAge": "PT5S"}}
    began, ended = ("HOLD_BEGINS", "SUCCEEDED"), ("HOLD_ENDS", "SUCCEEDED")
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        rule_id = await make(http, "Heating", cold, mode="HOLD")
        await probe.shows_now(17.0)
        await until_done(http, began)
        assert running(device)
        if how == "disabled":
            await ask(http, DISABLE, id=rule_id)
        elif how == "deleted":
            await ask(http, DELETE, id=rule_id)
        await until_done(http, began, ended)
        await eventually(lambda: not running(device), within=SOON, what="it is off")
        if how != "stale":
            await probe.shows_now(16.0)
            await probe.shows_now(15.0)
            await until_heard(http, 15.0)
        await until_done(http, began, ended)
        (*_, last) = await executions(http)
        assert [command["action"] for command in last["commands"]] == ["OFF"]
        assert not running(device)


async def test_actions_come_in_order_they_tell_disable_enable_and_stop(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        other = await make(http, "Other", COLD, enabled=False, priority=60)
        itself = await make(http, "Fire", HOT)
        actions = [
            SWITCH_ON,
            {"notify": {"message": "It burns.", "severity": "CRITICAL"}},
            {"setRuleEnabled": {"id": other, "enabled": True}},
            {"delay": "PT1S"},
            {"emergencyStop": {"espId": BOARD, "reason": "the house burns"}},
            {"setRuleEnabled": {"id": itself, "enabled": False}},
        ]
        update = (
            "mutation($id: ID!, $rule: RuleInput!) { updateRule(id: $id, input: $rule) { id } }"
        )
        rule = {"name": "Fire", "condition": HOT, "actions": actions}
        await ask(http, update, id=itself, rule=rule)
        await probe.shows(31.0)
        await eventually(lambda: running(device), within=SOON, what="first it is switched on")
        await until_done(http, ("FIRE", "SUCCEEDED"))
        await eventually(lambda: not running(device), within=SOON, what="then it is stopped")

        async def told() -> bool:
            events = (await ask(http, AFTERWARDS, other=other, itself=itself))["systemEvents"]
            return ("It burns.", "CRITICAL") in [
                (edge["node"]["message"], edge["node"]["severity"]) for edge in events["edges"]
            ]

        await eventually(told, within=SOON, what="people are told")
        found = await ask(http, AFTERWARDS, other=other, itself=itself)
        assert found["other"]["enabled"]
        assert not found["itself"]["enabled"]
        (stop,) = found["emergencyStops"]
        assert stop["reason"].startswith("the house burns")
        assert stop["active"]
        assert stop["device"] == {"espId": BOARD}
        await probe.shows(29.0, 31.5)
        await until_heard(http, 31.5)
        await until_done(http, ("FIRE", "SUCCEEDED"))


async def test_an_hour_of_readings_at_once_sets_off_only_what_still_says_something(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker, ago=61.5 * MINUTE, every=MINUTE)
    tell = {"notify": {"message": "It is hot.", "severity": "INFO"}}
    hot_and_cold = [31.0 if minute // 5 % 2 == 0 else 17.0 for minute in range(60)]
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        await make(http, "Cooling", HOT, actions=[tell])
        await make(http, "Heating", COLD)
        # Twelve edges; all but the last quarter of an hour is too old to say how things are.
        await probe.shows(*hot_and_cold)

        async def heats() -> bool:
            # One that was over before it could begin is known, and has no end.
            begun = [step for step in await steps(http, "Heating") if step == "HOLD_BEGINS"]
            return len(begun) == 2 and running(device)

        await eventually(heats, within=SOON, what="it heats")
        assert await steps(http, "Cooling") == ["FIRE"]
        heated = await steps(http, "Heating")
        ages = [
            (now() - read_instant(one["triggeredBy"]["timestamp"]).timestamp()) / MINUTE
            for one in await executions(http)
        ]
        assert all(age < 16 for age in ages)
        # What is sent once more, and what comes later still and is older, changes nothing.
        probe.at = now() - 62 * MINUTE
        await probe.shows(*hot_and_cold)
        await probe.shows_now(17.5)
        await until_heard(http, 17.5)
        assert await steps(http, "Cooling") == ["FIRE"]
        assert await steps(http, "Heating") == heated
