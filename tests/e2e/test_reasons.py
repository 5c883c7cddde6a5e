"""One query tells the whole way of a command, from what a probe said to what a pump answered.

It tells it as it was: the same after rules were edited and the server was killed.
"""

from typing import Any

from gql.client import AsyncClientSession

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from tests.e2e.asking import ask, client
from tests.e2e.devices import living
from tests.e2e.probes import PROBE, SENSOR, Probe
from tests.e2e.ruling import (
    BOARD,
    DELETE,
    DISABLE,
    SWITCH_ON,
    board,
    make,
    until_done,
    until_heard,
    until_known,
)
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

CALIBRATE = "mutation($input: CalibrateSensorInput!) { calibrateSensor(input: $input) { id } }"
LAST = """query($esp: String!) { actuator(espId: $esp, gpio: 5) {
    commands(first: 1) { edges { node { id origin status } } }
} }"""
WHY = "query($id: ID!) { why(commandId: $id) }"
WHY_NOT = "query($id: ID!, $at: DateTime) { whyNot(ruleId: $id, at: $at) }"
UPDATE = "mutation($id: ID!, $input: RuleInput!) { updateRule(id: $id, input: $input) { version } }"
OFF = """mutation($esp: String!) { sendCommand(
    input: {espId: $esp, gpio: 5, action: OFF, overrideFor: "PT1H"}
) { id } }"""
SKIPPED = "{ ruleExecutions(outcome: SKIPPED) { edges { node { reason rule { name } } } } }"


def above(value: float) -> dict[str, Any]:
    return {"threshold": {"sensor": SENSOR, "operator": "GT", "value": value, "unit": "°C"}}


def again(name: str, value: float, **more: object) -> dict[str, Any]:
    return {"name": name, "condition": above(value), "actions": [SWITCH_ON], **more}


def instant() -> str:
    return SystemClock().now().isoformat()


async def last(http: AsyncClientSession) -> dict[str, Any]:
    ((edge,),) = ((await ask(http, LAST, esp=BOARD))["actuator"]["commands"]["edges"],)
    found: dict[str, Any] = edge["node"]
    return found


async def why(http: AsyncClientSession, command_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await ask(http, WHY, id=command_id))["why"]
    return answer


async def test_why_tells_the_whole_way_of_a_command_and_goes_on_telling_the_same(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            points = [{"raw": 400, "reference": 26.0}]
            await ask(
                http, CALIBRATE, input={"sensor": SENSOR, "method": "offset", "points": points}
            )
            await make(http, "Low", above(27), mode="HOLD", priority=60)
            limits = {"cooldown": "PT5M", "maxExecutionsPerHour": 4}
            high = await make(http, "High", above(30), mode="TRIGGER", priority=10, **limits)
            await probe.shows(28.0)
            await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"))
            await probe.shows(31.0)
            await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"), ("FIRE", "SUCCEEDED"))
            command = await last(http)
            assert command["status"] == "ACKNOWLEDGED"
            told = await why(http, command["id"])
            await ask(http, UPDATE, id=high, input=again("Higher", 35, priority=90))
        await server.kill()
        await server.start()
        async with client(server) as http:
            assert await why(http, command["id"]) == told
    message, reading, calibration = told["message"], told["reading"], told["calibration"]
    assert (message["espId"], message["rawValue"]) == (PROBE, 31 * 16)
    assert message["measuredAt"] < message["receivedAt"]
    assert (reading["value"], reading["unit"], reading["library"]) == (32.0, "°C", "ds18b20")
    assert reading["libraryVersion"]
    assert reading["calibration"] == calibration["id"]
    assert (calibration["method"], calibration["points"]) == ("offset", 1)
    assert calibration["parameters"] == {"offset": 1.0}
    assert (told["rule"]["name"], told["rule"]["version"]) == ("High", 1)
    (seen,) = told["execution"]["explanation"]["seen"]
    assert (seen["value"], seen["quality"]) == (32.0, "GOOD")
    arbitration = told["arbitration"]
    assert (arbitration["priority"], arbitration["preempted"]) == (10, True)
    assert (arbitration["heldBy"]["name"], arbitration["heldBy"]["priority"]) == ("Low", 60)
    assert (arbitration["cooldown"], arbitration["executionsInTheHour"]) == ("PT5M", 0)
    assert told["safety"] == "nothing stood against it"
    assert told["command"]["createdAt"] <= told["published"] <= told["acknowledged"]


async def test_what_a_person_holds_is_told_of_both_their_command_and_who_had_to_wait(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        await make(http, "Low", above(27), mode="HOLD")
        await probe.shows(28.0)
        await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"))
        command = (await ask(http, OFF, esp=BOARD))["sendCommand"]
        told = await why(http, command["id"])
        assert told["rule"] is None
        assert told["arbitration"]["heldBy"]["name"] == "Low"
        assert told["arbitration"]["preempted"] is True
        assert told["arbitration"]["overridesUntil"] > told["command"]["createdAt"]
        await make(http, "Hot", above(30), mode="TRIGGER", priority=40)
        await probe.shows(31.0)

        async def waits() -> bool:
            edges = (await ask(http, SKIPPED))["ruleExecutions"]["edges"]
            return "Hot" in [edge["node"]["rule"]["name"] for edge in edges]

        await eventually(waits, within=10, what="the rule was kept away")
        (edge,) = (await ask(http, SKIPPED))["ruleExecutions"]["edges"]
        assert "a person commands it" in edge["node"]["reason"]


async def test_why_not_judges_a_rule_as_it_stood_at_that_moment(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        moments = [instant()]
        rule_id = await make(http, "First", above(30), mode="TRIGGER")
        await probe.shows_now(25.5)
        await until_heard(http, 25.5)
        moments.append(instant())
        await ask(http, UPDATE, id=rule_id, input=again("Second", 40, mode="TRIGGER"))
        moments.append(instant())
        await ask(http, DISABLE, id=rule_id)
        moments.append(instant())
        await ask(http, DELETE, id=rule_id)
        moments.append(instant())
    await server.kill()
    await server.start()
    async with client(server) as http:
        before, first, second, disabled, deleted = [
            (await ask(http, WHY_NOT, id=rule_id, at=at))["whyNot"] for at in moments
        ]
    assert before["rule"] is None
    assert "there was no such rule yet" in before["objections"][0]
    assert (first["rule"]["version"], first["rule"]["name"], first["holds"]) == (1, "First", False)
    assert "must be above 30" in first["objections"][0]
    assert (second["rule"]["version"], second["rule"]["enabled"]) == (2, True)
    assert "must be above 40" in second["objections"][0]
    assert disabled["objections"][0].startswith("it was disabled")
    assert deleted["objections"][0].startswith("it was deleted")
