"""The composition root: every object is made here, once; production and tests call it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from starlette.applications import Starlette
from structlog.typing import FilteringBoundLogger
from uuid_utils.compat import uuid7

from app import asgi, graphiql
from app.bridge import Bridge, connect, finish, let_hear
from app.commanding import send_command, watch_leases
from app.graphql import Endpoint, build_schema
from app.ground import Addresses, Ground
from app.probes import check_health
from app.process import Job
from app.processing import legacy_routes, processing
from app.recomputing import recomputing
from app.security import Argon2Passwords, JwtIssuer
from app.sensor_libraries import Libraries, sensor_libraries
from app.settings import Settings
from domain.devices import Discovery
from domain.services.accounts import Accounts
from domain.services.calibrate import Calibrate
from domain.services.command import SendCommand
from domain.services.configure import Configure
from domain.services.convert_samples import ConvertSamples
from domain.services.emergency import Emergency
from domain.services.ingest import IngestReadings
from domain.services.install_libraries import InstallLibraries
from domain.services.judge_readings import JudgeReadings
from domain.services.learn_firmware import LearnFirmware
from domain.services.order import SendOrder
from domain.services.process import ProcessReading
from domain.services.recompute import Recompute
from domain.services.record_events import RecordEvents
from domain.services.report_calibrations import ReportCalibrations
from domain.services.report_conditions import ReportConditions
from domain.services.report_events import ReportEvents
from domain.services.synchronise import Synchronise
from domain.services.thin_health import ThinHealthHistory
from domain.services.watch_devices import WatchDevices
from domain.services.watch_leases import WatchLeases
from domain.services.watch_relays import WatchRelays
from domain.services.watch_thresholds import WatchThresholds
from mqtt_bridge.conditions import ConditionWire
from mqtt_bridge.devices import DeviceWire
from mqtt_bridge.dialects import capabilities
from mqtt_bridge.emergencies import Tokens
from mqtt_bridge.firmware_generations import FirmwareWire
from mqtt_bridge.intake import Intake
from mqtt_bridge.libraries import LibraryWire
from mqtt_bridge.orders import OrderWire
from mqtt_bridge.processing import ProcessingWire
from schema.context import Services
from sensor_libs.calibrating import LibraryLaws
from sensor_libs.limits import LibraryLimits
from sensor_libs.runner import LibraryRunner
from sensor_libs.sources import LibraryFiles
from storage.connection import Database

VERSION = "0.1.0"

_log: FilteringBoundLogger = structlog.get_logger()


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
    ground = Ground(addresses, Discovery(settings.discovery))
    accounts = _accounts(ground, secret_key)
    parts = _parts(ground, settings, intake_type)
    health = check_health(ground, parts.bridge, parts.intake, parts.record, VERSION)
    services = Services(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        accounts=accounts,
        configure=_configure(ground, parts),
        calibrate=parts.calibrate,
        recompute=parts.recompute,
        convert=parts.convert,
        process=parts.process,
        send_command=parts.send_command,
        emergency=parts.emergency,
        send_order=parts.send_order,
        install_libraries=parts.install_libraries,
        reload_libraries=parts.libraries.reload,
        watch_relays=parts.relays,
        check_health=health,
        capabilities=capabilities,
    )
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    loads = (parts.emergency.load, parts.leases.load, parts.thresholds.load, parts.relays.load)
    return Server(
        app=asgi.build(
            Endpoint(build_schema(), services),
            health,
            [*legacy_routes(ground, parts.process, settings.process_rate), *graphiql.routes()],
        ),
        services=services,
        jobs={
            "events": ground.events.run,
            "storage": lambda: _open_storage(ground, loads, accounts, password, told),
            "flood watch": parts.intake.watch_floods,
            "sensor libraries": parts.libraries.reload.run,
            **{name: ground.once_ready(job) for name, job in parts.jobs().items()},
        },
        finish=lambda: finish(parts.intake, parts.bridge, parts.record),
        database=ground.database,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What works beside the requests."""

    record: RecordEvents
    watch: WatchDevices
    relays: WatchRelays
    devices: DeviceWire
    thresholds: WatchThresholds
    convert: ConvertSamples
    process: ProcessReading
    calibrate: Calibrate
    recompute: Recompute
    learn: LearnFirmware
    intake: Intake
    bridge: Bridge
    emergency: Emergency
    leases: WatchLeases
    send_command: SendCommand
    send_order: SendOrder
    synchronise: Synchronise
    install_libraries: InstallLibraries
    libraries: Libraries
    limits: LibraryLimits
    thin_health: ThinHealthHistory

    def jobs(self) -> Mapping[str, Job]:
        """Return what must run once the registry is filled, by name."""
        return {
            "intake": self.libraries.once_loaded(self.intake.run),
            "thresholds": self.thresholds.run,
            "calibrations": self.calibrate.run,
            "recomputations": self.recompute.run,
            "firmware": self.learn.run,
            "emergency stops": self.emergency.run,
            "leases": self.leases.run,
            "commands": self.send_command.run,
            "orders": self.send_order.run,
            "configurations": self.synchronise.run,
            "libraries": self.install_libraries.run,
            "control": self.bridge.control.run,
            "system events": self.record.run,
            "device watch": self.watch.run,
            "relays": self.relays.run,
            "health history": self.thin_health.run,
            "control connection": self.bridge.control_session.run,
            "telemetry connection": self.bridge.telemetry_session.run,
        }


