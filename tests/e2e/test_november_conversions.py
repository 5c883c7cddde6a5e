"""A board of November 2025 delivers readings, on real parts: each was converted over HTTP first."""

import asyncio
from dataclasses import replace

import asyncpg

from app.embedded.broker import EmbeddedBroker
from mqtt_bridge.session import BrokerAddress
from simulator.connections import mqtt
from simulator.devices import VirtualDevice
from simulator.dialects import NOVEMBER
from simulator.fleet import Fleet
from simulator.processing import Processor, over_http
from simulator.sensors import DS18B20, PH, VirtualSensor
from tests.e2e.devices import HurriedClock
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

ESP = "ESP_0C70BE"


def board() -> VirtualDevice:
    return VirtualDevice(
        esp_id=ESP,
        dialect=replace(NOVEMBER, retains=False),
        asks_server=True,
        sensors=(
            VirtualSensor(chip=DS18B20, gpio=4, interval=5.0),
            VirtualSensor(chip=PH, gpio=35, interval=5.0),
        ),
    )


async def test_readings_arrive_as_the_server_converted_them_and_nothing_stalls_the_board(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    clock = HurriedClock()
    processor = Processor(
        host=f"127.0.0.1:{server.port}", call=over_http("127.0.0.1", server.port), clock=clock
    )
    fleet = Fleet(
        devices=[board()],
        connect=mqtt(BrokerAddress.from_url(broker.url), clock),
        clock=clock,
        processors={ESP: processor},
    )
    database = await asyncpg.connect(database_url)

    async def stored() -> list[asyncpg.Record]:
        return list(
            await database.fetch(
                "SELECT sensor_type, raw_value, value, c.unit FROM reading "
                "JOIN sensor ON sensor.id = sensor_id JOIN conversion c ON c.id = conversion_id"
            )
        )

    async def enough() -> bool:
        return {row["sensor_type"] for row in await stored()} == {"ds18b20", "ph"} and len(
            await stored()
        ) >= 10

    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(fleet.run())
            await eventually(enough, within=20.0, what="ten readings of both sensors")
            running.cancel()
        rows = await stored()
    finally:
        await database.close()

    assert processor.failed == 0
    assert processor.stood_still == 0.0
    for row in rows:
        if row["sensor_type"] == "ds18b20":
            assert row["value"] == round(row["raw_value"] * 0.0625, 2)
            assert row["unit"] == "°C"
        else:
            assert row["unit"] == "pH"
