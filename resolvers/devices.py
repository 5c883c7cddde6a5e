"""Root fields about devices."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from domain.devices import DeviceStatus
from domain.errors import BadInputError
from domain.events import DeviceHeard
from domain.users import Role
from schema.arguments import After, EspId, First
from schema.context import Context, Info
from schema.devices import (
    Device,
    DeviceConnection,
    DeviceHealth,
    DeviceHealthEvent,
    UpdateDeviceInput,
)
from schema.fields import field, mutation, subscription
from schema.live import Filter, Moments, wanted

MOMENTS = Moments("deviceHealth")

Statuses = Annotated[
    list[DeviceStatus] | None,
    strawberry.argument(
        name="status", description="Only devices with one of these; none for an empty list."
    ),
]
Search = Annotated[
    str | None,
    strawberry.argument(description="Only devices with this text in `espId` or name."),
]
OnlyZone = Annotated[
    str | None, strawberry.argument(description="Only devices of this zone, by its `zoneId`.")
]
OnlyKaiser = Annotated[
    str | None,
    strawberry.argument(
        description="Only devices that are heard on this topic level: `god` for the server itself, "
        "the id of a relay, or empty for firmware that was never provisioned."
    ),
]
ZoneId = Annotated[
    str | None,
    strawberry.argument(
        description="The zone it shall belong to, which comes into being if it is new; as before "
        "if left out."
    ),
]
Wish = Annotated[
    UpdateDeviceInput,
    strawberry.argument(name="input", description="Which device, and what is to change."),
]
Name = Annotated[
    str | None,
    strawberry.argument(description="What people shall call it; as before if left out."),
]


async def find_device(context: Context, esp_id: str) -> Device | None:
    """Return one device; None: it is not known."""
    found = await context.loaders.devices.load(esp_id)
    return Device.of(found) if found else None


@strawberry.type
class DeviceQueries:
    """Reading what is known of devices."""

    @field
    async def device(self, info: Info, esp_id: EspId) -> Device | None:
        """One device; null: it is not known."""
        info.context.require(Role.VIEWER)
        return await find_device(info.context, esp_id)

    @field
    async def devices(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        statuses: Statuses = None,
        zone_id: OnlyZone = None,
        kaiser_id: OnlyKaiser = None,
        search: Search = None,
        first: First = None,
        after: After = None,
    ) -> DeviceConnection:
        """The devices, in order of `espId`."""
        info.context.require(Role.VIEWER)
        return await DeviceConnection.find(
            info,
            first,
            after,
            statuses=statuses,
            search=search,
            zone_id=zone_id,
            kaiser_id=kaiser_id,
        )


@strawberry.type
class DeviceMutations:
    """Deciding about devices."""

    @mutation
    async def approve_device(
        self, info: Info, esp_id: EspId, name: Name = None, zone_id: ZoneId = None
    ) -> Device:
        """Let a device in: from now on its values are told and it takes commands. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        return Device.of(
            await info.context.services.configure.approve_device(esp_id, name, zone_id)
        )

    @mutation
    async def update_device(self, info: Info, wish: Wish) -> Device:
        """Change name, zone or notes of a device; it is told of its zone. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        if wish.metadata is not None and not isinstance(wish.metadata, dict):
            raise BadInputError("metadata takes a JSON object")
        return Device.of(
            await info.context.services.configure.update_device(
                wish.esp_id,
                name=wish.name,
                zone_id=wish.zone_id,
                subzone_id=wish.subzone_id,
                is_zone_master=wish.is_zone_master,
                metadata=wish.metadata,
            )
        )

    @mutation
    async def remove_device(self, info: Info, esp_id: EspId) -> bool:
        """Forget a device, its sensors, actuators and commands; false: it was not known.

        One that is still switched on is discovered anew. Role: ADMIN.
        """
        info.context.require(Role.ADMIN)
        return await info.context.services.configure.remove_device(esp_id)


@strawberry.type
class DeviceSubscriptions:
    """Watching devices."""

    @subscription
    async def device_health(
        self, info: Info, only: Filter = None
    ) -> AsyncGenerator[DeviceHealthEvent, None]:
        """Tells when a device gives a sign of life, goes offline, or is approved."""
        info.context.require(Role.VIEWER)
        services = info.context.services
        wants = wanted(services.registry, only, sensor_types=False, gpios=False)
        async with services.events.listen(DeviceHeard) as events:
            async for event in events:
                if wants.device(event.device.esp_id):
                    yield DeviceHealthEvent(
                        cursor=MOMENTS.write(services.clock.now(), event.device.esp_id),
                        device=Device.of(event.device),
                        health=DeviceHealth.of(event.health) if event.health else None,
                    )
