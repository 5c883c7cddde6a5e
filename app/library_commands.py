"""What a person asks about sensor libraries: whether a file is good, and which there are.

A file under test may end its process or eat all memory, so it gets a child process of its own. It
may never come to an end, too; there it runs in the main thread, so an alarm can interrupt it and
say in which of its lines it was.
"""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

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
from sensor_libs.worker import MEMORY
from sensor_libs.workers import try_apart

LONGEST_CHECK = 10.0
"""Seconds after which a file under test is interrupted."""

GUIDE = "docs/SENSOR_LIBRARIES.md"

_REFUSED = f"The server would not load this file. Correct it and check again; {GUIDE} explains."


def check_library(path: Path, own: Path | None, *, say: Callable[[str], None]) -> bool:
    """Say what is wrong with a library file; return whether the server would load it.

    Args:
        path: The file.
        own: The directory of the user's other libraries.
        say: Prints a line.
    """
    beside = _beside(path, own)
    verdict = _told_by_a_child(path, lambda: _verdict(path, beside))
    for line in verdict.lines:
        say(line)
    return verdict.is_good


class _Verdict(NamedTuple):
    is_good: bool
    lines: Sequence[str]


def _verdict(path: Path, beside: Catalog) -> _Verdict:
    source = read_file(path, is_built_in=path.resolve().parent == BUILT_IN)
    with _interrupted_after(LONGEST_CHECK):
        report = check(source, beside)
    if path.suffix != ".py" or path.name.startswith("_"):
        says = "the server reads files that end in .py and do not begin with _; rename it"
        report = report._replace(findings=[Finding(None, says), *report.findings])
    lines = [_line(path, finding) for finding in report.findings]
    return _Verdict(report.is_good, [*lines, *_summary(path, report)])


def _told_by_a_child(path: Path, judge: Callable[[], _Verdict]) -> _Verdict:
    """Have a verdict found by a child process; that it ends without one is a verdict, too."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens, nobody else's work is to be gone on with here.
        try:
            os.close(reading)
            _limit_memory()
            with os.fdopen(writing, "w") as parent:
                parent.write(json.dumps(judge()))
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if text:
        return _Verdict(*json.loads(text))
    how = f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
    ended = Finding(None, f"the file ends the process that runs it, {how}")
    return _Verdict(is_good=False, lines=[_line(path, ended), _REFUSED])


def _limit_memory() -> None:
    """Let the file have no more than it would have in the server."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def list_libraries(own: Path | None, *, say: Callable[[str], None]) -> None:
    """Say which libraries there are and what they read; files that are broken, with the reason."""
    catalog = _catalog(_read(own))
    for file, libraries in catalog.files.items():
        for library in libraries:
            names = ", ".join((*library.sensor_types, *library.other_names))
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
        yield _REFUSED
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
