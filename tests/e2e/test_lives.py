"""The life of one board of each generation, from its first boot to its return, as a person sees it.

Boot, approval, configuration, zone, commands, readings live, emergency stop and clear, loss of its
network, return with what it measured meanwhile: one story for all, on the real server and broker.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from gql import GraphQLRequest
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from mqtt_bridge import topics
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.topics import Kind
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DIALECTS, HEAD, NOVEMBER, Dialect
from simulator.faults import Fault
from simulator.sensors import DS18B20, VirtualSensor
from tests.e2e.devices import Wiretap, living
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

ESP = "ESP_11FE00"
PUMP = 5
SAMPLE_SECONDS = 4.0
"""Of the board's time, which runs fast."""

SILENT_AFTER = 5
"""Seconds after which the server misses a board that has no last will."""

DEVICE = """query { device(espId: "ESP_11FE00") {
    status zone { zoneId } configSync { state error }
    actuators { gpio state { value isActive emergency } }
} }"""
APPROVE = """mutation { approveDevice(espId: "ESP_11FE00", name: "Bench") { status } }"""
SET_SENSOR = "mutation($input: SensorConfigInput!) { setSensor(input: $input) { name } }"
SET_ACTUATOR = "mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { name } }"
UPDATE = "mutation($input: UpdateDeviceInput!) { updateDevice(input: $input) { espId } }"
SEND = "mutation($input: SendCommandInput!) { sendCommand(input: $input) { status reason } }"
STOP = """mutation { emergencyStop(input: {reason: "a drill"}) { id active } }"""
CLEAR = "mutation($id: ID!) { clearEmergency(id: $id) { active } }"
STOPS = "query { emergencyStops { devices { confirmed releasedAt note device { espId } } } }"
LIVE = """subscription { readings(filter: {espIds: ["ESP_11FE00"]}) {
    reading { value sensor { sensorType } }
} }"""


