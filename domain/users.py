"""People who may use the server, and what each may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID


class Role(IntEnum):
    """What a person may do; each role includes those before it."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account; the password is known only as its hash."""

    id: UUID
    username: str
    password_hash: str
    role: Role
    email: str | None = None
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who makes a request, as proved by a token.

    Attributes:
        expires_at: When the proof ends; a stream must not outlive it.
    """

    user_id: UUID
    username: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a login gives: a short proof for requests, a long one to renew it."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    user: User
