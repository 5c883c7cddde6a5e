"""A server that ends, as by a power cut, in the moment that it is told; and two that are wrong.

`python -m tests.e2e.dying_server FATE [MISTAKE]`: FATE is a file with a `Window` and how often that
is passed first; it is read at the start and at SIGUSR1. What the tests of rules are measured
against is a MISTAKE: where such a server does everything exactly once, they prove nothing.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from typing_extensions import override

from app.ground import Addresses
from app.process import Job
from app.serve import serve
from app.settings import load_settings
from app.wiring import Server, Told
from domain.emergency_stops import EmergencyStop
from domain.rule_executions import Remembered, RuleExecution
from domain.sensors import SensorKey
from domain.services.automate import Automate
from domain.services.carry_out import CarryOut
from domain.services.emergency import Emergency


class Window(StrEnum):
    """Between what and what it ends."""

    JUDGING = "JUDGING"
    """A reading is stored, and no rule has looked at it."""
    STORING = "STORING"
    """A rule has decided, and nothing of that is stored."""
    ACTING = "ACTING"
    """An execution is stored, and nothing of it is done."""
    NOTING = "NOTING"
    """Something was done, and that is not noted."""
    STOPPING = "STOPPING"
    """An emergency stop is stored, and nobody is told."""


class Mistake(StrEnum):
    """What a server does wrong."""

    FORGETS = "FORGETS"
    """Stores an execution, but what the rule remembers only later, on its own."""
    LOOKS_ONLY_AHEAD = "LOOKS_ONLY_AHEAD"
    """Begins with the newest reading, whatever was stored and not judged before."""


class Fate:
    """Knows when the end is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._window, self._passes = "", 0
        self.read()

    def read(self) -> None:
        """Take in what was decided, if anything was."""
        if self._file.exists():
            self._window, passes = self._file.read_text().split()
            self._passes = int(passes)

    def passes(self, window: Window) -> None:
        """Pass a window, or not."""
        if window != self._window:
            return
        if self._passes == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._passes -= 1


def doom(automate: Automate, fate: Fate, mistake: str) -> None:
    """Make rules that work mortal."""

    class DyingAutomate(Automate):
        __slots__ = ()

        @override
        def read(self, key: SensorKey) -> None:
            fate.passes(Window.JUDGING)
            Automate.read(self, key)

        @override
        async def _catch_up(self) -> None:
            if mistake != Mistake.LOOKS_ONLY_AHEAD:
                await Automate._catch_up(self)

    class DyingCarryOut(CarryOut):
        __slots__ = ()

        @override
        async def store(self, execution: RuleExecution, remembered: Remembered) -> None:
            fate.passes(Window.STORING)
            if mistake == Mistake.FORGETS:
                async with self.storage.autocommit() as work:
                    await work.rule_executions.add(execution)
            else:
                await CarryOut.store(self, execution, remembered)
            fate.passes(Window.ACTING)

        @override
        async def save(self, execution: RuleExecution) -> None:
            fate.passes(Window.NOTING)
            await CarryOut.save(self, execution)

    # The server is wired as it always is; only what these two do is another thing.
    automate.__class__ = DyingAutomate
    automate.carry_out.__class__ = DyingCarryOut


def doom_stops(emergency: Emergency, fate: Fate) -> None:
    """Let it end before a stop goes out."""

    class DyingEmergency(Emergency):
        __slots__ = ()

        @override
        def _send(self, stop: EmergencyStop) -> None:
            fate.passes(Window.STOPPING)
            Emergency._send(self, stop)

    emergency.__class__ = DyingEmergency


async def run(file: Path, mistake: str) -> None:
    """Serve until the end."""
    fate = Fate(file)
    signal.signal(signal.SIGUSR1, lambda *_: fate.read())

    def further_jobs(server: Server, _at: Addresses) -> Mapping[str, Job]:
        doom(server.services.manage_rules.automate, fate, mistake)
        doom_stops(server.services.emergency, fate)
        return {}

    told = Told(password=lambda _password: None)
    await serve(load_settings(os.environ), told, further_jobs=further_jobs)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), "".join(sys.argv[2:])))
