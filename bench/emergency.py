"""How long an emergency stop takes: from the mutation to the wire, as a device hears it.

`python -m bench.emergency [--quick]`: a bare MQTT device listens to the broadcast and to its own
orders, first while nothing else happens, then while readings pour in. Each stop is cleared before
the next one. The floor is an MQTT round trip without a server.
"""

import argparse
import asyncio
from collections.abc import Sequence

import msgspec
import uvloop

from app.clock import SystemClock
from bench import floors
from bench.generator import DEVICES
from bench.graphql_wire import HttpWire
from bench.mqtt_wire import Message, MqttWire, open_wire
from bench.parts import PASSWORD, Parts, generator, report_of, running_parts, running_server
from bench.reporting import Report, percentile

ESP = "ESP_BE7C41"
AIM = 50.0
FLOOD_RATE = 5000
_LEVEL = f"kaiser/god/esp/{ESP}"
_BROADCAST = b"kaiser/broadcast/emergency"
_PATIENCE = 10.0
_POLL = 0.05
_PAUSE = 0.3

_STOP = "mutation($input: EmergencyStopInput!) { emergencyStop(input: $input) { id } }"
_CLEAR = "mutation($id: ID!) { clearEmergency(id: $id) { active } }"
_DEVICE = "query($espId: String!) { device(espId: $espId) { status } }"
_ENCODER = msgspec.json.Encoder()


class Ears:
    """When the device heard the broadcast, and the order to itself."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._broadcast: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._order: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def hear(self, message: Message) -> None:
        """Take in a message."""
        ear = self._broadcast if message.topic == _BROADCAST else self._order
        if not ear.done() and b"emergency_stop" in message.payload:
            ear.set_result(self._clock.monotonic())

    def listen(self) -> None:
        """Forget what was heard."""
        loop = asyncio.get_running_loop()
        self._broadcast, self._order = loop.create_future(), loop.create_future()

    async def both(self) -> tuple[float, float]:
        """Wait for both, and return when they came."""
        async with asyncio.timeout(_PATIENCE):
            return await self._broadcast, await self._order


async def measure(times: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts:
        async with running_server(parts) as running:
            await _stop_again_and_again(running, times, "alone", report)
            # The first message of each device makes it known: that happens once in its life.
            async with generator(running, "--messages", str(10 * DEVICES)) as first:
                await report_of(first)
            flood = str(FLOOD_RATE * 600)
            async with generator(running, "--messages", flood, "--rate", str(FLOOD_RATE)):
                name = f"at {FLOOD_RATE} readings/s"
                await _stop_again_and_again(running, times, name, report)
        bare = await floors.round_trips(
            parts, times, lambda wire, _: wire.publish(b"bench/answer", b"{}", 1), b"{}"
        )
    for share in (0.5, 0.99):
        name = f"MQTT round trip, p{share * 100:.0f}"
        report.add(name, percentile(bare, share) * 1000.0, "ms")


async def _stop_again_and_again(parts: Parts, times: int, name: str, report: Report) -> None:
    ears = Ears()
    device = await open_wire(parts.address, ESP, ears.hear)
    await device.subscribe([(f"{_LEVEL}/actuator/emergency", 2), (_BROADCAST.decode(), 2)])
    http = await HttpWire.open(parts.http, PASSWORD)
    await _introduce(device, http)
    clock = SystemClock()
    broadcast: list[float] = []
    orders: list[float] = []
    for _ in range(times):
        ears.listen()
        began = clock.monotonic()
        answer = await http.ask(_STOP, {"input": {"reason": "measured"}})
        heard = await ears.both()
        broadcast.append(heard[0] - began)
        orders.append(heard[1] - began)
        await http.ask(_CLEAR, {"id": answer["emergencyStop"]["id"]})
        # Else the next stop would wait for what this one still has to tell the other devices.
        await clock.sleep(_PAUSE)
    http.close()
    device.close()
    _add(report, f"mutation to broadcast, {name}", broadcast)
    _add(report, f"mutation to the device's own order, {name}", orders)


def _add(report: Report, name: str, spent: Sequence[float]) -> None:
    for share in (0.5, 0.99):
        label = f"p{share * 100:.0f}"
        report.add(
            f"{name}, {label}",
            percentile(spent, share) * 1000.0,
            "ms",
            floor=f"MQTT round trip, {label}",
            target=f"<= {AIM:g} ms",
        )


async def _introduce(device: MqttWire, http: HttpWire) -> None:
    """Let the server hear of the device."""
    clock = SystemClock()
    heartbeat = {"esp_id": ESP, "ts": 0, "uptime": 1, "heap_free": 150_000, "wifi_rssi": -60}
    deadline, status = clock.monotonic() + _PATIENCE, None
    while status != "ONLINE":
        if clock.monotonic() > deadline:
            raise RuntimeError(f"{ESP} is {status}")
        device.publish(f"{_LEVEL}/system/heartbeat".encode(), _ENCODER.encode(heartbeat))
        await clock.sleep(_POLL)
        status = ((await http.ask(_DEVICE, {"espId": ESP}))["device"] or {}).get("status")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 20 seconds")
    parser.add_argument("--times", type=int, default=150, help="stops, one after the other")
    options = parser.parse_args()
    times = 100 if options.quick else options.times
    report = Report(benchmark="emergency", settings={"times": times})
    uvloop.run(measure(times, report))
    report.finish()


if __name__ == "__main__":
    main()
