"""Tells growers what becomes of sensor libraries: broken, in use again, given up on."""

from dataclasses import dataclass
from typing import Protocol

from domain.sensor_libraries import FileChange
from domain.services.record_events import RecordEvents
from domain.system_events import EventKind, Severity


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def info(self, event: str, **fields: object) -> object:
        """Note something that is as it should be."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLibraries:
    """Makes sentences of what became of libraries."""

    record: RecordEvents
    journal: Journal

    def changed(self, change: FileChange) -> None:
        """Tell what became of a file."""
        libraries = ", ".join(change.libraries)
        if change.fault is not None:
            self.journal.warning("library.broken", file=change.path, error=change.fault)
            goes_on = f"{libraries} goes on" if libraries else "Its sensors stay raw"
            kind, severity = EventKind.LIBRARY_BROKEN, Severity.ERROR
            says = (
                f"The library file {change.path} cannot be used: {change.fault}. {goes_on} until "
                "the file is corrected; kaiser library check says what to do."
            )
        else:
            self.journal.info("library.loaded", file=change.path, libraries=libraries)
            kind, severity = EventKind.LIBRARY_LOADED, Severity.WARNING
            says = (
                f"The library file {change.path} is gone, and its sensors stay raw where no other "
                "library reads them."
            )
            if libraries:
                severity = Severity.INFO
                again = "works again" if change.was_broken else "was loaded"
                says = f"The library file {change.path} {again}: {libraries} is in use."
        # What one text of the file does is news, however soon it follows on the last.
        about = f"{change.path}: {libraries}: {change.fault}: {change.was_broken}"
        self.record(
            kind,
            severity,
            says,
            about=about,
            details={"file": change.path, "libraries": libraries, "error": change.fault},
        )

    def failing(self, name: str, version: str, why: str) -> None:
        """Tell that a library is not asked any more."""
        self.journal.warning("library.failing", library=name, version=version, error=why)
        self.record(
            EventKind.LIBRARY_FAILING,
            Severity.ERROR,
            f"The library {name} {version} failed too often ({why}) and is not asked any more: raw "
            "values pass through until its file changes, or libraries are reloaded.",
            about=f"{name} {version}",
            details={"library": name, "version": version, "error": why},
        )
