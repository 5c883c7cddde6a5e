"""Rules through GraphQL: made, told, changed, ended; what they did, and who holds what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from domain.users import Role
from tests.automation import BEDS, HEAT, SENSOR
from tests.fakes import until
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device, make_reading, make_sensor

CREATE = """
mutation($input: RuleInput!) {
  createRule(input: $input) {
    id name mode priority enabled version condition actions warnings lastTriggeredAt successRate
  }
}
"""
EXECUTIONS = """
{
  ruleExecutions {
    edges { node {
      id outcome step cause reason ruleVersion durationMs explanation
      triggeredBy { id value }
      rule { name lastTriggeredAt successRate }
      commands { action status origin ruleExecution { id } }
    } }
  }
}
"""


def given(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    made = {
        "name": "Cool",
        "condition": {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 30}},
        "actions": [
            {
                "command": {
                    "actuator": {"espId": BEDS, "gpio": 5},
                    "action": "ON",
                    "duration": "PT5M",
                }
            }
        ],
    }
    return {**made, **changes}


async def server_with_a_pump() -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device())
    await server.has_sensor(make_sensor())
    await server.has_actuator(make_actuator())
    return server


@asynccontextmanager
async def automating(server: GraphqlServer) -> AsyncIterator[None]:
    automate = server.services.manage_rules.automate
    async with server.commanding(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(automate.run())
        await until(lambda: automate._tasks is not None)
        yield
        running.cancel()


async def read(server: GraphqlServer, value: float) -> None:
    reading = make_reading(1, value=value, measured_at=server.clock.now())
    await server.store(reading)
    server.world([reading])
    await until(
        lambda: any(one.completed_at for one in server.storage.rule_executions.rows.values())
    )


async def test_a_rule_comes_back_as_it_was_written() -> None:
    server = await server_with_a_pump()
    made = (await server.ask(CREATE, input=given()))["createRule"]
    assert (made["mode"], made["priority"], made["version"]) == ("TRIGGER", 50, 1)
    assert made["condition"]["threshold"]["value"] == 30
    assert made["actions"] == given()["actions"]
    assert (made["warnings"], made["lastTriggeredAt"], made["successRate"]) == ([], None, None)
    query = "query($id: ID!) { rule(id: $id) { name } node(id: $id) { id } }"
    assert await server.ask(query, id=made["id"]) == {
        "rule": {"name": "Cool"},
        "node": {"id": made["id"]},
    }


async def test_what_is_not_there_yet_is_a_warning() -> None:
    made = (await GraphqlServer().ask(CREATE, input=given()))["createRule"]
    assert any("threshold.sensor" in warning for warning in made["warnings"])
    assert any("actions[0].command.actuator" in warning for warning in made["warnings"])


async def test_everything_wrong_is_told_with_its_place() -> None:
    server = await server_with_a_pump()
    wrong = given(priority=0, maxExecutionsPerHour=0)
    result = await server.execute(CREATE, {"input": wrong})
    error = (result.errors or [])[0]
    assert (error.extensions or {})["code"] == "BAD_INPUT"
    assert "priority" in error.message
    assert "maxExecutionsPerHour" in error.message


async def test_two_rules_that_fight_are_refused_with_the_name_of_the_other() -> None:
    server = await server_with_a_pump()
    await server.ask(CREATE, input=given())
    off = {"command": {"actuator": {"espId": BEDS, "gpio": 5}, "action": "OFF"}}
    result = await server.execute(CREATE, {"input": given(name="Dry", actions=[off])})
    error = (result.errors or [])[0]
    assert "'Cool'" in error.message
    await server.ask(CREATE, input=given(name="Dry", actions=[off], priority=3))


async def test_a_rule_must_not_drive_itself() -> None:
    server = await server_with_a_pump()
    runs = {"actuatorState": {"actuator": {"espId": BEDS, "gpio": 5}, "on": False}}
    result = await server.execute(CREATE, {"input": given(condition=runs)})
    error = (result.errors or [])[0]
    assert "loop" in error.message


async def test_a_rule_is_changed_disabled_and_deleted() -> None:
    server = await server_with_a_pump()
    rule_id = (await server.ask(CREATE, input=given()))["createRule"]["id"]
    update = """mutation($id: ID!, $input: RuleInput!) {
        updateRule(id: $id, input: $input) { name version } }"""
    changed = await server.ask(update, id=rule_id, input=given(name="Colder"))
    assert changed["updateRule"] == {"name": "Colder", "version": 2}
    disable = "mutation($id: ID!) { setRuleEnabled(id: $id, enabled: false) { enabled version } }"
    assert (await server.ask(disable, id=rule_id))["setRuleEnabled"] == {
        "enabled": False,
        "version": 2,
    }
    names = (
        "{ on: rules(enabled: true) { edges { node { name } } } rules { edges { node { name } } } }"
    )
    assert await server.ask(names) == {
        "on": {"edges": []},
        "rules": {"edges": [{"node": {"name": "Colder"}}]},
    }
    delete = "mutation($id: ID!) { deleteRule(id: $id) }"
    assert (await server.ask(delete, id=rule_id)) == {"deleteRule": True}
    gone = "query($id: ID!) { rule(id: $id) { deletedAt } rules { edges { node { id } } } }"
    found = await server.ask(gone, id=rule_id)
    assert found["rule"]["deletedAt"]
    assert found["rules"]["edges"] == []
    assert await server.code(delete, id=rule_id) == "NOT_FOUND"


async def test_viewers_read_rules_and_do_not_write_them() -> None:
    server = await server_with_a_pump()
    assert await server.code(CREATE, role=Role.VIEWER, input=given()) == "FORBIDDEN"
    result = await server.execute(EXECUTIONS, role=Role.VIEWER)
    assert result.errors is None


async def test_an_execution_leads_from_the_reading_to_the_command_and_back() -> None:
    server = await server_with_a_pump()
    rule_id = (await server.ask(CREATE, input=given()))["createRule"]["id"]
    subscription = "subscription { ruleExecutions { outcome rule { id } } }"
    async with automating(server), server.subscribed(subscription) as heard:
        await heard.listening()
        await read(server, 31)
        told = await heard.count(2)
        holder = """query($e: String!) { actuator(espId: $e, gpio: 5) {
            holder { reason priority rule { id } user { id } } } }"""
        held = await server.ask(holder, e=BEDS)
    assert [one["ruleExecutions"]["outcome"] for one in told] == ["RUNNING", "SUCCEEDED"]
    assert held["actuator"]["holder"]["rule"] == {"id": rule_id}
    assert "Cool" in held["actuator"]["holder"]["reason"]
    ((edge,),) = ((await server.ask(EXECUTIONS))["ruleExecutions"]["edges"],)
    node = edge["node"]
    assert (node["outcome"], node["step"], node["ruleVersion"]) == ("SUCCEEDED", "FIRE", 1)
    assert node["cause"] == "its condition became true"
    assert node["triggeredBy"]["value"] == 31
    assert node["rule"]["successRate"] == 1.0
    assert node["explanation"]["holds"] is True
    (command,) = node["commands"]
    assert (command["action"], command["origin"]) == ("ON", "RULE")
    assert command["ruleExecution"]["id"] == node["id"]


async def test_a_person_overrides_for_as_long_as_they_say() -> None:
    server = await server_with_a_pump()
    send = """mutation($e: String!) {
        sendCommand(input: {espId: $e, gpio: 5, action: OFF, overrideFor: "PT1H"}) { status } }"""
    holder = """query($e: String!) { actuator(espId: $e, gpio: 5) {
        holder { priority until user { username } rule { id } } } }"""
    async with server.commanding():
        await server.ask(send, e=BEDS)
    held = (await server.ask(holder, e=BEDS))["actuator"]["holder"]
    assert (held["priority"], held["user"], held["rule"]) == (0, {"username": "anna"}, None)
    assert held["until"].startswith("2026-01-01T13:00")


async def test_rules_name_each_other_by_their_ids() -> None:
    server = await server_with_a_pump()
    first = (await server.ask(CREATE, input=given()))["createRule"]["id"]
    switch = {"setRuleEnabled": {"id": first, "enabled": False}}
    second = await server.ask(CREATE, input=given(name="Switch", actions=[switch]))
    assert second["createRule"]["actions"] == [switch]
    unknown = given(
        name="Lost",
        actions=[{"setRuleEnabled": {"id": second["createRule"]["id"][:-2], "enabled": True}}],
    )
    assert await server.code(CREATE, input=unknown) == "BAD_INPUT"
    assert HEAT not in str(second)


async def test_why_tells_the_whole_way_from_the_reading_to_the_answer() -> None:
    server = await server_with_a_pump()
    await server.ask(CREATE, input=given())
    async with automating(server):
        await read(server, 31)
    (edge,) = (await server.ask("{ ruleExecutions { edges { node { commands { id } } } } }"))[
        "ruleExecutions"
    ]["edges"]
    why = "query($id: ID!) { why(commandId: $id) }"
    answer = (await server.ask(why, id=edge["node"]["commands"][0]["id"]))["why"]
    assert answer["reading"]["value"] == 31
    assert answer["reading"]["libraryVersion"] == "1.0.0"
    assert answer["rule"]["name"] == "Cool"
    assert answer["execution"]["explanation"]["holds"] is True
    assert answer["safety"] == "nothing stood against it"
    assert answer["acknowledged"]


async def test_why_not_names_what_stands_in_the_way_now_and_in_the_past() -> None:
    server = await server_with_a_pump()
    rule_id = (await server.ask(CREATE, input=given()))["createRule"]["id"]
    query = "query($id: ID!, $at: DateTime) { whyNot(ruleId: $id, at: $at) }"
    nothing = (await server.ask(query, id=rule_id))["whyNot"]
    assert nothing["holds"] is None
    assert "has not said anything yet" in nothing["objections"][0]
    server.storage.readings.rows.append(make_reading(1, value=12))
    past = await server.ask(query, id=rule_id, at="2026-01-01T11:00:00Z")
    assert past["whyNot"]["holds"] is None
    server.clock._elapsed += 60  # type: ignore[attr-defined]  # a fake
    then = await server.ask(query, id=rule_id, at="2026-01-01T12:00:30Z")
    assert then["whyNot"]["holds"] is False
    assert "12" in then["whyNot"]["objections"][0]
