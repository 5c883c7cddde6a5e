"""What can be changed, and by whom."""

from typing import Any

import pytest

from domain.actuators import Pin
from domain.events import CommandChanged, DeviceHeard
from domain.users import Role
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device

SEND = """mutation($input: SendCommandInput!) {
    sendCommand(input: $input) {
        id action value status reason duration origin completedAt
        user { username } actuator { gpio device { espId } }
    }
}"""


async def bench() -> GraphqlServer:
    """A device with a pump on pin 5."""
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A"))
    await server.has_actuator(make_actuator("ESP_A", 5))
    return server


def order(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"espId": "ESP_A", "gpio": 5, "action": "ON", **changes}


async def test_login_gives_tokens_that_say_when_they_end() -> None:
    server = GraphqlServer()

    result = await server.execute(
        """mutation { login(username: "anna", password: "secret") {
            accessToken refreshToken expiresAt user { username role } } }""",
        role=None,
    )

    assert result.data is not None
    tokens = result.data["login"]
    assert server.services.accounts.identify(tokens["accessToken"]).username == "anna"
    assert tokens["expiresAt"] == "2026-01-01T13:00:00Z"
    assert tokens["user"] == {"username": "anna", "role": "ADMIN"}


async def test_a_refresh_token_renews_a_login_without_another_proof() -> None:
    server = GraphqlServer()
    login = await server.ask(
        'mutation { login(username: "anna", password: "secret") { refreshToken } }'
    )

    result = await server.execute(
        "mutation($t: String!) { refreshToken(refreshToken: $t) { accessToken } }",
        {"t": login["login"]["refreshToken"]},
        role=None,
    )

    assert result.data is not None
    token = result.data["refreshToken"]["accessToken"]
    assert server.services.accounts.identify(token).role is Role.ADMIN


async def test_while_the_server_starts_nobody_is_told_that_a_password_is_wrong() -> None:
    server = GraphqlServer()
    server.started.clear()
    login = 'mutation { login(username: "anna", password: "%s") { accessToken } }'

    assert await server.code(login % "guess", role=None) == "STORAGE_UNAVAILABLE"
    await server.ask(login % "secret")


async def test_a_wrong_password_is_refused_with_a_code() -> None:
    query = 'mutation { login(username: "anna", password: "guess") { accessToken } }'

    assert await GraphqlServer().code(query, role=None) == "UNAUTHENTICATED"


async def test_a_device_is_approved_and_named() -> None:
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A", approved=False))

    answer = await server.ask(
        'mutation { approveDevice(espId: "ESP_A", name: "North bed") { status approved name } }'
    )

    assert answer["approveDevice"] == {"status": "ONLINE", "approved": True, "name": "North bed"}
    assert server.storage.devices.rows["ESP_A"].approved
    assert [type(event) for event in server.events.published] == [DeviceHeard]


async def test_a_device_nobody_ever_heard_cannot_be_approved() -> None:
    query = 'mutation { approveDevice(espId: "ESP_Z") { name } }'

    assert await GraphqlServer().code(query) == "NOT_FOUND"


async def test_an_actuator_is_set_up_and_later_changed_in_part() -> None:
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A"))
    query = """mutation($input: ActuatorConfigInput!) {
        setActuator(input: $input) { gpio actuatorType name enabled critical mode } }"""

    await server.ask(
        query,
        input={
            "espId": "ESP_A",
            "gpio": 7,
            "actuatorType": "PWM",
            "name": "Fan",
            "critical": True,
            "maxRuntime": "PT2H",
        },
    )
    answer = await server.ask(
        query, input={"espId": "ESP_A", "gpio": 7, "actuatorType": "pwm", "enabled": False}
    )

    assert answer["setActuator"] == {
        "gpio": 7,
        "actuatorType": "pwm",
        "name": "Fan",
        "enabled": False,
        "critical": True,
        "mode": "PWM",
    }
    assert server.storage.actuators.rows[Pin("ESP_A", 7)].critical


async def test_a_second_pin_is_cleared_by_null_and_kept_where_it_is_left_out() -> None:
    server = await bench()
    query = "mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { gpio } }"
    key = {"espId": "ESP_A", "gpio": 7, "actuatorType": "valve"}
    pins = []
    for change in ({"auxGpio": 8}, {"name": "Inlet"}, {"auxGpio": None}):
        await server.ask(query, input=key | change)
        pins.append(server.storage.actuators.rows[Pin("ESP_A", 7)].aux_gpio)
    assert pins == [8, 8, None]


