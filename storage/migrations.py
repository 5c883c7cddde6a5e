"""Brings a database to the tables of this version.

aerich has no lock: processes that start together would create the same tables, and all but one
fail. So they queue behind an advisory lock, and find the work done.
"""

from pathlib import Path

import asyncpg
from aerich import Command
from tortoise.context import TortoiseContext

from domain.errors import StorageUnavailableError
from storage.client import configuration
from storage.errors import translated

OLDEST_POSTGRES = 15
"""The first that knows NULLS NOT DISTINCT."""

LOCATION = Path(__file__).resolve().parent.parent / "migrations"

LOCK_TIMEOUT = 60.0
"""Seconds to wait for another process that migrates."""

CONNECT_TIMEOUT = 5.0
"""Seconds to wait for PostgreSQL to take a connection."""


async def migrate(url: str) -> None:
    """Apply what is missing. Any number of processes may call this at once.

    Raises:
        StorageUnavailableError: PostgreSQL is not there, or too old.
    """
    with translated():
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT)
        try:
            _check_version(connection)
            await connection.execute(
                "SELECT pg_advisory_lock(hashtextextended('god-kaiser migrations', 0))",
                timeout=LOCK_TIMEOUT,
            )
            await _upgrade(url)
        finally:
            connection.terminate()  # gives the lock back, and cannot hang


def _check_version(connection: asyncpg.Connection) -> None:
    version = connection.get_server_version()
    if version.major < OLDEST_POSTGRES:
        raise StorageUnavailableError(
            f"PostgreSQL {OLDEST_POSTGRES} or later is needed, not {version.major}"
        )


async def _upgrade(url: str) -> None:
    config = configuration(url)
    async with TortoiseContext() as context:
        await context.init(config)
        command = Command(config, app="models", location=str(LOCATION))
        await command.init()
        await command.upgrade(run_in_transaction=True)
