"""Whoever subscribes again with the last cursor has every reading once, whatever was restarted."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from gql import GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError

from app.embedded.broker import EmbeddedBroker
from resolvers.live import LIVE_READINGS
from tests.e2e.load import Publisher
from tests.e2e.server import ServerProcess, free_port
from tests.eventually import eventually
from tests.integration.redis_server import RedisServer, redis_server

RATE = 500
"""Readings a second."""

RECOVERY = 30.0
LIVE = "subscription($since: String) { readings(since: $since) { cursor reading { rawValue } } }"
BEFORE_ALL = "2020-01-01T00:00:00Z"


@dataclass(slots=True)
class Follower:
    """A client that goes on where it was cut off.

    Attributes:
        heard: The ids of the readings that it was told, in that order.
        endings: How each of its subscriptions ended: a code, or the name of an error.
    """

    server: ServerProcess
    token: str
    heard: list[int] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)

    async def until_heard(self, count: int) -> None:
        """Wait until it was told so many readings."""
        await eventually(
            lambda: len(self.heard) >= count, within=RECOVERY, what=f"{count} readings are told"
        )

    async def hear_more(self, count: int) -> None:
        """Wait until it was told so many readings more."""
        await self.until_heard(len(self.heard) + count)

    async def follow(self) -> None:
        """Subscribe, again and again, until cancelled."""
        since = BEFORE_ALL
        while True:
            query = GraphQLRequest(LIVE, variable_values={"since": since})
            try:
                async with self.server.live_client(self.token) as live:
                    async for event in live.subscribe(query):
                        since = event["readings"]["cursor"]
                        self.heard.append(int(LIVE_READINGS.read(since)[0]))
                self.endings.append("completed")
            except TransportQueryError as error:
                self.endings += [told["extensions"]["code"] for told in error.errors or ()]
            except (TransportError, OSError) as error:
                self.endings.append(type(error).__name__)
                await asyncio.sleep(0.05)


@dataclass(slots=True)
class Load:
    """Readings that are published all the time, evenly, until somebody has seen enough."""

    publisher: Publisher
    enough: bool = False

    async def run(self) -> None:
        begin = 0
        while not self.enough:
            await self.publisher.publish(range(begin, begin + RATE // 10))
            begin += RATE // 10

    async def go_on(self) -> None:
        """Wait until a second's worth more is confirmed."""
        goal = len(self.publisher.confirmed) + RATE
        await eventually(lambda: len(self.publisher.confirmed) >= goal, what="more is published")


@asynccontextmanager
async def followed(server: ServerProcess, broker_url: str) -> AsyncIterator[tuple[Follower, Load]]:
    """Publish, and follow what is published; at the end, wait until everything was told."""
    follower = Follower(server, await server.login())
    load = Load(Publisher(broker_url, rate=RATE))
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(follower.follow())
        async with load.publisher.connected():
            publishing = tasks.create_task(load.run())
            await follower.hear_more(RATE)
            yield follower, load
            load.enough = True
            await publishing
        await follower.until_heard(len(load.publisher.confirmed))
        following.cancel()


async def stored(database_url: str) -> list[int]:
    """Return the ids of all readings, in order."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT id FROM reading ORDER BY id")
    finally:
        await connection.close()
    return [row["id"] for row in rows]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server(free_port()) as server:
        yield server


@pytest.mark.timeout(120)
async def test_a_restart_of_redis_costs_nobody_a_reading(
    database_url: str, broker: EmbeddedBroker, directory: Path, redis: RedisServer
) -> None:
    server = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_BROADCAST_URL": redis.url,
        },
    )
    await redis.start()
    await server.start()
    try:
        pid = server.pid
        async with followed(server, broker.url) as (follower, load):
            redis.kill()
            await eventually(lambda: bool(follower.endings), what="the subscription ends")
            await load.go_on()
            status, health = await server.health()
            assert (status, health["components"]["events"]["status"]) == (503, "down")
            await redis.start()
            await follower.hear_more(RATE)
        assert set(follower.endings) == {"EVENT_STREAM_LOST"}
        assert follower.heard == await stored(database_url)
        assert (server.running, server.pid) == (True, pid)
        assert await server.is_ready()
    finally:
        await server.stop()


@pytest.mark.timeout(120)
async def test_a_restart_of_the_server_costs_nobody_a_reading(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    async with followed(server, broker.url) as (follower, load):
        for end in (server.stop, server.kill):
            follower.endings.clear()
            await end()
            await eventually(lambda: bool(follower.endings), what="the subscription ends")
            await load.go_on()
            await server.start()
            await follower.hear_more(RATE)
    assert follower.heard == await stored(database_url)
