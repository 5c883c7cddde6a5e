"""The script at the root, started as a person starts it: from anywhere, in a group of its own."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tests.e2e.server import ROOT, START_DEADLINE
from tests.eventually import eventually

END_DEADLINE = 2.0
"""Seconds from Ctrl-C to the end of everything."""


class Outcome(NamedTuple):
    code: int
    said: str
    complained: str


async def run(
    *words: str, settings: Mapping[str, str] | None = None, typed: str = "", cwd: Path = Path("/")
) -> Outcome:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        ROOT / "kaiser",
        *words,
        cwd=cwd,
        env=environment(settings or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(START_DEADLINE):
        said, complained = await process.communicate(typed.encode())
    assert process.returncode is not None
    return Outcome(process.returncode, said.decode(), complained.decode())


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return ours with no settings but the given ones."""
    ours = {name: value for name, value in os.environ.items() if "KAISER_" not in name}
    return {**ours, **settings}


class Foreground:
    """A command that runs until Ctrl-C."""

    def __init__(self, log: Path, *words: str, settings: Mapping[str, str]) -> None:
        self._log = log
        self._words = words
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                ROOT / "kaiser",
                *self._words,
                cwd="/",
                env=environment(self._settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self.running:
            await self.kill()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def said(self) -> str:
        return self._log.read_text()

    async def until_said(self, text: str) -> None:
        """Wait until it prints something; fail at once when it ends without."""

        def has_said() -> bool:
            assert self.running or text in self.said, self.said
            return text in self.said

        await eventually(has_said, within=START_DEADLINE, what=f"it says {text!r}")

    async def interrupt(self) -> int:
        """Press Ctrl-C: the whole foreground group hears it; return the exit code."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)
        async with asyncio.timeout(END_DEADLINE):
            return await self._process.wait()

    async def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()


def running_in(directory: Path) -> Sequence[str]:
    """Return the command lines of all processes that know or work in a directory."""
    return [
        f"{process.name}: {_read(process / 'cmdline')}"
        for process in Path("/proc").iterdir()
        if process.name.isdecimal()
        and any(str(directory) in _read(process / name) for name in ("cmdline", "environ", "cwd"))
    ]


def _read(path: Path) -> str:
    """Return what is told about a process; nothing when it is gone or a zombie."""
    try:
        if path.name == "cwd":
            return str(path.readlink())
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
