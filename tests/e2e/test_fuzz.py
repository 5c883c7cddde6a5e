"""A hundred thousand spoilt messages: the server stays well, and none of them vanishes."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import asyncpg
import pytest

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from domain.dead_letters import TOPIC_LIMIT
from domain.sensors import Sample
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import SensorData
from mqtt_bridge.session import BrokerAddress, MqttSession
from tests.e2e.load import quick_guard
from tests.e2e.mutations import Message, mutated
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

MESSAGES = 100_000
AT_ONCE = 500
MOST_GROWTH = 32 * 1024 * 1024
"""Bytes by which the server may grow while it hears the second half: its caches are full then."""

_SENSOR_TOPIC = re.compile(
    "|".join(
        pattern.replace("+", "[^/]*") for pattern, _ in topics.filters(topics.Connection.TELEMETRY)
    )
)


class Ledger:
    """What must become of the messages, as the protocol says.

    Attributes:
        malformed: Messages on sensor topics that cannot be read.
        rows: Samples that are different readings.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        self.malformed = self._nameless = 0
        self._identities: set[tuple[object, ...]] = set()
        now = SystemClock().now()
        for topic, payload in messages:
            if not _SENSOR_TOPIC.fullmatch(topic):
                continue
            parsed = topics.parse(topic)
            try:
                message = parsed and payloads.decode(parsed, payload, now)
            except payloads.MalformedPayloadError:
                message = None
            if message is None:
                self.malformed += 1
            elif isinstance(message, SensorData):
                for sample in message.samples:
                    self._enter(sample)

    @property
    def rows(self) -> int:
        return len(self._identities) + self._nameless

    def _enter(self, sample: Sample) -> None:
        if sample.measured_at is not None:
            self._identities.add((sample.key, sample.measured_at, sample.sequence))
        elif sample.ticks or sample.sequence is not None:
            self._identities.add((sample.key, sample.ticks, sample.sequence, sample.raw_value))
        else:
            self._nameless += 1


def memory_of(server: ServerProcess) -> int:
    """Return the bytes that the server's process holds (proc_pid_status(5))."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


async def publish(broker: EmbeddedBroker, messages: Sequence[Message]) -> None:
    """Publish in order, with QoS 1; return when the broker has all."""
    session = MqttSession(
        address=BrokerAddress.from_url(broker.url),
        client_id="fuzzer",
        filters=(),
        deliver=lambda _delivery: None,
        guard=quick_guard("fuzzer"),
        clean=True,
    )
    async with asyncio.TaskGroup() as group:
        staying = group.create_task(session.run())
        await eventually(lambda: session.connected)
        for begin in range(0, len(messages), AT_ONCE):
            part = messages[begin : begin + AT_ONCE]
            await asyncio.gather(
                *(session.publish(topic, payload, qos=1) for topic, payload in part)
            )
        staying.cancel()


async def keep_every_dead_letter(database: asyncpg.Connection) -> None:
    """Let a trigger note them: the server itself keeps only the newest."""
    await database.execute(
        "CREATE TABLE every_dead_letter (topic text, reason text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO every_dead_letter VALUES (NEW.topic, NEW.reason); RETURN NEW; END $$;"
        "CREATE TRIGGER note BEFORE INSERT ON dead_letter FOR EACH ROW EXECUTE FUNCTION note()"
    )


async def count_ends(database: asyncpg.Connection) -> tuple[int, int]:
    """Count rows, and dead letters on sensor topics.

    What the database refused of a sample that could be read counts as its row: no limit of ours
    stood before that of the database, and the message has not vanished.
    """
    rows = await database.fetchval("SELECT count(*) FROM reading")
    letters = await database.fetch("SELECT topic, reason FROM every_dead_letter")
    refused = sum(letter["reason"].startswith("the database refuses") for letter in letters)
    buried = sum(bool(_SENSOR_TOPIC.fullmatch(letter["topic"])) for letter in letters)
    return rows + refused, buried


@pytest.mark.timeout(240)
async def test_a_hundred_thousand_spoilt_messages_become_rows_or_dead_letters_and_harm_nobody(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    messages = list(mutated(MESSAGES, Random(20_261_123)))
    assert all(len(topic) <= TOPIC_LIMIT for topic, _ in messages)
    ledger = Ledger(messages)
    assert ledger.rows > 1000
    assert ledger.malformed > 1000
    pid, half = server.pid, MESSAGES // 2
    database = await asyncpg.connect(database_url)
    await keep_every_dead_letter(database)

    async def is_done() -> bool:
        assert (server.running, server.pid) == (True, pid), server.log_text()
        return await count_ends(database) == (ledger.rows, ledger.malformed)

    async def is_idle() -> bool:
        status, health = await server.health()
        parts = health["components"]
        waiting = [parts[f"broker {name}"]["detail"] for name in ("telemetry", "control")]
        return status == 200 and all("backlog 0;" in detail for detail in waiting)

    try:
        await publish(broker, messages[:half])
        await eventually(is_idle, within=90, what="the first half is handled")
        before = memory_of(server)
        await publish(broker, messages[half:])
        try:
            await eventually(is_done, within=90, what="every message has ended")
        except AssertionError:
            assert await count_ends(database) == (ledger.rows, ledger.malformed)
        await eventually(is_idle, within=30, what="nothing waits")
    finally:
        await database.close()
    assert memory_of(server) - before < MOST_GROWTH
