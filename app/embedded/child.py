"""One child process: started as the right user, tied to our life, logged, and ended in order."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.embedded.account import Account
from app.embedded.lock import DirectoryLock

_LAUNCH = Path(__file__).with_name("launch.py")
_POLL = 0.02  # seconds


class ChildLog:
    """What a child printed, in a file that does not grow for ever."""

    def __init__(self, path: Path, limit: int = 4 * 2**20) -> None:
        self.path = path
        self._limit = limit
        self._opened_at = 0

    def open(self) -> int:
        """Return a file descriptor to print to; it appends, so that `trim` may shorten it."""
        self.trim()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._opened_at = os.fstat(descriptor).st_size
        return descriptor

    def trim(self) -> None:
        """Keep the last of a log over its limit beside it, and begin again."""
        if self.path.exists() and self.path.stat().st_size > self._limit:
            with suppress(OSError):  # a full disk: then the copy is what we do without
                self.path.with_suffix(".log.1").write_bytes(self._end(self._limit))
            os.truncate(self.path, 0)
            self._opened_at = 0

    def last_words(self) -> str:
        """Return the line of the newest child that most likely says why it ended; may be empty."""
        size = self.path.stat().st_size if self.path.exists() else 0
        text = self._end(min(4096, size - self._opened_at)).decode(errors="replace")
        lines = [line.strip() for line in text.splitlines()]
        telling = [line for line in lines if "FATAL" in line or "rror" in line]
        return next(reversed(telling or [line for line in lines if line]), "")

    def _end(self, size: int) -> bytes:
        if not self.path.exists():
            return b""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - size))
            return file.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start a child.

    Attributes:
        program: Path and arguments.
        account: Whom to run as.
        directory: Where to run.
        stop_signals: What to end it with, from polite to sure, and how many seconds each gets.
            The first is also what the kernel sends when we end.
        drops_root_itself: The program calls `launch.tie` on its own, with the four numbers that
            come as its first arguments.
    """

    program: Sequence[str]
    account: Account
    directory: Path
    stop_signals: Sequence[tuple[signal.Signals, float]] = (
        (signal.SIGTERM, 5.0),
        (signal.SIGKILL, 5.0),
    )
    drops_root_itself: bool = False


class Child:
    """A running child process."""

    def __init__(
        self, launch: Launch, log: ChildLog, *, lock: DirectoryLock, words: str = ""
    ) -> None:
        """Start it.

        Args:
            launch: How.
            log: What takes its output.
            lock: What it holds as long as it lives.
            words: A few lines for its standard input.

        Raises:
            RuntimeError: Not the main thread. The kernel ties a child to the thread that made
                it, and only the main one lives as long as the process.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread")
        self._launch = launch
        account = launch.account
        numbers = [os.getpid(), launch.stop_signals[0][0].value, account.uid, account.gid]
        tie = [str(number) for number in numbers]
        program = list(launch.program)
        if launch.drops_root_itself:
            program += tie
        else:
            program = [sys.executable, "-I", "-S", str(_LAUNCH), *tie, *program]
        output = log.open()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own words, no shell
                program,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=launch.directory,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                pass_fds=lock.held,
                start_new_session=True,  # a Ctrl-C is ours to hear first
            )
        finally:
            os.close(output)
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # its exit code says why it ended
                self._process.stdin.write(words.encode())
                self._process.stdin.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; a negative one is the signal that ended it."""
        return self._process.poll()

    async def wait(self, patience: float) -> int:
        """Wait for its end.

        Raises:
            TimeoutError: It runs on after `patience` seconds.
        """
        async with asyncio.timeout(patience):
            while (code := self.exit_code) is None:  # noqa: ASYNC110 - the kernel sets no event
                await asyncio.sleep(_POLL)
        return code

    async def stop(self) -> None:
        """End it: politely, then surely. Safe to call twice."""
        for number, patience in self._launch.stop_signals:
            if self.exit_code is None:
                self._process.send_signal(number)
                try:
                    await self.wait(patience)
                except TimeoutError:
                    continue
