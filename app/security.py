"""Proofs of identity: password hashes that are slow to guess, and tokens that cannot be made up."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from domain.errors import BadInputError, OverloadedError, UnauthenticatedError
from domain.users import Identity, Role, User

AT_ONCE = 2
"""Hashes worked on at once: each takes 64 MiB and all of a core for a quarter of a second."""

MOST_WAITING = 32
"""Hashes that may wait for their turn; more are refused, so that a flood of logins stays one."""

ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=30)

SHORTEST_SECRET = 32
"""Bytes of the signing key: as many as HS256 gives out (RFC 7518, section 3.2)."""

_ALGORITHM = "HS256"
_ISSUER = "god-kaiser"
_AUDIENCE = "god-kaiser"
_ACCESS = "access"
_REFRESH = "refresh"


@dataclass(slots=True)
class Argon2Passwords:
    """Implements domain.ports.Passwords with Argon2id (RFC 9106), each hash in a thread."""

    hasher: PasswordHash = field(default_factory=lambda: PasswordHash((Argon2Hasher(),)))
    _turns: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(AT_ONCE), init=False
    )
    _waiting: int = field(default=0, init=False)

    async def hash(self, password: str) -> str:
        """Return a salted hash.

        Raises:
            OverloadedError: Too many wait already.
        """
        return str(await self._in_turn(self.hasher.hash, password))

    async def verify(self, password: str, password_hash: str) -> bool:
        """Say whether the password is the one that was hashed.

        Raises:
            OverloadedError: Too many wait already.
        """
        try:
            return bool(await self._in_turn(self.hasher.verify, password, password_hash))
        except UnknownHashError:
            return False

    async def _in_turn(self, work: Any, *arguments: str) -> object:  # noqa: ANN401 - two signatures
        if self._waiting >= MOST_WAITING:
            raise OverloadedError("too many people are logging in: try again in a moment")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class JwtIssuer:
    """Implements domain.ports.TokenIssuer with signed JSON Web Tokens (RFC 7519).

    The library's own clock is never asked: every time is handed in.

    Attributes:
        secret: Signs the tokens; whoever knows it can be anybody.
        access_lifetime: How long a token for requests is good.
        refresh_lifetime: How long a token that buys new ones is good.
    """

    secret: str = field(repr=False)
    access_lifetime: timedelta = ACCESS_LIFETIME
    refresh_lifetime: timedelta = REFRESH_LIFETIME

    def __post_init__(self) -> None:
        if len(self.secret.encode()) < SHORTEST_SECRET:
            raise BadInputError(f"the secret key must have at least {SHORTEST_SECRET} bytes")

    def access(self, user: User, now: datetime) -> tuple[str, datetime]:
        """Return a token for requests and the time it ends."""
        return self._issue(_ACCESS, user, now, self.access_lifetime)

    def refresh(self, user: User, now: datetime) -> str:
        """Return a token that only buys new tokens."""
        return self._issue(_REFRESH, user, now, self.refresh_lifetime)[0]

    def read_access(self, token: str, now: datetime) -> Identity:
        """Return whom a request token stands for.

        Raises:
            UnauthenticatedError: It is not ours, of another kind, or expired.
        """
        claims = self._read(_ACCESS, token, now)
        try:
            return Identity(
                user_id=UUID(claims["sub"]),
                username=str(claims["name"]),
                role=Role[claims["role"]],
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (KeyError, ValueError) as error:
            raise UnauthenticatedError("the token is not one of this server") from error

    def read_refresh(self, token: str, now: datetime) -> str:
        """Return the user name a refresh token stands for.

        Raises:
            UnauthenticatedError: It is not ours, of another kind, or expired.
        """
        return str(self._read(_REFRESH, token, now)["name"])

    def _issue(
        self, kind: str, user: User, now: datetime, lifetime: timedelta
    ) -> tuple[str, datetime]:
        expires_at = (now + lifetime).astimezone(UTC).replace(microsecond=0)
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "typ": kind,
            "sub": str(user.id),
            "name": user.username,
            "role": user.role.name,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(claims, self.secret, algorithm=_ALGORITHM), expires_at

    def _read(self, kind: str, token: str, now: datetime) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                options={
                    "require": ["iss", "aud", "sub", "exp", "typ", "name"],
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, UnicodeError) as error:
            raise UnauthenticatedError("the token is not one of this server") from error
        if claims["typ"] != kind:
            raise UnauthenticatedError(f"this needs the {kind} token, not the other one")
        if not isinstance(claims["exp"], int) or claims["exp"] <= now.timestamp():
            raise UnauthenticatedError("the token has expired: log in again, or refresh it")
        return claims
