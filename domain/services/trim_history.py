"""Keeps the history of actuators within its limits: what `domain.runtimes` says is kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import StorageUnavailableError
from domain.ports import Clock
from domain.repositories import Storage, UnitOfWork
from domain.runtimes import CHANGES_KEPT_FOR, COMMANDS_KEPT, COMMANDS_KEPT_FOR, RUNS_KEPT_FOR
from domain.services.thin_health import Journal

EVERY = timedelta(hours=6)
"""How often it is looked for what is too old."""

BATCH = 1000
"""Rows that are deleted in one go: it is never a long transaction."""

PAUSE = timedelta(milliseconds=100)
"""Rest between two goes: readings and commands need the database more."""


@dataclass(slots=True, kw_only=True)
class TrimHistory:
    """Deletes commands, runs and changes of state that nobody needs any more."""

    storage: Storage
    clock: Clock
    journal: Journal

    async def run(self) -> None:
        """Trim now and then until cancelled."""
        while True:
            try:
                deleted = await self.trim()
            except StorageUnavailableError as error:
                self.journal.warning("actuator_history.not_trimmed", error=str(error))
            else:
                self.journal.info("actuator_history.trimmed", deleted=deleted)
            await self.clock.sleep(EVERY.total_seconds())

    async def trim(self) -> int:
        """Delete all that is too old.

        Returns:
            How many rows were deleted.

        Raises:
            StorageUnavailableError: What was deleted so far is gone; the next time does the rest.
        """
        now = self.clock.now()
        commands = await self._in_batches(
            lambda work: work.commands.trim(COMMANDS_KEPT, now - COMMANDS_KEPT_FOR, BATCH)
        )
        runs = await self._in_batches(
            lambda work: work.leases.trim_runs(now - RUNS_KEPT_FOR, BATCH)
        )
        changes = await self._in_batches(
            lambda work: work.actuators.trim_changes(now - CHANGES_KEPT_FOR, BATCH)
        )
        return commands + runs + changes

    async def _in_batches(self, trim: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        deleted, last = 0, BATCH
        while last == BATCH:
            async with self.storage.autocommit() as work:
                last = await trim(work)
            deleted += last
            await self.clock.sleep(PAUSE.total_seconds())
        return deleted
