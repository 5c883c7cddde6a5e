"""Which events a subscription wants."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from domain.errors import BadInputError
from domain.sensors import SensorKey, canonical_type
from domain.services.registry import Registry
from schema.ids import microseconds
from schema.pages import Cursors


@strawberry.input(description="Only events that match every list given; none of an empty list.")
class EventFilter:
    """A filter as clients write it."""

    esp_ids: list[str] | None = strawberry.field(
        default=None, description="Only of these devices, by `espId`."
    )
    zone_ids: list[str] | None = strawberry.field(
        default=None, description="Only of devices in these zones, by `zoneId`."
    )
    sensor_types: list[str] | None = strawberry.field(
        default=None, description="Only of these kinds of sensors; only for readings."
    )
    gpios: list[int] | None = strawberry.field(
        default=None, description="Only of these pins; not for deviceHealth."
    )


Filter: TypeAlias = Annotated[
    EventFilter | None,
    strawberry.argument(name="filter", description="Which events; all if left out."),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter at work; it looks devices up as they are now, and lets no unapproved one through."""

    registry: Registry
    filter: EventFilter

    def device(self, esp_id: str) -> bool:
        """Say whether events of a device are wanted."""
        device = self.registry.device(esp_id)
        return (
            device is not None
            and device.approved
            and (self.filter.esp_ids is None or esp_id in self.filter.esp_ids)
            and (self.filter.zone_ids is None or device.zone_id in self.filter.zone_ids)
        )

    def pin(self, esp_id: str, gpio: int) -> bool:
        """Say whether events of a pin are wanted."""
        return (self.filter.gpios is None or gpio in self.filter.gpios) and self.device(esp_id)

    def sensor(self, key: SensorKey) -> bool:
        """Say whether events of a sensor are wanted."""
        kinds = self.filter.sensor_types
        return self.pin(key.esp_id, key.gpio) and (
            kinds is None or key.sensor_type in map(canonical_type, kinds)
        )


def wanted(
    registry: Registry,
    events: EventFilter | None,
    *,
    sensor_types: bool = True,
    gpios: bool = True,
) -> Wanted:
    """Make a filter ready for one subscription.

    Args:
        registry: Where devices are looked up.
        events: The filter as the client wrote it.
        sensor_types: Whether kinds of sensors can narrow this subscription.
        gpios: Whether pins can.

    Raises:
        BadInputError: The filter narrows what cannot be narrowed here.
    """
    chosen = events or EventFilter()
    if not sensor_types and chosen.sensor_types is not None:
        raise BadInputError("sensorTypes narrows only readings")
    if not gpios and chosen.gpios is not None:
        raise BadInputError("gpios does not narrow events about whole devices")
    return Wanted(registry, chosen)


@dataclass(frozen=True, slots=True)
class Moments:
    """The cursors of a subscription that cannot be resumed yet: when, and about what."""

    name: str

    def write(self, instant: datetime, about: str | int) -> str:
        """Return the cursor of an event."""
        return Cursors(self.name).write((microseconds(instant), about))
