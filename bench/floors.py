"""Floors: what broker, database and wire cost by themselves, on this machine in this minute.

Nothing of the server runs here, so a figure of the server divided by its floor says what the server
adds, whatever the machine is.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import asyncpg
import msgspec

from app.clock import SystemClock
from bench.mqtt_wire import Message, MqttWire, open_wire
from bench.parts import Parts, generator, report_of

SENSOR_FILTER = "kaiser/+/esp/+/sensor/+/data"

_TABLE = "bench_reading"
_BATCH = 1000
_DEADLINE = 300.0
_LARGEST_BATCH = 2000
_PAUSE = 0.05

_INSERT = f"""
INSERT INTO {_TABLE} (id, measured_at, received_at, raw_value, value, sequence, sensor_id,
                      conversion_id, quality)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::float8[],
                     $5::float8[], $6::bigint[], $7::int[], $8::int[], $9::smallint[])
"""  # noqa: S608  # the name is ours

Columns = tuple[
    list[int],
    list[datetime],
    list[datetime],
    list[float],
    list[float],
    list[int],
    list[int],
    list[int],
    list[int],
]


class _Sample(msgspec.Struct, gc=False):
    seq: int
    raw: float
    ts: int


_DECODER = msgspec.json.Decoder(_Sample)


async def make_table(database: asyncpg.Connection) -> None:
    """Make an empty table of the shape of `reading`, with its indexes; the server made that one."""
    await database.execute(
        f"DROP TABLE IF EXISTS {_TABLE}; CREATE TABLE {_TABLE} (LIKE reading INCLUDING ALL)"
    )


async def broker_to_subscriber(parts: Parts, messages: int) -> float:
    """Return messages a second from a flooded broker to a subscriber that acknowledges (QoS 1)."""
    clock, done, heard = SystemClock(), asyncio.Event(), count(1)

    def deliver(_: Message) -> None:
        if next(heard) == messages:
            done.set()

    wire = await open_wire(parts.address, "bench-floor", deliver)
    await wire.subscribe([(SENSOR_FILTER, 1)])
    async with generator(parts, "--messages", str(messages)) as process:
        async with asyncio.timeout(_DEADLINE):
            await done.wait()
        ended = clock.now().timestamp()
        report = await report_of(process)
    wire.close()
    return messages / (ended - report["started_at"])


async def insert(database: asyncpg.Connection, rows: int) -> float:
    """Return rows a second of plain batched INSERTs, 1000 rows in each transaction."""
    clock = SystemClock()
    await make_table(database)
    batches = [_columns(first, _BATCH, clock.now()) for first in range(0, rows, _BATCH)]
    statement = await database.prepare(_INSERT)
    began = clock.monotonic()
    for batch in batches:
        await statement.fetch(*batch)
    return len(batches) * _BATCH / (clock.monotonic() - began)


async def single_commit(database: asyncpg.Connection, rows: int) -> list[float]:
    """Return the seconds that each commit of one row took."""
    clock = SystemClock()
    await make_table(database)
    statement = await database.prepare(_INSERT)
    spent: list[float] = []
    for number in range(rows):
        batch = _columns(number, 1, clock.now())
        began = clock.monotonic()
        await statement.fetch(*batch)
        spent.append(clock.monotonic() - began)
    return spent


async def bare_ingest(parts: Parts, database: asyncpg.Connection, messages: int) -> float:
    """Return messages a second of the least that does the job: decode, INSERT, then acknowledge."""
    await make_table(database)
    sink = _Sink()
    wire = await open_wire(parts.address, "bench-floor", sink.deliver)
    wire.hold_acks = True
    await wire.subscribe([(SENSOR_FILTER, 1)])
    async with generator(parts, "--messages", str(messages)) as process:
        async with asyncio.timeout(_DEADLINE):
            await sink.write(database, wire, messages)
        ended = SystemClock().now().timestamp()
        report = await report_of(process)
    wire.close()
    return messages / (ended - report["started_at"])


@dataclass(slots=True)
class _Sink:
    """Collects what arrives, and writes all that has gathered in one statement."""

    waiting: list[Message] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def deliver(self, message: Message) -> None:
        self.waiting.append(message)
        self.arrived.set()

    async def write(self, database: asyncpg.Connection, wire: MqttWire, messages: int) -> None:
        clock, statement = SystemClock(), await database.prepare(_INSERT)
        sensors: dict[bytes, int] = {}
        written = 0
        while written < messages:
            await self.arrived.wait()
            batch = self.waiting[:_LARGEST_BATCH]
            del self.waiting[:_LARGEST_BATCH]
            if not self.waiting:
                self.arrived.clear()
            samples = [_DECODER.decode(message.payload) for message in batch]
            now, size = clock.now(), len(batch)
            await statement.fetch(
                list(range(written, written + size)),
                [datetime.fromtimestamp(sample.ts, UTC) for sample in samples],
                [now] * size,
                [sample.raw for sample in samples],
                [sample.raw * 0.0625 for sample in samples],
                [sample.seq for sample in samples],
                [sensors.setdefault(message.topic, len(sensors)) for message in batch],
                [1] * size,
                [2] * size,
            )
            wire.acknowledge([message.mid for message in batch])
            written += size


def _columns(first: int, size: int, now: datetime) -> Columns:
    numbers = range(first, first + size)
    raw = [300.0 + number % 100 for number in numbers]
    return (
        list(numbers),
        [now + timedelta(microseconds=number // 100) for number in numbers],
        [now] * size,
        raw,
        [value * 0.0625 for value in raw],
        list(numbers),
        [number % 100 for number in numbers],
        [1] * size,
        [2] * size,
    )


async def round_trips(
    parts: Parts, times: int, answer: Callable[[MqttWire, Message], None], request: bytes
) -> list[float]:
    """Return the seconds from a command (QoS 2) to its device's answer (QoS 1), one at a time.

    Args:
        parts: The broker.
        times: How many.
        answer: What the device does with a command.
        request: The command's payload.
    """
    clock, arrived = SystemClock(), asyncio.Event()
    device = await open_wire(parts.address, "bench-device", lambda command: answer(device, command))
    await device.subscribe([("bench/command", 2)])
    server = await open_wire(parts.address, "bench-floor", lambda _: arrived.set())
    await server.subscribe([("bench/answer", 1)])
    spent: list[float] = []
    for _ in range(times):
        began = clock.monotonic()
        arrived.clear()
        server.publish(b"bench/command", request, 2)
        async with asyncio.timeout(_DEADLINE):
            await arrived.wait()
        spent.append(clock.monotonic() - began)
    device.close()
    server.close()
    return spent


async def commits_and_message(
    parts: Parts, database: asyncpg.Connection, times: int, commits: int = 1
) -> list[float]:
    """Return the seconds of some commits, each of a row, and then a message with QoS 2."""
    clock, heard = SystemClock(), asyncio.Event()
    await database.execute("CREATE TABLE IF NOT EXISTS bench_commit (id int)")
    device = await open_wire(parts.address, "bench-ear", lambda _: heard.set())
    await device.subscribe([("bench/floor", 2)])
    mouth = await open_wire(parts.address, "bench-mouth")
    spent: list[float] = []
    for number in range(times):
        heard.clear()
        began = clock.monotonic()
        for _ in range(commits):
            await database.execute("INSERT INTO bench_commit VALUES ($1)", number)
        mouth.publish(b"bench/floor", b"{}", 2)
        async with asyncio.timeout(_DEADLINE):
            await heard.wait()
        spent.append(clock.monotonic() - began)
        await clock.sleep(_PAUSE)
    device.close()
    mouth.close()
    return spent
