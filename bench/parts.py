"""The parts that are measured, each a process of its own: PostgreSQL, broker, server, generator."""

import asyncio
import json
import os
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from mqtt_bridge.session import BrokerAddress

PROJECT = Path(__file__).parents[1]
PASSWORD = "measured-all-day"  # noqa: S105  # of a database that ends with the benchmark
CLIENT_ID = "bench-server"

_START_DEADLINE = 60.0
_STOP_DEADLINE = 20.0
_POLL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where everything is.

    Attributes:
        directory: Holds all data, and the server's log; gone with the block.
        database: URL of a PostgreSQL that notes when each transaction was committed.
        broker: URL of the broker; the embedded one has the settings that the server ships.
        http: Base URL of the server, once one runs.
        pids: The processes to look at, by what they are.
    """

    directory: Path
    database: str
    broker: str
    http: str = ""
    pids: Mapping[str, int] = field(default_factory=dict)

    @property
    def address(self) -> BrokerAddress:
        """The broker as clients want it."""
        return BrokerAddress.from_url(self.broker)


@asynccontextmanager
async def running_parts(broker_url: str = "") -> AsyncIterator[Parts]:
    """Start PostgreSQL and Mosquitto on a directory that ends with the block.

    Args:
        broker_url: A broker that runs already, to measure with; empty: the embedded one.
    """
    with tempfile.TemporaryDirectory(prefix="kaiser-bench-") as name:
        directory = Path(name)
        os.chmod(name, 0o711)  # noqa: PTH101, S103  # children run as users of their own
        async with AsyncExitStack() as stack:
            postgres = await stack.enter_async_context(
                EmbeddedPostgres(directory, extra_settings={"track_commit_timestamp": "on"})
            )
            pids = {"PostgreSQL": postgres.pid or 0}
            if not broker_url:
                broker = EmbeddedBroker(directory, port=0, prefer="mosquitto")
                broker_url = (await stack.enter_async_context(broker)).url
                pids["broker"] = broker.pid or 0
            yield Parts(directory=directory, database=postgres.url, broker=broker_url, pids=pids)


@asynccontextmanager
async def running_server(parts: Parts, **settings: str) -> AsyncIterator[Parts]:
    """Start the server as its users do, and end it politely with the block.

    Args:
        parts: What it stands on.
        settings: Further variables of its environment.

    Raises:
        RuntimeError: It does not become ready.
    """
    port = _free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("KAISER_")
    } | {
        "KAISER_DATA_DIR": str(parts.directory),
        "KAISER_DATABASE_URL": parts.database,
        "KAISER_MQTT_URL": parts.broker,
        "KAISER_MQTT_CLIENT_ID": CLIENT_ID,
        "KAISER_HTTP_PORT": str(port),
        "KAISER_ADMIN_PASSWORD": PASSWORD,
        "KAISER_DISCOVERY": "auto",
        "KAISER_LOG_LEVEL": "warning",
        **settings,
    }
    log = parts.directory / "server.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "serve",
            cwd=PROJECT, env=environment, stdout=descriptor, stderr=descriptor,
        )  # fmt: skip
    finally:
        os.close(descriptor)
    pids = {**parts.pids, "server": server.pid}
    running = replace(parts, http=f"http://127.0.0.1:{port}", pids=pids)
    try:
        await _until_ready(server, running, log)
        yield running
    finally:
        await end(server)


async def _until_ready(server: Process, parts: Parts, log: Path) -> None:
    clock = SystemClock()
    try:
        async with asyncio.timeout(_START_DEADLINE), httpx.AsyncClient() as client:
            while server.returncode is None:
                try:
                    answer = await client.get(f"{parts.http}/health/ready")
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.is_success:
                    return
                await clock.sleep(_POLL)
    except TimeoutError:
        pass
    raise RuntimeError(f"the server does not become ready:\n{_last_words(log)}")


@asynccontextmanager
async def generator(parts: Parts, *options: str) -> AsyncIterator[Process]:
    """Start a load generator; whatever happens, it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.generator", "--mqtt-url", parts.broker, *options,
        cwd=PROJECT, stdout=PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        await end(process)


async def report_of(process: Process) -> dict[str, float]:
    """Wait for a generator's end and return what it printed.

    Raises:
        RuntimeError: It failed.
    """
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the generator failed with exit code {process.returncode}")
    report: dict[str, float] = json.loads(output)
    return report


async def end(process: Process) -> None:
    """End a child of ours, politely and then surely."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_DEADLINE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _last_words(log: Path) -> str:
    return log.read_text()[-4000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
