"""Database and broker go away under load: the server lives on and loses nothing."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from gql import GraphQLRequest
from gql.transport.exceptions import TransportClosed, TransportConnectionFailed, TransportQueryError

from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from tests.e2e.load import DEVICES, Publisher
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

READINGS = 6000
RECOVERY = 60.0
"""Seconds: the breaker rests up to 30 before it tries again."""

LIVE = GraphQLRequest("subscription { readings { reading { sensor { device { espId } } } } }")


async def stored(database_url: str) -> list[int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT sequence FROM reading ORDER BY sequence")
    finally:
        await connection.close()
    return [row["sequence"] for row in rows]


async def until_all_are_stored(database_url: str) -> None:
    async def complete() -> bool:
        return len(await stored(database_url)) >= READINGS

    await eventually(complete, within=RECOVERY, what="every reading is stored")
    assert await stored(database_url) == list(range(READINGS))


async def hear_one(server: ServerProcess) -> None:
    """Subscribe anew, and hear a reading."""
    async with server.live_client(await server.login()) as live:
        async for event in live.subscribe(LIVE):
            assert event["readings"]["reading"]["sensor"]["device"]["espId"] in DEVICES
            return


async def listen(server: ServerProcess, token: str, heard: asyncio.Event) -> str:
    """Listen until the server ends the stream; say how it ended."""
    try:
        async with server.live_client(token) as live:
            async for _event in live.subscribe(LIVE):
                heard.set()
    except (TransportClosed, TransportConnectionFailed, TransportQueryError) as error:
        return repr(error)
    return "completed"


@pytest.mark.timeout(150)
async def test_the_server_outlives_its_database(directory: Path, broker: EmbeddedBroker) -> None:
    postgres = EmbeddedPostgres(directory / "postgres")
    await postgres.start()
    server = ServerProcess(
        directory, {"KAISER_DATABASE_URL": postgres.url, "KAISER_MQTT_URL": broker.url}
    )
    publisher = Publisher(broker.url, rate=READINGS / 6)
    try:
        await server.start()
        pid = server.pid
        async with publisher.connected(), asyncio.TaskGroup() as group:
            group.create_task(publisher.publish(range(READINGS)))
            await eventually(lambda: len(publisher.confirmed) > READINGS // 4)
            await postgres.stop()
            await eventually(lambda: bool(server.events("part.away")), what="the outage is noticed")
            status, health = await server.health()
            assert status == 503
            assert health["components"]["database"]["status"] == "down"
            await eventually(lambda: len(publisher.confirmed) > READINGS // 2)
            await postgres.start()
        await until_all_are_stored(postgres.url)
        assert (server.running, server.pid) == (True, pid)
        await eventually(server.is_ready)
    finally:
        await server.stop()
        await postgres.stop()


@pytest.mark.timeout(150)
async def test_the_server_outlives_its_broker_and_subscribers_hear_again(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    publisher = Publisher(broker.url, rate=READINGS / 8)
    pid, heard = server.pid, asyncio.Event()
    token = await server.login()
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen(server, token, heard))
        async with publisher.connected():
            publishing = group.create_task(publisher.publish(range(READINGS)))
            await eventually(lambda: len(publisher.confirmed) > READINGS // 4)
            await broker.stop()
            await eventually(lambda: bool(server.events("part.away")), what="the outage is noticed")
            assert (await server.health())[1]["components"]["broker"]["status"] == "down"
            heard.clear()
            await broker.start()
            async with asyncio.timeout(RECOVERY):
                await heard.wait()
            assert not listening.done()
            await hear_one(server)
            await publishing
        await until_all_are_stored(database_url)
        assert (server.running, server.pid) == (True, pid)
        listening.cancel()


@pytest.mark.timeout(120)
async def test_the_server_starts_before_its_database_and_broker_and_waits_for_them(
    directory: Path,
) -> None:
    postgres = EmbeddedPostgres(directory / "postgres")
    await postgres.start()
    broker = EmbeddedBroker(directory / "broker", port=0)
    await broker.start()
    await postgres.stop()
    await broker.stop()
    server = ServerProcess(
        directory, {"KAISER_DATABASE_URL": postgres.url, "KAISER_MQTT_URL": broker.url}
    )
    try:
        await server.launch()
        await eventually(lambda: bool(server.events("part.away")), within=20)
        status, health = await server.health()
        assert status == 503
        assert health["components"]["database"]["detail"] == "not connected yet"
        await postgres.start()
        await broker.start()
        await eventually(server.is_ready, within=RECOVERY)
    finally:
        await server.stop()
        await broker.stop()
        await postgres.stop()
