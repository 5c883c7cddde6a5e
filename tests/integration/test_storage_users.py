import asyncio

import pytest
from uuid_utils.compat import uuid7

from domain.errors import ConflictError
from domain.users import Role, User
from storage.connection import Database
from tests.makers import make_user


async def test_an_account_comes_back_as_it_was_stored(database: Database) -> None:
    anna = make_user(id=uuid7(), email="anna@example.org")
    bert = make_user("bert", Role.VIEWER, id=uuid7(), active=False)
    async with database.unit_of_work() as work:
        assert await work.users.add(anna) == anna
        await work.users.add(bert)
    async with database.unit_of_work() as work:
        assert await work.users.by_name("anna") == anna
        assert await work.users.by_name("nobody") is None
        assert await work.users.by_ids([bert.id, anna.id, uuid7()]) == {
            anna.id: anna,
            bert.id: bert,
        }
        assert await work.users.count() == 2


async def test_a_name_is_taken_once_and_the_transaction_goes_on(database: Database) -> None:
    anna = make_user(id=uuid7())
    async with database.unit_of_work() as work:
        await work.users.add(anna)
        with pytest.raises(ConflictError, match="anna is taken"):
            await work.users.add(make_user(id=uuid7()))
        assert await work.users.count() == 1


async def test_of_two_who_take_a_name_at_the_same_time_one_gets_it(database: Database) -> None:
    async def take() -> User:
        async with database.unit_of_work() as work:
            return await work.users.add(make_user(id=uuid7()))

    outcomes = await asyncio.gather(*(take() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 3


async def test_a_new_password_replaces_the_old(database: Database) -> None:
    anna = make_user(id=uuid7())
    async with database.unit_of_work() as work:
        await work.users.add(anna)
        await work.users.save_password(anna.id, "another hash")
        stored = await work.users.by_name("anna")
    assert stored is not None
    assert stored.password_hash == "another hash"  # noqa: S105 - not a real one
