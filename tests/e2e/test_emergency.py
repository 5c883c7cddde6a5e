"""An emergency stop holds through everything, and ends only when a person says so."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from mqtt_bridge.messages import Outgoing
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DECEMBER, DIALECTS, HEAD, NOVEMBER, Dialect
from simulator.faults import Fault
from tests.e2e.asking import ask, client
from tests.e2e.devices import Wiretap, living
from tests.e2e.dying_server import Window
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

SHOWN = "id active devices { device { espId } confirmed releasedAt note }"
STOP = f"mutation($input: EmergencyStopInput!) {{ emergencyStop(input: $input) {{ {SHOWN} }} }}"
CLEAR = f"mutation($id: ID!) {{ clearEmergency(id: $id) {{ {SHOWN} }} }}"
RESUME = "mutation($id: ID!) { clearEmergency(id: $id, resume: true) { active } }"
STOPS = f"{{ emergencyStops {{ {SHOWN} }} }}"
PUMP = "query($esp: String!) { actuator(espId: $esp, gpio: 5) { name } }"
DEVICES = "{ devices { edges { node { espId status } } } }"
ON = """mutation($esp: String!) {
    sendCommand(input: {espId: $esp, gpio: 5, action: ON}) { status reason }
}"""
DONE = "ACKNOWLEDGED"
RECOVERY = 40.0


def board(number: int, dialect: Dialect) -> VirtualDevice:
    pump = VirtualActuator(gpio=5, actuator_type="pump")
    return VirtualDevice(
        esp_id=f"ESP_E5709{number}", dialect=dialect, kaiser_id="god", actuators=(pump,)
    )


def boards() -> list[VirtualDevice]:
    return [board(number, dialect) for number, dialect in enumerate(DIALECTS)]


async def until_online(http: AsyncClientSession, devices: list[VirtualDevice]) -> None:
    async def online() -> bool:
        edges = (await ask(http, DEVICES))["devices"]["edges"]
        there = {e["node"]["espId"] for e in edges if e["node"]["status"] == "ONLINE"}
        return there >= {device.esp_id for device in devices}

    await eventually(online, within=20, what="all devices are online")


async def until_known(http: AsyncClientSession, device: VirtualDevice) -> None:
    async def known() -> bool:
        return (await ask(http, PUMP, esp=device.esp_id))["actuator"] is not None

    await eventually(known, within=20, what="the pump is known")


async def until_all(
    http: AsyncClientSession, stop_id: str, what: str, devices: list[VirtualDevice]
) -> None:
    wanted = {device.esp_id for device in devices}
    shown: list[object] = []

    async def there() -> bool:
        stops = (await ask(http, STOPS))["emergencyStops"]
        (stop,) = [stop for stop in stops if stop["id"] == stop_id]
        shown[:] = stop["devices"]
        return {d["device"]["espId"] for d in stop["devices"] if d[what]} >= wanted

    await eventually(there, within=RECOVERY, what=lambda: f"all are {what}: {shown}")


def stopped(devices: list[VirtualDevice]) -> bool:
    return all(device.pins.stopped_at is not None for device in devices)


async def test_a_stop_for_all_outlives_the_server_finds_who_was_away_and_frees_on_clearing(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    there, away = boards(), board(9, HEAD)
    async with living(broker.url, there):
        async with client(server) as http:
            async with living(broker.url, [away]):
                await until_online(http, [*there, away])
            stop = (await ask(http, STOP, input={"reason": "water on the floor"}))["emergencyStop"]
        await server.kill()
        await server.start()
        async with client(server) as http:
            await until_all(http, stop["id"], "confirmed", there)
            assert stopped(there)
            await until_known(http, there[-1])
            on = (await ask(http, ON, esp=there[-1].esp_id))["sendCommand"]
            assert on["status"] == "REJECTED"
            away = board(9, HEAD)
            async with living(broker.url, [away]):
                await until_all(http, stop["id"], "confirmed", [away])
                assert stopped([away])
                assert not (await ask(http, CLEAR, id=stop["id"]))["clearEmergency"]["active"]
                able = [*there[1:], away]
                await until_all(http, stop["id"], "releasedAt", able)
            assert not any(device.pins.stopped_at for device in able[:-1])
            assert stopped(there[:1]), "its firmware cannot clear"
            (shown,) = (await ask(http, STOPS))["emergencyStops"]
            notes = {d["device"]["espId"]: d["note"] for d in shown["devices"]}
            assert "switch it off and on" in (notes[there[0].esp_id] or "")
            there[0].faults.switch(Fault.REBOOT)
            await eventually(lambda: not stopped(there[:1]), what="the power cycle frees it")
            on = (await ask(http, ON, esp=there[-1].esp_id))["sendCommand"]
            assert on["status"] == "ACKNOWLEDGED"


async def test_who_is_to_go_on_is_asked_one_by_one_and_nothing_is_switched_on(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    there, tap = [board(number, HEAD) for number in (1, 2, 3)], Wiretap()
    async with living(broker.url, there, tap), client(server) as http:
        await until_online(http, there)
        for device in there:
            await until_known(http, device)
            assert (await ask(http, ON, esp=device.esp_id))["sendCommand"]["status"] == DONE
        stop = (await ask(http, STOP, input={"reason": "fire"}))["emergencyStop"]
        await until_all(http, stop["id"], "confirmed", there)
        await ask(http, RESUME, id=stop["id"])
        asked = list[float]()
        while len(asked) < len(there):
            await eventually(lambda: len(going_on(tap)) > len(asked), within=RECOVERY)
            asked.append(SystemClock().monotonic())
        assert all(later - before > 1.5 for before, later in pairwise(asked)), asked
        assert {message.topic for message in going_on(tap)} == {
            f"kaiser/god/esp/{device.esp_id}/system/command/response" for device in there
        }
        assert not any(device.actuators[0].is_on for device in there)


def going_on(tap: Wiretap) -> list[Outgoing]:
    """Return what boards answered to being asked to go on."""
    return [message for message in tap.said if b'"exit_safe_mode"' in message.payload]


@pytest.fixture
async def dying(
    broker: EmbeddedBroker, database_url: str, directory: Path
) -> AsyncIterator[ServerProcess]:
    """A server that dies once a stop is stored, for as long as the file of its fate is there."""
    fate = directory / "fate"
    fate.write_text(f"{Window.STOPPING} 0")
    server = ServerProcess(
        directory,
        {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url},
        program=("-m", "tests.e2e.dying_server", str(fate)),
    )
    await server.start()
    yield server
    await server.stop()


async def test_a_stop_that_was_stored_and_not_sent_goes_out_at_the_next_start(
    dying: ServerProcess, broker: EmbeddedBroker, database_url: str, directory: Path
) -> None:
    server, there = dying, boards()
    async with living(broker.url, there):
        async with client(server) as http:
            await until_online(http, there)
            with pytest.raises(TransportConnectionFailed):
                await ask(http, STOP, input={"reason": "fire"})
        await eventually(lambda: not server.running, what="it died in that moment")
        connection = await asyncpg.connect(database_url)
        assert await connection.fetchval("SELECT count(*) FROM emergency_stop") == 1
        await connection.close()
        assert not any(device.pins.stopped_at for device in there)
        (directory / "fate").unlink()
        await server.start()
        await eventually(lambda: stopped(there), within=RECOVERY, what="everybody has stopped")


async def test_a_stop_that_is_pressed_while_the_server_starts_is_kept_and_goes_out_before_all_else(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    there = boards()
    async with living(broker.url, there):
        async with client(server) as http:
            await until_online(http, there)
        token = await server.login()
        await server.kill()
        connection = await asyncpg.connect(database_url)
        async with connection.transaction(), server.http_client(token) as http:
            await connection.execute("LOCK TABLE zone")  # it cannot load what there is
            await server.launch()
            await eventually(server.answers, within=20, what="it answers")
            with pytest.raises(TransportQueryError, match="is starting; ask again"):
                await ask(http, ON, esp=there[0].esp_id)
            stop = (await ask(http, STOP, input={"reason": "fire"}))["emergencyStop"]
            with pytest.raises(TransportQueryError, match="is starting; ask again"):
                await ask(http, CLEAR, id=stop["id"])
            assert await connection.fetchval("SELECT count(*) FROM emergency_stop") == 1
            assert not any(device.pins.stopped_at for device in there)
        await connection.close()
        await eventually(lambda: stopped(there), within=RECOVERY, what="everybody has stopped")
        async with client(server) as http:
            await until_all(http, stop["id"], "confirmed", there)


@pytest.mark.parametrize("latched", [True, False], ids=["as it is", "control: nothing is kept"])
async def test_a_device_that_comes_back_obeys_nobody_because_the_stop_was_kept(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str, *, latched: bool
) -> None:
    device = board(1, DECEMBER)
    async with client(server) as http, living(broker.url, [device]):
        await until_online(http, [device])
        await ask(http, STOP, input={"reason": "fire"})
    await server.kill()
    if not latched:
        connection = await asyncpg.connect(database_url)
        await connection.execute("DELETE FROM emergency_stop")
        await connection.close()
    await server.start()
    again = board(1, DECEMBER)
    async with client(server) as http, living(broker.url, [again]):
        await until_online(http, [again])
        await until_known(http, again)
        on = (await ask(http, ON, esp=again.esp_id))["sendCommand"]
        assert on["status"] == ("REJECTED" if latched else "ACKNOWLEDGED"), on
        if latched:
            await eventually(lambda: stopped([again]), what="it was stopped")


async def test_a_stop_of_one_actuator_leaves_the_other_devices_alone(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    first, second = board(0, NOVEMBER), board(1, HEAD)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(client(server))
        await stack.enter_async_context(living(broker.url, [first, second]))
        await until_online(http, [first, second])
        for device in (first, second):
            await until_known(http, device)
        assert (await ask(http, ON, esp=first.esp_id))["sendCommand"]["status"] == "ACKNOWLEDGED"
        wish = {"espId": first.esp_id, "gpio": 5, "reason": "runs dry"}
        stop = (await ask(http, STOP, input=wish))["emergencyStop"]
        await until_all(http, stop["id"], "confirmed", [first])
        assert not stopped([first])
        assert first.actuators[0].value == 0
        assert (await ask(http, ON, esp=second.esp_id))["sendCommand"]["status"] == "ACKNOWLEDGED"
