"""The wire that orders to devices take."""

import asyncio
from dataclasses import dataclass, field

from domain.devices import Device
from domain.errors import DomainError
from domain.orders import DeviceOrder, OrderAnswer


@dataclass(slots=True)
class FakeOrderLink:
    """Devices that answer at once with `answer`; `error` is raised instead.

    Attributes:
        cannot: Why the firmware cannot do it; None: it can.
        hold: Keeps answers back until it is set.
    """

    answer: OrderAnswer = field(default_factory=lambda: OrderAnswer(success=True))
    error: DomainError | None = None
    cannot: str | None = None
    hold: asyncio.Event | None = None
    sent: list[tuple[DeviceOrder, str]] = field(default_factory=list)

    def obstacle(self, order: DeviceOrder, device: Device) -> str | None:
        assert order.esp_id == device.esp_id
        return self.cannot

    async def carry_out(self, order: DeviceOrder, kaiser_id: str) -> OrderAnswer:
        self.sent.append((order, kaiser_id))
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        return self.answer