def _parts(ground: Ground, settings: Settings, intake_type: type[Intake]) -> _Parts:
    record = _record(ground)
    reports = ReportEvents(record=record, registry=ground.registry)
    watch = _watch(ground, timedelta(seconds=settings.offline_after), reports)
    kept = sensor_libraries(ground, record, settings.sensor_libraries)
    libraries = kept.runner
    thresholds = _thresholds(ground, record)
    convert = _convert(ground, libraries)
    process = processing(ground, libraries, convert)
    learn = LearnFirmware(
        storage=ground.database,
        registry=ground.registry,
        guard=ground.storage_guard(),
        journal=_log,
    )
    intake = intake_type(
        ingest=_ingest(ground, convert, watch, reports, thresholds),
        guard=ground.storage_guard(),
        clock=ground.clock,
        journal=_log,
        flooding=reports.flooding,
        learn=learn,
    )
    bridge = connect(ground, settings.mqtt_client_id, intake, _tokens(settings))
    synchronise = _synchronise(ground, bridge, reports, libraries)
    devices = let_hear(ground, bridge, watch=watch, reports=reports, synchronise=synchronise)
    FirmwareWire(learn).attach(bridge.control)
    ProcessingWire(sender=bridge.control, process=process, clock=ground.clock, journal=_log).attach(
        bridge.control
    )
    relays = _watch_relays(ground, timedelta(seconds=settings.offline_after), record)
    return _Parts(
        record=record,
        watch=watch,
        relays=relays,
        devices=devices,
        thresholds=thresholds,
        convert=convert,
        process=process,
        calibrate=_calibrate(
            ground, libraries, record, timedelta(seconds=settings.calibration_still_seconds)
        ),
        recompute=recomputing(ground, libraries, record),
        learn=learn,
        intake=intake,
        bridge=bridge,
        emergency=_emergency(ground, bridge, record),
        leases=watch_leases(ground, bridge, record),
        send_command=send_command(ground, bridge, reports),
        send_order=_send_order(ground, bridge, record, watch, relays),
        synchronise=synchronise,
        install_libraries=_install_libraries(ground, bridge, libraries, reports),
        libraries=kept,
        limits=LibraryLimits(lambda: libraries.catalog),
        thin_health=_thin_health(ground),
    )


def _thin_health(ground: Ground) -> ThinHealthHistory:
    return ThinHealthHistory(
        storage=ground.database, registry=ground.registry, clock=ground.clock, journal=_log
    )


def _accounts(ground: Ground, secret_key: str) -> Accounts:
    return Accounts(
        storage=ground.database,
        passwords=Argon2Passwords(),
        tokens=JwtIssuer(secret_key),
        clock=ground.clock,
        new_id=uuid7,
    )


def _thresholds(ground: Ground, record: RecordEvents) -> WatchThresholds:
    return WatchThresholds(
        storage=ground.database,
        registry=ground.registry,
        clock=ground.clock,
        guard=ground.storage_guard(),
        record=record,
    )


def _convert(ground: Ground, libraries: LibraryRunner) -> ConvertSamples:
    return ConvertSamples(
        storage=ground.database,
        registry=ground.registry,
        libraries=libraries,
        judge=JudgeReadings(
            registry=ground.registry, library_limits=LibraryLimits(lambda: libraries.catalog)
        ),
    )


