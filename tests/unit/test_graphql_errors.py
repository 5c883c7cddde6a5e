"""Every error carries a code; an unexpected one tells nothing but the id of its log line."""

import pytest
from graphql import get_introspection_query
from structlog.testing import capture_logs
from typing_extensions import override

from app.graphql.limits import DEEPEST, MOST_ALIASES, MOST_FIELDS, MOST_TOKENS
from domain.users import Role
from schema.ids import global_id
from schema.loaders import NESTED_PAGES
from tests.fakes import FakeStorage, until
from tests.graphql_server import GraphqlServer, code_of
from tests.makers import make_device, make_sensor


class BrokenStorage(FakeStorage):
    """A database whose driver has a bug."""

    @override
    async def check(self) -> None:
        raise RuntimeError("the secret is 42")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ devices { edges { node { nope } } } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ devices(first: "many") { totalCount } }', "GRAPHQL_VALIDATION_FAILED"),
        ("query($x: Nonsense) { me { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ devices(first: 0) { totalCount } }", "BAD_INPUT"),
        ("{ devices(first: 1001) { totalCount } }", "BAD_INPUT"),
        ('{ devices(after: "garbage") { totalCount } }', "BAD_INPUT"),
        ('{ readings(from: "yesterday") { edges { cursor } } }', "BAD_INPUT"),
        ("{ readings(gpio: 4) { edges { cursor } } }", "BAD_INPUT"),
        ('{ command(id: "garbage") { status } }', "BAD_INPUT"),
        ('mutation { approveDevice(espId: "ESP_Z") { name } }', "NOT_FOUND"),
    ],
)
async def test_what_can_be_expected_to_go_wrong_has_a_code(query: str, code: str) -> None:
    assert await GraphqlServer().code(query) == code


FIRST = "query($x: %s) { devices(first: $x) { totalCount } }"
FROM = "query($x: DateTime) { readings(from: $x) { edges { cursor } } }"
SEND = "mutation($x: SendCommandInput!) { sendCommand(input: $x) { status } }"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (FIRST % "Int", "many"),
        (FIRST % "Int", 2**40),
        (FIRST % "Int!", None),
        (FIRST % "Int!", 1.5),
        (FROM, "2026-01-01"),
        (SEND, {"espId": "ESP_A"}),
        (SEND, {"espId": "A", "gpio": 1, "action": "EXPLODE"}),
        (SEND, {"espId": "A", "gpio": 1, "action": "ON", "duration": "5 minutes"}),
        (SEND, {"espId": "A", "gpio": 1, "action": "ON", "evil": 1}),
    ],
)
async def test_variables_that_do_not_fit_are_bad_input(query: str, value: object) -> None:
    assert await GraphqlServer().code(query, x=value) == "BAD_INPUT"


async def test_variables_of_a_subscription_that_do_not_fit_are_bad_input() -> None:
    server = GraphqlServer()
    query = "subscription($x: Duration) { readings(throttle: $x) { cursor } }"

    async with server.subscribed(query, x="5 minutes") as heard:
        await until(lambda: heard.ended)

    assert code_of(heard.results[0]) == "BAD_INPUT"


async def test_the_id_of_another_thing_is_bad_input() -> None:
    query = "query($id: ID!) { command(id: $id) { status } }"

    for wrong in (global_id("Device", "ESP_A"), global_id("Command", "not a uuid")):
        assert await GraphqlServer().code(query, id=wrong) == "BAD_INPUT"


async def test_a_database_that_is_away_says_so() -> None:
    server = GraphqlServer()
    server.storage.available = False

    assert await server.code("{ devices { totalCount } }") == "STORAGE_UNAVAILABLE"


async def test_an_unexpected_error_is_masked_and_found_in_the_log_by_its_id() -> None:
    server = GraphqlServer(storage=BrokenStorage())

    with capture_logs() as lines:
        result = await server.execute("query Broken { mine: devices { totalCount } }")

    assert result.errors
    (error,) = result.errors
    (line,) = lines
    assert error.extensions == {"code": "INTERNAL", "id": line["id"]}
    assert error.message == f"Something went wrong; the log has it under id {line['id']}"
    assert error.original_error is None
    assert (line["event"], line["path"], line["operation"]) == ("graphql.error", "mine", "Broken")
    assert isinstance(line["exc_info"], RuntimeError)
    assert line["exc_info"].__traceback__ is not None


