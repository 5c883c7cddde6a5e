"""Bytes to messages and back: tolerant of what devices really send, strict about what goes out.

One module per noun knows the shapes; here is only which kind of message belongs to which of them.
No I/O and no clock: the time of receipt is handed in.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from domain.configs import ConfigPart, DeviceConfig, PinConfig, Section
from domain.zones import SubzoneAssignment, SubzoneRemoval, SubzoneSafety, ZoneAssignment
from mqtt_bridge.messages import (
    ActuatorCommand,
    Empty,
    HeartbeatAck,
    Inbound,
    Outbound,
    Outgoing,
)
from mqtt_bridge.payloads import actuators, configs, devices, sensors, zones
from mqtt_bridge.payloads.fields import text
from mqtt_bridge.topics import Kind, Topic

LARGEST_PAYLOAD = 16_384
"""Bytes; ten times what the most talkative firmware sends (device protocol, section 1.1)."""

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
        _check_size(payload)
        return read(topic, payload)
    except _UNREADABLE as error:
        raise MalformedPayloadError(_reason(error)) from error


def encode(message: Outbound) -> Outgoing:
    """Write what the server says: compact, since old firmware searches the text for `"key":`.

    Raises:
        ValueError: A device would not understand it, so it must not be sent.
    """
    match message:
        case HeartbeatAck():
            topic = Topic(Kind.HEARTBEAT_ACK, message.kaiser_id, message.esp_id)
            body = devices.ack_body(message)
        case ActuatorCommand():
            topic = Topic(Kind.ACTUATOR_COMMAND, message.kaiser_id, message.esp_id, message.gpio)
            body = actuators.command_body(message)
        case DeviceConfig():
            topic = Topic(Kind.CONFIG, message.kaiser_id, message.esp_id)
            body = configs.config_body(message)
        case ConfigPart():
            topic = Topic(Kind.CONFIG_PART, message.kaiser_id, message.esp_id)
            body = configs.part_body(message)
        case PinConfig():
            sensor = message.section is Section.SENSOR
            kind = Kind.CONFIG_SENSOR if sensor else Kind.CONFIG_ACTUATOR
            topic = Topic(kind, message.kaiser_id, message.esp_id, message.gpio)
            body = configs.pin_config_body(message)
        case ZoneAssignment():
            topic = Topic(Kind.ZONE_ASSIGN, message.kaiser_id, message.esp_id)
            body = zones.zone_assign_body(message)
        case SubzoneAssignment():
            topic = Topic(Kind.SUBZONE_ASSIGN, message.kaiser_id, message.esp_id)
            body = zones.subzone_assign_body(message)
        case SubzoneRemoval():
            topic = Topic(Kind.SUBZONE_REMOVE, message.kaiser_id, message.esp_id)
            body = zones.subzone_remove_body(message)
        case SubzoneSafety():
            topic = Topic(Kind.SUBZONE_SAFE, message.kaiser_id, message.esp_id)
            body = zones.subzone_safe_body(message)
    payload = msgspec.json.encode(body)
    decode_outbound(topic, payload)
    route = topic.kind.route
    return Outgoing(str(topic), payload, route.qos, route.retain)


def _check_size(payload: bytes) -> None:
    if len(payload) > LARGEST_PAYLOAD:
        raise ValueError(f"{len(payload)} bytes are more than the {LARGEST_PAYLOAD} allowed")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "its text is not UTF-8"
    # msgspec says "Expected `float`, got `bool` - at `$.raw`".
    what, _, where = str(error).replace("`", "").partition(" - at $")
    field = where.removeprefix(".")
    return text(f"{field}: {what[:1].lower()}{what[1:]}" if field else what, _REASON_LIMIT)
