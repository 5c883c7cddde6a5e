"""A rule lives through the past as it would have lived, also where only what counts is judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import sin
from random import Random
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actuators import CommandAction, Pin
from domain.devices import DeviceStatus
from domain.rules.actuation import Broken
from domain.rules.conditions import (
    ActuatorIs,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Rate,
    Stale,
    Threshold,
    watched_actuators,
    watched_devices,
)
from domain.rules.decide import Step, decide
from domain.rules.evaluate import evaluate
from domain.rules.model import (
    Action,
    CommandStep,
    DelayStep,
    EnableRuleStep,
    Rule,
    RuleMode,
    RuleState,
)
from domain.rules.past import Past, instant
from domain.rules.replay import Backtest, CancelledError, Replay
from domain.rules.schedule import TimeWindow
from domain.rules.world import Observation, World
from domain.sensors import SensorKey
from tests.conditions import NOON, PINS, SENSORS, conditions, seen
from tests.makers import make_actuator

MINUTE = timedelta(minutes=1)
MAX_AGE = timedelta(minutes=10)
PUMP = Pin("ESP_A", 20)
ON = CommandStep(pin=PUMP, action=CommandAction.ON)
WARM = Threshold(sensor=SENSORS[0], limit=Limit(Operator.GT, 20.0))
BELOW = Hysteresis(sensor=SENSORS[0], activate=18.0, deactivate=20.0, rising=False)


class Received(NamedTuple):
    at: datetime
    key: SensorKey
    seen: Observation


def rule_of(condition: Condition, *actions: Action, mode: RuleMode = RuleMode.TRIGGER) -> Rule:
    return Rule(
        id=UUID(int=1),
        version=1,
        name="Water",
        condition=condition,
        actions=actions or (ON,),
        mode=mode,
    )


def columns(received: Iterable[Received]) -> Mapping[SensorKey, Past]:
    past = {key: Past() for key in SENSORS}
    for at, key, found in received:
        past[key].add(at, found)
    return past


def replayed(
    rule: Rule,
    received: Sequence[Received],
    end: datetime,
    *,
    skipping: bool,
    cuts: Sequence[datetime] = (),
) -> Backtest:
    replay = Replay(
        rule,
        NOON,
        {PUMP: make_actuator("ESP_A", 20, max_runtime=5 * MINUTE, max_starts_per_hour=2)},
        skipping=skipping,
        max_age=MAX_AGE,
    )
    replay.begin({})
    since = NOON
    for cut in (*cuts, end):
        replay.feed(columns(one for one in received if since <= one.at < cut), cut)
        since = cut
    return replay.finish(end)


def each_minute(*values: float) -> list[Received]:
    return [
        Received(NOON + n * MINUTE, SENSORS[0], seen(value, NOON + n * MINUTE, n + 1))
        for n, value in enumerate(values)
    ]


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


# ---------------------------------------------------------------- both ways come to the same


@st.composite
def pasts(draw: st.DrawFn) -> list[Received]:
    """Draw readings in the order in which they are received, mostly one a minute or so."""
    now, found = NOON, []
    value = dict.fromkeys(SENSORS, 18.0)
    for reading_id in range(1, draw(st.integers(1, 60))):
        now += timedelta(seconds=draw(st.sampled_from([0, 1, 20, 20, 20, 60, 60, 119, 300, 900])))
        key = draw(st.sampled_from(SENSORS))
        value[key] += draw(st.sampled_from([0, 0, 0, 0, 0, 0.5, -0.5, 1, -1]))
        late = draw(st.sampled_from([0] * 12 + [90, 400, 700]))
        unit = draw(st.sampled_from(["°C"] * 12 + [None, "°F"]))
        measured = now - timedelta(seconds=late)
        found.append(Received(now, key, seen(value[key], measured, reading_id, unit)))
    return found


actions = st.lists(
    st.one_of(
        st.builds(
            CommandStep,
            pin=st.sampled_from(PINS),
            action=st.sampled_from([CommandAction.ON, CommandAction.OFF, CommandAction.TOGGLE]),
            duration=st.sampled_from([None, MINUTE]),
        ),
        st.just(DelayStep(MINUTE)),
        st.just(EnableRuleStep(UUID(int=1), enabled=False)),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
rules = st.builds(
    lambda condition, acts, mode, cooldown, most: replace(
        rule_of(condition, *acts, mode=mode), cooldown=cooldown, max_executions_per_hour=most
    ),
    conditions,
    actions,
    st.sampled_from(RuleMode),
    st.sampled_from([timedelta(0), timedelta(0), 4 * MINUTE]),
    st.sampled_from([None, None, 2]),
)


@settings(max_examples=300, deadline=None)
@given(rules, pasts(), st.lists(st.integers(1, 7200), max_size=3, unique=True))
def test_skipping_decides_and_explains_as_judging_every_reading_does(
    rule: Rule, received: list[Received], cuts: list[int]
) -> None:
    end = received[-1].at + 20 * MINUTE if received else at(30)
    inner = sorted(NOON + timedelta(seconds=cut) for cut in cuts)
    inner = [cut for cut in inner if cut < end]
    straight = replayed(rule, received, end, skipping=False)
    skipped = replayed(rule, received, end, skipping=True, cuts=inner)
    assert skipped.firings == straight.firings
    assert skipped.commands == straight.commands
    assert skipped.use == straight.use
    assert skipped.violations == straight.violations
    assert skipped.readings == straight.readings


@settings(max_examples=300, deadline=None)
@given(rules, pasts())
def test_a_replay_fires_when_the_live_evaluator_does(rule: Rule, received: list[Received]) -> None:
    rule = replace(rule, actions=(ON,))
    if watched_actuators(rule.condition):
        return  # what the rule does to actuators is the model's, and told below
    end = received[-1].at + MINUTE if received else at(30)
    fired = [firing.at for firing in replayed(rule, received, end, skipping=False).firings]
    assert fired == lived(rule, received, end)


def lived(rule: Rule, received: Sequence[Received], end: datetime) -> list[datetime]:
    """Live through everything in the plainest way: every reading, every wake."""
    state = RuleState()
    fired: list[datetime] = []
    readings: dict[SensorKey, Observation] = {}
    devices = dict.fromkeys(watched_devices(rule.condition), DeviceStatus.ONLINE)
    wake: datetime | None = NOON
    coming = list(received)
    while True:
        if wake is not None and (not coming or wake <= coming[0].at):
            now = wake
        elif coming:
            now, key, found = coming.pop(0)
            if key not in readings or readings[key].order < found.order:
                readings[key] = found
        else:
            return fired
        if now > end:
            return fired
        world = World(readings=dict(readings), devices=devices, max_age=MAX_AGE)
        verdict = evaluate(rule.condition, world, state.condition, now)
        decision = decide(rule, state, verdict, now)
        state, wake = decision.state, decision.wake_at
        if decision.step in {Step.FIRE, Step.HOLD_BEGINS}:
            fired.append(now)


def test_skipping_judges_far_less_often() -> None:
    values = [15.0] * 500 + [25.0] * 500 + [15.0] * 440
    straight, skipped = (
        replayed(rule_of(WARM), each_minute(*values), at(1440), skipping=skipping)
        for skipping in (False, True)
    )
    assert straight.firings == skipped.firings
    assert straight.evaluations >= 1440
    assert skipped.evaluations <= 10


def random_month(seed: int) -> list[Received]:
    """Return 30 days of three sensors: noise around a wave, with pauses and late bursts."""
    random, found, now, reading_id = Random(seed), list[Received](), NOON, 0
    silent = dict.fromkeys(SENSORS, NOON)
    while now < NOON + timedelta(days=30):
        now += timedelta(minutes=random.choice([6, 7, 8]))
        for number, key in enumerate(SENSORS):
            if random.random() < 0.003:
                silent[key] = now + timedelta(minutes=random.choice([9, 10, 11, 40, 200]))
            if now < silent[key]:
                continue
            wave = 4 * sin((now - NOON) / timedelta(days=1) * 6.28 + number)
            late = timedelta(minutes=random.choice([0] * 50 + [2, 12]))
            reading_id += 1
            value = 19 + wave + random.gauss(0, 0.3)
            found.append(Received(now, key, seen(value, now - late, reading_id)))
    return found


@pytest.mark.parametrize("mode", RuleMode)
def test_a_random_month_is_decided_identically_both_ways(mode: RuleMode) -> None:
    one, other, third = SENSORS
    held = replace(WARM, hold_for=7 * MINUTE)
    night = TimeWindow(start=22 * 60, end=6 * 60, time_zone="Europe/Berlin")
    apart = Comparison(left=one, operator=Operator.GT, right=other, offset=0.5)
    stale = Stale(sensor=third, older_than=30 * MINUTE)
    either = AnyOf((AllOf((held, Not(night))), AllOf((replace(BELOW, sensor=third), apart))))
    rule = replace(rule_of(AllOf((either, Not(stale))), mode=mode), max_executions_per_hour=3)
    received, end = random_month(1), NOON + timedelta(days=30)
    cuts = [NOON + timedelta(days=day) for day in (7, 14, 21, 28)]
    straight = replayed(rule, received, end, skipping=False)
    skipped = replayed(rule, received, end, skipping=True, cuts=cuts)
    assert straight.firing_count > 30
    assert skipped.firings == straight.firings
    assert (skipped.commands, skipped.use) == (straight.commands, straight.use)
    assert skipped.violations == straight.violations
    assert skipped.evaluations < straight.evaluations / 3


def test_a_random_month_of_a_rate_is_decided_identically_and_judged_where_it_changes() -> None:
    one, other, _ = SENSORS
    steep = Rate(sensor=one, limit=Limit(Operator.GT, 0.02), over=timedelta(hours=1))
    still = replace(steep, sensor=other, limit=Limit(Operator.LT, 0.01), unit="°F")
    rule = rule_of(AllOf((steep, Not(still))), mode=RuleMode.HOLD)
    received, end = random_month(2), NOON + timedelta(days=30)
    cuts = [NOON + timedelta(days=day) for day in (3, 14, 15, 28)]
    straight = replayed(rule, received, end, skipping=False)
    skipped = replayed(rule, received, end, skipping=True, cuts=cuts)
    assert straight.firing_count > 30
    assert skipped.firings == straight.firings
    assert (skipped.commands, skipped.use) == (straight.commands, straight.use)
    assert skipped.evaluations < straight.evaluations / 2


# ---------------------------------------------------------------- what comes out


@pytest.mark.parametrize("skipping", [False, True])
def test_a_trigger_fires_once_for_each_edge_with_the_values_that_it_saw(skipping: bool) -> None:  # noqa: FBT001 - a parameter
    found = replayed(rule_of(WARM), each_minute(19, 21, 22, 19, 19, 23), at(10), skipping=skipping)
    assert [firing.at for firing in found.firings] == [at(1), at(5)]
    (value,) = found.firings[1].explanation.seen
    assert (value.value, value.age) == (23, timedelta(0))
    assert found.readings == 6


@pytest.mark.parametrize("skipping", [False, True])
def test_a_hold_lasts_until_its_value_is_too_old(skipping: bool) -> None:  # noqa: FBT001 - a parameter
    rule = rule_of(BELOW, mode=RuleMode.HOLD)
    found = replayed(rule, each_minute(21, 17, 19), at(60), skipping=skipping)
    (firing,) = found.firings
    assert (firing.at, firing.until) == (at(1), at(12))
    assert found.use[PUMP].on_for == 11 * MINUTE
    assert [(sent.at, sent.value) for sent in found.commands] == [(at(1), 1.0), (at(12), 0.0)]


def test_no_reading_is_no_value_and_never_zero() -> None:
    cold = Threshold(sensor=SENSORS[0], limit=Limit(Operator.LT, 5.0))
    found = replayed(rule_of(cold), each_minute(), at(60), skipping=True)
    assert found.firing_count == 0


def test_limits_that_are_broken_are_told_and_stop_nothing() -> None:
    values = [21, 19] * 3 + [21] * 8
    rule = rule_of(WARM, mode=RuleMode.HOLD)
    found = replayed(rule, each_minute(*values), at(14), skipping=True)
    assert [(v.limit, v.at) for v in found.violations] == [
        (Broken.STARTS_PER_HOUR, at(4)),
        (Broken.STARTS_PER_HOUR, at(6)),
        (Broken.MAX_RUNTIME, at(11)),
    ]
    assert found.use[PUMP].starts == 4
    assert found.use[PUMP].longest == 8 * MINUTE


def test_what_a_trigger_switches_on_is_off_when_its_time_is_over() -> None:
    step = replace(ON, duration=2 * MINUTE)
    found = replayed(rule_of(WARM, step), each_minute(21), at(60), skipping=True)
    assert found.use[PUMP].on_for == 2 * MINUTE
    without = replayed(rule_of(WARM), each_minute(21), at(60), skipping=True)
    assert without.use[PUMP].on_for == 5 * MINUTE
    assert without.violations == ()


def test_delays_wait_and_die_with_their_hold() -> None:
    rule = rule_of(WARM, ON, DelayStep(3 * MINUTE), replace(ON, pin=PINS[1]), mode=RuleMode.HOLD)
    found = replayed(rule, each_minute(21, 21, 21, 21, 21, 19), at(9), skipping=True)
    assert [sent.at for sent in found.commands] == [at(0), at(3), at(5), at(5)]
    short = replayed(rule, each_minute(21, 19), at(9), skipping=True)
    assert [(sent.at, sent.pin) for sent in short.commands][:1] == [(at(0), PUMP)]
    assert all(sent.value == 0 for sent in short.commands[1:])


def test_a_rule_sees_what_its_actuator_does() -> None:
    idle = AllOf((WARM, Not(ActuatorIs(pin=PUMP, on=True))))
    step = replace(ON, duration=2 * MINUTE)
    found = replayed(rule_of(idle, step), each_minute(*[21] * 9), at(9), skipping=True)
    second = timedelta(seconds=1)
    runs = [at(2 * run) + run * second for run in range(5)]  # it is seen a second later each time
    assert [firing.at for firing in found.firings] == runs


def test_a_window_that_opens_again_waits_for_a_new_reading() -> None:
    window = TimeWindow(start=31, end=33, time_zone="UTC")
    twice = AllOf((WARM, Not(window)))
    found = replayed(rule_of(twice), each_minute(21), at(9), skipping=True)
    assert [firing.at for firing in found.firings] == [at(0)]
    more = each_minute(*[21] * 9)
    for skipping in (False, True):
        found = replayed(rule_of(twice), more, at(9), skipping=skipping)
        assert [firing.at for firing in found.firings] == [at(0), at(3)]


def test_somebody_who_does_not_want_to_wait_ends_it() -> None:
    replay = Replay(rule_of(WARM), NOON, skipping=False)
    replay.begin({})
    with pytest.raises(CancelledError):
        replay.feed(columns(each_minute(*[21, 19] * 300)), at(600), lambda: True)


def test_readings_that_are_older_than_one_before_do_nothing() -> None:
    late = Received(at(2), SENSORS[0], seen(30.0, at(-5), 9))
    readings = [*each_minute(19, 19), late]
    assert replayed(rule_of(WARM), readings, at(9), skipping=True).firing_count == 0


def test_a_past_is_put_in_order_again() -> None:
    early, late = Past(), Past()
    for minute in (1, 4):
        early.add(at(minute), seen(20.0, at(minute), minute))
    for minute in (2, 3):
        late.add(at(minute), seen(20.0, at(minute), minute))
    both = early.then(late)
    assert list(both.ids) == [1, 2, 3, 4]
    before, after = both.split(both.received[2])
    assert (list(before.ids), list(after.ids)) == ([1, 2], [3, 4])
    assert instant(both.received[0]) == at(1)
