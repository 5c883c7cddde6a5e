"""What gathered while the server was away is stored once, and in the order of each device."""

import asyncpg

from app.embedded.broker import EmbeddedBroker
from tests.e2e.load import DEVICES, Publisher
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

READINGS = 6000
"""More than the broker leaves unacknowledged at once."""


async def test_a_backlog_is_stored_once_and_in_the_order_of_each_device(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    publisher = Publisher(broker.url, rate=1e9)
    database = await asyncpg.connect(database_url)

    async def all_stored() -> bool:
        return bool(await database.fetchval("SELECT count(*) FROM reading") >= READINGS)

    try:
        await server.stop()
        async with publisher.connected():
            # In bulk: each device says everything that it has, one after the other.
            for device in range(len(DEVICES)):
                await publisher.publish(range(device, READINGS, len(DEVICES)))
        assert await database.fetchval("SELECT count(*) FROM reading") == 0
        await server.start()
        await eventually(all_stored, within=30, what="the backlog is stored")
        await server.stop()
        rows = await database.fetch("SELECT sensor_id, sequence FROM reading ORDER BY id")
    finally:
        await database.close()
    assert sorted(row["sequence"] for row in rows) == list(range(READINGS))
    for sensor in {row["sensor_id"] for row in rows}:
        numbers = [row["sequence"] for row in rows if row["sensor_id"] == sensor]
        assert numbers == sorted(numbers)
