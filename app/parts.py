"""The parts that work beside the requests: made here, once, and let hear each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.typing import FilteringBoundLogger
from uuid_utils.compat import uuid7

from app.automating import automation
from app.bridge import Bridge, connect, let_hear
from app.commanding import send_command, watch_effects, watch_interlocks, watch_leases
from app.ground import Ground
from app.process import Job
from app.processing import processing
from app.recomputing import recomputing
from app.rehearsing import rehearsing
from app.sensor_libraries import Libraries, sensor_libraries
from app.settings import Settings
from domain.sensors import Reading
from domain.services.calibrate import Calibrate
from domain.services.command import SendCommand
from domain.services.convert_samples import ConvertSamples
from domain.services.emergency import Emergency
from domain.services.ingest import IngestReadings
from domain.services.install_libraries import InstallLibraries
from domain.services.judge_readings import JudgeReadings
from domain.services.learn_firmware import LearnFirmware
from domain.services.manage_rules import ManageRules
from domain.services.order import SendOrder
from domain.services.process import ProcessReading
from domain.services.recompute import Recompute
from domain.services.record_events import RecordEvents
from domain.services.rehearse import Rehearse
from domain.services.report_calibrations import ReportCalibrations
from domain.services.report_conditions import ReportConditions
from domain.services.report_events import ReportEvents
from domain.services.synchronise import Synchronise
from domain.services.thin_health import ThinHealthHistory
from domain.services.trim_history import TrimHistory
from domain.services.watch_devices import WatchDevices
from domain.services.watch_effects import WatchEffects
from domain.services.watch_interlocks import WatchInterlocks
from domain.services.watch_leases import WatchLeases
from domain.services.watch_relays import WatchRelays
from domain.services.watch_thresholds import WatchThresholds
from mqtt_bridge.conditions import ConditionWire
from mqtt_bridge.devices import DeviceWire
from mqtt_bridge.emergencies import Tokens
from mqtt_bridge.firmware_generations import FirmwareWire
from mqtt_bridge.intake import Intake
from mqtt_bridge.libraries import LibraryWire
from mqtt_bridge.orders import OrderWire
from mqtt_bridge.processing import ProcessingWire
from sensor_libs.calibrating import LibraryLaws
from sensor_libs.limits import LibraryLimits
from sensor_libs.runner import LibraryRunner
from sensor_libs.sources import LibraryFiles

_log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What works beside the requests."""

    record: RecordEvents
    watch: WatchDevices
    relays: WatchRelays
    devices: DeviceWire
    thresholds: WatchThresholds
    convert: ConvertSamples
    process: ProcessReading
    conversions: ProcessingWire
    calibrate: Calibrate
    recompute: Recompute
    rehearse: Rehearse
    learn: LearnFirmware
    intake: Intake
    bridge: Bridge
    emergency: Emergency
    leases: WatchLeases
    interlocks: WatchInterlocks
    effects: WatchEffects
    send_command: SendCommand
    send_order: SendOrder
    synchronise: Synchronise
    install_libraries: InstallLibraries
    libraries: Libraries
    limits: LibraryLimits
    thin_health: ThinHealthHistory
    rules: ManageRules
    trim_history: TrimHistory

    def jobs(self) -> Mapping[str, Job]:
        """Return what must run once the registry is filled, by name."""
        return {
            "intake": self.libraries.once_loaded(self._take_in_once_recalled),
            "thresholds": self.thresholds.run,
            "conversions": self.conversions.run,
            "calibrations": self.calibrate.run,
            "recomputations": self.libraries.once_loaded(self.recompute.run),
            "rehearsals": self.rehearse.run,
            "firmware": self.learn.run,
            "emergency stops": self.emergency.run,
            "leases": self.leases.run,
            "interlocks": self.interlocks.run,
            "effects": self.effects.run,
            "commands": self.send_command.run,
            "rules": self.rules.automate.run,
            "orders": self.send_order.run,
            "configurations": self.synchronise.run,
            "libraries": self.install_libraries.run,
            "control": self.bridge.control.run,
            "greetings": self.devices.run,
            "system events": self.record.run,
            "device watch": self.watch.run,
            "relays": self.relays.run,
            "health history": self.thin_health.run,
            "actuator history": self.trim_history.run,
            "control connection": self.bridge.control_session.run,
            "telemetry connection": self.bridge.telemetry_session.run,
        }

    async def _take_in_once_recalled(self) -> None:
        """Let no reading come in before what it could end is known."""
        await self.interlocks.recalled.wait()
        await self.effects.recalled.wait()
        await self.intake.run()


