"""From settings to a running server: embedded parts first, then everything in one process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
import uvicorn

from app import mdns
from app.clock import SystemClock
from app.data_directory import kept_secret_key, make_data_directory
from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.service import Service
from app.ground import Addresses
from app.http_protocol import SpeltHttpProtocol
from app.listening import check_http_port
from app.process import HttpServer, Job, run_jobs, stop_on_signals
from app.settings import Settings
from app.wiring import Server, Told, wire_up
from mqtt_bridge.intake import Intake

LARGEST_FRAME = 256 * 1024
"""Bytes of a WebSocket message that a client may send."""

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Parts:
    """The parts a server stands on: those of others by their addresses, our own as children."""

    addresses: Addresses
    children: list[Service] = field(default_factory=list)


@asynccontextmanager
async def running_parts(settings: Settings, *, broker: bool = True) -> AsyncIterator[Parts]:
    """Start what no address is set for, and end it with the block.

    Args:
        settings: Say which addresses are set.
        broker: Whether a broker is needed at all.

    Yields:
        Where everything is.
    """
    async with AsyncExitStack() as stack:
        children: list[Service] = []

        async def child(service: Service) -> str:
            children.append(await stack.enter_async_context(service))
            return service.url

        database = settings.database_url or await child(
            EmbeddedPostgres(settings.data_dir, binaries=settings.postgres_bin)
        )
        address = settings.mqtt_url or ""
        if broker and not address:
            address = await child(
                EmbeddedBroker(settings.data_dir, host=settings.mqtt_host, port=settings.mqtt_port)
            )
        yield Parts(
            addresses=Addresses(database=database, broker=address, events=settings.broadcast_url),
            children=children,
        )


async def serve(
    settings: Settings,
    told: Told,
    *,
    further_jobs: Callable[[Server, Addresses], Mapping[str, Job]] | None = None,
    intake_type: type[Intake] = Intake,
) -> None:
    """Run the server until SIGINT or SIGTERM.

    Args:
        settings: What the operator wants.
        told: What the operator hears.
        further_jobs: Makes what shall run beside the server, such as a simulated greenhouse.
        intake_type: See `app.wiring.wire_up`.

    Raises:
        ExceptionGroup: It cannot start (a StartError says what to do), or a part died and all
            others were ended.
    """
    stop, begun = asyncio.Event(), asyncio.Event()
    stop_on_signals(stop)

    async def give_up_starting() -> None:
        await stop.wait()
        if not begun.is_set():
            serving.cancel()

    async def run() -> None:
        try:
            async with _started(settings, told, intake_type) as (server, parts):
                further = further_jobs(server, parts.addresses) if further_jobs else {}
                begun.set()
                await _run(settings, server, parts, further, stop)
        finally:
            watching.cancel()

    async with asyncio.TaskGroup() as group:
        # A crash recovery of PostgreSQL may take minutes: Ctrl-C must not wait for it.
        watching = group.create_task(give_up_starting())
        serving = group.create_task(run())
    _log.info("server.stopped")


@asynccontextmanager
async def _started(
    settings: Settings, told: Told, intake_type: type[Intake]
) -> AsyncIterator[tuple[Server, Parts]]:
    make_data_directory(settings.data_dir)
    check_http_port(settings.http_host, settings.http_port)
    given = settings.secret_key
    key = given.get_secret_value() if given else kept_secret_key(settings.data_dir)
    async with running_parts(settings) as parts:
        server = wire_up(settings, parts.addresses, key, told, intake_type=intake_type)
        try:
            yield server, parts
        finally:
            await server.database.close()


async def _run(
    settings: Settings,
    server: Server,
    parts: Parts,
    further: Mapping[str, Job],
    stop: asyncio.Event,
) -> None:
    http = HttpServer(http_config(settings, server.app))

    async def finish() -> None:
        async with asyncio.TaskGroup() as ending:
            ending.create_task(server.finish())
            ending.create_task(http.stop())

    announcer = mdns.announcer(settings, parts.addresses.broker, SystemClock())
    _log.info("http.listening", host=settings.http_host, port=settings.http_port)
    jobs: dict[str, Job] = {
        "http": http.run_until_stopped,
        **server.jobs,
        **{child.name: child.run for child in parts.children},
        **({"mdns": announcer.run} if announcer else {}),
        **further,
    }
    await run_jobs(jobs, stop, finish)


def http_config(settings: Settings, app: object) -> uvicorn.Config:
    """Return how the server speaks HTTP."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=settings.http_host,
        port=settings.http_port,
        http=SpeltHttpProtocol,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
