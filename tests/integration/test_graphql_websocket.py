"""GraphQL over a real WebSocket: who gets in, what is heard, and when it ends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from app.clock import SystemClock
from app.graphql.requests import LARGEST_BODY
from app.graphql.websocket import MOST_OPERATIONS
from app.security import JwtIssuer
from domain.events import DeviceHeard
from domain.users import Role
from tests.eventually import eventually
from tests.graphql_server import GraphqlServer
from tests.integration.graphql_socket import Client, connected, serving
from tests.makers import make_device, make_reading, make_sensor, make_user

READINGS = "subscription { readings { cursor reading { value } } }"
SECRET = "k" * 32


@pytest.fixture
async def server() -> GraphqlServer:
    server = GraphqlServer(
        clock=SystemClock(), tokens=JwtIssuer(SECRET), user=make_user("anna", Role.OPERATOR)
    )
    await server.has_device(make_device("ESP_A"))
    return server


@pytest.fixture
async def address(server: GraphqlServer) -> AsyncIterator[str]:
    async with serving(server) as address:
        yield address


@pytest.fixture
async def client(server: GraphqlServer, address: str) -> AsyncIterator[Client]:
    """Somebody who is logged in."""
    async with connected(address) as client:
        assert (await client.log_in(token_of(server)))["type"] == "connection_ack"
        yield client


def token_of(server: GraphqlServer, lifetime: timedelta = timedelta(hours=1)) -> str:
    """Return a token; a lifetime is cut to whole seconds, as tokens are."""
    return JwtIssuer(SECRET, lifetime).access(server.user, server.clock.now())[0]


# ---------------------------------------------------------------- who gets in


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("Authorization", "Bearer "), ("authorization", "bearer "), ("token", "")],
)
async def test_a_token_in_the_connection_parameters_opens_the_socket(
    server: GraphqlServer, address: str, name: str, scheme: str
) -> None:
    async with connected(address) as client:
        payload = {name: f"{scheme}{token_of(server)}", "other": 1}
        await client.send(type="connection_init", payload=payload)

        acknowledged = await client.receive()

    assert acknowledged["type"] == "connection_ack"
    assert acknowledged["payload"]["expiresAt"].endswith("Z")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "connection_init"},
        {"type": "connection_init", "payload": {}},
        {"type": "connection_init", "payload": {"token": "forged"}},
        {"type": "connection_init", "payload": {"token": 5}},
    ],
)
async def test_without_a_token_that_counts_the_socket_closes(
    address: str, message: dict[str, Any]
) -> None:
    async with connected(address) as client:
        await client.send(**message)

        assert await client.close_code() == (4403, "Forbidden")


async def test_a_token_that_has_ended_does_not_open_the_socket(
    server: GraphqlServer, address: str
) -> None:
    async with connected(address) as client:
        old = token_of(server, timedelta(seconds=-1))
        await client.send(type="connection_init", payload={"token": old})

        assert await client.close_code() == (4403, "Forbidden")


async def test_nothing_is_answered_before_the_socket_is_open(address: str) -> None:
    async with connected(address) as client:
        await client.subscribe(READINGS)

        assert await client.close_code() == (4401, "Unauthorized")


async def test_a_page_of_another_site_does_not_get_in(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(address, origin="http://evil.example"):
            pass

    assert refused.value.response.status_code == 403


async def test_the_older_protocol_is_not_spoken(address: str) -> None:
    async with connected(address, "graphql-ws") as client:
        assert await client.close_code() == (4406, "Subprotocol not acceptable")


# ---------------------------------------------------------------- what is heard


async def test_queries_and_mutations_are_answered_too(client: Client) -> None:
    await client.subscribe("{ me { username } }")

    answer, end = await client.receive(), await client.receive()

    assert answer == {
        "id": "1",
        "type": "next",
        "payload": {"data": {"me": {"username": "anna"}}},
    }
    assert end == {"id": "1", "type": "complete"}


async def test_an_operation_does_not_see_what_an_earlier_one_saw(
    server: GraphqlServer, client: Client
) -> None:
    for name in ("North", "South"):
        server.storage.devices.rows["ESP_A"] = make_device("ESP_A", name=name)
        await client.subscribe('{ device(espId: "ESP_A") { name } }', name)
        answer = await client.receive()
        assert answer["payload"]["data"]["device"]["name"] == name
        await client.receive()


async def test_a_role_counts_on_the_socket_as_well(client: Client) -> None:
    await client.subscribe('mutation { approveDevice(espId: "ESP_A") { name } }')

    answer = await client.receive()

    assert answer["payload"]["errors"][0]["extensions"] == {"code": "FORBIDDEN"}


async def test_several_subscriptions_share_a_socket(server: GraphqlServer, client: Client) -> None:
    await client.subscribe(READINGS, "r")
    await client.subscribe("subscription { deviceHealth { device { espId } } }", "d")
    await eventually(lambda: server.events.listeners == 2)

    await server.events.publish(DeviceHeard(make_device("ESP_A")))
    first = await client.receive()
    await server.store(make_reading(1, sensor=make_sensor("ESP_A"), value=1.5))
    second = await client.receive()

    assert (first["id"], first["payload"]["data"]["deviceHealth"]["device"]["espId"]) == (
        "d",
        "ESP_A",
    )
    assert (second["id"], second["payload"]["data"]["readings"]["reading"]["value"]) == ("r", 1.5)


async def test_a_subscription_that_is_completed_is_over(
    server: GraphqlServer, client: Client
) -> None:
    await client.subscribe(READINGS)
    await eventually(lambda: server.events.listeners == 1)

    await client.send(id="1", type="complete")

    await eventually(lambda: server.events.listeners == 0)


async def test_a_client_that_leaves_is_forgotten(server: GraphqlServer, address: str) -> None:
    async with connected(address) as client:
        await client.log_in(token_of(server))
        await client.subscribe(READINGS)
        await eventually(lambda: server.events.listeners == 1)

    await eventually(lambda: server.events.listeners == 0)


async def test_a_lost_stream_ends_its_subscriptions_with_a_code(
    server: GraphqlServer, client: Client
) -> None:
    await client.subscribe(READINGS)
    await eventually(lambda: server.events.listeners == 1)

    server.events.lose()
    last, end = await client.receive(), await client.receive()

    assert last["payload"]["errors"][0]["extensions"] == {"code": "EVENT_STREAM_LOST"}
    assert end == {"id": "1", "type": "complete"}
    await client.subscribe("{ me { username } }", "2")
    assert (await client.receive())["id"] == "2"


# ---------------------------------------------------------------- when it ends


async def test_the_socket_closes_at_the_moment_when_its_token_ends(
    server: GraphqlServer, address: str
) -> None:
    async with connected(address) as client:
        await client.log_in(token_of(server, timedelta(seconds=2)))
        await client.subscribe(READINGS)
        await eventually(lambda: server.events.listeners == 1)
        await server.store(make_reading(1, sensor=make_sensor("ESP_A")))
        assert (await client.receive())["type"] == "next"

        assert await client.close_code() == (4403, "the token has expired")

    assert server.events.listeners == 0


async def test_one_socket_runs_so_many_operations_and_no_more(
    server: GraphqlServer, client: Client
) -> None:
    for number in range(MOST_OPERATIONS):
        await client.subscribe(READINGS, str(number))
    await eventually(lambda: server.events.listeners == MOST_OPERATIONS)

    await client.subscribe(READINGS, "one more")
    refusal = await client.receive()

    assert (refusal["id"], refusal["type"]) == ("one more", "error")
    assert refusal["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}


# ---------------------------------------------------------------- nonsense


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("", "BAD_INPUT"),
        ("subscription { nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription A { readings { cursor } } fragment", "GRAPHQL_PARSE_FAILED"),
        ("{a" * 500, "GRAPHQL_PARSE_FAILED"),
        ("fragment x on User { id }", "BAD_INPUT"),
    ],
)
async def test_a_document_that_makes_no_sense_fails_its_operation_only(
    client: Client, query: str, code: str
) -> None:
    await client.subscribe(query)

    error = await client.receive()

    assert (error["id"], error["type"]) == ("1", "error")
    assert error["payload"][0]["extensions"]["code"] == code
    await client.subscribe("{ me { username } }", "2")
    assert (await client.receive())["payload"]["data"] == {"me": {"username": "anna"}}


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "null",
        "5",
        "{}",
        '{"type": 5}',
        '{"type": "dance"}',
        '{"type": "ping", "payload": NaN}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 5, "payload": {"query": "{ me { id } }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "' + "x" * 40_000 + '"}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": {}}',
        "[" * 100_000,
        b"\x00\x01",
    ],
    ids=lambda text: str(text)[:50],
)
async def test_a_message_that_makes_no_sense_closes_its_socket_only(
    server: GraphqlServer, address: str, client: Client, text: str | bytes
) -> None:
    await client.socket.send(text)

    code, reason = await client.close_code()

    assert code == 4400
    assert reason
    async with connected(address) as another:
        assert (await another.log_in(token_of(server)))["type"] == "connection_ack"


async def test_a_message_that_is_too_large_closes_the_socket(client: Client) -> None:
    await client.socket.send('"' + "x" * LARGEST_BODY + '"')

    assert (await client.close_code())[0] == 1009


async def test_introducing_oneself_twice_closes_the_socket(
    server: GraphqlServer, client: Client
) -> None:
    await client.send(type="connection_init", payload={"token": token_of(server)})

    assert (await client.close_code())[0] == 4429


async def test_the_same_name_for_two_operations_closes_the_socket(
    server: GraphqlServer, client: Client
) -> None:
    await client.subscribe(READINGS)
    await eventually(lambda: server.events.listeners == 1)
    await client.subscribe(READINGS)

    assert (await client.close_code())[0] == 4409


async def test_a_ping_is_answered(client: Client) -> None:
    await client.send(type="ping")

    assert await client.receive() == {"type": "pong"}
