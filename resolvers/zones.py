"""Root fields about zones."""

from typing import Annotated

import strawberry

from domain.users import Role
from schema.context import Context, Info
from schema.fields import field, mutation
from schema.zones import Zone, ZoneInput

Wish = Annotated[
    ZoneInput, strawberry.argument(name="input", description="Which zone, and what it is to be.")
]


async def find_zone(context: Context, zone_id: str) -> Zone | None:
    """Return one zone; None: it is not known."""
    found = await context.loaders.zones.load(zone_id)
    return Zone.of(found) if found else None


@strawberry.type
class ZoneQueries:
    """Reading zones."""

    @field
    async def zones(self, info: Info) -> list[Zone]:
        """All zones, in order of `zoneId`."""
        info.context.require(Role.VIEWER)
        async with info.context.services.storage.autocommit() as work:
            return [Zone.of(zone) for zone in await work.zones.all()]


@strawberry.type
class ZoneMutations:
    """Deciding about zones."""

    @mutation
    async def set_zone(self, info: Info, wish: Wish) -> Zone:
        """Create or change a zone; its devices are told its new name. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        return Zone.of(
            await info.context.services.configure.set_zone(
                wish.zone_id, wish.name, wish.parent_zone_id
            )
        )
