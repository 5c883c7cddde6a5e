"""What a person asks about sensor libraries: whether a file is good, and which there are.

A file under test may never come to an end. It runs in the main thread, so an alarm can interrupt it
and say in which of its lines it was.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sensor_libs.check import Finding, Report, check
from sensor_libs.loader import (
    BUILT_IN,
    Catalog,
    Source,
    Tried,
    assemble,
    read_file,
    read_folder,
    try_here,
)
from sensor_libs.workers import try_apart

LONGEST_CHECK = 10.0
"""Seconds after which a file under test is interrupted."""

GUIDE = "docs/SENSOR_LIBRARIES.md"


def check_library(path: Path, own: Path | None, *, say: Callable[[str], None]) -> bool:
    """Say what is wrong with a library file; return whether the server would load it.

    Args:
        path: The file.
        own: The directory of the user's other libraries.
        say: Prints a line.
    """
    beside = _beside(path, own)
    source = read_file(path, is_built_in=path.resolve().parent == BUILT_IN)
    with _interrupted_after(LONGEST_CHECK):
        report = check(source, beside)
    for finding in report.findings:
        say(_line(path, finding))
    for line in _summary(path, report):
        say(line)
    return report.is_good


def list_libraries(own: Path | None, *, say: Callable[[str], None]) -> None:
    """Say which libraries there are and what they read; files that are broken, with the reason."""
    catalog = _catalog(_read(own))
    for file, libraries in catalog.files.items():
        for library in libraries:
            names = ", ".join((*library.sensor_types, *library.aliases))
            mark = "own" if file in catalog.own else ""
            say(f"{library.name:<19}{library.version:<9}{library.unit:<7}{mark:<5}{names}")
    for file, reason in catalog.broken.items():
        say(f"{catalog.paths[file]}: {reason}")


def _beside(path: Path, own: Path | None) -> Catalog:
    return _catalog([other for other in _read(own) if other.path.resolve() != path.resolve()])


def _read(own: Path | None) -> list[Source]:
    return [*read_folder(BUILT_IN), *(read_folder(own, is_built_in=False) if own else ())]


def _catalog(sources: Sequence[Source]) -> Catalog:
    """Return what the server would use, and as it does: the user's files run in other processes."""

    async def tried() -> list[Tried]:
        return [
            try_here(source) if source.is_built_in else await try_apart(source)
            for source in sources
        ]

    return assemble(asyncio.run(tried()))


def _line(path: Path, finding: Finding) -> str:
    place = f"{path}:{finding.line}" if finding.line else str(path)
    return f"{place}: {'error' if finding.is_error else 'advice'}: {finding.says}"


def _summary(path: Path, report: Report) -> Iterator[str]:
    if not report.is_good:
        yield f"The server would not load this file. Correct it and check again; {GUIDE} explains."
        return
    for library in report.libraries:
        count = len(library.vectors)
        micro = report.seconds[library.name] * 1e6
        yield (
            f"{library.name} {library.version} is good: {count} vectors, {micro:.1f} µs a "
            f"conversion, reads {', '.join(library.sensor_types)} in {library.unit}"
        )
    if path.resolve().parent != BUILT_IN:
        yield "Next: put the file into the directory that KAISER_SENSOR_LIBRARIES names."


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it does not come to an end within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
