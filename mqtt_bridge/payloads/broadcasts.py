"""What the server tells everybody, and relays to the server.

Field names and their meaning: device protocol, sections 1.3 and 1.13.
"""

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from mqtt_bridge.messages import IpChange, RelayHeartbeat, ServerStatus, SystemUpdate
from mqtt_bridge.payloads.fields import WORD_LIMIT, Seconds, Text, Word, real, text, whole
from mqtt_bridge.topics import Kind, Topic

_MOST_CLIENTS = 20
_HOTTEST = 200.0


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


class _Relay(msgspec.Struct, kw_only=True):
    kaiser_id: str | None = None
    uptime: Any = None
    state: Any = None
    cpu_temp: Any = None
    wifi_rssi: Any = None
    mqtt_local_connected: Any = None
    mqtt_remote_connected: Any = None
    relay_clients: Any = None
    offline_queue_size: Any = None
    messages_relayed_total: Any = None
    messages_relayed_last_minute: Any = None
    disk_usage_percent: Any = None


_STATUS = msgspec.json.Decoder(_Status)
_UPDATE = msgspec.json.Decoder(_Update)
_IP_CHANGE = msgspec.json.Decoder(_IpChange)
_RELAY = msgspec.json.Decoder(_Relay)

SHAPES: dict[Kind, type[msgspec.Struct]] = {
    Kind.SERVER_STATUS: _Status,
    Kind.BROADCAST_SYSTEM_UPDATE: _Update,
    Kind.BROADCAST_IP_CHANGE: _IpChange,
    Kind.RELAY_HEARTBEAT: _Relay,
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


def relay(topic: Topic, payload: bytes, received_at: datetime) -> RelayHeartbeat:
    """Read a relay's sign of life; an unusable number is only left out."""
    body = _RELAY.decode(payload)
    if not topic.kaiser_id:
        raise ValueError("the relay has no name")
    if body.kaiser_id and body.kaiser_id != topic.kaiser_id:
        raise ValueError(f"kaiser_id {body.kaiser_id[:40]!r} contradicts the topic")
    return RelayHeartbeat(
        kaiser_id=topic.kaiser_id,
        received_at=received_at,
        state=text(body.state, WORD_LIMIT).upper() or "UNKNOWN",
        uptime_seconds=whole(body.uptime),
        cpu_temperature=real(body.cpu_temp, lowest=-_HOTTEST, highest=_HOTTEST),
        wifi_rssi_dbm=whole(body.wifi_rssi, lowest=-128, highest=127),
        local_connected=_flag(body.mqtt_local_connected),
        remote_connected=_flag(body.mqtt_remote_connected),
        clients=_clients(body.relay_clients),
        queued=whole(body.offline_queue_size),
        relayed_total=whole(body.messages_relayed_total),
        relayed_last_minute=whole(body.messages_relayed_last_minute),
        disk_usage_percent=whole(body.disk_usage_percent, highest=100),
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _clients(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else []
    return tuple(name for each in names[:_MOST_CLIENTS] if (name := text(each, WORD_LIMIT)))
