"""The library files of the user, each run by a process of its own.

Whatever a file does, all others go on. A process that hangs or dies is replaced, with the text that
is in use and not with what lies on the disk by then; one reading pays, and not its whole batch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from random import Random
from time import monotonic

from domain.errors import BadInputError
from domain.resilience import Backoff
from sensor_libs.api import Channels, Converted, SensorLibrary, adc_volts
from sensor_libs.loader import Source, Tried
from sensor_libs.worker_frames import (
    SHARED,
    Answer,
    Answers,
    Call,
    Declaration,
    Failed,
    File,
    Function,
    Meant,
    Number,
    Unasked,
)
from sensor_libs.worker_process import LibraryFileError, WorkerEndedError, WorkerProcess

BUDGET = 0.5
"""Seconds that all conversions of a batch may take together; readings wait for it."""

LOAD_DEADLINE = 5.0
"""Seconds for the start of a process, the import of its file, and the vectors."""

LONG_LIVED = 60.0
"""Seconds after which the end of a process says nothing of how long the next one will last."""

_THREAD_WAITS = 5.0
"""Seconds after which a thread gives up on the event loop itself."""


class FileWorker:
    """Runs one text of one library file, in one process after the other.

    Attributes:
        ended: How many processes ended that nobody wanted to end.
    """

    def __init__(
        self,
        source: Source,
        load_within: float = LOAD_DEADLINE,
        begin: Callable[[], Awaitable[WorkerProcess]] = WorkerProcess.start,
    ) -> None:
        """Make it known; `load` starts it.

        Args:
            source: The text.
            load_within: Seconds for the import and the vectors.
            begin: Returns a process that waits for a file; raises OSError.

        Raises:
            LibraryFileError: The text could not be read.
        """
        if source.content is None:
            raise LibraryFileError(str(source.fault))
        self.ended = 0
        self._load_within = load_within
        self._begin_process = begin
        self._file = File(source.file, source.path.name, source.content)
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._ready = asyncio.Event()
        self._holders = 0
        self._let_go = asyncio.Event()
        self._over = False
        self._process: WorkerProcess | None = None

    async def load(self) -> tuple[SensorLibrary, ...]:
        """Start the first process; return the libraries of the file.

        Raises:
            LibraryFileError: It cannot be used; no process is left.
        """
        process = await self._begin()
        try:
            declared = await process.load(self._file, self._load_within)
            libraries = tuple(self._library(one) for one in declared)
        except ValueError as error:
            await process.bury()
            raise LibraryFileError(f"{type(error).__name__}: {error}") from None
        except BaseException:
            process.end()
            raise
        self._process = process
        self._ready.set()
        return libraries

    async def live(self) -> None:
        """Replace the process whenever it ends, until cancelled; then end it.

        The first one at once; each further one that does not live long is waited for longer.
        """
        backoff, random, attempt = Backoff(first=0.05, longest=30.0), Random(), 0  # noqa: S311 - spreads retries
        try:
            while True:
                if self._process is not None:
                    began = monotonic()
                    await self._process.ended.wait()
                    self._ready.clear()
                    self.ended += 1
                    await self._process.bury()
                    self._process = None
                    attempt = 0 if monotonic() - began > LONG_LIVED else attempt
                if attempt:
                    await asyncio.sleep(backoff.wait(attempt, random))
                attempt += 1
                try:
                    process = await self._begin()
                except LibraryFileError:
                    continue
                try:
                    await process.load(self._file, self._load_within)
                except LibraryFileError:
                    await process.bury()
                    continue
                except BaseException:
                    process.end()
                    raise
                self._process = process
                self._ready.set()
        finally:
            await self.end()

    async def end(self) -> None:
        """End its process; nobody is answered any more."""
        self._over = True
        if self._process is not None:
            await self._process.dismiss()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep it from being retired while the block runs.

        Whoever found it in a catalog holds it before anybody else has a turn: by the time it is
        asked that catalog may be replaced.
        """
        self._holders += 1
        self._let_go.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._let_go.set()

    async def retire(self, life: "asyncio.Task[None]") -> None:
        """End for good, as soon as nobody holds it."""
        while self._holders:
            await self._let_go.wait()
        self._over = True
        life.cancel()

    async def ask(self, calls: Sequence[Call], seconds: float = BUDGET) -> Answers:
        """Have everything computed that the time allows; never raises for what the file does.

        A call that ends the process fails. The answers to those before it are lost with it, so they
        go to the next process, if there is one in time, and then those behind.
        """
        until = monotonic() + seconds
        answers: list[Answer] = [Unasked()] * len(calls)
        timed: list[float] = []
        late = ended = False
        parts = [list(range(len(calls)))]
        with suppress(TimeoutError), self.held():
            async with asyncio.timeout(seconds):
                await self._turn.acquire()
            try:
                while parts and (process := await self._alive(until)) is not None:
                    part = parts.pop(0)
                    try:
                        got = await process.ask([calls[i] for i in part], until - monotonic())
                    except WorkerEndedError as error:
                        if process is self._process:  # and was not replaced by now
                            self._ready.clear()
                        process.kill()
                        ended = True
                        answers[part[error.at]] = Failed(str(error), ended=True)
                        left = (part[: error.at], part[error.at + 1 :])
                        parts[:0] = [numbers for numbers in left if numbers]
                        continue
                    except BaseException:
                        process.kill()
                        raise
                    for number, answer in zip(part, got.answers, strict=True):
                        answers[number] = answer
                    timed += got.seconds
                    late |= got.late
                late |= bool(parts) and not (ended or self._over)
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
            return asked.result(timeout=_THREAD_WAITS).answers[0]
        raise BadInputError(f"{call.library} runs in a process of its own and cannot answer here")

    async def _alive(self, until: float) -> WorkerProcess | None:
        """Return a process that can be asked; None: there is none in time."""
        left = until - monotonic()
        if left <= 0 or self._over:
            return None
        try:
            async with asyncio.timeout(left):
                await self._ready.wait()
        except TimeoutError:
            return None
        return self._process

    async def _begin(self) -> WorkerProcess:
        try:
            return await self._begin_process()
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


async def try_apart(source: Source) -> Tried:
    """Run a file in a process of its own, which then ends: only what it declares can be used."""
    try:
        worker = FileWorker(source)
        libraries = await worker.load()
    except LibraryFileError as error:
        return Tried(source, fault=str(error))
    await worker.end()
    return Tried(source, libraries)


def worker_of(library: SensorLibrary) -> FileWorker | None:
    """Return what runs a library; None: the server itself does."""
    convert = library.convert
    return convert.worker if isinstance(convert, ForeignConversion) else None
