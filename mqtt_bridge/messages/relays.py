"""Relays between devices and the server (device protocol, section 1.13)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayHeartbeat:
    """A relay is alive.

    Attributes:
        kaiser_id: The relay's id, which is also the level that its devices are heard on.
        cpu_temperature: °C.
        clients: The devices behind it.
        queued: Messages it could not deliver yet.
    """

    kaiser_id: str
    received_at: datetime
    state: str = "UNKNOWN"
    uptime_seconds: int | None = None
    cpu_temperature: float | None = None
    wifi_rssi_dbm: int | None = None
    local_connected: bool | None = None
    remote_connected: bool | None = None
    clients: tuple[str, ...] = ()
    queued: int | None = None
    relayed_total: int | None = None
    relayed_last_minute: int | None = None
    disk_usage_percent: int | None = None
