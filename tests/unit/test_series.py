"""Series: round steps, few enough points, and one unit whatever the values were stored in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError
from domain.series import DEFAULT_POINTS, MOST_POINTS, Bucket, told_in, window

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("length", "points", "every"),
    [
        (HOUR, None, timedelta(seconds=10)),
        (24 * HOUR, None, timedelta(minutes=5)),
        (24 * HOUR, 24, HOUR),
        (24 * HOUR, 23, 2 * HOUR),
        (timedelta(days=365), None, timedelta(days=1)),
        (timedelta(days=3650), 100, timedelta(days=37)),
        (timedelta(seconds=1), None, timedelta(seconds=1)),
        (timedelta(days=365), 1, timedelta(days=365)),
    ],
)
def test_the_shortest_round_step_that_makes_few_enough_points_is_chosen(
    length: timedelta, points: int | None, every: timedelta
) -> None:
    chosen = window(NOON, NOON + length, max_points=points)
    assert chosen.buckets <= max(points or DEFAULT_POINTS, 2)
    assert chosen.every == every


def test_a_step_that_is_asked_for_is_kept_or_refused() -> None:
    assert window(NOON, NOON + HOUR, timedelta(seconds=7)).every == timedelta(seconds=7)
    with pytest.raises(BadInputError, match="up to 86400 points, more than 5000"):
        window(NOON, NOON + 24 * HOUR, timedelta(seconds=1))
    with pytest.raises(BadInputError, match="up to 60 points, more than 59"):
        window(NOON, NOON + HOUR, timedelta(minutes=1), 59)
    with pytest.raises(BadInputError, match="every must be at least"):
        window(NOON, NOON + HOUR, timedelta(0))


def test_times_and_counts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInputError, match="from must be before to"):
        window(NOON, NOON)
    for points in (0, -1, MOST_POINTS + 1):
        with pytest.raises(BadInputError, match="maxPoints must lie between 1 and 5000"):
            window(NOON, NOON + HOUR, max_points=points)


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2098, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(milliseconds=1), timedelta(days=20_000)),
    st.integers(1, MOST_POINTS),
)
def test_there_are_never_more_points_than_asked_for_unless_one_edge_must_be_cut(
    start: datetime, length: timedelta, points: int
) -> None:
    assert window(start, start + length, max_points=points).buckets <= max(points, 2)


def bucket(minute: int, unit: str | None, value: float, size: int = 1) -> Bucket:
    at = NOON + timedelta(minutes=minute)
    return Bucket(at, unit, size, value, value - 1, value + 1, value, at)


def test_buckets_of_several_units_become_one_series() -> None:
    later = bucket(0, "°F", 68.0, 3)._replace(last_at=NOON + timedelta(seconds=5))
    unit, (first, second) = told_in([bucket(0, "°C", 10), later, bucket(1, "°C", 21)], None)
    assert unit == "°C"
    assert (first.size, first.mean, first.last) == (4, 17.5, 20)
    assert first.low == 9
    assert first.high == pytest.approx(20.555555556)
    assert second == bucket(1, "°C", 21)


def test_a_raw_value_that_passed_through_hides_nothing() -> None:
    measured, raw = bucket(0, "°C", 21), bucket(1, None, 344)
    assert told_in([measured, raw], None) == ("°C", [measured])
    assert told_in([raw], None) == (None, [raw])


def test_a_series_is_told_in_the_unit_that_is_asked_for() -> None:
    unit, (only,) = told_in([bucket(0, "°C", 20)], "f")
    assert (unit, only.mean, only.low, only.high, only.last) == ("°F", 68, 66.2, 69.8, 68)
    assert told_in([], "f") == ("°F", [])
    assert told_in([], None) == (None, [])
    with pytest.raises(BadInputError, match="for °C, ask for °C, °F, K"):
        told_in([bucket(0, "°C", 20)], "pH")
    with pytest.raises(BadInputError, match="these values have no unit"):
        told_in([bucket(0, None, 20)], "°C")
    with pytest.raises(BadInputError, match="'furlong' is no unit known here"):
        told_in([], "furlong")


def test_values_that_fit_no_unit_are_left_out_of_those_that_do() -> None:
    mixed = [bucket(0, None, 3), bucket(1, "raw", 4), bucket(2, "µS/cm", 1413)]
    assert told_in(mixed, "mS/cm")[1][0].mean == 1.413
    assert [point.unit for point in told_in(mixed, None)[1]] == ["µS/cm"]
    assert told_in([bucket(0, None, 3)], None) == (None, [bucket(0, None, 3)])
