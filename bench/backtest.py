"""How long fifty rules take to live through the past again.

`python -m bench.backtest [--days 30] [--year] [--quick]`: 100 sensors, one reading a minute (4.3
million in 30 days; with --year 52 million in 365), 50 rules that watch two sensors each: with a
time to hold for, with hysteresis, comparing, within windows of the day, with staleness. Rules are
shared out over two processes, each of which reads what its own rules watch; what Python and
PostgreSQL use of the cores says what bounds it. Two days are lived through both ways, judging where
something can change and straight at every reading, and what comes out is compared.

Then a rehearsal goes on beside: a ticker tells how long an event loop waits meanwhile, and commands
through a server how long they take.
"""

import argparse
import asyncio
import hashlib
import multiprocessing
import resource
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.clock import SystemClock
from app.rehearsing import ReliveElsewhere
from bench.command import through_server
from bench.parts import Parts, running_parts, running_server
from bench.processes import ended_children_cpu_seconds
from bench.reporting import Report, percentile
from domain.actuators import CommandAction, Pin
from domain.devices import Device
from domain.rules.conditions import (
    AllOf,
    Comparison,
    Condition,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Stale,
    Threshold,
    watched_sensors,
)
from domain.rules.model import CommandStep, Rule, default_mode
from domain.rules.replay import Backtest
from domain.rules.schedule import TimeWindow
from domain.sensors import Sensor, SensorKey
from domain.services.registry import Registry
from domain.services.relive import Rehearsal, relive
from storage.connection import Database
from storage.partitions import Partitions
from storage.past import past_readings

SENSORS = 100
RULES = 50
WORKERS = 2
BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_TICK = 0.002
_BOTH_WAYS = 2
"""Days that are lived through straight, too."""

_AIMS = {30: 60.0, 365: 120.0}
"""Seconds that so many days may take."""


class Share(NamedTuple):
    """What one process is to do."""

    database: str
    rules: range
    days: int
    skipping: bool


class Done(NamedTuple):
    """What one process did."""

    seconds: float
    cpu: float
    readings: int
    evaluations: int
    firings: int
    digest: str
    megabytes: float


def rule(number: int) -> Rule:
    """Make one of the rules; its sensors are its own."""
    one, other = (SensorKey("ESP_BENCH", 0, "ds18b20", str(2 * number + n)) for n in range(2))
    warm = Threshold(
        sensor=one, limit=Limit(Operator.GT, 24.0), unit="°C", hold_for=timedelta(minutes=10)
    )
    held = Hysteresis(sensor=one, activate=18.0, deactivate=20.0, rising=False, unit="°C")
    apart = Comparison(left=one, operator=Operator.GT, right=other, offset=1.0)
    night = TimeWindow(start=22 * 60, end=6 * 60, time_zone="Europe/Berlin")
    stale = Stale(sensor=other, older_than=timedelta(hours=1))
    conditions: Sequence[Condition] = (
        AllOf((warm, Not(stale))),
        AllOf((held, replace(warm, sensor=other, limit=Limit(Operator.LT, 30.0)))),
        AllOf((apart, night)),
        AllOf((held, Not(stale), Not(night))),
        AllOf((warm, replace(held, sensor=other, rising=True, activate=22.0))),
    )
    condition = conditions[number % len(conditions)]
    return Rule(
        id=UUID(int=number + 1),
        version=1,
        name=f"rule {number}",
        condition=condition,
        actions=(CommandStep(pin=Pin("ESP_BENCH", number), action=CommandAction.ON),),
        mode=default_mode(condition),
    )


def work(share: Share) -> Done:
    """Let some of the rules live through the past, in a process of its own."""
    return asyncio.run(_work(share))


