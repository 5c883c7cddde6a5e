"""How long an emergency stop takes: from the mutation to the wire, as a device hears it.

`python -m bench.emergency [--quick]`: a hundred devices that confirm as newest firmware does; stops
of everything (by broadcast) and of one device (by its own order) take turns, first while nothing
else happens, then while readings pour in as fast as the broker takes them. Every stop is cleared
once all have confirmed it. The floor is what nobody can do without: the commit of a row, then a
message with QoS 2 to a device, in the same minute and beside the same flood.

Devices refuse to be freed for five seconds: some stops follow each other, then all are freed.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import msgspec
import uvloop

from app.clock import SystemClock
from bench.generator import DEVICES, topic
from bench.graphql_wire import HttpWire
from bench.mqtt_wire import Message, MqttWire, open_wire
from bench.parts import PASSWORD, Parts, generator, report_of, running_parts, running_server
from bench.reporting import Report, percentile

AIM = 50.0
BROADCAST, ORDER = "mutation to broadcast", "mutation to the device's own order"
FLOOR = "commit and message"
FLOOD_RATE = 10_000
"""Readings a second: what ingest must take. More would pile up in the broker, and measure that."""

_FLOOD = FLOOD_RATE * 600
"""More readings than any run lasts for."""

_PATIENCE = 30.0
_POLL = 0.05
_PAUSE = 0.5
_HANDFUL = 8
_TOPIC = "kaiser/broadcast/emergency"
_NAMES = tuple(topic(device)[15:25].decode() for device in range(DEVICES))

_STOP = "mutation($input: EmergencyStopInput!) { emergencyStop(input: $input) { id } }"
_CLEAR = "mutation($id: ID!) { clearEmergency(id: $id) { active } }"
_STOPS = "{ emergencyStops(active: true) { id devices { confirmed } } }"
_CLEARED = "{ emergencyStops(active: false) { devices { releasedAt } } }"
_DEVICES = "{ devices(first: 100) { edges { node { status } } } }"
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()


@dataclass(slots=True)
class Crowd:
    """A hundred devices on one connection: each confirms what it is told.

    Attributes:
        heard: When the broadcast, or an order to stop, first came.
    """

    wire: MqttWire | None = None
    heard: asyncio.Future[float] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    _clock: SystemClock = field(default_factory=SystemClock)

    def hear(self, message: Message) -> None:
        """Take in a message, and answer it."""
        body = _DECODER.decode(message.payload)
        order = body["command"]
        if order == "emergency_stop" and not self.heard.done():
            self.heard.set_result(self._clock.monotonic())
        everybody = message.topic == _TOPIC.encode()
        for name in _NAMES if everybody else (message.topic.decode().split("/")[3],):
            self._say(
                name,
                "actuator/emergency/ack",
                {
                    "ts": int(self._clock.now().timestamp()),
                    "correlation_id": body.get("correlation_id", ""),
                    "command": order,
                    "gpio_count": 1,
                    "outcome": "executed",
                },
            )

    def announce(self) -> None:
        """Let the server hear of all of them."""
        for name in _NAMES:
            said = {"ts": 0, "uptime": 1, "heap_free": 150_000, "wifi_rssi": -60}
            self._say(name, "system/heartbeat", said)

    def _say(self, name: str, what: str, fields: Mapping[str, object]) -> None:
        assert self.wire is not None  # noqa: S101 - it is connected before it hears
        place = f"kaiser/god/esp/{name}/{what}".encode()
        self.wire.publish(place, _ENCODER.encode({"esp_id": name, **fields}), 1)


async def measure(times: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts:
        database = await asyncpg.connect(parts.database)
        try:
            async with running_server(parts) as running:
                # The first message of each device makes it known: that happens once in its life.
                async with generator(running, "--messages", str(10 * DEVICES)) as first:
                    await report_of(first)
                await _stop_again_and_again(running, database, times, "alone", report)
                flood = ("--messages", str(_FLOOD), "--rate", str(FLOOD_RATE))
                async with generator(running, *flood):
                    name = f"at {FLOOD_RATE:,} readings/s"
                    await _stop_again_and_again(running, database, times, name, report)
        finally:
            await database.close()


async def _stop_again_and_again(
    parts: Parts, database: asyncpg.Connection, times: int, name: str, report: Report
) -> None:
    clock = SystemClock()
    async with _crowd(parts) as crowd:
        http = await HttpWire.open(parts.http, PASSWORD)
        await _until_online(http, crowd)
        rows, began = await _newest(database), clock.monotonic()
        spent: dict[str, list[float]] = {BROADCAST: [], ORDER: []}
        for number in range(2 * times):
            kind = ORDER if number % 2 else BROADCAST
            one = {"espId": _NAMES[number % DEVICES]} if kind is ORDER else {}
            spent[kind].append(await _stop_once(http, crowd, {"reason": "measured", **one}))
            if not (number + 1) % _HANDFUL:
                await _until_free(http)
        rate = (await _newest(database) - rows) / (clock.monotonic() - began)
        floor = await _floor(parts, database, times)
        http.close()
    if rate:
        report.add(f"readings stored, {name}", rate, "/s")
    for share in (0.5, 0.99):
        label = f"{name}, p{share * 100:.0f}"
        for kind, seconds in spent.items():
            report.add(
                f"{kind}, {label}",
                percentile(seconds, share) * 1000.0,
                "ms",
                floor=f"{FLOOR}, {label}",
                target=f"<= {AIM:g} ms",
            )
        report.add(f"{FLOOR}, {label}", percentile(floor, share) * 1000.0, "ms")


async def _stop_once(http: HttpWire, crowd: Crowd, wish: Mapping[str, str]) -> float:
    clock = SystemClock()
    crowd.heard = asyncio.get_running_loop().create_future()
    began = clock.monotonic()
    stop = (await http.ask(_STOP, {"input": dict(wish)}))["emergencyStop"]["id"]
    async with asyncio.timeout(_PATIENCE):
        spent = await crowd.heard - began
        while not await _confirmed(http, stop):
            await clock.sleep(_POLL)
    await http.ask(_CLEAR, {"id": stop})
    await clock.sleep(_PAUSE)
    return spent


async def _confirmed(http: HttpWire, stop_id: str) -> bool:
    stops = (await http.ask(_STOPS, {}))["emergencyStops"]
    (stop,) = [stop for stop in stops if stop["id"] == stop_id]
    return all(device["confirmed"] for device in stop["devices"])


async def _until_free(http: HttpWire) -> None:
    async with asyncio.timeout(_PATIENCE):
        while True:
            stop, *_ = (await http.ask(_CLEARED))["emergencyStops"]
            if all(device["releasedAt"] for device in stop["devices"]):
                return
            await SystemClock().sleep(_POLL)


async def _floor(parts: Parts, database: asyncpg.Connection, times: int) -> list[float]:
    """Return the seconds of a commit and a message with QoS 2, one after the other."""
    clock, heard = SystemClock(), asyncio.Event()
    await database.execute("CREATE TABLE IF NOT EXISTS bench_commit (id int)")
    device = await open_wire(parts.address, "bench-ear", lambda _: heard.set())
    await device.subscribe([("bench/floor", 2)])
    mouth = await open_wire(parts.address, "bench-mouth")
    spent: list[float] = []
    for number in range(times):
        heard.clear()
        began = clock.monotonic()
        await database.execute("INSERT INTO bench_commit VALUES ($1)", number)
        mouth.publish(b"bench/floor", b"{}", 2)
        async with asyncio.timeout(_PATIENCE):
            await heard.wait()
        spent.append(clock.monotonic() - began)
        await clock.sleep(_POLL)
    device.close()
    mouth.close()
    return spent


async def _newest(database: asyncpg.Connection) -> int:
    rows: int = await database.fetchval("SELECT count(*) FROM reading")
    return rows


@asynccontextmanager
async def _crowd(parts: Parts) -> AsyncIterator[Crowd]:
    crowd = Crowd()
    crowd.wire = await open_wire(parts.address, "bench-crowd", crowd.hear)
    await crowd.wire.subscribe([("kaiser/god/esp/+/actuator/emergency", 2), (_TOPIC, 2)])
    yield crowd
    crowd.wire.close()


async def _until_online(http: HttpWire, crowd: Crowd) -> None:
    clock = SystemClock()
    crowd.announce()
    async with asyncio.timeout(_PATIENCE):
        while True:
            edges = (await http.ask(_DEVICES, {}))["devices"]["edges"]
            if sum(edge["node"]["status"] == "ONLINE" for edge in edges) >= DEVICES:
                return
            await clock.sleep(_POLL)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in half a minute")
    parser.add_argument("--times", type=int, default=150, help="stops of each kind")
    options = parser.parse_args()
    times = 20 if options.quick else options.times
    report = Report(benchmark="emergency", settings={"times": times, "devices": DEVICES})
    uvloop.run(measure(times, report))
    report.finish()


if __name__ == "__main__":
    main()
