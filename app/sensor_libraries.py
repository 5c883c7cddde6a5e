"""The libraries of the server and of its user, kept as their files are."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import structlog
from structlog.typing import FilteringBoundLogger

from app.ground import Ground
from domain.services.record_events import RecordEvents
from domain.services.reload_libraries import ReloadLibraries
from domain.services.report_libraries import ReportLibraries
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner
from sensor_libs.shelf import LibraryShelf

_log: FilteringBoundLogger = structlog.get_logger()


class Libraries(NamedTuple):
    """What converts, and what keeps it as the files are."""

    runner: LibraryRunner
    reload: ReloadLibraries

    def once_loaded(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Hold a job back until every file was tried: else its first readings would stay raw."""

        async def wait_and_run() -> None:
            await self.reload.loaded.wait()
            await job()

        return wait_and_run


def sensor_libraries(ground: Ground, record: RecordEvents, own: Path | None) -> Libraries:
    """Make the libraries that come with the server, and what loads the user's.

    Args:
        ground: What they stand on.
        record: Told of files that break, and of libraries that fail.
        own: The directory of the user's files, if there is one.
    """
    if own is not None and not own.is_dir():
        # It may still come: a disk that is mounted late.
        _log.warning("library.no_directory", path=str(own))
    reports = ReportLibraries(record=record, journal=_log)
    runner = LibraryRunner(
        load_built_in(),
        failing=lambda library, why: reports.failing(library.name, library.version, why),
        monotonic=ground.clock.monotonic,
    )
    shelf = LibraryShelf(runner, ground.clock.now, own=own)
    return Libraries(runner, ReloadLibraries(shelf=shelf, reports=reports, clock=ground.clock))
