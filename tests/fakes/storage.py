"""A database in memory, one fake repository per noun."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from domain.dead_letters import DeadLetter
from domain.errors import ConflictError, DomainError, StorageUnavailableError
from domain.pages import Page, PageRequest
from domain.repositories import NewReading
from domain.sensors import Reading
from domain.users import User
from tests.fakes.actuators import FakeActuators, FakeCommands, FakeLeases
from tests.fakes.calibrations import FakeCalibrationProcedures, FakeCalibrations
from tests.fakes.configs import FakeConfigSyncs, FakeOutbox, FakeZones
from tests.fakes.devices import FakeDevices
from tests.fakes.emergency_stops import FakeEmergencyStops
from tests.fakes.health_history import FakeHealthHistory
from tests.fakes.libraries import FakeLibraryInstallations
from tests.fakes.paging import microseconds, paged
from tests.fakes.recomputations import FakeHistory, FakeRecomputations
from tests.fakes.relays import FakeRelays
from tests.fakes.rules import FakeRuleExecutions, FakeRules
from tests.fakes.safeguards import FakeSafeguards
from tests.fakes.sensors import FakeReadings, FakeSensors
from tests.fakes.series import FakeSeries
from tests.fakes.system_events import FakeSystemEvents


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
    relays: FakeRelays = field(default_factory=FakeRelays)
    sensors: FakeSensors = field(default_factory=FakeSensors)
    readings: FakeReadings = field(default_factory=FakeReadings)
    actuators: FakeActuators = field(default_factory=FakeActuators)
    commands: FakeCommands = field(default_factory=FakeCommands)
    leases: FakeLeases = field(init=False)
    safeguards: FakeSafeguards = field(init=False)
    emergency_stops: FakeEmergencyStops = field(default_factory=FakeEmergencyStops)
    users: FakeUsers = field(default_factory=FakeUsers)
    zones: FakeZones = field(default_factory=FakeZones)
    config_syncs: FakeConfigSyncs = field(default_factory=FakeConfigSyncs)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    calibrations: FakeCalibrations = field(default_factory=FakeCalibrations)
    calibration_procedures: FakeCalibrationProcedures = field(
        default_factory=FakeCalibrationProcedures
    )
    recomputations: FakeRecomputations = field(default_factory=FakeRecomputations)
    rules: FakeRules = field(default_factory=FakeRules)
    rule_executions: FakeRuleExecutions = field(init=False)
    library_installations: FakeLibraryInstallations = field(
        default_factory=FakeLibraryInstallations
    )
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    system_events: FakeSystemEvents = field(default_factory=FakeSystemEvents)
    available: bool = True
    transactions: int = 0
    queries: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.leases = FakeLeases(self.commands)
        self.safeguards = FakeSafeguards(self.actuators)
        self.rule_executions = FakeRuleExecutions(lambda: self.rules)

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
            self.relays.rows,
            self.sensors.rows,
            self.readings.rows,
            self.actuators.rows,
            self.commands.rows,
            self.leases.rows,
            self.leases.runs,
            self.safeguards.rows,
            self.safeguards.times,
            self.rules.rows,
            self.rules.versions,
            self.rules.remembered,
            self.rule_executions.rows,
            self.emergency_stops.rows,
            self.users.rows,
            self.zones.rows,
            self.config_syncs.rows,
            self.outbox.rows,
            self.calibrations.rows,
            self.calibration_procedures.rows,
            self.recomputations.rows,
            self.recomputations.kept,
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
    def relays(self) -> FakeRelays:
        self._storage.queries["relays"] += 1
        return self._storage.relays

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
    def series(self) -> FakeSeries:
        self._storage.queries["series"] += 1
        return FakeSeries(self._storage.readings.rows)

    @property
    def actuators(self) -> FakeActuators:
        self._storage.queries["actuators"] += 1
        return self._storage.actuators

    @property
    def commands(self) -> FakeCommands:
        self._storage.queries["commands"] += 1
        return self._storage.commands

    @property
    def leases(self) -> FakeLeases:
        self._storage.queries["leases"] += 1
        return self._storage.leases

    @property
    def safeguards(self) -> FakeSafeguards:
        self._storage.queries["safeguards"] += 1
        return self._storage.safeguards

    @property
    def rules(self) -> FakeRules:
        self._storage.queries["rules"] += 1
        return self._storage.rules

    @property
    def rule_executions(self) -> FakeRuleExecutions:
        self._storage.queries["rule_executions"] += 1
        return self._storage.rule_executions

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
    def calibrations(self) -> FakeCalibrations:
        self._storage.queries["calibrations"] += 1
        return self._storage.calibrations

    @property
    def calibration_procedures(self) -> FakeCalibrationProcedures:
        self._storage.queries["calibration_procedures"] += 1
        return self._storage.calibration_procedures

    @property
    def recomputations(self) -> FakeRecomputations:
        self._storage.queries["recomputations"] += 1
        return self._storage.recomputations

    @property
    def history(self) -> FakeHistory:
        self._storage.queries["history"] += 1
        return FakeHistory(self._storage.readings.rows, self._storage.recomputations)

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
