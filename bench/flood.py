"""What one device that floods costs the others: publish to row, calm and flooded in one run.

`python -m bench.flood [--quick]`: a hundred devices at their pace, alone, then beside one device
with twenty times its share, then beside one that fills most of what the server can take.
"""

import argparse
import asyncio

import asyncpg
import uvloop

from bench.generator import DEVICES
from bench.ingest import read_times, until_stored, warm_up
from bench.parts import Parts, generator, report_of, running_parts, running_server
from bench.reporting import Report, percentile

RATE = 5000
"""Readings a second of the hundred together."""

LOUD = 200
"""The number of the device that floods: none of the hundred."""

FLOODS = {"20 times its share": 20 * RATE // DEVICES, "300 times its share": 300 * RATE // DEVICES}


async def measure(broker: str, seconds: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts(broker) as parts:
        database = await asyncpg.connect(parts.database)
        try:
            async with running_server(parts) as running:
                await warm_up(running, database)
                await _round(running, database, seconds, 0)
                calm = await _round(running, database, seconds, 0)
                _tell(report, "calm", calm, None)
                for name, rate in FLOODS.items():
                    spent = await _round(running, database, seconds, rate)
                    _tell(report, f"beside {name}", spent, calm)
        finally:
            await database.close()


def _tell(report: Report, name: str, spent: list[float], calm: list[float] | None) -> None:
    for label, part in (("p50", 0.5), ("p99", 0.99)):
        found = percentile(spent, part)
        report.add(f"{name}: publish to row, {label}", found, "ms")
        if calm is not None:
            ratio = found / percentile(calm, part)
            report.add(f"{name}: {label} against calm", ratio, "times", target="< 2")


async def _round(
    parts: Parts, database: asyncpg.Connection, seconds: int, flood: int
) -> list[float]:
    """Return the milliseconds from publish to row of the hundred."""
    await database.execute("TRUNCATE reading")
    times, messages = parts.directory / "times", RATE * seconds

    async def load(rate: int, *options: str) -> None:
        sent = ("--messages", str(rate * seconds), "--rate", str(rate), *options)
        async with generator(parts, *sent) as process:
            await report_of(process)

    async with asyncio.TaskGroup() as group:
        group.create_task(load(RATE, "--times", str(times)))
        if flood:
            group.create_task(load(flood, "--only", str(LOUD), "--client-id", "bench-loud"))
    await until_stored(database, messages + flood * seconds)
    left = read_times(times)
    rows = await database.fetch(
        "SELECT sequence, extract(epoch FROM pg_xact_commit_timestamp(r.xmin))::float8 AS at "
        "FROM reading r JOIN sensor s ON s.id = r.sensor_id JOIN device d ON d.id = s.device_id "
        "WHERE d.esp_id <> $1",
        f"ESP_{LOUD + 1:06X}",
    )
    if len(rows) != messages:
        raise RuntimeError(f"{messages} sent by the hundred, {len(rows)} stored")
    return [(row["at"] - left[row["sequence"]]) * 1000.0 for row in rows]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 20 seconds")
    parser.add_argument("--seconds", type=int, default=20, help="of each round")
    parser.add_argument(
        "--mqtt-url", default="", help="measure with this broker, not with the embedded one"
    )
    options = parser.parse_args()
    seconds = 4 if options.quick else options.seconds
    settings = {"rate": RATE, "seconds": seconds}
    report = Report(benchmark="flood", settings=settings)
    uvloop.run(measure(options.mqtt_url, seconds, report))
    report.finish()


if __name__ == "__main__":
    main()
