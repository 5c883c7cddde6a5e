"""Devices: ESP32 boards, what they say of themselves, and whether they are trusted yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

OFFLINE_AFTER = timedelta(seconds=180)
"""Silence after which a device counts as offline, unless the operator says otherwise (device
protocol, section 7, decision 9)."""


class DeviceStatus(StrEnum):
    """What is known of a device's presence; DISCOVERED: heard of, but not approved yet."""

    DISCOVERED = "DISCOVERED"
    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    ERROR = "ERROR"


class Discovery(StrEnum):
    """What happens to a device that is heard of for the first time."""

    APPROVE = "approve"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One ESP32 board.

    Attributes:
        id: Time-ordered id of the database row.
        esp_id: The name in its topics, such as `ESP_12AB34`; unique.
        kaiser_id: The topic level it was last heard on: `god`, a relay's id, or empty for
            firmware that was never provisioned. Answers go out on the same level.
        approved: Whether a person, or the setting KAISER_DISCOVERY=auto, let it in.
        online: Whether it was heard lately (see `OFFLINE_AFTER`) and its last will was not.
        last_seen: When the server last heard it; None: never, only configured.
    """

    id: UUID
    esp_id: str
    kaiser_id: str
    name: str | None = None
    approved: bool = False
    online: bool = False
    zone_id: str | None = None
    ip_address: str | None = None
    firmware_version: str | None = None
    hardware_type: str | None = None
    last_seen: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def status(self) -> DeviceStatus:
        """Presence as clients see it: an unapproved device is DISCOVERED, whatever else it is."""
        if not self.approved:
            return DeviceStatus.DISCOVERED
        return DeviceStatus.ONLINE if self.online else DeviceStatus.OFFLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    """A device's own report about itself; None wherever its firmware does not say."""

    reported_at: datetime
    system_state: str = "UNKNOWN"
    uptime_seconds: int | None = None
    free_heap_bytes: int | None = None
    wifi_rssi_dbm: int | None = None
    safe_mode: bool = False
    sensor_count: int | None = None
    actuator_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A sign of life.

    Attributes:
        handover_epoch: What the answer must repeat: the epoch that the device says is active, the
            last one it announced, or 1 (device protocol, section 1.3).
    """

    esp_id: str
    kaiser_id: str
    received_at: datetime
    health: DeviceHealth
    ip_address: str | None = None
    handover_epoch: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWill:
    """The broker's word that a device's connection broke."""

    esp_id: str
    kaiser_id: str
    received_at: datetime
    reason: str
