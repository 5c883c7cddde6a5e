"""Where a value stands to its thresholds: each edge once, left only when far enough behind."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError
from domain.thresholds import Thresholds, Zone, read_thresholds

GIVEN = {
    "unit": "°C",
    "warning": {"low": 10, "high": 30},
    "alarm": {"low": 5, "high": 35},
    "hysteresis": 1,
}


def thresholds(given: object = GIVEN) -> Thresholds:
    read = read_thresholds(given)
    assert read is not None
    return read


def walk(*values: float, of: Thresholds | None = None) -> list[Zone]:
    zones, zone = [], Zone.NORMAL
    for value in values:
        zone = (of or thresholds()).zone(value, zone)
        zones.append(zone)
    return zones


def test_a_limit_that_is_reached_is_crossed() -> None:
    assert walk(29.9) == [Zone.NORMAL]
    assert walk(30) == [Zone.WARNING_HIGH]
    assert walk(35) == [Zone.ALARM_HIGH]
    assert walk(10) == [Zone.WARNING_LOW]
    assert walk(4) == [Zone.ALARM_LOW]


def test_a_zone_is_left_only_behind_the_hysteresis() -> None:
    assert walk(30, 29.5, 29.1, 30.2, 29.0) == [*[Zone.WARNING_HIGH] * 4, Zone.NORMAL]
    assert walk(36, 34.5, 34.0, 29.5, 29.0) == [
        *[Zone.ALARM_HIGH] * 2,
        *[Zone.WARNING_HIGH] * 2,
        Zone.NORMAL,
    ]
    assert walk(4, 5.9, 6.0, 10.9, 11.0) == [
        *[Zone.ALARM_LOW] * 2,
        *[Zone.WARNING_LOW] * 2,
        Zone.NORMAL,
    ]


def test_a_value_may_jump_from_one_side_to_the_other() -> None:
    assert walk(40, 0, 20) == [Zone.ALARM_HIGH, Zone.ALARM_LOW, Zone.NORMAL]


def test_one_limit_alone_will_do() -> None:
    only = thresholds({"unit": "ph", "alarm": {"high": 7.5}})
    assert only == Thresholds(unit="pH", alarm_high=7.5)
    assert walk(7.4, 7.5, 7.4, -3, of=only) == ["NORMAL", "ALARM_HIGH", "NORMAL", "NORMAL"]


def test_thresholds_are_read_and_written_alike() -> None:
    assert thresholds().as_json() == GIVEN
    assert read_thresholds({}) is None
    assert [zone.rank for zone in Zone] == [0, 1, 2, 1, 2]
    assert thresholds().limit(Zone.ALARM_LOW) == 5
    assert thresholds().limit(Zone.NORMAL) is None


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("hot", "thresholds must be a JSON object"),
        ({"max": 3}, "thresholds has no 'max'; it has unit, warning, alarm, hysteresis"),
        ({"alarm": {"high": 3}}, "thresholds need a unit"),
        ({"unit": "°C"}, "need at least one limit"),
        ({"unit": "°X", "alarm": {"high": 3}}, "'°X' is no unit known here"),
        ({"unit": "°C", "alarm": 3}, "alarm must be a JSON object"),
        ({"unit": "°C", "alarm": {"top": 3}}, "alarm has no 'top'; it has low, high"),
        ({"unit": "°C", "alarm": {"high": "3"}}, "high must be a number"),
        (
            {"unit": "°C", "warning": {"high": 36}, "alarm": {"high": 35}},
            r"warning.high \(36\) must be below alarm.high \(35\)",
        ),
        (
            {"unit": "°C", "warning": {"low": 30, "high": 20}},
            r"warning.low \(30\) must be below warning.high \(20\)",
        ),
        (GIVEN | {"hysteresis": -1}, "hysteresis must be 0 or more"),
        (GIVEN | {"hysteresis": 20}, "hysteresis must be less than what lies between"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused_with_the_reason(
    given: object, complaint: str
) -> None:
    with pytest.raises(BadInputError, match=complaint):
        read_thresholds(given)


VALUES = st.lists(st.floats(-20, 60), min_size=1, max_size=60)


@given(VALUES)
def test_a_value_beyond_a_limit_is_always_in_its_zone_or_worse(values: list[float]) -> None:
    for value, zone in zip(values, walk(*values), strict=True):
        plain = thresholds().zone(value)
        if plain is not Zone.NORMAL:
            assert zone.rank >= plain.rank
            assert zone.value.endswith(plain.value.split("_")[1])


@given(VALUES)
def test_no_zone_is_left_within_the_hysteresis(values: list[float]) -> None:
    known = thresholds()
    for (_, before), (value, after) in pairwise(zip(values, walk(*values), strict=True)):
        limit = known.limit(before)
        if limit is not None and abs(value - limit) < known.hysteresis and after is not before:
            assert after.rank > before.rank


@given(st.floats(-20, 60), st.floats(-0.49, 0.49), st.integers(2, 50))
def test_noise_smaller_than_the_hysteresis_makes_one_edge_for_each_limit_at_most(
    value: float, noise: float, times: int
) -> None:
    zones = [Zone.NORMAL, *walk(*(value + noise * (-1) ** n for n in range(times)))]
    assert sum(a is not b for a, b in pairwise(zones)) <= 2
