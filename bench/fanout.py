"""How many readings a second reach subscribers, and how soon.

`python -m bench.fanout [--quick]`: N WebSockets hold the same subscription, one bare MQTT device
publishes. First as many events as are taken (a few are always on their way), then a slow steady
rate, where an event's time is from publish to each subscriber. The floor writes the same frames
without a server: no broker, no database, no GraphQL.
"""

import argparse
import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvloop

from app.clock import SystemClock
from bench.graphql_wire import HttpWire, SocketWire, subscribe
from bench.mqtt_wire import MqttWire, open_wire
from bench.parts import PASSWORD, PROJECT, end, running_parts, running_server
from bench.reporting import Report, percentile

WINDOW = 20
"""Events on their way at once."""

PACE = 20.0
"""Events a second where latency is measured."""

_SUBSCRIPTION = """
subscription {
  readings { cursor reading { id rawValue value unit timestamp sensor { gpio sensorType } } }
}
"""
_ESP = "ESP_FA0007"
_TOPIC = f"kaiser/god/esp/{_ESP}/sensor/4/data".encode()
_NUMBER = re.compile(rb'"rawValue":(\d+)')
_DEADLINE = 300.0
_LET_GO = 0.2


@dataclass(slots=True)
class Audience:
    """Subscribers, and what they heard.

    Attributes:
        tell: Makes one event happen, given its number.
        size: How many subscribers there are.
        surprise: A frame that is no event: a subscription ended.
    """

    tell: Callable[[int], None]
    size: int
    heard: int = 0
    told: int = 0
    wanted: int = 0
    left: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    surprise: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    window: int = WINDOW
    clock: SystemClock = field(default_factory=SystemClock)

    def deliver(self, frame: bytes) -> None:
        """Take in a frame of any subscriber."""
        number = _NUMBER.search(frame)
        if number is None:
            self.surprise = frame.decode(errors="replace")
            self.done.set()
            return
        self.heard += 1
        self.spent.append(self.clock.monotonic() - self.left[int(number[1])])
        if self.heard % self.size == 0:
            self._go_on()

    def probe(self) -> None:
        """Tell an event that nobody counts."""
        self._tell_one()
        self.heard = self.told * self.size

    async def flood(self, events: int) -> float:
        """Tell events as fast as they are heard; return deliveries a second."""
        self._begin(events, WINDOW)
        began, before = self.clock.monotonic(), self.heard
        self._go_on()
        await self._all_heard()
        return (self.heard - before) / (self.clock.monotonic() - began)

    async def pace(self, events: int) -> list[float]:
        """Tell events at a steady rate; return the seconds that each delivery took."""
        self._begin(events, 0)
        for _ in range(events):
            self._tell_one()
            await self.clock.sleep(1.0 / PACE)
        await self._all_heard()
        return self.spent

    async def _all_heard(self) -> None:
        async with asyncio.timeout(_DEADLINE):
            await self.done.wait()
        if self.surprise:
            raise RuntimeError(f"a subscriber heard {self.surprise[:500]}")

    def _begin(self, events: int, window: int) -> None:
        self.window, self.wanted = window, self.told + events
        self.spent.clear()
        self.done.clear()

    def _go_on(self) -> None:
        if self.heard >= self.wanted * self.size:
            self.done.set()
        while self.told < self.wanted and self.told - self.heard // self.size < self.window:
            self._tell_one()

    def _tell_one(self) -> None:
        self.left.append(self.clock.monotonic())
        self.tell(self.told)
        self.told += 1


async def measure(subscribers: int, events: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts, running_server(parts) as running:
        device = await open_wire(running.address, _ESP)
        http = await HttpWire.open(running.http, PASSWORD)
        audience = Audience(_teller(device), subscribers)
        served = await _run(audience, running.http, http.token, events)
        http.close()
        device.close()
    async with _bare_speaker() as (url, tell):
        bare = await _run(Audience(tell, subscribers), url, "", events)
    for name, (value, unit) in served.items():
        report.add(f"server: {name}", value, unit, floor=f"bare frames: {name}")
    for name, (value, unit) in bare.items():
        report.add(f"bare frames: {name}", value, unit)


async def _run(
    audience: Audience, url: str, token: str, events: int
) -> dict[str, tuple[float, str]]:
    """Return the figures of one source of events: values and units, by name."""
    sockets = await _listen(audience, url, token)
    await audience.flood(max(10, events // 20))
    rate = await audience.flood(events)
    spent = await audience.pace(max(20, events // 10))
    for socket in sockets:
        if socket.closed.done():
            raise RuntimeError(f"a subscriber was thrown out: {socket.closed.result()}")
        socket.close()
    return {
        "deliveries": (rate, "frames/s"),
        "publish to frame, p50": (percentile(spent, 0.5) * 1000.0, "ms"),
        "publish to frame, p99": (percentile(spent, 0.99) * 1000.0, "ms"),
    }


async def _listen(audience: Audience, url: str, token: str) -> list[SocketWire]:
    """Open all subscriptions, and return once every one is known to hear."""
    deaf = set(range(audience.size))

    def listener(number: int) -> Callable[[bytes], None]:
        return lambda _: deaf.discard(number)

    sockets = [
        await subscribe(url, token, _SUBSCRIPTION, listener(number))
        for number in range(audience.size)
    ]
    async with asyncio.timeout(_DEADLINE):
        while deaf:
            audience.probe()
            await audience.clock.sleep(_LET_GO)
    for socket in sockets:
        socket.deliver = audience.deliver
    return sockets


def _teller(device: MqttWire) -> Callable[[int], None]:
    payload = b'{"esp_id":"%b","seq":%d,"gpio":4,"sensor_type":"bench","raw":%d,"raw_mode":true}'
    name = _ESP.encode()
    return lambda number: device.publish(_TOPIC, payload % (name, number, number), 1)


@asynccontextmanager
async def _bare_speaker() -> AsyncIterator[tuple[str, Callable[[int], None]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.frames", cwd=PROJECT, stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101  # asked for
        port = int(await process.stdout.readline())
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        yield f"http://127.0.0.1:{port}", lambda _: writer.write(b"e")
        writer.close()
    finally:
        await end(process)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 15 seconds")
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--events", type=int, default=2000, help="in the flood")
    options = parser.parse_args()
    events = 200 if options.quick else options.events
    report = Report(
        benchmark="fanout", settings={"subscribers": options.subscribers, "events": events}
    )
    uvloop.run(measure(options.subscribers, events, report))
    report.finish()


if __name__ == "__main__":
    main()