def _ingest(
    ground: Ground,
    convert: ConvertSamples,
    watch: WatchDevices,
    reports: ReportEvents,
    thresholds: WatchThresholds,
) -> IngestReadings:
    return IngestReadings(
        storage=ground.database,
        writer=ground.database.reading_writer(),
        registry=ground.registry,
        convert=convert,
        events=ground.events,
        clock=ground.clock,
        new_id=uuid7,
        discovery=ground.discovery,
        heard=watch.heard,
        buried=reports.buried,
        watched=thresholds,
    )


def _record(ground: Ground) -> RecordEvents:
    return RecordEvents(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
    )


def _watch(ground: Ground, offline_after: timedelta, reports: ReportEvents) -> WatchDevices:
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


def _watch_relays(ground: Ground, offline_after: timedelta, record: RecordEvents) -> WatchRelays:
    return WatchRelays(
        storage=ground.database,
        record=record,
        clock=ground.clock,
        journal=_log,
        offline_after=offline_after,
    )


def _tokens(settings: Settings) -> Tokens:
    device, broadcast = settings.emergency_token, settings.emergency_broadcast_token
    return Tokens(
        device=device.get_secret_value() if device else None,
        broadcast=broadcast.get_secret_value() if broadcast else None,
    )


def _emergency(ground: Ground, bridge: Bridge, record: RecordEvents) -> Emergency:
    emergency = Emergency(
        storage=ground.database,
        registry=ground.registry,
        latch=ground.latch,
        link=bridge.emergencies,
        clock=ground.clock,
        guard=ground.storage_guard(),
        record=record,
        new_id=uuid7,
    )
    bridge.emergencies.attach(bridge.control, emergency)
    return emergency


def _calibrate(
    ground: Ground, libraries: LibraryRunner, record: RecordEvents, still_for: timedelta
) -> Calibrate:
    return Calibrate(
        storage=ground.database,
        registry=ground.registry,
        laws=LibraryLaws(libraries),
        events=ground.events,
        clock=ground.clock,
        guard=ground.storage_guard(),
        reports=ReportCalibrations(record=record, registry=ground.registry),
        new_id=uuid7,
        still_for=still_for,
    )


def _configure(ground: Ground, parts: _Parts) -> Configure:
    return Configure(
        storage=ground.database,
        registry=ground.registry,
        events=ground.events,
        clock=ground.clock,
        new_id=uuid7,
        changed=parts.synchronise.changed,
        admitted=parts.devices.admit,
        unit_of=parts.limits.unit,
        recipe=parts.convert.libraries.recipe,
    )


def _synchronise(
    ground: Ground, bridge: Bridge, reports: ReportEvents, libraries: LibraryRunner
) -> Synchronise:
    return Synchronise(
        storage=ground.database,
        registry=ground.registry,
        link=bridge.configs,
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
        rejected=reports.config_refused,
        is_virtual=libraries.is_virtual,
    )


def _install_libraries(
    ground: Ground, bridge: Bridge, libraries: LibraryRunner, reports: ReportEvents
) -> InstallLibraries:
    link = LibraryWire(sender=bridge.control)
    install_libraries = InstallLibraries(
        storage=ground.database,
        registry=ground.registry,
        link=link,
        sources=LibraryFiles(lambda: libraries.catalog),
        clock=ground.clock,
        guard=ground.storage_guard(),
        new_id=uuid7,
        reports=reports,
    )
    link.attach(bridge.control, install_libraries)
    return install_libraries


def _send_order(
    ground: Ground,
    bridge: Bridge,
    record: RecordEvents,
    watch: WatchDevices,
    relays: WatchRelays,
) -> SendOrder:
    conditions = ReportConditions(record=record, registry=ground.registry)
    ConditionWire(conditions=conditions, watch=watch, relays=relays).attach(bridge.control)
    link = OrderWire(sender=bridge.control, found=conditions.onewire_found)
    link.attach(bridge.control)
    return SendOrder(registry=ground.registry, link=link, record=record, new_id=uuid7)


async def _open_storage(
    ground: Ground,
    loads: Sequence[Callable[[], Awaitable[None]]],
    accounts: Accounts,
    password: str | None,
    told: Told,
) -> None:
    guard, database = ground.storage_guard(), ground.database
    await guard.insist(database.connect)
    # First of all: whoever may act from now on must know what is stopped.
    for load in loads:
        await guard.insist(load)
    await guard.insist(lambda: ground.registry.load(database))
    generated = await guard.insist(lambda: accounts.ensure_first_admin(password))
    if generated is not None:
        told.password(generated)
    ground.ready.set()
    _log.info("server.ready")
    told.ready(ground.addresses)
    await asyncio.Event().wait()
