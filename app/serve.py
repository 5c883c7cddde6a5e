"""From settings to a running server: embedded parts first, then everything in one process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
import uvicorn

from app.data_directory import kept_secret_key, make_data_directory
from app.embedded.broker import EmbeddedBroker
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.service import Service
from app.listening import check_http_port
from app.process import HttpServer, Job, run_jobs, stop_on_signals
from app.settings import Settings
from app.wiring import Addresses, Told, wire_up
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
    *,
    announce: Callable[[str], None],
    started: Callable[[Addresses], dict[str, Job]] | None = None,
    ready: Callable[[Addresses], None] | None = None,
    intake_type: type[Intake] = Intake,
) -> None:
    """Run the server until SIGINT or SIGTERM.

    Args:
        settings: What the operator wants.
        announce: Tells the operator the generated password of the first administrator.
        started: Called when everything is about to run; returns further jobs.
        ready: Called once the server has its database.
        intake_type: See `app.wiring.wire_up`.

    Raises:
        StartError: It cannot start; the message says what to do.
        ExceptionGroup: A part died, and all others were ended.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    make_data_directory(settings.data_dir)
    check_http_port(settings.http_host, settings.http_port)
    given = settings.secret_key
    key = given.get_secret_value() if given else kept_secret_key(settings.data_dir)
    async with running_parts(settings) as parts:
        told = Told(password=announce, ready=lambda: ready(parts.addresses) if ready else None)
        server = wire_up(settings, parts.addresses, key, told, intake_type=intake_type)
        http = HttpServer(_http(settings, server.app))
        further = started(parts.addresses) if started else {}

        async def finish() -> None:
            async with asyncio.TaskGroup() as ending:
                ending.create_task(server.finish())
                ending.create_task(http.stop())

        jobs: dict[str, Job] = {
            "http": http.run_until_stopped,
            **server.jobs,
            **{child.name: child.run for child in parts.children},
            **further,
        }
        try:
            await run_jobs(jobs, stop, finish)
        finally:
            await server.database.close()
    _log.info("server.stopped")


def _http(settings: Settings, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=settings.http_host,
        port=settings.http_port,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
