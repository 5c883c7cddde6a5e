"""The server's stories, told with real devices' words on real parts, as a client sees them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DECEMBER, HEAD, NOVEMBER, Dialect
from simulator.faults import Fault
from simulator.sensors import DS18B20, VirtualSensor
from tests.e2e.devices import living
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

ESP = "ESP_5A5A5A"


def board(dialect: Dialect = HEAD) -> VirtualDevice:
    return VirtualDevice(
        esp_id=ESP,
        dialect=dialect,
        kaiser_id="god",
        sensors=(
            VirtualSensor(chip=DS18B20, gpio=4, interval=4.0, onewire_address="28FF641E8D3C0C79"),
        ),
        actuators=(VirtualActuator(gpio=5, actuator_type="pump"),),
    )


DEVICES = GraphQLRequest(
    """
    query {
      devices {
        edges { node { espId status approved sensors { sensorType latest { value unit quality } }
                       actuators { gpio actuatorType state { value isActive reportedAt } } } }
      }
    }
    """
)
LIVE_READINGS = """
    subscription($esp: String!) {
      readings(filter: {espIds: [$esp]}) {
        cursor
        reading { value unit quality rawValue processingMode libraryVersion
                  sensor { sensorType device { espId } } }
      }
    }
    """
SEND = """
    mutation($input: SendCommandInput!) {
      sendCommand(input: $input) { id status reason action value sentAt completedAt
                                   actuator { gpio device { espId } } }
    }
    """
APPROVE = (
    'mutation($esp: String!) { approveDevice(espId: $esp, name: "Bench") { espId name status } }'
)


def named(value: Dialect | str | None) -> str:
    return value.name if isinstance(value, Dialect) else value or "mosquitto"


either_broker = pytest.mark.parametrize("broker", [None, "iotcore"], indirect=True, ids=named)
"""What is installed, and what there is where Mosquitto is not."""


def ask(document: str, **variables: object) -> GraphQLRequest:
    return GraphQLRequest(document, variable_values=variables)


SWITCH_ON = ask(SEND, input={"espId": ESP, "gpio": 5, "action": "ON"})


async def known_device(session: AsyncClientSession) -> dict[str, Any] | None:
    edges = (await session.execute(DEVICES))["devices"]["edges"]
    return next((edge["node"] for edge in edges if edge["node"]["espId"] == ESP), None)


async def until_online(session: AsyncClientSession) -> None:
    async def ready() -> bool:
        device = await known_device(session)
        return bool(device and device["status"] == "ONLINE" and device["actuators"])

    await eventually(ready, within=15, what="the device is online with its pump")


@asynccontextmanager
async def story(
    server: ServerProcess, broker: EmbeddedBroker, devices: Sequence[VirtualDevice]
) -> AsyncIterator[tuple[AsyncClientSession, AsyncClientSession]]:
    """Yield a session over HTTP and a live one, both logged in, with the devices running."""
    token = await server.login()
    http: Client = server.http_client(token)
    live: Client = server.live_client(token)
    async with http as over_http, live as over_socket, living(broker.url, devices):
        yield over_http, over_socket


@either_broker
async def test_a_reading_is_converted_stored_and_told_to_those_who_listen(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    async with story(server, broker, [board()]) as (http, live):
        async for event in live.subscribe(ask(LIVE_READINGS, esp=ESP)):
            reading = event["readings"]["reading"]
            break
        assert reading["sensor"] == {"sensorType": "ds18b20", "device": {"espId": ESP}}
        assert reading["value"] == pytest.approx(reading["rawValue"] * 0.0625, abs=0.01)
        assert (reading["unit"], reading["processingMode"]) == ("°C", "PI_ENHANCED")
        assert reading["libraryVersion"]
        device = await known_device(http)
        assert device is not None
        assert device["sensors"][0]["latest"]["unit"] == "°C"


@pytest.mark.parametrize(
    ("dialect", "broker"),
    [(HEAD, None), (DECEMBER, None), (NOVEMBER, None), (HEAD, "iotcore"), (NOVEMBER, "iotcore")],
    indirect=["broker"],
    ids=named,
)
async def test_a_mutation_returns_what_the_device_confirmed(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    async with story(server, broker, [board(dialect)]) as (http, _live):
        await until_online(http)
        answer = await http.execute(SWITCH_ON)
        command = answer["sendCommand"]
        assert (command["status"], command["value"]) == ("ACKNOWLEDGED", 1.0)
        assert command["actuator"] == {"gpio": 5, "device": {"espId": ESP}}
        assert command["sentAt"] <= command["completedAt"]

        async def pump_runs() -> bool:
            device = await known_device(http)
            return bool(device and device["actuators"][0]["state"]["isActive"])

        await eventually(pump_runs, what="the device reports that the pump runs")


async def test_a_silent_device_makes_the_command_time_out(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board()
    async with story(server, broker, [device]) as (http, _live):
        await until_online(http)
        device.faults.switch(Fault.SILENCE)
        answer = await http.execute(SWITCH_ON)
        assert answer["sendCommand"]["status"] == "TIMED_OUT"
        assert "did not answer within 5 s" in answer["sendCommand"]["reason"]


async def test_the_operator_says_how_long_a_device_may_take_and_what_waits_behind_it_expires(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    server = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_DISCOVERY": "auto",
            "KAISER_COMMAND_TIMEOUT": "1",
        },
    )
    await server.start()
    device = board()
    try:
        async with story(server, broker, [device]) as (http, _live):
            await until_online(http)
            device.faults.switch(Fault.SILENCE)
            answers = await asyncio.gather(*(http.execute(SWITCH_ON) for _ in range(4)))
        commands = [answer["sendCommand"] for answer in answers]
        commands.sort(key=lambda command: command["completedAt"])
        ends = [command["status"] for command in commands]
        assert (ends[0], ends[-1]) == ("TIMED_OUT", "EXPIRED"), ends
        assert "did not answer within 1 s" in commands[0]["reason"]
        assert "could not leave within 2 s" in commands[-1]["reason"]
        assert commands[-1]["sentAt"] is None
    finally:
        await server.stop()


async def test_readings_and_commands_outlive_a_restart(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    async with story(server, broker, [board()]) as (http, _live):
        await until_online(http)
        answer = await http.execute(SWITCH_ON)
    assert await server.stop() == 0
    await server.start()
    query = "query($id: ID!) { command(id: $id) { status } }"
    async with server.http_client(await server.login()) as http:
        command = await http.execute(ask(query, id=answer["sendCommand"]["id"]))
        assert command == {"command": {"status": "ACKNOWLEDGED"}}
        device = await known_device(http)
        assert device is not None
        assert device["sensors"][0]["latest"] is not None


async def test_a_new_device_waits_for_approval_and_is_heard_from_then_on(
    database_url: str, broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = ServerProcess(
        tmp_path_factory.mktemp("server"),
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_DISCOVERY": "approve",
        },
    )
    await server.start()
    try:
        async with story(server, broker, [board(DECEMBER)]) as (http, live):

            async def has_readings() -> bool:
                device = await known_device(http)
                return bool(device and device["sensors"] and device["sensors"][0]["latest"])

            await eventually(has_readings, what="the readings of the new device are kept")
            device = await known_device(http)
            assert device is not None
            assert (device["status"], device["approved"]) == ("DISCOVERED", False)

            first: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

            async def listen() -> None:
                async for event in live.subscribe(ask(LIVE_READINGS, esp=ESP)):
                    first.set_result(event)
                    return

            async with asyncio.TaskGroup() as group:
                group.create_task(listen())
                approved = (await http.execute(ask(APPROVE, esp=ESP)))["approveDevice"]
                assert (approved["espId"], approved["name"]) == (ESP, "Bench")
                async with asyncio.timeout(10):
                    await first
    finally:
        await server.stop()
