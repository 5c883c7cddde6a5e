"""Keeps the history of devices' health small: carries out what `domain.health_history` decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.errors import StorageUnavailableError
from domain.health_history import KEPT_WHOLE, superfluous
from domain.ports import Clock
from domain.repositories import Storage
from domain.services.registry import Registry

EVERY = timedelta(hours=6)
"""How often all histories are gone through."""

BATCH = 1000
"""Reports that are looked at in one go: what is deleted with them is never a long transaction."""

PAUSE = timedelta(milliseconds=100)
"""Rest between two goes: readings and commands need the database more."""


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def info(self, event: str, **fields: object) -> object:
        """Note something that is as it should be."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True, kw_only=True)
class ThinHealthHistory:
    """Deletes, device by device, the reports that are not worth keeping any more."""

    storage: Storage
    registry: Registry
    clock: Clock
    journal: Journal

    async def run(self) -> None:
        """Go through all histories now and then until cancelled."""
        while True:
            try:
                deleted = await self.thin(self.clock.now())
            except StorageUnavailableError as error:
                self.journal.warning("health_history.not_thinned", error=str(error))
            else:
                self.journal.info("health_history.thinned", deleted=deleted)
            await self.clock.sleep(EVERY.total_seconds())

    async def thin(self, now: datetime) -> int:
        """Go through all histories once.

        Returns:
            How many reports were deleted.

        Raises:
            StorageUnavailableError: What was deleted so far is gone; the next time does the rest.
        """
        return sum([await self._thin(device.esp_id, now) for device in self.registry.devices()])

    async def _thin(self, esp_id: str, now: datetime) -> int:
        deleted, start, more = 0, None, True
        while more:
            async with self.storage.autocommit() as work:
                history = work.health_history
                times = await history.times(esp_id, start=start, end=now - KEPT_WHOLE, limit=BATCH)
                gone = superfluous(times, now)
                if gone:
                    await history.delete(esp_id, gone)
            deleted += len(gone)
            # The next piece begins with a report that was kept, and so knows what fills its slot.
            start = max(set(times) - set(gone), default=start)
            more = len(times) == BATCH
            await self.clock.sleep(PAUSE.total_seconds())
        return deleted
