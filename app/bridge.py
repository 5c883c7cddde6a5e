"""The bridge to the devices, put together: two connections, and who hears what comes in."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.typing import FilteringBoundLogger

from app.ground import Ground
from app.settings import Settings
from domain.errors import BrokerUnavailableError
from domain.services.record_events import RecordEvents
from domain.services.report_events import ReportEvents
from domain.services.synchronise import Synchronise
from domain.services.watch_devices import WatchDevices
from mqtt_bridge.commands import CommandWire
from mqtt_bridge.configs import ConfigWire
from mqtt_bridge.control import Control
from mqtt_bridge.devices import DeviceWire
from mqtt_bridge.emergencies import EmergencyWire, Tokens
from mqtt_bridge.intake import Intake
from mqtt_bridge.leases import LeaseWire
from mqtt_bridge.own_status import OwnStatus
from mqtt_bridge.session import Delivery, MqttSession
from mqtt_bridge.system_events import SystemEventWire
from mqtt_bridge.topics import Connection, filters

_log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The two connections to the broker, and who speaks and hears through them."""

    control: Control
    commands: CommandWire
    configs: ConfigWire
    emergencies: EmergencyWire
    leases: LeaseWire
    control_session: MqttSession
    telemetry_session: MqttSession
    own_status: OwnStatus


def connect(ground: Ground, settings: Settings, intake: Intake, tokens: Tokens) -> Bridge:
    """Make both connections; nobody hears anything yet but readings."""
    client_id = settings.mqtt_client_id
    answered_within = timedelta(seconds=settings.command_timeout)

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
        expiring=True,
        first_word=own_status.first_word,
        last_word=own_status.last_word,
        downgraded_hook=lambda: _log.warning(
            "broker.old", note="it speaks no MQTT 5: what it holds for devices does not expire"
        ),
    )
    control = Control(connection=control_session, clock=ground.clock, bury=intake.bury)
    return Bridge(
        control=control,
        commands=CommandWire(sender=control, answered_within=answered_within),
        configs=ConfigWire(sender=control),
        emergencies=EmergencyWire(connection=control_session, tokens=tokens),
        leases=LeaseWire(connection=control_session),
        control_session=control_session,
        telemetry_session=telemetry_session,
        own_status=own_status,
    )


def let_hear(
    ground: Ground,
    bridge: Bridge,
    *,
    watch: WatchDevices,
    reports: ReportEvents,
    synchronise: Synchronise,
) -> DeviceWire:
    """Say who hears what devices say; before anything runs."""
    control = bridge.control
    devices = DeviceWire(
        sender=control,
        watch=watch,
        clock=ground.clock,
        journal=_log,
        configs=synchronise,
        known=ground.registry.devices,
    )
    bridge.control_session.connected_hook = devices.connected
    devices.attach(control)
    SystemEventWire(reports=reports, journal=_log).attach(control)
    bridge.commands.attach(control)
    bridge.configs.attach(control, synchronise)
    return devices


async def finish(intake: Intake, bridge: Bridge, record: RecordEvents) -> None:
    """Store what was heard and what happened, and take leave of the devices."""

    async def store() -> None:
        await intake.finish()
        with suppress(BrokerUnavailableError):
            await bridge.telemetry_session.settle()

    async def take_leave() -> None:
        # Where the broker is away, it has told so already.
        with suppress(BrokerUnavailableError):
            topic, payload, qos, retain, _ = bridge.own_status.farewell()
            await bridge.control_session.publish(topic, payload, qos=qos, retain=retain)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(store())
        tasks.create_task(take_leave())
        tasks.create_task(record.finish())
