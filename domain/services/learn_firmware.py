"""What each device was flashed with: learned from the way it writes, and kept.

Devices keep their firmware for months, and none of them names it; but what may be said to them, and
how, depends on it. So every message that tells something is judged where it comes in, in memory and
at once: what is sent next already takes the form that the device understands.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from domain.devices import FirmwareEvidence
from domain.repositories import Storage
from domain.services.guard import Guard
from domain.services.registry import Registry


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def info(self, event: str, **fields: object) -> object:
        """Note something that is as it should be."""
        ...


@dataclass(slots=True, kw_only=True)
class LearnFirmware:
    """Keeps the firmware generation of every known device, in the registry and in the database."""

    storage: Storage
    registry: Registry
    guard: Guard
    journal: Journal
    _unstored: set[str] = field(default_factory=set, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __call__(self, esp_id: str, told: FirmwareEvidence) -> None:
        """Take in what a live message tells of the firmware that wrote it; returns at once.

        A device that is not known yet is passed over: its next message tells the same.
        """
        device = self.registry.device(esp_id)
        if device is None:
            return
        before = device.firmware_generation
        now = told.judge(before)
        if now is before:
            return
        self.registry.change_device(esp_id, firmware_generation=now)
        self.journal.info(
            "device.firmware_learned", esp_id=esp_id, before=before.value, now=now.value
        )
        self._unstored.add(esp_id)
        self._changed.set()

    async def run(self) -> None:
        """Store what was learned until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.guard.insist(self._store)

    async def _store(self) -> None:
        learned, self._unstored = self._unstored, set()
        try:
            async with self.storage.unit_of_work() as work:
                for device in filter(None, map(self.registry.device, sorted(learned))):
                    await work.devices.save_presence(device)
        except BaseException:
            self._unstored |= learned
            raise
