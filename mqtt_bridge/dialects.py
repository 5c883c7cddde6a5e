"""Firmware generations: how a device is recognised by what it says, and what it understands.

Devices keep the firmware they were flashed with, and none of them names it. Each generation wrote
its messages a little differently, though, and that gives it away (device protocol, section 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.configs import ConfigPart, DeviceConfig, PinConfig
from domain.devices import FirmwareEvidence, FirmwareGeneration
from domain.zones import SubzoneAssignment, SubzoneRemoval, SubzoneSafety, ZoneAssignment
from mqtt_bridge.messages import (
    AuthUpdate,
    EmergencyAck,
    EmergencyAction,
    EmergencyError,
    EmergencyOrder,
    EmergencyResponse,
    HeartbeatMetrics,
    Inbound,
    IntentLifecycle,
    IntentOutcome,
    MeasureCommand,
    MeasureResponse,
    OneWireScan,
    Outbound,
    QueuePressure,
    RecoveryConfirm,
    SessionAnnounce,
    SystemAction,
    SystemCommand,
)
from mqtt_bridge.messages.devices import DeviceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one generation understands and does.

    Attributes:
        registers: Hears heartbeat acks, and is mute or restrained until one came.
        needs_epoch: Takes an ack only with the epoch that its heartbeat named.
        knows_time: Says Unix seconds; else milliseconds since its boot.
        retains: What it publishes with QoS 1 is retained, so every subscription hears old news.
        has_last_will: The broker tells when its connection breaks.
        renews_subscriptions: Still hears commands after it lost the broker and came back.
        correlates: Repeats the correlation id of a command in its answer.
        needs_correlation: Refuses a configuration without a correlation id and a generation that
            grows, in 32 bits.
        repeats_config_id: Repeats the correlation id of a configuration in its answer.
        accepts_empty_sections: Takes an empty list of sensors or actuators for no change.
        documented_keys: May be something that reads the documented names of the keys.
        sensor_types: Its own names of sensor types, where it reads no others.
        honours_duration: Switches off by itself after the duration of a command.
        limits_runtime: Takes the longest time on of an actuator into its own protection.
        stops_alone: Switches everything off once server or broker are gone for two minutes.
        honours_interval: Measures in the rhythm that it is told.
        honours_pwm: Gives any part of full power.
        clears_emergency: Ends an emergency when told; else only a power cycle does.
        measures_on_demand: Hears orders to a single sensor.
        knows_subzones: Hears subzone assignments.
        answers_zone_removal: Takes an empty zone for none, and says so.
        hears_new_level: Subscribes anew when it is moved to another topic level; else it hears
            nothing there until it restarts.
        command_qos: The quality of service of its subscriptions to commands.
        largest_config: Bytes of one configuration message that surely arrives: 900 for the
            smaller of the early boards (XIAO). The larger would take 1900, but nothing it says
            tells the two apart, and what is too long vanishes without an answer.
        system_commands: What it can be told to do with itself.
    """

    registers: bool = False
    needs_epoch: bool = False
    knows_time: bool = True
    retains: bool = True
    has_last_will: bool = True
    renews_subscriptions: bool = True
    correlates: bool = False
    needs_correlation: bool = False
    repeats_config_id: bool = False
    accepts_empty_sections: bool = False
    documented_keys: bool = False
    sensor_types: Mapping[str, str] = field(default_factory=dict)
    honours_duration: bool = False
    limits_runtime: bool = False
    stops_alone: bool = False
    honours_interval: bool = False
    honours_pwm: bool = True
    clears_emergency: bool = True
    measures_on_demand: bool = False
    knows_subzones: bool = False
    answers_zone_removal: bool = False
    hears_new_level: bool = False
    command_qos: int = 0
    largest_config: int = 900
    system_commands: frozenset[SystemAction] = frozenset({SystemAction.FACTORY_RESET})


