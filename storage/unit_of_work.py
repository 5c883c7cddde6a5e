"""The repositories on one connection, in one transaction or in none."""

from contextlib import AsyncExitStack, suppress
from typing import Self

import asyncpg

from domain.errors import StorageUnavailableError
from storage.actuators import ActuatorRepository
from storage.calibrations import CalibrationProcedureRepository, CalibrationRepository
from storage.client import TransactionClient
from storage.commands import CommandRepository
from storage.config_syncs import ConfigSyncRepository
from storage.dead_letters import DeadLetterRepository
from storage.devices import DeviceRepository
from storage.emergency_stops import EmergencyStopRepository
from storage.errors import translated
from storage.health_history import HealthHistoryRepository
from storage.history import HistoryRepository
from storage.leases import LeaseRepository
from storage.library_installations import LibraryInstallationRepository
from storage.outbox import OutboxRepository
from storage.readings import ReadingRepository
from storage.recomputations import RecomputationRepository
from storage.relays import RelayRepository
from storage.rule_executions import RuleExecutionRepository
from storage.rules import RuleRepository
from storage.safeguards import SafeguardsRepository
from storage.sensors import SensorRepository
from storage.series import SeriesRepository
from storage.system_events import SystemEventRepository
from storage.users import UserRepository
from storage.zones import ZoneRepository


class PostgresUnitOfWork:
    """Implements domain.repositories.UnitOfWork."""

    devices: DeviceRepository
    relays: RelayRepository
    health_history: HealthHistoryRepository
    sensors: SensorRepository
    readings: ReadingRepository
    recomputations: RecomputationRepository
    history: HistoryRepository
    series: SeriesRepository
    calibrations: CalibrationRepository
    calibration_procedures: CalibrationProcedureRepository
    actuators: ActuatorRepository
    safeguards: SafeguardsRepository
    commands: CommandRepository
    leases: LeaseRepository
    rules: RuleRepository
    rule_executions: RuleExecutionRepository
    emergency_stops: EmergencyStopRepository
    users: UserRepository
    zones: ZoneRepository
    config_syncs: ConfigSyncRepository
    outbox: OutboxRepository
    library_installations: LibraryInstallationRepository
    dead_letters: DeadLetterRepository
    system_events: SystemEventRepository

    def __init__(self, pool: asyncpg.Pool, timeout: float, *, atomic: bool = True) -> None:
        """Describe it; nothing happens yet.

        Args:
            pool: Where its connection comes from.
            timeout: Seconds to wait for one when all are busy.
            atomic: Whether all of it is one transaction; else every statement is its own.
        """
        self._atomic = atomic
        self._pool = pool
        self._timeout = timeout
        self._transaction = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            with translated():
                connection = await stack.enter_async_context(
                    self._pool.acquire(timeout=self._timeout)
                )
                if self._atomic:
                    await stack.enter_async_context(connection.transaction())
            self._transaction = stack.pop_all()
        client = TransactionClient(connection)
        self.devices = DeviceRepository(client)
        self.relays = RelayRepository(client)
        self.health_history = HealthHistoryRepository(client)
        self.sensors = SensorRepository(client)
        self.readings = ReadingRepository(client)
        self.recomputations = RecomputationRepository(client)
        self.history = HistoryRepository(client)
        self.series = SeriesRepository(client)
        self.calibrations = CalibrationRepository(client)
        self.calibration_procedures = CalibrationProcedureRepository(client)
        self.actuators = ActuatorRepository(client)
        self.safeguards = SafeguardsRepository(client)
        self.commands = CommandRepository(client)
        self.leases = LeaseRepository(client)
        self.rules = RuleRepository(client)
        self.rule_executions = RuleExecutionRepository(client)
        self.emergency_stops = EmergencyStopRepository(client)
        self.users = UserRepository(client)
        self.zones = ZoneRepository(client)
        self.config_syncs = ConfigSyncRepository(client)
        self.outbox = OutboxRepository(client)
        self.library_installations = LibraryInstallationRepository(client)
        self.dead_letters = DeadLetterRepository(client)
        self.system_events = SystemEventRepository(client)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if exc[0] is None:
            with translated():
                await self._transaction.aclose()
            return
        # The error on its way out says more than a connection that cannot roll back either.
        with suppress(StorageUnavailableError), translated():
            await self._transaction.__aexit__(*exc)  # type: ignore[arg-type]  # the usual three
