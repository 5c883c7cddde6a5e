"""A database in memory, one fake repository per noun."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from domain.dead_letters import DeadLetter
from domain.devices import Device, DeviceHealth, DeviceStatus
from domain.errors import ConflictError, DomainError, StorageUnavailableError
from domain.pages import Page, PageRequest
from domain.repositories import NewReading
from domain.sensors import Reading, Sensor, SensorKey
from domain.thresholds import Zone
from domain.users import User
from tests.fakes.actuators import FakeActuators, FakeCommands
from tests.fakes.configs import FakeConfigSyncs, FakeOutbox, FakeZones
from tests.fakes.emergency_stops import FakeEmergencyStops
from tests.fakes.health_history import FakeHealthHistory
from tests.fakes.libraries import FakeLibraryInstallations
from tests.fakes.paging import microseconds, paged
from tests.fakes.system_events import FakeSystemEvents


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


@dataclass(slots=True)
class FakeSensors:
    rows: dict[SensorKey, Sensor] = field(default_factory=dict)
    stand: dict[int, Zone] = field(default_factory=dict)

    async def add(self, sensors: Sequence[Sensor]) -> Sequence[Sensor]:
        for sensor in sensors:
            self.rows.setdefault(sensor.key, replace(sensor, id=len(self.rows) + 1))
        return [self.rows[sensor.key] for sensor in sensors]

    async def by_key(self, key: SensorKey) -> Sensor | None:
        return self.rows.get(key)

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Sensor]]:
        rows = sorted(self.rows.values(), key=lambda sensor: sensor.key)
        return {esp_id: [s for s in rows if s.key.esp_id == esp_id] for esp_id in esp_ids}

    def _found(
        self,
        esp_id: str | None,
        sensor_type: str | None,
        enabled: bool | None,  # noqa: FBT001 - a filter
    ) -> list[Sensor]:
        return [
            sensor
            for sensor in self.rows.values()
            if esp_id in (None, sensor.key.esp_id)
            and sensor_type in (None, sensor.key.sensor_type)
            and enabled in (None, sensor.enabled)
        ]

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> Page[Sensor]:
        return paged(self._found(esp_id, sensor_type, enabled), lambda s: tuple(s.key), page)

    async def count(
        self,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> int:
        return len(self._found(esp_id, sensor_type, enabled))

    async def save(self, sensor: Sensor) -> None:
        self.rows[sensor.key] = sensor

    async def zones(self) -> Mapping[int, Zone]:
        return {key: zone for key, zone in self.stand.items() if zone is not Zone.NORMAL}

    async def save_zones(self, zones: Mapping[int, Zone]) -> None:
        self.stand.update(zones)

    async def remove(self, sensor_id: int) -> None:
        self.rows = {key: row for key, row in self.rows.items() if row.id != sensor_id}

    async def all(self) -> Sequence[Sensor]:
        return tuple(self.rows.values())


@dataclass(slots=True)
class FakeReadings:
    rows: list[Reading] = field(default_factory=list)

    async def latest(self, sensor_ids: Sequence[int]) -> Mapping[int, Reading]:
        newest: dict[int, Reading] = {}
        for reading in sorted(self.rows, key=lambda r: (r.measured_at, r.id)):
            if reading.sensor.id in sensor_ids:
                newest[reading.sensor.id] = reading
        return newest

    async def by_key(
        self, sensor_id: int, measured_at: datetime, reading_id: int
    ) -> Reading | None:
        key = (sensor_id, measured_at, reading_id)
        return next((r for r in self.rows if (r.sensor.id, r.measured_at, r.id) == key), None)

    async def page(
        self,
        page: PageRequest,
        *,
        sensor_ids: Sequence[int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Reading]:
        found = [
            reading
            for reading in self.rows
            if (sensor_ids is None or reading.sensor.id in sensor_ids)
            and (start is None or reading.measured_at >= start)
            and (end is None or reading.measured_at < end)
        ]
        return paged(found, lambda r: (microseconds(r.measured_at), r.id), page, descending=True)

    async def since(self, reading_id: int, limit: int) -> Sequence[Reading]:
        found = [reading for reading in self.rows if reading.id > reading_id]
        return sorted(found, key=lambda reading: reading.id)[:limit]

    async def first_id_at(self, received_at: datetime) -> int:
        return max((r.id for r in self.rows if r.received_at < received_at), default=0)


@dataclass(slots=True)
class FakeUsers:
    rows: dict[UUID, User] = field(default_factory=dict)

    async def add(self, user: User) -> User:
        if await self.by_name(user.username):
            raise ConflictError(f"the name {user.username} is taken")
        self.rows[user.id] = user
        return user

    async def save_password(self, user_id: UUID, password_hash: str) -> None:
        self.rows[user_id] = replace(self.rows[user_id], password_hash=password_hash)

    async def by_name(self, username: str) -> User | None:
        return next((user for user in self.rows.values() if user.username == username), None)

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        return {user_id: self.rows[user_id] for user_id in ids if user_id in self.rows}

    async def count(self) -> int:
        return len(self.rows)


@dataclass(slots=True)
class FakeDeadLetters:
    rows: list[DeadLetter] = field(default_factory=list)

    async def by_id(self, letter_id: int) -> DeadLetter | None:
        return next((letter for letter in self.rows if letter.id == letter_id), None)

    async def page(
        self,
        page: PageRequest,
        *,
        topic_contains: str | None = None,
        start: datetime | None = None,
    ) -> Page[DeadLetter]:
        found = [
            letter
            for letter in self.rows
            if (topic_contains or "") in letter.topic
            and (start is None or letter.received_at >= start)
        ]
        return paged(found, lambda letter: (letter.id,), page, descending=True)

    async def trim(self, keep: int) -> int:
        gone = max(0, len(self.rows) - keep)
        del self.rows[:gone]
        return gone


@dataclass(slots=True)
class FakeStorage:
    """A database in memory; `available = False` takes it away, `queries` counts who was asked."""

    devices: FakeDevices = field(default_factory=FakeDevices)
    sensors: FakeSensors = field(default_factory=FakeSensors)
    readings: FakeReadings = field(default_factory=FakeReadings)
    actuators: FakeActuators = field(default_factory=FakeActuators)
    commands: FakeCommands = field(default_factory=FakeCommands)
    emergency_stops: FakeEmergencyStops = field(default_factory=FakeEmergencyStops)
    users: FakeUsers = field(default_factory=FakeUsers)
    zones: FakeZones = field(default_factory=FakeZones)
    config_syncs: FakeConfigSyncs = field(default_factory=FakeConfigSyncs)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    library_installations: FakeLibraryInstallations = field(
        default_factory=FakeLibraryInstallations
    )
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    system_events: FakeSystemEvents = field(default_factory=FakeSystemEvents)
    available: bool = True
    transactions: int = 0
    queries: Counter[str] = field(default_factory=Counter)

    @property
    def health_history(self) -> FakeHealthHistory:
        return self.devices.history

    def unit_of_work(self) -> "FakeUnitOfWork":
        return FakeUnitOfWork(self)

    def autocommit(self) -> "FakeUnitOfWork":
        return FakeUnitOfWork(self)

    async def check(self) -> None:
        if not self.available:
            raise StorageUnavailableError("the database is away")

    def tables(self) -> list[dict[object, object] | list[object]]:
        """Every container of rows, so that a transaction can be taken back."""
        holders = (
            self.devices.rows,
            self.devices.reports,
            self.devices.history.rows,
            self.sensors.rows,
            self.readings.rows,
            self.actuators.rows,
            self.commands.rows,
            self.emergency_stops.rows,
            self.users.rows,
            self.zones.rows,
            self.config_syncs.rows,
            self.outbox.rows,
            self.library_installations.rows,
            self.library_installations.ready,
            self.dead_letters.rows,
            self.system_events.rows,
        )
        return [*holders]  # type: ignore[list-item]  # only copied and put back, never looked into


@dataclass(slots=True)
class FakeUnitOfWork:
    """One transaction: an exception takes back what was written inside."""

    _storage: FakeStorage
    _before: list[dict[object, object] | list[object]] = field(default_factory=list)

    @property
    def devices(self) -> FakeDevices:
        self._storage.queries["devices"] += 1
        return self._storage.devices

    @property
    def health_history(self) -> FakeHealthHistory:
        self._storage.queries["health_history"] += 1
        return self._storage.health_history

    @property
    def sensors(self) -> FakeSensors:
        self._storage.queries["sensors"] += 1
        return self._storage.sensors

    @property
    def readings(self) -> FakeReadings:
        self._storage.queries["readings"] += 1
        return self._storage.readings

    @property
    def actuators(self) -> FakeActuators:
        self._storage.queries["actuators"] += 1
        return self._storage.actuators

    @property
    def commands(self) -> FakeCommands:
        self._storage.queries["commands"] += 1
        return self._storage.commands

    @property
    def emergency_stops(self) -> FakeEmergencyStops:
        self._storage.queries["emergency_stops"] += 1
        return self._storage.emergency_stops

    @property
    def users(self) -> FakeUsers:
        self._storage.queries["users"] += 1
        return self._storage.users

    @property
    def zones(self) -> FakeZones:
        self._storage.queries["zones"] += 1
        return self._storage.zones

    @property
    def config_syncs(self) -> FakeConfigSyncs:
        self._storage.queries["config_syncs"] += 1
        return self._storage.config_syncs

    @property
    def outbox(self) -> FakeOutbox:
        self._storage.queries["outbox"] += 1
        return self._storage.outbox

    @property
    def library_installations(self) -> FakeLibraryInstallations:
        self._storage.queries["library_installations"] += 1
        return self._storage.library_installations

    @property
    def dead_letters(self) -> FakeDeadLetters:
        self._storage.queries["dead_letters"] += 1
        return self._storage.dead_letters

    @property
    def system_events(self) -> FakeSystemEvents:
        self._storage.queries["system_events"] += 1
        return self._storage.system_events

    async def __aenter__(self) -> Self:
        await self._storage.check()
        self._storage.transactions += 1
        self._before = [table.copy() for table in self._storage.tables()]
        return self

    async def __aexit__(self, *exc: object) -> None:
        if exc[0] is None:
            return
        for table, before in zip(self._storage.tables(), self._before, strict=True):
            table.clear()
            if isinstance(table, dict) and isinstance(before, dict):
                table.update(before)
            elif isinstance(table, list):
                table.extend(before)


@dataclass(slots=True)
class FakeReadingWriter:
    """Stores into a `FakeStorage`; `failures` are raised one by one before it works."""

    storage: FakeStorage = field(default_factory=FakeStorage)
    failures: list[DomainError] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    async def write(
        self, readings: Sequence[NewReading], dead_letters: Sequence[DeadLetter]
    ) -> Sequence[Reading]:
        await self.storage.check()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(readings))
        letters = self.storage.dead_letters.rows
        letters.extend(
            replace(letter, id=len(letters) + 1 + n) for n, letter in enumerate(dead_letters)
        )
        return [stored for new in readings if (stored := self._store(new))]

    def _store(self, new: NewReading) -> Reading | None:
        sample = new.sample
        measured_at = sample.measured_at or sample.received_at
        identity = (new.sensor.id, measured_at, sample.sequence)
        rows = self.storage.readings.rows
        if any((r.sensor.id, r.measured_at, r.sequence) == identity for r in rows):
            return None
        last = max((reading.id for reading in rows), default=0)
        reading = Reading(
            id=max(last + 1, microseconds(sample.received_at)),
            sensor=new.sensor,
            measured_at=measured_at,
            received_at=sample.received_at,
            raw_value=sample.raw_value,
            measurement=new.measurement,
            sequence=sample.sequence,
        )
        rows.append(reading)
        return reading
