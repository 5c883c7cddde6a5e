"""What a reload under full ingest adds to a reading.

`python -m bench.reload [--quick]`: 5,000 readings a second, converted by a library of the user that
is changed every 4 s. Readings of the 2 s after a change are compared with those of the 2 s before
the next: from publish to row, as `bench.ingest` measures.
"""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import uvloop

from app.clock import SystemClock
from bench.ingest import RATE, check_exactly_once, publish, read_times, warm_up
from bench.parts import Parts, running_parts, running_server
from bench.reporting import Report, percentile

_EVERY = 4.0
_NOTICED = 2.0
"""Seconds within which a change is noticed, tried and in use."""

_LIBRARY = """
from sensor_libs.api import INT16, Converted, Quality, Range, SensorLibrary, Vector

LIBRARIES = (
    SensorLibrary(
        name="mine", version="1.0.{patch}", sensor_types=("ds18b20",), raw=INT16, unit="°C",
        decimals=4, valid=Range(-55, 125), typical=Range(10, 30), source="made up",
        convert=lambda raw, _: Converted(raw / 16, Quality.GOOD),
        vectors=(Vector(160, 10.0, Quality.GOOD),) * 100,
    ),
)
"""


async def measure(messages: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts:
        own = parts.directory / "own"
        own.mkdir()
        file = own / "mine.py"
        file.write_text(_LIBRARY.format(patch=0))
        database = await asyncpg.connect(parts.database)
        try:
            async with running_server(parts, KAISER_SENSOR_LIBRARIES=str(own)) as running:
                await warm_up(running, database)
                changes: list[float] = []
                async with asyncio.TaskGroup() as tasks:
                    changing = tasks.create_task(_change(file, changes))
                    spent = await _spent(running, database, messages, report)
                    changing.cancel()
                versions = await _versions(database)
        finally:
            await database.close()
    near = [ms for left, ms in spent if any(0 <= left - at < _NOTICED for at in changes)]
    away = [ms for left, ms in spent if all(not 0 <= left - at < _NOTICED for at in changes)]
    for name, each in (("reloading", near), ("otherwise", away)):
        report.add(f"publish to row, {name}, p50", percentile(each, 0.5), "ms")
        report.add(f"publish to row, {name}, p99", percentile(each, 0.99), "ms")
        report.add(f"publish to row, {name}, longest", max(each), "ms")
    report.add("added to p99", percentile(near, 0.99) - percentile(away, 0.99), "ms")
    report.add("added to the longest", max(near) - max(away), "ms", target="< 10 ms")
    report.notes.append(f"{versions} versions converted all of it")


async def _versions(database: asyncpg.Connection) -> int:
    """Return how many versions of the library converted the readings.

    Raises:
        RuntimeError: One was not converted.
    """
    [row] = await database.fetch(
        "SELECT count(*) FILTER (WHERE library IS DISTINCT FROM 'mine'), "
        "min(metadata ->> 'reason'), count(DISTINCT library_version) "
        "FROM reading JOIN conversion ON conversion.id = conversion_id"
    )
    if row[0]:
        raise RuntimeError(f"{row[0]} readings came out unconverted: {row[1]}")
    return int(row[2])


async def _spent(
    parts: Parts, database: asyncpg.Connection, messages: int, report: Report
) -> Sequence[tuple[float, float]]:
    """Return when each reading left, and the milliseconds until it was a row."""
    times = parts.directory / "times"
    await publish(parts, database, messages, "--rate", str(RATE), "--times", str(times))
    left = read_times(times)
    rows = await database.fetch(
        "SELECT sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at "
        "FROM reading"
    )
    await check_exactly_once(database, messages, report)
    return [(at := left[row["sequence"]], (row["at"] - at) * 1000.0) for row in rows]


async def _change(file: Path, changes: list[float]) -> None:
    clock, patch = SystemClock(), 0
    while True:
        await clock.sleep(_EVERY)
        patch += 1
        changes.append(clock.now().timestamp())
        await asyncio.to_thread(file.write_text, _LIBRARY.format(patch=patch))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 30 seconds")
    parser.add_argument("--seconds", type=int, default=30, help="of each run")
    options = parser.parse_args()
    messages = RATE * (8 if options.quick else options.seconds)
    report = Report(benchmark="reload", settings={"messages": messages, "every": _EVERY})
    uvloop.run(measure(messages, report))
    report.finish()


if __name__ == "__main__":
    main()
