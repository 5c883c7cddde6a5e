"""No field is open by accident: every root field is tried by a stranger."""

import pytest
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type

from app.graphql import build_schema
from tests.fakes import until
from tests.graphql_server import GraphqlServer, code_of

SCHEMA = build_schema()._schema
OPEN = {"login", "refreshToken"}
VALUES = {
    "String": '"x"',
    "Int": "1",
    "Boolean": "true",
    "ID": '"x"',
    "SendCommandInput": '{ espId: "x", gpio: 1, action: ON }',
    "UpdateDeviceInput": '{ espId: "x" }',
    "ZoneInput": '{ zoneId: "x" }',
    "SensorConfigInput": '{ espId: "x", gpio: 1, sensorType: "ph" }',
    "SensorRefInput": '{ espId: "x", gpio: 1, sensorType: "ph" }',
    "Float": "1.5",
    "DateTime": '"2026-01-01T00:00:00Z"',
    "CalibrateSensorInput": """{
        sensor: { espId: "x", gpio: 1, sensorType: "ph" }, method: "offset", points: []
    }""",
    "ProcessReadingInput": '{ sensorType: "ph", rawValue: 1 }',
    "EmergencyStopInput": '{ reason: "x" }',
    "RuleInput": """{
        name: "x", condition: { deviceStatus: { espId: "x", status: ONLINE } },
        actions: [{ delay: "PT1S" }]
    }""",
    "JSON": "{}",
    "ActuatorRefInput": '{ espId: "x", gpio: 1 }',
    "ActuatorConfigInput": '{ espId: "x", gpio: 1, actuatorType: "pump" }',
}


def fields(root: GraphQLObjectType | None) -> list[tuple[str, GraphQLField]]:
    assert root is not None
    return [(name, field) for name, field in root.fields.items() if name not in OPEN]


def smallest(kind: str, name: str, field: GraphQLField) -> str:
    """Write the shortest operation that asks for a field."""
    required = [
        f"{argument}: {VALUES[get_named_type(definition.type).name]}"
        for argument, definition in field.args.items()
        if isinstance(definition.type, GraphQLNonNull)
    ]
    arguments = f"({', '.join(required)})" if required else ""
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{kind} {{ {name}{arguments}{selection} }}"


@pytest.mark.parametrize(
    "operation",
    [
        smallest(kind, name, field)
        for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
        for name, field in fields(root)
    ],
)
async def test_a_stranger_is_told_to_log_in_first(operation: str) -> None:
    result = await GraphqlServer().execute(operation, role=None)

    assert code_of(result) == "UNAUTHENTICATED"
    assert result.errors
    assert "log in first" in result.errors[0].message


@pytest.mark.parametrize(
    "operation", [smallest("mutation", *field) for field in fields(SCHEMA.mutation_type)]
)
async def test_while_the_server_starts_only_a_stop_is_taken(operation: str) -> None:
    server = GraphqlServer()
    server.started.clear()
    result = await server.execute(operation)
    if "emergencyStop" in operation:
        assert result.errors is None
        return
    assert code_of(result) == "STORAGE_UNAVAILABLE"
    assert result.errors
    assert "is starting; ask again" in result.errors[0].message


@pytest.mark.parametrize(
    "operation",
    [smallest("subscription", *field) for field in fields(SCHEMA.subscription_type)],
)
async def test_a_stranger_hears_nothing(operation: str) -> None:
    server = GraphqlServer()

    async with server.subscribed(operation, role=None) as heard:
        await until(lambda: heard.ended)

    assert code_of(heard.results[0]) == "UNAUTHENTICATED"
    assert server.events.listeners == 0


async def test_a_stranger_may_read_the_schema() -> None:
    result = await GraphqlServer().execute("{ __schema { queryType { name } } }", role=None)

    assert result.errors is None
