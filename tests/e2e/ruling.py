"""What stories of rules have in common: a probe on one board, a pump on another, and what is asked.

The probe shows whatever a story wants, at whatever time it wants.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
from gql import GraphQLRequest
from gql.client import AsyncClientSession

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import NOVEMBER, Dialect
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
    step outcome reason cause resumeAt rule { name } triggeredBy { value timestamp }
    commands { action status }
} } } }"""
STEEP = """mutation($input: SensorConfigInput!) { setSensor(input: $input) { id } }"""
KNOWN = """query($esp: String!, $board: String!) {
    sensor(espId: $esp, gpio: 4, sensorType: "ds18b20") { id }
    device(espId: $board) { status }
    actuator(espId: $board, gpio: 5) { id }
}"""
SOON = 20.0


def now() -> float:
    return SystemClock().now().timestamp()


class Probe:
    """A virtual sensor that shows whatever the story wants.

    Attributes:
        at: When it measured last, Unix seconds.
        every: Seconds between two readings.
    """

    def __init__(self, broker: EmbeddedBroker, ago: float = 120, every: float = 1) -> None:
        self._port = broker.port
        self.at, self.every = now() - ago, every

    async def shows_now(self, celsius: float) -> None:
        self.at = now() - self.every
        await self.shows(celsius)

    async def shows(self, *celsius: float) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            for value in celsius:
                self.at += self.every
                said = {
                    "esp_id": PROBE,
                    "gpio": 4,
                    "sensor_type": "ds18b20",
                    "raw": round(value * 16),
                    "raw_mode": True,
                    "ts": self.at,
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


async def make(http: AsyncClientSession, name: str, condition: object, **more: object) -> str:
    rule = {"name": name, "condition": condition, "actions": [SWITCH_ON], **more}
    made = await ask(http, CREATE, input=rule)
    assert made["createRule"]["warnings"] == []
    rule_id: str = made["createRule"]["id"]
    return rule_id
