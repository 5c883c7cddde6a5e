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

READINGS = 8000
KILLS = 8
SETTLE_DEADLINE = 60.0


async def stored_numbers(database_url: str) -> list[int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT sequence FROM reading ORDER BY sequence")
    finally:
        await connection.close()
    return [row["sequence"] for row in rows]


async def publish_while_killing(
    server: ServerProcess, publisher: Publisher, numbers: Sequence[int]
) -> None:
    """Publish everything, and kill the server at random moments meanwhile."""
    random = Random(7)
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publisher.publish(numbers))
        for _ in range(KILLS):
            await publisher.until_confirmed(len(publisher.confirmed) + random.randint(20, 400))
            await server.kill()
            await server.start()
        await publishing


async def settled(database_url: str) -> list[int]:
    """Return what is stored once nothing more arrives."""
    seen: list[int] = []
    quiet = 0

    async def is_quiet() -> bool:
        nonlocal seen, quiet
        now = await stored_numbers(database_url)
        quiet = quiet + 1 if now == seen else 0
        seen = now
        return quiet >= 100

    await eventually(is_quiet, within=SETTLE_DEADLINE, what="readings stop arriving")
    return seen


async def run_story(
    database_url: str, broker: EmbeddedBroker, directory: Path, program: Sequence[str]
) -> list[int]:
    server = ServerProcess(
        directory,
        {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url},
        program=program,
    )
    publisher = Publisher(broker.url, rate=READINGS / 12)
    try:
        await server.start()
        async with publisher.connected():
            await publish_while_killing(server, publisher, range(READINGS))
        assert publisher.confirmed == set(range(READINGS))
        return await settled(database_url)
    finally:
        await server.kill()


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
