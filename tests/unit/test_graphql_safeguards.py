"""Interlocks, effects and the loss of the server through GraphQL, with every explanation."""

import re
from pathlib import Path
from typing import Any

import pytest

from domain.actuators import ActuatorState
from domain.devices import FirmwareGeneration
from domain.sensors import Measurement, ProcessingMode, Quality
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device, make_reading, make_sensor

ESP = "ESP_12AB34"
LEVEL = {"espId": ESP, "gpio": 34, "sensorType": "level"}
FULL_ENOUGH = {"threshold": {"sensor": LEVEL, "operator": "GT", "value": 10, "unit": "%"}}
VALVE_OPEN = {"actuatorState": {"actuator": {"espId": "ESP_FA17E5", "gpio": 6}, "on": True}}

SET = """mutation($settings: ActuatorConfigInput!) {
    setActuator(input: $settings) {
        interlocks effect onServerLoss warnings
        interlockStates { condition holds objection explanation }
    }
}"""
ON = f"""mutation {{
    sendCommand(input: {{espId: "{ESP}", gpio: 5, action: ON}}) {{ status reason }}
}}"""


async def house(**device: Any) -> GraphqlServer:  # noqa: ANN401 - any field
    server = GraphqlServer()
    await server.has_device(make_device(ESP, **device))
    await server.has_actuator(make_actuator(ESP, 5, state=ActuatorState(reported_at=START)))
    server.registry.put_sensors([make_sensor(ESP, 34, "level", unit="%")])
    return server


async def declare(server: GraphqlServer, **settings: object) -> dict[str, Any]:
    settings = {"espId": ESP, "gpio": 5, "actuatorType": "pump", **settings}
    answer: dict[str, Any] = (await server.ask(SET, settings=settings))["setActuator"]
    return answer


def hear(server: GraphqlServer, value: float, unit: str = "%") -> None:
    measured = Measurement(value, unit, Quality.GOOD, ProcessingMode.RAW)
    sensor = make_sensor(ESP, 34, "level", unit="%")
    server.world([make_reading(1, sensor=sensor, measured_at=START, measurement=measured)])


async def test_what_is_declared_is_shown_as_it_was_written_with_every_default_said() -> None:
    server = await house()
    effect = {"condition": FULL_ENOUGH, "within": "PT10M", "switchOff": True}
    declared = await declare(
        server, interlocks=[FULL_ENOUGH, {"not": VALVE_OPEN}], effect=effect, onServerLoss="OFF"
    )
    limit = {"sensor": LEVEL, "unit": "%", "operator": "GT", "value": 10.0}
    assert declared["interlocks"] == [{"threshold": limit}, {"not": VALVE_OPEN}]
    assert declared["effect"] == {**effect, "condition": {"threshold": limit}}
    assert declared["onServerLoss"] == "OFF"


async def test_a_limit_without_a_unit_is_meant_in_the_one_that_its_sensor_measures_in_now() -> None:
    server = await house()
    hear(server, 80.0)
    bare = {"threshold": {"sensor": LEVEL, "operator": "GT", "value": 10}}
    deep = {"all": [{"not": bare}, {"any": [bare, VALVE_OPEN]}]}
    effect = {"condition": bare, "within": "PT10M"}
    declared = await declare(server, interlocks=[bare, deep], effect=effect)
    said = {"threshold": {**bare["threshold"], "unit": "%"}}
    assert declared["interlocks"] == [said, {"all": [{"not": said}, {"any": [said, VALVE_OPEN]}]}]
    assert declared["effect"]["condition"] == said
    assert (await declare(server, interlocks=[bare]))["interlockStates"][0]["holds"]
    hear(server, 80.0, "cm")
    (state,) = (await declare(server, name="Irrigation"))["interlockStates"]
    assert state["holds"] is None
    assert "cm" in state["objection"]


async def test_what_is_left_out_stays_and_null_ends_it() -> None:
    server = await house()
    await declare(server, interlocks=[FULL_ENOUGH], onServerLoss="OFF")
    kept = await declare(server, name="Irrigation")
    assert (len(kept["interlocks"]), kept["onServerLoss"]) == (1, "OFF")
    ended = await declare(server, interlocks=None, effect=None)
    assert (ended["interlocks"], ended["effect"]) == ([], None)


async def test_what_is_not_there_yet_is_a_warning_until_it_comes() -> None:
    server = await house()
    declared = await declare(server, interlocks=[{"all": [FULL_ENOUGH, VALVE_OPEN]}])
    assert declared["warnings"] == [
        "interlocks[0].all[1].actuatorState.actuator: is not there yet; until it is, unknown"
    ]
    await server.has_device(make_device("ESP_FA17E5"))
    await server.has_actuator(make_actuator("ESP_FA17E5", 6, "valve", id=2))
    assert (await declare(server))["warnings"] == []


