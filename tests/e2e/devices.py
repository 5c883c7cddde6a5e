"""Virtual devices on real connections, for as long as a story needs them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from typing_extensions import override

from app.clock import SystemClock
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.session import BrokerAddress, Delivery
from simulator.connections import Connect, Connection, mqtt
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


@dataclass
class Wiretap:
    """Writes down what devices handed to the broker, in their order."""

    said: list[Outgoing] = field(default_factory=list)

    def on(self, connect: Connect) -> Connect:
        return lambda line: _Tapped(connect(line), self.said)


@dataclass
class _Tapped:
    connection: Connection
    said: list[Outgoing]

    async def run(self) -> None:
        await self.connection.run()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        await self.connection.publish(topic, payload, qos=qos, retain=retain)
        self.said.append(Outgoing(topic, payload, qos, retain))

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.connection.acknowledge(deliveries)


@asynccontextmanager
async def living(
    broker_url: str, devices: Sequence[VirtualDevice], tap: Wiretap | None = None
) -> AsyncIterator[Fleet]:
    """Run devices, in a hurry, until the block ends."""
    clock = HurriedClock()
    connect = mqtt(BrokerAddress.from_url(broker_url), clock)
    fleet = Fleet(devices=devices, connect=tap.on(connect) if tap else connect, clock=clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(fleet.run())
        yield fleet
        task.cancel()


def running(device: VirtualDevice) -> bool:
    """Say whether the first actuator of a board is on."""
    return device.actuators[0].is_on
