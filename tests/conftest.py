"""A real PostgreSQL for every test that asks for a database, a database for each; and turns."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from app.embedded.postgres import EmbeddedPostgres
from storage.connection import Database
from storage.migrations import migrate
from tests.turns import Turns

TEMPLATE = "migrated"

FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings of a server whose data nobody will miss."""

# How long an example takes says how busy the machine is; what may be slow is measured in bench/.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

_numbers = count(1)

TURNS = pytest.StashKey[Turns]()


def pytest_configure(config: pytest.Config) -> None:
    """Agree on turns where several processes share the tests (pytest-xdist)."""
    if hasattr(config, "workerinput"):
        # Each has a directory of its own in that of the run.
        config.stash[TURNS] = Turns(Path(config.getoption("basetemp")).with_name("turns"))


def pytest_unconfigure(config: pytest.Config) -> None:
    if turns := config.stash.get(TURNS, None):
        turns.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that must be alone: then nobody waits for a neighbour's long story."""
    items.sort(key=lambda item: item.get_closest_marker("alone") is None)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest-timeout's: waiting does not count
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    turns = item.config.stash.get(TURNS, None)
    if turns is None:
        return (yield)
    with turns.take(alone=item.get_closest_marker("alone") is not None):
        return (yield)


async def administer(postgres: EmbeddedPostgres, statement: str) -> None:
    """Run a statement in the server's own database."""
    connection = await asyncpg.connect(postgres.url_of("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for the whole run. Who stops it must start it again."""
    # Not pytest's tmp_path: PostgreSQL runs as another user when root tests, and must get in.
    base = Path(tempfile.mkdtemp(prefix="kaiser-test-"))
    base.chmod(0o711)
    server = EmbeddedPostgres(base / "data", extra_settings=FORGETFUL)

    async def begin() -> None:
        await server.start()
        await administer(server, f"CREATE DATABASE {TEMPLATE}")
        await migrate(server.url_of(TEMPLATE))

    with asyncio.Runner() as runner:
        try:
            runner.run(begin())
            yield server
        finally:
            runner.run(server.stop())
            shutil.rmtree(base)


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a database without any table."""
    async for url in _new_database(postgres, "template0"):
        yield url


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a migrated database that is this test's own."""
    async for url in _new_database(postgres, TEMPLATE):
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a migrated database that the tests of one module share."""
    async for url in _new_database(postgres, TEMPLATE):
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A connected database that is this test's own."""
    database = Database(database_url)
    await database.connect()
    yield database
    await database.close()


async def _new_database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await administer(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield postgres.url_of(name)
    await administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")
