"""No acknowledged reading is lost or doubled, whenever the server is killed.

The same harness with a server that acknowledges before COMMIT must show loss: it is able to fail.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

import asyncpg
import pytest

from app.embedded.broker import EmbeddedBroker
from tests.e2e.load import Publisher
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

READINGS = 12_000
RATE = 1500.0
KILLS = 10
SETTLE_DEADLINE = 60.0
QUIET = 5.0
"""Seconds without anything new: longer than a server takes to start."""


async def publish_while_killing(
    server: ServerProcess, publisher: Publisher, database: asyncpg.Connection
) -> None:
    """Publish everything, and kill the server at random moments while it stores.

    What gathers at the broker while the server is away arrives in a burst when it is back, so
    most kills hit it in the middle of many batches.
    """
    random = Random(7)
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publisher.publish(range(READINGS)))
        for _ in range(KILLS):
            goal = min(await count_stored(database) + random.randint(1, 1500), READINGS)

            async def is_reached(goal: int = goal) -> bool:
                assert server.running, server.log_text()
                return await count_stored(database) >= goal or publishing.done()

            await eventually(is_reached, within=30, what="readings are stored")
            await server.kill()
            await server.launch()
        await publishing


async def count_stored(database: asyncpg.Connection) -> int:
    count: int = await database.fetchval("SELECT count(*) FROM reading")
    return count


async def settled(database: asyncpg.Connection) -> list[int]:
    """Return the numbers of what is stored, once nothing more arrives."""
    time = asyncio.get_running_loop().time
    seen, since = 0, time()

    async def is_quiet() -> bool:
        nonlocal seen, since
        now = await count_stored(database)
        if now != seen:
            seen, since = now, time()
        return seen == READINGS or time() - since > QUIET

    await eventually(is_quiet, within=SETTLE_DEADLINE, what="readings stop arriving")
    rows = await database.fetch("SELECT sequence FROM reading ORDER BY sequence")
    return [row["sequence"] for row in rows]


async def run_story(
    database_url: str, broker: EmbeddedBroker, directory: Path, program: Sequence[str]
) -> list[int]:
    server = ServerProcess(
        directory,
        {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url},
        program=program,
    )
    publisher = Publisher(broker.url, rate=RATE)
    database = await asyncpg.connect(database_url)
    try:
        await server.start()
        async with publisher.connected():
            await publish_while_killing(server, publisher, database)
        assert publisher.confirmed == set(range(READINGS))
        return await settled(database)
    finally:
        await server.kill()
        await database.close()


@pytest.mark.timeout(180)
async def test_every_confirmed_reading_is_stored_exactly_once_whenever_the_server_is_killed(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    stored = await run_story(database_url, broker, directory, ("-m", "app", "serve"))
    assert stored == list(range(READINGS))


@pytest.mark.timeout(180)
async def test_the_same_harness_shows_the_loss_of_a_server_that_acknowledges_too_early(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    stored = await run_story(
        database_url, broker, directory, ("-m", "tests.e2e.early_acknowledging_server")
    )
    assert len(stored) < READINGS
