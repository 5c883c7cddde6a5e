"""Stored devices and what their health was."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.devices import Device, DeviceHealth, DeviceStatus
from domain.pages import Page, PageRequest


class Devices(Protocol):
    """Stored devices and their health."""

    async def add(self, device: Device) -> Device:
        """Store a new device; where the esp_id is known already, return the stored one."""
        ...

    async def save(self, device: Device) -> None:
        """Store what people decide about a known device.

        That is name, approved, zone, subzone, zone master, metadata and updated_at.
        """
        ...

    async def save_presence(self, device: Device) -> None:
        """Store what is heard of a known device.

        That is presence, address, firmware, topic level, last boot and session.
        """
        ...

    async def by_esp_id(self, esp_id: str) -> Device | None:
        """Return one device."""
        ...

    async def by_esp_ids(self, esp_ids: Sequence[str]) -> Mapping[str, Device]:
        """Return several devices by name; unknown names are absent."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> Page[Device]:
        """Return devices by name.

        Args:
            page: Which part of the list.
            statuses: Only devices with one of these; None: with any.
            search: Only devices with this text in esp_id or name.
            zone_id: Only devices of this zone; None: of any, or of none.
            kaiser_id: Only devices that are heard on this topic level; None: on any.
        """
        ...

    async def count(
        self,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> int:
        """Return how many devices the same selection holds."""
        ...

    async def remove(self, esp_id: str) -> None:
        """Forget a device and everything that hangs on it."""
        ...

    async def all(self) -> Sequence[Device]:
        """Return every device, for the registry."""
        ...

    async def save_health(self, esp_id: str, health: DeviceHealth) -> None:
        """Store the newest health of a known device, and add it to its history."""
        ...

    async def health(self, esp_ids: Sequence[str]) -> Mapping[str, DeviceHealth]:
        """Return the newest health of devices; one that never reported is absent."""
        ...

    async def all_health(self) -> Mapping[str, DeviceHealth]:
        """Return the newest health of every device, for the registry."""
        ...


class HealthHistory(Protocol):
    """What the health of devices was; `Devices.save_health` adds to it."""

    async def page(
        self,
        esp_id: str,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[DeviceHealth]:
        """Return reports of a device, newest first; `start` included, `end` excluded.

        Boot sequence and reset reason are not kept.
        """
        ...

    async def times(
        self, esp_id: str, *, start: datetime | None, end: datetime, limit: int
    ) -> Sequence[datetime]:
        """Return when a device reported, oldest first; `start` included, `end` excluded."""
        ...

    async def delete(self, esp_id: str, times: Sequence[datetime]) -> None:
        """Delete a device's reports of these times."""
        ...
