"""Publishes readings from a process of its own, so that it costs the measured one nothing.

`python -m bench.generator --help`. Prints one JSON line when everything was confirmed; the time
at which each message left is written to a file, as 8-byte floats in the order of sequence numbers.
"""

import argparse
import asyncio
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import asyncpg
import uvloop

from app.clock import SystemClock
from bench.mqtt_wire import MqttWire, open_wire
from mqtt_bridge.session import BrokerAddress

DEVICES = 100
WINDOW = 1000
"""Messages on their way that nobody has confirmed yet."""

_TICK = 0.001
_BURST = 200
"""Messages in one write; more would only make the others wait."""

_LOOK = 0.02
"""Seconds between two looks at how much is stored."""

_SENSOR = """
SELECT s.id FROM sensor s JOIN device d ON d.id = s.device_id WHERE d.esp_id = $1
"""
_NEWEST = """
SELECT sequence FROM reading WHERE sensor_id = $1 AND measured_at >= $2
ORDER BY measured_at DESC, sequence DESC LIMIT 1
"""

_DEADLINE = 600.0
_LARGEST_MID = 65_535

_BULK = 200
"""Readings that a device sends in a row when it gets rid of a backlog."""

_STRIDE = 37
"""Devices from one bulk to the next: they do not come in any order of theirs."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a generator did.

    Attributes:
        seconds: From the first publish to the last confirmation.
        started_at: Unix seconds of the first publish.
    """

    messages: int
    seconds: float
    started_at: float


def name_of(device: int) -> str:
    """Return what one device calls itself."""
    return f"ESP_{device + 1:06X}"


def topic(device: int) -> bytes:
    """Return the topic of one device's probe."""
    return f"kaiser/god/esp/{name_of(device)}/sensor/4/data".encode()


class Probe(NamedTuple):
    """A kind of sensor.

    Attributes:
        raw: The lowest that it says.
        own: What its device makes of it.
        rest: What else its messages hold.
    """

    raw: int
    own: bytes
    rest: bytes = b""


PROBES = {
    "ds18b20": Probe(300, b'21.5,"unit":"\xc2\xb0C"', b',"onewire_address":"28FF641E8D3C0C79"'),
    "ph": Probe(1800, b'7.12,"unit":"pH"'),
}


def _tail(sensor_type: str, probe: Probe, *, final: bool) -> bytes:
    head = b',"zone_id":"","subzone_id":"","gpio":4,"sensor_type":"' + sensor_type.encode()
    mode = b"false" if final else b"true"
    said = b'","raw":%d,"value":' + probe.own + b',"quality":"good","ts":%d,"time_valid":true'
    return head + said + b',"raw_mode":' + mode + probe.rest + b"}"