_NOVEMBER = Dialect(
    knows_time=False,
    has_last_will=False,
    renews_subscriptions=False,
    clears_emergency=False,
    sensor_types={
        "ds18b20": "temperature_ds18b20",
        "sht31_temp": "temperature_sht31",
        "ph": "ph_sensor",
        "ec": "ec_sensor",
    },
)
_DECEMBER = Dialect()
_FEBRUARY = Dialect(
    registers=True,
    repeats_config_id=True,
    limits_runtime=True,
    honours_interval=True,
    measures_on_demand=True,
    knows_subzones=True,
    system_commands=frozenset(
        {SystemAction.FACTORY_RESET, SystemAction.STATUS, SystemAction.ONEWIRE_SCAN}
    ),
)
_APRIL = Dialect(
    registers=True,
    needs_epoch=True,
    retains=False,
    correlates=True,
    needs_correlation=True,
    repeats_config_id=True,
    accepts_empty_sections=True,
    honours_duration=True,
    limits_runtime=True,
    stops_alone=True,
    honours_interval=True,
    measures_on_demand=True,
    knows_subzones=True,
    answers_zone_removal=True,
    hears_new_level=True,
    command_qos=2,
    largest_config=4096,
    system_commands=frozenset(SystemAction)
    - {SystemAction.REBOOT, SystemAction.RESUME_OPERATION, SystemAction.RESET_CONFIG},
)
_UNKNOWN = Dialect(
    registers=True,
    needs_epoch=True,
    measures_on_demand=True,
    needs_correlation=True,
    limits_runtime=True,
    documented_keys=True,
    system_commands=frozenset(SystemAction),
)
"""The safe assumption in every line: what is asked of it may work, and is small enough for all."""

DIALECTS: Mapping[FirmwareGeneration, Dialect] = {
    FirmwareGeneration.UNKNOWN: _UNKNOWN,
    FirmwareGeneration.NOVEMBER_2025: _NOVEMBER,
    FirmwareGeneration.DECEMBER_2025: _DECEMBER,
    FirmwareGeneration.FEBRUARY_2026: _FEBRUARY,
    FirmwareGeneration.APRIL_2026: _APRIL,
}

_WITHOUT: Mapping[SystemAction, str] = {
    SystemAction.REBOOT: "its firmware has no restart: switch it off and on",
    SystemAction.SAFE_MODE: "its firmware has no safe mode: stop it with an emergency stop",
    SystemAction.EXIT_SAFE_MODE: "its firmware has no safe mode: switch it off and on",
    SystemAction.DIAGNOSTICS: "its firmware reports on itself only in its own rhythm",
    SystemAction.ONEWIRE_SCAN: "its firmware cannot search its OneWire buses: enter the sensors "
    "with setSensor",
}
"""Why a command does nothing, where people may ask for it, and what to do instead."""

_SINCE_DECEMBER = FirmwareEvidence(oldest=FirmwareGeneration.DECEMBER_2025)
_SINCE_FEBRUARY = FirmwareEvidence(oldest=FirmwareGeneration.FEBRUARY_2026)
_SINCE_APRIL = FirmwareEvidence(oldest=FirmwareGeneration.APRIL_2026)

_SPOKEN_SINCE: Mapping[type, FirmwareEvidence] = {
    EmergencyResponse: _SINCE_DECEMBER,
    EmergencyError: _SINCE_DECEMBER,
    MeasureResponse: _SINCE_FEBRUARY,
    OneWireScan: _SINCE_FEBRUARY,
    SessionAnnounce: _SINCE_APRIL,
    HeartbeatMetrics: _SINCE_APRIL,
    IntentOutcome: _SINCE_APRIL,
    IntentLifecycle: _SINCE_APRIL,
    QueuePressure: _SINCE_APRIL,
    EmergencyAck: _SINCE_APRIL,
    RecoveryConfirm: _SINCE_APRIL,
}
"""Messages that older firmware does not have at all."""


def evidence(message: Inbound) -> FirmwareEvidence | None:
    """Return which generations send such a message; None: any, or none known.

    A retained message is no evidence: the device may have been flashed since.
    """
    if isinstance(message, DeviceError):
        return None if message.code is None else _SINCE_FEBRUARY
    told: FirmwareEvidence | None = getattr(message, "firmware", None)
    return told or _SPOKEN_SINCE.get(type(message))


