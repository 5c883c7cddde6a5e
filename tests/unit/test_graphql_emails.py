"""An address is shown to the person it belongs to, and to administrators; to nobody else."""

from uuid import UUID

import pytest

from domain.users import Role
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_command, make_device, make_user

COMMANDS = '{ actuator(espId: "ESP_12AB34", gpio: 5) { commands { edges { node { user { username email } } } } } }'  # noqa: E501 - one query


async def house(giver: UUID | None = None) -> GraphqlServer:
    server = GraphqlServer(user=make_user("anna", email="anna@example.org"))
    bert = make_user("bert", Role.OPERATOR, email="bert@example.org")
    server.storage.users.rows[bert.id] = bert
    await server.has_device(make_device())
    actuator = await server.has_actuator(make_actuator())
    await server.storage.commands.add(make_command(actuator, user_id=giver or bert.id))
    return server


async def shown(server: GraphqlServer, role: Role) -> object:
    result = await server.execute(COMMANDS, role=role)
    assert result.errors is None
    assert result.data is not None
    (edge,) = result.data["actuator"]["commands"]["edges"]
    return edge["node"]["user"]["email"]


@pytest.mark.parametrize(
    ("role", "email"),
    [(Role.VIEWER, None), (Role.OPERATOR, None), (Role.ADMIN, "bert@example.org")],
)
async def test_only_an_administrator_sees_the_address_of_somebody_else(
    role: Role, email: str | None
) -> None:
    assert await shown(await house(), role) == email


async def test_everybody_sees_the_own_address() -> None:
    anna = make_user("anna")
    assert await shown(await house(anna.id), Role.VIEWER) == "anna@example.org"


async def test_who_logs_in_sees_the_own_address() -> None:
    server = await house()
    result = await server.execute(
        'mutation { login(username: "anna", password: "secret") { user { email } } }', role=None
    )
    assert result.data == {"login": {"user": {"email": "anna@example.org"}}}
