"""One process that runs a library file of the user, from its start to its end.

What it says is read into exact types or not at all, and at which call it is stands in memory that
both sides share: so it is known which call hangs, or ended it.
"""

import asyncio
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple, cast

import msgspec
from typing_extensions import override

from sensor_libs.worker_frames import (
    LARGEST,
    LENGTH,
    PROGRESS,
    Answers,
    Call,
    Calls,
    Declaration,
    File,
    Loaded,
    Refused,
    encode,
)

DEADLINE = 0.2
"""Seconds that one conversion may take; then its process is ended."""

MOST_LIBRARIES = 64
"""Libraries of one file."""

_PROJECT = Path(__file__).parents[1]
_LEAVES_WITHIN = 0.05
_REAPED_WITHIN = 2.0
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
"""All that a process is told of ours: no secret is in it."""


class LibraryFileError(Exception):
    """A library file cannot be used; says why."""


class WorkerEndedError(Exception):
    """A process ended, or had to be ended, while it was asked.

    Attributes:
        at: The number of the call that it was at.
    """

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why)
        self.at = at


class _Link(asyncio.Protocol):
    """Frames to and from a process; one answer at a time, and nothing unasked."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self._awaited: asyncio.Future[bytes] | None = None
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(ConnectionError("its process ended"))

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        awaited = self._awaited
        if awaited is None or awaited.done():
            self.close()
            return
        if len(self._buffer) < LENGTH.size:
            return
        (length,) = LENGTH.unpack_from(self._buffer)
        received = len(self._buffer) - LENGTH.size
        if length > LARGEST or received > length:
            self.close()
        elif received == length:
            frame = bytes(self._buffer[LENGTH.size :])
            self._buffer.clear()
            awaited.set_result(frame)

    async def ask(self, frame: bytes) -> bytes:
        """Send a frame and wait for the next.

        Raises:
            ConnectionError: The process ended, or sent what is none.
        """
        if self._transport is None or self.lost.is_set():
            raise ConnectionError("its process ended")
        self._awaited = asyncio.get_running_loop().create_future()
        self._transport.write(LENGTH.pack(len(frame)) + frame)
        return await self._awaited

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class WorkerProcess:
    """One process, from its start to its end."""

    def __init__(self, popen: "subprocess.Popen[bytes]", link: _Link, memory: mmap.mmap) -> None:
        self._popen = popen
        self._link = link
        self._memory = memory
        self._hung = False

    @classmethod
    async def start(cls) -> "WorkerProcess":
        """Start one.

        Raises:
            OSError: There is no room for another.
        """
        launching = asyncio.get_running_loop().run_in_executor(None, _launch)
        try:
            launched = await asyncio.shield(launching)
        except asyncio.CancelledError:
            # It is a matter of milliseconds, and what was started must be ended.
            await asyncio.wait([launching])
            if launching.exception() is None:
                launching.result().undo()
            raise
        process = cls(launched.popen, link := _Link(), launched.memory)
        try:
            await asyncio.get_running_loop().create_unix_connection(
                lambda: link, sock=launched.link
            )
        except BaseException:
            launched.undo()
            raise
        return process

    @property
    def ended(self) -> asyncio.Event:
        """Set when it is gone, or cannot be talked to any more."""
        return self._link.lost

    async def load(self, file: File, within: float) -> Sequence[Declaration]:
        """Make it run a file.

        Raises:
            LibraryFileError: The file is broken, or does not come to an end.
        """
        try:
            async with asyncio.timeout(within):
                frame = await self._link.ask(encode(file))
            loaded = msgspec.msgpack.decode(frame, type=Loaded | Refused)
        except TimeoutError:
            raise LibraryFileError(f"it does not come to an end within {within:g} s") from None
        except ConnectionError:
            raise LibraryFileError(f"it ends its process ({await self.bury()})") from None
        except msgspec.DecodeError as error:
            raise LibraryFileError(f"what it declares cannot be read: {error}") from None
        if isinstance(loaded, Refused):
            raise LibraryFileError(loaded.why)
        if len(loaded.libraries) > MOST_LIBRARIES:
            raise LibraryFileError(f"more than {MOST_LIBRARIES} libraries in one file")
        return loaded.libraries

    async def ask(self, calls: Sequence[Call], seconds: float) -> Answers:
        """Have everything computed; as far as `seconds` reach.

        Raises:
            WorkerEndedError: A call ended the process, or hung and was ended with it.
        """
        loop = asyncio.get_running_loop()
        begun = monotonic()
        PROGRESS.pack_into(self._memory, 0, 0, begun)

        def look() -> None:
            # What stands there may be forged: it never lengthens more than one call's time.
            _, since = PROGRESS.unpack_from(self._memory)
            now = monotonic()
            ends = min(max(since, begun), now, begun + seconds) + DEADLINE
            if now >= ends:
                self._hung = True
                self.kill()
            else:
                watch[0] = loop.call_later(ends - now, look)

        watch = [loop.call_later(DEADLINE, look)]
        try:
            frame = await self._link.ask(encode(Calls(list(calls), seconds)))
            answers = msgspec.msgpack.decode(frame, type=Answers)
            if len(answers.answers) != len(calls):
                raise WorkerEndedError("it does not answer what it is asked")
        except ConnectionError:
            number, _ = PROGRESS.unpack_from(self._memory)
            raise WorkerEndedError(
                await self.bury(), number if 0 <= number < len(calls) else 0
            ) from None
        except msgspec.DecodeError:
            raise WorkerEndedError("it answers with nonsense") from None
        finally:
            watch[0].cancel()
        return answers

    def kill(self) -> None:
        """End it, and what it may have started."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._link.close()

    def end(self) -> None:
        """End it, and wait for that: a killed process is gone within a millisecond or two."""
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(_REAPED_WITHIN)

    async def dismiss(self) -> None:
        """End it, and wait for that without keeping the event loop."""
        self.kill()
        try:
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._popen.wait, _REAPED_WITHIN)
        finally:
            self.end()

    async def bury(self) -> str:
        """Wait until it is gone; return why it went."""
        if not self._hung:
            # Its connection is closed a moment before it is gone.
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._popen.wait, _LEAVES_WITHIN)
        ended_itself = self._popen.poll()
        self.kill()
        # Never waits for long: it was killed.
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._popen.wait, _REAPED_WITHIN)
        if self._hung:
            return f"it took longer than {DEADLINE * 1000:.0f} ms"
        if ended_itself is None:
            return "it closed its connection"
        if ended_itself < 0:
            return f"its process died of {signal.Signals(-ended_itself).name}"
        return f"it ended its process with exit code {ended_itself}"


class _Launched(NamedTuple):
    """A process that was started, and what is shared with it."""

    popen: "subprocess.Popen[bytes]"
    link: socket.socket
    memory: mmap.mmap

    def undo(self) -> None:
        self.link.close()
        self.popen.kill()
        self.popen.wait()


def _launch() -> _Launched:
    """Start a process, in a thread: until it runs its program milliseconds may pass."""
    ours, theirs = socket.socketpair()
    with theirs, tempfile.TemporaryFile() as progress:
        progress.truncate(PROGRESS.size)
        memory = mmap.mmap(progress.fileno(), PROGRESS.size)
        try:
            popen = _start(theirs.fileno(), progress.fileno())
        except BaseException:
            ours.close()
            raise
    ours.settimeout(0)
    return _Launched(popen, ours, memory)


def _start(link: int, progress: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own words, no shell
        [sys.executable, "-s", "-m", "sensor_libs.worker", str(link), str(progress)],
        cwd=_PROJECT,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(link, progress),
        start_new_session=True,
    )
