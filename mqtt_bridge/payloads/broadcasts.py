"""What the server tells everybody.

Field names and their meaning: device protocol, section 1.3.
"""

from ipaddress import ip_address
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from mqtt_bridge.messages import IpChange, ServerStatus, SystemUpdate
from mqtt_bridge.payloads.fields import Seconds, Text, Word
from mqtt_bridge.topics import Kind, Topic


class _Status(msgspec.Struct, kw_only=True):
    status: Literal["online", "offline"]
    timestamp: Seconds
    reason: Text | UnsetType = UNSET


class _Update(msgspec.Struct, kw_only=True):
    update_type: Word
    message: Text


class _IpChange(msgspec.Struct, kw_only=True):
    ts: Seconds
    new_ip: Word
    new_port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    reason: Text | UnsetType = UNSET


_STATUS = msgspec.json.Decoder(_Status)
_UPDATE = msgspec.json.Decoder(_Update)
_IP_CHANGE = msgspec.json.Decoder(_IpChange)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.SERVER_STATUS: _Status,
    Kind.BROADCAST_SYSTEM_UPDATE: _Update,
    Kind.BROADCAST_IP_CHANGE: _IpChange,
}


def status(topic: Topic, payload: bytes) -> ServerStatus:
    """Read whether the server is there."""
    body = _STATUS.decode(payload)
    return ServerStatus(
        kaiser_id=topic.kaiser_id,
        online=body.status == "online",
        timestamp=body.timestamp,
        reason=body.reason or "",
    )


def status_body(message: ServerStatus) -> msgspec.Struct:
    """Return the fields of the server's status."""
    return _Status(
        status="online" if message.online else "offline",
        timestamp=message.timestamp,
        reason=message.reason or UNSET,
    )


def update(_: Topic, payload: bytes) -> SystemUpdate:
    """Read an announcement."""
    body = _UPDATE.decode(payload)
    return SystemUpdate(update_type=body.update_type, message=body.message)


def update_body(message: SystemUpdate) -> msgspec.Struct:
    """Return the fields of an announcement."""
    return _Update(update_type=message.update_type, message=message.message)


def ip_change(_: Topic, payload: bytes) -> IpChange:
    """Read that the server moves."""
    body = _IP_CHANGE.decode(payload)
    return IpChange(
        new_ip=str(ip_address(body.new_ip)),
        new_port=body.new_port,
        timestamp=body.ts,
        reason=body.reason or "",
    )


def ip_change_body(message: IpChange) -> msgspec.Struct:
    """Return the fields of a move."""
    return _IpChange(
        ts=message.timestamp,
        new_ip=message.new_ip,
        new_port=message.new_port,
        reason=message.reason or UNSET,
    )
