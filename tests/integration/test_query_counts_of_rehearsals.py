"""How many statements it costs to rehearse rules, and to make them of blueprints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLObjectType
from typing_extensions import override
from uuid_utils.compat import uuid7

from app.graphql import build_schema
from schema.ids import global_id
from storage.connection import Database
from tests.fakes import START
from tests.integration.counted_operations import Operation
from tests.integration.test_query_counts import FEW, MANY
from tests.integration.test_query_counts_of_rules import Automated


@dataclass(slots=True)
class Rehearsed(Automated):
    """A greenhouse with rules, one of which is rehearsed already."""

    run_id: UUID = field(default_factory=uuid7)

    @override
    async def grow(self, devices: int) -> None:
        await Automated.grow(self, devices)
        services = self.server.services
        rule = services.manage_rules.find(self.rule_ids[0]).rule
        start = START - timedelta(days=1)
        self.run_id = services.rehearse.start(rule, start, START).id

    @property
    @override
    def variables(self) -> dict[str, Any]:
        key = self.sensors[0].key
        sensor = {"espId": key.esp_id, "gpio": key.gpio, "sensorType": key.sensor_type}
        heater = {"espId": key.esp_id, "gpio": self.actuators[0].pin.gpio}
        start = START - timedelta(days=1)
        return {
            **super(Rehearsed, self).variables,
            "run": global_id("BacktestRun", self.run_id),
            "from": start.isoformat(),
            "to": START.isoformat(),
            "parameters": {"sensor": sensor, "heater": heater},
        }


ID = "$rule: ID!"
SPAN = "$rule: ID!, $from: DateTime!, $to: DateTime!"
THAT = "(id: $rule, from: $from, to: $to)"

# What was stored is lived through in a process of its own, over a connection of its own.
QUERIES = [
    Operation("query($run: ID!) { backtest(id: $run) { state result { readings } } }", 0),
    Operation(
        f"query({ID}, $input: RuleInput!) "
        "{ compareRule(id: $rule, input: $input) { gone old { firingCount } } }",
        0,
    ),
    Operation("{ blueprints { name parameters { name } } }", 0),
]

MUTATIONS = [
    Operation(f"mutation({ID}) {{ testRule(id: $rule) {{ fires explanation }} }}", 0),
    Operation(f"mutation({SPAN}) {{ backtestRule{THAT} {{ firings {{ at }} }} }}", 0),
    Operation(f"mutation({SPAN}) {{ startBacktest{THAT} {{ state }} }}", 0),
    Operation("mutation($run: ID!) { cancelBacktest(id: $run) { state } }", 0),
    Operation(
        "mutation($parameters: JSON!) "
        '{ createRuleFromBlueprint(blueprint: "heating", parameters: $parameters) { name } }',
        1,
    ),
]


@pytest.mark.parametrize(("root", "operations"), [("Query", QUERIES), ("Mutation", MUTATIONS)])
def test_no_operation_is_forgotten(root: str, operations: Sequence[Operation]) -> None:
    kind = build_schema()._schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    rehearsed = ("testRule", "acktest", "lueprint", "ompareRule")
    known = {name for name in kind.fields if any(part in name for part in rehearsed)}
    assert {operation.name for operation in operations} == known


@pytest.mark.parametrize("devices", [FEW, MANY])
async def test_a_rehearsal_costs_the_same_however_many_rules_there_are(
    database: Database, devices: int
) -> None:
    greenhouse = Rehearsed(database)
    await greenhouse.grow(devices)
    operations = QUERIES + MUTATIONS
    costs = {one.document: (await greenhouse.ask(one))[1] for one in operations}
    assert costs == {one.document: one.statements for one in operations}
