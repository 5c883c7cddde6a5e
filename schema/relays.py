"""Relays in GraphQL, where they are called by the name of their topic level: Kaiser nodes."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry
from strawberry.scalars import JSON
from strawberry.utils.str_converters import to_camel_case

from domain import relays
from schema.arguments import After, First
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node
from schema.presence import DeviceStatus

if TYPE_CHECKING:
    from schema.devices import DeviceConnection


@strawberry.type(description="A relay: it passes on what devices and server say to each other.")
class KaiserNode(Node):
    """A relay with its devices."""

    kaiser_id: str = strawberry.field(
        description="The topic level of its devices, such as `kaiser_001`; unique."
    )
    name: str | None = strawberry.field(description="What people call it.")
    status: DeviceStatus = strawberry.field(
        description="ONLINE or OFFLINE, by the same rule as devices."
    )
    last_seen: datetime = strawberry.field(description="When the server last heard it.")
    health: JSON = strawberry.field(
        description="What it last said of itself: `state`, `uptimeSeconds`, `cpuTemperature` (°C), "
        "`wifiRssiDbm`, `localConnected` (to the broker of its devices), `remoteConnected` (to "
        "that of the server), `clients` (the devices it counts), `queued` (messages not delivered "
        "yet), `relayedTotal`, `relayedLastMinute`, `diskUsagePercent`; null where it does not say."
    )

    @classmethod
    def of(cls, relay: relays.Relay) -> Self:
        """Show a relay to clients."""
        health = asdict(relay.health) | {"clients": [*relay.health.clients]}
        return cls(
            id=global_id("KaiserNode", relay.kaiser_id),
            kaiser_id=relay.kaiser_id,
            name=relay.name,
            status=relay.status,
            last_seen=relay.last_seen,
            health=JSON({to_camel_case(name): value for name, value in health.items()}),
        )

    @field
    async def devices(
        self, info: Info, first: First = None, after: After = None
    ) -> Annotated["DeviceConnection", strawberry.lazy("schema.devices")]:
        """The devices that are heard on its level, in order of `espId`."""
        from schema.devices import DeviceConnection  # noqa: PLC0415 - devices show relays, and relays devices

        info.context.loaders.spend_page()
        return await DeviceConnection.find(info, first, after, kaiser_id=self.kaiser_id)
