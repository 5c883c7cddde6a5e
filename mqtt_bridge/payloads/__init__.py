"""Bytes to messages and back: tolerant of what devices really send, strict about what goes out.

One module per noun knows the shapes; here is only which kind of message belongs to which of them.
No I/O and no clock: the time of receipt is handed in.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args, get_type_hints

import msgspec

from domain.configs import ConfigPart, DeviceConfig, PinConfig, Section
from domain.zones import SubzoneAssignment, SubzoneRemoval, SubzoneSafety, ZoneAssignment
from mqtt_bridge.messages import (
    ActuatorCommand,
    AuthUpdate,
    DownloadComplete,
    DownloadStart,
    EmergencyBroadcast,
    EmergencyOrder,
    Empty,
    HeartbeatAck,
    Inbound,
    IpChange,
    LibraryChunk,
    MeasureCommand,
    Outbound,
    Outgoing,
    ProcessingResponse,
    ServerStatus,
    SystemCommand,
    SystemUpdate,
    TrialCommand,
)
from mqtt_bridge.payloads import (
    actuators,
    broadcasts,
    configs,
    device_orders,
    device_reports,
    devices,
    emergencies,
    intents,
    libraries,
    measurements,
    relays,
    sensors,
    zones,
)
from mqtt_bridge.payloads.fields import text
from mqtt_bridge.topics import Direction, Kind, Topic

LARGEST_PAYLOAD = 16_384
"""Bytes; ten times what the most talkative firmware sends (device protocol, section 1.1)."""

LARGEST_OUTBOUND: Mapping[Kind, int] = {
    Kind.HEARTBEAT_ACK: devices.LARGEST_ACK,
    Kind.BROADCAST_EMERGENCY: emergencies.LARGEST_BROADCAST,
    Kind.EMERGENCY: 250,
    Kind.SYSTEM_COMMAND: 250,
    Kind.MEASURE_COMMAND: 250,
}
"""Bytes that devices have room to parse: 256 of the parser's own, which it also needs for keys."""

_REASON_LIMIT = 300

_INBOUND: Mapping[Kind, Callable[[Topic, bytes, datetime], Inbound]] = {
    Kind.SENSOR_DATA: sensors.data,
    Kind.ZONE_SENSOR_DATA: sensors.data,
    Kind.SENSOR_BATCH: sensors.batch,
    Kind.SESSION_ANNOUNCE: devices.announce,
    Kind.HEARTBEAT: devices.heartbeat,
    Kind.SHORT_HEARTBEAT: devices.heartbeat,
    Kind.WILL: devices.will,
    Kind.STATUS: devices.status,
    Kind.ACTUATOR_STATUS: actuators.report,
    Kind.ACTUATOR_RESPONSE: actuators.response,
    Kind.ACTUATOR_ALERT: actuators.alert,
    Kind.CONFIG_RESPONSE: configs.answer,
    Kind.CONFIG_ACK: configs.answer,
    Kind.CONFIG_SENSOR_ACK: configs.answer,
    Kind.CONFIG_ACTUATOR_ACK: configs.answer,
    Kind.ZONE_ACK: zones.answer,
    Kind.SUBZONE_ACK: zones.answer,
    Kind.RELAY_HEARTBEAT: relays.heartbeat,
    Kind.DISCOVERY: device_reports.discovery,
    Kind.HEARTBEAT_METRICS: device_reports.metrics,
    Kind.DIAGNOSTICS: device_reports.diagnostics,
    Kind.SYSTEM_ERROR: device_reports.error,
    Kind.SAFE_MODE: device_reports.safe_mode,
    Kind.SYSTEM_COMMAND_RESPONSE: device_reports.response,
    Kind.SYSTEM_RESPONSE: device_reports.response,
    Kind.QUEUE_PRESSURE: device_reports.pressure,
    Kind.AUTH_STATUS: device_reports.auth_status,
    Kind.TRIAL_RESPONSE: device_reports.trial,
    Kind.INTENT_OUTCOME: intents.outcome,
    Kind.INTENT_LIFECYCLE: intents.lifecycle,
    Kind.EMERGENCY_ACK: emergencies.ack,
    Kind.EMERGENCY_RESPONSE: emergencies.response,
    Kind.EMERGENCY_ERROR: emergencies.error,
    Kind.RECOVERY_CONFIRM: emergencies.recovery,
    Kind.MEASURE_RESPONSE: measurements.measured,
    Kind.ONEWIRE_SCAN: measurements.scan,
    Kind.PROCESSING_REQUEST: measurements.request,
    Kind.LIBRARY_READY: libraries.ready,
    Kind.LIBRARY_REQUEST: libraries.request,
    Kind.LIBRARY_DOWNLOAD_READY: libraries.download_ready,
    Kind.LIBRARY_CHUNK_ACK: libraries.chunk_ack,
    Kind.LIBRARY_CHUNK_REQUEST: libraries.chunk_request,
    Kind.LIBRARY_DOWNLOAD_STATUS: libraries.status,
    Kind.LIBRARY_INSTALLED: libraries.installed,
    Kind.LIBRARY_ERROR: libraries.error,
    Kind.LIBRARY_DOWNLOAD_ABORT: libraries.abort,
}

