"""Zones, configurations and the outbox, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.configs import ConfigSync, Errand, OutboxEntry
from domain.devices import Device
from domain.zones import Zone


@dataclass(slots=True)
class FakeZones:
    rows: dict[str, Zone] = field(default_factory=dict)

    async def add(self, zone: Zone) -> Zone:
        return self.rows.setdefault(zone.zone_id, zone)

    async def save(self, zone: Zone) -> None:
        self.rows[zone.zone_id] = zone

    async def all(self) -> Sequence[Zone]:
        return [self.rows[zone_id] for zone_id in sorted(self.rows)]

    async def by_zone_ids(self, zone_ids: Sequence[str]) -> Mapping[str, Zone]:
        return {name: self.rows[name] for name in zone_ids if name in self.rows}


@dataclass(slots=True)
class FakeConfigSyncs:
    rows: dict[str, ConfigSync] = field(default_factory=dict)

    async def save(self, esp_id: str, sync: ConfigSync) -> None:
        self.rows[esp_id] = sync

    async def by_esp_ids(self, esp_ids: Sequence[str]) -> Mapping[str, ConfigSync]:
        return {name: self.rows[name] for name in esp_ids if name in self.rows}


@dataclass(slots=True)
class FakeOutbox:
    rows: dict[int, OutboxEntry] = field(default_factory=dict)
    added: int = 0

    async def add(self, entries: Sequence[OutboxEntry]) -> None:
        for entry in entries:
            self.added += 1
            self.rows[self.added] = replace(entry, id=self.added)

    async def of_device(self, esp_id: str, errands: Collection[Errand]) -> Sequence[OutboxEntry]:
        return [
            entry
            for entry in self.rows.values()
            if entry.esp_id == esp_id and entry.errand in errands
        ]

    async def remove(self, ids: Sequence[int]) -> None:
        for number in ids:
            self.rows.pop(number, None)

    async def waiting(self, errands: Collection[Errand]) -> Sequence[str]:
        return sorted({entry.esp_id for entry in self.rows.values() if entry.errand in errands})


@dataclass(slots=True)
class FakeAdmissions:
    """Tells devices that they were let in."""

    told: list[str] = field(default_factory=list)

    async def __call__(self, device: Device) -> None:
        self.told.append(device.esp_id)
