"""Boards in a process of their own: they outlive whatever else is killed, and tell what they do.

`python -m tests.e2e.boards mqtt://host:port november-2025 april-2026 ...`: one board for each name
of a dialect, with two pumps. Each change of a pin or a connection is a line of JSON on the standard
output; a line on the standard input ends the hurry in which they start.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from typing_extensions import override

from app.clock import SystemClock
from mqtt_bridge.session import BrokerAddress
from simulator.actuators import VirtualActuator
from simulator.connections import mqtt
from simulator.devices import VirtualDevice
from simulator.dialects import DIALECTS
from simulator.fleet import Fleet

PINS = (5, 6)
HURRY = 60.0
POLL = 0.01


class SettlingClock(SystemClock):
    """Runs fast until it is told to settle: nobody waits a minute for the first sign of a board."""

    def __init__(self) -> None:
        self.speed = HURRY
        self._start = super().now()
        self._counted, self._since = 0.0, super().monotonic()

    def settle(self) -> None:
        """Run as all clocks do from now on."""
        self._counted, self._since = self.monotonic(), super().monotonic()
        self.speed = 1.0

    @override
    def monotonic(self) -> float:
        return self._counted + (super().monotonic() - self._since) * self.speed

    @override
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    @override
    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / self.speed)


def name_of(number: int) -> str:
    return f"ESP_FA17{number:02}"


def make_boards(names: Sequence[str]) -> list[VirtualDevice]:
    known = {dialect.name: dialect for dialect in DIALECTS}
    return [
        VirtualDevice(
            esp_id=name_of(number),
            dialect=known[name],
            kaiser_id="god",
            actuators=tuple(VirtualActuator(gpio=gpio, actuator_type="pump") for gpio in PINS),
        )
        for number, name in enumerate(names)
    ]


async def tell(devices: Sequence[VirtualDevice]) -> None:
    """Say what changed: board, pin, whether it is connected, whether it is on, and when."""
    clock, told = SystemClock(), dict[tuple[str, int], tuple[bool, bool]]()
    while True:
        for device in devices:
            for actuator in device.actuators:
                key, state = (
                    (device.esp_id, actuator.gpio),
                    (device.outlet.connected, actuator.is_on),
                )
                if told.get(key) != state:
                    told[key] = state
                    sys.stdout.write(json.dumps([*key, *state, clock.monotonic()]) + "\n")
                    sys.stdout.flush()
        await asyncio.sleep(POLL)


async def settle(clock: SettlingClock) -> None:
    """Wait for the line that ends the hurry."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()
    clock.settle()


async def live(broker_url: str, names: Sequence[str]) -> None:
    clock, devices = SettlingClock(), make_boards(names)
    fleet = Fleet(
        devices=devices, connect=mqtt(BrokerAddress.from_url(broker_url), clock), clock=clock
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.run())
        tasks.create_task(tell(devices))
        tasks.create_task(settle(clock))


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2:]))
