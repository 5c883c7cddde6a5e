"""Root fields about relays."""

from typing import Annotated

import strawberry

from domain.users import Role
from schema.context import Context, Info
from schema.fields import field, mutation
from schema.relays import KaiserNode

KaiserId = Annotated[str, strawberry.argument(description="The relay, by its `kaiserId`.")]
Name = Annotated[
    str | None, strawberry.argument(description="What people shall call it; null for nothing.")
]


async def find_relay(context: Context, kaiser_id: str) -> KaiserNode | None:
    """Return one relay; None: it is not known."""
    found = await context.loaders.relays.load(kaiser_id)
    return KaiserNode.of(found) if found else None


@strawberry.type
class RelayQueries:
    """Reading relays."""

    @field
    async def kaiser_nodes(self, info: Info) -> list[KaiserNode]:
        """All relays that were ever heard, in order of `kaiserId`."""
        info.context.require(Role.VIEWER)
        async with info.context.services.storage.autocommit() as work:
            return [KaiserNode.of(relay) for relay in await work.relays.all()]


@strawberry.type
class RelayMutations:
    """Deciding about relays."""

    @mutation
    async def set_kaiser_name(
        self, info: Info, kaiser_id: KaiserId, name: Name = None
    ) -> KaiserNode:
        """Give a relay a name. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        return KaiserNode.of(await info.context.services.watch_relays.rename(kaiser_id, name))
