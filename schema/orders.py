"""Orders to devices themselves in GraphQL: what they found and measured."""

from typing import Self

import strawberry

from domain import orders
from domain.services.order import Ordered
from schema.system_events import SystemEvent


@strawberry.type(description="A chip that a device found on one of its OneWire buses.")
class OneWireDevice:
    """One chip."""

    rom_code: str = strawberry.field(
        description="Its address: 16 hexadecimal digits; what `setSensor` takes as `address`."
    )
    device_type: str | None = strawberry.field(
        description="Its kind, such as `ds18b20`; null where the device does not know."
    )
    gpio: int | None = strawberry.field(
        description="The pin of its bus; null where the device does not say."
    )

    @classmethod
    def of(cls, chip: orders.OneWireChip) -> Self:
        """Show a chip to clients."""
        return cls(rom_code=chip.rom_code, device_type=chip.device_type or None, gpio=chip.gpio)


@strawberry.type(description="What a device found when it was told to search.")
class OneWireScan:
    """The outcome of scanOneWire."""

    devices: list[OneWireDevice] = strawberry.field(description="The chips, as the device told.")
    event: SystemEvent = strawberry.field(description="What was written down about it.")

    @classmethod
    def of(cls, ordered: Ordered) -> Self:
        """Show what was found to clients."""
        return cls(
            devices=[OneWireDevice.of(chip) for chip in ordered.answer.chips],
            event=SystemEvent.of(ordered.event),
        )


@strawberry.type(description="What a device measured when it was told to.")
class MeasuredNow:
    """The outcome of measureSensor."""

    raw_value: float | None = strawberry.field(
        description="What the sensor said, before any conversion; null where the device does not "
        "repeat it. The reading itself comes the usual way."
    )
    event: SystemEvent = strawberry.field(description="What was written down about it.")

    @classmethod
    def of(cls, ordered: Ordered) -> Self:
        """Show what was measured to clients."""
        return cls(raw_value=ordered.answer.raw_value, event=SystemEvent.of(ordered.event))
