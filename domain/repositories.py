"""What the domain needs of the database, as protocols: one repository per noun, opened together."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, Self
from uuid import UUID

from domain.actuators import Actuator, ActuatorState, Command, Pin
from domain.config_repositories import ConfigSyncs, Outbox, Zones
from domain.dead_letters import DeadLetter
from domain.devices import Device, DeviceHealth, DeviceStatus
from domain.pages import Page, PageRequest
from domain.sensors import Measurement, Reading, Sample, Sensor, SensorKey
from domain.system_events import Severity, SystemEvent
from domain.users import User


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
    ) -> Page[Device]:
        """Return devices by name.

        Args:
            page: Which part of the list.
            statuses: Only devices with one of these; None: with any.
            search: Only devices with this text in esp_id or name.
            zone_id: Only devices of this zone; None: of any, or of none.
        """
        ...

    async def count(
        self,
        *,
        statuses: Collection[DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
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


class Sensors(Protocol):
    """Stored sensors."""

    async def add(self, sensors: Sequence[Sensor]) -> Sequence[Sensor]:
        """Store new sensors (their id is ignored) and return all of them as stored.

        A sensor whose key is known already comes back as it was stored before. Their devices
        must be stored.
        """
        ...

    async def by_key(self, key: SensorKey) -> Sensor | None:
        """Return one sensor."""
        ...

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Sensor]]:
        """Return the sensors of several devices, by device, in order of pin and type."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> Page[Sensor]:
        """Return sensors in order of device, pin, type and address."""
        ...

    async def count(
        self,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> int:
        """Return how many sensors the same selection holds."""
        ...

    async def save(self, sensor: Sensor) -> None:
        """Store every configured field of a known sensor."""
        ...

    async def remove(self, sensor_id: int) -> None:
        """Forget a sensor; its readings can no longer be asked for."""
        ...

    async def all(self) -> Sequence[Sensor]:
        """Return every sensor, for the registry."""
        ...


class Readings(Protocol):
    """Stored readings, for those who ask; `ReadingWriter` stores them."""

    async def latest(self, sensor_ids: Sequence[int]) -> Mapping[int, Reading]:
        """Return the newest reading of each sensor by time measured; one without any is absent."""
        ...

    async def by_key(
        self, sensor_id: int, measured_at: datetime, reading_id: int
    ) -> Reading | None:
        """Return one reading; the time says in which month it lies."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        sensor_ids: Sequence[int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Reading]:
        """Return readings, newest first; `start` included, `end` excluded; None: every sensor."""
        ...

    async def since(self, reading_id: int, limit: int) -> Sequence[Reading]:
        """Return what was committed after a reading, in order of id."""
        ...

    async def first_id_at(self, received_at: datetime) -> int:
        """Return the id before the first reading received at or after a time; 0: before all."""
        ...


class Actuators(Protocol):
    """Stored actuators with their reported state."""

    async def add(self, actuator: Actuator) -> Actuator:
        """Store a new actuator (its id is ignored); where the pin is known, return the stored."""
        ...

    async def save(self, actuator: Actuator) -> None:
        """Store every configured field of a known actuator; its state is left alone."""
        ...

    async def save_state(self, actuator_id: int, state: ActuatorState) -> None:
        """Store what the device reported."""
        ...

    async def by_pin(self, pin: Pin) -> Actuator | None:
        """Return one actuator."""
        ...

    async def by_ids(self, ids: Sequence[int]) -> Mapping[int, Actuator]:
        """Return several actuators; unknown ids are absent."""
        ...

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Actuator]]:
        """Return the actuators of several devices, by device, in order of pin."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        actuator_type: str | None = None,
    ) -> Page[Actuator]:
        """Return actuators in order of device and pin."""
        ...

    async def count(self, *, esp_id: str | None = None, actuator_type: str | None = None) -> int:
        """Return how many actuators the same selection holds."""
        ...

    async def remove(self, actuator_id: int) -> None:
        """Forget an actuator and its commands."""
        ...

    async def all(self) -> Sequence[Actuator]:
        """Return every actuator, for the registry."""
        ...


class Commands(Protocol):
    """Stored commands."""

    async def add(self, command: Command) -> Command:
        """Store a new command; a known idempotency key returns the command stored under it."""
        ...

    async def save(self, command: Command) -> None:
        """Store how far a command has come (status, reason, sent_at, completed_at)."""
        ...

    async def by_id(self, command_id: UUID) -> Command | None:
        """Return one command."""
        ...

    async def of_actuator(self, actuator_id: int, page: PageRequest) -> Page[Command]:
        """Return the commands of an actuator, newest first."""
        ...

    async def unfinished(self) -> Sequence[Command]:
        """Return the commands that are PENDING or SENT, oldest first."""
        ...


