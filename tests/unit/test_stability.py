"""A calibration point is taken only from a value that stands still, and says why not yet."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stability import Shown, Stability

START = datetime(2026, 4, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def watch(values: list[tuple[float, float]], tolerance: float = 0.02) -> Stability:
    stability = Stability()
    for seconds, value in values:
        stability.add(at(seconds), Shown(value * 100, value, tolerance))
    return stability


def test_before_any_value_it_asks_for_the_device() -> None:
    assert "online" in (watch([]).reason or "")


def test_too_few_values_or_too_short_a_time_do_not_suffice() -> None:
    assert watch([(0, 7.0), (20, 7.0)]).raw is None
    assert watch([(second, 7.0) for second in range(8)]).raw is None
    assert "8 values in 7 s" in (watch([(second, 7.0) for second in range(8)]).reason or "")


def test_a_value_that_stands_still_is_taken_as_the_mean_of_its_raws() -> None:
    stability = watch([(second, 7.0 + 0.01 * (second % 2)) for second in range(12)])
    assert stability.reason is None
    assert stability.raw is not None
    assert 700 <= stability.raw <= 701


def test_a_value_that_drifts_is_not_taken_until_it_stops() -> None:
    drifting = [(float(second), 6.0 + 0.05 * second) for second in range(20)]
    stability = watch(drifting)
    assert stability.raw is None
    assert "leave the probe" in (stability.reason or "")
    for second in range(20, 32):
        stability.add(at(second), Shown(700, 7.0, 0.02))
    assert stability.raw == 700


def test_a_value_that_creeps_to_its_end_is_taken_nearer_to_the_end() -> None:
    creeping = [(float(second), 7.0 + 0.015 * 0.8**second) for second in range(12)]
    raw = watch(creeping).raw
    assert raw is not None
    assert 700 < raw < 700.3


def test_slow_sensors_need_as_many_values_as_fast_ones() -> None:
    assert watch([(second * 5.0, 7.0) for second in range(4)]).raw is None
    assert watch([(second * 5.0, 7.0) for second in range(5)]).raw is not None


def test_a_value_from_the_past_is_left_out() -> None:
    stability = watch([(float(second), 7.0) for second in range(12)])
    stability.add(at(3), Shown(100, 1.0, 0.02))
    assert stability.raw == 700


def test_a_value_that_only_jumps_about_is_told_from_one_that_drifts() -> None:
    stability = watch([(second, 7.0 + 0.2 * (second % 2)) for second in range(12)])
    assert stability.raw is None
    assert stability.reason == (
        "the values jump about by 0.11, which is too much: check the cable, and what stands beside "
        "it"
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_noisier_it_is_the_more_values_it_takes_and_then_their_mean_is_right(seed: int) -> None:
    chance, taken = Random(seed), []
    for noise in (0.001, 0.01, 0.03):
        values: list[tuple[float, float]] = []
        while watch(values).raw is None:
            values.append((float(len(values)), chance.gauss(7.0, noise)))
        taken.append(len(values))
        assert watch(values).raw == pytest.approx(700, abs=2)
    assert taken[0] == 11
    assert taken == sorted(taken)
    assert 30 < taken[2] < 200


def test_who_waits_is_told_how_many_values_noise_takes() -> None:
    chance = Random(1)
    said = watch([(second, chance.gauss(7.0, 0.03)) for second in range(20)]).reason or ""
    assert said.startswith("the values jump about by 0.0")
    assert said.endswith("are needed: there are 20")


def test_a_value_that_creeps_on_without_noise_changes_and_does_not_jump() -> None:
    said = watch([(second, 7.0 + 0.003 * second) for second in range(40)]).reason
    assert said == "the values still change, by 0.0165: leave the probe where it is"


def test_a_value_may_have_to_stand_still_for_five_minutes() -> None:
    stability = Stability(still_for=timedelta(minutes=5))
    for second in range(290):
        stability.add(at(second), Shown(700, 7.0, 0.02))
    assert stability.raw is None
    for second in range(290, 301):
        stability.add(at(second), Shown(700, 7.0, 0.02))
    assert stability.raw == 700


def test_a_reading_that_shows_nothing_undoes_what_came_before_and_says_why() -> None:
    stability = watch([(second, 7.0) for second in range(12)])
    stability.disturb("no probe connected?")
    assert (stability.raw, stability.reason) == (None, "no probe connected?")
    stability.add(at(12), Shown(700, 7.0, 0.02))
    assert "1 values in 0 s so far" in (stability.reason or "")


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 14)), max_size=60))
def test_there_is_a_raw_value_or_a_reason_never_both(values: list[tuple[float, float]]) -> None:
    stability = watch(sorted(values))
    assert (stability.raw is None) != (stability.reason is None)
