"""How many statements it costs to look at rules and at what they did, and to change them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLObjectType
from typing_extensions import override
from uuid_utils.compat import uuid7

from app.graphql import build_schema
from domain.actuators import CommandOrigin
from domain.rule_executions import ReadingKey, RuleExecution, RuleOutcome, StoredRule
from domain.rules.decide import Reason, Step
from domain.rules.rule_notation import read_rule
from schema.ids import global_id
from storage.connection import Database
from tests.automation import above, rule
from tests.fakes import START
from tests.integration.counted_operations import Operation
from tests.integration.test_query_counts import FEW, MANY, Greenhouse
from tests.makers import make_command


@dataclass(slots=True)
class Automated(Greenhouse):
    """A greenhouse with a rule for each device, each of which ran once."""

    rule_ids: list[UUID] = field(default_factory=list)
    command_id: UUID = field(default_factory=uuid7)

    @override
    async def grow(self, devices: int) -> None:
        await Greenhouse.grow(self, devices)
        actuator = self.actuators[0]
        while len(self.rule_ids) < devices:
            made = read_rule(rule(above(30), name=f"Rule {len(self.rule_ids)}"), uuid7(), 1)
            self.rule_ids.append(made.id)
            stored = StoredRule(rule=replace(made, priority=1), created_at=START, updated_at=START)
            execution = RuleExecution(
                id=uuid7(),
                rule_id=made.id,
                rule_version=1,
                step=Step.FIRE,
                why=Reason.TRUE,
                triggered_at=START,
                triggered_by=ReadingKey(1, START, 1),
                outcome=RuleOutcome.SUCCEEDED,
            )
            self.command_id = uuid7()
            command = make_command(
                actuator,
                id=self.command_id,
                origin=CommandOrigin.RULE,
                execution_id=execution.id,
            )
            async with self.database.unit_of_work() as work:
                await work.rules.add(stored, None)
                await work.rule_executions.add(execution)
                await work.commands.add(command)
            self.server.services.manage_rules.automate.put(stored)

    @property
    @override
    def variables(self) -> dict[str, Any]:
        return {
            "rule": global_id("Rule", self.rule_ids[0]),
            "command": global_id("Command", self.command_id),
            "input": rule(above(30), {"notify": {"message": "hot", "severity": "INFO"}}),
        }


SHOWN = "{ name condition actions warnings lastTriggeredAt successRate }"
DID = "{ outcome rule { name } commands { action actuator { name } ruleExecution { step } } }"

QUERIES = [
    Operation(f"query($rule: ID!) {{ rule(id: $rule) {SHOWN} }}", 2),
    Operation(f"{{ rules {{ edges {{ node {SHOWN} }} }} }}", 3),
    Operation(f"{{ ruleExecutions {{ edges {{ node {DID} }} }} }}", 5),
    Operation("query($command: ID!) { why(commandId: $command) }", 4),
    Operation("query($rule: ID!) { whyNot(ruleId: $rule) }", 0),
]

MUTATIONS = [
    Operation("mutation($input: RuleInput!) { createRule(input: $input) { name } }", 1),
    Operation(
        "mutation($rule: ID!, $input: RuleInput!) "
        "{ updateRule(id: $rule, input: $input) { name } }",
        1,
    ),
    Operation("mutation($rule: ID!) { setRuleEnabled(id: $rule, enabled: false) { name } }", 1),
    Operation("mutation($rule: ID!) { deleteRule(id: $rule) }", 1),
]


@pytest.mark.parametrize(("root", "operations"), [("Query", QUERIES), ("Mutation", MUTATIONS)])
def test_no_operation_is_forgotten(root: str, operations: Sequence[Operation]) -> None:
    kind = build_schema()._schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    rehearsed = ("testRule", "acktest", "lueprint", "ompareRule")
    known = {
        name
        for name in kind.fields
        if ("ule" in name or name.startswith("why")) and not any(r in name for r in rehearsed)
    }
    assert {operation.name for operation in operations} == known


@pytest.mark.parametrize("devices", [FEW, MANY])
async def test_a_rule_costs_the_same_however_many_there_are(
    database: Database, devices: int
) -> None:
    automated = Automated(database)
    await automated.grow(devices)
    operations = QUERIES + MUTATIONS
    costs = {one.document: (await automated.ask(one))[1] for one in operations}
    assert costs == {one.document: one.statements for one in operations}
