"""Sensor libraries as people see them: what there is, how each fares, and what became of a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.calibrations import CalibrationMethod
from domain.parameters import Parameter


class LibraryState(StrEnum):
    """How a library fares.

    Attributes:
        READY: It converts.
        FAILING: It failed too often and is not asked any more: raw values pass through until it
            changes.
        BROKEN: Its file cannot be used as it is now; the last version that could be goes on, if
            there is one.
    """

    READY = "READY"
    FAILING = "FAILING"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorLibrary:
    """A library, or a file that never offered one.

    Attributes:
        name: Of the library; of the file where there is none.
        version: The one in use; empty where there is none.
        error: Why it is not READY.
        loaded_at: Since when this version is in use; None: none is.
        path: Of its file, as the server was told it.
        is_built_in: Whether it came with the server.
        calls: How often this version was asked.
        failures: How often that came to nothing.
        p99: Seconds within which 99 of 100 conversions end; None: nothing was timed yet.
    """

    name: str
    version: str
    state: LibraryState
    path: str
    is_built_in: bool
    sensor_types: Sequence[str] = ()
    aliases: Sequence[str] = ()
    error: str | None = None
    loaded_at: datetime | None = None
    unit: str | None = None
    source: str | None = None
    parameters: Sequence[Parameter] = ()
    calibrations: Sequence[CalibrationMethod] = ()
    calls: int = 0
    failures: int = 0
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What became of a library file.

    Attributes:
        path: As the server was told it.
        libraries: In use from now on, each with its version.
        fault: Why the file cannot be used; None: it can.
        was_broken: Whether it could not be used before.
        was_there: Whether it offered libraries before.
    """

    path: str
    libraries: Sequence[str] = ()
    fault: str | None = None
    was_broken: bool = False
    was_there: bool = True