class Users(Protocol):
    """Stored accounts."""

    async def add(self, user: User) -> User:
        """Store a new account.

        Raises:
            ConflictError: The name is taken.
        """
        ...

    async def save_password(self, user_id: UUID, password_hash: str) -> None:
        """Store a new password hash."""
        ...

    async def by_name(self, username: str) -> User | None:
        """Return one account."""
        ...

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        """Return several accounts; unknown ids are absent."""
        ...

    async def count(self) -> int:
        """Return how many accounts there are."""
        ...


class DeadLetters(Protocol):
    """Stored messages that could not be read; `ReadingWriter` stores them."""

    async def by_id(self, letter_id: int) -> DeadLetter | None:
        """Return one dead letter."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        topic_contains: str | None = None,
        start: datetime | None = None,
    ) -> Page[DeadLetter]:
        """Return dead letters, newest first."""
        ...

    async def trim(self, keep: int) -> int:
        """Delete all but the newest `keep`; return how many went."""
        ...


class SystemEvents(Protocol):
    """Stored system events."""

    async def add(self, events: Sequence[SystemEvent]) -> None:
        """Store new events; known ids are left as they are, so that it may be repeated."""
        ...

    async def save_occurrences(self, event_id: UUID, occurrences: int) -> None:
        """Store how often a known event happened by now."""
        ...

    async def by_id(self, event_id: UUID) -> SystemEvent | None:
        """Return one event."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        severities: Collection[Severity] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[SystemEvent]:
        """Return events, newest first; `start` included, `end` excluded; None: any severity."""
        ...

    async def since(
        self, event_id: UUID, limit: int, *, severities: Collection[Severity] | None = None
    ) -> Sequence[SystemEvent]:
        """Return what was stored after an event, known or not, in order of id."""
        ...

    async def trim(self, keep: int, before: datetime) -> int:
        """Delete all but the newest `keep`, and what is older; return how many went."""
        ...


class UnitOfWork(Protocol):
    """One transaction; leaving it without an exception commits.

    Every call inside may raise `StorageUnavailableError`.
    """

    @property
    def devices(self) -> Devices:
        """The devices inside this transaction."""
        ...

    @property
    def health_history(self) -> HealthHistory:
        """The earlier health of devices inside this transaction."""
        ...

    @property
    def sensors(self) -> Sensors:
        """The sensors inside this transaction."""
        ...

    @property
    def readings(self) -> Readings:
        """The readings inside this transaction."""
        ...

    @property
    def actuators(self) -> Actuators:
        """The actuators inside this transaction."""
        ...

    @property
    def commands(self) -> Commands:
        """The commands inside this transaction."""
        ...

    @property
    def users(self) -> Users:
        """The accounts inside this transaction."""
        ...

    @property
    def zones(self) -> Zones:
        """The zones inside this transaction."""
        ...

    @property
    def config_syncs(self) -> ConfigSyncs:
        """How devices stand inside this transaction."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What must arrive, inside this transaction."""
        ...

    @property
    def dead_letters(self) -> DeadLetters:
        """The dead letters inside this transaction."""
        ...

    @property
    def system_events(self) -> SystemEvents:
        """The system events inside this transaction."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...


class Storage(Protocol):
    """The database: opens transactions, and says whether it is there."""

    def unit_of_work(self) -> UnitOfWork:
        """Open a transaction."""
        ...

    def autocommit(self) -> UnitOfWork:
        """Open the same repositories without a transaction: each call commits by itself.

        For reading, and for a single change: it saves two round trips. Only calls that are one
        statement are allowed to change anything here (`Commands.add`, `SystemEvents.add`, every
        `save...`, every `trim`).
        """
        ...

    async def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StorageUnavailableError: There is none.
        """
        ...


class NewReading(NamedTuple):
    """A converted sample on its way into the store."""

    sensor: Sensor
    sample: Sample
    measurement: Measurement


class ReadingWriter(Protocol):
    """The fast way in, made for volume: one transaction for all that has gathered."""

    async def write(
        self, readings: Sequence[NewReading], dead_letters: Sequence[DeadLetter]
    ) -> Sequence[Reading]:
        """Store a batch; return only after COMMIT, with the readings that were really new.

        A reading is known already when its sensor, time measured and sequence are; where the
        device's clock is unknown, when sensor, ticks, sequence and raw value are those of one
        received within the last minutes (device protocol, section 7, decision 12).

        Raises:
            StorageUnavailableError: Nothing may have been stored; the same call may be repeated.
            StorageRejectedError: Nothing was stored, and the same batch never can be.
        """
        ...
