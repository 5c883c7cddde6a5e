"""Devices are brought in line with what people decided, however often either side goes away."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from gql import GraphQLRequest
from gql.client import AsyncClientSession
from typing_extensions import override

from app.embedded.broker import EmbeddedBroker
from domain.configs import DeviceConfig
from simulator.actuators import VirtualActuator
from simulator.configuration import Configuration
from simulator.devices import VirtualDevice
from simulator.dialects import DECEMBER, DIALECTS, HEAD, Dialect
from simulator.faults import Fault
from simulator.sensors import DS18B20, VirtualSensor
from simulator.writing import Fields, Origin
from tests.e2e.devices import living
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

ESP = "ESP_C0F160"
SYNC = """query { device(espId: "ESP_C0F160") {
    status zone { zoneId }
    configSync { state error attempts refused { item reason } }
} }"""
SET_SENSOR = "mutation($input: SensorConfigInput!) { setSensor(input: $input) { name } }"
SET_ACTUATOR = "mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { name } }"
UPDATE = """mutation($input: UpdateDeviceInput!) {
    updateDevice(input: $input) { configSync { state } }
}"""
RECOVERY = 60.0
MANY_PINS = range(20, 120)
"""Enough for several parts, even in the largest messages that a firmware takes."""


def board(dialect: Dialect) -> VirtualDevice:
    return VirtualDevice(
        esp_id=ESP,
        dialect=dialect,
        kaiser_id="god",
        sensors=(VirtualSensor(chip=DS18B20, gpio=4, interval=20.0),),
        actuators=(VirtualActuator(gpio=5, actuator_type="pump"),),
    )


def named(dialect: Dialect) -> str:
    return dialect.name


async def ask(session: AsyncClientSession, document: str, **given: object) -> dict[str, Any]:
    variables = {"input": {"espId": ESP, **given}} if given else {}
    return await session.execute(GraphQLRequest(document, variable_values=variables))


async def device(session: AsyncClientSession) -> dict[str, Any]:
    found: dict[str, Any] | None = (await ask(session, SYNC))["device"]
    return found or {"status": "", "configSync": {"state": ""}}


async def until_online(session: AsyncClientSession) -> None:
    async def online() -> bool:
        return bool((await device(session))["status"] == "ONLINE")

    await eventually(online, within=20, what="the device is online")


async def until_state(
    session: AsyncClientSession, *wanted: str, within: float = 20
) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def there() -> bool:
        found.update((await device(session))["configSync"])
        return found["state"] in wanted

    await eventually(there, within=within, what=lambda: f"the device is {wanted}, not {found}")
    return found


@pytest.mark.parametrize("dialect", DIALECTS, ids=named)
async def test_every_generation_takes_its_pins_and_its_zone(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    virtual = board(dialect)
    async with server.http_client(await server.login()) as http, living(broker.url, [virtual]):
        await until_online(http)
        assert (await device(http))["configSync"]["state"] == "NEVER_SENT"
        await ask(http, SET_SENSOR, gpio=34, sensorType="ph", name="Tank", interval="PT30S")
        await ask(http, SET_ACTUATOR, gpio=25, actuatorType="valve", name="Inlet")
        answer = await ask(http, UPDATE, zoneId="north", subzoneId="bench_1")
        assert answer["updateDevice"]["configSync"]["state"] == "PENDING"
        await until_state(http, "IN_SYNC")
        assert (await device(http))["zone"] == {"zoneId": "north"}
    assert virtual.zone_id == "north"
    assert {item.gpio for item in virtual.configuration.items.values()} >= {34, 25}


@pytest.mark.parametrize("dialect", DIALECTS, ids=named)
async def test_a_refused_item_shows_its_reason_and_the_rest_is_taken(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    virtual = board(dialect)
    async with server.http_client(await server.login()) as http, living(broker.url, [virtual]):
        await until_online(http)
        await ask(http, SET_ACTUATOR, gpio=25, actuatorType="valve")
        await ask(http, SET_ACTUATOR, gpio=12, actuatorType="pump")
        sync = await until_state(http, "REJECTED")
    assert [item["item"] for item in sync["refused"]] == ["actuator on GPIO 12"]
    assert "GPIO_CONFLICT: GPIO 12 is reserved" in sync["refused"][0]["reason"]
    assert 25 in {item.gpio for item in virtual.configuration.items.values()}


async def test_what_is_decided_while_a_device_is_disconnected_arrives_when_it_is_back(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    virtual = board(HEAD)
    async with server.http_client(await server.login()) as http:
        async with living(broker.url, [virtual]):
            await until_online(http)
        await ask(http, SET_SENSOR, gpio=34, sensorType="ph")
        assert (await device(http))["configSync"]["state"] == "PENDING"
        async with living(broker.url, [board(HEAD)]):
            await until_state(http, "IN_SYNC")


@dataclass
class Watched(Configuration):
    """Says at once when the first part of a configuration arrives."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    def take(self, config: DeviceConfig, dialect: Dialect, origin: Origin) -> list[Fields]:
        self.begun.set()
        return super().take(config, dialect, origin)


async def decide_much(session: AsyncClientSession, url: str, dialect: Dialect) -> VirtualDevice:
    """Put out a configuration of many parts for a device while it is away; return the device."""
    async with living(url, [board(dialect)]):
        await until_online(session)
        # Learned by now: what it is told fits its firmware.
    for gpio in MANY_PINS:
        await ask(session, SET_SENSOR, gpio=gpio, sensorType="ph", name=f"{gpio} ".ljust(90, "x"))
    virtual = board(dialect)
    virtual.configuration = Watched()
    return virtual


def pins(virtual: VirtualDevice) -> set[int]:
    return {item.gpio for item in virtual.configuration.items.values()}


@pytest.mark.timeout(150)
@pytest.mark.parametrize("dialect", [DECEMBER, HEAD], ids=named)
async def test_a_restart_of_the_server_between_two_parts_ends_in_sync(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    async with server.http_client(await server.login()) as http:
        virtual = await decide_much(http, broker.url, dialect)
    assert isinstance(virtual.configuration, Watched)
    async with living(broker.url, [virtual]):
        await virtual.configuration.begun.wait()
        await server.kill()
        assert not pins(virtual) >= set(MANY_PINS), "it had not got everything yet"
        await server.start()
        async with server.http_client(await server.login()) as http:
            await until_state(http, "IN_SYNC", within=RECOVERY)
    assert pins(virtual) >= set(MANY_PINS)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("dialect", [DECEMBER, HEAD], ids=named)
async def test_a_restart_of_the_broker_between_two_parts_ends_in_sync(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    async with server.http_client(await server.login()) as http:
        virtual = await decide_much(http, broker.url, dialect)
        assert isinstance(virtual.configuration, Watched)
        async with living(broker.url, [virtual]):
            await virtual.configuration.begun.wait()
            await broker.stop()
            assert not pins(virtual) >= set(MANY_PINS), "it had not got everything yet"
            await broker.start()
            await until_state(http, "IN_SYNC", within=RECOVERY)
    assert pins(virtual) >= set(MANY_PINS)


async def test_a_device_that_restarted_is_told_again(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    virtual = board(HEAD)
    async with server.http_client(await server.login()) as http, living(broker.url, [virtual]):
        await until_online(http)
        await ask(http, SET_SENSOR, gpio=34, sensorType="ph")
        await until_state(http, "IN_SYNC")
        virtual.configuration.items.clear()
        virtual.faults.switch(Fault.REBOOT)
        await eventually(lambda: bool(virtual.configuration.items), within=30, what="told again")
        await until_state(http, "IN_SYNC")
