"""Rehearsals of rules, put together: what is stored is lived through in a process of its own.

Neither the event loop nor its interpreter is ever busy with it. Such a process has the lowest
priority and a limit of memory; it ends when nobody waits for it any more, also by the server's own
end, whatever that is.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from signal import Signals

from uuid_utils.compat import uuid7

from app.ground import Ground
from app.rehearsal_worker import LENGTH, Job
from domain.errors import DomainError, OverloadedError
from domain.rules.replay import Backtest
from domain.services.rehearse import Rehearse
from domain.services.relive import Progress, Rehearsal
from sensor_libs.limits import LibraryLimits

SILENCE = 120.0
"""Seconds without any progress after which a rehearsal is given up."""

_LEAVES_WITHIN = 2.0
"""Seconds for which a process that says no more is waited for, to learn why."""

_PROJECT = Path(__file__).parents[1]


def rehearsing(ground: Ground, limits: LibraryLimits) -> Rehearse:
    """Make the service that rehearses rules.

    Args:
        ground: What it stands on.
        limits: Knows in which unit a sensor type is measured.
    """
    return Rehearse(
        relive=ReliveElsewhere(ground.addresses.database),
        registry=ground.registry,
        clock=ground.clock,
        new_id=uuid7,
        measured_in=partial(ground.world.unit, unit_of=limits.unit),
    )


class ReliveElsewhere:
    """Implements domain.services.relive.Relive: each call is a process, from its start to its end.

    What the process says is unpacked in a thread: a thousand explanations take a while.
    """

    def __init__(self, database: str, silence: float = SILENCE) -> None:
        """Describe it; nothing happens yet.

        Args:
            database: URL of the database.
            silence: Seconds without any progress after which it is given up.
        """
        self._database = database
        self._silence = silence

    async def __call__(self, rehearsal: Rehearsal, progress: Progress) -> Sequence[Backtest]:
        """Live through the past; a process that dies is a rehearsal that failed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-s", "-m", "app.rehearsal_worker",
            cwd=_PROJECT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return await self._follow(process, Job(self._database, rehearsal), progress)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _follow(self, process: Process, job: Job, progress: Progress) -> Sequence[Backtest]:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process was started without its pipes")
        try:
            async with asyncio.timeout(self._silence):
                # Its end of the pipe stays open: when it closes, the process knows we are gone.
                process.stdin.write(pickle.dumps(job))
                await process.stdin.drain()
            while True:
                async with asyncio.timeout(self._silence):
                    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                    frame = await process.stdout.readexactly(length)
                said = await asyncio.to_thread(pickle.loads, frame)
                if isinstance(said, DomainError):
                    raise said
                if not isinstance(said, float):
                    found: Sequence[Backtest] = said
                    return found
                progress(said)
        except TimeoutError:
            raise OverloadedError(f"it made no progress for {self._silence:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise OverloadedError(f"its process ended: {await _end_of(process)}") from None


async def _end_of(process: Process) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LEAVES_WITHIN):
            code = await process.wait()
            return f"exit code {code}" if code >= 0 else Signals(-code).name
    return "it closed its output"
