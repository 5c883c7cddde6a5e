"""Server and devices know of each other's comings and goings."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.embedded.broker import EmbeddedBroker
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD, NOVEMBER, Dialect
from simulator.faults import Fault
from tests.e2e.devices import living
from tests.e2e.load import quick_guard
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

STATUS = "kaiser/god/server/status"
ESP = "ESP_12AB34"


@dataclass
class Bystander:
    """A bare client of the broker."""

    broker_url: str
    filter: str = STATUS
    heard: list[tuple[dict[str, Any], bool]] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[MqttSession]:
        session = MqttSession(
            address=BrokerAddress.from_url(self.broker_url),
            client_id="a-bystander",
            filters=[(self.filter, 1)],
            deliver=self._hear,
            guard=quick_guard("bystander"),
            clean=True,
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(session.run())
            await eventually(lambda: session.connected)
            yield session
            task.cancel()

    def _hear(self, delivery: Delivery) -> None:
        if delivery.payload:
            self.heard.append((json.loads(delivery.payload), delivery.retain))

    async def hears(self, **fields: object) -> dict[str, Any]:
        """Wait until the last thing it heard has these fields."""

        def has_heard() -> bool:
            return bool(self.heard) and self.heard[-1][0].items() >= fields.items()

        await eventually(has_heard, what=f"{fields} is heard")
        return self.heard[-1][0]


async def retained_status(broker: EmbeddedBroker) -> dict[str, Any]:
    late = Bystander(broker.url)
    async with late.listening():
        await eventually(lambda: bool(late.heard), what="the broker has kept a status")
    status, retained = late.heard[0]
    assert retained
    return status


@pytest.mark.parametrize("broker", ["mosquitto", "iotcore"], indirect=True)
async def test_devices_are_told_when_the_server_comes_vanishes_returns_and_leaves(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    bystander = Bystander(broker.url)
    async with bystander.listening():
        began = await bystander.hears(status="online")
        assert set(began) == {"status", "timestamp"}
        await server.kill()
        vanished = await bystander.hears(status="offline")
        assert vanished["reason"] == "unexpected_disconnect"
        assert await retained_status(broker) == vanished
        await server.start()
        returned = await bystander.hears(status="online")
        assert returned["timestamp"] >= began["timestamp"]
        assert await server.stop() == 0
        left = await bystander.hears(status="offline")
        assert left["reason"] == "shutdown"
    assert await retained_status(broker) == left


async def test_the_operator_says_how_long_a_device_may_be_silent(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    server = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_OFFLINE_AFTER": "1",
        },
    )
    await server.start()
    try:
        async with Bystander(broker.url).listening() as session:
            await session.publish(f"kaiser/god/esp/{ESP}/system/heartbeat", b'{"uptime":5}')
            await eventually(
                lambda: bool(server.events("device.offline")), within=20, what="it is missed"
            )
        (noted,) = server.events("device.offline")
        assert (noted["esp_id"], noted["reason"]) == (ESP, "silent for 1 s")
    finally:
        await server.stop()


HISTORY = f"""{{
    device(espId: "{ESP}") {{ healthHistory {{ edges {{ node {{ uptimeSeconds }} }} }} }}
}}"""


async def health_history(server: ServerProcess, token: str) -> list[dict[str, Any]]:
    answer = await server.post({"query": HISTORY}, token)
    assert "errors" not in answer, answer
    return [edge["node"] for edge in answer["data"]["device"]["healthHistory"]["edges"]]


@pytest.mark.parametrize("dialect", [NOVEMBER, HEAD], ids=lambda dialect: dialect.name)
async def test_a_device_that_reboots_is_noticed_once(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    device = VirtualDevice(esp_id=ESP, dialect=dialect, kaiser_id="god", seed=7)
    token = await server.login()

    async def reported(count: int) -> list[dict[str, Any]]:
        async def has_reported() -> bool:
            known = server.events("device.discovered")
            return bool(known) and len(await health_history(server, token)) >= count

        await eventually(has_reported, within=30, what=f"{count} reports are kept")
        return await health_history(server, token)

    async with living(broker.url, [device]):
        before = await reported(2)
        assert server.events("device.restarted") == []
        device.faults.switch(Fault.REBOOT, on=True)
        await eventually(
            lambda: bool(server.events("device.restarted")), within=30, what="it is noticed"
        )
        after = await reported(len(before) + 2)
    (noted,) = server.events("device.restarted")
    assert noted["esp_id"] == ESP
    assert noted["reason"]
    assert len(after) > len(before)
