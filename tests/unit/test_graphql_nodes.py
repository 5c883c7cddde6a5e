"""Anything that shows an id is found again by it, and nothing else passes for an id."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLInterfaceType
from hypothesis import given
from hypothesis import strategies as st

from domain.calibrations import CalibrationMethod, CalibrationProcedure
from domain.dead_letters import DeadLetter
from domain.recomputations import Recomputation, Span
from domain.rule_executions import RuleExecution, StoredRule
from domain.rules.decide import Reason, Step
from domain.rules.rule_notation import read_rule
from domain.sensors import Sensor
from domain.users import Role
from domain.zones import Zone
from resolvers.nodes import KINDS
from schema.ids import global_id, instant_of, microseconds, to_base64
from tests.automation import above
from tests.automation import rule as a_rule
from tests.fakes import START
from tests.graphql_server import GraphqlServer, code_of
from tests.makers import (
    make_actuator,
    make_command,
    make_device,
    make_emergency_stop,
    make_installation,
    make_reading,
    make_relay,
    make_sensor,
    make_system_event,
    make_user,
)
from tests.recomputing import a_calibration

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
SOMEBODY = UUID(int=99)
MEASURED = microseconds(START) + 1
PROCEDURE = UUID(int=22)

UNKNOWN = [
    global_id("Device", "ESP_Z"),
    global_id("Zone", "nowhere"),
    global_id("Sensor", "ESP_A", 4, "ph", ""),
    global_id("Sensor", "ESP_A", 4, "ds18b20", "28FF"),
    global_id("Actuator", "ESP_A", 255),
    global_id("Reading", 2, microseconds(START), 1),
    global_id("Command", SOMEBODY),
    global_id("User", SOMEBODY),
    global_id("DeadLetter", 2**63 - 1),
    global_id("LibraryInstallation", SOMEBODY),
    global_id("SystemEvent", SOMEBODY),
    global_id("EmergencyStop", SOMEBODY),
    global_id("Calibration", SOMEBODY),
    global_id("CalibrationProcedure", SOMEBODY),
    global_id("Recomputation", SOMEBODY),
    global_id("Rule", SOMEBODY),
    global_id("RuleExecution", SOMEBODY),
]

NO_IDS = [
    *("", "x", "ESP_A", "RGV2aWNl=", to_base64("Device")),
    *(global_id("Planet", "north"), global_id("Query"), global_id("device", "ESP_A")),
    *(global_id("Device", "ESP_A", ""), global_id("Device", "ESP\x00A")),
    *(global_id("Sensor", "ESP_A", 4, "ds18b20"), global_id("Sensor", "ESP_A", 256, "ph", "")),
    *(global_id("Actuator", "ESP_A", pin) for pin in ("-1", "256", "5.0", "+5", "05", "5_0", "")),
    *(global_id("Reading", 1, 1, 2**63), global_id("Reading", 2**31, 1, 1)),
    *(global_id("Reading", 1, 10**18, 1), global_id("Reading", 1, -1, 1), global_id("Reading", 1)),
    *(global_id("Command", text) for text in (SOMEBODY.hex, f"{{{SOMEBODY}}}", "ON")),
    *(global_id("SystemEvent", text) for text in (SOMEBODY.hex, "7")),
    *(global_id("DeadLetter", number) for number in ("0x1", "\N{ARABIC-INDIC DIGIT FIVE}", 2**63)),
]


async def greenhouse() -> GraphqlServer:
    """One of everything that has an id."""
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A", zone_id="north"))
    server.storage.zones.rows["north"] = Zone(
        id=SOMEBODY, zone_id="north", name="North", created_at=START
    )
    sensor = await server.has_sensor(make_sensor("ESP_A", 4, "sht31_temp", "68"))
    actuator = await server.has_actuator(make_actuator("ESP_A", 5))
    await server.storage.commands.add(make_command(actuator))
    await server.storage.relays.save_presence(make_relay())
    await server.store(make_reading(1, sensor=sensor, measured_at=instant_of(MEASURED)))
    server.storage.dead_letters.rows.append(
        DeadLetter(id=3, topic="kaiser/?", payload=b"?", reason="?", received_at=START)
    )
    await server.storage.system_events.add([make_system_event(7, "ESP_A")])
    await server.storage.emergency_stops.save(make_emergency_stop(id=UUID(int=8)))
    await server.storage.library_installations.add([make_installation("ESP_A")])
    await calibrate(server, sensor)
    rule = read_rule(a_rule(above(30)), UUID(int=31), 1)
    await server.storage.rules.add(StoredRule(rule=rule, created_at=START, updated_at=START), None)
    await server.storage.rule_executions.add(
        RuleExecution(
            id=UUID(int=32),
            rule_id=rule.id,
            rule_version=1,
            step=Step.FIRE,
            why=Reason.TRUE,
            triggered_at=START,
        )
    )
    return server


async def calibrate(server: GraphqlServer, sensor: Sensor) -> None:
    """A calibration, one under way, and history that is converted again."""
    made = replace(a_calibration(sensor), id=UUID(int=21))
    await server.storage.calibrations.add(made)
    await server.storage.calibration_procedures.add(
        CalibrationProcedure(
            id=PROCEDURE,
            sensor_id=sensor.id,
            method=CalibrationMethod.OFFSET,
            started_at=START,
            changed_at=START,
        )
    )
    await server.storage.recomputations.add(
        Recomputation(
            id=UUID(int=23),
            span=Span(sensor.id, START, START, 0),
            calibration_id=made.id,
            total=0,
            requested_at=START,
        )
    )


def every_node(answer: object) -> list[dict[str, Any]]:
    """Return what has an id in an answer, wherever it stands."""
    if isinstance(answer, list):
        return [node for item in answer for node in every_node(item)]
    if not isinstance(answer, dict):
        return []
    inside = every_node([*answer.values()])
    return [answer, *inside] if "id" in answer else inside


async def test_everything_that_shows_an_id_is_found_again_by_it() -> None:
    server = await greenhouse()

    shown = every_node(
        await server.ask(
            """query($procedure: ID!) {
                me { __typename id username }
                devices { edges { node { __typename id espId zone { __typename id name }
                    sensors { __typename id address calibration { __typename id library }
                        latest { __typename id timestamp } }
                    actuators { __typename id gpio
                        commands { edges { node { __typename id status } } } } } } }
                kaiserNodes { __typename id kaiserId }
                deadLetters { edges { node { __typename id topic } } }
                systemEvents { edges { node { __typename id message } } }
                libraryInstallations { __typename id status }
                emergencyStops { __typename id reason }
                rules { edges { node { __typename id name
                    executions { edges { node { __typename id outcome } } } } } }
                recomputations { edges { node { __typename id state } } }
                calibrationProcedure(id: $procedure) { __typename id method }
            }""",
            procedure=global_id("CalibrationProcedure", PROCEDURE),
        )
    )

    assert {node["__typename"] for node in shown} == KINDS.keys()
    for node in shown:
        fields = " ".join(
            name for name, value in node.items() if not isinstance(value, dict | list)
        )
        found = await server.ask(
            f"query($id: ID!) {{ node(id: $id) {{ ... on {node['__typename']} {{ {fields} }} }} }}",
            id=node["id"],
        )
        assert found["node"].items() <= node.items()
        assert found["node"]["id"] == node["id"]


def test_every_type_with_an_id_can_be_asked_for() -> None:
    schema = GraphqlServer().schema._schema
    interface = schema.type_map["Node"]
    assert isinstance(interface, GraphQLInterfaceType)

    types = {kind.name for kind in schema.get_implementations(interface).objects}

    assert types == KINDS.keys()


async def test_a_node_shows_everything_that_hangs_on_it() -> None:
    server = await greenhouse()

    answer = await server.ask(
        """query($id: ID!) { node(id: $id) {
            ... on Reading { value sensor { device { espId } } }
        } }""",
        id=global_id("Reading", 1, MEASURED, 1),
    )

    assert answer["node"]["value"] == 21.5
    assert answer["node"]["sensor"] == {"device": {"espId": "ESP_A"}}


@pytest.mark.parametrize("wrapped", UNKNOWN)
async def test_what_is_not_known_is_null(wrapped: str) -> None:
    server = await greenhouse()

    assert await server.ask(NODE, id=wrapped) == {"node": None}


@pytest.mark.parametrize("wrapped", NO_IDS)
async def test_what_is_no_id_is_refused(wrapped: str) -> None:
    server = await greenhouse()

    assert await server.code(NODE, id=wrapped) == "BAD_INPUT"
    assert server.storage.transactions == 0


@given(
    st.sampled_from([*KINDS]),
    st.lists(st.text(max_size=20) | st.integers().map(str) | st.uuids().map(str), max_size=4),
)
async def test_nothing_that_is_made_up_finds_anything(kind: str, parts: list[str]) -> None:
    server = GraphqlServer()

    result = await server.execute(NODE, {"id": global_id(kind, *parts)})

    assert result.data == {"node": None}
    assert result.errors is None or code_of(result) == "BAD_INPUT"


@pytest.mark.parametrize("wrapped", [*UNKNOWN, *NO_IDS])
async def test_a_stranger_learns_nothing_about_ids(wrapped: str) -> None:
    assert await GraphqlServer().code(NODE, role=None, id=wrapped) == "UNAUTHENTICATED"


async def test_people_find_themselves_and_only_administrators_find_others() -> None:
    server = GraphqlServer()
    other = await server.storage.users.add(make_user("bert", Role.VIEWER))
    anna, bert, nobody = (
        global_id("User", user_id) for user_id in (server.user.id, other.id, SOMEBODY)
    )

    for role in Role:
        result = await server.execute(NODE, {"id": anna}, role=role)
        assert result.data == {"node": {"__typename": "User", "id": anna}}
    for role in (Role.VIEWER, Role.OPERATOR):
        for wrapped in (bert, nobody):
            assert await server.code(NODE, role=role, id=wrapped) == "FORBIDDEN"
    assert await server.ask(NODE, id=bert) == {"node": {"__typename": "User", "id": bert}}
    assert await server.ask(NODE, id=nobody) == {"node": None}


async def test_a_viewer_finds_everything_but_accounts() -> None:
    server = await greenhouse()
    known = {
        "Device": ("ESP_A",),
        "Zone": ("north",),
        "KaiserNode": ("kaiser_001",),
        "Sensor": ("ESP_A", 4, "sht31_temp", "68"),
        "Reading": (1, MEASURED, 1),
        "Actuator": ("ESP_A", 5),
        "Command": (UUID(int=7),),
        "DeadLetter": (3,),
        "SystemEvent": (UUID(int=7),),
        "EmergencyStop": (UUID(int=8),),
        "LibraryInstallation": (UUID(int=11),),
        "Calibration": (UUID(int=21),),
        "CalibrationProcedure": (PROCEDURE,),
        "Recomputation": (UUID(int=23),),
        "Rule": (UUID(int=31),),
        "RuleExecution": (UUID(int=32),),
    }

    assert known.keys() == KINDS.keys() - {"User"}
    for kind, key in known.items():
        wrapped = global_id(kind, *key)
        result = await server.execute(NODE, {"id": wrapped}, role=Role.VIEWER)
        assert result.data == {"node": {"__typename": kind, "id": wrapped}}
