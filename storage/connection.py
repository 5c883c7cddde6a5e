"""The database: its connections, from the first to the last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.errors import STARTING, StorageUnavailableError
from storage.client import prepare_tortoise
from storage.errors import translated
from storage.migrations import CONNECT_TIMEOUT, migrate
from storage.reading_writer import PostgresReadingWriter
from storage.unit_of_work import PostgresUnitOfWork

CHECK_TIMEOUT = 3.0
"""Seconds that a sign of life may take."""

KEPT_FREE = 2
"""Connections for emergency stops: one for a new stop, one for what is heard of others."""

CLOSE_TIMEOUT = 5.0
"""Seconds that statements in hand may take when the server ends."""

_SERVER_SETTINGS = {
    # A plan made for any values expects few rows, and sorts what it should walk: 30 times slower.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",  # costs more than any statement here
}


class _Pools(NamedTuple):
    """Readings have a connection of their own: no number of requests keeps them waiting.

    So have emergency stops, which no number of anything keeps waiting.
    """

    requests: asyncpg.Pool
    readings: asyncpg.Pool
    kept_free: asyncpg.Pool


class Units:
    """Implements domain.repositories.Storage on the connections of one pool."""

    def __init__(self, pool: Callable[[], asyncpg.Pool], timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout

    def unit_of_work(self) -> PostgresUnitOfWork:
        """Open a transaction.

        Raises:
            StorageUnavailableError: `Database.connect` has not succeeded yet.
        """
        return PostgresUnitOfWork(self._pool(), self._timeout)

    def autocommit(self) -> PostgresUnitOfWork:
        """Open the repositories without a transaction.

        Raises:
            StorageUnavailableError: `Database.connect` has not succeeded yet.
        """
        return PostgresUnitOfWork(self._pool(), self._timeout, atomic=False)

    async def check(self) -> None:
        """Ask for a sign of life."""
        with translated():
            async with self._pool().acquire(timeout=CHECK_TIMEOUT) as connection:
                await connection.execute("SELECT 1", timeout=CHECK_TIMEOUT)


class Database(Units):
    """Implements domain.repositories.Storage.

    Attributes:
        on_query: Told every statement and how many seconds it took, from now on.
    """

    on_query: Callable[[str, float], None] | None = None

    def __init__(self, url: str, *, connections: int = 8, timeout: float = 30.0) -> None:
        """Describe it; nothing happens yet.

        Args:
            url: `postgres://user:password@host:port/name`, or `?host=/directory&port=...` in the
                place of host and port for a Unix socket.
            connections: How many units of work may be open at once; more wait.
            timeout: Seconds that a statement may take, and that it waits for a free connection.
        """
        super().__init__(lambda: self._connected().requests, timeout)
        self._url = url
        self._connections = connections
        self._pools: _Pools | None = None

    async def connect(self) -> None:
        """Bring the tables up to date and open the connections; call again until it works.

        Raises:
            StorageUnavailableError: PostgreSQL is not there, or too old.
        """
        if self._pools is not None:
            return
        await prepare_tortoise()
        await migrate(self._url)
        async with AsyncExitStack() as opened:
            pools = []
            with translated():
                for name, size in (
                    ("god-kaiser", self._connections),
                    ("god-kaiser readings", 1),
                    ("god-kaiser stops", KEPT_FREE),
                ):
                    pools.append(await self._open(name, size))
                    opened.callback(pools[-1].terminate)
                # The first stop must not wait until its connection is made.
                async with pools[-1].acquire(timeout=CHECK_TIMEOUT):
                    pass
            self._pools = _Pools(*pools)
            opened.pop_all()

    async def close(self) -> None:
        """Let statements in hand finish, and close. Safe to call twice."""
        pools, self._pools = self._pools, None
        if pools is None:
            return
        for pool in pools:
            with suppress(StorageUnavailableError), translated():
                await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT)
            pool.terminate()

    def kept_free(self) -> Units:
        """Return units of work on connections that nobody else is given."""
        return Units(lambda: self._connected().kept_free, self._timeout)

    def once(self, ready: asyncio.Event) -> Units:
        """Return units of work that are refused until all was loaded that answers depend on.

        Whoever asked earlier would be told that nobody knows their devices, and a stream that is
        resumed would leave out what those had said.
        """

        def pool() -> asyncpg.Pool:
            if not ready.is_set():
                raise StorageUnavailableError(STARTING)
            return self._connected().requests

        return Units(pool, self._timeout)

    def reading_writer(self) -> PostgresReadingWriter:
        """Return the way in for readings; there should be only one."""
        return PostgresReadingWriter(self._reading_connection)

    @asynccontextmanager
    async def _reading_connection(self) -> AsyncIterator[PoolConnectionProxy]:
        async with self._connected().readings.acquire(timeout=self._timeout) as connection:
            yield connection

    def _connected(self) -> _Pools:
        if self._pools is None:
            raise StorageUnavailableError("the database is not connected yet")
        return self._pools

    async def _open(self, name: str, size: int) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._url,
            min_size=0,  # or a task of the pool would try for ever while PostgreSQL is away
            max_size=size,
            timeout=CONNECT_TIMEOUT,
            max_inactive_connection_lifetime=0,  # what is made stays: to make one takes a while
            command_timeout=self._timeout,
            server_settings={**_SERVER_SETTINGS, "application_name": name},
            init=self._listen,
            reset=_leave,
        )

    async def _listen(self, connection: asyncpg.Connection) -> None:
        connection.add_query_logger(self._tell)

    def _tell(self, query: asyncpg.connection.LoggedQuery) -> None:
        if self.on_query is not None:
            self.on_query(query.query, query.elapsed)


async def _leave(connection: asyncpg.Connection) -> None:
    """Leave a session as it is: nothing here changes one, and resetting it is a round trip."""