async def test_an_unexpected_error_of_a_subscription_is_masked_too() -> None:
    server = GraphqlServer(storage=BrokenStorage())
    query = 'subscription { readings(since: "2026-01-01T00:00:00Z") { cursor } }'

    with capture_logs() as lines:
        async with server.subscribed(query) as heard:
            await until(lambda: heard.ended)

    assert code_of(heard.results[0]) == "INTERNAL"
    assert "42" not in str(heard.results[0].errors)
    assert len(lines) == 1


async def test_expected_errors_are_not_logged() -> None:
    with capture_logs() as lines:
        await GraphqlServer().code("{ nope }")
        await GraphqlServer().code("{ devices(first: 0) { totalCount } }")

    assert lines == []


# ---------------------------------------------------------------- limits


def nested(levels: int) -> str:
    """Ask for a device's sensors' device's sensors' ... names, so many levels deep."""
    inner = "id"
    for level in range(levels - 1):
        inner = f"{'sensors' if level % 2 else 'device'} {{ {inner} }}"
    return inner


async def test_an_operation_as_deep_as_allowed_is_answered() -> None:
    server = GraphqlServer()
    query = f'{{ device(espId: "x") {{ {nested(DEEPEST - 1)} }} }}'

    assert (await server.execute(query)).errors is None


async def test_a_deeper_operation_is_refused() -> None:
    query = f'{{ device(espId: "x") {{ {nested(DEEPEST + 1)} }} }}'

    result = await GraphqlServer().execute(query)

    assert code_of(result) == "GRAPHQL_VALIDATION_FAILED"
    assert result.errors
    assert "levels deep" in result.errors[0].message


async def test_too_many_aliases_are_refused() -> None:
    def query(count: int) -> str:
        return f"{{ {' '.join(f'a{n}: me {{ id }}' for n in range(count))} }}"

    assert (await GraphqlServer().execute(query(MOST_ALIASES))).errors is None
    assert await GraphqlServer().code(query(MOST_ALIASES + 1)) == "GRAPHQL_VALIDATION_FAILED"


async def test_too_many_words_are_refused() -> None:
    query = f"{{ {'__typename ' * MOST_TOKENS} }}"

    assert await GraphqlServer().code(query) == "GRAPHQL_PARSE_FAILED"


async def test_fragments_that_multiply_are_counted_without_being_spread_out() -> None:
    levels = 60
    fragments = " ".join(
        f"fragment f{n} on Query {{ ...f{n + 1} x{n}: __typename ...f{n + 1} }}"
        for n in range(levels)
    )
    query = f"{{ ...f0 }} {fragments} fragment f{levels} on Query {{ __typename }}"

    result = await GraphqlServer().execute(query)

    assert result.errors
    assert any(f"more than {MOST_FIELDS} fields" in error.message for error in result.errors)


async def test_fragments_in_a_circle_are_refused() -> None:
    query = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"

    assert await GraphqlServer().code(query) == "GRAPHQL_VALIDATION_FAILED"


async def test_a_document_nested_too_deeply_to_be_parsed_is_refused() -> None:
    query = "{a" * 600 + "}" * 600

    assert await GraphqlServer().code(query) == "GRAPHQL_PARSE_FAILED"


async def test_nested_lists_share_a_budget_of_queries() -> None:
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A"))
    for gpio in range(NESTED_PAGES + 1):
        await server.has_sensor(make_sensor("ESP_A", gpio))

    query = (
        "{ sensors(first: 1000) { edges { node { readings(first: 1) { edges { cursor } } } } } }"
    )
    result = await server.execute(query)

    assert code_of(result) == "BAD_INPUT"
    assert server.storage.queries["readings"] <= NESTED_PAGES


@pytest.mark.parametrize("role", [Role.ADMIN, None])
async def test_the_same_document_is_judged_alike_every_time(role: Role | None) -> None:
    server = GraphqlServer()

    results = [await server.execute("{ nope }", role=role) for _ in range(3)]

    assert [code_of(result) for result in results] == ["GRAPHQL_VALIDATION_FAILED"] * 3
    assert len({str(result.errors) for result in results}) == 1


async def test_what_graphiql_asks_of_the_schema_is_within_the_limits() -> None:
    result = await GraphqlServer().execute(get_introspection_query(), role=None)

    assert result.errors is None
