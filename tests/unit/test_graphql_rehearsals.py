"""Rules are rehearsed through GraphQL, and made of blueprints."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.users import Role
from tests.eventually import eventually
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device, make_reading, make_sensor

SENSOR = {"espId": "ESP_12AB34", "gpio": 4, "sensorType": "ds18b20"}
PUMP = {"espId": "ESP_12AB34", "gpio": 5}
WARM: dict[str, Any] = {
    "name": "Cool",
    "condition": {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 20}},
    "actions": [
        {"delay": "PT10S"},
        {"command": {"actuator": PUMP, "action": "ON", "duration": "PT1M"}},
    ],
}
SPAN: dict[str, Any] = {"from": (START - timedelta(days=1)).isoformat(), "to": START.isoformat()}
TEST = """
mutation($id: ID, $input: RuleInput, $readings: [SampleInput!]) {
  testRule(id: $id, input: $input, readings: $readings) { fires explanation commands }
}
"""
FOUND = """
readings evaluations firingCount firings { at until explanation } commandCount commands onTime
violationCount violations { espId gpio limit at } assumptions
"""
BACKTEST = f"""
mutation($id: ID, $input: RuleInput, $from: DateTime!, $to: DateTime!) {{
  backtestRule(id: $id, input: $input, from: $from, to: $to) {{ {FOUND} }}
}}
"""
START_RUN = """
mutation($input: RuleInput, $from: DateTime!, $to: DateTime!) {
  startBacktest(input: $input, from: $from, to: $to) { id state progress }
}
"""
RUN = f"query($id: ID!) {{ backtest(id: $id) {{ state progress reason result {{ {FOUND} }} }} }}"
CANCEL = "mutation($id: ID!) { cancelBacktest(id: $id) { state } }"
CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { id } }"
COMPARE = """
query($id: ID!, $input: RuleInput!) {
  compareRule(id: $id, input: $input) {
    gone come old { firingCount } new { firingCount }
  }
}
"""
MAKE = """
mutation($blueprint: String! = "heating", $parameters: JSON!) {
  createRuleFromBlueprint(blueprint: $blueprint, parameters: $parameters, name: "Warm") {
    id name mode condition
  }
}
"""


@pytest.fixture
async def server() -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device())
    sensor = await server.has_sensor(make_sensor())
    await server.has_actuator(make_actuator())
    since = START - timedelta(hours=1)
    for number, value in enumerate([19.0, 21.0, 19.0, 23.0, 19.0]):
        at = since + timedelta(minutes=number)
        reading = make_reading(
            number + 1, sensor=sensor, value=value, measured_at=at, received_at=at
        )
        await server.store(reading)
    return server


async def test_a_rule_is_tested_on_given_values_alone(server: GraphqlServer) -> None:
    readings = [{"sensor": SENSOR, "value": 21.0}]
    found = (await server.ask(TEST, input=WARM, readings=readings))["testRule"]
    assert found["fires"]
    assert found["explanation"]["seen"][0]["value"] == 21.0
    (command,) = found["commands"]
    assert (command["action"], command["after"], command["actuator"]) == ("ON", "PT10S", PUMP)
    missing = (await server.ask(TEST, input=WARM, readings=[]))["testRule"]
    assert (missing["fires"], missing["explanation"]["holds"]) == (False, None)


async def test_a_rule_is_backtested_on_what_was_stored(server: GraphqlServer) -> None:
    found = (await server.ask(BACKTEST, input=WARM, **SPAN))["backtestRule"]
    assert (found["readings"], found["firingCount"], found["commandCount"]) == (5, 2, 2)
    assert found["firings"][0]["explanation"]["holds"]
    assert found["onTime"] == [{"actuator": PUMP, "onTime": "PT2M", "starts": 2, "longest": "PT1M"}]
    assert found["violations"] == []
    assert found["assumptions"]
    made = (await server.ask(CREATE, input=WARM))["createRule"]
    again = (await server.ask(BACKTEST, id=made["id"], **SPAN))["backtestRule"]
    assert again == found


async def test_old_and_new_are_compared(server: GraphqlServer) -> None:
    made = (await server.ask(CREATE, input=WARM))["createRule"]
    warmer = {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 22}}
    new = {**WARM, "condition": warmer}
    found = (await server.ask(COMPARE, id=made["id"], input=new))["compareRule"]
    assert len(found["gone"]) == 1
    assert found["come"] == []
    assert (found["old"]["firingCount"], found["new"]["firingCount"]) == (2, 1)


async def test_a_long_backtest_is_started_looked_at_and_cancelled(server: GraphqlServer) -> None:
    run = (await server.ask(START_RUN, input=WARM, **SPAN))["startBacktest"]
    other = (await server.ask(START_RUN, input=WARM, **SPAN))["startBacktest"]
    assert run["state"] == "WAITING"
    ended = (await server.ask(CANCEL, id=other["id"]))["cancelBacktest"]
    assert ended["state"] == "CANCELLED"
    async with asyncio.TaskGroup() as tasks:
        known = server.services.rehearse
        working = tasks.create_task(known.run())
        await eventually(lambda: all(each.over for each in known._runs.values()))
        working.cancel()
    found = (await server.ask(RUN, id=run["id"]))["backtest"]
    assert (found["state"], found["progress"], found["result"]["firingCount"]) == ("DONE", 1.0, 2)
    assert await server.code(CANCEL, id=run["id"]) == "CONFLICT"


async def test_one_rule_is_meant_and_neither_none_nor_two(server: GraphqlServer) -> None:
    made = (await server.ask(CREATE, input=WARM))["createRule"]
    assert await server.code(TEST) == "BAD_INPUT"
    assert await server.code(TEST, id=made["id"], input=WARM) == "BAD_INPUT"
    assert await server.code(RUN, id="nonsense") == "BAD_INPUT"


async def test_a_rule_that_cannot_be_is_not_rehearsed_and_the_place_of_what_is_wrong_is_told(
    server: GraphqlServer,
) -> None:
    made = (await server.ask(CREATE, input=WARM))["createRule"]
    pressure = {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 20, "unit": "hPa"}}
    wrong = {**WARM, "condition": {"all": [WARM["condition"], pressure]}}
    given = {TEST: {}, BACKTEST: SPAN, START_RUN: SPAN, COMPARE: {"id": made["id"]}}
    for query, more in given.items():
        found = await server.execute(query, {"input": wrong, **more})
        assert found.errors
        error = found.errors[0]
        assert error.extensions
        assert error.extensions["code"] == "BAD_INPUT"
        assert "condition.all[1].threshold" in error.message


async def test_a_rule_that_fights_with_one_that_is_there_is_not_rehearsed_unless_disabled(
    server: GraphqlServer,
) -> None:
    await server.ask(CREATE, input=WARM)
    off = {"command": {"actuator": PUMP, "action": "OFF"}}
    other: dict[str, Any] = {**WARM, "name": "Other", "actions": [off]}
    assert await server.code(BACKTEST, input=other, **SPAN) == "BAD_INPUT"
    found = (await server.ask(BACKTEST, input={**other, "enabled": False}, **SPAN))["backtestRule"]
    assert found["firingCount"] == 2


async def test_viewers_rehearse_nothing(server: GraphqlServer) -> None:
    for query, given in ((TEST, {"input": WARM}), (BACKTEST, {"input": WARM, **SPAN})):
        assert await server.code(query, role=Role.VIEWER, **given) == "FORBIDDEN"


async def test_blueprints_say_what_they_want_and_become_rules(server: GraphqlServer) -> None:
    asked = "{ blueprints { name title parameters { name kind default low high unit } } }"
    blueprints = (await server.ask(asked))["blueprints"]
    assert {found["name"] for found in blueprints} == {
        "heating", "irrigation", "ventilation", "co2", "ph",
    }  # fmt: skip
    parameters = {"sensor": SENSOR, "heater": PUMP, "dayTemperature": 22}
    made = (await server.ask(MAKE, parameters=parameters))["createRuleFromBlueprint"]
    assert (made["name"], made["mode"]) == ("Warm", "HOLD")
    assert await server.code(MAKE, parameters={"sensor": SENSOR}) == "BAD_INPUT"


WANTED = {
    "heating": ("°C", "heater"),
    "irrigation": ("%", "pump"),
    "ventilation": ("kPa", "fan"),
    "co2": ("ppm", "valve"),
    "ph": ("pH", "doser"),
}
"""In which unit the sensor of a blueprint is, and what its actuator is called."""

ACTING = {"heating": 10.0, "irrigation": 5.0, "ventilation": 0.2, "co2": 400.0, "ph": 7.0}
"""A value at which there is something to do."""


@pytest.mark.parametrize("name", WANTED)
async def test_each_blueprint_is_made_in_one_mutation_and_backtested(
    server: GraphqlServer, name: str
) -> None:
    unit, actuator = WANTED[name]
    parameters: dict[str, Any] = {actuator: PUMP}
    said = {"sensor": (unit, ACTING[name])} | ({"light": ("lx", 9000.0)} if name == "co2" else {})
    for gpio, (parameter, (sensor_unit, value)) in enumerate(said.items(), 20):
        made = make_sensor(gpio=gpio, sensor_type="made_up", unit=sensor_unit, id=gpio)
        sensor = await server.has_sensor(made)
        parameters[parameter] = {"espId": "ESP_12AB34", "gpio": gpio, "sensorType": "made_up"}
        for minute in range(60):
            at = START - timedelta(minutes=60 - minute)
            number = 1000 * gpio + minute
            reading = make_reading(number, sensor=sensor, value=value, measured_at=at)
            measurement = reading.measurement._replace(unit=sensor_unit)
            await server.store(reading._replace(measurement=measurement))
    rule = (await server.ask(MAKE, blueprint=name, parameters=parameters))[
        "createRuleFromBlueprint"
    ]
    found = (await server.ask(BACKTEST, id=rule["id"], **SPAN))["backtestRule"]
    assert found["firingCount"] >= 1
    assert found["onTime"][0]["starts"] >= 1
    assert found["violations"] == []
