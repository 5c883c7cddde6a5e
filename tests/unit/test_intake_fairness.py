"""A device that floods: it waits, the others do not, and nothing that was promised is lost."""

import asyncio
import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt_bridge.intake import BATCH, HIGH_WATER, LOOK_EVERY
from mqtt_bridge.lanes import LANE
from mqtt_bridge.session import Delivery
from tests.fakes import until
from tests.unit.test_intake import Wire

LOUD, QUIET = "ESP_AAAA01", "ESP_BBBB01"


def sent_by(esp_id: str, number: int, *, qos: int = 1) -> Delivery:
    body = {"sensor_type": "ds18b20", "raw": 344, "ts": 1767268800, "seq": number}
    topic = f"kaiser/god/esp/{esp_id}/sensor/4/data"
    return Delivery(topic, json.dumps(body).encode(), qos, False, number, 1)


def order_of(wire: Wire, esp_id: str) -> list[int | None]:
    return [sample.sequence for sample in wire.store.samples if sample.key.esp_id == esp_id]


async def test_what_comes_behind_a_flood_is_in_the_next_batch_and_acknowledged_in_order() -> None:
    wire = Wire()
    for number in range(4 * BATCH):
        wire.intake.hear(wire.source, sent_by(LOUD, number))
    wire.intake.hear(wire.source, sent_by(QUIET, 60_000))
    async with wire.running():
        await until(lambda: len(wire.store.batches) == 1)
        assert order_of(wire, QUIET) == [60_000]
        assert wire.store.batches == [BATCH]
        await until(lambda: len(wire.source.acknowledged) == 4 * BATCH + 1)
    assert order_of(wire, LOUD) == list(range(4 * BATCH))
    assert wire.source.acknowledged == [*range(4 * BATCH), 60_000]
    assert wire.intake.backlog == 0
    assert wire.intake.counts.dropped == 0


async def test_a_flood_that_asks_for_no_acknowledgement_never_stops_the_reading() -> None:
    wire = Wire()
    for number in range(5 * HIGH_WATER):
        wire.intake.hear(wire.source, sent_by(LOUD, number, qos=0))
        assert wire.intake.backlog <= LANE
    wire.intake.hear(wire.source, sent_by(QUIET, 1, qos=0))
    assert not wire.source.paused
    async with wire.running():
        await until(lambda: len(wire.store.samples) == LANE + 1)
    assert order_of(wire, LOUD) == list(range(LANE))
    assert order_of(wire, QUIET) == [1]
    assert wire.intake.counts.dropped == 5 * HIGH_WATER - LANE


async def test_a_flood_on_a_topic_of_nobody_is_limited_too() -> None:
    wire = Wire()
    for number in range(2 * LANE):
        junk = Delivery("junk", b"", 0, False, number, 1)
        wire.intake.bury(wire.source, junk, "no topic of the protocol")
    assert wire.intake.backlog == LANE
    assert wire.intake.counts.dropped == LANE


async def test_a_flood_is_told_once_a_minute_with_its_counts() -> None:
    wire = Wire()
    wire.clock.automatic = False
    told: list[tuple[str, int]] = []
    wire.intake.flooding = lambda device, messages: told.append((device, messages))
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(wire.intake.watch_floods())
        await wire.clock.until_asleep()
        for number in range(LANE + 7):
            wire.intake.hear(wire.source, sent_by(LOUD, number, qos=0))
        wire.intake.hear(wire.source, sent_by(QUIET, 1))
        assert wire.journal.lines == []
        for _ in range(3):
            await wire.clock.advance(LOOK_EVERY)
        watching.cancel()
    assert wire.journal.lines == [
        {"event": "device.flooding", "esp_id": LOUD, "messages": LANE + 7, "dropped": 7}
    ]
    assert told == [(LOUD, LANE + 7)]


senders = st.lists(st.sampled_from(["A"] * 8 + ["B", "C", "D"]), min_size=1, max_size=150)


@settings(max_examples=60, deadline=None)
@given(senders=senders, batch=st.integers(1, 12), data=st.data())
def test_acknowledged_is_stored_in_order_per_device_whatever_waits_how_long(
    senders: list[str], batch: int, data: st.DataObject
) -> None:
    turns = data.draw(st.sets(st.integers(1, len(senders))))

    async def story() -> None:
        wire = Wire()
        wire.intake.batch = batch
        async with wire.running():
            for number, name in enumerate(senders, 1):
                wire.intake.hear(wire.source, sent_by(f"ESP_{name}", number))
                if number in turns:
                    await asyncio.sleep(0)
                stored = {sample.sequence for sample in wire.store.samples}
                assert set(wire.source.acknowledged) <= stored
            await until(lambda: len(wire.source.acknowledged) == len(senders))
        assert wire.source.acknowledged == list(range(1, len(senders) + 1))
        assert len(wire.store.samples) == len(senders)
        for name in set(senders):
            assert order_of(wire, f"ESP_{name}") == [
                number for number, sender in enumerate(senders, 1) if sender == name
            ]
        assert max(wire.store.batches) <= batch
        assert wire.intake.backlog == 0
        assert Counter(lane.waiting for lane in wire.intake._lanes._lanes.values()).keys() == {0}

    asyncio.run(story())
