"""The composition root: every object is made here, once; production and tests call it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import structlog
from starlette.applications import Starlette
from structlog.typing import FilteringBoundLogger
from uuid_utils.compat import uuid7

from app import asgi, graphiql
from app.clock import SystemClock
from app.event_stream import BroadcastEventStream
from app.graphql import Endpoint, build_schema
from app.process import Job
from app.security import Argon2Passwords, JwtIssuer
from app.settings import Settings
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
from domain.services.health import CheckHealth, Probe
from domain.services.ingest import IngestReadings
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.report_events import ReportEvents
from domain.services.synchronise import Synchronise
from domain.services.thin_health import ThinHealthHistory
from domain.services.watch_devices import WatchDevices
from mqtt_bridge import health
from mqtt_bridge.control import Control
from mqtt_bridge.intake import Intake
from mqtt_bridge.own_status import OwnStatus
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from mqtt_bridge.topics import Connection, filters
from schema.context import Services
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner
from storage.connection import Database

VERSION = "0.1.0"

_log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the parts are that the server stands on; embedded ones included."""

    database: str
    broker: str
    events: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the operator is told besides the log.

    Attributes:
        password: Called with the generated password of the first administrator: no log may hold it.
        ready: Called once the database is there and everything may begin.
    """

    password: Callable[[str], None]
    ready: Callable[[Addresses], None] = lambda _addresses: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A wired server, not running yet.

    Attributes:
        app: What answers HTTP.
        services: What resolvers, and whoever runs beside the server, work with.
        jobs: What must run beside it, by name.
        finish: Brings the work in hand to an end.
        database: To be closed when the jobs have ended.
    """

    app: Starlette
    services: Services
    jobs: Mapping[str, Job]
    finish: Callable[[], Coroutine[Any, Any, None]]
    database: Database


def wire_up(
    settings: Settings,
    addresses: Addresses,
    secret_key: str,
    told: Told,
    *,
    intake_type: type[Intake] = Intake,
) -> Server:
    """Wire a server.

    Args:
        settings: What the operator wants.
        addresses: Where its parts are.
        secret_key: Signs the tokens; at least 32 bytes.
        told: What the operator hears.
        intake_type: Another way in, for the tests that prove what this one is good for.

    Returns:
        The server's parts.
    """
    ground = _Ground(addresses, Discovery(settings.discovery))
    accounts = _accounts(ground, secret_key)
    record = _record(ground)
    reports = ReportEvents(record=record, registry=ground.registry)
    watch = _watch(ground, timedelta(seconds=settings.offline_after), reports)
    intake = intake_type(
        ingest=_ingest(ground, watch, reports),
        guard=ground.storage_guard(),
        clock=ground.clock,
        journal=_log,
        flooding=reports.flooding,
    )
    bridge = _bridge(ground, settings.mqtt_client_id, intake, watch, reports)
    send_command = _send_command(ground, bridge.control, reports)
    bridge.control.configs = synchronise = _synchronise(ground, bridge.control)
    check_health = _check_health(ground, bridge, intake)
    services = Services(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        accounts=accounts,
        configure=_configure(ground, synchronise),
        send_command=send_command,
        check_health=check_health,
    )
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    return Server(
        app=asgi.build(Endpoint(build_schema(), services), check_health, graphiql.routes()),
        services=services,
        jobs={
            "events": ground.events.run,
            "storage": lambda: _open_storage(ground, accounts, password, told),
            "intake": ground.once_ready(intake.run),
            "flood watch": intake.watch_floods,
            "commands": ground.once_ready(send_command.run),
            "configurations": ground.once_ready(synchronise.run),
            "control": ground.once_ready(bridge.control.run),
            "system events": ground.once_ready(record.run),
            "device watch": ground.once_ready(watch.run),
            "health history": ground.once_ready(_thin_health(ground).run),
            "control connection": ground.once_ready(bridge.control_session.run),
            "telemetry connection": ground.once_ready(bridge.telemetry_session.run),
        },
        finish=lambda: _finish(intake, bridge),
        database=ground.database,
    )


class _Ground:
    """What everything else stands on."""

    def __init__(self, addresses: Addresses, discovery: Discovery) -> None:
        self.addresses = addresses
        self.clock = SystemClock()
        self.random = Random()  # noqa: S311 - spreads retries, no secret
        self.database = Database(addresses.database)
        self.events = BroadcastEventStream(addresses.events, self.clock, self.random)
        self.broker = BrokerAddress.from_url(addresses.broker)
        self.registry = Registry()
        self.discovery = discovery
        self.ready = asyncio.Event()

    def storage_guard(self) -> Guard:
        """Return what repeats calls to the database while it is away."""
        return self._guard("database", StorageUnavailableError)

    def broker_guard(self, connection: str) -> Guard:
        """Return what connects to the broker again."""
        return self._guard(f"broker ({connection})", BrokerUnavailableError)

    def _guard(self, name: str, away: type[DomainError]) -> Guard:
        return Guard(
            name=name, away=away, clock=self.clock, random=self.random, failed=_tell_failure
        )

    def once_ready(self, job: Job) -> Job:
        """Hold a job back until the registry knows what the database holds.

        A device that is heard earlier would be told that nobody knows it.
        """

        async def wait_and_run() -> None:
            await self.ready.wait()
            await job()

        return wait_and_run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bridge:
    control: Control
    control_session: MqttSession
    telemetry_session: MqttSession
    own_status: OwnStatus


