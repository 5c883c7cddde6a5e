"""Real parts for stories: a broker, a directory, a server process."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker, Flavour
from tests.e2e.server import ServerProcess, free_port


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that PostgreSQL and the broker may enter when root starts them as other users."""
    path = Path(tempfile.mkdtemp(prefix="kaiser-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


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
    process = ServerProcess(
        directory, {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url}
    )
    await process.start()
    yield process
    await process.stop()
