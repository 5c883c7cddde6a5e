"""Rules from end to end: the probe is on one board, the pump on another, and the server dies."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from gql import GraphQLRequest
from gql.client import AsyncClientSession

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DIALECTS, NOVEMBER, Dialect
from simulator.faults import Fault
from tests.e2e.devices import living
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

PROBE, BOARD = "ESP_7E57A1", "ESP_1EA5E1"
TOPIC = f"kaiser/god/esp/{PROBE}/sensor/4/data"
SENSOR = {"espId": PROBE, "gpio": 4, "sensorType": "ds18b20"}
SWITCH_ON = {"command": {"actuator": {"espId": BOARD, "gpio": 5}, "action": "ON"}}
COLD = {"hysteresis": {"sensor": SENSOR, "activateBelow": 18, "deactivateAbove": 20}}
HOT = {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 30, "unit": "°C"}}
CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { id warnings } }"
DONE = """{ ruleExecutions { edges { node {
    step outcome reason triggeredBy { value } commands { action status }
} } } }"""
STEEP = """mutation($input: SensorConfigInput!) { setSensor(input: $input) { id } }"""
KNOWN = """query($esp: String!, $board: String!) {
    sensor(espId: $esp, gpio: 4, sensorType: "ds18b20") { id }
    device(espId: $board) { status }
    actuator(espId: $board, gpio: 5) { id }
}"""
SOON = 20.0


class Probe:
    """A virtual sensor that shows whatever the story wants, seconds apart."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._port = broker.port
        self._at = int(SystemClock().now().timestamp()) - 120

    async def shows(self, *celsius: float) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            for value in celsius:
                self._at += 1
                said = {
                    "esp_id": PROBE,
                    "gpio": 4,
                    "sensor_type": "ds18b20",
                    "raw": round(value * 16),
                    "raw_mode": True,
                    "ts": self._at,
                    "time_valid": True,
                }
                await client.publish(TOPIC, json.dumps(said), qos=1)


def board(dialect: Dialect = NOVEMBER) -> VirtualDevice:
    pump = VirtualActuator(gpio=5, actuator_type="pump")
    return VirtualDevice(esp_id=BOARD, dialect=dialect, kaiser_id="god", actuators=(pump,))


def running(device: VirtualDevice) -> bool:
    return device.actuators[0].is_on


@asynccontextmanager
async def client(server: ServerProcess) -> AsyncIterator[AsyncClientSession]:
    async with server.http_client(await server.login()) as http:
        yield http


async def ask(http: AsyncClientSession, document: str, **variables: object) -> dict[str, Any]:
    return await http.execute(GraphQLRequest(document, variable_values=variables))


async def executions(http: AsyncClientSession) -> Sequence[dict[str, Any]]:
    edges = (await ask(http, DONE))["ruleExecutions"]["edges"]
    return [edge["node"] for edge in reversed(edges)]


async def until_done(http: AsyncClientSession, *outcomes: tuple[str, str]) -> None:
    async def done() -> bool:
        found = [(one["step"], one["outcome"]) for one in await executions(http)]
        return found == list(outcomes)

    try:
        await eventually(done, within=SOON, what=f"rules did {outcomes}")
    except AssertionError as error:
        error.add_note(str(await executions(http)))
        raise


async def until_known(http: AsyncClientSession, probe: Probe) -> None:
    await probe.shows(25.0)

    async def known() -> bool:
        found = await ask(http, KNOWN, esp=PROBE, board=BOARD)
        online = (found["device"] or {}).get("status") == "ONLINE"
        return online and found["sensor"] is not None and found["actuator"] is not None

    await eventually(known, within=SOON, what="probe and pump are known")
    # It is warmed in the hand: that is no fault of the probe.
    limits = {"unit": "°C", "maxRate": 100}
    await ask(http, STEEP, input={**SENSOR, "qualityLimits": limits})


async def make(http: AsyncClientSession, name: str, condition: object, **more: object) -> None:
    rule = {"name": name, "condition": condition, "actions": [SWITCH_ON], **more}
    made = await ask(http, CREATE, input=rule)
    assert made["createRule"]["warnings"] == []


async def test_a_heater_on_one_board_follows_the_probe_on_another_through_a_kill(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            await make(http, "Night heating", COLD)
            await probe.shows(17.0)
            await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"))
            assert running(device)
        await server.kill()
        await server.start()
        async with client(server) as http:
            # Between both limits: only who remembers the hysteresis knows that it goes on.
            await probe.shows(19.0)
            await probe.shows(20.5)
            await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"), ("HOLD_ENDS", "SUCCEEDED"))
            await eventually(lambda: not running(device), within=5, what="it is off")
            (begin, _) = await executions(http)
            assert begin["triggeredBy"] == {"value": 17.0}


async def test_every_edge_runs_a_trigger_once_though_the_server_is_killed_between(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    once = ("FIRE", "SUCCEEDED")
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            await make(http, "Cooling", HOT)
            await probe.shows(31.0, 32.0, 31.5)
            await until_done(http, once)
        await server.kill()
        await server.start()
        async with client(server) as http:
            await probe.shows(32.0)
            await probe.shows(29.0, 31.0)
            await until_done(http, once, once)
            assert [one["triggeredBy"] for one in await executions(http)] == [
                {"value": 31.0},
                {"value": 31.0},
            ]


async def test_a_board_that_is_away_is_told_when_it_is_back(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    # Of November's firmware nothing would come of it: it hears no commands after a loss.
    device, probe = board(DIALECTS[1]), Probe(broker)
    settings = {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url}
    server = ServerProcess(directory, {**settings, "KAISER_OFFLINE_AFTER": "8"})
    await server.start()
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        await make(http, "Night heating", COLD)
        device.faults.switch(Fault.NETWORK_GONE)

        async def gone() -> bool:
            found = await ask(http, KNOWN, esp=PROBE, board=BOARD)
            return bool(found["device"]["status"] == "OFFLINE")

        await eventually(gone, within=60, what="it is offline")
        await probe.shows(17.0)
        await until_done(http, ("HOLD_BEGINS", "SKIPPED"))
        (skipped,) = await executions(http)
        assert BOARD in skipped["reason"]
        device.faults.switch(Fault.NETWORK_GONE, on=False)
        # Its first answer may get lost on the way back; it is told again then.
        await eventually(lambda: running(device), within=60, what="it heats")
        (_, again) = await executions(http)
        assert again["step"] == "HOLD_RENEWS"
    await server.stop()


@pytest.mark.parametrize("killed", [False, True], ids=["alive", "killed"])
async def test_a_delay_in_flight_ends_once_though_the_server_is_killed(
    server: ServerProcess,
    broker: EmbeddedBroker,
    killed: bool,  # noqa: FBT001 - the story
) -> None:
    device, probe = board(), Probe(broker)
    off = {"command": {"actuator": {"espId": BOARD, "gpio": 5}, "action": "OFF"}}
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            await make(http, "Pulse", HOT, actions=[SWITCH_ON, {"delay": "PT6S"}, off])
            await probe.shows(31.0)
            await until_done(http, ("FIRE", "RUNNING"))
            await eventually(lambda: running(device), within=5, what="it runs")
        if killed:
            await server.kill()
            await server.start()
        async with client(server) as http:
            await until_done(http, ("FIRE", "SUCCEEDED"))
            assert not running(device)
            (one,) = await executions(http)
            assert [command["action"] for command in one["commands"]] == ["ON", "OFF"]