def make_parts(ground: Ground, settings: Settings, intake_type: type[Intake]) -> Parts:
    """Make them, and let them hear each other; nothing runs yet."""
    record = _record(ground)
    reports = ReportEvents(record=record, registry=ground.registry)
    watch = _watch(ground, timedelta(seconds=settings.offline_after), reports)
    kept = sensor_libraries(ground, record, settings.sensor_libraries)
    libraries = kept.runner
    thresholds = _thresholds(ground, record)
    convert = _convert(ground, libraries)
    process = processing(ground, libraries, convert)
    learn = _learn(ground)
    intake = intake_type(
        ingest=_ingest(ground, convert, watch, reports, thresholds),
        guard=ground.storage_guard(),
        clock=ground.clock,
        journal=_log,
        flooding=reports.flooding,
        learn=learn,
        way=ground.way,
    )
    bridge = connect(ground, settings, intake, _tokens(settings))
    synchronise = _synchronise(ground, bridge, reports, libraries)
    devices = let_hear(ground, bridge, watch=watch, reports=reports, synchronise=synchronise)
    FirmwareWire(learn).attach(bridge.control)
    leases = watch_leases(ground, bridge, record)
    interlocks = watch_interlocks(ground, leases)
    emergency = _emergency(ground, bridge, record)
    send = send_command(ground, bridge, reports, interlocks)
    limits = LibraryLimits(lambda: libraries.catalog)
    relays = _watch_relays(ground, timedelta(seconds=settings.offline_after), record)
    return Parts(
        record=record,
        watch=watch,
        relays=relays,
        devices=devices,
        thresholds=thresholds,
        convert=convert,
        process=process,
        conversions=_conversions(ground, bridge, process),
        calibrate=_calibrate(ground, libraries, record, settings),
        recompute=recomputing(ground, libraries, record),
        rehearse=rehearsing(ground, limits),
        learn=learn,
        intake=intake,
        bridge=bridge,
        emergency=emergency,
        leases=leases,
        interlocks=interlocks,
        effects=watch_effects(ground, leases, record),
        send_command=send,
        send_order=_send_order(ground, bridge, record, watch, relays),
        synchronise=synchronise,
        install_libraries=_install_libraries(ground, bridge, libraries, reports),
        libraries=kept,
        limits=limits,
        thin_health=_thin_health(ground),
        rules=automation(ground, send, emergency, record, limits),
        trim_history=TrimHistory(storage=ground.database, clock=ground.clock, journal=_log),
    )


def _conversions(ground: Ground, bridge: Bridge, process: ProcessReading) -> ProcessingWire:
    wire = ProcessingWire(sender=bridge.control, process=process, clock=ground.clock, journal=_log)
    wire.attach(bridge.control)
    return wire


def _learn(ground: Ground) -> LearnFirmware:
    return LearnFirmware(
        storage=ground.database,
        registry=ground.registry,
        guard=ground.storage_guard(),
        journal=_log,
    )


def _thin_health(ground: Ground) -> ThinHealthHistory:
    return ThinHealthHistory(
        storage=ground.database, registry=ground.registry, clock=ground.clock, journal=_log
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
        way=ground.way,
    )


def _ingest(
    ground: Ground,
    convert: ConvertSamples,
    watch: WatchDevices,
    reports: ReportEvents,
    thresholds: WatchThresholds,
) -> IngestReadings:
    def watched(readings: Sequence[Reading]) -> None:
        ground.world(readings)
        thresholds(readings)

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
        watched=watched,
        way=ground.way,
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
        storage=ground.database.kept_free(),
        registry=ground.registry,
        latch=ground.latch,
        link=bridge.emergencies,
        clock=ground.clock,
        guard=ground.storage_guard(),
        record=record,
        new_id=uuid7,
        way=ground.way,
    )
    bridge.emergencies.attach(bridge.control, emergency)
    return emergency


def _calibrate(
    ground: Ground, libraries: LibraryRunner, record: RecordEvents, settings: Settings
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
        still_for=timedelta(seconds=settings.calibration_still_seconds),
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
