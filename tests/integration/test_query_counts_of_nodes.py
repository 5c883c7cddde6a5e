"""How many statements it costs to find anything by its id, and that no made-up id harms."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.recomputations import Recomputation, Span
from domain.rule_executions import RuleExecution, StoredRule
from domain.rules.decide import Reason, Step
from domain.rules.rule_notation import read_rule
from resolvers.nodes import KINDS
from schema.ids import global_id, microseconds
from storage.connection import Database
from tests.automation import above, rule
from tests.fakes import START
from tests.integration.test_query_counts import FEW, MANY, Greenhouse, with_fragments
from tests.makers import make_sensor
from tests.query_counting import counted_queries
from tests.recomputing import a_calibration

Id = Callable[[Greenhouse], str]

CALIBRATION = a_calibration(make_sensor(id=1))
RULE = StoredRule(
    rule=read_rule(rule(above(30)), UUID(int=31), 1), created_at=START, updated_at=START
)
EXECUTION = RuleExecution(
    id=UUID(int=32),
    rule_id=RULE.rule.id,
    rule_version=1,
    step=Step.FIRE,
    why=Reason.TRUE,
    triggered_at=START,
)
RECOMPUTATION = Recomputation(
    id=UUID(int=5),
    span=Span(1, START, START, 0),
    calibration_id=CALIBRATION.id,
    total=0,
    requested_at=START,
)

ASKED: dict[str, tuple[Id, str, int]] = {
    "Device": (lambda h: global_id("Device", h.sensors[-1].key.esp_id), "...device", 5),
    "Sensor": (lambda h: global_id("Sensor", *h.sensors[-1].key), "...sensor", 3),
    "Zone": (lambda _: global_id("Zone", "north"), "... on Zone { parent { name } }", 2),
    "KaiserNode": (
        lambda h: global_id("KaiserNode", h.sensors[-1].key.esp_id),
        "... on KaiserNode { name devices { totalCount } }",
        3,
    ),
    "Reading": (
        lambda h: global_id(
            "Reading",
            h.readings[-1].sensor.id,
            microseconds(h.readings[-1].measured_at),
            h.readings[-1].id,
        ),
        "...reading",
        2,
    ),
    "Actuator": (lambda h: global_id("Actuator", *h.actuators[-1].pin), "...actuator", 2),
    "Command": (lambda h: global_id("Command", h.commands[-1].id), "...command", 4),
    "EmergencyStop": (lambda h: global_id("EmergencyStop", h.stop_id), "...emergencyStop", 3),
    "User": (lambda h: global_id("User", h.server.user.id), "... on User { username }", 1),
    "DeadLetter": (lambda _: global_id("DeadLetter", 1), "... on DeadLetter { topic }", 1),
    "SystemEvent": (lambda _: global_id("SystemEvent", UUID(int=1)), "...systemEvent", 2),
    "LibraryInstallation": (
        lambda h: global_id("LibraryInstallation", h.installations[-1].id),
        "...libraryInstallation",
        2,
    ),
    "Calibration": (
        lambda _: global_id("Calibration", CALIBRATION.id),
        "... on Calibration { method }",
        1,
    ),
    "CalibrationProcedure": (
        lambda h: global_id("CalibrationProcedure", h.calibration_id),
        "... on CalibrationProcedure { sensor { name } }",
        1,
    ),
    "Rule": (lambda _: global_id("Rule", RULE.rule.id), "... on Rule { name warnings }", 1),
    "RuleExecution": (
        lambda _: global_id("RuleExecution", EXECUTION.id),
        "... on RuleExecution { outcome rule { name } commands { id } }",
        3,
    ),
    "Recomputation": (
        lambda _: global_id("Recomputation", RECOMPUTATION.id),
        "... on Recomputation { state sensor { name } calibration { method } }",
        2,
    ),
}
"""How an id is made, what to show of the thing, and what that costs."""

LARGEST = [
    global_id("Device", "\N{SNOWMAN}" * 50),
    global_id("Zone", "z" * 32),
    global_id("KaiserNode", "k" * 64),
    global_id("Sensor", "", 255, "", ""),
    global_id("Reading", 2**31 - 1, microseconds(datetime.max.replace(tzinfo=UTC)), 2**63 - 1),
    global_id("Reading", 0, 0, 0),
    global_id("Actuator", "", 255),
    global_id("Command", "f" * 8 + "-ffff" * 3 + "-" + "f" * 12),
    global_id("User", "00000000-0000-0000-0000-000000000000"),
    global_id("DeadLetter", 2**63 - 1),
    global_id("SystemEvent", UUID(int=2**128 - 1)),
    global_id("EmergencyStop", UUID(int=2**128 - 1)),
    global_id("LibraryInstallation", UUID(int=2**128 - 1)),
    global_id("Calibration", UUID(int=2**128 - 1)),
    global_id("CalibrationProcedure", UUID(int=2**128 - 1)),
    global_id("Recomputation", UUID(int=2**128 - 1)),
    global_id("Rule", UUID(int=2**128 - 1)),
    global_id("RuleExecution", UUID(int=2**128 - 1)),
]


async def ask(house: Greenhouse, wrapped: str, shown: str = "id") -> tuple[object, int]:
    """Return the node, and how many statements it took."""
    query = with_fragments(f"query($id: ID!) {{ node(id: $id) {{ id {shown} }} }}")
    async with counted_queries(house.database) as statements:
        answer = await house.server.ask(query, id=wrapped)
    return answer["node"], len(statements)


def test_no_type_is_forgotten() -> None:
    assert ASKED.keys() == KINDS.keys()


async def test_a_node_costs_one_statement_and_what_is_shown_of_it_the_same_however_much_there_is(
    database: Database,
) -> None:
    house = Greenhouse(database)
    await house.grow(FEW)
    async with database.unit_of_work() as work:
        await work.calibrations.add(CALIBRATION)
        await work.recomputations.add(RECOMPUTATION)
        await work.rules.add(RULE, None)
        await work.rule_executions.add(EXECUTION)
    for devices in (FEW, MANY):
        await house.grow(devices)
        for kind, (make_id, shown, statements) in ASKED.items():
            wrapped = make_id(house)
            assert await ask(house, wrapped) == ({"id": wrapped}, 1), kind
            node, cost = await ask(house, wrapped, shown)
            assert isinstance(node, dict), kind
            assert node["id"] == wrapped
            assert cost == statements, kind


@pytest.mark.parametrize("wrapped", LARGEST)
async def test_the_largest_keys_that_an_id_can_hold_are_not_known(
    database: Database, wrapped: str
) -> None:
    assert await ask(Greenhouse(database), wrapped) == (None, 1)
