"""Devices in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.devices import Device, DeviceHealth, DeviceStatus
from domain.pages import Page, PageRequest
from tests.fakes.health_history import FakeHealthHistory
from tests.fakes.paging import paged


@dataclass(slots=True)
class FakeDevices:
    rows: dict[str, Device] = field(default_factory=dict)
    reports: dict[str, DeviceHealth] = field(default_factory=dict)
    history: FakeHealthHistory = field(default_factory=FakeHealthHistory)
    saved: Counter[str] = field(default_factory=Counter)

    async def add(self, device: Device) -> Device:
        return self.rows.setdefault(device.esp_id, device)

    async def save(self, device: Device) -> None:
        self.rows[device.esp_id] = replace(
            self.rows[device.esp_id],
            name=device.name,
            approved=device.approved,
            zone_id=device.zone_id,
            subzone_id=device.subzone_id,
            is_zone_master=device.is_zone_master,
            metadata=device.metadata,
            updated_at=device.updated_at,
        )

    async def save_presence(self, device: Device) -> None:
        self.saved["presence"] += 1
        self.rows[device.esp_id] = replace(
            self.rows[device.esp_id],
            kaiser_id=device.kaiser_id,
            online=device.online,
            last_seen=device.last_seen,
            ip_address=device.ip_address,
            mac_address=device.mac_address,
            firmware_version=device.firmware_version,
            hardware_type=device.hardware_type,
            last_boot_at=device.last_boot_at,
            handover_epoch=device.handover_epoch,
            firmware_generation=device.firmware_generation,
        )

    async def by_esp_id(self, esp_id: str) -> Device | None:
        return self.rows.get(esp_id)

    async def by_esp_ids(self, esp_ids: Sequence[str]) -> Mapping[str, Device]:
        return {esp_id: self.rows[esp_id] for esp_id in esp_ids if esp_id in self.rows}

    async def remove(self, esp_id: str) -> None:
        self.rows.pop(esp_id, None)

    def _found(
        self,
        statuses: Collection[DeviceStatus] | None,
        search: str | None,
        zone_id: str | None,
        kaiser_id: str | None,
    ) -> list[Device]:
        wanted = (search or "").lower()
        return [
            device
            for device in self.rows.values()
            if (statuses is None or device.status in statuses)
            and zone_id in {None, device.zone_id}
            and kaiser_id in {None, device.kaiser_id}
            and wanted in f"{device.esp_id} {device.name or ''}".lower()
        ]

    async def page(
        self,
        page: PageRequest,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> Page[Device]:
        found = self._found(statuses, search, zone_id, kaiser_id)
        return paged(found, lambda device: (device.esp_id,), page)

    async def count(
        self,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> int:
        return len(self._found(statuses, search, zone_id, kaiser_id))

    async def all(self) -> Sequence[Device]:
        return tuple(self.rows.values())

    async def save_health(self, esp_id: str, health: DeviceHealth) -> None:
        self.saved["health"] += 1
        self.reports[esp_id] = health
        self.history.add(esp_id, health)

    async def health(self, esp_ids: Sequence[str]) -> Mapping[str, DeviceHealth]:
        return {esp_id: self.reports[esp_id] for esp_id in esp_ids if esp_id in self.reports}

    async def all_health(self) -> Mapping[str, DeviceHealth]:
        return dict(self.reports)
