"""Library files, in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.sensor_libraries import FileChange, LibraryState, SensorLibrary

PROBE = SensorLibrary(
    name="probe",
    version="1.0.0",
    state=LibraryState.READY,
    path="sensor_libs/libraries/probe.py",
    is_built_in=True,
)


@dataclass(slots=True)
class FakeShelf:
    """What a test puts on it.

    Attributes:
        text: Stands for all that the files hold.
        changes: What the next reload finds.
        reloads: Each with whether it was asked to try again what is broken.
    """

    text: str = ""
    shown: list[SensorLibrary] = field(default_factory=lambda: [PROBE])
    changes: list[FileChange] = field(default_factory=list)
    reloads: list[bool] = field(default_factory=list)
    tending: bool = False

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        self.tending = True
        yield
        self.tending = False

    async def signature(self) -> object:
        return self.text

    async def reload(self, *, again: bool = False) -> Sequence[FileChange]:
        self.reloads.append(again)
        found, self.changes = self.changes, []
        return found

    def libraries(self) -> Sequence[SensorLibrary]:
        return self.shown


@dataclass(slots=True)
class FakeJournal:
    """Keeps the names of what was written."""

    written: list[str] = field(default_factory=list)

    def info(self, event: str, **_fields: object) -> None:
        self.written.append(event)

    def warning(self, event: str, **_fields: object) -> None:
        self.written.append(event)
