"""The composition root: every object is made here, once; production and tests call it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import structlog
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner
from starlette.applications import Starlette
from storage.connection import Database
from uuid_utils.compat import uuid7

from app import asgi, graphiql
from app.clock import SystemClock
from app.event_stream import BroadcastEventStream
from app.graphql import Endpoint, build_schema
from app.process import Job
from app.security import Argon2Passwords, JwtIssuer
from app.settings import Settings
from domain.dead_letters import TABLE_LIMIT
from domain.devices import Discovery
from domain.errors import (
    BrokerUnavailableError,
    DomainError,
    EventStreamLostError,
    StorageUnavailableError,
)
from domain.services.accounts import Accounts
from domain.services.command import SendCommand
from domain.services.configure import Configure
from domain.services.guard import Guard
from domain.services.health import CheckHealth
from domain.services.ingest import IngestReadings
from domain.services.registry import Registry
from domain.services.watch_devices import WatchDevices
from mqtt_bridge.control import Control
from mqtt_bridge.intake import Intake
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from mqtt_bridge.topics import Connection, filters
from schema.context import Services

VERSION = "0.1.0"

HOUSEKEEPING_EVERY = 3600.0
"""Seconds between two rounds of tidying up in the database."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A wired server, not running yet.

    Attributes:
        app: What answers HTTP.
        jobs: What must run beside it, by name.
        finish: Brings the work in hand to an end.
        database: To be closed when the jobs have ended.
    """

    app: Starlette
    jobs: dict[str, Job]
    finish: Callable[[], Awaitable[None]]
    database: Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the parts are that the server stands on; embedded ones included."""

    database: str
    broker: str
    events: str


def wire_up(
    settings: Settings,
    addresses: Addresses,
    *,
    secret_key: str,
    announce: Callable[[str], None],
    ready: Callable[[], None] = lambda: None,
    intake_type: type[Intake] = Intake,
) -> Server:
    """Wire a server.

    Args:
        settings: What the operator wants.
        addresses: Where its parts are.
        secret_key: Signs the tokens; at least 32 bytes.
        announce: Tells the operator something that no log may hold: the first password.
        ready: Called once the database is there and everything may begin.
        intake_type: Another way in, for the tests that prove what this one is good for.

    Returns:
        The server's parts.
    """
    clock = SystemClock()
    random = Random()  # noqa: S311 - spreads retries, no secret
    storage_guard = partial(
        Guard,
        name="database",
        away=StorageUnavailableError,
        clock=clock,
        random=random,
        failed=_tell_failure,
    )
    broker_guard = partial(
        Guard, away=BrokerUnavailableError, clock=clock, random=random, failed=_tell_failure
    )
    database = Database(addresses.database)
    events = BroadcastEventStream(addresses.events, clock, random)
    registry = Registry()
    discovery = Discovery(settings.discovery)
    shared: dict[str, Any] = {
        "storage": database,
        "registry": registry,
        "events": events,
        "clock": clock,
        "new_id": uuid7,
    }
    accounts = Accounts(
        storage=database,
        passwords=Argon2Passwords(),
        tokens=JwtIssuer(secret_key),
        clock=clock,
        new_id=uuid7,
    )

    ingest = IngestReadings(
        **shared,
        writer=database.reading_writer(),
        libraries=LibraryRunner(load_built_in()),
        discovery=discovery,
    )
    intake = intake_type(ingest=ingest, guard=storage_guard(), clock=clock)
    watch = WatchDevices(**shared, discovery=discovery, journal=_log)

    address = BrokerAddress.from_url(addresses.broker)
    telemetry = MqttSession(
        address=address,
        client_id=f"{settings.mqtt_client_id}-telemetry",
        filters=filters(Connection.TELEMETRY),
        deliver=lambda delivery: intake.hear(telemetry, delivery),
        guard=broker_guard(name="broker (telemetry)"),
    )

    def hear_control(delivery: Delivery) -> None:
        control.hear(delivery)

    control_session = MqttSession(
        address=address,
        client_id=f"{settings.mqtt_client_id}-control",
        filters=filters(Connection.CONTROL),
        deliver=hear_control,
        guard=broker_guard(name="broker (control)"),
    )
    control = Control(
        connection=control_session, watch=watch, clock=clock, journal=_log, bury=intake.bury
    )
    send_command = SendCommand(**shared, link=control, guard=storage_guard())

    has_database = asyncio.Event()

    async def ask_database() -> str | None:
        if not has_database.is_set():
            raise StorageUnavailableError("not connected yet")
        await database.check()
        return None

    async def ask_broker() -> str | None:
        away = [s.guard.name for s in (telemetry, control_session) if not s.connected]
        if away:
            raise BrokerUnavailableError(f"{' and '.join(away)} not connected")
        return f"{address.host}:{address.port}"

    async def ask_events() -> str | None:
        if not events.available:
            raise EventStreamLostError("live events cannot be told now")
        return f"{events.counts.listeners} listeners"

    check_health = CheckHealth(
        probes={"database": ask_database, "broker": ask_broker, "events": ask_events},
        clock=clock,
        version=VERSION,
        started=clock.monotonic(),
    )
    services = Services(
        storage=database,
        registry=registry,
        events=events,
        clock=clock,
        accounts=accounts,
        configure=Configure(**shared),
        send_command=send_command,
        check_health=check_health,
    )

    async def keep_house() -> None:
        guard = storage_guard()
        await guard.insist(database.connect)
        await guard.insist(lambda: registry.load(database))
        password = settings.admin_password
        given = password.get_secret_value() if password else None
        generated = await guard.insist(lambda: accounts.ensure_first_admin(given))
        if generated is not None:
            announce(generated)
        has_database.set()
        _log.info("server.ready")
        ready()
        while True:
            await guard.insist(lambda: _tidy(database))
            await clock.sleep(HOUSEKEEPING_EVERY)

    def once_ready(job: Job) -> Job:
        async def wait_and_run() -> None:
            await has_database.wait()
            await job()

        return wait_and_run

    return Server(
        app=asgi.build(Endpoint(build_schema(), services), check_health, graphiql.routes()),
        jobs={
            "events": events.run,
            "housekeeping": keep_house,
            "intake": once_ready(intake.run),
            "commands": once_ready(send_command.run),
            "control": once_ready(control.run),
            "device watch": once_ready(watch.run),
            "control connection": once_ready(control_session.run),
            "telemetry connection": once_ready(telemetry.run),
        },
        finish=intake.finish,
        database=database,
    )


async def _tidy(database: Database) -> None:
    async with database.unit_of_work() as work:
        removed = await work.dead_letters.trim(TABLE_LIMIT)
    if removed:
        _log.info("dead_letters.trimmed", removed=removed)


def _tell_failure(name: str, error: DomainError, seconds: float) -> None:
    _log.warning("part.away", part=name, error=str(error), retry_in_seconds=round(seconds, 1))
