"""From the wire to the store: acknowledged is stored, and stored is acknowledged."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.dead_letters import DeadLetter
from domain.devices import FirmwareEvidence, FirmwareGeneration
from domain.errors import StorageUnavailableError
from domain.sensors import Sample
from mqtt_bridge import intake as intake_module
from mqtt_bridge.intake import Intake
from mqtt_bridge.session import Delivery
from tests.fakes import FakeClock, until
from tests.makers import make_guard

TOPIC = "kaiser/god/esp/ESP_12AB34/sensor/4/data"


def delivery(
    mid: int = 1,
    payload: bytes | None = None,
    *,
    topic: str = TOPIC,
    qos: int = 1,
    retain: bool = False,
) -> Delivery:
    body = json.dumps({"sensor_type": "ds18b20", "raw": 344, "ts": 1767268800, "seq": mid}).encode()
    return Delivery(topic, body if payload is None else payload, qos, retain, mid, 1)


@dataclass
class FakeSource:
    acknowledged: list[int] = field(default_factory=list)
    paused: bool = False

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.acknowledged += [delivery.mid for delivery in deliveries]

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


@dataclass
class Store:
    """Where samples end; `failures` are raised first, `gate` holds a write up."""

    samples: list[Sample] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    failures: int = 0
    gate: asyncio.Event | None = None

    async def __call__(self, samples: Sequence[Sample], dead_letters: Sequence[DeadLetter]) -> None:
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise StorageUnavailableError("away")
        self.samples += samples
        self.dead_letters += dead_letters
        self.batches.append(len(samples))


@dataclass
class Journal:
    lines: list[dict[str, object]] = field(default_factory=list)

    def warning(self, event: str, **fields: object) -> None:
        self.lines.append({"event": event, **fields})


class Wire:
    def __init__(self) -> None:
        self.clock = FakeClock(automatic=True)
        self.source = FakeSource()
        self.store = Store()
        self.journal = Journal()
        self.intake = Intake(
            ingest=self.store,
            guard=make_guard(self.clock),
            clock=self.clock,
            journal=self.journal,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.intake.run())
            yield
            task.cancel()


async def test_a_message_is_acknowledged_only_after_it_is_stored() -> None:
    wire = Wire()
    wire.store.gate = asyncio.Event()
    async with wire.running():
        wire.intake.hear(wire.source, delivery())
        for _ in range(50):
            await asyncio.sleep(0)
        assert wire.source.acknowledged == []
        wire.store.gate.set()
        await until(lambda: wire.source.acknowledged == [1])
    assert [sample.sequence for sample in wire.store.samples] == [1]


async def test_what_gathers_during_a_write_is_the_next_batch_in_order() -> None:
    wire = Wire()
    wire.store.gate = asyncio.Event()
    async with wire.running():
        wire.intake.hear(wire.source, delivery(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(2, 50):
            wire.intake.hear(wire.source, delivery(number))
        wire.store.gate.set()
        await until(lambda: len(wire.source.acknowledged) == 49)
    assert wire.store.batches == [1, 48]
    assert [sample.sequence for sample in wire.store.samples] == list(range(1, 50))


async def test_a_batch_is_written_again_until_the_database_takes_it() -> None:
    wire = Wire()
    wire.store.failures = 12
    async with wire.running():
        wire.intake.hear(wire.source, delivery())
        await until(lambda: wire.source.acknowledged == [1])
    assert len(wire.store.samples) == 1
    assert len(wire.clock.slept) == 12


async def test_a_message_that_cannot_be_read_is_kept_with_its_reason_and_acknowledged() -> None:
    wire = Wire()
    async with wire.running():
        wire.intake.hear(wire.source, delivery(payload=b'{"raw": 3'))
        wire.intake.hear(wire.source, delivery(2, topic="other/god/esp/ESP_12AB34/sensor/4/data"))
        await until(lambda: wire.source.acknowledged == [1, 2])
    assert wire.store.samples == []
    assert [letter.payload[:7] for letter in wire.store.dead_letters] == [b'{"raw":', b'{"senso']
    assert all(letter.reason for letter in wire.store.dead_letters)


async def test_a_retained_message_is_history_and_never_a_reading() -> None:
    wire = Wire()
    async with wire.running():
        wire.intake.hear(wire.source, delivery(retain=True))
        await until(lambda: wire.source.acknowledged == [1])
    assert wire.store.samples == []
    assert wire.store.dead_letters == []


async def test_a_flood_stops_the_reading_and_goes_on_when_it_has_drained() -> None:
    wire = Wire()
    wire.store.gate = asyncio.Event()
    async with wire.running():
        for number in range(intake_module.HIGH_WATER):
            wire.intake.hear(wire.source, delivery(number % 60_000))
        assert wire.source.paused
        wire.source.paused = False
        wire.intake.hear(wire.source, delivery(60_001))
        assert wire.source.paused, "also when it came back on a new connection"
        wire.store.gate.set()
        await until(lambda: not wire.source.paused)
        await until(lambda: len(wire.store.samples) == intake_module.HIGH_WATER + 1)
    assert wire.intake.counts.pauses == 1


async def test_finishing_ends_after_the_batch_in_hand() -> None:
    wire = Wire()
    wire.store.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(wire.intake.run())
        wire.intake.hear(wire.source, delivery(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        wire.intake.hear(wire.source, delivery(2))
        finishing = group.create_task(wire.intake.finish())
        await asyncio.sleep(0)
        wire.store.gate.set()
        await finishing
    assert wire.source.acknowledged == [1]
    assert len(wire.store.samples) == 1


async def test_samples_without_a_clock_are_told_apart_by_the_time_they_were_received() -> None:
    wire = Wire()
    async with wire.running():
        for number in range(3):
            body = b'{"sensor_type": "ds18b20", "raw": 344, "ts": 0}'
            wire.intake.hear(wire.source, delivery(number, payload=body))
        await until(lambda: len(wire.store.samples) == 3)
    times = [sample.received_at for sample in wire.store.samples]
    assert times == sorted(set(times))
    assert all(sample.measured_at is None for sample in wire.store.samples)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_acknowledged_message_is_a_stored_one_whatever_fails_when(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(["good", "bad", "retained"]), max_size=60))
    failures = data.draw(st.lists(st.integers(0, 3), max_size=10))
    bodies = {"good": None, "bad": b"\xff\x00"}

    async def story() -> None:
        wire = Wire()
        async with wire.running():
            for mid, kind in enumerate(kinds, 1):
                if failures and mid % 5 == 0:
                    wire.store.failures = failures.pop()
                wire.intake.hear(
                    wire.source,
                    delivery(mid, payload=bodies.get(kind), retain=kind == "retained"),
                )
                if mid % 3 == 0:
                    await asyncio.sleep(0)
                stored = {sample.sequence for sample in wire.store.samples}
                good = {n for n, k in enumerate(kinds, 1) if k == "good"}
                assert set(wire.source.acknowledged) & good <= stored
            await until(lambda: len(wire.source.acknowledged) == len(kinds))
        assert [s.sequence for s in wire.store.samples] == [
            n for n, kind in enumerate(kinds, 1) if kind == "good"
        ]
        assert len(wire.store.dead_letters) == kinds.count("bad")
        assert wire.source.acknowledged == list(range(1, len(kinds) + 1))

    asyncio.run(story())


async def test_what_readings_tell_of_the_firmware_is_told_once_they_are_stored() -> None:
    wire, told = Wire(), list[tuple[str, FirmwareEvidence]]()
    wire.intake.learn = lambda device, evidence: told.append((device, evidence))
    wire.intake.hear(wire.source, delivery(1, retain=True))
    for mid in range(2, 50):
        wire.intake.hear(wire.source, delivery(mid))
    assert told == []
    async with wire.running():
        await until(lambda: len(wire.source.acknowledged) == 49)
        assert told == [("ESP_12AB34", FirmwareEvidence(FirmwareGeneration.FEBRUARY_2026))]
        dated = json.dumps({"sensor_type": "ph", "raw": 1, "seq": 50, "time_valid": True}).encode()
        wire.intake.hear(wire.source, delivery(50, dated))
        await until(lambda: len(told) == 2)
    assert told[1] == ("ESP_12AB34", FirmwareEvidence(FirmwareGeneration.APRIL_2026))


async def test_a_retained_reading_tells_nothing_of_the_firmware() -> None:
    wire, told = Wire(), list[str]()
    wire.intake.learn = lambda device, _evidence: told.append(device)
    wire.intake.hear(wire.source, delivery(1, retain=True))
    async with wire.running():
        await until(lambda: wire.source.acknowledged == [1])
    assert told == []
