"""Devices are brought in line with what people decided, however often either side goes away."""

from typing import Any

import pytest
from gql import GraphQLRequest
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DIALECTS, HEAD, Dialect
from simulator.faults import Fault
from simulator.sensors import DS18B20, VirtualSensor
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

    await eventually(there, within=within, what=f"the device is {wanted}, not {found}")
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


@pytest.mark.timeout(150)
async def test_a_restart_of_the_server_in_the_middle_ends_in_sync(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    virtual = board(HEAD)
    async with living(broker.url, [virtual]):
        async with server.http_client(await server.login()) as http:
            await until_online(http)
            virtual.faults.switch(Fault.SILENCE)
            await ask(http, SET_SENSOR, gpio=34, sensorType="ph")
            await eventually(lambda: virtual.configuration.taken > 0, what="it is on its way")
        await server.kill()
        virtual.faults.switch(Fault.SILENCE, on=False)
        await server.start()
        async with server.http_client(await server.login()) as http:
            await until_state(http, "IN_SYNC", within=RECOVERY)


@pytest.mark.timeout(150)
async def test_a_restart_of_the_broker_in_the_middle_ends_in_sync(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    virtual = board(HEAD)
    async with server.http_client(await server.login()) as http, living(broker.url, [virtual]):
        await until_online(http)
        virtual.faults.switch(Fault.SILENCE)
        await ask(http, SET_SENSOR, gpio=34, sensorType="ph")
        await eventually(lambda: virtual.configuration.taken > 0, what="it is on its way")
        await broker.stop()
        virtual.faults.switch(Fault.SILENCE, on=False)
        await broker.start()
        await until_state(http, "IN_SYNC", within=RECOVERY)


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
