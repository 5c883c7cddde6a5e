"""What relays tell the server of themselves.

Field names and their meaning: device protocol, section 1.13.
"""

from datetime import datetime
from typing import Any

import msgspec

from domain.relays import CENTRAL, RelayHealth
from mqtt_bridge.messages import RelayHeartbeat
from mqtt_bridge.payloads.fields import WORD_LIMIT, real, text, whole
from mqtt_bridge.topics import Kind, Topic

_MOST_CLIENTS = 20
_HOTTEST = 200.0


class _Heartbeat(msgspec.Struct, kw_only=True):
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


_HEARTBEAT = msgspec.json.Decoder(_Heartbeat)

SHAPES: dict[Kind, type[msgspec.Struct]] = {Kind.RELAY_HEARTBEAT: _Heartbeat}


def heartbeat(topic: Topic, payload: bytes, received_at: datetime) -> RelayHeartbeat:
    """Read a relay's sign of life; an unusable number is only left out."""
    body = _HEARTBEAT.decode(payload)
    if topic.kaiser_id in CENTRAL:
        raise ValueError("the relay has no name of its own")
    if body.kaiser_id and body.kaiser_id != topic.kaiser_id:
        raise ValueError(f"kaiser_id {body.kaiser_id[:40]!r} contradicts the topic")
    return RelayHeartbeat(kaiser_id=topic.kaiser_id, received_at=received_at, health=_health(body))


def _health(body: _Heartbeat) -> RelayHealth:
    return RelayHealth(
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
