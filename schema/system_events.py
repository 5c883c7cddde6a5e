"""System events in GraphQL."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON

from domain import system_events
from schema.context import Info
from schema.devices import Device
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node
from schema.pages import Connection, Cursors
from schema.severity import Severity

SYSTEM_EVENTS = Cursors("systemEvents")


@strawberry.type(description="Something that happened, and that a grower should know of.")
class SystemEvent(Node):
    """A fault, an alert, a coming or a going."""

    kind: str = strawberry.field(
        description="What kind of thing, such as `DEVICE_ERROR`, `ACTUATOR_ALERT`, "
        "`DEVICE_OFFLINE` or `COMMANDS_UNANSWERED`; later versions know more."
    )
    severity: Severity = strawberry.field(description="How much it matters.")
    message: str = strawberry.field(description="What happened and what to do, as a sentence.")
    details: JSON = strawberry.field(
        description="For those who look closer: an object with the firmware's code and its name, "
        "the device's own words, and what else is known."
    )
    occurred_at: datetime = strawberry.field(description="When the server came to know of it.")
    occurrences: int = strawberry.field(
        description="How often it happened in one go; repeats make no event of their own."
    )
    esp_id: strawberry.Private[str | None]

    @classmethod
    def of(cls, event: system_events.SystemEvent) -> Self:
        """Show an event to clients."""
        return cls(
            id=global_id("SystemEvent", event.id),
            kind=event.kind,
            severity=event.severity,
            message=event.message,
            details=JSON(dict(event.details)),
            occurred_at=event.occurred_at,
            occurrences=event.occurrences,
            esp_id=event.esp_id,
        )

    @field
    async def device(self, info: Info) -> Device | None:
        """The device it is about; null: the server itself, or a device that is gone."""
        if self.esp_id is None:
            return None
        found = await info.context.loaders.devices.load(self.esp_id)
        return Device.of(found) if found else None


@strawberry.type(description="A page of system events, newest first.")
class SystemEventConnection(Connection[SystemEvent]):
    """System events, page by page."""
