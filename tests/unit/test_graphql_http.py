"""GraphQL over HTTP: what is answered, what is refused, and how that is said."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app import graphiql
from app.graphql import Endpoint
from app.graphql.limits import LONGEST_QUERY
from app.graphql.requests import LARGEST_BODY
from domain.users import Role
from tests.fakes import FakeClock
from tests.graphql_server import GraphqlServer
from tests.makers import make_device, make_sensor, make_user

ME = '{"query": "{ me { username } }"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server() -> GraphqlServer:
    return GraphqlServer(user=make_user("anna", Role.OPERATOR))


@pytest.fixture
async def http(server: GraphqlServer) -> AsyncIterator[httpx2.AsyncClient]:
    endpoint = Endpoint(server.schema, server.services)
    app = Starlette(routes=[Route("/graphql", endpoint), *graphiql.routes()])
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client


def bearer(server: GraphqlServer) -> dict[str, str]:
    token, _ = server.tokens.access(server.user, server.clock.now())
    return {"Authorization": f"Bearer {token}"}


def code(response: httpx2.Response) -> str:
    (error,) = response.json()["errors"]
    assert error["message"]
    return str(error["extensions"]["code"])


async def ask(http: httpx2.AsyncClient, body: str | bytes = ME, **headers: str) -> httpx2.Response:
    return await http.post("/graphql", content=body, headers=JSON | headers)


async def test_a_person_with_a_token_is_answered(
    server: GraphqlServer, http: httpx2.AsyncClient
) -> None:
    response = await ask(http, **bearer(server))

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"data": {"me": {"username": "anna"}}}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "log in first"),
        ({"Authorization": "Bearer forged"}, "not valid"),
        ({"Authorization": "Basic YW5uYTpzZWNyZXQ="}, "not valid"),
        ({"Authorization": ""}, "not valid"),
    ],
)
async def test_without_a_token_that_counts_a_person_is_told_why(
    http: httpx2.AsyncClient, headers: dict[str, str], message: str
) -> None:
    response = await ask(http, **headers)

    assert response.status_code == 200
    assert code(response) == "UNAUTHENTICATED"
    assert message in response.json()["errors"][0]["message"]


async def test_a_token_that_has_ended_does_not_count_but_a_new_login_does(
    server: GraphqlServer, http: httpx2.AsyncClient
) -> None:
    headers = bearer(server)
    assert isinstance(server.clock, FakeClock)
    await server.clock.advance(3600)
    login = 'mutation { login(username: "anna", password: "secret") { __typename } }'

    assert code(await ask(http, **headers)) == "UNAUTHENTICATED"
    answer = await http.post("/graphql", json={"query": login}, headers=headers)
    assert "errors" not in answer.json()


async def test_who_waits_for_a_person_may_take_longer_than_others(
    server: GraphqlServer,
) -> None:
    await server.has_device(make_device("ESP_A"))
    await server.has_sensor(make_sensor("ESP_A", 34, "ph"))
    begin = """mutation { startCalibration(
        sensor: {espId: "ESP_A", gpio: 34, sensorType: "ph"}, method: "ph_2point") { id } }"""
    begun = (await server.ask(begin))["startCalibration"]["id"]
    point = "mutation($id: ID!) { addCalibrationPoint(id: $id, reference: 7, wait: %s) { id } }"
    endpoint = Endpoint(server.schema, server.services, deadline=0.1)
    transport = httpx2.ASGITransport(app=endpoint)
    async with httpx2.AsyncClient(transport=transport, base_url="http://server") as client:
        body = {"query": point % '"PT0.3S"', "variables": {"id": begun}}
        response = await client.post("/graphql", json=body, headers=bearer(server))

    assert response.status_code == 200
    assert code(response) == "CONFLICT"
    assert "no live value came yet" in response.json()["errors"][0]["message"]


async def test_variables_and_the_name_of_the_operation_are_understood(
    server: GraphqlServer, http: httpx2.AsyncClient
) -> None:
    await server.has_device(make_device("ESP_A"))
    body = {
        "query": "query A { me { id } } query B($id: String!) { device(espId: $id) { espId } }",
        "variables": {"id": "ESP_A"},
        "operationName": "B",
        "extensions": {"anything": 1},
    }

    response = await http.post("/graphql", json=body, headers=bearer(server))

    assert response.json() == {"data": {"device": {"espId": "ESP_A"}}}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "[" * 100_000,
        "[]",
        "null",
        '"{ me { id } }"',
        "{}",
        '{"query": ""}',
        '{"query": null}',
        '{"query": 5}',
        '{"query": "{ me { id } }", "variables": []}',
        '{"query": "{ me { id } }", "variables": {"x": NaN}}',
        '{"query": "{ me { id } }", "variables": {"x": Infinity}}',
        '{"query": "{ me { id } }", "variables": {"x": 1e999}}',
        '{"query": "{ me { id } }", "variables": {"x": "\\ud800"}}',
        '{"query": "{ me { id } }", "operationName": 7}',
        '{"query": "' + "x" * (LONGEST_QUERY + 1) + '"}',
        b"\xff\xfe",
        '[{"query": "{ me { id } }"}]',
    ],
    ids=lambda body: str(body)[:60],
)
async def test_a_body_that_is_no_request_is_refused(
    server: GraphqlServer, http: httpx2.AsyncClient, body: str | bytes
) -> None:
    response = await ask(http, body, **bearer(server))

    assert response.status_code == 400
    assert code(response) == "BAD_INPUT"


async def test_a_body_that_is_too_large_is_refused(http: httpx2.AsyncClient) -> None:
    response = await ask(http, b" " * (LARGEST_BODY + 1))

    assert response.status_code == 413
    assert code(response) == "BAD_INPUT"


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_only_json_is_understood(http: httpx2.AsyncClient, content_type: str) -> None:
    response = await http.post("/graphql", content=ME, headers={"Content-Type": content_type})

    assert response.status_code == 415
    assert code(response) == "BAD_INPUT"


async def test_the_charset_of_the_content_type_does_no_harm(
    server: GraphqlServer, http: httpx2.AsyncClient
) -> None:
    headers = bearer(server) | {"Content-Type": "application/json; charset=utf-8"}

    assert "errors" not in (await http.post("/graphql", content=ME, headers=headers)).json()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(
    server: GraphqlServer, http: httpx2.AsyncClient, method: str
) -> None:
    response = await http.request(method, "/graphql?query={me{username}}", headers=bearer(server))

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert code(response) == "BAD_INPUT"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("subscription { readings { cursor } }", "WebSocket"),
        ("query A { me { id } } query B { me { id } }", "operation"),
        ("fragment x on User { id }", "operation"),
    ],
)
async def test_what_cannot_be_run_over_http_is_refused(
    server: GraphqlServer, http: httpx2.AsyncClient, query: str, message: str
) -> None:
    body: dict[str, Any] = {"query": query, "operationName": "C" if "query A" in query else None}
    response = await http.post("/graphql", json=body, headers=bearer(server))

    assert response.status_code == 400
    assert code(response) == "BAD_INPUT"
    assert message in response.json()["errors"][0]["message"]


# ---------------------------------------------------------------- GraphiQL


async def test_a_browser_finds_graphiql(http: httpx2.AsyncClient) -> None:
    response = await http.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>God-Kaiser</title>" in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]


async def test_every_file_that_the_page_loads_is_here_and_may_be_kept(
    http: httpx2.AsyncClient,
) -> None:
    page = (await http.get("/graphql", headers={"Accept": "text/html"})).text
    addresses = [
        part.split('"')[0] for marker in ('src="', 'href="') for part in page.split(marker)[1:]
    ]

    assert len(addresses) >= 10
    for address in addresses:
        assert address.startswith("/static/graphiql/")
        response = await http.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
        assert response.headers["content-type"].startswith(kind[address.rpartition(".")[2]])


async def test_files_are_sent_compressed_to_whoever_can_read_that(
    http: httpx2.AsyncClient,
) -> None:
    address = graphiql.page().body.decode().split('src="')[1].split('"')[0]  # type: ignore[union-attr]  # bytes

    plain = await http.get(address, headers={"Accept-Encoding": "identity"})
    packed = await http.get(address, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize("name", ["nothing.js", "..%2F..%2Fgraphiql.py", "index.html"])
async def test_no_other_file_is_served(http: httpx2.AsyncClient, name: str) -> None:
    page = (await http.get("/graphql", headers={"Accept": "text/html"})).text
    folder = page.split('src="')[1].rpartition("/")[0]

    assert (await http.get(f"{folder}/{name}")).status_code == 404