class Packets:
    """Makes PUBLISH packets of single readings, QoS 1, as the newest firmware sends them."""

    def __init__(
        self,
        *,
        probes: Sequence[str] = ("ds18b20",),
        final: bool = False,
        bulk: int = 1,
        only: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            probes: The kinds of sensors that each device has; they take turns.
            final: Whether devices convert by themselves.
            bulk: Packets in a row from the same device.
            only: The one device that sends; None: all of them.
        """
        self._tails = [
            (PROBES[name].raw, _tail(name, PROBES[name], final=final)) for name in probes
        ]
        self._bulk = bulk
        self._heads: list[bytes] = []
        for device in range(DEVICES) if only is None else (only,):
            place, name = topic(device), name_of(device).encode()
            self._heads.append(
                len(place).to_bytes(2, "big") + place + b'%b{"esp_id":"' + name + b'","seq":%d'
            )

    def packet(self, sequence: int, ts: int) -> bytes:
        """Return the packet of one sequence number; the devices take turns, in bulks."""
        mid = (sequence % _LARGEST_MID + 1).to_bytes(2, "big")
        device = sequence // self._bulk * _STRIDE % len(self._heads)
        body = self._heads[device] % (mid, sequence)
        raw, tail = self._tails[sequence // len(self._heads) % len(self._tails)]
        body += tail % (raw + sequence % 100, ts)
        size = len(body)
        return b"\x32" + bytes((size & 0x7F | 0x80, size >> 7)) + body


class Load:
    """Sends packets as fast as they are confirmed, or at a rate."""

    def __init__(self, messages: int, window: int, packets: Packets, *, age: float = 0.0) -> None:
        """Prepare.

        Args:
            messages: How many.
            window: How many of them may be unconfirmed at once.
            packets: Makes them; with an age in bulks.
            age: Seconds that the oldest was measured ago; the last one was measured just now.
        """
        self.left = array("d", bytes(8 * messages))
        self.confirmed = 0
        self.done = asyncio.Event()
        self._clock = SystemClock()
        self._messages = messages
        self._allowed = messages
        self._window = window
        self._packets = packets
        self._age = age
        self._sent = 0
        self._wire: MqttWire | None = None

    def start_flood(self, wire: MqttWire) -> None:
        """Fill the window; every confirmation makes room for another message."""
        self._wire = wire
        self._send(self._window)

    async def pace(self, wire: MqttWire, rate: float) -> None:
        """Send at a rate, in messages a second."""
        self._wire, loop = None, asyncio.get_running_loop()
        began = loop.time()
        while self._sent < self._messages:
            due = int((loop.time() - began) * rate) + 1
            room = self._window - (self._sent - self.confirmed)
            self._write(wire, min(due - self._sent, room))
            await self._clock.sleep(_TICK)

    def acked(self, count: int) -> None:
        """Take in confirmations."""
        self.confirmed += count
        if self.confirmed >= self._messages:
            self.done.set()
        else:
            self._refill()

    def allow(self, messages: int) -> None:
        """Send no more than so many of all, until more are allowed."""
        self._allowed = min(messages, self._messages)
        self._refill()

    def _refill(self) -> None:
        if self._wire is not None:
            self._send(self._window - (self._sent - self.confirmed))

    def _send(self, count: int) -> None:
        assert self._wire is not None  # noqa: S101  # a flood has begun
        for part in self._bursts(count):
            self._write(self._wire, part)

    @staticmethod
    def _bursts(count: int) -> Iterator[int]:
        while count > 0:
            yield min(count, _BURST)
            count -= _BURST

    def _write(self, wire: MqttWire, count: int) -> None:
        first, last = self._sent, min(self._sent + count, self._allowed)
        if last <= first:
            return
        packet = self._packets.packet
        now = self._clock.now().timestamp()
        younger = self._age / self._messages
        data = b"".join(
            [
                packet(sequence, int(now - self._age + sequence * younger))
                for sequence in range(first, last)
            ]
        )
        for sequence in range(first, last):
            self.left[sequence] = now
        self._sent = last
        wire.write(data)


async def generate(load: Load, options: argparse.Namespace) -> Generated:
    """Publish everything and wait until all is confirmed."""
    clock = SystemClock()
    address = BrokerAddress.from_url(options.mqtt_url)
    wire = await open_wire(address, options.client_id, acked=load.acked)
    started_at, began = clock.now().timestamp(), clock.monotonic()
    async with asyncio.timeout(_DEADLINE):
        if options.rate:
            await load.pace(wire, options.rate)
        elif options.ahead:
            load.allow(options.ahead)
            load.start_flood(wire)
            await _stay_ahead(load, options, clock)
        else:
            load.start_flood(wire)
        await load.done.wait()
    wire.close()
    return Generated(options.messages, clock.monotonic() - began, started_at)


async def _stay_ahead(load: Load, options: argparse.Namespace, clock: SystemClock) -> None:
    """Let so many more be sent than are stored, until all is confirmed.

    Devices, known already, take turns, so that the newest row of one tells of all of them.
    """
    since = clock.now().replace(microsecond=0)
    database = await asyncpg.connect(options.database)
    try:
        sensor = await database.fetchval(_SENSOR, name_of(0))
        while not load.done.is_set():
            newest = await database.fetchval(_NEWEST, sensor, since)
            load.allow((newest or 0) + options.ahead)
            await clock.sleep(_LOOK)
    finally:
        await database.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mqtt-url", required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="a second; 0: as fast as it goes")
    parser.add_argument(
        "--ahead", type=int, default=0, help="at most so many more than are stored in --database"
    )
    parser.add_argument("--database", default="", help="URL of the server's PostgreSQL")
    parser.add_argument("--window", type=int, default=WINDOW, help="unconfirmed at once")
    parser.add_argument("--age", type=float, default=0.0, help="seconds; makes it a backlog")
    parser.add_argument("--only", type=int, help="the number of the one device that sends")
    parser.add_argument("--probes", nargs="+", choices=PROBES, default=["ds18b20"])
    parser.add_argument("--final", action="store_true", help="devices convert by themselves")
    parser.add_argument("--client-id", default="bench-generator")
    parser.add_argument("--times", default="", help="file for the times of leaving")
    options = parser.parse_args()
    packets = Packets(
        probes=options.probes,
        final=options.final,
        bulk=_BULK if options.age else 1,
        only=options.only,
    )
    load = Load(options.messages, options.window, packets, age=options.age)
    generated = uvloop.run(generate(load, options))
    if options.times:
        with Path(options.times).open("wb") as file:
            load.left.tofile(file)
    print(json.dumps(asdict(generated)))


if __name__ == "__main__":
    main()
