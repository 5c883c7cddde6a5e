"""The tables come into being once, however many ask, and are what Tortoise thinks they are."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest
from aerich import Command
from tortoise.context import TortoiseContext

from app.embedded.postgres import EmbeddedPostgres
from domain.errors import StorageUnavailableError
from storage.client import OFFLINE, configuration
from storage.connection import Database
from storage.migrations import LOCATION, migrate

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, collation_name
FROM information_schema.columns WHERE table_schema = 'public'
"""


async def columns_of(url: str) -> set[tuple[str, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return {tuple(row) for row in await connection.fetch(COLUMNS)}
    finally:
        await connection.close()


async def versions_in(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch("SELECT version FROM aerich ORDER BY id")]
    finally:
        await connection.close()


async def test_processes_that_start_together_on_a_fresh_database_all_succeed(
    empty_database_url: str,
) -> None:
    databases = [Database(empty_database_url) for _ in range(5)]
    await asyncio.gather(*(database.connect() for database in databases))
    for database in databases:
        await database.check()
        await database.close()
    assert len(await versions_in(empty_database_url)) == len(
        list((LOCATION / "models").glob("*_*.py"))
    )


async def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    once = await columns_of(empty_database_url), await versions_in(empty_database_url)
    await migrate(empty_database_url)
    assert (await columns_of(empty_database_url), await versions_in(empty_database_url)) == once


async def test_the_migrated_tables_are_those_of_the_models(
    database_url: str, empty_database_url: str
) -> None:
    async with TortoiseContext() as context:
        await context.init(configuration(empty_database_url))
        await context.generate_schemas()
    migrated, described = await columns_of(database_url), await columns_of(empty_database_url)
    assert migrated == described
    assert len(described) > 80


async def test_the_last_migration_knows_all_that_the_models_say(tmp_path: Path) -> None:
    shutil.copytree(LOCATION / "models", tmp_path / "models")
    async with TortoiseContext() as context:
        await context.init(OFFLINE)
        command = Command(OFFLINE, app="models", location=str(tmp_path))
        await command.init(offline=True)
        assert await command.migrate(name="forgotten", no_input=True, offline=True) == ""


async def test_a_database_that_is_not_there_is_unavailable(postgres: EmbeddedPostgres) -> None:
    database = Database(postgres.url_of("nowhere"))
    with pytest.raises(StorageUnavailableError, match="nowhere"):
        await database.connect()


async def test_until_it_is_connected_every_use_is_unavailable(
    postgres: EmbeddedPostgres,
) -> None:
    database = Database(postgres.url_of("nowhere"))
    with pytest.raises(StorageUnavailableError):
        async with database.unit_of_work():
            pytest.fail("nothing can be done yet")
    with pytest.raises(StorageUnavailableError):
        await database.check()
    await database.close()
