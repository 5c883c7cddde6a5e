"""Live events arrive in order and complete, or the listener is told that they did not."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, timedelta
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event_stream import BroadcastEventStream, Limits
from app.event_stream.codec import (
    LARGEST_PART,
    Notice,
    decode,
    encode,
    event_kind,
    open_message,
    parts,
)
from app.event_stream.inbox import Inbox
from app.event_stream.outbox import Outbox
from app.event_stream.peers import Heard, Peers
from domain.actuators import Actuator, ActuatorState, Command, Pin
from domain.devices import Device, DeviceHealth
from domain.errors import EventStreamLostError
from domain.events import (
    ActuatorChanged,
    CommandChanged,
    DeviceHeard,
    Event,
    ReadingsStored,
    SystemEventRecorded,
)
from domain.sensors import Measurement, Reading, Sensor, SensorKey
from domain.system_events import SystemEvent
from tests.fakes import FakeClock, until
from tests.makers import make_actuator, make_device, make_reading

LIMITS = Limits(inbox=10, backlog=50, patience=0.05)


def stored(*ids: int) -> ReadingsStored:
    return ReadingsStored(tuple(make_reading(number) for number in ids))


def changed(gpio: int) -> ActuatorChanged:
    return ActuatorChanged(make_actuator(gpio=gpio))


@asynccontextmanager
async def running_stream(limits: Limits = LIMITS) -> AsyncIterator[BroadcastEventStream]:
    stream = BroadcastEventStream("memory://", FakeClock(), Random(1), limits)
    async with asyncio.TaskGroup() as tasks:
        job = tasks.create_task(stream.run())
        await until(lambda: stream.available)
        yield stream
        job.cancel()


async def heard(listener: AsyncIterator[ActuatorChanged], count: int) -> list[int]:
    async with asyncio.timeout(5):
        return [(await anext(listener)).actuator.pin.gpio for _ in range(count)]


class TestInOneProcess:
    async def test_a_listener_hears_events_of_its_kind_in_order(self) -> None:
        async with running_stream() as stream, stream.listen(ActuatorChanged) as listener:
            for gpio in range(5):
                await stream.publish(changed(gpio))
                await stream.publish(DeviceHeard(make_device()))
            assert await heard(listener, 5) == [0, 1, 2, 3, 4]

    async def test_an_event_arrives_as_the_object_it_was(self) -> None:
        event = stored(1, 2, 3)
        async with (
            running_stream() as stream,
            stream.listen(ReadingsStored) as one,
            stream.listen(ReadingsStored) as other,
        ):
            await stream.publish(event)
            async with asyncio.timeout(5):
                assert await anext(one) is event
                assert await anext(other) is event

    async def test_what_happened_before_listening_is_not_heard(self) -> None:
        async with running_stream() as stream:
            await stream.publish(changed(1))
            async with stream.listen(ActuatorChanged) as listener:
                await stream.publish(changed(2))
                assert await heard(listener, 1) == [2]

    async def test_a_slow_listener_is_ended_and_the_others_are_not(self) -> None:
        async with (
            running_stream() as stream,
            stream.listen(ActuatorChanged) as slow,
            stream.listen(ActuatorChanged) as quick,
        ):
            for gpio in range(LIMITS.inbox + 5):
                await stream.publish(changed(gpio))
                assert await heard(quick, 1) == [gpio]
            with pytest.raises(EventStreamLostError, match=r"10 events behind.*since"):
                await heard(slow, 1)
            assert stream.counts.ended == 1
            assert stream.counts.unread == LIMITS.inbox + 1

    async def test_an_ended_listener_stays_ended(self) -> None:
        async with running_stream() as stream, stream.listen(ActuatorChanged) as listener:
            for gpio in range(LIMITS.inbox + 1):
                await stream.publish(changed(gpio))
            await until(lambda: stream.counts.ended == 1)
            await stream.publish(changed(99))
            for _ in range(2):
                with pytest.raises(EventStreamLostError):
                    await heard(listener, 1)

    async def test_a_publisher_that_lets_nobody_run_ends_the_listeners(self) -> None:
        async with (
            running_stream(Limits(inbox=1000, backlog=50)) as stream,
            stream.listen(ActuatorChanged) as listener,
        ):
            for gpio in range(60):
                await stream.publish(changed(gpio))
            assert stream.counts.dropped == 10
            assert await heard(listener, 50) == list(range(50))
            with pytest.raises(EventStreamLostError, match="at once"):
                await heard(listener, 1)
            async with stream.listen(ActuatorChanged) as again:
                await stream.publish(changed(7))
                assert await heard(again, 1) == [7]

    async def test_with_nobody_listening_nothing_waits_anywhere(self) -> None:
        async with running_stream() as stream:
            for gpio in range(LIMITS.backlog * 3):
                await stream.publish(changed(gpio % 200))
            assert stream.counts.dropped == 0

    async def test_listeners_that_come_and_go_leave_nothing_behind(self) -> None:
        async with running_stream() as stream:
            tasks_before = asyncio.all_tasks()
            for _ in range(200):
                async with stream.listen(ActuatorChanged) as listener:
                    await stream.publish(changed(1))
                    assert await heard(listener, 1) == [1]
            with pytest.raises(RuntimeError, match="gave up"):
                async with stream.listen(DeviceHeard):
                    raise RuntimeError("gave up")
            assert stream.counts.listeners == 0
            assert asyncio.all_tasks() == tasks_before

    async def test_publishing_without_a_running_relay_harms_nobody(self) -> None:
        stream = BroadcastEventStream("memory://", FakeClock(), Random(1), LIMITS)
        await stream.publish(changed(1))
        assert not stream.available

    async def test_listening_without_a_running_relay_is_refused(self) -> None:
        stream = BroadcastEventStream("memory://", FakeClock(), Random(1), LIMITS)
        async with stream.listen(ActuatorChanged) as listener:
            with pytest.raises(EventStreamLostError, match="away"):
                await anext(listener)

    async def test_the_end_of_the_stream_ends_every_listener_and_every_task(self) -> None:
        tasks_before = asyncio.all_tasks()
        async with running_stream() as stream:
            open_listener = stream.listen(ActuatorChanged)
            listener = await open_listener.__aenter__()
            await stream.publish(changed(1))
            assert await heard(listener, 1) == [1]
        with pytest.raises(EventStreamLostError, match="going down"):
            await heard(listener, 1)
        await open_listener.__aexit__(None, None, None)
        async with stream.listen(ActuatorChanged) as late:
            with pytest.raises(EventStreamLostError):
                await anext(late)
        await until(lambda: asyncio.all_tasks() == tasks_before)

    @pytest.mark.parametrize("url", ["", "kafka://here", "postgres://here/db", "redis"])
    def test_other_ways_to_travel_are_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="memory:// or redis://"):
            BroadcastEventStream(url, FakeClock(), Random(1))

    def test_a_redis_url_that_makes_no_sense_is_refused_before_anything_runs(self) -> None:
        with pytest.raises(ValueError, match="Port"):
            BroadcastEventStream("redis://here:there", FakeClock(), Random(1))


class TestInbox:
    async def test_what_came_before_the_end_can_still_be_read(self) -> None:
        inbox = Inbox[ActuatorChanged](3)
        inbox.put(changed(1))
        assert inbox.end("the line was cut")
        assert not inbox.end("once more")
        assert inbox.put(changed(2)) == 0
        assert await heard(inbox, 1) == [1]
        with pytest.raises(EventStreamLostError, match="the line was cut; subscribe again"):
            await anext(inbox)

    async def test_an_event_wakes_whoever_waits(self) -> None:
        inbox = Inbox[ActuatorChanged](3)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(heard(inbox, 1))
            await asyncio.sleep(0)
            inbox.put(changed(4))
        assert waiting.result() == [4]


# ------------------------------------------------------------ between processes

times = st.datetimes().map(lambda time: time.replace(tzinfo=UTC, fold=0))
texts = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**64 - 1)
facts = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
keys = st.builds(SensorKey, texts, st.integers(0, 255), texts, texts)
pins = st.builds(Pin, texts, numbers)
sensors = st.builds(Sensor, id=numbers, key=keys, created_at=times, updated_at=times)
measurements = st.builds(
    Measurement,
    value=st.none() | st.floats(allow_nan=False),
    notes=st.none() | st.dictionaries(texts, facts, max_size=3),
)
readings = st.builds(
    Reading,
    id=st.integers(0, 2**63 - 1),
    sensor=sensors,
    measured_at=times,
    received_at=times,
    raw_value=st.floats(allow_nan=False),
    measurement=measurements,
    sequence=st.none() | st.integers(0, 2**63 - 1),
)
states = st.builds(
    ActuatorState,
    value=st.floats(0, 1),
    runtime_ms=st.none() | st.floats(0, 1e12),
    last_command_at=st.none() | times,
    reported_at=st.none() | times,
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(ReadingsStored, st.lists(readings, max_size=3).map(tuple)),
    st.builds(
        ActuatorChanged,
        st.builds(Actuator, id=numbers, pin=pins, state=states, created_at=times, updated_at=times),
    ),
    st.builds(
        CommandChanged,
        st.builds(
            Command,
            pin=pins,
            actuator_id=numbers,
            value=st.floats(0, 1),
            duration=st.none() | st.timedeltas(timedelta(0), timedelta(days=7)),
            created_at=times,
            sent_at=st.none() | times,
            completed_at=st.none() | times,
        ),
    ),
    st.builds(
        DeviceHeard,
        st.builds(Device, last_seen=st.none() | times, created_at=times, updated_at=times),
        st.none()
        | st.builds(
            DeviceHealth,
            reported_at=times,
            uptime_seconds=st.none() | numbers,
            free_heap_bytes=st.none() | numbers,
            wifi_rssi_dbm=st.none() | numbers,
            sensor_count=st.none() | numbers,
            actuator_count=st.none() | numbers,
        ),
    ),
    st.builds(
        SystemEventRecorded,
        st.builds(
            SystemEvent,
            details=st.dictionaries(
                st.text(max_size=9),
                st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | st.text(),
            ),
            occurred_at=times,
            occurrences=numbers,
        ),
    ),
)


class TestCodec:
    @given(events)
    def test_every_event_comes_back_as_it_was(self, event: Event) -> None:
        message = open_message(encode("me", 7, event))
        assert (message.publisher, message.sequence) == ("me", 7)
        kind = event_kind(message)
        assert kind is type(event)
        again = decode(message, kind)
        assert again == event
        assert repr(again) == repr(event)

    def test_every_kind_of_event_can_travel(self) -> None:
        for kind in get_args(Event):
            message = open_message(encode("me", 1, Notice.TICK))
            assert event_kind(message) is None
            assert kind.__name__ not in set(Notice)

    @pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0, 5e-324])
    def test_floats_keep_every_bit(self, value: float) -> None:
        event = ReadingsStored((make_reading()._replace(raw_value=value),))
        again = decode(open_message(encode("me", 1, event)), ReadingsStored)
        assert repr(again) == repr(event)

    def test_not_a_number_stays_not_a_number(self) -> None:
        event = ReadingsStored((make_reading()._replace(raw_value=math.nan),))
        again = decode(open_message(encode("me", 1, event)), ReadingsStored)
        assert isinstance(again, ReadingsStored)
        assert math.isnan(again.readings[0].raw_value)

    @given(st.integers(0, 5 * LARGEST_PART))
    def test_parts_are_small_and_make_up_the_whole(self, count: int) -> None:
        reading = make_reading()
        whole = ReadingsStored(tuple(reading._replace(id=number) for number in range(count)))
        pieces = [part for part in parts(whole) if isinstance(part, ReadingsStored)]
        assert all(len(piece.readings) <= LARGEST_PART for piece in pieces)
        assert sum((piece.readings for piece in pieces), ()) == whole.readings

    @given(st.binary(max_size=200))
    def test_no_bytes_do_worse_than_being_refused(self, data: bytes) -> None:
        try:
            message = open_message(data)
            for kind in get_args(Event):
                decode(message, kind)
        except ValueError:
            pass

    @given(st.data())
    def test_a_damaged_message_does_no_worse_than_being_refused(self, data: st.DataObject) -> None:
        good = encode("me", 1, stored(1))
        at = data.draw(st.integers(0, len(good) - 1))
        bad = good[:at] + bytes([data.draw(st.integers(0, 255))]) + good[at + 1 :]
        with suppress(ValueError):
            decode(open_message(bad), ReadingsStored)

    @pytest.mark.parametrize("data", [b"\x91" * 100_000, b"\xff\xfe not text", b"", b"{}"])
    def test_garbage_is_refused(self, data: bytes) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - each is refused in other words
            open_message(data)

    @pytest.mark.parametrize("fact", [object(), 2**70, "\ud800"])
    def test_what_cannot_be_said_is_refused(self, fact: object) -> None:
        reading = make_reading()
        odd = reading.measurement._replace(notes={"fact": fact})
        with pytest.raises(ValueError, match=r"cannot be sent|surrogates"):
            encode("me", 1, ReadingsStored((reading._replace(measurement=odd),)))


class TestOutboxAndPeers:
    @given(st.lists(st.sampled_from(["event", "tick", "send", "resend", "cut"]), max_size=60))
    def test_a_receiver_never_misses_an_event_without_knowing(self, steps: list[str]) -> None:
        outbox, peers = Outbox("me", size=5), Peers(silence=15)
        # A receiver must have heard of a publisher before it can miss anything of it.
        peers.hear(open_message(encode("me", 0, Notice.TICK)), now=0)
        published, complete_to = 0, 0
        for step in [*steps, "tick", "send", "send", "send"]:
            match step:
                case "event":
                    published += 1
                    outbox.add(changed(published % 255))
                case "tick":
                    outbox.add(Notice.TICK)
                case _:
                    batch = outbox.oldest(2)
                    if step != "resend":
                        outbox.sent(batch)
                    if step == "cut":
                        continue
                    for outgoing in batch:
                        message = open_message(outbox.encode(outgoing))
                        match peers.hear(message, now=1):
                            case Heard.GAP:
                                complete_to = message.sequence
                            case Heard.NEXT if isinstance(outgoing.what, ActuatorChanged):
                                assert message.sequence == complete_to + 1
                                complete_to = message.sequence
                            case _:
                                assert message.sequence <= complete_to
        assert complete_to == published

    @given(st.integers(1, 10), st.integers(0, 40))
    def test_the_outbox_keeps_the_newest_and_counts_the_rest(self, size: int, count: int) -> None:
        outbox = Outbox("me", size)
        for gpio in range(count):
            outbox.add(changed(gpio))
        waiting = outbox.oldest(100)
        kept = [o.what.actuator.pin.gpio for o in waiting if isinstance(o.what, ActuatorChanged)]
        assert len(waiting) <= size
        assert len(kept) + outbox.dropped == count
        assert kept == list(range(count))[-len(kept) :] if kept else True
        assert (outbox.dropped > 0) == any(o.what is Notice.LOST for o in waiting)

    def test_what_cannot_be_encoded_is_told_as_lost(self) -> None:
        outbox = Outbox("me", 5)
        reading = make_reading()
        odd = reading.measurement._replace(notes={"fact": object()})
        outbox.add(ReadingsStored((reading._replace(measurement=odd),)))
        message = open_message(outbox.encode(outbox.oldest(1)[0]))
        assert Peers(15).hear(message, now=0) is Heard.GAP
        assert outbox.dropped == 1

    def test_a_publisher_counts_from_where_it_is_first_heard(self) -> None:
        peers = Peers(silence=15)
        assert peers.hear(open_message(encode("me", 41, changed(1))), now=0) is Heard.NEXT
        assert peers.hear(open_message(encode("me", 42, changed(1))), now=0) is Heard.NEXT
        assert peers.hear(open_message(encode("me", 42, changed(1))), now=0) is Heard.AGAIN
        assert peers.hear(open_message(encode("me", 44, changed(1))), now=0) is Heard.GAP
        assert peers.hear(open_message(encode("me", 44, Notice.TICK)), now=0) is Heard.NEXT
        assert peers.hear(open_message(encode("me", 45, Notice.TICK)), now=0) is Heard.GAP

    def test_a_first_message_that_tells_of_lost_ones_is_a_gap(self) -> None:
        assert Peers(15).hear(open_message(encode("me", 9, Notice.LOST)), now=0) is Heard.GAP

    def test_who_falls_silent_is_missed_once_and_who_says_goodbye_is_not(self) -> None:
        peers = Peers(silence=15)
        peers.hear(open_message(encode("crashed", 3, Notice.TICK)), now=0)
        peers.hear(open_message(encode("stopped", 3, Notice.TICK)), now=0)
        peers.hear(open_message(encode("stopped", 3, Notice.GOODBYE)), now=1)
        assert not peers.forget_silent(now=15)
        assert peers.forget_silent(now=16)
        assert not peers.forget_silent(now=17)

    def test_a_goodbye_tells_of_a_gap_too(self) -> None:
        peers = Peers(silence=15)
        peers.hear(open_message(encode("me", 3, Notice.TICK)), now=0)
        assert peers.hear(open_message(encode("me", 4, Notice.GOODBYE)), now=0) is Heard.GAP
