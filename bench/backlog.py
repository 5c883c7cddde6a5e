"""How fast a server that was away catches up.

`python -m bench.backlog [--quick]`: a flood (as in bench.ingest), then the server is ended; a
hundred devices send what they have measured for hours, in bulk and in no order between them, and
the broker keeps it; then the server starts. The rate from its first row to its last is compared
with that of the flood. Afterwards it is checked that each reading is there exactly once, and in
order per device.
"""

import argparse

import asyncpg
import uvloop

from bench.generator import DEVICES
from bench.ingest import check_exactly_once, publish, until_stored, warm_up
from bench.parts import Parts, generator, report_of, running_parts, running_server
from bench.processes import cpu_seconds
from bench.reporting import Report

AGE = 6 * 3600
"""Seconds that the server was away."""

FLOOD = "flood: persisted and acknowledged"


async def measure(broker: str, flood: int, backlog: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts(broker) as parts:
        database = await asyncpg.connect(parts.database)
        try:
            async with running_server(parts) as running:
                await warm_up(running, database)
                started = await publish(running, database, flood)
                _, last = await _first_and_last_commit(database)
            await database.execute("TRUNCATE reading")
            await _send_backlog(parts, backlog, report)
            rate = await _drain(parts, database, backlog, report)
        finally:
            await database.close()
    report.add("drained after the start", rate, "messages/s", floor=FLOOD, target=">= 1.0")
    report.add(FLOOD, flood / (last - started), "messages/s")


async def _send_backlog(parts: Parts, messages: int, report: Report) -> None:
    async with generator(parts, "--messages", str(messages), "--age", str(AGE)) as process:
        generated = await report_of(process)
    report.add("taken by the broker", messages / generated["seconds"], "messages/s")


async def _drain(
    parts: Parts, database: asyncpg.Connection, messages: int, report: Report
) -> float:
    """Start the server, and return the messages a second that it took in."""
    async with running_server(parts) as running:
        await until_stored(database, messages)
        for name, pid in running.pids.items():
            report.add(f"CPU of {name} since its start", cpu_seconds(pid), "s")
    await check_exactly_once(database, messages, report)
    await _check_order(database, report)
    first, last = await _first_and_last_commit(database)
    return messages / (last - first)


async def _first_and_last_commit(database: asyncpg.Connection) -> tuple[float, float]:
    (row,) = await database.fetch(
        "SELECT extract(epoch FROM min(at))::float8 AS first, "
        "extract(epoch FROM max(at))::float8 AS last "
        "FROM (SELECT pg_xact_commit_timestamp(xmin) AS at FROM reading) commits"
    )
    return row["first"], row["last"]


async def _check_order(database: asyncpg.Connection, report: Report) -> None:
    wrong = await database.fetchval(
        "SELECT count(*) FROM (SELECT sequence, lag(sequence) OVER "
        "(PARTITION BY sensor_id ORDER BY id) AS before FROM reading) pairs "
        "WHERE before > sequence"
    )
    if wrong:
        raise RuntimeError(f"{wrong} readings overtook another of their device")
    report.notes.append(f"in the order of each of {DEVICES} devices")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 20 seconds")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the backlog")
    parser.add_argument("--flood", type=int, default=200_000, help="messages to compare with")
    parser.add_argument(
        "--mqtt-url", default="", help="measure with this broker, not with the embedded one"
    )
    options = parser.parse_args()
    backlog = 50_000 if options.quick else options.messages
    flood = 30_000 if options.quick else options.flood
    broker = options.mqtt_url
    settings = {"backlog": backlog, "flood": flood, "broker": "given" if broker else "embedded"}
    report = Report(benchmark="backlog", settings=settings)
    uvloop.run(measure(broker, flood, backlog, report))
    report.finish()


if __name__ == "__main__":
    main()
