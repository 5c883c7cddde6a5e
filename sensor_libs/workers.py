"""The server's side of the processes that run library files of the user.

One file has one process: whatever a file does, all others go on. A process that hangs or dies is
replaced, with the text that is in use and not with what lies on the disk by then. At which call it
died stands in memory that both sides share, so that one reading pays, and not its whole batch.
"""

import asyncio
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from time import monotonic
from typing import cast

import msgspec
from typing_extensions import override

from domain.errors import BadInputError
from domain.resilience import Backoff
from sensor_libs.api import Channels, Converted, SensorLibrary, adc_volts
from sensor_libs.loader import Source
from sensor_libs.worker_frames import (
    LARGEST,
    LENGTH,
    PROGRESS,
    SHARED,
    Answer,
    Answers,
    Call,
    Calls,
    Declaration,
    Failed,
    File,
    Function,
    Loaded,
    Meant,
    Number,
    Refused,
    Unasked,
    encode,
)

DEADLINE = 0.2
"""Seconds that one conversion may take; then its process is ended."""

BUDGET = 0.5
"""Seconds that all conversions of a batch may take together; readings wait for it."""

LOAD_DEADLINE = 5.0
"""Seconds for the start of a process, the import of its file, and the vectors."""

MOST_LIBRARIES = 64
"""Libraries of one file."""

_PROJECT = Path(__file__).parents[1]
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


class _Process:
    """One process, from its start to its end."""

    def __init__(self, popen: "subprocess.Popen[bytes]", link: _Link, memory: mmap.mmap) -> None:
        self._popen = popen
        self._link = link
        self._memory = memory
        self._hung = False

    @classmethod
    async def start(cls) -> "_Process":
        ours, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as progress:
            progress.truncate(PROGRESS.size)
            memory = mmap.mmap(progress.fileno(), PROGRESS.size)
            try:
                popen = await asyncio.to_thread(_start, theirs.fileno(), progress.fileno())
            except BaseException:
                ours.close()
                raise
        ours.settimeout(0)
        link = _Link()
        await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=ours)
        return cls(popen, link, memory)

    @property
    def ended(self) -> asyncio.Event:
        return self._link.lost

    async def load(self, file: File) -> Sequence[Declaration]:
        """Make it run a file.

        Raises:
            LibraryFileError: The file is broken, or does not come to an end.
        """
        try:
            async with asyncio.timeout(LOAD_DEADLINE):
                frame = await self._link.ask(encode(file))
            loaded = msgspec.msgpack.decode(frame, type=Loaded | Refused)
        except TimeoutError:
            raise LibraryFileError(
                f"it does not come to an end within {LOAD_DEADLINE:g} s"
            ) from None
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

    async def bury(self) -> str:
        """Wait until it is gone; return why it went."""
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


