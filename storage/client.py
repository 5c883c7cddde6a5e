"""Tortoise on connections that are ours.

Tortoise opens transactions in a context variable of the task; a task that lives through a restart
of PostgreSQL inside one can stay broken for ever. Here a unit of work holds its own connection,
and Tortoise is handed a client for just that connection.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.context import TortoiseContext, get_current_context, set_global_context
from typing_extensions import override

from storage.errors import translated

CONNECTION = "default"
"""What Tortoise calls our only database."""


class UrlClient(AsyncpgDBClient):
    """A client that leaves reading the URL to asyncpg, so that it means the same everywhere."""

    @override
    async def create_pool(self, **options: Any) -> asyncpg.Pool:
        return await asyncpg.create_pool(options["dsn"], min_size=1, max_size=1)


client_class = UrlClient
"""The name under which Tortoise looks for the client of an engine."""


def configuration(url: str) -> dict[str, object]:
    """Describe the database and its tables to Tortoise."""
    return {
        "connections": {CONNECTION: {"engine": "storage.client", "credentials": {"dsn": url}}},
        "apps": {
            "models": {
                "models": [
                    "storage.tables",
                    "storage.calibration_tables",
                    "storage.lease_tables",
                    "storage.recomputation_tables",
                    "storage.rule_tables",
                    "aerich.models",
                ],
                "default_connection": CONNECTION,
            }
        },
    }


OFFLINE = configuration("")
"""What the command line of aerich is given: it compares the tables with the last migration."""


async def prepare_tortoise() -> None:
    """Make Tortoise ready for queries in any task; more than once is harmless.

    It looks up which dialect to write in a context, and finds none in tasks that others start. So
    it is given one for the whole process, which knows the tables and never connects: what a query
    runs on is always said.
    """
    if get_current_context() is None:
        context = TortoiseContext()
        with context:
            await context.init(OFFLINE)
        set_global_context(context)


class TransactionClient(TransactionWrapper):
    """The client inside a transaction that the unit of work has begun, and will end.

    Every statement passes here, whoever wrote it, and so does every error.
    """

    def __init__(self, connection: PoolConnectionProxy) -> None:
        super().__init__(AsyncpgDBClient(connection_name=CONNECTION))
        self._connection = connection  # type: ignore[assignment]  # a stand-in with all it can do

    @override
    async def _translate_exceptions(
        self, func: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any
    ) -> Any:
        with translated():
            return await func(self, *args, **kwargs)
