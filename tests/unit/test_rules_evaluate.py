"""What conditions come to: every leaf, unknown as a third answer, and nothing before its time."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.actuators import ActuatorState
from domain.devices import DeviceStatus
from domain.rules.conditions import (
    ActuatorIs,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    DeviceIs,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Rate,
    Stale,
    Threshold,
)
from domain.rules.evaluate import Verdict, all_hold, any_holds, evaluate
from domain.rules.explain import explanation_json, sentence
from domain.rules.world import MAX_AGE, ConditionState, World
from domain.sensors import Quality
from tests.conditions import NOON, PINS, SENSORS, conditions, histories, seen
from tests.rule_reference import Reference

KEY, OTHER, _ = SENSORS
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
NOTHING = ConditionState()
HOT = Threshold(sensor=KEY, limit=Limit(Operator.GT, 20.0), unit="°C")
TRUE = DeviceIs(esp_id="ESP_A", status=DeviceStatus.ONLINE)
FALSE = DeviceIs(esp_id="ESP_A", status=DeviceStatus.OFFLINE)
UNKNOWN = DeviceIs(esp_id="ESP_Z", status=DeviceStatus.ONLINE)
VERDICTS = {True: TRUE, False: FALSE, None: UNKNOWN}


def world(value: float | None = None, at: datetime = NOON, **more: object) -> World:
    readings = {} if value is None else {KEY: seen(value, at, **more)}  # type: ignore[arg-type]  # the tests say what they mean
    return World(readings=readings, devices={"ESP_A": DeviceStatus.ONLINE})


def judge(
    condition: Condition,
    now: datetime = NOON,
    given: World | None = None,
    state: ConditionState = NOTHING,
) -> Verdict:
    return evaluate(condition, given or world(), state, now)


@pytest.mark.parametrize("left", [True, False, None])
@pytest.mark.parametrize("right", [True, False, None])
def test_three_answers_combine_as_kleene_has_it(left: bool | None, right: bool | None) -> None:  # noqa: FBT001 - a table
    rank = {False: 0, None: 1, True: 2}
    both = (VERDICTS[left], VERDICTS[right])
    assert judge(AllOf(both)).holds is min(left, right, key=lambda verdict: rank[verdict])
    assert judge(AnyOf(both)).holds is max(left, right, key=lambda verdict: rank[verdict])
    assert judge(Not(both[0])).holds is {True: False, False: True, None: None}[left]


verdicts = st.lists(st.sampled_from([True, False, None]), min_size=1)


@given(verdicts)
def test_de_morgan_holds_with_three_answers(found: list[bool | None]) -> None:
    negated = [None if verdict is None else not verdict for verdict in found]
    either, none = any_holds(found), all_hold(negated)
    assert none is (None if either is None else not either)


@pytest.mark.parametrize(
    ("operator", "at_19", "at_20", "at_21"),
    [
        ("GT", False, False, True),
        ("GTE", False, True, True),
        ("LT", True, False, False),
        ("LTE", True, True, False),
        ("EQ", False, True, False),
        ("NEQ", True, False, True),
    ],
)
def test_operators(operator: str, at_19: bool, at_20: bool, at_21: bool) -> None:  # noqa: FBT001 - a table
    leaf = Threshold(sensor=KEY, limit=Limit(Operator(operator), 20.0))
    found = [judge(leaf, given=world(value)).holds for value in (19.0, 20.0, 21.0)]
    assert found == [at_19, at_20, at_21]


def test_between_includes_both_ends() -> None:
    leaf = Threshold(sensor=KEY, limit=Limit(Operator.BETWEEN, 18.0, 20.0))
    found = [judge(leaf, given=world(value)).holds for value in (17.9, 18.0, 19.0, 20.0, 20.1)]
    assert found == [False, True, True, True, False]


@pytest.mark.parametrize("quality", list(Quality))
def test_only_values_that_can_be_trusted_count(quality: Quality) -> None:
    bad = {Quality.BAD, Quality.STALE, Quality.SUSPECT, Quality.ERROR}
    found = judge(HOT, given=world(25.0, quality=quality))
    assert found.holds is (None if quality in bad else True)


@pytest.mark.parametrize("quality", list(Quality))
def test_a_threshold_that_says_so_takes_the_latest_value_however_it_is_doubted(
    quality: Quality,
) -> None:
    whatever = replace(HOT, any_quality=True)
    latest = seen(25.0, NOON, 2, quality=quality)
    given = replace(world(15.0, NOON - MINUTE), doubtful={KEY: latest})
    assert judge(whatever, given=given).holds is True
    assert judge(HOT, given=given).holds is False, "others take the latest good one"
    assert judge(whatever, NOON + MAX_AGE, given).holds is None, "it grows old like others"
    without = replace(given, doubtful={KEY: seen(None, NOON, 2, quality=quality)})
    assert judge(whatever, given=without).holds is None
    before = replace(given, doubtful={KEY: seen(25.0, NOON - 2 * MINUTE, 2, quality=quality)})
    assert judge(whatever, given=before).holds is False, "what is newer counts more"
    assert judge(whatever, given=World()).holds is None


def test_who_doubts_takes_no_doubtful_value_whatever_a_condition_says() -> None:
    bad = seen(25.0, NOON, quality=Quality.BAD)
    given = World(readings={KEY: bad}, doubtful={KEY: bad}, doubting=True)
    assert judge(replace(HOT, any_quality=True), given=given).holds is None


def test_a_value_that_is_missing_is_unknown_and_never_zero() -> None:
    cold = Threshold(sensor=KEY, limit=Limit(Operator.LT, 20.0))
    assert judge(cold).holds is None
    assert judge(Not(cold)).holds is None
    no_value = World(readings={KEY: seen(None, NOON)})
    assert judge(cold, given=no_value).holds is None


def test_a_value_counts_until_it_is_too_old() -> None:
    given = world(25.0)
    first = judge(HOT, given=given)
    assert (first.holds, first.wake_at) == (True, NOON + MAX_AGE)
    assert judge(HOT, NOON + MAX_AGE - SECOND, given, first.state).holds is True
    late = judge(HOT, NOON + MAX_AGE, given, first.state)
    assert (late.holds, late.wake_at) == (None, None)
    assert "too old" in sentence(late.explanation)


def test_a_value_from_the_future_waits_for_its_time() -> None:
    given = world(25.0, NOON + MINUTE)
    early = judge(HOT, given=given)
    assert (early.holds, early.wake_at) == (None, NOON + MINUTE)
    assert judge(HOT, NOON + MINUTE, given, early.state).holds is True


def test_limits_are_met_in_the_unit_of_the_limit() -> None:
    warm = Threshold(sensor=KEY, limit=Limit(Operator.GTE, 68.0), unit="°F")
    assert judge(warm, given=world(20.0)).holds is True
    assert judge(warm, given=world(19.9)).holds is False
    assert judge(warm, given=world(300.0, unit="lx")).holds is None
    assert judge(warm, given=world(300.0, unit=None)).holds is None


def test_a_late_reading_does_not_undo_a_newer_one() -> None:
    first = judge(HOT, NOON + MINUTE, world(25.0, NOON, reading_id=1))
    late = judge(HOT, NOON + MINUTE, world(10.0, NOON - MINUTE, reading_id=2), first.state)
    assert late.holds is True
    assert late.state == first.state


def test_readings_are_believed_again_after_the_clock_of_the_server_went_back() -> None:
    ahead = judge(HOT, NOON + 60 * MINUTE, world(25.0, NOON + 60 * MINUTE))
    back = judge(HOT, NOON, world(10.0, NOON, reading_id=2), ahead.state)
    assert back.holds is False


LASTING = Threshold(sensor=KEY, limit=Limit(Operator.GT, 20.0), hold_for=5 * MINUTE)


def test_a_threshold_with_a_time_holds_once_it_was_crossed_for_so_long() -> None:
    first = judge(LASTING, NOON, world(25.0))
    assert (first.holds, first.wake_at) == (False, NOON + 5 * MINUTE)
    assert judge(LASTING, NOON + 5 * MINUTE - SECOND, world(25.0), first.state).holds is False
    assert judge(LASTING, NOON + 5 * MINUTE, world(25.0), first.state).holds is True


def test_coming_back_for_a_moment_begins_the_time_anew() -> None:
    first = judge(LASTING, NOON, world(25.0))
    dip = judge(LASTING, NOON + MINUTE, world(19.0, NOON + MINUTE, reading_id=2), first.state)
    again = NOON + 2 * MINUTE
    third = judge(LASTING, again, world(25.0, again, reading_id=3), dip.state)
    assert third.wake_at == again + 5 * MINUTE


def test_a_silence_longer_than_values_count_begins_the_time_anew() -> None:
    first = judge(LASTING, NOON, world(25.0))
    later = NOON + MAX_AGE
    after = judge(LASTING, later, world(25.0, later, reading_id=2), first.state)
    assert after.holds is False
    assert after.wake_at == later + 5 * MINUTE


def walk(leaf: Condition, *values: float | None) -> list[bool | None]:
    found, state = [], NOTHING
    for step, value in enumerate(values):
        now = NOON + step * MINUTE
        given = World(readings={KEY: seen(value, now, reading_id=step + 1)})
        verdict = judge(leaf, now, given, state)
        state = verdict.state
        found.append(verdict.holds)
    return found


def test_a_hysteresis_stays_as_it_was_between_its_limits() -> None:
    heating = Hysteresis(sensor=KEY, activate=18.0, deactivate=20.0, rising=False)
    assert walk(heating, 19, 18, 17.9, 19, 20, 20.1, 19) == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    cooling = Hysteresis(sensor=KEY, activate=26.0, deactivate=24.0, rising=True)
    assert walk(cooling, 25, 26.1, 25, 23.9, 25) == [False, True, True, False, False]


def test_a_hysteresis_goes_on_from_where_it_was_after_an_unknown_value() -> None:
    heating = Hysteresis(sensor=KEY, activate=18.0, deactivate=20.0, rising=False)
    assert walk(heating, 17, None, 19) == [True, None, True]


def test_two_sensors_are_compared_in_one_unit_with_an_offset() -> None:
    leaf = Comparison(left=KEY, operator=Operator.GT, right=OTHER, offset=2.0)
    given = World(readings={KEY: seen(25.0, NOON), OTHER: seen(72.0, NOON, 2, "°F")})
    assert judge(leaf, given=given).holds is True
    given = World(readings={KEY: seen(24.0, NOON), OTHER: seen(72.0, NOON, 2, "°F")})
    assert judge(leaf, given=given).holds is False
    for unit in (None, "lx"):
        given = World(readings={KEY: seen(25.0, NOON), OTHER: seen(20.0, NOON, 2, unit)})
        assert judge(leaf, given=given).holds is None
    given = World(readings={KEY: seen(25.0, NOON, 1, None), OTHER: seen(20.0, NOON)})
    assert judge(leaf, given=given).holds is None


def test_a_rate_is_the_change_a_minute_over_its_window() -> None:
    falling = Rate(sensor=KEY, limit=Limit(Operator.LTE, -0.5), over=4 * MINUTE)
    assert walk(falling, 22, 21, 20, 19) == [None, None, True, True]
    assert walk(falling, 22, 22, 22, 22, 22, 21, 20) == [None, None, *[False] * 4, True]


def test_a_rate_looks_back_to_the_very_begin_of_its_window() -> None:
    falling = Rate(sensor=KEY, limit=Limit(Operator.LTE, -0.5), over=4 * MINUTE)
    assert walk(falling, 22, 20, 19, 19, 19, 18)[-1] is True
    assert walk(falling, 22, 19, 19, 19, 19, 18)[-1] is False


def test_a_sensor_is_stale_from_the_very_moment() -> None:
    leaf = Stale(sensor=KEY, older_than=4 * MINUTE)
    fresh = judge(leaf, given=world(20.0))
    assert (fresh.holds, fresh.wake_at) == (False, NOON + 4 * MINUTE)
    assert judge(leaf, NOON + 4 * MINUTE, world(20.0)).holds is True
    assert judge(leaf).holds is None
    bad = judge(leaf, NOON + MINUTE, world(1.0, NOON + MINUTE, quality=Quality.BAD), fresh.state)
    assert bad.wake_at == NOON + 4 * MINUTE


def actuator(leaf: ActuatorIs, state: ActuatorState, now: datetime = NOON) -> bool | None:
    return judge(leaf, now, World(actuators={PINS[0]: state})).holds


def test_what_an_actuator_does_is_what_its_device_said() -> None:
    on = ActuatorIs(pin=PINS[0], on=True, max_age=MINUTE)
    half = ActuatorState(value=0.5, is_active=True, reported_at=NOON)
    assert actuator(on, half) is True
    assert actuator(on, half, NOON + MINUTE) is None
    assert actuator(on, ActuatorState()) is None
    assert actuator(ActuatorIs(pin=PINS[0], on=False), half) is False
    assert actuator(ActuatorIs(pin=PINS[0], at_least=0.5), half) is True
    assert actuator(ActuatorIs(pin=PINS[0], at_least=0.6), half) is False


def test_a_verdict_names_the_readings_it_rests_on() -> None:
    given = World(readings={KEY: seen(25.0, NOON, 7), OTHER: seen(25.0, NOON, 8, "lx")})
    odd = Threshold(sensor=OTHER, limit=Limit(Operator.GT, 20.0), unit="°C")
    assert judge(AnyOf((HOT, odd)), given=given).reading_ids == {7}


def test_an_explanation_has_every_leaf_with_its_place_value_age_and_verdict() -> None:
    found = judge(AllOf((Not(HOT), UNKNOWN)), NOON + MINUTE, world(25.0, reading_id=3))
    whole = explanation_json(found.explanation)
    assert whole["holds"] is False
    hot, device = whole["children"][0]["children"][0], whole["children"][1]
    assert hot["place"] == "condition.all[0].not"
    assert hot["sentence"] == (
        "ds18b20 of ESP_A is above 20 °C; ds18b20 of ESP_A said 25 °C 60 s ago (GOOD): yes"
    )
    assert hot["seen"][0] | {"sensor": None} == {
        "sensor": None,
        "trouble": None,
        "value": 25.0,
        "unit": "°C",
        "quality": "GOOD",
        "measuredAt": "2026-03-29T00:30:00Z",
        "ageSeconds": 60.0,
        "readingId": "3",
    }
    assert device["sentence"] == "ESP_Z is ONLINE; nothing is known of it: unknown"


@settings(max_examples=300, deadline=None)
@given(conditions, histories())
def test_it_comes_to_what_the_reference_says(
    condition: Condition, history: list[tuple[datetime, World]]
) -> None:
    state = NOTHING
    for step, (now, there) in enumerate(history, start=1):
        verdict = evaluate(condition, there, state, now)
        assert verdict.holds is Reference(history[:step]).holds(condition)
        state = verdict.state


@settings(max_examples=200, deadline=None)
@given(conditions, histories(5), st.floats(0, 1))
def test_nothing_changes_before_the_time_to_wake(
    condition: Condition, history: list[tuple[datetime, World]], part: float
) -> None:
    state = NOTHING
    for now, there in history:
        verdict = evaluate(condition, there, state, now)
        until = verdict.wake_at or now + timedelta(days=40)
        assert until > now
        for later in (now + (until - now) * part, until - timedelta(microseconds=1)):
            if now <= later < until:
                assert evaluate(condition, there, state, later).holds is verdict.holds
                assert evaluate(condition, there, verdict.state, later).holds is verdict.holds
        state = verdict.state


AHEAD = World(readings={KEY: seen(16.0, NOON + 45 * SECOND)})


@settings(max_examples=100, deadline=None)
@given(conditions, histories(5), st.floats(0, 1))
# At the time to wake, between two instants of the history, the verdict may be another one.
@example(HOT, [(NOON, AHEAD), (NOON + MINUTE, AHEAD)], 1.0)
def test_evaluating_more_often_than_at_the_times_to_wake_changes_nothing(
    condition: Condition, history: list[tuple[datetime, World]], part: float
) -> None:
    rarely = often = NOTHING
    before: tuple[datetime, World] | None = None
    for now, there in history:
        at: datetime | None = before and before[0]
        while before is not None and at is not None and at < now:
            one = evaluate(condition, before[1], rarely, at)
            rarely, wake_at = one.state, min(one.wake_at or now, now)
            for instant in (at, at + (wake_at - at) * part):
                other = evaluate(condition, before[1], often, instant)
                assert other.holds is one.holds or instant == wake_at
                often = other.state
            at = wake_at
        one, other = (evaluate(condition, there, state, now) for state in (rarely, often))
        assert one.holds is other.holds
        rarely, often, before = one.state, other.state, (now, there)
