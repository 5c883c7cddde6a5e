import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from domain.actuators import Command, CommandAction, CommandOrigin, CommandStatus
from domain.errors import BadInputError, StorageRejectedError
from domain.pages import Key, PageRequest
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_actuator
from tests.makers import make_actuator, make_command, make_user
from tests.query_counting import counted_queries


async def stored_commands(database: Database, *seconds: float) -> list[Command]:
    actuator = await stored_actuator(database)
    async with database.unit_of_work() as work:
        return [
            await work.commands.add(
                make_command(actuator, id=uuid7(), created_at=START + timedelta(seconds=second))
            )
            for second in seconds
        ]


async def test_a_command_comes_back_as_it_was_stored(database: Database) -> None:
    actuator, user = await stored_actuator(database), make_user(id=uuid7())
    command = make_command(
        actuator,
        id=uuid7(),
        action=CommandAction.PWM,
        value=0.4,
        duration=timedelta(minutes=5, microseconds=1),
        origin=CommandOrigin.REST,
        user_id=user.id,
        idempotency_key="once",
    )
    async with database.unit_of_work() as work:
        await work.users.add(user)
        assert await work.commands.add(command) == command
    async with database.unit_of_work() as work:
        assert await work.commands.by_id(command.id) == command
        assert await work.commands.by_id(UUID(int=1)) is None


async def test_a_repeated_idempotency_key_returns_the_first_command(database: Database) -> None:
    actuator = await stored_actuator(database)
    first = make_command(actuator, id=uuid7(), idempotency_key="once")
    async with database.unit_of_work() as work:
        await work.commands.add(first)
    async with database.unit_of_work() as work:
        assert await work.commands.add(replace(first, id=uuid7(), value=0.0)) == first


async def test_of_two_who_use_a_key_at_the_same_time_one_wins(database: Database) -> None:
    actuator = await stored_actuator(database)

    async def order() -> Command:
        command = make_command(actuator, id=uuid7(), idempotency_key="once")
        async with database.unit_of_work() as work:
            return await work.commands.add(command)

    orders = await asyncio.gather(*(order() for _ in range(5)))
    assert len({command.id for command in orders}) == 1


async def test_commands_without_a_key_are_never_the_same(database: Database) -> None:
    assert len({command.id for command in await stored_commands(database, 0, 0)}) == 2


async def test_a_command_for_no_actuator_is_refused(database: Database) -> None:
    with pytest.raises(StorageRejectedError):
        async with database.unit_of_work() as work:
            await work.commands.add(make_command(make_actuator(id=77)))


async def test_saving_keeps_how_far_it_has_come_and_nothing_else(database: Database) -> None:
    (command,) = await stored_commands(database, 0)
    progress = replace(
        command,
        status=CommandStatus.FAILED,
        reason="Pumpe klemmt",
        sent_at=START,
        completed_at=START + timedelta(seconds=2),
    )
    async with database.unit_of_work() as work:
        await work.commands.save(replace(progress, value=0.9, action=CommandAction.OFF))
        assert await work.commands.by_id(command.id) == progress


async def test_pages_walk_the_history_of_an_actuator_backward_once(database: Database) -> None:
    commands = await stored_commands(database, 3, 1, 2, 2, 2, 0)
    newest_first = sorted(commands, key=lambda c: (c.created_at, c.id), reverse=True)
    other = await stored_actuator(database, gpio=6)
    seen: list[Command] = []
    after: Key | None = None
    async with database.unit_of_work() as work:
        await work.commands.add(make_command(other, id=uuid7()))
        while True:
            page = await work.commands.of_actuator(commands[0].actuator_id, PageRequest(2, after))
            seen += [entry.item for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
    assert seen == newest_first


@pytest.mark.parametrize("after", [(1, "no uuid"), (10**30, str(UUID(int=1))), (1,), ("a", "b")])
async def test_the_cursor_of_another_list_is_refused(database: Database, after: Key) -> None:
    with pytest.raises(BadInputError, match="another list"):
        async with database.unit_of_work() as work:
            await work.commands.of_actuator(1, PageRequest(1, after))


async def test_the_open_commands_come_oldest_first(database: Database) -> None:
    commands = await stored_commands(database, *range(len(CommandStatus)))
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        for command, status in zip(reversed(commands), CommandStatus, strict=True):
            await work.commands.save(replace(command, status=status))
        unfinished = await work.commands.unfinished()
    assert [command.status for command in unfinished] == [
        CommandStatus.SENT,
        CommandStatus.PENDING,
    ]
    assert len(queries) == len(CommandStatus) + 1
