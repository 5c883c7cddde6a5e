"""A device with one actuator, and the service that commands it, over fakes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from domain.actuators import (
    Actuator,
    Command,
    CommandAction,
    CommandOrigin,
    CommandStatus,
    Order,
    Pin,
)
from domain.arbitration import Holder
from domain.devices import Device
from domain.emergency_latch import Latch
from domain.events import CommandChanged
from domain.lease_book import LeaseBook
from domain.services.command import SendCommand
from domain.services.registry import Registry
from tests.fakes import FakeClock, FakeCommandLink, FakeEventStream, FakeStorage, until
from tests.makers import make_actuator, make_device, make_guard

PIN = Pin("ESP_12AB34", 5)


def on(**changes: object) -> Order:
    values: dict[str, object] = {
        "pin": PIN,
        "action": CommandAction.ON,
        "origin": CommandOrigin.USER,
        **changes,
    }
    return Order(**values)  # type: ignore[arg-type]  # a test's shorthand


class Greenhouse:
    """A device with one actuator, and everything a command needs."""

    def __init__(self, device: Device | None = None, actuator: Actuator | None = None) -> None:
        self.clock = FakeClock(automatic=True)
        self.storage = FakeStorage()
        self.events = FakeEventStream()
        self.link = FakeCommandLink(self.clock)
        self.registry = Registry()
        self.registry.add_device(device or make_device())
        self.registry.add_actuator(actuator or make_actuator())
        self.latch = Latch()
        self.leases = LeaseBook()
        self.ended: list[Command] = []
        self.holder: Holder | None = None
        numbers = iter(range(1, 10_000))
        self.send = SendCommand(
            storage=self.storage,
            registry=self.registry,
            latch=self.latch,
            leases=self.leases,
            link=self.link,
            events=self.events,
            clock=self.clock,
            guard=make_guard(self.clock),
            new_id=lambda: UUID(int=next(numbers)),
            ended=self.ended.append,
            holder=lambda _pin, _now: self.holder,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SendCommand]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.send.run())
            await until(lambda: self.send._tasks is not None)
            yield self.send
            task.cancel()

    def statuses(self) -> list[CommandStatus]:
        return [
            event.command.status
            for event in self.events.published
            if isinstance(event, CommandChanged)
        ]
