"""The library files and what is in use of them: loads what changed, and swaps all of it at once.

A file that is broken keeps the version that worked. What came with the server is compiled here, a
millisecond or two each; a user's file is only ever run by a process of its own, its import and its
vectors included.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.sensor_libraries import FileChange, LibraryState, SensorLibrary
from sensor_libs import api
from sensor_libs.loader import BUILT_IN, Catalog, Source, Tried, assemble, read_folder, try_here
from sensor_libs.runner import LibraryRunner
from sensor_libs.spare_process import SpareProcess
from sensor_libs.worker_process import LibraryFileError
from sensor_libs.workers import LOAD_DEADLINE, FileWorker, worker_of

MOST_OWN_FILES = 32
"""Files of the user; each has a process, which takes some 15 MB."""


@dataclass(frozen=True, slots=True)
class _Shelved:
    """A file as it was tried last, and when."""

    tried: Tried
    at: datetime
    worker: FileWorker | None = None


class LibraryShelf:
    """Implements domain.services.reload_libraries.Shelf."""

    def __init__(
        self,
        runner: LibraryRunner,
        now: Callable[[], datetime],
        *,
        own: Path | None = None,
        folder: Path = BUILT_IN,
        load_within: float = LOAD_DEADLINE,
    ) -> None:
        """Begin with what the runner uses.

        Args:
            runner: Is given each new catalog.
            now: The wall time.
            own: Where the user's files are, if there are any.
            folder: Where those are that come with the server.
            load_within: Seconds for the import and the vectors of a user's file.
        """
        self._load_within = load_within
        self._runner = runner
        self._now = now
        self._folder = folder
        self._own = own
        self._shelved: dict[str, _Shelved] = {}
        self._loaded_at: dict[str, tuple[tuple[api.SensorLibrary, ...], datetime]] = {}
        self._lives: dict[FileWorker, asyncio.Task[None]] = {}
        self._spare = SpareProcess()
        self._tasks: asyncio.TaskGroup | None = None
        self._turn = asyncio.Lock()
        self._tended = asyncio.Event()

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        """Keep the processes of the user's files alive while the block runs; then end them."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            waiting = tasks.create_task(self._spare.live(), name="spare library process")
            self._tended.set()
            try:
                yield
            finally:
                self._tended.clear()
                waiting.cancel()
                for life in self._lives.values():
                    life.cancel()

    async def signature(self) -> object:
        """Return something that is another whenever a file changed."""
        return await asyncio.to_thread(self._look)

    async def reload(self, *, again: bool = False) -> Sequence[FileChange]:
        """Load what changed, and use it from the next batch of readings on.

        Args:
            again: Whether to try what is broken or failing although its text is the same.
        """
        await self._tended.wait()
        async with self._turn:
            sources = await asyncio.to_thread(self._read)
            before = self._runner.catalog
            async with asyncio.TaskGroup() as tasks:
                trying = [tasks.create_task(self._try(source, again=again)) for source in sources]
            shelved = [each.result() for each in trying]
            catalog = assemble([one.tried for one in shelved], before)
            self._runner.swap(catalog)
            self._shelved = {one.tried.source.file: one for one in shelved}
            self._note_times(catalog)
            await self._end_unused(catalog)
            return _changes(before, catalog)

    def libraries(self) -> Sequence[SensorLibrary]:
        """Return all libraries, and the files that offer none."""
        catalog = self._runner.catalog
        shown = [
            self._shown(file, library, catalog)
            for file, libraries in catalog.files.items()
            for library in libraries
        ]
        hopeless = [file for file in catalog.broken if file not in catalog.files]
        return [*shown, *(self._hopeless(file, catalog) for file in hopeless)]

    def _look(self) -> object:
        folders = [self._folder, *([self._own] if self._own else [])]
        return [
            (str(path), status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            for folder in folders
            for path in sorted(folder.glob("[!_]*.py"))
            if (status := _status(path)) is not None
        ]

    def _read(self) -> Sequence[Source]:
        own = read_folder(self._own, is_built_in=False) if self._own else []
        return [*read_folder(self._folder), *map(_bounded, own, range(len(own)))]

    async def _try(self, source: Source, *, again: bool) -> _Shelved:
        before = self._shelved.get(source.file)
        if before is not None and before.tried.source == source:
            failing = any(
                (usage := self._runner.usage(library)) is not None and usage.why
                for library in before.tried.libraries
            )
            if not again or not (before.tried.fault or failing):
                return before
        if source.is_built_in:
            return _Shelved(await asyncio.to_thread(try_here, source), self._now())
        try:
            worker = FileWorker(source, self._load_within, self._spare.take)
            libraries = await worker.load()
        except LibraryFileError as error:
            return _Shelved(Tried(source, fault=str(error)), self._now())
        assert self._tasks is not None  # noqa: S101 - for the type checker: it is tended
        self._lives[worker] = self._tasks.create_task(worker.live(), name=f"library {source.file}")
        return _Shelved(Tried(source, libraries), self._now(), worker)

    def _note_times(self, catalog: Catalog) -> None:
        now = self._now()
        for file, libraries in catalog.files.items():
            known = self._loaded_at.get(file)
            if known is None or known[0] is not libraries:
                self._loaded_at[file] = (libraries, now)

    async def _end_unused(self, catalog: Catalog) -> None:
        used = {one.worker for one in self._shelved.values()}
        used |= {worker_of(library) for files in catalog.files.values() for library in files}
        for worker in [worker for worker in self._lives if worker not in used]:
            await worker.retire(self._lives.pop(worker))

    def _shown(self, file: str, library: api.SensorLibrary, catalog: Catalog) -> SensorLibrary:
        usage = self._runner.usage(library)
        error, state = catalog.broken.get(file), LibraryState.READY
        if error is not None:
            state = LibraryState.BROKEN
        elif usage is not None and usage.why is not None:
            error, state = usage.why, LibraryState.FAILING
        return SensorLibrary(
            name=library.name,
            version=library.version,
            state=state,
            error=error,
            loaded_at=self._loaded_at[file][1] if file in self._loaded_at else None,
            path=self._path(file, catalog),
            is_built_in=file not in catalog.own,
            sensor_types=library.sensor_types,
            aliases=library.other_names,
            unit=library.unit,
            source=library.source,
            parameters=library.parameters,
            calibrations=[known.method for known in library.calibrations],
            calls=usage.calls if usage else 0,
            failures=usage.failures if usage else 0,
            p99=usage.durations.percentile(0.99) if usage else None,
        )

    def _hopeless(self, file: str, catalog: Catalog) -> SensorLibrary:
        return SensorLibrary(
            name=catalog.paths[file].stem,
            version="",
            state=LibraryState.BROKEN,
            error=catalog.broken[file],
            path=self._path(file, catalog),
            is_built_in=file not in catalog.own,
        )

    @staticmethod
    def _path(file: str, catalog: Catalog) -> str:
        """Return where a file is, without telling where the server is."""
        path = catalog.paths[file]
        return str(path) if file in catalog.own else f"sensor_libs/libraries/{path.name}"


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _bounded(source: Source, number: int) -> Source:
    if number >= MOST_OWN_FILES:
        return source._replace(content=None, fault=f"not read: more than {MOST_OWN_FILES} files")
    return source


def _changes(before: Catalog, after: Catalog) -> Sequence[FileChange]:
    changes = []
    for file in sorted({*before.paths, *after.paths}):
        fault = after.broken.get(file)
        used, now_used = before.files.get(file, ()), after.files.get(file, ())
        if fault == before.broken.get(file) and used is now_used:
            continue
        changes.append(
            FileChange(
                path=(after if file in after.paths else before).paths[file].name,
                libraries=[f"{library.name} {library.version}" for library in now_used],
                fault=fault,
                was_broken=file in before.broken,
                was_there=bool(used),
            )
        )
    return changes
