"""Telling a device what to do with itself, through GraphQL."""

import pytest

from domain.errors import DeviceSilentError
from domain.orders import OneWireChip, OrderAnswer, OrderKind
from domain.users import Role
from tests.graphql_server import GraphqlServer
from tests.makers import make_device, make_sensor

ESP = "ESP_12AB34"
EVENT = "{ kind severity message details device { name } }"


async def greenhouse() -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device(ESP, name="Tomato bed"))
    return server


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (f'restartDevice(espId: "{ESP}")', OrderKind.RESTART),
        (f'factoryResetDevice(espId: "{ESP}", confirm: true)', OrderKind.FACTORY_RESET),
        (f'setSafeMode(espId: "{ESP}", active: true)', OrderKind.ENTER_SAFE_MODE),
        (f'setSafeMode(espId: "{ESP}", active: false)', OrderKind.LEAVE_SAFE_MODE),
        (f'requestDiagnostics(espId: "{ESP}")', OrderKind.DIAGNOSE),
    ],
)
async def test_an_order_returns_what_was_written_down(field: str, kind: OrderKind) -> None:
    server = await greenhouse()
    async with server.ordering():
        data = await server.ask(f"mutation {{ event: {field} {EVENT} }}")
    assert [order.kind for order, _ in server.orders.sent] == [kind]
    event = data["event"]
    assert (event["kind"], event["severity"]) == ("DEVICE_ORDERED", "INFO")
    assert event["message"].startswith("Tomato bed was told by anna to ")
    assert event["details"]["by"] == "anna"
    assert event["device"] == {"name": "Tomato bed"}


async def test_a_factory_reset_has_to_be_confirmed() -> None:
    server = await greenhouse()
    for confirm in ("", ", confirm: false", ", confirm: null"):
        query = f'mutation {{ factoryResetDevice(espId: "{ESP}"{confirm}) {{ id }} }}'
        assert await server.code(query) == "BAD_INPUT"
    assert not server.orders.sent


async def test_a_search_returns_what_was_found() -> None:
    server = await greenhouse()
    server.orders.answer = OrderAnswer(
        success=True,
        chips=(OneWireChip("28FF641E8D3C0C79", "ds18b20", 4), OneWireChip("28FF641E8D3C0C80")),
    )
    async with server.ordering():
        data = await server.ask(
            f'mutation {{ scanOneWire(espId: "{ESP}", gpio: 4) '
            "{ devices { romCode deviceType gpio } event { kind } } }"
        )
    assert data["scanOneWire"]["devices"] == [
        {"romCode": "28FF641E8D3C0C79", "deviceType": "ds18b20", "gpio": 4},
        {"romCode": "28FF641E8D3C0C80", "deviceType": None, "gpio": None},
    ]
    assert server.orders.sent[0][0].gpio == 4


async def test_a_sensor_is_measured_now() -> None:
    server = await greenhouse()
    await server.has_sensor(make_sensor(ESP, 4))
    server.orders.answer = OrderAnswer(success=True, raw_value=361.0)
    measure = f'mutation {{ measureSensor(input: {{ espId: "{ESP}", gpio: %s, sensorType: "DS18B20" }}) {{ rawValue event {{ kind }} }} }}'  # noqa: E501 - one operation
    async with server.ordering():
        data = await server.ask(measure % 4)
        assert await server.code(measure % 5) == "NOT_FOUND"
    assert data["measureSensor"]["rawValue"] == 361.0
    assert [order.gpio for order, _ in server.orders.sent] == [4]


async def test_what_goes_wrong_has_its_code() -> None:
    server = await greenhouse()
    restart = "mutation($esp: String!) { restartDevice(espId: $esp) { id } }"
    async with server.ordering():
        assert await server.code(restart, esp="ESP_NOBODY") == "NOT_FOUND"
        server.orders.cannot = "its firmware has no restart: switch it off and on"
        assert await server.code(restart, esp=ESP) == "CONFLICT"
        server.orders.cannot = None
        server.orders.error = DeviceSilentError("no answer within 5 s")
        assert await server.code(restart, esp=ESP) == "DEVICE_SILENT"


@pytest.mark.parametrize(
    ("field", "role"),
    [
        (f'restartDevice(espId: "{ESP}") {{ id }}', Role.OPERATOR),
        (f'factoryResetDevice(espId: "{ESP}", confirm: true) {{ id }}', Role.OPERATOR),
        (f'setSafeMode(espId: "{ESP}", active: true) {{ id }}', Role.VIEWER),
        (f'scanOneWire(espId: "{ESP}") {{ event {{ id }} }}', Role.VIEWER),
    ],
)
async def test_who_may_only_look_orders_nothing(field: str, role: Role) -> None:
    server = await greenhouse()
    assert await server.code(f"mutation {{ {field} }}", role=role) == "FORBIDDEN"
