"""A round of configuration: one message at a time, three tries, and every answer in its place."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from domain.config_rounds import BUSY_PAUSE, SETTLE, ConfigRound, Message, Step
from domain.configs import (
    ANSWER_TIMEOUT,
    MOST_TRIES,
    ActuatorItem,
    ConfigAnswer,
    ConfigSync,
    ConfigSyncState,
    DeviceConfig,
    ItemFailure,
    Section,
    SensorItem,
)
from domain.zones import SubzoneRemoval, ZoneAnswer, ZoneAssignment
from tests.fakes import START

ESP = "ESP_12AB34"
CONFIG = DeviceConfig(
    esp_id=ESP,
    kaiser_id="god",
    sensors=(SensorItem(gpio=4, sensor_type="ph", name="pH"),),
    actuators=(ActuatorItem(gpio=5, actuator_type="pump", name="Pump"),),
)
ZONE = ZoneAssignment(
    esp_id=ESP,
    kaiser_id="god",
    zone_id="north",
    master_zone_id="",
    zone_name="North",
    new_kaiser_id="god",
)
SUBZONE = SubzoneRemoval(esp_id=ESP, kaiser_id="god", subzone_id="s")
SYNC = ConfigSync(state=ConfigSyncState.PENDING, config_id="c")
YES = ConfigAnswer(esp_id=ESP, received_at=START, success=True)
NO = ConfigAnswer(
    esp_id=ESP,
    received_at=START,
    success=False,
    section=Section.SENSOR,
    failures=(ItemFailure(section=Section.SENSOR, gpio=4, reason="GPIO_CONFLICT"),),
    listed=False,
)
ZONE_YES = ZoneAnswer(esp_id=ESP, received_at=START, success=True, name="north")


class Bench:
    def __init__(self, *messages: Message, answered: bool = True) -> None:
        steps = [Step(message, answered=answered) for message in messages]
        self.round = ConfigRound(steps=steps, sync=SYNC)
        self.now = START

    def send(self) -> Message:
        message = self.round.due(self.now)
        assert message is not None
        self.round.sent(message, self.now)
        return message

    def hear(self, *answers: ConfigAnswer | ZoneAnswer) -> None:
        for answer in answers:
            self.round.answered(answer, self.now)

    def wait(self, time: timedelta) -> None:
        self.now += time

    def ends(self) -> ConfigSync:
        assert self.round.due(self.now) is None
        assert self.round.over
        return self.round.sync


def test_a_device_that_confirms_both_halves_and_its_zone_is_in_sync() -> None:
    bench = Bench(CONFIG, ZONE)
    bench.send()
    bench.hear(replace(YES, section=Section.SENSOR))
    assert bench.round.due(bench.now) is None
    bench.hear(replace(YES, section=Section.ACTUATOR))
    assert isinstance(bench.send(), ZoneAssignment)
    bench.hear(ZONE_YES)
    sync = bench.ends()
    assert (sync.state, sync.attempts, sync.confirmed_at) == (ConfigSyncState.IN_SYNC, 2, START)


def test_nothing_to_say_is_in_sync_at_once() -> None:
    assert Bench().ends().state is ConfigSyncState.IN_SYNC


def test_a_silent_device_is_asked_three_times_and_then_timed_out() -> None:
    bench = Bench(CONFIG)
    generations = []
    for _ in range(MOST_TRIES):
        message = bench.send()
        assert isinstance(message, DeviceConfig)
        generations.append(message.generation)
        bench.wait(ANSWER_TIMEOUT)
    assert generations == sorted(set(generations))
    sync = bench.ends()
    assert (sync.state, sync.attempts) == (ConfigSyncState.TIMED_OUT, MOST_TRIES)
    assert "did not answer within 10 s, asked 3 times" in (sync.error or "")


def test_a_refused_item_is_named_and_the_rest_counts_as_taken() -> None:
    bench = Bench(CONFIG)
    bench.send()
    bench.hear(NO, replace(YES, section=Section.ACTUATOR))
    bench.wait(timedelta(0))
    bench.wait(ANSWER_TIMEOUT)
    sync = bench.ends()
    assert sync.state is ConfigSyncState.REJECTED
    assert sync.items == {"sensor on GPIO 4": "GPIO_CONFLICT"}


def test_early_firmware_may_refuse_several_items_one_by_one() -> None:
    bench = Bench(CONFIG)
    bench.send()
    other = ItemFailure(section=None, gpio=9, reason="no")
    bench.hear(replace(YES, section=Section.ACTUATOR), NO, replace(NO, failures=(other,)))
    assert bench.round.due(bench.now) is None
    bench.wait(SETTLE)
    assert set(bench.ends().items) == {"sensor on GPIO 4", "sensor on GPIO 9"}


def test_that_a_half_is_empty_answers_nothing() -> None:
    bench = Bench(replace(CONFIG, actuators=()))
    bench.send()
    bench.hear(replace(NO, section=Section.ACTUATOR, failures=(), empty=True))
    assert bench.round.due(bench.now) is None
    assert not bench.round.over
    bench.hear(replace(YES, section=Section.SENSOR))
    assert bench.ends().state is ConfigSyncState.IN_SYNC


@pytest.mark.parametrize(
    "answer",
    [
        replace(YES, correlation_id="another"),
        ZONE_YES,
        ZoneAnswer(esp_id=ESP, received_at=START, success=False, subzone=True, name="s"),
    ],
)
def test_an_answer_to_something_else_confirms_nothing(answer: ConfigAnswer | ZoneAnswer) -> None:
    bench = Bench(CONFIG)
    bench.send()
    bench.hear(answer)
    assert not bench.round.over
    assert bench.round.due(bench.now) is None


def test_a_busy_device_is_asked_again_soon_with_a_newer_generation() -> None:
    bench = Bench(CONFIG)
    first = bench.send()
    bench.hear(replace(NO, section=None, failures=(), code="CONFIG_LANE_BUSY"))
    bench.wait(BUSY_PAUSE)
    second = bench.send()
    assert isinstance(first, DeviceConfig)
    assert isinstance(second, DeviceConfig)
    assert second.generation > first.generation
    bench.hear(YES)
    assert bench.ends().state is ConfigSyncState.IN_SYNC


def test_a_message_that_the_broker_did_not_take_is_no_try() -> None:
    bench = Bench(SUBZONE)
    for _ in range(10):
        bench.send()
        bench.round.not_sent()
    assert bench.round.sync.attempts == 0
    bench.send()
    bench.hear(ZoneAnswer(esp_id=ESP, received_at=START, success=True, subzone=True, name="s"))
    assert bench.ends().state is ConfigSyncState.IN_SYNC


def test_a_message_that_is_taken_in_silence_needs_no_answer() -> None:
    bench = Bench(ZONE, answered=False)
    bench.send()
    assert bench.ends().state is ConfigSyncState.IN_SYNC


def test_a_refused_zone_is_rejected_with_the_devices_reason() -> None:
    bench = Bench(ZONE)
    bench.send()
    bench.hear(replace(ZONE_YES, success=False, message="too long"))
    assert bench.ends().items == {"zone": "too long"}


answers: Sequence[ConfigAnswer | ZoneAnswer] = (
    YES,
    NO,
    replace(YES, section=Section.SENSOR),
    replace(YES, section=Section.ACTUATOR),
    replace(NO, code="QUEUE_FULL"),
    replace(NO, listed=True),
    replace(NO, empty=True, failures=()),
    replace(YES, correlation_id="another"),
    ZONE_YES,
    replace(ZONE_YES, success=False),
)


class AnyRound(RuleBasedStateMachine):
    """Whatever happens: one message under way, few tries, growing generations, and an end."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(CONFIG, CONFIG, ZONE)
        self.sent: list[tuple[datetime, Message]] = []
        self.generation = 0

    @rule()
    def look(self) -> None:
        message = self.bench.round.due(self.bench.now)
        if message is None:
            return
        if isinstance(message, DeviceConfig):
            assert self.generation < message.generation < 2**32
            self.generation = message.generation
        self.bench.round.sent(message, self.bench.now)
        self.sent.append((self.bench.now, message))
        assert self.bench.round.due(self.bench.now) is None, "two are under way"

    @rule(answer=st.sampled_from(answers))
    def hear(self, answer: ConfigAnswer | ZoneAnswer) -> None:
        self.bench.hear(answer)

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.bench.wait(timedelta(seconds=seconds))

    @precondition(lambda self: self.bench.round.over)
    @rule()
    def what_is_over_stays_over(self) -> None:
        before = self.bench.round.sync
        self.bench.hear(*answers)
        assert self.bench.round.due(self.bench.now + timedelta(hours=1)) is None
        assert self.bench.round.sync == before

    @invariant()
    def no_message_is_sent_too_often(self) -> None:
        ids = [message.correlation_id for _, message in self.sent]
        assert all(ids.count(each) <= MOST_TRIES for each in ids)

    @invariant()
    def refusals_and_only_refusals_are_rejections(self) -> None:
        sync = self.bench.round.sync
        if sync.state is ConfigSyncState.REJECTED:
            assert sync.items
        if sync.state is ConfigSyncState.IN_SYNC:
            assert not sync.items
            assert sync.error is None

    @override
    def teardown(self) -> None:
        for _ in range(3 * MOST_TRIES + 1):
            self.look()
            self.bench.wait(ANSWER_TIMEOUT)
        self.look()
        assert self.bench.round.over


TestAnyRound = AnyRound.TestCase