class FileWorker:
    """Runs one text of one library file, in one process after the other.

    Attributes:
        ended: How many processes ended that nobody wanted to end.
    """

    def __init__(self, source: Source) -> None:
        if source.content is None:
            raise LibraryFileError(str(source.fault))
        self.ended = 0
        self._file = File(source.file, source.path.name, source.content)
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._ready = asyncio.Event()
        self._process: _Process | None = None

    async def load(self) -> tuple[SensorLibrary, ...]:
        """Start the first process; return the libraries of the file.

        Raises:
            LibraryFileError: It cannot be used; no process is left.
        """
        process = await self._begin()
        try:
            declared = await process.load(self._file)
            libraries = tuple(self._library(one) for one in declared)
        except ValueError as error:
            await process.bury()
            raise LibraryFileError(f"{type(error).__name__}: {error}") from None
        except BaseException:
            await process.bury()
            raise
        self._process = process
        self._ready.set()
        return libraries

    async def live(self) -> None:
        """Replace the process whenever it ends, until cancelled; then end it."""
        backoff, random, attempt = Backoff(first=0.05, longest=30.0), Random(), 0  # noqa: S311 - spreads retries
        try:
            while True:
                if self._process is not None:
                    attempt = 0
                    await self._process.ended.wait()
                    self._ready.clear()
                    self.ended += 1
                    await self._process.bury()
                    self._process = None
                else:
                    attempt += 1
                    await asyncio.sleep(backoff.wait(attempt, random))
                process = await self._begin()
                try:
                    await process.load(self._file)
                except LibraryFileError:
                    await process.bury()
                    continue
                except BaseException:
                    process.kill()
                    raise
                self._process = process
                self._ready.set()
        finally:
            self._ready.clear()
            if self._process is not None:
                self._process.kill()
                await asyncio.shield(self._process.bury())

    async def retire(self, life: "asyncio.Task[None]") -> None:
        """End for good, as soon as what is under way is answered."""
        async with self._turn:
            life.cancel()

    async def ask(self, calls: Sequence[Call], seconds: float = BUDGET) -> Answers:
        """Have everything computed that the time allows; never raises for what the file does.

        A call that ends the process fails; those behind it go to the next process, if there is one
        in time.
        """
        until = monotonic() + seconds
        answers: list[Answer] = [Unasked()] * len(calls)
        timed: list[float] = []
        late = False
        left = list(range(len(calls)))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._turn.acquire()
            try:
                while left and (process := await self._alive(until)) is not None:
                    try:
                        got = await process.ask([calls[i] for i in left], until - monotonic())
                    except WorkerEndedError as error:
                        self._ready.clear()
                        process.kill()
                        answers[left.pop(error.at)] = Failed(str(error), ended=True)
                        continue
                    except BaseException:
                        process.kill()
                        raise
                    for number, answer in zip(left, got.answers, strict=True):
                        answers[number] = answer
                    timed += got.seconds
                    late = got.late
                    break
            finally:
                self._turn.release()
        return Answers(answers, timed, late)

    def ask_from_thread(self, call: Call) -> Answer:
        """Have one thing computed, for those who cannot await it.

        Raises:
            BadInputError: The thread is the one that would have to carry it out.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asked = asyncio.run_coroutine_threadsafe(self.ask([call]), self._loop)
            return asked.result(timeout=2 * BUDGET + _REAPED_WITHIN).answers[0]
        raise BadInputError(f"{call.library} runs in a process of its own and cannot answer here")

    async def _alive(self, until: float) -> _Process | None:
        """Return a process that can be asked; None: there is none in time."""
        left = until - monotonic()
        if left <= 0:
            return None
        try:
            async with asyncio.timeout(left):
                await self._ready.wait()
        except TimeoutError:
            return None
        return self._process

    @staticmethod
    async def _begin() -> _Process:
        try:
            return await _Process.start()
        except OSError as error:
            raise LibraryFileError(f"no process can be started: {error.strerror}") from None

    def _library(self, said: Declaration) -> SensorLibrary:
        shared = {name: getattr(said, name) for name in SHARED}
        volts = ForeignNumber(self, said.name, Function.VOLTS)
        pack = ForeignNumber(self, said.name, Function.PACK)
        channels = said.channels
        return SensorLibrary(
            **shared,
            convert=ForeignConversion(self, said.name),
            volts=adc_volts if said.is_adc else volts,
            channels=None if channels is None else Channels(channels, pack, said.packing),
        )


class ForeignFunction:
    """A function of a library that runs in another process.

    Called as if it were the function itself it blocks: only threads may that have nothing else to
    do. The event loop awaits `FileWorker.ask` instead.
    """

    def __init__(self, worker: FileWorker, library: str, function: Function) -> None:
        self.worker = worker
        self._library = library
        self._function = function

    def _ask(self, raw: float | tuple[float, ...], parameters: Mapping[str, float]) -> Answer:
        answer = self.worker.ask_from_thread(Call(self._library, self._function, raw, parameters))
        if isinstance(answer, Failed) and answer.is_refusal:
            raise ValueError(answer.why)
        return answer

    def _failure(self, answer: Answer) -> Exception:
        why = answer.why if isinstance(answer, Failed) else "it did not answer in time"
        return BadInputError(f"the library {self._library} failed: {why}")


class ForeignConversion(ForeignFunction):
    """A conversion that runs in another process."""

    def __init__(self, worker: FileWorker, library: str) -> None:
        super().__init__(worker, library, Function.CONVERT)

    def __call__(self, raw: float, parameters: Mapping[str, float]) -> Converted:
        """Convert a raw value."""
        answer = self._ask(raw, parameters)
        if isinstance(answer, Meant):
            return answer.converted
        raise self._failure(answer)


class ForeignNumber(ForeignFunction):
    """What makes a voltage of a raw value, or a raw value of several numbers."""

    def __call__(self, raw: float | Sequence[float]) -> float:
        """Compute it."""
        answer = self._ask(raw if isinstance(raw, float | int) else tuple(raw), {})
        if isinstance(answer, Number):
            return answer.value
        raise self._failure(answer)


def worker_of(library: SensorLibrary) -> FileWorker | None:
    """Return what runs a library; None: the server itself does."""
    convert = library.convert
    return convert.worker if isinstance(convert, ForeignConversion) else None


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