async def test_an_unknown_kind_of_actuator_is_refused() -> None:
    server = await bench()

    code = await server.code(
        "mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { gpio } }",
        input={"espId": "ESP_A", "gpio": 7, "actuatorType": "laser"},
    )

    assert code == "BAD_INPUT"


async def test_a_command_comes_back_with_what_its_device_confirmed() -> None:
    server = await bench()

    async with server.commanding():
        answer = await server.ask(SEND, input=order(duration="PT1M30S"))

    assert answer["sendCommand"] | {"id": ""} == {
        "id": "",
        "action": "ON",
        "value": 1.0,
        "status": "ACKNOWLEDGED",
        "reason": None,
        "duration": "PT1M30S",
        "origin": "USER",
        "completedAt": "2026-01-01T12:00:00Z",
        "user": {"username": "anna"},
        "actuator": {"gpio": 5, "device": {"espId": "ESP_A"}},
    }
    assert len(server.link.sent) == 1


async def test_a_command_that_the_device_refuses_has_failed_with_its_reason() -> None:
    server = await bench()
    server.link.success, server.link.message = False, "interlock open"

    async with server.commanding():
        answer = await server.ask(SEND, input=order())

    assert answer["sendCommand"]["status"] == "FAILED"
    assert answer["sendCommand"]["reason"] == "interlock open"


async def test_without_waiting_the_command_is_on_its_way() -> None:
    server = await bench()

    async with server.commanding():
        answer = await server.ask(SEND, input=order(wait=False))

    assert answer["sendCommand"]["status"] == "PENDING"


async def test_the_same_idempotency_key_sends_once() -> None:
    server = await bench()

    async with server.commanding():
        first = await server.ask(SEND, input=order(idempotencyKey="k1"))
        again = await server.ask(SEND, input=order(idempotencyKey="k1"))

    assert first == again
    assert len(server.link.sent) == 1


async def test_a_command_to_a_pin_that_is_not_known_sends_nothing() -> None:
    server = await bench()

    assert await server.code(SEND, input=order(gpio=99)) == "NOT_FOUND"
    assert server.link.sent == []
    assert not [e for e in server.events.published if isinstance(e, CommandChanged)]


@pytest.mark.parametrize("value", [1.5, -0.1])
async def test_a_value_out_of_range_is_refused_and_sends_nothing(value: float) -> None:
    server = await bench()

    async with server.commanding():
        result = await server.execute(SEND, {"input": order(action="PWM", value=value)})

    command = (result.data or {})["sendCommand"]
    assert (command["status"], command["value"]) == ("REJECTED", value)
    assert command["reason"] == f"the value {value} lies outside 0.0 to 1.0"
    assert server.link.sent == []


async def test_power_without_a_value_sends_nothing() -> None:
    server = await bench()

    async with server.commanding():
        code = await server.code(SEND, input=order(action="PWM", value=None))

    assert code == "BAD_INPUT"
    assert server.link.sent == []


async def test_an_infinite_value_sends_nothing() -> None:
    server = await bench()
    literal = '{ espId: "ESP_A", gpio: 5, action: PWM, value: 1e999 }'

    async with server.commanding():
        result = await server.execute(f"mutation {{ sendCommand(input: {literal}) {{ status }} }}")

    assert result.errors
    assert server.link.sent == []


NEEDS_ADMIN = (
    'mutation { approveDevice(espId: "ESP_A") { name } }',
    'mutation { setActuator(input: { espId: "ESP_A", gpio: 5, actuatorType: "pwm" }) { name } }',
)
NEEDS_OPERATOR = (
    'mutation { sendCommand(input: { espId: "ESP_A", gpio: 5, action: OFF }) { status } }',
)


@pytest.mark.parametrize("query", NEEDS_ADMIN)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_only_an_administrator_configures(query: str, role: Role) -> None:
    server = await bench()

    assert await server.code(query, role=role) == "FORBIDDEN"
    assert server.events.published == []


@pytest.mark.parametrize("query", NEEDS_OPERATOR)
async def test_a_viewer_commands_nothing(query: str) -> None:
    server = await bench()

    assert await server.code(query, role=Role.VIEWER) == "FORBIDDEN"
    assert server.storage.commands.rows == {}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMIN])
async def test_an_operator_commands_and_so_does_an_administrator(role: Role) -> None:
    server = await bench()

    async with server.commanding():
        result = await server.execute(NEEDS_OPERATOR[0], role=role)

    assert result.data == {"sendCommand": {"status": "ACKNOWLEDGED"}}
