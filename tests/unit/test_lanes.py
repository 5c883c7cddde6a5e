"""Fair shares of a batch: a device that floods makes itself wait, and hardly anybody else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt_bridge import lanes as lanes_module
from mqtt_bridge.lanes import FLOOD_FACTOR, FLOOD_LEAST, Flood, Lane, Lanes, fair_share

HEAVIEST = 10


@dataclass
class Message:
    lane: Lane
    readings: int
    number: int
    stored: bool = False


def queue_of(lanes: Lanes, sent: Sequence[tuple[str, int]]) -> list[Message]:
    queue = [Message(lanes.lane(name), readings, n) for n, (name, readings) in enumerate(sent)]
    for message in queue:
        message.lane.waiting += message.readings
    return queue


def store(batch: Sequence[Message]) -> None:
    for message in batch:
        message.stored = True
        message.lane.waiting -= message.readings


def hear(lanes: Lanes, name: str, messages: int, dropped: int = 0) -> None:
    lane = lanes.lane(name)
    lane.heard += messages
    lane.dropped += dropped


@settings(max_examples=300, deadline=None)
@given(wanted=st.lists(st.integers(1, 50), max_size=30), most=st.integers(1, 200))
def test_a_fair_share_is_the_largest_that_there_is_enough_of(wanted: list[int], most: int) -> None:
    share = fair_share(wanted, most)
    assert sum(min(want, share) for want in wanted) <= most
    if sum(wanted) <= most:
        assert share >= max(wanted, default=0)
    else:
        assert sum(min(want, share + 1) for want in wanted) > most


messages = st.lists(
    st.tuples(st.sampled_from("AAAAAABCDE"), st.integers(1, HEAVIEST)), min_size=1, max_size=120
)


@settings(max_examples=300, deadline=None)
@given(sent=messages, most=st.integers(1, 60))
def test_everything_is_stored_once_and_in_the_order_of_each_device(
    sent: list[tuple[str, int]], most: int
) -> None:
    lanes = Lanes()
    queue = queue_of(lanes, sent)
    stored: list[Message] = []
    while len(stored) < len(queue):
        oldest = next(message for message in queue if not message.stored)
        batch = lanes.fair_batch(queue, most)
        assert oldest in batch
        store(batch)
        stored += batch
    assert len({message.number for message in stored}) == len(queue)
    for name in "ABCDE":
        numbers = [message.number for message in stored if message.lane.name == name]
        assert numbers == sorted(numbers)


@settings(max_examples=300, deadline=None)
@given(sent=messages, most=st.integers(1, 60))
def test_who_wants_no_more_than_its_share_gets_it_whatever_the_others_send(
    sent: list[tuple[str, int]], most: int
) -> None:
    lanes = Lanes()
    queue = queue_of(lanes, sent)
    wanted = Counter[str]()
    for name, readings in sent:
        wanted[name] += readings
    got = Counter[str]()
    for message in lanes.fair_batch(queue, most):
        got[message.lane.name] += message.readings
    share = (most - most // 2) // len(wanted)
    for name, want in wanted.items():
        assert got[name] >= min(want, share)
    assert sum(got.values()) >= min(sum(wanted.values()), most)
    assert sum(got.values()) < most + (len(wanted) + 1) * HEAVIEST


def test_a_device_alone_gets_the_whole_batch() -> None:
    lanes = Lanes()
    queue = queue_of(lanes, [("A", 1)] * 5000)
    assert [message.number for message in lanes.fair_batch(queue, 1000)] == list(range(1000))


def test_half_of_a_batch_goes_by_the_order_of_arrival() -> None:
    lanes = Lanes()
    queue = queue_of(lanes, [(name, 1) for name in "ABCD" for _ in range(1000)])
    batch = lanes.fair_batch(queue, 1000)
    got = Counter(message.lane.name for message in batch)
    assert got == {"A": 625, "B": 125, "C": 125, "D": 125}
    assert [message.number for message in batch[:625]] == list(range(625))


def test_one_message_behind_a_flood_is_in_the_next_batch() -> None:
    lanes = Lanes()
    queue = queue_of(lanes, [*[("flood", 1)] * 3999, ("quiet", 1)])
    batch = lanes.fair_batch(queue, 1000)
    assert batch[-1].lane.name == "quiet"
    assert len(batch) == 1000


def test_twenty_times_the_share_is_a_flood() -> None:
    lanes = Lanes()
    for number in range(9):
        hear(lanes, f"D{number}", 60)
    hear(lanes, "loud", 1200)
    assert lanes.look() == [Flood("loud", 1200, 0)]


def test_what_was_counted_is_counted_once() -> None:
    lanes = Lanes()
    lanes.lane("waits").waiting = 1
    hear(lanes, "waits", 10_000)
    hear(lanes, "quiet", 1)
    assert [flood.name for flood in lanes.look()] == ["waits"]
    assert lanes.look() == []


def test_neither_a_busy_house_nor_a_lonely_device_floods() -> None:
    lanes = Lanes()
    for number in range(10):
        hear(lanes, f"D{number}", 50 * FLOOD_LEAST + number)
    assert lanes.look() == []
    hear(lanes, "alone", 100 * FLOOD_LEAST)
    assert lanes.look() == []


def test_little_is_no_flood_however_little_the_others_send() -> None:
    lanes = Lanes()
    hear(lanes, "quiet", 1)
    hear(lanes, "normal", FLOOD_LEAST - 1)
    assert FLOOD_LEAST > FLOOD_FACTOR
    assert lanes.look() == []


def test_what_was_dropped_is_always_told() -> None:
    lanes = Lanes()
    hear(lanes, "alone", 5, dropped=2)
    assert lanes.look() == [Flood("alone", 5, 2)]


def test_invented_devices_are_forgotten_and_those_that_wait_are_not() -> None:
    lanes = Lanes()
    lanes.lane("waits").waiting = 1
    waits = lanes.lane("waits")
    for number in range(3 * lanes_module.MOST_LANES):
        lanes.lane(f"INVENTED_{number}")
        assert len(lanes._lanes) <= lanes_module.MOST_LANES
    assert lanes.lane("waits") is waits