@dataclass
class Story:
    """A board, the person who looks after it, and what really is in the database."""

    board: VirtualDevice
    person: AsyncClientSession
    listener: AsyncClientSession
    database: "asyncpg.Connection[asyncpg.Record]"
    tap: Wiretap = field(default_factory=Wiretap)

    async def ask(self, document: str, **given: object) -> dict[str, Any]:
        variables = {"input": {"espId": ESP, **given}} if given else {}
        return await self.person.execute(GraphQLRequest(document, variable_values=variables))

    async def device(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (await self.ask(DEVICE))["device"]
        return found

    async def until(self, status: str, sync: str | None = None, within: float = 20.0) -> None:
        seen: list[object] = []

        async def there() -> bool:
            device = await self.device()
            seen[:] = [device]
            return bool(
                device
                and device["status"] == status
                and sync in {None, device["configSync"]["state"]}
            )

        await eventually(there, within=within, what=lambda: f"the board is {status}, not {seen}")

    async def command(self, action: str) -> str:
        answer = (await self.ask(SEND, gpio=PUMP, action=action))["sendCommand"]
        return f"{answer['status']} {answer['reason'] or ''}".strip()

    async def stop(self) -> dict[str, Any]:
        """Return how the board stands to the newest emergency stop."""
        (stop,) = (await self.ask(STOPS))["emergencyStops"]
        (device,) = stop["devices"]
        assert device["device"]["espId"] == ESP
        return dict(device)

    def free(self) -> bool:
        return self.board.outlet.connected and self.board.pins.stopped_at is None

    def pumps(self) -> bool:
        return self.board.actuators[0].is_on

    async def live_reading(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            async for event in self.listener.subscribe(GraphQLRequest(LIVE)):
                reading: dict[str, Any] = event["readings"]["reading"]
                return reading
        raise AssertionError("the stream has ended")

    async def stored(self) -> list[float]:
        """Return the raw values of all its readings, in the order in which they were stored."""
        rows = await self.database.fetch("SELECT raw_value FROM reading ORDER BY id")
        return [row["raw_value"] for row in rows]


def board(dialect: Dialect) -> VirtualDevice:
    """Return a board as it leaves the workshop: never provisioned with a server's level."""
    return VirtualDevice(
        esp_id=ESP,
        dialect=dialect,
        sensors=(VirtualSensor(chip=DS18B20, gpio=4, interval=SAMPLE_SECONDS),),
        actuators=(VirtualActuator(gpio=PUMP, actuator_type="pump"),),
    )


def raw_values(messages: Sequence[Outgoing]) -> list[float]:
    """Return what samples among messages say."""
    values: list[float] = []
    for message in messages:
        topic = topics.parse(message.topic)
        if topic is not None and topic.kind is Kind.SENSOR_DATA:
            body = msgspec.json.decode(message.payload)
            values.append(body["raw_value"] if "raw_value" in body else body["raw"])
    return values


@asynccontextmanager
async def life(
    dialect: Dialect, server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> AsyncIterator[Story]:
    virtual, token = board(dialect), await server.login()
    database = await asyncpg.connect(database_url)
    person, listener = server.http_client(token), server.live_client(token)
    try:
        async with person as over_http, listener as over_socket:
            story = Story(virtual, over_http, over_socket, database)
            async with living(broker.url, [virtual], story.tap):
                yield story
    finally:
        await database.close()


@pytest.fixture
async def strict_server(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> AsyncIterator[ServerProcess]:
    """A server that lets nobody in by itself, and soon misses who is silent."""
    process = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_DISCOVERY": "approve",
            "KAISER_OFFLINE_AFTER": str(SILENT_AFTER),
        },
    )
    await process.start()
    yield process
    await process.stop()


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_a_board_of_each_generation_lives_through_it_all(
    strict_server: ServerProcess, broker: EmbeddedBroker, database_url: str, dialect: Dialect
) -> None:
    async with life(dialect, strict_server, broker, database_url) as story:
        await story.until("DISCOVERED")
        await story.ask(APPROVE)
        await story.until("ONLINE")

        await is_set_up(story)
        await obeys_and_reports(story)
        await stops_and_is_free_again(story)
        kept = await loses_its_network(story)
        await returns_with(kept, story)


async def is_set_up(story: Story) -> None:
    await story.ask(SET_SENSOR, gpio=34, sensorType="ph", name="Tank")
    await story.ask(SET_ACTUATOR, gpio=PUMP, actuatorType="pump", name="Pump")
    await story.until("ONLINE", "IN_SYNC")
    await story.ask(UPDATE, zoneId="north")
    await eventually(lambda: story.board.zone_id == "north", within=20, what="it knows its zone")
    await story.until("ONLINE", "IN_SYNC")
    device = await story.device()
    assert device is not None
    assert device["zone"] == {"zoneId": "north"}


async def obeys_and_reports(story: Story) -> None:
    # Its next heartbeat is answered with the news that it was let in; until then it refuses.
    await eventually(lambda: story.board.registration.refusal() is None, what="it takes orders")
    assert await story.command("ON") == "ACKNOWLEDGED"
    assert story.pumps()
    assert await story.command("OFF") == "ACKNOWLEDGED"
    assert not story.pumps()
    reading = await story.live_reading()
    assert reading["sensor"] == {"sensorType": "ds18b20"}
    assert 0 < reading["value"] < 50


async def stops_and_is_free_again(story: Story) -> None:
    """The whole plant is stopped; the first firmware needs a power cycle to go on."""
    assert await story.command("ON") == "ACKNOWLEDGED"
    stop_id = (await story.ask(STOP))["emergencyStop"]["id"]
    await eventually(lambda: not story.pumps(), what="it stops")

    async def confirmed() -> bool:
        return bool((await story.stop())["confirmed"])

    async def released() -> bool:
        return (await story.stop())["releasedAt"] is not None

    await eventually(confirmed, what="it confirms")
    assert (await story.command("ON")).startswith("REJECTED")
    await story.person.execute(GraphQLRequest(CLEAR, variable_values={"id": stop_id}))
    if story.board.dialect is NOVEMBER:
        assert "switch it off and on again" in (await story.stop())["note"]
        # Its time runs fast here, so that the server takes its boot to lie before the clearing.
        story.board.faults.switch(Fault.REBOOT)
        await eventually(story.free, what="it is free again")
    else:
        await eventually(released, within=20, what="it is free again")
    assert not story.pumps()
    assert await story.command("ON") == "ACKNOWLEDGED"
    assert await story.command("OFF") == "ACKNOWLEDGED"


async def loses_its_network(story: Story) -> list[float]:
    """Return what it measured meanwhile and could keep, once the server knows that it is gone."""
    outlet = story.board.outlet
    story.board.faults.switch(Fault.NETWORK_GONE)
    await story.until("OFFLINE")
    assert (await story.command("ON")).startswith("REJECTED")
    full = outlet.dialect.backlog
    await eventually(lambda: len(outlet.kept) >= min(full, 20), what="it has measured a while")
    return raw_values(outlet.kept)


async def returns_with(kept: Sequence[float], story: Story) -> None:
    """Everything that it said is stored once and in order, and sets nothing off."""
    told_before = len(raw_values(story.tap.said))
    story.board.faults.switch(Fault.NETWORK_GONE, on=False)
    await story.until("ONLINE")
    await eventually(
        lambda: len(raw_values(story.tap.said)) > told_before + len(kept) + 2,
        what="it has told its backlog, and goes on",
    )
    story.board.faults.switch(Fault.SILENCE)
    said = raw_values(story.tap.said)
    assert len(kept) >= (5 if story.board.dialect is HEAD else 10)
    assert said[told_before : told_before + len(kept)] == list(kept)

    async def all_stored() -> bool:
        return len(await story.stored()) >= len(raw_values(story.tap.said))

    await eventually(all_stored, what="the backlog is stored")
    assert await story.stored() == raw_values(story.tap.said)
    assert not story.pumps()
    assert (story.board.obeyed, story.board.refused) == (5, 0)