async def _work(share: Share) -> Done:
    clock = SystemClock()
    rehearsal = await rehearsal_of(share)
    began, worked = clock.monotonic(), process_time()
    async with past_readings(share.database) as past:
        found = await relive(past, rehearsal)
    return Done(
        clock.monotonic() - began,
        process_time() - worked,
        sum(each.readings for each in found),
        sum(each.evaluations for each in found),
        sum(each.firing_count for each in found),
        _digest(found),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


async def rehearsal_of(share: Share) -> Rehearsal:
    """Return what the service would have rehearsed."""
    database, registry = Database(share.database), Registry()
    await database.connect()
    await registry.load(database)
    await database.close()
    rules = [rule(number) for number in share.rules]
    watched = {key for each in rules for key in watched_sensors(each.condition)}
    return Rehearsal(
        rules=rules,
        sensors={each.key: each.id for each in registry.sensors() if each.key in watched},
        actuators={},
        start=BEGIN,
        end=BEGIN + share.days * _DAY,
        skipping=share.skipping,
    )


def _digest(found: Sequence[Backtest]) -> str:
    said = [(each.firings, each.commands, sorted(each.use.items())) for each in found]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


async def fill(url: str, days: int) -> None:
    """Store the past: days that are warm and nights that are cold, with some noise."""
    device = Device(
        id=UUID(int=1),
        esp_id="ESP_BENCH",
        kaiser_id="god",
        approved=True,
        online=True,
        last_seen=BEGIN,
        created_at=BEGIN,
        updated_at=BEGIN,
    )
    sensors = [
        Sensor(id=0, key=key, name=key.address, unit="°C", created_at=BEGIN, updated_at=BEGIN)
        for key in (SensorKey("ESP_BENCH", 0, "ds18b20", str(n)) for n in range(SENSORS))
    ]
    database = Database(url)
    await database.connect()
    async with database.unit_of_work() as unit:
        await unit.devices.add(device)
        await unit.sensors.add(sensors)
    await database.close()
    months = [BEGIN + timedelta(days=27) * n for n in range(days // 27 + 2)]
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as pool,
        pool.acquire() as connection,
    ):
        await connection.execute(_CONVERSION)
        await Partitions().ensure(connection, months, BEGIN)
        for day in range(days):
            await connection.execute(_DAY_OF_READINGS, SENSORS, BEGIN + day * _DAY, timeout=300)
        await connection.execute("VACUUM ANALYZE reading", timeout=600)


async def measure(days: Sequence[int], commands: int, report: Report) -> None:
    """Run everything and fill the report."""
    clock = SystemClock()
    async with running_parts() as parts:
        began = clock.monotonic()
        await fill(parts.database, max(*days, _BOTH_WAYS))
        report.add("storing the past", clock.monotonic() - began, "s")
        for each in days:
            await all_rules(parts, each, report)
        skipped = await all_rules(parts, _BOTH_WAYS, report)
        straight = await all_rules(parts, _BOTH_WAYS, report, skipping=False)
        same = [one.digest for one in skipped] == [one.digest for one in straight]
        report.notes.append(f"decisions and explanations are {'' if same else 'NOT '}identical")
        await beside(parts, max(days), commands, report)


async def all_rules(
    parts: Parts, days: int, report: Report, *, skipping: bool = True
) -> Sequence[Done]:
    """Let all rules live through so many days, on two cores."""
    name = f"{days} days{'' if skipping else ' straight'}"
    part = RULES // WORKERS
    shares = [
        Share(parts.database, range(n * part, (n + 1) * part), days, skipping)
        for n in range(WORKERS)
    ]
    loop = asyncio.get_running_loop()
    context = multiprocessing.get_context("spawn")
    before = ended_children_cpu_seconds(parts.pids["PostgreSQL"])
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        done = await asyncio.gather(*(loop.run_in_executor(pool, work, each) for each in shares))
    database = ended_children_cpu_seconds(parts.pids["PostgreSQL"]) - before
    seconds = max(each.seconds for each in done)
    readings = sum(each.readings for each in done)
    target = f"<= {_AIMS[days]:g} s" if skipping and days in _AIMS else ""
    report.add(f"{name}: all rules", seconds, "s", target=target)
    report.add(f"{name}: Python's CPU", sum(each.cpu for each in done), "s")
    report.add(f"{name}: PostgreSQL's CPU", database, "s")
    report.add(f"{name}: readings", readings, "")
    report.add(f"{name}: readings a second", readings / seconds, "1/s")
    report.add(f"{name}: judgements", sum(each.evaluations for each in done), "")
    report.add(f"{name}: firings", sum(each.firings for each in done), "")
    report.add(f"{name}: most memory of a process", max(e.megabytes for e in done), "MB")
    return done


# ------------------------------------------------------------ beside


async def beside(parts: Parts, days: int, commands: int, report: Report) -> None:
    """Measure how long others wait while a rehearsal goes on, and while none does."""
    rehearsal = await rehearsal_of(Share(parts.database, range(RULES), days, skipping=True))
    elsewhere = ReliveElsewhere(parts.database)

    async def rehearse() -> None:
        while True:
            await elsewhere(rehearsal, lambda _: None)

    async def wait() -> Sequence[float]:
        clock, waits = SystemClock(), list[float]()
        while len(waits) < commands:
            began = clock.monotonic()
            await clock.sleep(_TICK)
            waits.append(clock.monotonic() - began - _TICK)
        return waits

    async with running_server(parts) as running:
        await _compare(report, "the loop waits", wait, rehearse)
        await _compare(
            report, "a command takes", lambda: through_server(running, commands), rehearse
        )


async def _compare(
    report: Report,
    name: str,
    measured: Callable[[], Awaitable[Sequence[float]]],
    rehearse: Callable[[], Coroutine[None, None, None]],
) -> None:
    alone = await measured()
    async with asyncio.TaskGroup() as tasks:
        rehearsing = tasks.create_task(rehearse())
        crowded = await measured()
        rehearsing.cancel()
    for share in (0.5, 0.99):
        label = f"{name}, p{share * 100:.0f}"
        floor = f"{label}, alone"
        report.add(floor, percentile(alone, share) * 1000.0, "ms")
        report.add(f"{label}, beside", percentile(crowded, share) * 1000.0, "ms", floor=floor)


_CONVERSION = """
INSERT INTO conversion (mode, library, library_version, unit)
VALUES ('PI_ENHANCED', 'ds18b20', '1.0.0', '°C')
"""

_DAY_OF_READINGS = """
INSERT INTO reading (id, measured_at, received_at, raw_value, value, sequence, sensor_id,
                     conversion_id, quality)
SELECT (extract(epoch FROM at) * 1000000)::bigint + sensor.id, at,
       at + interval '20 milliseconds' + sensor.id * interval '1 microsecond', 344, value, NULL,
       sensor.id, (SELECT max(id) FROM conversion), 2
FROM generate_series($2::timestamptz, $2 + interval '1439 minutes', interval '1 minute') AS at
CROSS JOIN (SELECT id FROM sensor ORDER BY id LIMIT $1::int) AS sensor
CROSS JOIN LATERAL (
    SELECT 21 + 5 * sin(extract(epoch FROM at)::float8 * 2 * pi() / 86400 + sensor.id)
           + 2 * sin(extract(epoch FROM at)::float8 / 500000 + sensor.id)
           + 0.1 * random() AS value
) AS made
ORDER BY at, sensor.id
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="how much of the past")
    parser.add_argument("--year", action="store_true", help="a year as well; takes half an hour")
    parser.add_argument("--quick", action="store_true", help="four days only")
    options = parser.parse_args()
    days = [4 if options.quick else options.days, *([365] if options.year else [])]
    settings = {"days": days, "sensors": SENSORS, "rules": RULES, "processes": WORKERS}
    report = Report(benchmark="backtest", settings=settings)
    asyncio.run(measure(days, 200 if options.quick else 2000, report))
    report.finish()


if __name__ == "__main__":
    main()
