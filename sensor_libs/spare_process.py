"""A process that waits for a library file with everything imported.

Starting Python takes a tenth of a second on a fast machine, and a batch has half a second. So where
a process hangs or dies, and where a file changes, another one is there already, and what was asked
behind the call that did it is still answered in time.
"""

import asyncio
from contextlib import suppress

from sensor_libs.worker_process import WorkerProcess


class SpareProcess:
    """Keeps one process waiting, from the first time that one is taken."""

    def __init__(self) -> None:
        self._waiting: WorkerProcess | None = None
        self._taken = asyncio.Event()

    async def take(self) -> WorkerProcess:
        """Return the process that waits, or start one.

        Raises:
            OSError: There is no room for another.
        """
        process, self._waiting = self._waiting, None
        self._taken.set()
        if process is None:
            return await WorkerProcess.start()
        if process.ended.is_set():
            await process.dismiss()
            return await WorkerProcess.start()
        return process

    async def live(self) -> None:
        """Have another one wait whenever one is taken, until cancelled."""
        try:
            while True:
                await self._taken.wait()
                self._taken.clear()
                with suppress(OSError):  # without a spare one everything goes on, only slower
                    self._waiting = await WorkerProcess.start()
        finally:
            if self._waiting is not None:
                await self._waiting.dismiss()