def _bridge(
    ground: _Ground, client_id: str, intake: Intake, watch: WatchDevices, reports: ReportEvents
) -> _Bridge:
    def hear_telemetry(delivery: Delivery) -> None:
        intake.hear(telemetry_session, delivery)

    def hear_control(delivery: Delivery) -> None:
        control.hear(delivery)

    telemetry_session = MqttSession(
        address=ground.broker,
        client_id=f"{client_id}-telemetry",
        filters=filters(Connection.TELEMETRY),
        deliver=hear_telemetry,
        guard=ground.broker_guard("telemetry"),
    )
    own_status = OwnStatus(ground.clock)
    control_session = MqttSession(
        address=ground.broker,
        client_id=f"{client_id}-control",
        filters=filters(Connection.CONTROL),
        deliver=hear_control,
        guard=ground.broker_guard("control"),
        first_word=own_status.first_word,
        last_word=own_status.last_word,
    )
    control = Control(
        connection=control_session,
        watch=watch,
        clock=ground.clock,
        journal=_log,
        reports=reports,
        bury=intake.bury,
    )
    return _Bridge(
        control=control,
        control_session=control_session,
        telemetry_session=telemetry_session,
        own_status=own_status,
    )


async def _finish(intake: Intake, bridge: _Bridge) -> None:
    async def store() -> None:
        await intake.finish()
        with suppress(BrokerUnavailableError):
            await bridge.telemetry_session.settle()

    async def take_leave() -> None:
        # Where the broker is away, it has told so already.
        with suppress(BrokerUnavailableError):
            topic, payload, qos, retain = bridge.own_status.farewell()
            await bridge.control_session.publish(topic, payload, qos=qos, retain=retain)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(store())
        tasks.create_task(take_leave())


def _thin_health(ground: _Ground) -> ThinHealthHistory:
    return ThinHealthHistory(
        storage=ground.database, registry=ground.registry, clock=ground.clock, journal=_log
    )


def _accounts(ground: _Ground, secret_key: str) -> Accounts:
    return Accounts(
        storage=ground.database,
        passwords=Argon2Passwords(),
        tokens=JwtIssuer(secret_key),
        clock=ground.clock,
        new_id=uuid7,
    )


def _ingest(ground: _Ground, watch: WatchDevices, reports: ReportEvents) -> IngestReadings:
    return IngestReadings(
        storage=ground.database,
        writer=ground.database.reading_writer(),
        registry=ground.registry,
        libraries=LibraryRunner(load_built_in()),
        events=ground.events,
        clock=ground.clock,
        new_id=uuid7,
        discovery=ground.discovery,
        heard=watch.heard,
        buried=reports.buried,
    )


def _record(ground: _Ground) -> RecordEvents:
    return RecordEvents(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
    )


def _watch(ground: _Ground, offline_after: timedelta, reports: ReportEvents) -> WatchDevices:
    return WatchDevices(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        new_id=uuid7,
        discovery=ground.discovery,
        journal=_log,
        reports=reports,
        offline_after=offline_after,
    )


def _configure(ground: _Ground, synchronise: Synchronise) -> Configure:
    return Configure(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        new_id=uuid7,
        changed=synchronise.changed,
    )


def _synchronise(ground: _Ground, control: Control) -> Synchronise:
    return Synchronise(
        storage=ground.database,
        registry=ground.registry,
        link=control,
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
    )


def _send_command(ground: _Ground, control: Control, reports: ReportEvents) -> SendCommand:
    return SendCommand(
        storage=ground.database,
        registry=ground.registry,
        link=control,
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
        ended=reports.command_ended,
    )


def _check_health(ground: _Ground, bridge: _Bridge, intake: Intake) -> CheckHealth:
    async def database() -> str | None:
        if not ground.ready.is_set():
            raise StorageUnavailableError("not connected yet")
        await ground.database.check()
        return None

    async def broker() -> str | None:
        sessions = (bridge.telemetry_session, bridge.control_session)
        for session in sessions:
            if not session.connected:
                reason = session.guard.last_error or "not connected yet"
                raise BrokerUnavailableError(f"{session.guard.name}: {reason}")
        return f"{ground.broker.host}:{ground.broker.port}"

    async def events() -> str | None:
        if not ground.events.available:
            raise EventStreamLostError("live events cannot be told now")
        return f"{ground.events.counts.listeners} listeners"

    probes: dict[str, Probe] = {
        "database": database,
        "broker": broker,
        "broker telemetry": health.telemetry(bridge.telemetry_session, intake),
        "broker control": health.control(bridge.control_session, bridge.control),
        "events": events,
    }
    return CheckHealth(
        probes=probes, clock=ground.clock, version=VERSION, started=ground.clock.monotonic()
    )


async def _open_storage(
    ground: _Ground, accounts: Accounts, password: str | None, told: Told
) -> None:
    guard, database = ground.storage_guard(), ground.database
    await guard.insist(database.connect)
    await guard.insist(lambda: ground.registry.load(database))
    generated = await guard.insist(lambda: accounts.ensure_first_admin(password))
    if generated is not None:
        told.password(generated)
    ground.ready.set()
    _log.info("server.ready")
    told.ready(ground.addresses)
    await asyncio.Event().wait()


def _tell_failure(name: str, error: DomainError, seconds: float) -> None:
    _log.warning("part.away", part=name, error=str(error), retry_in_seconds=round(seconds, 1))
