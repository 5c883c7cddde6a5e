"""How long fifty rules take to live through the past again.

`python -m bench.backtest [--days 30] [--quick] [--straight]`: 100 sensors, one reading a minute
(4.3 million in 30 days, 52 million in 365), 50 rules that watch two sensors each: with a time to
hold for, with hysteresis, comparing, within windows of the day, with staleness. Rules are shared
out over two processes, each of which reads what its own rules watch. Straight, a rule is judged at
every reading; skipping, only where something can change; with --straight, both are run and their
firings, explanations and commands compared. A ticker tells how long the loop waits meanwhile.
"""

import argparse
import asyncio
import hashlib
import multiprocessing
import resource
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.clock import SystemClock
from bench.parts import running_parts
from bench.reporting import Report
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
)
from domain.rules.model import CommandStep, Rule, default_mode
from domain.rules.replay import Backtest
from domain.rules.schedule import TimeWindow
from domain.sensors import Sensor, SensorKey
from domain.services.registry import Registry
from domain.services.rehearse import Rehearse
from storage.connection import Database
from storage.partitions import Partitions

SENSORS = 100
RULES = 50
WORKERS = 2
BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_TICK = 0.002


class Share(NamedTuple):
    """What one process is to do."""

    database: str
    rules: range
    days: int
    skipping: bool


class Done(NamedTuple):
    """What one process did."""

    seconds: float
    readings: int
    evaluations: int
    firings: int
    digest: str
    megabytes: float
    longest_wait: float


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
    database, clock, registry = Database(share.database), SystemClock(), Registry()
    await database.connect()
    await registry.load(database)
    service = Rehearse(storage=database, registry=registry, clock=clock, new_id=lambda: UUID(int=0))
    rules = [rule(number) for number in share.rules]
    waits: list[float] = []
    end = BEGIN + share.days * _DAY
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(_tick(clock, waits))
        began = clock.monotonic()
        found = await service.live_through(rules, BEGIN, end, skipping=share.skipping)
        seconds = clock.monotonic() - began
        ticking.cancel()
    await database.close()
    return Done(
        seconds,
        sum(each.readings for each in found),
        sum(each.evaluations for each in found),
        sum(each.firing_count for each in found),
        _digest(found),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        max(waits, default=0.0),
    )


async def _tick(clock: SystemClock, waits: list[float]) -> None:
    while True:
        began = clock.monotonic()
        await clock.sleep(_TICK)
        waits.append(clock.monotonic() - began - _TICK)


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


async def measure(days: int, report: Report, *, straight: bool) -> None:
    """Run everything and fill the report."""
    clock = SystemClock()
    async with running_parts() as parts:
        began = clock.monotonic()
        await fill(parts.database, days)
        report.add("storing the past", clock.monotonic() - began, "s")
        skipped = await _all_rules(parts.database, days, report, skipping=True)
        if straight:
            judged = await _all_rules(parts.database, days, report, skipping=False)
            same = [one.digest for one in skipped] == [one.digest for one in judged]
            report.notes.append(f"decisions and explanations are {'' if same else 'NOT '}identical")


async def _all_rules(url: str, days: int, report: Report, *, skipping: bool) -> Sequence[Done]:
    name = "skipping" if skipping else "straight"
    part = RULES // WORKERS
    shares = [Share(url, range(n * part, (n + 1) * part), days, skipping) for n in range(WORKERS)]
    loop = asyncio.get_running_loop()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        done = await asyncio.gather(*(loop.run_in_executor(pool, work, each) for each in shares))
    seconds = max(each.seconds for each in done)
    readings = sum(each.readings for each in done)
    aim = {True: "120 s for a year", False: "60 s for a month"}[skipping]
    report.add(f"{name}: all rules", seconds, "s", target=aim)
    report.add(f"{name}: readings", readings, "")
    report.add(f"{name}: readings a second", readings / seconds, "1/s")
    report.add(f"{name}: judgements", sum(each.evaluations for each in done), "")
    report.add(f"{name}: firings", sum(each.firings for each in done), "")
    report.add(f"{name}: most memory of a process", max(e.megabytes for e in done), "MB")
    longest = max(each.longest_wait for each in done) * 1000
    report.add(f"{name}: longest wait of the loop", longest, "ms")
    return done


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
"""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="how much of the past")
    parser.add_argument("--quick", action="store_true", help="two days, both ways")
    parser.add_argument("--straight", action="store_true", help="judge at every reading, too")
    options = parser.parse_args()
    days = 2 if options.quick else options.days
    settings = {"days": days, "sensors": SENSORS, "rules": RULES, "processes": WORKERS}
    report = Report(benchmark="backtest", settings=settings)
    asyncio.run(measure(days, report, straight=options.straight or options.quick))
    report.finish()


if __name__ == "__main__":
    main()