def learn(previous: FirmwareGeneration | None, message: Inbound) -> FirmwareGeneration:
    """Return the generation of a device, after it said something.

    Args:
        previous: What it was taken for; None: nothing is known yet.
        message: What it said, live.

    Returns:
        The generation that fits the message and is nearest to the previous one. An UNKNOWN device
        is taken for the oldest that would say so.
    """
    before = previous or FirmwareGeneration.UNKNOWN
    found = evidence(message)
    return before if found is None else found.judge(before)


def obstacle(message: Outbound, generation: FirmwareGeneration) -> str | None:
    """Say why a message would do nothing, or not what it says, on a device.

    Returns:
        The reason, fit to be shown, with the cure where there is one; None where nothing is known
        to stand in the way.
    """
    dialect = DIALECTS[generation]
    known = generation is not FirmwareGeneration.UNKNOWN
    reason: str | None
    match message:
        case EmergencyOrder(command=EmergencyAction.CLEAR) if not dialect.clears_emergency:
            reason = "its firmware cannot clear an emergency: switch it off and on again"
        case MeasureCommand() if not dialect.measures_on_demand:
            reason = "its firmware cannot measure on demand: it reports in its own rhythm"
        case SystemCommand(command=command) if command not in dialect.system_commands:
            reason = _WITHOUT.get(command, f"its firmware does not know the command {command}")
        case SubzoneAssignment() | SubzoneRemoval() | SubzoneSafety() if not dialect.knows_subzones:
            reason = "its firmware knows no subzones: only the server keeps them"
        case ZoneAssignment(zone_id="") if not dialect.answers_zone_removal:
            reason = "its firmware keeps its zone until it gets another: only the server forgets it"
        case AuthUpdate() | PinConfig() | ConfigPart() if known:
            reason = "its firmware does not hear this: no released one does"
        case _:
            reason = None
    return reason


def deafness(generation: FirmwareGeneration) -> str | None:
    """Return why a device that is there may hear nothing, and the cure; None: it hears."""
    if DIALECTS[generation].renews_subscriptions:
        return None
    return (
        "its firmware hears nothing any more once it lost the broker: if it does not stop, switch "
        "it off and on again"
    )


def worded(config: DeviceConfig, generation: FirmwareGeneration) -> DeviceConfig:
    """Return a configuration in the words that a generation reads, and without what it refuses."""
    dialect = DIALECTS[generation]
    return replace(
        config,
        sensors=tuple(
            replace(item, sensor_type=dialect.sensor_types.get(item.sensor_type, item.sensor_type))
            for item in config.sensors
        ),
        actuators=tuple(
            item if dialect.limits_runtime else replace(item, max_runtime_ms=None)
            for item in config.actuators
        ),
        numbered=dialect.needs_correlation or dialect.repeats_config_id,
        says_empty=dialect.accepts_empty_sections,
    )


def capabilities(generation: FirmwareGeneration) -> Mapping[str, bool | list[str] | None]:
    """Return what firmware of a generation can do, by names that clients rely on.

    Returns:
        The same keys for every generation; None for each while the generation is not known.
    """
    dialect = DIALECTS[generation]
    able: dict[str, bool | list[str] | None] = {
        "clearsEmergency": dialect.clears_emergency,
        "honoursDuration": dialect.honours_duration,
        "limitsRuntime": dialect.limits_runtime,
        "stopsAlone": dialect.stops_alone,
        "honoursInterval": dialect.honours_interval,
        "honoursPwm": dialect.honours_pwm,
        "measuresOnDemand": dialect.measures_on_demand,
        "knowsSubzones": dialect.knows_subzones,
        "confirmsByCommand": dialect.correlates,
        "hasLastWill": dialect.has_last_will,
        "survivesReconnect": dialect.renews_subscriptions,
        "knowsTime": dialect.knows_time,
        "systemCommands": sorted(dialect.system_commands),
    }
    return able if generation is not FirmwareGeneration.UNKNOWN else dict.fromkeys(able)
