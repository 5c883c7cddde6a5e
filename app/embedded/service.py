"""The life of an embedded part: started, watched, started again, stopped."""

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

import structlog
from structlog.typing import FilteringBoundLogger

from app.data_directory import make_data_directory
from app.embedded.child import Child, ChildLog, Launch
from app.embedded.lock import DirectoryLock
from app.errors import EmbeddedError, StartError
from domain.resilience import Backoff

_log: FilteringBoundLogger = structlog.get_logger(__name__)
_POLL = 0.02  # seconds between looks at a part that starts
_WATCH = 0.2  # seconds between looks at a part that runs
_PROGRESS = 5.0  # seconds between log lines while a part starts
_STEADY = 60.0  # seconds after which a part counts as well again
_LEFTOVERS = 30.0  # seconds for the processes of a server that was killed to end


class Service(ABC):
    """A server that runs as our child on a directory of its own.

    Not bound to an event loop: it may be started in one, and stopped in another.
    """

    def __init__(self, name: str, data_dir: Path, *, start_deadline: float) -> None:
        """Describe it; nothing happens yet.

        Args:
            name: What log lines and files are called.
            data_dir: What KAISER_DATA_DIR names; made when it is missing.
            start_deadline: Seconds until it must answer.
        """
        self.name = name
        self.data_dir = data_dir.absolute()
        self.log = ChildLog(self.data_dir / "logs" / f"{name}.log")
        self.lock = DirectoryLock(self.data_dir / f"{name}.lock")
        self._start_deadline = start_deadline
        self._child: Child | None = None
        self._wanted = False
        self.last_failure: StartError | None = None  # why `run` cannot start it again

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it answers; valid once started."""

    @abstractmethod
    async def _prepare(self) -> Launch:
        """Put everything in place on disk, and say how to start."""

    @abstractmethod
    async def _answers(self, child: Child) -> bool:
        """Tell whether this very child takes connections."""

    def _explain(self, last_words: str) -> str | None:
        """Say in one line what to do about its last words; None when nothing is known."""
        del last_words
        return None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child and self._child.exit_code is None else None

    async def start(self) -> None:
        """Start it and wait until it answers; nothing happens while it runs.

        Raises:
            StartError: It cannot; nothing is left running.
        """
        self._wanted = True
        if self.pid is not None:
            return
        try:
            make_data_directory(self.data_dir)
            await self.lock.acquire(_LEFTOVERS)
            self._child = Child(await self._prepare(), self.log, lock=self.lock)
            await self._until_it_answers(self._child)
        except OSError as error:
            await self._end()
            raise EmbeddedError(
                f"KAISER_DATA_DIR: {self.name} cannot use "
                f"{error.filename or self.data_dir}: {error.strerror}"
            ) from error
        except BaseException:
            await self._end()
            raise
        _log.info(f"{self.name}.started", pid=self.pid, url=self.url)

    async def stop(self) -> None:
        """End it in order, and `run` with it. Safe to call twice, and when it never started."""
        self._wanted = False
        child = self._child
        await self._end()
        if child is not None:
            _log.info(f"{self.name}.stopped", exit_code=child.exit_code)

    async def run(self) -> None:
        """Keep it running until `stop`: start it again when it ends, with growing pauses."""
        backoff, random, failures = Backoff(first=0.2, longest=30.0), Random(), 0  # noqa: S311 - no secret
        while True:
            steady = await self._watch()
            failures = 1 if steady else failures + 1
            await asyncio.sleep(backoff.wait(failures, random))
            if not self._wanted:
                return
            try:
                await self.start()
            except StartError as error:
                self.last_failure = error
                _log.error(f"{self.name}.start_failed", reason=str(error))
            else:
                self.last_failure = None

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()
        self.lock.release()

    async def _watch(self) -> bool:
        """Wait until it ends; tell whether it had been well for long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self._child is not None:
            code = self._child.exit_code
            if code is not None:
                _log.error(f"{self.name}.died", exit_code=code, said=self.log.last_words())
                await self._end()
                break
            self.log.trim()
            await asyncio.sleep(_WATCH)
        return loop.time() - began >= _STEADY

    async def _until_it_answers(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        began = told = loop.time()
        try:
            async with asyncio.timeout(self._start_deadline):
                while not await self._answers(child):
                    if child.exit_code is not None:
                        raise self._failure(child.exit_code)
                    if loop.time() - told >= _PROGRESS:
                        told = loop.time()
                        waited, said = round(told - began), self.log.last_words()
                        _log.info(f"{self.name}.starting", seconds=waited, said=said)
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise EmbeddedError(
                f"{self.name} does not answer after {self._start_deadline:.0f} seconds; "
                f"see {self.log.path}"
            ) from None

    def _failure(self, exit_code: int) -> EmbeddedError:
        said = self.log.last_words()
        return EmbeddedError(
            self._explain(said)
            or f"{self.name} ended while it started (exit code {exit_code}): {said or 'no output'}"
            f"; see {self.log.path}"
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
