"""Accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.errors import ConflictError
from domain.users import User
from storage.client import TransactionClient
from storage.tables import UserRow


@dataclass(frozen=True, slots=True)
class UserRepository:
    """Implements domain.repositories.Users."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[UserRow]:
        return UserRow.all().using_db(self._client)

    async def add(self, user: User) -> User:
        """Insert.

        Raises:
            ConflictError: The name is taken.
        """
        await UserRow.bulk_create([_row(user)], ignore_conflicts=True, using_db=self._client)
        stored = await self.by_name(user.username)
        if stored is None or stored.id != user.id:
            raise ConflictError(f"the name {user.username} is taken")
        return stored

    async def save_password(self, user_id: UUID, password_hash: str) -> None:
        """Update the hash."""
        await self._rows().filter(id=user_id).update(password_hash=password_hash)

    async def by_name(self, username: str) -> User | None:
        """Select one."""
        row = await self._rows().get_or_none(username=username)
        return None if row is None else _user(row)

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, User]:
        """Select several."""
        return {row.id: _user(row) for row in await self._rows().filter(id__in=ids)}

    async def count(self) -> int:
        """Count all."""
        return await self._rows().count()


def _row(user: User) -> UserRow:
    return UserRow(
        id=user.id,
        username=user.username,
        password_hash=user.password_hash,
        role=user.role,
        email=user.email,
        active=user.active,
        created_at=user.created_at,
    )


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        username=row.username,
        password_hash=row.password_hash,
        role=row.role,
        email=row.email,
        active=row.active,
        created_at=row.created_at,
    )
