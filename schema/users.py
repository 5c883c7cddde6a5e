"""People and their proofs of identity in GraphQL."""

from datetime import datetime
from typing import Self

import strawberry

from domain import users
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node

strawberry.enum(
    users.Role,
    description=(
        "What a person may do; each includes those before it. VIEWER reads. OPERATOR gives "
        "commands. ADMIN configures."
    ),
)


@strawberry.type(description="A person with an account.")
class User(Node):
    """An account, without its password."""

    username: str = strawberry.field(description="The name to log in with; unique.")
    role: users.Role = strawberry.field(description="What the person may do.")
    active: bool = strawberry.field(description="Whether the person may log in.")
    created_at: datetime = strawberry.field(description="When the account was made.")
    account: strawberry.Private[users.User]
    own: strawberry.Private[bool] = False

    @field
    async def email(self, info: Info) -> str | None:
        """Where to reach the person; null for everybody but that person and administrators."""
        asks = info.context.identity
        if self.own or (
            asks and (asks.user_id == self.account.id or asks.role is users.Role.ADMIN)
        ):
            return self.account.email
        return None

    @classmethod
    def of(cls, user: users.User, *, own: bool = False) -> Self:
        """Show an account to clients.

        Args:
            user: The account.
            own: Whether the client has just proved to be that person.
        """
        return cls(
            id=global_id("User", user.id),
            username=user.username,
            role=user.role,
            active=user.active,
            created_at=user.created_at,
            account=user,
            own=own,
        )


@strawberry.type(description="What a login gives.")
class TokenPair:
    """A short proof for requests, and a long one to renew it."""

    access_token: str = strawberry.field(
        description="Proves who asks: the HTTP header `Authorization: Bearer ...`, or "
        "`Authorization` in the connection parameters of a WebSocket."
    )
    refresh_token: str = strawberry.field(
        description="Buys a new pair with the mutation refreshToken, and nothing else."
    )
    expires_at: datetime = strawberry.field(
        description="When the access token ends, and with it every WebSocket opened with it."
    )
    user: User = strawberry.field(description="Who logged in.")

    @classmethod
    def of(cls, tokens: users.Tokens) -> Self:
        """Show tokens to the client that logged in."""
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=tokens.expires_at,
            user=User.of(tokens.user, own=True),
        )
