"""Takes changed library files into use while the server runs, and tells what became of each.

Files are looked at twice a second instead of being watched by the kernel: a dozen `stat` cost less
than a tenth of a millisecond in a thread, it works on every file system, network ones included, and
it needs no library. A file counts as changed when two looks agree: editors write in several steps.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from domain.ports import Clock
from domain.sensor_libraries import FileChange, SensorLibrary
from domain.services.report_libraries import ReportLibraries

LOOK_EVERY = 0.5
"""Seconds between two looks at the files."""


class Shelf(Protocol):
    """The library files and what is in use of them."""

    def tended(self) -> AbstractAsyncContextManager[None]:
        """Keep everything alive that libraries need while the block runs."""
        ...

    async def signature(self) -> object:
        """Return something that is another whenever a file changed."""
        ...

    async def reload(self, *, again: bool = False) -> Sequence[FileChange]:
        """Load what changed; `again`: also what is broken or failing."""
        ...

    def libraries(self) -> Sequence[SensorLibrary]:
        """Return all libraries, and the files that offer none."""
        ...


@dataclass(slots=True, kw_only=True)
class ReloadLibraries:
    """Keeps the libraries in use as their files are.

    Attributes:
        loaded: Set once all files were tried for the first time.
    """

    shelf: Shelf
    reports: ReportLibraries
    clock: Clock
    loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> Sequence[SensorLibrary]:
        """Load what changed, and try again what is broken or failing; return all libraries."""
        for change in await self.shelf.reload(again=True):
            self.reports.changed(change)
        return self.shelf.libraries()

    def libraries(self) -> Sequence[SensorLibrary]:
        """Return all libraries, and the files that offer none."""
        return self.shelf.libraries()

    async def run(self) -> None:
        """Load all files, and then whatever changes, until cancelled."""
        async with self.shelf.tended():
            seen = loaded = await self.shelf.signature()
            for change in await self.shelf.reload():
                # That a library is there is news only when it was not a moment ago.
                if change.fault is not None:
                    self.reports.changed(change)
            self.loaded.set()
            while True:
                await self.clock.sleep(LOOK_EVERY)
                now = await self.shelf.signature()
                if now == seen and now != loaded:
                    loaded = now
                    for change in await self.shelf.reload():
                        self.reports.changed(change)
                seen = now
