"""A board that only a relay reaches: found, heard, commanded, and missed with its relay."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from mqtt_bridge.session import BrokerAddress
from simulator.connections import mqtt
from simulator.relays import VirtualRelay
from tests.e2e.devices import HurriedClock
from tests.e2e.server import ServerProcess, free_port
from tests.e2e.test_device_life import Bystander
from tests.e2e.test_stories import ESP, SWITCH_ON, ask, board, story, until_online
from tests.eventually import eventually

RELAY = "kaiser_001"
LEVEL = f"kaiser/{RELAY}/esp/{ESP}"
RELAYS = """{ kaiserNodes {
    kaiserId status health devices { totalCount edges { node { espId kaiser { kaiserId } } } }
} }"""
READINGS = """query($esp: String!) {
    readings(espId: $esp, first: 1000) { edges { node { timestamp metadata } } }
}"""
EVENTS = "{ systemEvents(first: 100) { edges { node { kind severity message } } } }"


@asynccontextmanager
async def relaying(
    near: EmbeddedBroker, far: EmbeddedBroker
) -> AsyncIterator["asyncio.Task[None]"]:
    """Run a relay between two brokers; whoever cancels the task takes its power away."""
    clock = HurriedClock()
    relay = VirtualRelay(
        kaiser_id=RELAY,
        near=mqtt(BrokerAddress.from_url(near.url), clock),
        far=mqtt(BrokerAddress.from_url(far.url), clock),
        clock=clock,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(relay.run())
        yield task
        task.cancel()


async def readings(http: AsyncClientSession) -> list[dict[str, Any]]:
    found = await http.execute(ask(READINGS, esp=ESP))
    return [edge["node"] for edge in found["readings"]["edges"]]


async def the_relay(http: AsyncClientSession) -> dict[str, Any] | None:
    found = (await http.execute(ask(RELAYS)))["kaiserNodes"]
    return found[0] if found else None


async def test_a_board_behind_a_relay_is_found_heard_commanded_and_missed(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    server = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_OFFLINE_AFTER": "6",
        },
    )
    await server.start()
    try:
        async with (
            EmbeddedBroker(directory / "near", port=free_port()) as near,
            relaying(near, broker) as relay,
            story(server, near, [replace(board(), kaiser_id=RELAY)]) as (http, _live),
        ):
            await until_online(http)
            await is_known_with_its_board(http)
            await obeys_on_its_level(http, near)
            await is_stored_once(http, broker)
            relay.cancel()
            await is_missed(http)
    finally:
        await server.stop()


async def is_known_with_its_board(http: AsyncClientSession) -> None:
    async def counts_its_board() -> bool:
        relay = await the_relay(http)
        return relay is not None and relay["health"]["clients"] == [ESP]

    await eventually(counts_its_board, within=15, what="the relay has told of its board")
    relay = await the_relay(http)
    assert relay is not None
    assert (relay["kaiserId"], relay["status"]) == (RELAY, "ONLINE")
    assert relay["devices"] == {
        "totalCount": 1,
        "edges": [{"node": {"espId": ESP, "kaiser": {"kaiserId": RELAY}}}],
    }


async def obeys_on_its_level(http: AsyncClientSession, near: EmbeddedBroker) -> None:
    beside = Bystander(near.url, f"{LEVEL}/actuator/5/command")
    async with beside.listening():
        answer = await http.execute(SWITCH_ON)
        assert answer["sendCommand"]["status"] == "ACKNOWLEDGED"
        await beside.hears(command="ON")


async def is_stored_once(http: AsyncClientSession, far: EmbeddedBroker) -> None:
    """Say once more what the relay passed on, as if the board had been heard directly, too."""
    beside = Bystander(far.url, f"{LEVEL}/sensor/+/data")
    async with beside.listening() as session:
        relayed = await beside.hears(relayed_by=RELAY)
        direct = {name: value for name, value in relayed.items() if "relay" not in name}
        assert len(direct) == len(relayed) - 2
        topic = f"{LEVEL}/sensor/{direct['gpio']}/data"
        await session.publish(topic, json.dumps(direct).encode(), qos=1)

        async def one_more_is_stored() -> bool:
            newest = max(one["timestamp"] for one in await readings(http))
            return datetime.fromisoformat(newest).timestamp() > float(direct["ts"])

        await eventually(one_more_is_stored, within=15, what="what came after it is stored")
    stored = await readings(http)
    assert max(Counter(one["timestamp"] for one in stored).values()) == 1
    assert {one["metadata"]["relay"]["by"] for one in stored} == {RELAY}
    assert all("at" in one["metadata"]["relay"] for one in stored)


async def is_missed(http: AsyncClientSession) -> None:
    async def gone() -> bool:
        relay = await the_relay(http)
        return relay is not None and relay["status"] == "OFFLINE"

    await eventually(gone, within=30, what="the relay is missed")

    async def told() -> bool:
        events = (await http.execute(ask(EVENTS)))["systemEvents"]["edges"]
        return any(
            edge["node"]["kind"] == "RELAY_OFFLINE"
            and edge["node"]["severity"] == "ERROR"
            and "The 1 device behind it cannot be reached" in edge["node"]["message"]
            for edge in events
        )

    await eventually(told, within=10, what="a grower is told why")
