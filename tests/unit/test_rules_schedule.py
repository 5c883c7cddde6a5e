"""Windows of the day do what they declare, also where the clock leaps and where it is put back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.schedule import DstPolicy, TimeWindow, is_open, spans
from tests.wall_clock import expected, transitions, wall

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ONCE, SKIP, TWICE = DstPolicy.ONCE, DstPolicy.SKIP, DstPolicy.TWICE
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""In Berlin the clock leaps from 02:00 to 03:00 at 01:00 UTC, and goes back from 03:00 to 02:00."""


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def window(start: str, end: str, zone: str = "Europe/Berlin", **more: object) -> TimeWindow:
    return TimeWindow(start=minutes(start), end=minutes(end), time_zone=zone, **more)  # type: ignore[arg-type]  # the tests say what they mean


def utc(day: date, clock: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + minutes(clock) * MINUTE


def opened(day: date, start: str, end: str, dst: DstPolicy) -> list[tuple[str, str]]:
    found = spans(window(start, end, dst=dst), day)
    return [(f"{span.start:%H:%M}", f"{span.end:%H:%M}") for span in found]


def test_a_window_is_open_from_its_start_until_just_before_its_end() -> None:
    day = window("08:00", "17:00", "UTC")
    at = utc(date(2026, 5, 4), "08:00")
    assert is_open(day, at) == (True, at + 9 * 60 * MINUTE)
    assert is_open(day, at - timedelta(microseconds=1)) == (False, at)
    assert is_open(day, at + 9 * 60 * MINUTE) == (False, at + DAY)


def test_a_window_across_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    friday = window("22:00", "06:00", "UTC", days=frozenset({4}))
    assert is_open(friday, utc(date(2026, 5, 8), "23:00"))[0]
    assert is_open(friday, utc(date(2026, 5, 9), "05:59"))[0]
    assert not is_open(friday, utc(date(2026, 5, 8), "05:00"))[0]
    assert not is_open(friday, utc(date(2026, 5, 9), "23:00"))[0]
    assert is_open(friday, utc(date(2026, 5, 9), "06:00")) == (
        False,
        utc(date(2026, 5, 15), "22:00"),
    )


def test_all_day_on_all_days_never_closes() -> None:
    always = window("00:00", "24:00")
    at = utc(date(2026, 10, 20), "12:00")
    for _ in range(5):
        holds, at = is_open(always, at)
        assert holds


def test_a_window_ends_at_midnight_in_either_spelling() -> None:
    day = date(2026, 5, 4)
    assert spans(window("20:00", "24:00"), day) == spans(window("20:00", "00:00"), day)


@pytest.mark.parametrize(
    ("start", "end", "once", "skip"),
    [
        ("01:00", "05:00", ("00:00", "03:00"), ("00:00", "03:00")),
        ("02:30", "05:00", ("01:00", "03:00"), ("01:00", "03:00")),
        ("01:30", "02:30", ("00:30", "01:00"), ("00:30", "01:00")),
        ("02:15", "02:45", ("01:00", "01:30"), None),
        ("02:00", "03:00", ("01:00", "02:00"), None),
        ("02:30", "03:10", ("01:00", "01:10"), ("01:00", "01:10")),
    ],
)
def test_where_the_clock_leaps(
    start: str, end: str, once: tuple[str, str], skip: tuple[str, str] | None
) -> None:
    assert opened(SPRING, start, end, ONCE) == [once]
    assert opened(SPRING, start, end, TWICE) == [once]
    assert opened(SPRING, start, end, SKIP) == ([] if skip is None else [skip])


@pytest.mark.parametrize(
    ("start", "end", "once", "twice"),
    [
        ("01:00", "05:00", ("23:00", "04:00"), [("23:00", "04:00")]),
        ("02:15", "02:45", ("00:15", "00:45"), [("00:15", "00:45"), ("01:15", "01:45")]),
        ("02:30", "05:00", ("00:30", "04:00"), [("00:30", "01:00"), ("01:30", "04:00")]),
        ("01:00", "02:30", ("23:00", "00:30"), [("23:00", "00:30"), ("01:00", "01:30")]),
        ("02:00", "03:00", ("00:00", "02:00"), [("00:00", "02:00")]),
        ("03:00", "04:00", ("02:00", "03:00"), [("02:00", "03:00")]),
        ("01:00", "02:00", ("23:00", "00:00"), [("23:00", "00:00")]),
    ],
)
def test_where_the_clock_is_put_back(
    start: str, end: str, once: tuple[str, str], twice: list[tuple[str, str]]
) -> None:
    assert opened(AUTUMN, start, end, ONCE) == [once]
    assert opened(AUTUMN, start, end, SKIP) == [once]
    assert opened(AUTUMN, start, end, TWICE) == twice


CHECKED_YEARS = (2020, 2037)
AROUND = (-90, -30, 0, 20, 60)
LENGTHS = (15, 45, 180)


@pytest.fixture(scope="module")
def changes() -> list[tuple[str, datetime]]:
    """Gather every kind of transition; zones with the same clock around it are looked at once."""
    found: dict[tuple[object, ...], tuple[str, datetime]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for at in transitions(zone, *CHECKED_YEARS):
            sides = tuple((at + i * 12 * 60 * MINUTE).astimezone(zone).utcoffset() for i in (-1, 1))
            # What a transition does depends on the clock before and after, and not on the year.
            found.setdefault((*sides, wall(at, zone).time()), (name, at))
    return list(found.values())


@pytest.mark.parametrize("dst", list(DstPolicy))
def test_every_kind_of_change_of_every_zone_from_2020_to_2037_is_as_declared(
    dst: DstPolicy, changes: list[tuple[str, datetime]]
) -> None:
    assert len(changes) > 40
    for name, at in changes:
        zone = ZoneInfo(name)
        before = wall(at - timedelta(seconds=1), zone) + timedelta(seconds=1)
        for shift in AROUND:
            begin = before + shift * MINUTE
            for length in LENGTHS:
                start = begin.hour * 60 + begin.minute
                one = TimeWindow(start=start, end=(start + length) % 1440, time_zone=name, dst=dst)
                assert list(spans(one, begin.date())) == expected(one, begin.date(), zone, at), (
                    name,
                    at,
                    one,
                )


@pytest.mark.parametrize("year", range(CHECKED_YEARS[0], CHECKED_YEARS[1] + 1))
def test_once_and_twice_count_the_openings_around_every_transition_of_the_year(year: int) -> None:
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for at in transitions(zone, year, year):
            before = wall(at - timedelta(seconds=1), zone) + timedelta(seconds=1)
            back = wall(at, zone) < before
            inside = min(wall(at, zone), before) + timedelta(minutes=5)
            start = inside.hour * 60 + inside.minute
            for dst, count in ((ONCE, 1), (SKIP, 1 if back else 0), (TWICE, 2 if back else 1)):
                one = TimeWindow(start=start, end=(start + 10) % 1440, time_zone=name, dst=dst)
                assert len(spans(one, inside.date())) == count, (name, at, dst)


instants = st.datetimes(datetime(2020, 1, 1), datetime(2037, 12, 1)).map(  # noqa: DTZ001 - made aware below
    lambda at: at.replace(tzinfo=UTC)
)
windows = st.builds(
    lambda start, length, days, zone, dst: TimeWindow(
        start=start, end=(start + length) % 1440, days=days, time_zone=zone, dst=dst
    ),
    st.integers(0, 1439),
    st.integers(1, 1439),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.sampled_from(DstPolicy),
)


@given(windows, instants, st.floats(0, 1))
def test_nothing_changes_before_it_is_said_to(one: TimeWindow, now: datetime, part: float) -> None:
    holds, until = is_open(one, now)
    assert until > now
    later = now + (until - now) * part
    if later < until:
        assert is_open(one, later)[0] is holds


@given(windows, st.integers(1, 1000), instants)
def test_a_longer_window_is_open_whenever_a_shorter_one_is(
    one: TimeWindow, longer: int, now: datetime
) -> None:
    # Not so for the others: a window that falls into a leap is moved, and a longer one is not.
    short = replace(one, dst=SKIP)
    length = min((one.end - one.start) % 1440 + longer, 1439)
    long = replace(short, end=(one.start + length) % 1440)
    if is_open(short, now)[0]:
        assert is_open(long, now)[0]
