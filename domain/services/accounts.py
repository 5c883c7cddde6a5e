"""Accounts: who may log in, and how the first administrator comes to be."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from domain.errors import BadInputError, NotFoundError, UnauthenticatedError
from domain.ports import Clock, Passwords, TokenIssuer
from domain.repositories import Storage
from domain.users import Identity, Role, Tokens, User

FIRST_ADMIN = "admin"

PASSWORD_LENGTH = range(8, 1025)
"""Characters that a new password may have."""

USERNAME_LENGTH = range(1, 151)
"""Characters that a new user name may have."""

GENERATED_BYTES = 12
"""Random bytes in a generated password (96 bits, 16 characters)."""

_REFUSED = "the user name or the password is wrong"


@dataclass(slots=True, kw_only=True)
class Accounts:
    """Logging in, staying logged in, and making accounts.

    Attributes:
        new_id: Makes time-ordered ids.
    """

    storage: Storage
    passwords: Passwords
    tokens: TokenIssuer
    clock: Clock
    new_id: Callable[[], UUID]
    _decoy: str | None = field(default=None, init=False)

    async def login(self, username: str, password: str) -> Tokens:
        """Prove an identity by name and password.

        Every refusal says the same and takes one hash, so that it does not tell which names exist.

        Raises:
            UnauthenticatedError: The name is unknown, the password wrong, or the account inactive.
        """
        user = await self._by_name(username)
        password_hash = user.password_hash if user else await self._decoy_hash()
        right = await self.passwords.verify(password, password_hash)
        if user is None or not right or not user.active:
            raise UnauthenticatedError(_REFUSED)
        return self._issue(user)

    async def refresh(self, refresh_token: str) -> Tokens:
        """Renew an identity by its refresh token, with the rights the account has now.

        Raises:
            UnauthenticatedError: The token is not ours or expired, or the account is gone or
                inactive.
        """
        user = await self._by_name(self.tokens.read_refresh(refresh_token, self.clock.now()))
        if user is None or not user.active:
            raise UnauthenticatedError("the account is gone or inactive")
        return self._issue(user)

    def identify(self, access_token: str) -> Identity:
        """Return whom a token for requests stands for.

        Raises:
            UnauthenticatedError: It is not ours, of another kind, or expired.
        """
        return self.tokens.read_access(access_token, self.clock.now())

    async def ensure_first_admin(self, password: str | None) -> str | None:
        """Make the account `admin` if there is no account at all.

        Args:
            password: Its password; None: a generated one.

        Returns:
            The generated password, to be shown once; None when nothing was generated.

        Raises:
            BadInputError: The password is too short or too long.
        """
        async with self.storage.unit_of_work() as work:
            if await work.users.count():
                return None
        chosen = password or secrets.token_urlsafe(GENERATED_BYTES)
        await self.create_admin(FIRST_ADMIN, chosen)
        return None if password else chosen

    async def create_admin(self, username: str, password: str) -> User:
        """Make an account that may do everything.

        Raises:
            BadInputError: The name or the password is too short or too long.
            ConflictError: The name is taken.
        """
        name = username.strip()
        if len(name) not in USERNAME_LENGTH:
            raise BadInputError(f"a user name has 1 to {USERNAME_LENGTH[-1]} characters")
        _check_password(password)
        user = User(
            id=self.new_id(),
            username=name,
            password_hash=await self.passwords.hash(password),
            role=Role.ADMIN,
            created_at=self.clock.now(),
        )
        async with self.storage.unit_of_work() as work:
            return await work.users.add(user)

    async def reset_password(self, username: str, password: str) -> None:
        """Give an account a new password, whoever forgot the old one.

        Raises:
            NotFoundError: There is no such account.
            BadInputError: The password is too short or too long.
        """
        _check_password(password)
        user = await self._by_name(username)
        if user is None:
            raise NotFoundError(f"there is no account {username}")
        password_hash = await self.passwords.hash(password)
        async with self.storage.unit_of_work() as work:
            await work.users.save_password(user.id, password_hash)

    async def _by_name(self, username: str) -> User | None:
        async with self.storage.autocommit() as work:
            return await work.users.by_name(username)

    async def _decoy_hash(self) -> str:
        if self._decoy is None:
            self._decoy = await self.passwords.hash(secrets.token_urlsafe())
        return self._decoy

    def _issue(self, user: User) -> Tokens:
        now = self.clock.now()
        access_token, expires_at = self.tokens.access(user, now)
        return Tokens(
            access_token=access_token,
            refresh_token=self.tokens.refresh(user, now),
            expires_at=expires_at,
            user=user,
        )


def _check_password(password: str) -> None:
    if len(password) not in PASSWORD_LENGTH:
        span = f"{PASSWORD_LENGTH[0]} to {PASSWORD_LENGTH[-1]}"
        raise BadInputError(f"a password has {span} characters, not {len(password)}")
