"""Logging in, staying logged in, and the first administrator."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.errors import BadInputError, ConflictError, NotFoundError, UnauthenticatedError
from domain.services.accounts import Accounts
from domain.users import Role
from tests.fakes import FakeClock, FakePasswords, FakeStorage, FakeTokens
from tests.makers import make_user


def accounts(storage: FakeStorage | None = None) -> Accounts:
    return Accounts(
        storage=storage or FakeStorage(),
        passwords=FakePasswords(),
        tokens=FakeTokens(),
        clock=FakeClock(),
        new_id=lambda: UUID(int=1),
    )


async def with_anna(**changes: object) -> tuple[Accounts, FakeStorage]:
    storage = FakeStorage()
    await storage.users.add(make_user("anna", **changes))  # type: ignore[arg-type]  # any field
    return accounts(storage), storage


async def test_the_right_name_and_password_give_tokens_that_prove_who_it_is() -> None:
    service, _ = await with_anna(role=Role.OPERATOR)

    tokens = await service.login("anna", "secret")

    identity = service.tokens.read_access(tokens.access_token, service.clock.now())
    assert (identity.username, identity.role) == ("anna", Role.OPERATOR)
    assert identity.expires_at == tokens.expires_at


@pytest.mark.parametrize(
    ("username", "password", "active"),
    [("anna", "wrong", True), ("nobody", "secret", True), ("anna", "secret", False)],
)
async def test_every_refused_login_says_the_same_and_costs_one_verification(
    username: str,
    password: str,
    active: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    service, _ = await with_anna(active=active)

    with pytest.raises(UnauthenticatedError, match="the user name or the password is wrong"):
        await service.login(username, password)

    assert isinstance(service.passwords, FakePasswords)
    assert service.passwords.verified == 1


async def test_a_refresh_token_buys_new_tokens_with_the_rights_of_now() -> None:
    service, storage = await with_anna(role=Role.ADMIN)
    tokens = await service.login("anna", "secret")
    demoted = replace(tokens.user, role=Role.VIEWER)
    storage.users.rows[demoted.id] = demoted

    renewed = await service.refresh(tokens.refresh_token)

    identity = service.tokens.read_access(renewed.access_token, service.clock.now())
    assert identity.role is Role.VIEWER


async def test_an_access_token_does_not_buy_new_tokens() -> None:
    service, _ = await with_anna()
    tokens = await service.login("anna", "secret")

    with pytest.raises(UnauthenticatedError):
        await service.refresh(tokens.access_token)


async def test_an_account_that_was_switched_off_is_not_renewed() -> None:
    service, storage = await with_anna()
    tokens = await service.login("anna", "secret")
    storage.users.rows[tokens.user.id] = replace(tokens.user, active=False)

    with pytest.raises(UnauthenticatedError):
        await service.refresh(tokens.refresh_token)


async def test_the_first_administrator_gets_a_generated_password_that_works_once_shown() -> None:
    service = accounts()

    password = await service.ensure_first_admin(None)

    assert password
    assert (await service.login("admin", password)).user.role is Role.ADMIN
    assert await service.ensure_first_admin(None) is None


async def test_a_chosen_password_of_the_first_administrator_is_not_repeated() -> None:
    service = accounts()

    assert await service.ensure_first_admin("chosen by hand") is None
    assert (await service.login("admin", "chosen by hand")).user.username == "admin"


async def test_where_there_are_accounts_no_administrator_is_made() -> None:
    service, storage = await with_anna()

    assert await service.ensure_first_admin("whatever it is") is None
    assert await storage.users.by_name("admin") is None


@pytest.mark.parametrize(("username", "password"), [("", "long enough"), ("eva", "short")])
async def test_a_bad_name_or_password_makes_no_account(username: str, password: str) -> None:
    service = accounts()

    with pytest.raises(BadInputError):
        await service.create_admin(username, password)


async def test_a_name_is_given_once() -> None:
    service, _ = await with_anna()

    with pytest.raises(ConflictError):
        await service.create_admin("anna", "long enough")


async def test_a_forgotten_password_is_replaced() -> None:
    service, _ = await with_anna(role=Role.OPERATOR)

    await service.reset_password("anna", "another one")

    assert (await service.login("anna", "another one")).user.role is Role.OPERATOR
    with pytest.raises(UnauthenticatedError):
        await service.login("anna", "secret")


async def test_a_password_that_is_too_short_or_of_nobody_replaces_nothing() -> None:
    service, _ = await with_anna()

    with pytest.raises(BadInputError, match="8 to 1024 characters, not 5"):
        await service.reset_password("anna", "short")
    with pytest.raises(NotFoundError, match="no account eva"):
        await service.reset_password("eva", "long enough")
    await service.login("anna", "secret")
