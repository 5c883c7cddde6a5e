"""Relays: small computers between devices and the server, where the network does not reach.

A relay has a topic level of its own, on which its devices are heard and spoken to; that level is
its name (device protocol, section 1.13). Nobody announces one: it exists once it was heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from domain.devices import DeviceStatus

CENTRAL = frozenset({"god", ""})
"""The topic levels of the server itself, where no relay stands between; the empty one is that of
firmware that was never provisioned."""


class Relayed(NamedTuple):
    """That a message came through a relay.

    Attributes:
        by: The relay.
        at: When it passed the message on, by its own clock; None where it does not say.
    """

    by: str
    at: datetime | None = None

    def noted(self) -> Mapping[str, str]:
        """Return what a reading says of it."""
        return {"by": self.by} | ({"at": self.at.isoformat()} if self.at else {})

    @classmethod
    def of(cls, noted: Mapping[str, str]) -> Self:
        """Return what a reading says of it, the inverse of `noted`."""
        return cls(noted["by"], datetime.fromisoformat(noted["at"]) if "at" in noted else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayHealth:
    """A relay's own report about itself; None wherever it does not say.

    Attributes:
        state: The relay's word for what it does, such as `OPERATIONAL`.
        cpu_temperature: °C.
        local_connected: Whether it reaches the broker of its devices.
        remote_connected: Whether it reaches the broker of the server.
        clients: The devices behind it, as it counts them.
        queued: Messages it could not deliver yet.
        relayed_total: Messages it passed on since it started.
        disk_usage_percent: 0 to 100.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One relay.

    Attributes:
        kaiser_id: The topic level of its devices; unique.
        name: What people call it; None: nothing.
        online: Whether it was heard lately (see `domain.devices.OFFLINE_AFTER`).
        last_seen: When the server last heard it.
        health: What it last said of itself.
        created_at: When the server first heard it.
    """

    kaiser_id: str
    name: str | None = None
    online: bool
    last_seen: datetime
    health: RelayHealth = field(default_factory=RelayHealth)
    created_at: datetime

    @property
    def status(self) -> DeviceStatus:
        """Presence as clients see it; nobody needs to let a relay in."""
        return DeviceStatus.ONLINE if self.online else DeviceStatus.OFFLINE

    @property
    def called(self) -> str:
        """What people call it; its id while they call it nothing."""
        return self.name or self.kaiser_id
