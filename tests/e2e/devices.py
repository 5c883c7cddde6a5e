"""Virtual devices on real connections, for as long as a story needs them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from typing_extensions import override

from app.clock import SystemClock
from mqtt_bridge.session import BrokerAddress
from simulator.connections import mqtt
from simulator.devices import VirtualDevice
from simulator.fleet import Fleet


class HurriedClock(SystemClock):
    """Runs faster than the sun, so that a story need not wait for a device's first minute."""

    SPEED = 20.0

    def __init__(self) -> None:
        self._start = super().now()
        self._zero = super().monotonic()

    @override
    def monotonic(self) -> float:
        return (super().monotonic() - self._zero) * self.SPEED

    @override
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    @override
    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / self.SPEED)


@asynccontextmanager
async def living(broker_url: str, devices: Sequence[VirtualDevice]) -> AsyncIterator[Fleet]:
    """Run devices, in a hurry, until the block ends."""
    clock = HurriedClock()
    fleet = Fleet(
        devices=devices, connect=mqtt(BrokerAddress.from_url(broker_url), clock), clock=clock
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(fleet.run())
        yield fleet
        task.cancel()