@pytest.mark.parametrize(
    ("interlock", "complaint"),
    [
        (
            {"threshold": {"sensor": LEVEL, "operator": "GT", "value": 1, "unit": "°C"}},
            "interlocks[0].threshold.unit: ",
        ),
        (
            {"threshold": {"sensor": LEVEL, "operator": "GT", "value": 1, "upper": 2}},
            "interlocks[0].threshold.upper: is only for BETWEEN",
        ),
        (
            {"threshold": {"sensor": LEVEL, "operator": "GT", "value": 1, "anyQuality": True}},
            "interlocks[0]: takes good values only: leave anyQuality to rules",
        ),
        (
            {"not": {"actuatorState": {"actuator": {"espId": ESP, "gpio": 5}, "on": True}}},
            "interlocks[0]: an actuator cannot wait for itself",
        ),
    ],
)
async def test_what_can_never_hold_is_refused_at_its_place_and_nothing_is_kept(
    interlock: object, complaint: str
) -> None:
    server = await house()
    settings = {"espId": ESP, "gpio": 5, "actuatorType": "pump", "interlocks": [interlock]}
    result = await server.execute(SET, {"settings": {**settings, "name": "Other"}})
    assert result.errors is not None
    assert complaint in result.errors[0].message
    actuator = server.registry.actuator(make_actuator(ESP, 5).pin)
    assert actuator is not None
    assert actuator.name != "Other"


async def test_a_condition_is_exactly_one_thing() -> None:
    server = await house()
    settings = {"espId": ESP, "gpio": 5, "actuatorType": "pump"}
    both = {**FULL_ENOUGH, **VALVE_OPEN}
    result = await server.execute(SET, {"settings": {**settings, "interlocks": [both]}})
    assert result.errors is not None


async def test_a_refusal_says_what_stands_in_the_way_and_the_actuator_shows_it() -> None:
    server = await house()
    hear(server, 3.0)
    declared = await declare(server, interlocks=[FULL_ENOUGH])
    (state,) = declared["interlockStates"]
    assert state["holds"] is False
    assert state["objection"] == "level of ESP_12AB34 is 3 %, and must be above 10 %"
    assert state["explanation"]["seen"][0]["value"] == 3.0
    async with server.commanding():
        answer = (await server.ask(ON))["sendCommand"]
    assert answer == {
        "status": "REJECTED",
        "reason": "an interlock does not hold: " + state["objection"],
    }


async def test_an_interlock_that_holds_lets_the_command_out() -> None:
    server = await house()
    hear(server, 80.0)
    (state,) = (await declare(server, interlocks=[FULL_ENOUGH]))["interlockStates"]
    assert (state["holds"], state["objection"]) == (True, None)
    async with server.commanding():
        assert (await server.ask(ON))["sendCommand"]["status"] == "ACKNOWLEDGED"


@pytest.mark.parametrize(
    ("generation", "choice", "said"),
    [
        (FirmwareGeneration.APRIL_2026, "OFF", "its firmware switches it off by itself"),
        (FirmwareGeneration.APRIL_2026, "HOLD_LEASE", "cannot be held longer than two minutes"),
        (FirmwareGeneration.NOVEMBER_2025, "OFF", "which its firmware does not do by itself"),
        (FirmwareGeneration.UNKNOWN, "OFF", "is not known to do by itself"),
        (FirmwareGeneration.UNKNOWN, "OFF", "Rules are carried out by the server alone"),
        (FirmwareGeneration.APRIL_2026, "OFF", "can keep offline rules. It gets none from this"),
    ],
)
async def test_it_is_said_what_cannot_be_promised_without_the_server(
    generation: FirmwareGeneration, choice: str, said: str
) -> None:
    server = await house(firmware_generation=generation)
    await declare(server, onServerLoss=choice)
    query = f'{{ actuator(espId: "{ESP}", gpio: 5) {{ guarantees }} }}'
    assert said in " ".join((await server.ask(query))["actuator"]["guarantees"])


async def test_the_example_of_the_safety_page_can_be_declared_as_it_stands() -> None:
    page = Path(__file__).parents[2] / "docs" / "SAFETY.md"
    (example,) = re.findall(r"```graphql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    server = await house()
    declared = (await server.ask(example))["setActuator"]
    assert [set(interlock) for interlock in declared["interlocks"]] == [
        {"threshold"},
        {"actuatorState"},
    ]