_OUTBOUND: Mapping[Kind, Callable[[Topic, bytes], Outbound]] = {
    Kind.HEARTBEAT_ACK: devices.ack,
    Kind.ACTUATOR_COMMAND: actuators.command,
    Kind.CONFIG: configs.config,
    Kind.CONFIG_PART: configs.part,
    Kind.CONFIG_SENSOR: configs.pin_config,
    Kind.CONFIG_ACTUATOR: configs.pin_config,
    Kind.ZONE_ASSIGN: zones.zone_assign,
    Kind.SUBZONE_ASSIGN: zones.subzone_assign,
    Kind.SUBZONE_REMOVE: zones.subzone_remove,
    Kind.SUBZONE_SAFE: zones.subzone_safe,
    Kind.SERVER_STATUS: broadcasts.status,
    Kind.BROADCAST_EMERGENCY: emergencies.broadcast,
    Kind.BROADCAST_SYSTEM_UPDATE: broadcasts.update,
    Kind.BROADCAST_IP_CHANGE: broadcasts.ip_change,
    Kind.SYSTEM_COMMAND: device_orders.command,
    Kind.AUTH_UPDATE: device_orders.auth_update,
    Kind.TRIAL_COMMAND: device_orders.trial,
    Kind.EMERGENCY: emergencies.order,
    Kind.MEASURE_COMMAND: measurements.measure,
    Kind.PROCESSING_RESPONSE: measurements.processed,
    Kind.LIBRARY_DOWNLOAD_START: libraries.start,
    Kind.LIBRARY_CHUNK: libraries.chunk,
    Kind.LIBRARY_DOWNLOAD_COMPLETE: libraries.complete,
}

SHAPES: Mapping[Kind, type[msgspec.Struct]] = {
    kind: shape
    for noun in (
        *(sensors, devices, device_reports, device_orders, actuators, emergencies, configs),
        *(zones, intents, measurements, broadcasts, relays, libraries),
    )
    for kind, shape in noun.SHAPES.items()
}
"""The fields that are read or written of each kind of message."""

_BODIES: Mapping[type[Outbound], tuple[Kind, Callable[[Any], msgspec.Struct]]] = {
    HeartbeatAck: (Kind.HEARTBEAT_ACK, devices.ack_body),
    ActuatorCommand: (Kind.ACTUATOR_COMMAND, actuators.command_body),
    DeviceConfig: (Kind.CONFIG, configs.config_body),
    ConfigPart: (Kind.CONFIG_PART, configs.part_body),
    PinConfig: (Kind.CONFIG_SENSOR, configs.pin_config_body),
    ZoneAssignment: (Kind.ZONE_ASSIGN, zones.zone_assign_body),
    SubzoneAssignment: (Kind.SUBZONE_ASSIGN, zones.subzone_assign_body),
    SubzoneRemoval: (Kind.SUBZONE_REMOVE, zones.subzone_remove_body),
    SubzoneSafety: (Kind.SUBZONE_SAFE, zones.subzone_safe_body),
    ServerStatus: (Kind.SERVER_STATUS, broadcasts.status_body),
    EmergencyBroadcast: (Kind.BROADCAST_EMERGENCY, emergencies.broadcast_body),
    SystemUpdate: (Kind.BROADCAST_SYSTEM_UPDATE, broadcasts.update_body),
    IpChange: (Kind.BROADCAST_IP_CHANGE, broadcasts.ip_change_body),
    SystemCommand: (Kind.SYSTEM_COMMAND, device_orders.command_body),
    AuthUpdate: (Kind.AUTH_UPDATE, device_orders.auth_update_body),
    TrialCommand: (Kind.TRIAL_COMMAND, device_orders.trial_body),
    EmergencyOrder: (Kind.EMERGENCY, emergencies.order_body),
    MeasureCommand: (Kind.MEASURE_COMMAND, measurements.measure_body),
    ProcessingResponse: (Kind.PROCESSING_RESPONSE, measurements.processed_body),
    DownloadStart: (Kind.LIBRARY_DOWNLOAD_START, libraries.start_body),
    LibraryChunk: (Kind.LIBRARY_CHUNK, libraries.chunk_body),
    DownloadComplete: (Kind.LIBRARY_DOWNLOAD_COMPLETE, libraries.complete_body),
}

