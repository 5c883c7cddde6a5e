"""Counts the statements of a block, so that a query per row is noticed when it appears."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.connection import Database

_UNCOUNTED = re.compile(
    r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE"  # the frame of a transaction
    r"|SELECT\s+current_setting\(\s*'jit'|WITH RECURSIVE typeinfo_tree"  # asyncpg learns a type
)


@asynccontextmanager
async def counted_queries(database: Database) -> AsyncIterator[list[str]]:
    """Yield a list that holds the block's statements when it has ended.

    What frames a transaction is not among them, nor what asyncpg asks once per connection.
    """
    queries: list[str] = []

    def note(statement: str, _seconds: float) -> None:
        if not _UNCOUNTED.match(statement.lstrip()):
            queries.append(statement)

    before, database.on_query = database.on_query, note
    try:
        yield queries
        await asyncio.sleep(0)  # asyncpg tells of a statement one turn of the loop later
    finally:
        database.on_query = before
