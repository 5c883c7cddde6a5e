"""Leases and runs in a real database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from domain.actuators import Actuator, CommandStatus
from domain.errors import StorageRejectedError
from domain.leases import Lease, Run
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_actuator
from tests.makers import make_command
from tests.query_counting import counted_queries

MINUTE = timedelta(minutes=1)


def make_lease(actuator: Actuator, **changes: Any) -> Lease:  # noqa: ANN401 - any field
    lease = Lease(
        id=uuid7(),
        actuator_id=actuator.id,
        pin=actuator.pin,
        command_id=None,
        value=1.0,
        began=START,
        until=START + MINUTE,
        on_since=START,
        seen_at=START,
        confirmed=True,
    )
    return replace(lease, **changes)


def make_run(actuator: Actuator, minutes: float = 1.0) -> Run:
    return Run(
        actuator_id=actuator.id, pin=actuator.pin, began=START, ended=START + minutes * MINUTE
    )


async def test_a_lease_and_that_its_command_is_sent_are_stored_in_one_statement(
    database: Database,
) -> None:
    actuator = await stored_actuator(database)
    command = make_command(actuator, id=uuid7())
    lease = make_lease(actuator, command_id=command.id, confirmed=False)
    sent = replace(command, status=CommandStatus.SENT, sent_at=START)
    async with database.autocommit() as work:
        await work.commands.add(command)
    async with counted_queries(database) as queries, database.autocommit() as work:
        await work.leases.grant(lease, sent)
    assert len(queries) == 1
    async with database.autocommit() as work:
        assert await work.leases.all() == [lease]
        assert await work.commands.by_id(command.id) == sent


async def test_a_new_lease_takes_the_place_of_the_one_before(database: Database) -> None:
    actuator = await stored_actuator(database)
    command = make_command(actuator, id=uuid7(), status=CommandStatus.ACKNOWLEDGED)
    first, second = make_lease(actuator), make_lease(actuator, command_id=command.id, value=0.5)
    async with database.autocommit() as work:
        await work.commands.add(command)
        await work.leases.open(first)
        await work.leases.grant(second, command)
        assert await work.leases.all() == [second]


async def test_what_a_device_did_by_itself_never_replaces_a_lease(database: Database) -> None:
    actuator = await stored_actuator(database)
    first = make_lease(actuator)
    async with database.autocommit() as work:
        await work.leases.open(first)
        await work.leases.open(make_lease(actuator))
        assert await work.leases.all() == [first]


async def test_times_are_stored_only_of_leases_that_are_still_there(database: Database) -> None:
    actuator = await stored_actuator(database)
    lease = make_lease(actuator)
    moved = lease.moved(timedelta(hours=1))
    async with database.autocommit() as work:
        await work.leases.open(lease)
        await work.leases.save_times([moved, make_lease(actuator)], START + 2 * MINUTE)
        assert await work.leases.all() == [replace(moved, seen_at=START + 2 * MINUTE)]


async def test_closing_forgets_only_that_lease_and_keeps_its_run_once(database: Database) -> None:
    actuator = await stored_actuator(database)
    lease, run = make_lease(actuator), make_run(actuator)
    async with database.autocommit() as work:
        await work.leases.open(lease)
        await work.leases.close(make_lease(actuator), None)
        assert await work.leases.all() == [lease]
        for _ in range(2):
            await work.leases.close(lease, run)
        assert await work.leases.all() == []
        assert await work.leases.runs_since(run.ended) == [run]
        assert await work.leases.runs_since(run.ended + MINUTE) == []


async def test_removing_an_actuator_removes_its_lease_and_its_runs(database: Database) -> None:
    actuator = await stored_actuator(database)
    async with database.autocommit() as work:
        await work.leases.open(make_lease(actuator))
        await work.leases.close(make_lease(actuator), make_run(actuator))
        await work.actuators.remove(actuator.id)
        assert await work.leases.all() == []
        assert await work.leases.runs_since(START) == []
        await work.leases.open(make_lease(actuator))
        await work.leases.close(make_lease(actuator), make_run(actuator))
        assert await work.leases.all() == []


async def test_a_lease_of_nothing_is_refused(database: Database) -> None:
    actuator = await stored_actuator(database)
    lease = make_lease(replace(actuator, id=actuator.id + 1))
    async with database.autocommit() as work:
        with pytest.raises(StorageRejectedError):
            await work.leases.grant(lease, make_command(actuator))
