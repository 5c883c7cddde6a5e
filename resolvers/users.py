"""Root fields about people: who asks, and how they prove it."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.errors import UnauthenticatedError
from domain.users import Role
from schema.context import Context, Info
from schema.fields import early_mutation, field
from schema.users import TokenPair, User

Username = Annotated[str, strawberry.argument(description="The name of the account.")]
Password = Annotated[str, strawberry.argument(description="Its password.")]
RefreshToken = Annotated[
    str, strawberry.argument(description="The `refreshToken` of an earlier login.")
]


async def find_user(context: Context, user_id: UUID) -> User | None:
    """Return one account; None: it is not known.

    Raises:
        ForbiddenError: It is somebody else's, known or not, and who asks is no administrator.
    """
    if context.require(Role.VIEWER).user_id != user_id:
        context.require(Role.ADMIN)
    found = await context.loaders.users.load(user_id)
    return User.of(found) if found else None


@strawberry.type
class UserQueries:
    """Reading accounts."""

    @field
    async def me(self, info: Info) -> User | None:
        """Who asks; null: the account is gone."""
        identity = info.context.require(Role.VIEWER)
        return await find_user(info.context, identity.user_id)


@strawberry.type
class UserMutations:
    """Logging in; these two are the only fields that need no token."""

    @early_mutation
    async def login(self, info: Info, username: Username, password: Password) -> TokenPair:
        """Prove who you are by name and password."""
        try:
            return TokenPair.of(await info.context.services.accounts.login(username, password))
        except UnauthenticatedError:
            # The first account may not be there yet; who has one can stop everything already.
            info.context.require_started()
            raise

    @early_mutation
    async def refresh_token(self, info: Info, refresh_token: RefreshToken) -> TokenPair:
        """Renew a login, with the rights that the account has now."""
        return TokenPair.of(await info.context.services.accounts.refresh(refresh_token))
