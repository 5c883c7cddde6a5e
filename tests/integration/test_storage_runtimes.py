"""The history of actuators in a real database: when they were on, and what of it is kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.actuators import Actuator, Command, CommandStatus
from domain.leases import Lease, Run
from domain.pages import PageRequest
from domain.runtimes import COMMANDS_KEPT_FOR, RUNS_KEPT_FOR, days, total, within
from domain.services.trim_history import BATCH, TrimHistory
from storage.connection import Database
from tests.fakes import START, FakeClock
from tests.fakes.shelf import FakeJournal
from tests.integration.storing import stored_actuator
from tests.makers import make_actuator, make_command
from tests.query_counting import counted_queries

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ACKNOWLEDGED, REJECTED = CommandStatus.ACKNOWLEDGED, CommandStatus.REJECTED


def make_lease(actuator: Actuator, **changes: object) -> Lease:
    lease = Lease(
        id=UUID(int=1),
        actuator_id=actuator.id,
        pin=actuator.pin,
        command_id=None,
        value=1.0,
        began=START,
        until=START + MINUTE,
        on_since=START,
        seen_at=START,
    )
    return replace(lease, **changes)  # type: ignore[arg-type]  # any field


async def store_runs(
    database: Database, actuator: Actuator, spans: Sequence[tuple[datetime, datetime]]
) -> Sequence[Run]:
    runs = [
        Run(actuator_id=actuator.id, pin=actuator.pin, began=began, ended=ended)
        for began, ended in spans
    ]
    async with database.unit_of_work() as work:
        for run in runs:
            await work.leases.close(make_lease(actuator), run)
    return runs


def id_of(at: datetime, number: int) -> UUID:
    """Return the time-ordered id that a command of this time has."""
    return UUID(int=round(at.timestamp() * 1000) << 80 | 7 << 76 | number)


async def store_commands(
    database: Database, actuator: Actuator, *told: tuple[timedelta, CommandStatus]
) -> Sequence[Command]:
    """Store commands of so long ago."""
    commands = [
        make_command(actuator, id=id_of(START - age, number), status=status, created_at=START - age)
        for number, (age, status) in enumerate(told)
    ]
    async with database.unit_of_work() as work:
        for command in commands:
            await work.commands.add(command)
    return commands


async def known(database: Database, commands: Sequence[Command]) -> list[int]:
    """Return which of them are still there, by their place."""
    async with database.autocommit() as work:
        found = await work.commands.by_ids([command.id for command in commands])
    return [place for place, command in enumerate(commands) if command.id in found]


def trimming(database: Database) -> TrimHistory:
    return TrimHistory(storage=database, clock=FakeClock(automatic=True), journal=FakeJournal())


async def test_the_database_adds_up_days_as_the_domain_does(database: Database) -> None:
    actuator = await stored_actuator(database)
    random, began, spans = Random(7), START - 5 * DAY, []
    while began < START + 5 * DAY:
        ended = began + random.choice([1, 20, 700, 4000]) * MINUTE
        spans.append((began, ended))
        began = ended + random.choice([1, 300]) * MINUTE
    runs = await store_runs(database, actuator, spans)
    every = days(START - 4 * DAY, START + 3.3 * DAY, ZoneInfo("Europe/Berlin"))
    async with counted_queries(database) as queries, database.autocommit() as work:
        stored = await work.leases.runtimes(actuator.id, every)
    assert len(queries) == 1
    assert stored == [total(within(day, run.began, run.ended) for run in runs) for day in every]
    async with database.autocommit() as work:
        other = await work.leases.runtimes(actuator.id + 1, every)
    assert other == [total(()) for _ in every]


async def test_runs_are_paged_newest_first_within_a_time(database: Database) -> None:
    actuator = await stored_actuator(database)
    times = [START + number * MINUTE for number in range(6)]
    runs = await store_runs(database, actuator, [(time, time + MINUTE / 2) for time in times])
    found: list[Run] = []
    request = PageRequest(2)
    async with database.autocommit() as work:
        for _ in range(2):
            page = await work.leases.runs_of(actuator.id, request, start=times[1], end=times[5])
            found += [entry.item for entry in page.entries]
            request = PageRequest(2, page.entries[-1].key)
        assert not page.has_next
    assert found == [runs[4], runs[3], runs[2], runs[1]]


async def test_runs_leave_when_they_are_too_old(database: Database) -> None:
    actuator = await stored_actuator(database)
    old = START - RUNS_KEPT_FOR
    await store_runs(
        database, actuator, [(old - n * MINUTE, old - n * MINUTE + MINUTE / 2) for n in range(4)]
    )
    async with database.autocommit() as work:
        assert await work.leases.trim_runs(old, 2) == 2
    assert await trimming(database).trim() == 1
    async with database.autocommit() as work:
        assert len(await work.leases.runs_since(START - 2 * RUNS_KEPT_FOR)) == 1


async def test_old_commands_leave_but_what_was_last_asked_for_stays(database: Database) -> None:
    pump = await stored_actuator(database)
    async with database.unit_of_work() as work:
        valve = await work.actuators.add(make_actuator(gpio=6))
    old = COMMANDS_KEPT_FOR + DAY
    of_pump = await store_commands(
        database,
        pump,
        (old + 3 * MINUTE, ACKNOWLEDGED),
        (old + 2 * MINUTE, REJECTED),
        (old + 1 * MINUTE, CommandStatus.SENT),
        (DAY, ACKNOWLEDGED),
    )
    of_valve = await store_commands(
        database,
        valve,
        (old + 2 * DAY, ACKNOWLEDGED),
        (old + DAY, ACKNOWLEDGED),
        (old, REJECTED),
    )
    assert await trimming(database).trim() == 4
    assert await known(database, of_pump) == [2, 3]
    assert await known(database, of_valve) == [1]


async def test_a_command_whose_lease_is_in_force_stays(database: Database) -> None:
    actuator = await stored_actuator(database)
    old = COMMANDS_KEPT_FOR + DAY
    commands = await store_commands(
        database, actuator, (old + MINUTE, ACKNOWLEDGED), (old, ACKNOWLEDGED)
    )
    async with database.autocommit() as work:
        await work.leases.open(make_lease(actuator, command_id=commands[0].id))
    assert await trimming(database).trim() == 0
    assert await known(database, commands) == [0, 1]


async def test_of_too_many_commands_the_oldest_leave_in_pieces(database: Database) -> None:
    actuator = await stored_actuator(database)
    commands = await store_commands(
        database, actuator, *((n * MINUTE, ACKNOWLEDGED) for n in range(9, 0, -1))
    )
    async with database.autocommit() as work:
        assert await work.commands.trim(9, START - DAY, BATCH) == 0
        assert await work.commands.trim(5, START - DAY, 3) == 3
    assert await known(database, commands) == [3, 4, 5, 6, 7, 8]
    async with database.autocommit() as work:
        assert await work.commands.trim(5, START - DAY, 3) == 1
