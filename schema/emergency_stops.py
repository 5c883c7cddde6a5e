"""Emergency stops in GraphQL."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain import emergency_stops
from domain.errors import NotFoundError
from schema.context import Info
from schema.devices import Device
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node
from schema.users import User


@strawberry.type(description="How a device stands to an emergency stop.")
class EmergencyStopDevice:
    """A device that a stop concerns."""

    confirmed: bool = strawberry.field(
        description="Whether it has shown that it stopped; it has to again after it was away."
    )
    confirmed_at: datetime | None = strawberry.field(description="When it showed so.")
    released_at: datetime | None = strawberry.field(
        description="When it was free again, after the stop was cleared."
    )
    esp_id: strawberry.Private[str]
    stop: strawberry.Private[emergency_stops.EmergencyStop]

    @field
    def note(self, info: Info) -> str | None:
        """What stands in the way, and the cure.

        Such as that its firmware cannot be told that an emergency is over, and needs to be switched
        off and on.
        """
        return info.context.services.emergency.note(self.stop, self.esp_id)

    @field
    async def device(self, info: Info) -> Device:
        """The device."""
        device = await info.context.loaders.devices.load(self.esp_id)
        if device is None:
            raise NotFoundError("the device of this emergency stop is gone")
        return Device.of(device)


@strawberry.type(description="Everything, a device or an actuator is stopped until it is cleared.")
class EmergencyStop(Node):
    """A stop with what each device confirmed."""

    active: bool = strawberry.field(
        description="Whether it is in force: until it is cleared, only OFF passes."
    )
    reason: str = strawberry.field(description="Why.")
    gpio: int | None = strawberry.field(
        description="The pin of the one actuator; null: every actuator."
    )
    triggered_at: datetime = strawberry.field(description="When it began.")
    cleared_at: datetime | None = strawberry.field(description="When it was cleared.")
    stop: strawberry.Private[emergency_stops.EmergencyStop]

    @classmethod
    def of(cls, stop: emergency_stops.EmergencyStop) -> Self:
        """Show a stop to clients, as it is now."""
        return cls(
            id=global_id("EmergencyStop", stop.id),
            active=stop.active,
            reason=stop.reason,
            gpio=stop.gpio,
            triggered_at=stop.triggered_at,
            cleared_at=stop.cleared_at,
            stop=stop,
        )

    @field
    def devices(self, info: Info) -> list[EmergencyStopDevice]:
        """How each device that it concerns stands to it, in order of `espId`."""
        known = info.context.services.registry.device
        return [
            EmergencyStopDevice(
                confirmed=device.confirmed_at is not None,
                confirmed_at=device.confirmed_at,
                released_at=device.released_at,
                esp_id=esp_id,
                stop=self.stop,
            )
            for esp_id, device in sorted(self.stop.devices.items())
            if known(esp_id) is not None  # else it was removed meanwhile
        ]

    @field
    async def device(self, info: Info) -> Device | None:
        """The one device; null: every device, or it is gone."""
        if self.stop.esp_id is None:
            return None
        device = await info.context.loaders.devices.load(self.stop.esp_id)
        return Device.of(device) if device else None

    @field
    async def triggered_by(self, info: Info) -> User | None:
        """The person who stopped it; null: a device, or the server itself."""
        return await _user(info, self.stop.triggered_by)

    @field
    async def cleared_by(self, info: Info) -> User | None:
        """The person who cleared it; null while it is in force."""
        return await _user(info, self.stop.cleared_by)


async def _user(info: Info, user_id: UUID | None) -> User | None:
    user = None if user_id is None else await info.context.loaders.users.load(user_id)
    return User.of(user) if user else None


@strawberry.input(description="What to stop: everything, a device, or an actuator of it.")
class EmergencyStopInput:
    """A stop as clients write it."""

    esp_id: str | None = strawberry.field(
        default=None, description="The device, by its `espId`; every device if left out."
    )
    gpio: int | None = strawberry.field(
        default=None, description="The pin of the one actuator; the whole device if left out."
    )
    reason: str = strawberry.field(
        description=f"Why: 1 to {emergency_stops.LONGEST_REASON} characters."
    )
