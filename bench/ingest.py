"""How many readings a second the server takes in, and how soon each is a row.

`python -m bench.ingest [--quick]`: a flood (publish as fast as the broker takes it), then a steady
5,000 a second. A reading counts when it is committed and acknowledged to the broker; afterwards it
is checked that each is there exactly once, and that the broker has nothing left to deliver again.
Commit times are PostgreSQL's own (track_commit_timestamp), taken as the commit record is written.
"""

import argparse
from array import array
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import uvloop

from app.clock import SystemClock
from bench import floors
from bench.generator import DEVICES
from bench.mqtt_wire import Message, open_wire
from bench.parts import CLIENT_ID, Parts, generator, report_of, running_parts, running_server
from bench.processes import cpu_seconds
from bench.reporting import Report, percentile

RATE = 5000
_PATIENCE = 30.0
_POLL = 0.5
_SETTLE = 2.0


async def measure(broker: str, flood: int, paced: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts(broker) as parts:
        database = await asyncpg.connect(parts.database)
        try:
            async with running_server(parts) as running:
                await warm_up(running, database)
                await _flood(running, database, flood, report)
                await _pace(running, database, paced, report)
                # The last acknowledgements are on their way to a broker that may be busy.
                await SystemClock().sleep(_SETTLE)
            await _check_nothing_left(parts, report)
            await _forget_sessions(parts)
            await _floors(parts, database, flood, report)
        finally:
            await database.close()


async def warm_up(parts: Parts, database: asyncpg.Connection) -> None:
    """Make all devices known."""
    # The first message of each device makes it known: that happens once in its life.
    await publish(parts, database, 10 * DEVICES)


async def _flood(parts: Parts, database: asyncpg.Connection, messages: int, report: Report) -> None:
    before = {name: cpu_seconds(pid) for name, pid in parts.pids.items()}
    started = await publish(parts, database, messages)
    used = {name: cpu_seconds(pid) - before[name] for name, pid in parts.pids.items()}
    last = await database.fetchval("SELECT max(pg_xact_commit_timestamp(xmin)) FROM reading")
    report.add(
        "flood: persisted and acknowledged",
        messages / (last.timestamp() - started),
        "messages/s",
        floor="bare client, INSERT, acknowledge",
        target=">= 10,000/s and >= 0.3",
    )
    for name, seconds in used.items():
        report.add(f"flood: CPU of {name}", seconds / messages * 1e6, "us/message")
    await check_exactly_once(database, messages, report)


async def _pace(parts: Parts, database: asyncpg.Connection, messages: int, report: Report) -> None:
    times = parts.directory / "times"
    await publish(parts, database, messages, "--rate", str(RATE), "--times", str(times))
    left = read_times(times)
    rows = await database.fetch(
        "SELECT sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at "
        "FROM reading"
    )
    spent = [(row["at"] - left[row["sequence"]]) * 1000.0 for row in rows]
    report.add(f"publish to row at {RATE}/s, p50", percentile(spent, 0.5), "ms")
    report.add(f"publish to row at {RATE}/s, p99", percentile(spent, 0.99), "ms", target="<= 50 ms")
    report.add(f"publish to row at {RATE}/s, longest", max(spent), "ms")
    await check_exactly_once(database, messages, report)


async def _floors(
    parts: Parts, database: asyncpg.Connection, messages: int, report: Report
) -> None:
    report.add(
        "bare client, INSERT, acknowledge",
        await floors.bare_ingest(parts, database, messages),
        "messages/s",
    )
    report.add(
        "broker to a bare subscriber",
        await floors.broker_to_subscriber(parts, messages),
        "messages/s",
    )
    report.add("plain batched INSERT", await floors.insert(database, messages), "rows/s")
    commits = await floors.single_commit(database, 500)
    report.add("commit of one row, p50", percentile(commits, 0.5) * 1000.0, "ms")


async def publish(
    parts: Parts, database: asyncpg.Connection, messages: int, *options: str
) -> float:
    """Publish, wait until all are rows, and return when the first one left (Unix seconds)."""
    await database.execute("TRUNCATE reading")
    async with generator(parts, "--messages", str(messages), *options) as process:
        generated = await report_of(process)
    await until_stored(database, messages)
    return generated["started_at"]


async def until_stored(database: asyncpg.Connection, messages: int) -> None:
    """Wait until so many readings are rows.

    Raises:
        RuntimeError: For half a minute there is not one more.
    """
    clock, stored = SystemClock(), 0
    moved = clock.monotonic()
    while stored < messages:
        await clock.sleep(_POLL)
        now = await database.fetchval("SELECT count(*) FROM reading")
        if now > stored:
            stored, moved = now, clock.monotonic()
        elif clock.monotonic() - moved > _PATIENCE:
            raise RuntimeError(f"only {stored} of {messages} readings were stored")


async def check_exactly_once(database: asyncpg.Connection, messages: int, report: Report) -> None:
    """Note that each reading that was sent is there once.

    Raises:
        RuntimeError: It is not so.
    """
    rows = await database.fetchval("SELECT count(*) FROM reading")
    different = await database.fetchval("SELECT count(DISTINCT sequence) FROM reading")
    buried = await database.fetchval("SELECT count(*) FROM dead_letter")
    if rows != messages or different != messages or buried:
        raise RuntimeError(
            f"{messages} sent: {rows} rows, {different} different, {buried} dead letters"
        )
    report.notes.append(f"{messages:,} sent, {rows:,} rows, each exactly once")


async def _check_nothing_left(parts: Parts, report: Report) -> None:
    """Take over the server's session: what it did not acknowledge would come again."""
    again: list[Message] = []
    wire = await open_wire(parts.address, f"{CLIENT_ID}-telemetry", again.append, clean=False)
    if not wire.session_present:
        raise RuntimeError("the broker has forgotten the server's session")
    await SystemClock().sleep(_SETTLE)
    wire.close()
    if again:
        raise RuntimeError(f"{len(again)} messages were stored but not acknowledged")
    report.notes.append("nothing was left unacknowledged")


async def _forget_sessions(parts: Parts) -> None:
    # Else the broker would keep for the server, which is gone, all that the floors send.
    for connection in ("telemetry", "control"):
        wire = await open_wire(parts.address, f"{CLIENT_ID}-{connection}")
        wire.close()


def read_times(path: Path) -> Sequence[float]:
    """Return when messages left, by their sequence number, in Unix seconds."""
    times = array("d")
    times.frombytes(path.read_bytes())
    return times


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 20 seconds")
    parser.add_argument("--messages", type=int, default=200_000, help="in the flood")
    parser.add_argument("--seconds", type=int, default=30, help="at the steady rate")
    parser.add_argument(
        "--mqtt-url", default="", help="measure with this broker, not with the embedded one"
    )
    options = parser.parse_args()
    flood = 30_000 if options.quick else options.messages
    paced = RATE * (4 if options.quick else options.seconds)
    broker = options.mqtt_url
    settings = {"flood": flood, "paced": paced, "broker": "given" if broker else "embedded"}
    report = Report(benchmark="ingest", settings=settings)
    uvloop.run(measure(broker, flood, paced, report))
    report.finish()


if __name__ == "__main__":
    main()
