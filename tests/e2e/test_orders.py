"""A person tells boards what to do with themselves; each does what its firmware can."""

from dataclasses import replace
from typing import Any

import pytest
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError

from app.embedded.broker import EmbeddedBroker
from simulator.dialects import NOVEMBER
from tests.e2e.server import ServerProcess
from tests.e2e.test_stories import APPROVE, ESP, ask, story, until_online
from tests.e2e.test_system_events import board

ROM = "28FF641E8D3C0C79"
EVENT = "{ severity message details }"
SENSOR = f'{{ espId: $esp, gpio: 4, sensorType: "ds18b20", address: "{ROM}" }}'
ORDERS = {
    "diagnose": f"requestDiagnostics(espId: $esp) {EVENT}",
    "scan": f"scanOneWire(espId: $esp) {{ devices {{ romCode gpio }} event {EVENT} }}",
    "measure": f"measureSensor(input: {SENSOR}) {{ rawValue event {EVENT} }}",
    "hold": f"setSafeMode(espId: $esp, active: true) {EVENT}",
    "go on": f"setSafeMode(espId: $esp, active: false) {EVENT}",
    "restart": f"restartDevice(espId: $esp) {EVENT}",
    "reset": f"factoryResetDevice(espId: $esp, confirm: true) {EVENT}",
}


async def order(session: AsyncClientSession, word: str) -> dict[str, Any]:
    document = f"mutation($esp: String!) {{ told: {ORDERS[word]} }}"
    told: dict[str, Any] = (await session.execute(ask(document, esp=ESP)))["told"]
    return told


async def refused(session: AsyncClientSession, word: str) -> tuple[str, str]:
    """Return the code and the message of an order that must be refused."""
    with pytest.raises(TransportQueryError) as caught:
        await order(session, word)
    (error,) = caught.value.errors or []
    return error["extensions"]["code"], error["message"]


async def test_the_newest_firmware_does_all_but_restart(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    async with story(server, broker, [board()]) as (http, _):
        await until_online(http)
        await http.execute(ask(APPROVE, esp=ESP))

        diagnosed = await order(http, "diagnose")
        assert diagnosed["severity"] == "INFO"
        assert diagnosed["message"] == "Bench was told by admin to report on itself, and does so."
        assert diagnosed["details"]["by"] == "admin"
        assert diagnosed["details"]["heap_free"] > 0

        assert (await order(http, "scan"))["devices"] == [{"romCode": ROM, "gpio": 4}]
        assert (await order(http, "measure"))["rawValue"] is not None

        await order(http, "hold")
        await order(http, "go on")

        code, message = await refused(http, "restart")
        assert (code, message) == (
            "CONFLICT",
            "Bench cannot do this: its firmware has no restart: switch it off and on",
        )
        assert (await order(http, "reset"))["details"]["order"] == "FACTORY_RESET"


async def test_the_oldest_firmware_can_only_be_reset(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = replace(board(), dialect=NOVEMBER, kaiser_id=None)
    async with story(server, broker, [device]) as (http, _):
        await until_online(http)
        await http.execute(ask(APPROVE, esp=ESP))
        for word in ("restart", "hold", "diagnose", "scan"):
            code, message = await refused(http, word)
            assert code == "CONFLICT", word
            assert message.startswith("Bench cannot do this: its firmware "), word
        assert (await order(http, "reset"))["severity"] == "INFO"
