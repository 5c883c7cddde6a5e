"""Zones in GraphQL."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from domain import zones
from schema.arguments import After, First
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node

if TYPE_CHECKING:
    from schema.devices import DeviceConnection


@strawberry.type(description="A part of the plant that devices belong to.")
class Zone(Node):
    """A zone with its devices."""

    zone_id: str = strawberry.field(description="Its name as devices know it; unique.")
    name: str = strawberry.field(description="What people call it.")
    parent_zone_id: strawberry.Private[str | None]

    @classmethod
    def of(cls, zone: zones.Zone) -> Self:
        """Show a zone to clients."""
        return cls(
            id=global_id("Zone", zone.zone_id),
            zone_id=zone.zone_id,
            name=zone.name,
            parent_zone_id=zone.parent_zone_id,
        )

    @field
    async def parent(self, info: Info) -> "Zone | None":
        """The zone that it is a part of; null: of none."""
        if self.parent_zone_id is None:
            return None
        parent = await info.context.loaders.zones.load(self.parent_zone_id)
        return Zone.of(parent) if parent else None

    @field
    async def devices(
        self, info: Info, first: First = None, after: After = None
    ) -> Annotated["DeviceConnection", strawberry.lazy("schema.devices")]:
        """The devices that belong to it, in order of `espId`."""
        from schema.devices import DeviceConnection  # noqa: PLC0415 - devices show zones, and zones devices

        info.context.loaders.spend_page()
        return await DeviceConnection.find(info, first, after, zone_id=self.zone_id)


@strawberry.input(description="What a zone is called and is a part of.")
class ZoneInput:
    """A zone as clients write it."""

    zone_id: str = strawberry.field(
        description="Its name as devices know it: 1 to 32 letters, digits, `_` or `-`."
    )
    name: str | None = strawberry.field(
        default=None, description="What people call it; as before, or `zoneId`, if left out."
    )
    parent_zone_id: str | None = strawberry.field(
        default=None,
        description="The `zoneId` of the zone that it is a part of; empty for none; as before if "
        "left out.",
    )
