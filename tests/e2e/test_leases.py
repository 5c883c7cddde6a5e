"""Whatever is on goes off: boards that ignore for how long, with a server that dies meanwhile."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DIALECTS, NOVEMBER, Dialect
from simulator.faults import Fault
from tests.e2e.asking import ask, client
from tests.e2e.devices import living, running
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

COMMAND = "sendCommand(input: {espId: $esp, gpio: 5, action: ON, duration: $for})"
ON = f"mutation($esp: String!, $for: Duration!) {{ {COMMAND} {{ status reason }} }}"
KNOWN = """query($esp: String!) {
    device(espId: $esp) { status }
    actuator(espId: $esp, gpio: 5) { id }
}"""
COMMANDS = """query($esp: String!) {
    actuator(espId: $esp, gpio: 5) {
        commands { edges { node { action origin status } } }
    }
}"""
CHANGES = """query($esp: String!) {
    actuator(espId: $esp, gpio: 5) { stateChanges { edges { node { value } } } }
}"""
EVENTS = "{ systemEvents { edges { node { kind severity message } } } }"
SOON = 20.0


def board(number: int, dialect: Dialect) -> VirtualDevice:
    pump = VirtualActuator(gpio=5, actuator_type="pump")
    return VirtualDevice(
        esp_id=f"ESP_1EA5E{number}", dialect=dialect, kaiser_id="god", actuators=(pump,)
    )


async def until_known(http: AsyncClientSession, *devices: VirtualDevice) -> None:
    for device in devices:

        async def known(esp_id: str = device.esp_id) -> bool:
            answer = await ask(http, KNOWN, esp=esp_id)
            online = (answer["device"] or {}).get("status") == "ONLINE"
            return online and answer["actuator"] is not None

        await eventually(known, within=SOON, what=f"the pump of {device.esp_id} is known")


async def switch_on(http: AsyncClientSession, device: VirtualDevice, length: str) -> None:
    answer = await ask(http, ON, **{"esp": device.esp_id, "for": length})
    assert answer["sendCommand"]["status"] == "ACKNOWLEDGED", answer


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_every_board_is_off_at_the_end_of_its_lease(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    device = board(1, dialect)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        await switch_on(http, device, "PT2S")
        assert running(device) or dialect.obeys_duration  # whose seconds are short here
        await eventually(lambda: not running(device), within=4, what="it is off")


async def test_the_watchdog_writes_down_what_it_does(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board(1, NOVEMBER)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        await switch_on(http, device, "PT1S")

        async def noted() -> bool:
            edges = (await ask(http, COMMANDS, esp=device.esp_id))["actuator"]["commands"]["edges"]
            wanted = {"action": "OFF", "origin": "SAFETY", "status": "ACKNOWLEDGED"}
            return bool(edges[0]["node"] == wanted)

        await eventually(noted, within=5, what="the end of the lease is in the history")

        async def changed() -> bool:
            edges = (await ask(http, CHANGES, esp=device.esp_id))["actuator"]["stateChanges"][
                "edges"
            ]
            return [edge["node"]["value"] for edge in edges[:2]] == [0.0, 1.0]

        await eventually(changed, within=5, what="what its device said is in the history, too")


async def test_a_board_that_ignores_durations_is_switched_off_though_the_server_was_killed(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    short, long = board(1, NOVEMBER), board(2, NOVEMBER)
    async with living(broker.url, [short, long]):
        async with client(server) as http:
            await until_known(http, short, long)
            await switch_on(http, short, "PT1S")
            await switch_on(http, long, "PT8S")
        await server.kill()
        await asyncio.sleep(1.0)
        assert running(short)
        await server.start()
        # One whose lease ended meanwhile at once, the other when its time has come.
        await eventually(lambda: not running(short), within=2, what="it is off")
        await eventually(lambda: not running(long), within=10, what="the other is off, too")


async def test_without_the_watchdog_it_would_run_on(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    server = ServerProcess(
        directory,
        {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url},
        program=("-m", "tests.e2e.server_without_watchdog"),
    )
    await server.start()
    device = board(1, NOVEMBER)
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, device)
            await switch_on(http, device, "PT1S")
        await asyncio.sleep(4.0)
        assert running(device)
    await server.stop()


async def test_a_device_that_was_away_at_the_end_of_its_lease_is_told_off_when_it_is_back(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board(1, DIALECTS[1])
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        await switch_on(http, device, "PT2S")
        device.faults.switch(Fault.NETWORK_GONE)
        await asyncio.sleep(3.0)
        assert running(device)
        device.faults.switch(Fault.NETWORK_GONE, on=False)
        await eventually(lambda: not running(device), within=SOON, what="it is off")


async def test_what_a_device_switched_on_by_itself_is_told_and_has_a_lease(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    device = board(1, NOVEMBER)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        device.actuators[0].value = 1.0

        async def told() -> bool:
            edges = (await ask(http, EVENTS))["systemEvents"]["edges"]
            return any(edge["node"]["kind"] == "ACTUATOR_DISAGREES" for edge in edges)

        await eventually(told, within=SOON, what="people are told")
        connection = await asyncpg.connect(database_url)
        assert await connection.fetchval("SELECT until - on_since = interval '1 hour' FROM lease")
        await connection.close()
