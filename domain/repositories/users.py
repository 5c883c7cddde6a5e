"""Stored accounts."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from domain.users import User


class Users(Protocol):
    """Stored accounts."""

    async def add(self, user: User) -> User:
        """Store a new account.

        Raises:
            ConflictError: The name is taken.
        """
        ...

    async def save_password(self, user_id: UUID, password_hash: str) -> None:
        """Store a new password hash."""
        ...

    async def by_name(self, username: str) -> User | None:
        """Return one account."""
        ...

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        """Return several accounts; unknown ids are absent."""
        ...

    async def count(self) -> int:
        """Return how many accounts there are."""
        ...
