"""Emergency stops through GraphQL: who may, what it shows, and what it refuses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.users import Role
from schema.ids import global_id
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device

ESP, OTHER = "ESP_12AB34", "ESP_FFFFFF"
SHOWN = """
    id active reason gpio device { espId } triggeredBy { username } triggeredAt
    clearedBy { username } clearedAt
    devices { device { espId } confirmed confirmedAt releasedAt note }
"""
STOP = f"mutation($input: EmergencyStopInput!) {{ emergencyStop(input: $input) {{ {SHOWN} }} }}"
CLEAR = f"mutation($id: ID!) {{ clearEmergency(id: $id) {{ {SHOWN} }} }}"
LIST = f"query($active: Boolean) {{ emergencyStops(active: $active) {{ {SHOWN} }} }}"


@asynccontextmanager
async def greenhouse() -> AsyncIterator[GraphqlServer]:
    server = GraphqlServer()
    await server.has_device(make_device(ESP))
    await server.has_device(make_device(OTHER, online=False))
    await server.has_actuator(make_actuator(ESP, 5))
    async with server.stopping():
        yield server


async def test_everything_is_stopped_and_cleared_by_whom_it_says() -> None:
    async with greenhouse() as server:
        stop = (await server.ask(STOP, input={"reason": "water on the floor"}))["emergencyStop"]
        assert (stop["active"], stop["device"], stop["gpio"]) == (True, None, None)
        assert stop["triggeredBy"] == {"username": "anna"}
        assert [(d["device"]["espId"], d["confirmed"], d["note"]) for d in stop["devices"]] == [
            (ESP, False, "it has not confirmed yet, and is told again"),
            (OTHER, False, "it is offline: it is stopped as soon as it comes back"),
        ]
        assert (await server.ask(LIST, active=True))["emergencyStops"] == [stop]
        assert (await server.ask(LIST, active=False))["emergencyStops"] == []
        cleared = (await server.ask(CLEAR, id=stop["id"]))["clearEmergency"]
        assert (cleared["active"], cleared["clearedBy"]) == (False, {"username": "anna"})
        assert cleared["clearedAt"] is not None
        assert (await server.ask(LIST))["emergencyStops"] == [cleared]
        assert await server.code(CLEAR, id=stop["id"]) == "CONFLICT"


async def test_one_actuator_is_stopped_and_only_off_reaches_it() -> None:
    command = """mutation($action: CommandAction!) { sendCommand(input: {
        espId: "ESP_12AB34", gpio: 5, action: $action }) { status reason } }"""
    async with greenhouse() as server, server.commanding():
        wish = {"espId": ESP, "gpio": 5, "reason": "pump runs dry"}
        stop = (await server.ask(STOP, input=wish))["emergencyStop"]
        assert (stop["device"], stop["gpio"]) == ({"espId": ESP}, 5)
        on = (await server.ask(command, action="ON"))["sendCommand"]
        assert on["status"] == "REJECTED"
        assert "GPIO 5 of ESP_12AB34 is in force (pump runs dry)" in on["reason"]
        off = (await server.ask(command, action="OFF"))["sendCommand"]
        assert off["status"] == "ACKNOWLEDGED"


@pytest.mark.parametrize("role", [Role.VIEWER, None])
async def test_nobody_below_an_operator_stops_or_clears(role: Role | None) -> None:
    expected = "UNAUTHENTICATED" if role is None else "FORBIDDEN"
    async with greenhouse() as server:
        assert await server.code(STOP, role=role, input={"reason": "fire"}) == expected
        stop = (await server.ask(STOP, input={"reason": "fire"}))["emergencyStop"]
        assert await server.code(CLEAR, role=role, id=stop["id"]) == expected
        assert (await server.ask(LIST, active=True))["emergencyStops"] != []


async def test_a_device_that_was_removed_meanwhile_is_left_out_and_stands_in_nobodys_way() -> None:
    async with greenhouse() as server:
        stop = (await server.ask(STOP, input={"reason": "fire"}))["emergencyStop"]
        server.registry.remove_device(OTHER)
        del server.storage.devices.rows[OTHER]
        cleared = (await server.ask(CLEAR, id=stop["id"]))["clearEmergency"]
        assert not cleared["active"]
        assert [device["device"]["espId"] for device in cleared["devices"]] == [ESP]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"reason": " "}, "BAD_INPUT"),
        ({"reason": "fire", "gpio": 5}, "BAD_INPUT"),
        ({"reason": "fire", "espId": "ESP_000000"}, "NOT_FOUND"),
    ],
)
async def test_a_stop_of_nothing_is_refused(wish: dict[str, object], code: str) -> None:
    async with greenhouse() as server:
        assert await server.code(STOP, input=wish) == code


@pytest.mark.parametrize(
    ("wrapped", "code"),
    [
        ("nonsense", "BAD_INPUT"),
        (global_id("User", "00000000-0000-0000-0000-000000000001"), "BAD_INPUT"),
        (global_id("EmergencyStop", "00000000-0000-0000-0000-000000000001"), "NOT_FOUND"),
    ],
)
async def test_clearing_what_is_not_known_is_refused(wrapped: str, code: str) -> None:
    async with greenhouse() as server:
        assert await server.code(CLEAR, id=wrapped) == code