_UNREADABLE = (ValueError, RecursionError)
"""What a payload can make the decoders raise; msgspec's own errors are ValueErrors."""


class MalformedPayloadError(ValueError):
    """A payload that does not follow the protocol; the message says why, in words for people."""


def decode(topic: Topic, payload: bytes, received_at: datetime) -> Inbound:
    """Read what a device says, in any dialect.

    Args:
        topic: Where it arrived.
        payload: Its bytes, whatever they are.
        received_at: The server's time, with a time zone.

    Returns:
        The message.

    Raises:
        MalformedPayloadError: It cannot be understood, contradicts its topic, or is not for the
            server. Nothing else is ever raised.
    """
    if not payload:
        return Empty()
    read = _INBOUND.get(topic.kind)
    if read is None:
        raise MalformedPayloadError("this is for devices, not for the server")
    try:
        _check_size(payload)
        return read(topic, payload, received_at)
    except _UNREADABLE as error:
        raise MalformedPayloadError(_reason(error)) from error


def decode_outbound(topic: Topic, payload: bytes) -> Outbound:
    """Read what the server says, as strictly as the newest firmware.

    Raises:
        MalformedPayloadError: A device would not understand it, or it is not for devices. Nothing
            else is ever raised.
    """
    read = _OUTBOUND.get(topic.kind)
    if read is None:
        raise MalformedPayloadError("this is for the server, not for devices")
    try:
        _check_size(payload, LARGEST_OUTBOUND.get(topic.kind, LARGEST_PAYLOAD))
        return read(topic, payload)
    except _UNREADABLE as error:
        raise MalformedPayloadError(_reason(error)) from error


def encode(message: Outbound) -> Outgoing:
    """Write what the server says: compact, since old firmware searches the text for `"key":`.

    Raises:
        ValueError: A device would not understand it, so it must not be sent.
    """
    kind, body = _BODIES[type(message)]
    if isinstance(message, PinConfig) and message.section is Section.ACTUATOR:
        kind = Kind.CONFIG_ACTUATOR
    topic = Topic(kind, **{level: getattr(message, level) for level in kind.levels})
    payload = msgspec.json.encode(body(message))
    decode_outbound(topic, payload)
    route = kind.route
    return Outgoing(str(topic), payload, route.qos, route.retain, route.expiry)


def clearing(topic: Topic) -> Outgoing:
    """Return what makes the broker forget the last message of a device, such as an old last will.

    Raises:
        ValueError: Devices listen to the topic: the earliest take an empty message for an order.
    """
    if topic.kind.route.direction is Direction.TO_DEVICE:
        raise ValueError(f"{topic} is for devices, and must never be cleared")
    return Outgoing(str(topic), b"", topic.kind.route.qos, retain=True)


def meaning(kind: Kind) -> str:
    """Return what a kind of message says, in one sentence."""
    reader = _INBOUND.get(kind) or _OUTBOUND[kind]
    message = get_type_hints(reader)["return"]
    said = get_args(message)[0] if get_args(message) else message
    return str(said.__doc__).partition("\n")[0].rstrip()


def _check_size(payload: bytes, largest: int = LARGEST_PAYLOAD) -> None:
    if len(payload) > largest:
        raise ValueError(f"{len(payload)} bytes are more than the {largest} allowed")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "its text is not UTF-8"
    # msgspec says "Expected `float`, got `bool` - at `$.raw`".
    what, _, where = str(error).replace("`", "").partition(" - at $")
    field = where.removeprefix(".")
    return text(f"{field}: {what[:1].lower()}{what[1:]}" if field else what, _REASON_LIMIT)
