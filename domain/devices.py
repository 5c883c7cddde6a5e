"""Devices: ESP32 boards, what they say of themselves, and whether they are trusted yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

OFFLINE_AFTER = timedelta(seconds=180)
"""Silence after which a device counts as offline, unless the operator says otherwise (device
protocol, section 7, decision 9)."""

UNKNOWN_STATE = "UNKNOWN"
"""The state of a device that names none."""

UPTIME_WRAPS = 2**32 / 1000
"""Seconds after which uptime begins again at 0: firmware counts milliseconds in 32 bits."""

UPTIME_TOLERANCE = 60.0
"""Seconds that a report may have been under way."""

OVERTAKING = 2
"""Seconds of uptime by which one report may lag behind another that overtook it."""

_SESSION = re.compile(r"-r\d+$")


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


class FirmwareGeneration(StrEnum):
    """What a device was flashed with, oldest first (device protocol, section 0)."""

    UNKNOWN = "UNKNOWN"
    NOVEMBER_2025 = "NOVEMBER_2025"
    DECEMBER_2025 = "DECEMBER_2025"
    FEBRUARY_2026 = "FEBRUARY_2026"
    APRIL_2026 = "APRIL_2026"

    @property
    def age(self) -> int:
        """Its place in the row: 0 for UNKNOWN, and more the newer."""
        return list(FirmwareGeneration).index(self)


class FirmwareEvidence(NamedTuple):
    """Which generations write a message the way it was written: from the oldest to the newest."""

    oldest: FirmwareGeneration = FirmwareGeneration.NOVEMBER_2025
    newest: FirmwareGeneration = FirmwareGeneration.APRIL_2026

    def judge(self, previous: FirmwareGeneration) -> FirmwareGeneration:
        """Return the generation that a device must be of, given what it was taken for.

        Repeated in any order it stays within what the last message allows, so that a device that
        was flashed anew, forwards or backwards, is recognised by its next telling message.
        """
        if previous.age < self.oldest.age:
            return self.oldest
        return min(previous, self.newest, key=lambda generation: generation.age)


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
        zone_id: The zone that people put it into; None: none.
        subzone_id: The part of that zone that its pins belong to; None: none.
        is_zone_master: Whether it speaks for its zone.
        metadata: What people noted about it; the server does not look into it.
        mac_address: Six pairs of hexadecimal digits, such as `24:6F:28:12:AB:34`.
        last_seen: When the server last heard it; None: never, only configured.
        last_boot_at: When it last started, as far as its reports tell.
        handover_epoch: The session it last announced; None: its firmware announces none.
        firmware_generation: What it was flashed with, as far as its way of writing tells.
    """

    id: UUID
    esp_id: str
    kaiser_id: str
    name: str | None = None
    approved: bool = False
    online: bool = False
    zone_id: str | None = None
    subzone_id: str | None = None
    is_zone_master: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    ip_address: str | None = None
    mac_address: str | None = None
    firmware_version: str | None = None
    hardware_type: str | None = None
    last_seen: datetime | None = None
    last_boot_at: datetime | None = None
    handover_epoch: int | None = None
    firmware_generation: FirmwareGeneration = FirmwareGeneration.UNKNOWN
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
    """A device's own report about itself; None wherever its firmware does not say.

    Attributes:
        boot_sequence_id: Names this run of the device, and its sessions: `ESP_12AB34-b7-r2` is the
            third session of the seventh boot.
        reset_reason: Why it last started, in the firmware's word, such as `BROWNOUT`.
    """

    reported_at: datetime
    system_state: str = UNKNOWN_STATE
    uptime_seconds: int | None = None
    free_heap_bytes: int | None = None
    min_free_heap_bytes: int | None = None
    heap_fragmentation_percent: int | None = None
    wifi_rssi_dbm: int | None = None
    safe_mode: bool = False
    sensor_count: int | None = None
    actuator_count: int | None = None
    error_count: int | None = None
    boot_sequence_id: str | None = None
    reset_reason: str | None = None

    def after(self, before: "DeviceHealth | None") -> "DeviceHealth":
        """Return this report with what only an earlier one of the same run said.

        Heartbeats and diagnostics tell different things; together they are a device's health.
        """
        if before is None or restart_reason(before, self) is not None:
            return self
        named = self.system_state != UNKNOWN_STATE
        kept = {
            name: getattr(before, name) for name in _REPORTED if getattr(self, name) is None
        } | ({} if named else {"system_state": before.system_state})
        safe_mode = self.safe_mode if named else self.safe_mode or before.safe_mode
        return replace(self, **kept, safe_mode=safe_mode)


_REPORTED = [known.name for known in fields(DeviceHealth) if known.default is None]


def restart_reason(before: DeviceHealth, now: DeviceHealth) -> str | None:
    """Return why a device must have restarted between two reports, or None when it did not.

    Any of these proves it: another boot in its boot sequence, another reason for its last reset,
    an uptime that went back, an uptime shorter than the time since the report before. The last is
    what tells of a restart that happened while the server was away.
    """
    if _changed(_boot(before), _boot(now)):
        return "its boot sequence went on"
    if _changed(before.reset_reason, now.reset_reason):
        return f"its reset reason became {now.reset_reason}"
    return _uptime_reason(before, now)


def _uptime_reason(before: DeviceHealth, now: DeviceHealth) -> str | None:
    was, is_now = before.uptime_seconds, now.uptime_seconds
    if was is None or is_now is None:
        return None
    passed = (now.reported_at - before.reported_at).total_seconds()
    missing = was + passed - is_now
    wraps = round(missing / UPTIME_WRAPS)
    if wraps > 0 and abs(missing - wraps * UPTIME_WRAPS) <= UPTIME_TOLERANCE:
        return None  # the counter began again, the device did not
    if is_now + OVERTAKING < was:
        return f"its uptime went back from {was} s to {is_now} s"
    same_boot = _boot(now) is not None and _boot(now) == _boot(before)
    if not same_boot and is_now + UPTIME_TOLERANCE < passed:
        return f"it is up for only {is_now} s of the {passed:.0f} s since its report before"
    return None


def booted_at(health: DeviceHealth) -> datetime | None:
    """Return when a device started, by its own count; None where it does not count."""
    if health.uptime_seconds is None:
        return None
    return health.reported_at - timedelta(seconds=health.uptime_seconds)


def _boot(health: DeviceHealth) -> str | None:
    # The part behind the last hyphen counts reconnects, which are no restarts.
    if health.boot_sequence_id is None:
        return None
    return _SESSION.sub("", health.boot_sequence_id)


def _changed(before: str | None, now: str | None) -> bool:
    return before is not None and now is not None and before != now


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A sign of life.

    Attributes:
        handover_epoch: The epoch that the device says is active, 1 or more; None: it names none.
        mac_address: As `Device.mac_address`; None here and below: it does not say.
        firmware: Which generations send such a heartbeat; None: any.
    """

    esp_id: str
    kaiser_id: str
    received_at: datetime
    health: DeviceHealth
    ip_address: str | None = None
    handover_epoch: int | None = None
    mac_address: str | None = None
    firmware_version: str | None = None
    hardware_type: str | None = None
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWill:
    """The broker's word that a device's connection broke."""

    esp_id: str
    kaiser_id: str
    received_at: datetime
    reason: str
    firmware: FirmwareEvidence | None = field(default=None, compare=False)
