"""Nonsense gets a clear error with a code; nothing is stored, nothing sent, nobody harmed."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
import pytest_asyncio

from app.clock import SystemClock
from app.security import JwtIssuer
from domain.users import Role
from tests.e2e.server import UNENCRYPTED, ServerProcess
from tests.makers import make_user

KEY = "0123456789abcdef0123456789abcdef"
SEND = "mutation($input: SendCommandInput!) { sendCommand(input: $input) { status } }"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def server(lasting_server: ServerProcess) -> AsyncIterator[ServerProcess]:
    yield lasting_server
    assert lasting_server.running
    assert (await lasting_server.health())[0] == 200


async def code(server: ServerProcess, body: object, token: str | None = None) -> str:
    answer = await server.post(body, token)
    error = answer["errors"][0]
    assert error["message"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ("{ devices {", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ('{ devices(first: "three") { edges { cursor } } }', {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ devices(first: 0) { edges { cursor } } }", {}, "BAD_INPUT"),
        ("{ devices(first: 5000000) { edges { cursor } } }", {}, "BAD_INPUT"),
        ('{ devices(after: "nonsense") { edges { cursor } } }', {}, "BAD_INPUT"),
        (SEND, {"input": {"espId": "ESP_123456", "gpio": "five", "action": "ON"}}, "BAD_INPUT"),
        (SEND, {"input": {"espId": "ESP_123456", "gpio": 5, "action": "ON"}}, "NOT_FOUND"),
        (SEND, {"input": {"espId": "ESP_1", "gpio": 5, "action": "EXPLODE"}}, "BAD_INPUT"),
    ],
)
async def test_every_kind_of_nonsense_has_its_code(
    server: ServerProcess, query: str, variables: dict[str, object], expected: str
) -> None:
    token = await server.login()
    assert await code(server, {"query": query, "variables": variables}, token) == expected


async def test_everything_but_login_needs_a_login(server: ServerProcess) -> None:
    assert await code(server, {"query": "{ devices { edges { cursor } } }"}) == "UNAUTHENTICATED"
    assert await code(server, {"query": "{ health { status } }"}) == "UNAUTHENTICATED"


async def test_a_wrong_password_and_an_unknown_user_are_told_alike(server: ServerProcess) -> None:
    query = 'mutation($u: String!) { login(username: $u, password: "wrong") { accessToken } }'
    answers = [
        await server.post({"query": query, "variables": {"u": user}}) for user in ("admin", "eve")
    ]
    assert answers[0]["errors"][0]["message"] == answers[1]["errors"][0]["message"]
    assert answers[0]["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize("age", [timedelta(days=2), timedelta(days=-2)], ids=["expired", "foreign"])
async def test_an_expired_or_foreign_token_proves_nothing(
    server: ServerProcess, age: timedelta
) -> None:
    token, _ = JwtIssuer(KEY).access(make_user("eve", Role.ADMIN), SystemClock().now() - age)
    assert await code(server, {"query": "{ me { username } }"}, token) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"query": "{ me { username } }", "variables": {"x": NaN}}', "application/json"),
        (b'{"query": ', "application/json"),
        (b"\xff\xfe\x00", "application/json"),
        (b"[]", "application/json"),
        (b'{"query": 5}', "application/json"),
        (b"hello", "text/plain"),
        (b'{"query": "{ me { username } } ' + b"#" * 400_000 + b'"}', "application/json"),
    ],
    ids=["NaN", "cut short", "no text", "a list", "a number", "another type", "absurdly long"],
)
async def test_a_body_that_is_no_request_is_refused(
    server: ServerProcess, content: bytes, content_type: str
) -> None:
    token = await server.login()
    async with httpx2.AsyncClient(verify=UNENCRYPTED) as client:
        answer = await client.post(
            f"{server.url}/graphql",
            content=content,
            headers={"Content-Type": content_type, "Authorization": f"Bearer {token}"},
        )
    assert 400 <= answer.status_code < 500
    assert answer.text


async def test_a_query_that_is_too_deep_or_too_wide_is_refused(server: ServerProcess) -> None:
    token = await server.login()
    deep = "{ devices { edges { node { sensors " + "{ device { sensors " * 30
    deep += "{ name }" + " } }" * 30 + " } } } }"
    wide = "{ " + " ".join(f"a{n}: health {{ status }}" for n in range(500)) + " }"
    for query in (deep, wide):
        assert await code(server, {"query": query}, token) == "GRAPHQL_VALIDATION_FAILED"
