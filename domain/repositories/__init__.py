"""What the domain needs of the database, as protocols: one repository per noun, opened together."""

from typing import Protocol, Self

from domain.repositories.actuators import Actuators, Commands
from domain.repositories.calibrations import CalibrationProcedures, Calibrations
from domain.repositories.configs import ConfigSyncs, Outbox
from domain.repositories.dead_letters import DeadLetters
from domain.repositories.devices import Devices, HealthHistory
from domain.repositories.emergency_stops import EmergencyStops
from domain.repositories.leases import Leases
from domain.repositories.library_installations import LibraryInstallations
from domain.repositories.past import PastReadings
from domain.repositories.readings import NewReading, Readings, ReadingWriter
from domain.repositories.recomputations import History, Recomputations
from domain.repositories.relays import Relays
from domain.repositories.rules import RuleExecutions, Rules
from domain.repositories.safeguards import StoredSafeguards
from domain.repositories.sensors import Sensors
from domain.repositories.series import Series
from domain.repositories.system_events import SystemEvents
from domain.repositories.users import Users
from domain.repositories.zones import Zones

__all__ = [
    "Actuators",
    "CalibrationProcedures",
    "Calibrations",
    "Commands",
    "ConfigSyncs",
    "DeadLetters",
    "Devices",
    "EmergencyStops",
    "HealthHistory",
    "History",
    "Leases",
    "LibraryInstallations",
    "NewReading",
    "Outbox",
    "PastReadings",
    "ReadingWriter",
    "Readings",
    "Recomputations",
    "Relays",
    "RuleExecutions",
    "Rules",
    "Sensors",
    "Series",
    "Storage",
    "StoredSafeguards",
    "SystemEvents",
    "UnitOfWork",
    "Users",
    "Zones",
]


class UnitOfWork(Protocol):
    """One transaction; leaving it without an exception commits.

    Every call inside may raise `StorageUnavailableError`.
    """

    @property
    def devices(self) -> Devices:
        """The devices inside this transaction."""
        ...

    @property
    def relays(self) -> Relays:
        """The relays inside this transaction."""
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
    def calibrations(self) -> Calibrations:
        """The calibrations of sensors inside this transaction."""
        ...

    @property
    def calibration_procedures(self) -> CalibrationProcedures:
        """The guided calibrations inside this transaction."""
        ...

    @property
    def recomputations(self) -> Recomputations:
        """The recomputations of sensors' histories inside this transaction."""
        ...

    @property
    def history(self) -> History:
        """The readings that are converted again, inside this transaction."""
        ...

    @property
    def series(self) -> Series:
        """The readings over time inside this transaction."""
        ...

    @property
    def actuators(self) -> Actuators:
        """The actuators inside this transaction."""
        ...

    @property
    def safeguards(self) -> StoredSafeguards:
        """What is declared of actuators, inside this transaction."""
        ...

    @property
    def commands(self) -> Commands:
        """The commands inside this transaction."""
        ...

    @property
    def leases(self) -> Leases:
        """The leases of actuators inside this transaction."""
        ...

    @property
    def rules(self) -> Rules:
        """The rules inside this transaction."""
        ...

    @property
    def rule_executions(self) -> RuleExecutions:
        """What rules did, inside this transaction."""
        ...

    @property
    def emergency_stops(self) -> EmergencyStops:
        """The emergency stops inside this transaction."""
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
    def library_installations(self) -> LibraryInstallations:
        """The installations of libraries inside this transaction."""
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
