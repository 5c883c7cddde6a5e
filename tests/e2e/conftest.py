"""Real parts for stories: a broker, a directory, a server process."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from app.embedded.broker import EmbeddedBroker, Flavour
from tests.e2e.server import ServerProcess, free_port


@contextmanager
def _new_directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="kaiser-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that PostgreSQL and the broker may enter when root starts them as other users."""
    with _new_directory() as path:
        yield path


@pytest.fixture
async def broker(directory: Path, request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedBroker]:
    """Mosquitto where it is installed; a test that names another gets that."""
    prefer: Flavour | None = getattr(request, "param", None)
    async with EmbeddedBroker(directory / "broker", port=free_port(), prefer=prefer) as broker:
        yield broker


@pytest.fixture
async def server(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> AsyncIterator[ServerProcess]:
    async for process in _serving(database_url, broker, directory):
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_server(lasting_database_url: str) -> AsyncIterator[ServerProcess]:
    """One server for a module whose tests only ask, leave nothing behind, and share its loop."""
    with _new_directory() as directory:
        async with EmbeddedBroker(directory / "broker", port=free_port()) as broker:
            async for process in _serving(lasting_database_url, broker, directory):
                yield process


async def _serving(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(
        directory, {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url}
    )
    await process.start()
    yield process
    await process.stop()
