"""The process is one task group: when any part dies, all of it ends, loudly.

The HTTP server is one job among the others: it can never go on answering for a server whose heart
has stopped.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import structlog
import uvicorn
from structlog.typing import FilteringBoundLogger
from typing_extensions import override

Job: TypeAlias = Callable[[], Awaitable[None]]

_log: FilteringBoundLogger = structlog.get_logger()

FINISH_DEADLINE = 1.0
"""Seconds for the batch in hand when the process is told to end; the broker keeps what follows."""


class JobEndedError(Exception):
    """A part that must run for ever came to an end."""


class HttpServer(uvicorn.Server):
    """uvicorn without signal handlers of its own: ours decide in which order the parts leave."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `stop` is called."""
        try:
            await self.serve()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Close every connection and end."""
        self.should_exit = True
        await self._ended.wait()


async def run_jobs(
    jobs: Mapping[str, Job],
    stop: asyncio.Event,
    finish: Callable[[], Awaitable[None]],
) -> None:
    """Keep all jobs alive until told to stop.

    Args:
        jobs: What runs, by name. None of them returns by itself.
        stop: Set when the process shall end.
        finish: Brings the work in hand to an end; has `FINISH_DEADLINE`.

    Raises:
        ExceptionGroup: Some job died; the others were ended.
    """

    async def watched(name: str, job: Job) -> None:
        await job()
        if not stop.is_set():
            raise JobEndedError(f"{name} ended by itself")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watched(name, job), name=name) for name, job in jobs.items()]
        await stop.wait()
        _log.info("server.stopping")
        try:
            async with asyncio.timeout(FINISH_DEADLINE):
                await finish()
        except TimeoutError:
            _log.warning("server.left_unfinished", note="the broker delivers it again")
        for task in tasks:
            task.cancel()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set the event on SIGINT and SIGTERM instead of dying at once."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
