"""Password hashes and tokens."""

import asyncio
from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.security import MOST_WAITING, SHORTEST_SECRET, Argon2Passwords, JwtIssuer
from domain.errors import BadInputError, OverloadedError, UnauthenticatedError
from domain.users import Role
from tests.fakes import START
from tests.makers import make_user

SECRET = "k" * SHORTEST_SECRET
TOKENS = JwtIssuer(SECRET)


def cheap_passwords() -> Argon2Passwords:
    """The same algorithm with the smallest work, so that tests are fast."""
    return Argon2Passwords(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))


async def test_a_password_is_known_again_by_its_hash_and_no_other_is() -> None:
    passwords = cheap_passwords()

    password_hash = await passwords.hash("correct horse")

    assert "correct horse" not in password_hash
    assert await passwords.verify("correct horse", password_hash)
    assert not await passwords.verify("battery staple", password_hash)


async def test_the_same_password_hashes_differently_each_time() -> None:
    passwords = cheap_passwords()

    assert await passwords.hash("same") != await passwords.hash("same")


async def test_what_is_no_hash_matches_no_password() -> None:
    assert not await cheap_passwords().verify("anything", "anything")


async def test_production_hashes_follow_rfc_9106() -> None:
    password_hash = await Argon2Passwords().hash("secret")

    assert password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_flood_of_logins_is_refused_and_not_queued_without_end() -> None:
    passwords = cheap_passwords()

    outcomes = await asyncio.gather(
        *(passwords.hash("x") for _ in range(MOST_WAITING + 5)), return_exceptions=True
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, OverloadedError)]
    assert len(refused) == 5
    assert await passwords.hash("later") != ""


@pytest.mark.parametrize("role", list(Role))
def test_an_access_token_says_who_it_stands_for_and_until_when(role: Role) -> None:
    user = make_user("anna", role)

    token, expires_at = TOKENS.access(user, START)
    identity = TOKENS.read_access(token, START)

    assert (identity.user_id, identity.username, identity.role) == (user.id, "anna", role)
    assert identity.expires_at == expires_at == START + TOKENS.access_lifetime


def test_a_token_ends_at_the_second_it_says() -> None:
    token, expires_at = TOKENS.access(make_user(), START)

    assert TOKENS.read_access(token, expires_at - timedelta(seconds=1)).username == "anna"
    with pytest.raises(UnauthenticatedError, match="expired"):
        TOKENS.read_access(token, expires_at)


def test_a_refresh_token_is_no_access_token_and_the_other_way_round() -> None:
    user = make_user("anna")
    access, _ = TOKENS.access(user, START)
    refresh = TOKENS.refresh(user, START)

    assert TOKENS.read_refresh(refresh, START) == "anna"
    with pytest.raises(UnauthenticatedError):
        TOKENS.read_access(refresh, START)
    with pytest.raises(UnauthenticatedError):
        TOKENS.read_refresh(access, START)


def test_a_refresh_token_ends_too() -> None:
    refresh = TOKENS.refresh(make_user(), START)

    with pytest.raises(UnauthenticatedError, match="expired"):
        TOKENS.read_refresh(refresh, START + TOKENS.refresh_lifetime)


def test_a_token_signed_by_somebody_else_is_refused() -> None:
    forged, _ = JwtIssuer("z" * SHORTEST_SECRET).access(make_user(), START)

    with pytest.raises(UnauthenticatedError):
        TOKENS.read_access(forged, START)


def test_a_token_without_a_signature_is_refused() -> None:
    token, _ = TOKENS.access(make_user(), START)
    claims = jwt.decode(token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, algorithm="none")

    with pytest.raises(UnauthenticatedError):
        TOKENS.read_access(unsigned, START)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"sub": "not a uuid"},
        {"role": "EMPEROR"},
        {"typ": "other"},
        {"exp": "tomorrow"},
        {"name": None},
    ],
    ids=str,
)
def test_a_signed_token_with_strange_claims_is_refused(change: dict[str, object]) -> None:
    token, _ = TOKENS.access(make_user(), START)
    claims = jwt.decode(token, options={"verify_signature": False}) | change
    if claims["name"] is None:
        del claims["name"]
    strange = jwt.encode(claims, SECRET, algorithm="HS256")

    with pytest.raises(UnauthenticatedError):
        TOKENS.read_access(strange, START)


@given(st.text())
def test_no_text_passes_for_a_token(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        TOKENS.read_access(text, START)


def test_a_short_secret_key_is_refused() -> None:
    with pytest.raises(BadInputError):
        JwtIssuer("short")


def test_the_secret_key_is_not_shown() -> None:
    assert SECRET not in repr(TOKENS)
