"""Early boards that nobody provisioned: on the empty topic level they hear, and stay heard.

The board is written down here from the device protocol (sections 1.1, 1.2, 1.9, 1.10 and 3.3) and
shares nothing with the simulator: a misunderstanding that both had would show.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import pytest
from gql import GraphQLRequest
from gql.client import AsyncClientSession

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

ESP = "ESP_EA5484"
CLOCK = SystemClock()
BUFFER = 1024
"""Bytes of MQTT buffer on the smaller board: what is longer vanishes without an answer."""

DEVICE = """{ device(espId: "ESP_EA5484") {
    status firmwareGeneration capabilities zone { zoneId } configSync { state error }
} }"""
SET_SENSOR = "mutation($input: SensorConfigInput!) { setSensor(input: $input) { name } }"
SET_ACTUATOR = "mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { name } }"
UPDATE = "mutation($input: UpdateDeviceInput!) { updateDevice(input: $input) { espId } }"
COMMAND = "mutation($input: SendCommandInput!) { sendCommand(input: $input) { status reason } }"


@dataclass
class Board:
    """A board of November 2025, or, with `dated`, of December.

    Attributes:
        level: Where it publishes; its subscriptions stay where they were made.
        sensors: The types it was told, by pin.
    """

    client: aiomqtt.Client
    dated: bool
    level: str = ""
    zone: str = ""
    sensors: dict[int, str] = field(default_factory=dict)
    switched: list[str] = field(default_factory=list)
    _booted: float = field(default_factory=CLOCK.monotonic)

    async def run(self) -> None:
        own = f"kaiser//esp/{ESP}/"
        for name in ("system/command", "config", "actuator/+/command", "actuator/emergency"):
            await self.client.subscribe(own + name)
        await self.client.subscribe("kaiser/broadcast/emergency")
        await self.client.subscribe(f"kaiser/god/esp/{ESP}/zone/assign")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            async for message in self.client.messages:
                topic, payload = str(message.topic), message.payload
                assert isinstance(payload, bytes)
                if len(topic) + len(payload) < BUFFER:
                    await self._take(topic.split("/"), json.loads(payload))

    @property
    def stamp(self) -> int:
        if self.dated:
            return int(CLOCK.now().timestamp())
        return int((CLOCK.monotonic() - self._booted) * 1000) + 60_000

    async def _say(self, name: str, body: dict[str, object], *, retain: bool = True) -> None:
        topic = f"kaiser/{self.level}/esp/{ESP}/{name}"
        await self.client.publish(topic, json.dumps(body), qos=0, retain=retain)

    async def _beat(self) -> None:
        while True:
            body: dict[str, object] = {
                "esp_id": ESP,
                "zone_id": self.zone,
                "master_zone_id": "",
                "zone_assigned": bool(self.zone),
                "ts": self.stamp,
                "uptime": int(CLOCK.monotonic() - self._booted) + 60,
                "heap_free": 207_924,
                "wifi_rssi": -59,
                "sensor_count": len(self.sensors),
                "actuator_count": 1,
            }
            await self._say("system/heartbeat", body, retain=False)
            await asyncio.sleep(0.5)

    async def _take(self, levels: list[str], body: dict[str, Any]) -> None:
        answer: dict[str, object]
        match levels[4:]:
            case ["zone", "assign"]:
                # A key that is missing is read as the text "null".
                self.zone = str(body.get("zone_id", "null"))
                self.level = str(body.get("kaiser_id", "null"))
                clock = "ts" if self.dated else "timestamp"
                answer = {"esp_id": ESP, "status": "zone_assigned", "zone_id": self.zone}
                await self._say("zone/ack", {**answer, "master_zone_id": "", clock: self.stamp})
            case ["config"]:
                await self._configure("sensor", body.get("sensors"))
                await self._configure("actuator", body.get("actuators"))
            case ["actuator", gpio, "command"]:
                self.switched.append(body["command"])
                answer = {"ts": self.stamp, "esp_id": ESP, "zone_id": self.zone, "gpio": int(gpio)}
                done = {"command": body["command"], "value": body["value"], "duration": 0}
                told = {"success": True, "message": "Command executed"}
                await self._say(f"actuator/{gpio}/response", {**answer, **done, **told})

    async def _configure(self, section: str, items: list[dict[str, Any]] | None) -> None:
        answer: dict[str, object] = {"status": "error", "type": section, "count": 0}
        if not items:
            missing = {"message": f"Missing {section}s", "error_code": "MISSING_FIELD"}
            await self._say("config_response", answer | missing)
            return
        if section == "sensor":
            self.sensors |= {item["gpio"]: item["sensor_type"] for item in items}
        taken = {"status": "success", "count": len(items), "message": "Configured"}
        await self._say("config_response", answer | taken)


@asynccontextmanager
async def plugged_in(broker: EmbeddedBroker, *, dated: bool) -> AsyncIterator[Board]:
    client = aiomqtt.Client(
        "127.0.0.1", broker.port, identifier=ESP, protocol=aiomqtt.ProtocolVersion.V311
    )
    async with client, asyncio.TaskGroup() as group:
        board = Board(client, dated)
        task = group.create_task(board.run())
        yield board
        task.cancel()


async def ask(session: AsyncClientSession, document: str, **given: object) -> dict[str, Any]:
    variables = {"input": {"espId": ESP, **given}} if given else {}
    return await session.execute(GraphQLRequest(document, variable_values=variables))


async def device(session: AsyncClientSession) -> dict[str, Any]:
    found: dict[str, Any] | None = (await ask(session, DEVICE))["device"]
    return found or {"status": "", "configSync": {"state": ""}}


@pytest.mark.parametrize("generation", ["NOVEMBER_2025", "DECEMBER_2025"])
async def test_a_board_without_a_level_takes_its_zone_and_still_hears_commands(
    server: ServerProcess, broker: EmbeddedBroker, generation: str
) -> None:
    dated = generation == "DECEMBER_2025"
    async with (
        server.http_client(await server.login()) as http,
        plugged_in(broker, dated=dated) as board,
    ):

        async def known() -> bool:
            found = await device(http)
            return bool(found["status"] == "ONLINE" and found["firmwareGeneration"] == generation)

        async def in_sync() -> bool:
            return bool((await device(http))["configSync"]["state"] == "IN_SYNC")

        await eventually(known, within=20, what="the board is online and recognised")
        for gpio, kind in [(4, "ds18b20"), (34, "ph")]:
            await ask(http, SET_SENSOR, gpio=gpio, sensorType=kind, name=f"Bed {gpio}")
        await ask(http, SET_ACTUATOR, gpio=25, actuatorType="pump", name="Pump")
        await ask(http, UPDATE, zoneId="north")
        await eventually(in_sync, within=30, what="it has its pins and its zone")
        assert (board.zone, board.level) == ("north", "")
        own = set(board.sensors.values())
        assert own == ({"ds18b20", "ph"} if dated else {"temperature_ds18b20", "ph_sensor"})
        answer = await ask(http, COMMAND, gpio=25, action="ON")
        assert answer["sendCommand"] == {"status": "ACKNOWLEDGED", "reason": None}
        assert board.switched == ["ON"]
        assert (await device(http))["capabilities"]["honoursDuration"] is False
