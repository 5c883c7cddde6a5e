"""How long an actuator was on, day by day of the calendar of its place."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import Pin
from domain.errors import BadInputError
from domain.leases import Lease
from domain.runtimes import MOST_DAYS, Day, Runtime, days, total, with_lease, within
from tests.fakes import START

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "America/Santiago"]
).map(ZoneInfo)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def lengths(start: datetime, end: datetime, zone: ZoneInfo) -> list[float]:
    return [(day.end - day.start) / HOUR for day in days(start, end, zone)]


def test_a_day_begins_at_midnight_of_the_place() -> None:
    assert days(at(2026, 1, 1, 12), at(2026, 1, 3, 1), BERLIN) == (
        Day(date(2026, 1, 1), at(2026, 1, 1, 12), at(2026, 1, 1, 23)),
        Day(date(2026, 1, 2), at(2026, 1, 1, 23), at(2026, 1, 2, 23)),
        Day(date(2026, 1, 3), at(2026, 1, 2, 23), at(2026, 1, 3, 1)),
    )


def test_where_the_clock_is_put_a_day_has_23_or_25_hours() -> None:
    assert lengths(at(2026, 3, 27, 23), at(2026, 3, 29, 22), BERLIN) == [24, 23]
    assert lengths(at(2026, 10, 23, 22), at(2026, 10, 25, 23), BERLIN) == [24, 25]
    assert lengths(at(2026, 9, 5, 4), at(2026, 9, 7, 3), ZoneInfo("America/Santiago")) == [24, 23]


def test_a_day_that_a_place_left_out_is_not_told_of() -> None:
    told = days(at(2011, 12, 29, 12), at(2012, 1, 1), ZoneInfo("Pacific/Apia"))
    assert [day.date.day for day in told] == [29, 31, 1]


@given(
    zone=ZONES,
    start=st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    seconds=st.integers(1, (MOST_DAYS - 1) * 86_400),
)
def test_days_fill_the_time_without_a_gap(zone: ZoneInfo, start: datetime, seconds: int) -> None:
    end = start + timedelta(seconds=seconds)
    told = days(start, end, zone)
    assert told[0].start == start
    assert told[-1].end == end
    assert all(one.end == other.start and one.date < other.date for one, other in pairwise(told))
    assert all(day.start.astimezone(zone).date() == day.date for day in told)
    assert len(told) <= MOST_DAYS


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (START, START, "to must be later than from"),
        (START, START - HOUR, "to must be later than from"),
        (START, START + MOST_DAYS * DAY, "at most 399 days apart"),
        (at(9999, 12, 31), at(9999, 12, 31, 23, 59), "beyond the calendar"),
    ],
)
def test_what_is_no_time_is_refused(start: datetime, end: datetime, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        days(start, end, UTC_ZONE)


def test_a_run_over_midnight_counts_on_both_days_and_starts_on_the_first() -> None:
    first, second = days(START.replace(hour=0), START.replace(hour=0) + 2 * DAY, UTC_ZONE)
    began, ended = first.end - HOUR, first.end + 2 * HOUR
    assert within(first, began, ended) == Runtime(HOUR, 1)
    assert within(second, began, ended) == Runtime(2 * HOUR, 0)
    assert within(second, first.start, first.end) == Runtime()


RUNS = st.tuples(st.integers(-200, 200), st.integers(0, 90)).map(
    lambda run: (START + run[0] * HOUR, START + (run[0] + run[1]) * HOUR)
)


@given(zone=ZONES, run=RUNS)
def test_days_together_hold_all_of_a_run(zone: ZoneInfo, run: tuple[datetime, datetime]) -> None:
    every = days(START - 300 * HOUR, START + 300 * HOUR, zone)
    assert total(within(day, *run) for day in every) == Runtime(run[1] - run[0], 1)


def make_lease(*, confirmed: bool) -> Lease:
    return Lease(
        id=UUID(int=1),
        actuator_id=1,
        pin=Pin("ESP_12AB34", 5),
        command_id=None,
        value=1.0,
        began=START + HOUR,
        until=START + 9 * HOUR,
        on_since=START,
        seen_at=START + HOUR,
        confirmed=confirmed,
    )


def test_what_is_on_counts_until_now() -> None:
    every = days(START - HOUR, START + 2 * HOUR, UTC_ZONE)
    stored = [Runtime(HOUR / 2, 3)]
    lease = make_lease(confirmed=True)
    now = START + 2 * HOUR
    assert with_lease(every, stored, lease, now) == [Runtime(2.5 * HOUR, 4)]
    assert with_lease(every, stored, lease, START - HOUR) == [Runtime(HOUR / 2, 4)]


def test_what_no_device_confirmed_does_not_count() -> None:
    every = days(START - HOUR, START + 2 * HOUR, UTC_ZONE)
    stored = [Runtime(HOUR / 2, 3)]
    assert with_lease(every, stored, make_lease(confirmed=False), START + HOUR) == stored
    assert with_lease(every, stored, None, START + HOUR) == stored
