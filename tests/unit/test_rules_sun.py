"""Sunrise and sunset against an independent ephemeris, and what counts where there is neither."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.sun import Place, SunEvent, SunWindow, is_sun_window_open, sun_day

PLACES = {
    "Quito": Place(-0.18, -78.47),
    "Berlin": Place(52.52, 13.405),
    "Sydney": Place(-33.87, 151.21),
    "Honolulu": Place(21.31, -157.86),
    "Reykjavik": Place(64.15, -21.94),
    "Auckland": Place(-36.85, 174.76),
    "Nairobi": Place(-1.29, 36.82),
}
TROMSO, LONGYEARBYEN, POLE = Place(69.65, 18.96), Place(78.22, 15.65), Place(90, 0)

KNOWN = [
    # PyEphem 4.2.1 (libastro of XEphem, planetary theory VSOP87): centre of the sun at -0.833
    # degrees, no pressure. UTC; the day is the one of the noon at that longitude.
    ("Quito", "2026-03-20", "2026-03-20T11:18:00", "2026-03-20T23:24:29"),
    ("Quito", "2026-06-21", "2026-06-21T11:12:22", "2026-06-21T23:19:06"),
    ("Quito", "2026-12-21", "2026-12-21T11:07:59", "2026-12-21T23:16:06"),
    ("Berlin", "2026-03-20", "2026-03-20T05:09:16", "2026-03-20T17:19:25"),
    ("Berlin", "2026-06-21", "2026-06-21T02:43:06", "2026-06-21T19:33:16"),
    ("Berlin", "2026-12-21", "2026-12-21T07:14:54", "2026-12-21T14:53:55"),
    ("Berlin", "2037-09-05", "2037-09-05T04:24:18", "2037-09-05T17:44:32"),
    ("Sydney", "2026-06-21", "2026-06-20T20:59:57", "2026-06-21T06:53:48"),
    ("Sydney", "2026-12-21", "2026-12-20T18:40:38", "2026-12-21T09:05:24"),
    ("Honolulu", "2026-03-20", "2026-03-20T16:35:12", "2026-03-21T04:42:35"),
    ("Honolulu", "2026-06-21", "2026-06-21T15:50:23", "2026-06-22T05:16:18"),
    ("Reykjavik", "2026-06-21", "2026-06-21T02:55:06", "2026-06-22T00:04:01"),
    ("Reykjavik", "2026-12-21", "2026-12-21T11:22:24", "2026-12-21T15:29:17"),
    ("Auckland", "2026-06-21", "2026-06-20T19:33:41", "2026-06-21T05:11:38"),
    ("Auckland", "2037-09-05", "2037-09-04T18:36:13", "2037-09-05T06:03:43"),
    ("Nairobi", "2026-12-21", "2026-12-21T03:24:44", "2026-12-21T15:36:43"),
]


def window(
    place: Place,
    start: str = "SUNRISE",
    end: str = "SUNSET",
    start_offset: timedelta = timedelta(0),
    end_offset: timedelta = timedelta(0),
) -> SunWindow:
    return SunWindow(
        start=SunEvent(start),
        end=SunEvent(end),
        place=place,
        start_offset=start_offset,
        end_offset=end_offset,
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("name", "day", "sunrise", "sunset"), KNOWN)
def test_the_sun_rises_and_sets_when_the_ephemeris_says(
    name: str, day: str, sunrise: str, sunset: str
) -> None:
    found = sun_day(PLACES[name], date.fromisoformat(day))
    assert found.sunrise is not None
    assert found.sunset is not None
    assert abs(found.sunrise - utc(sunrise)) < timedelta(seconds=15)
    assert abs(found.sunset - utc(sunset)) < timedelta(seconds=15)


@pytest.mark.parametrize(
    ("place", "day", "up"),
    [
        (TROMSO, "2026-06-21", True),
        (TROMSO, "2026-12-21", False),
        (LONGYEARBYEN, "2026-05-01", True),
        (LONGYEARBYEN, "2026-11-15", False),
        (POLE, "2026-06-21", True),
        (Place(-90, 0), "2026-06-21", False),
    ],
)
def test_in_polar_day_it_is_always_day_and_in_polar_night_always_night(
    place: Place,
    day: str,
    up: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    for hour in range(24):
        at = utc(day) + timedelta(hours=hour)
        assert is_sun_window_open(window(place), at)[0] is up
        assert is_sun_window_open(window(place, "SUNSET", "SUNRISE"), at)[0] is not up


@pytest.mark.parametrize("day", ["2026-06-21", "2026-12-21"])
def test_without_a_sunset_nothing_opens_after_it(day: str) -> None:
    evening = window(TROMSO, "SUNSET", "SUNSET", end_offset=timedelta(hours=3))
    for hour in range(24):
        assert not is_sun_window_open(evening, utc(day) + timedelta(hours=hour))[0]


def test_offsets_move_both_ends() -> None:
    berlin = PLACES["Berlin"]
    sun = sun_day(berlin, date(2026, 6, 21))
    assert sun.sunset is not None
    evening = window(
        berlin, "SUNSET", "SUNSET", timedelta(minutes=-30), timedelta(hours=1, minutes=30)
    )
    opens, closes = sun.sunset - timedelta(minutes=30), sun.sunset + timedelta(minutes=90)
    assert is_sun_window_open(evening, opens - timedelta(seconds=1)) == (False, opens)
    assert is_sun_window_open(evening, opens) == (True, closes)
    assert not is_sun_window_open(evening, closes)[0]


places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))
instants = st.datetimes(datetime(2020, 1, 1), datetime(2037, 12, 1)).map(  # noqa: DTZ001 - made aware here
    lambda at: at.replace(tzinfo=UTC)
)


@given(places, instants)
def test_it_is_day_or_night_everywhere_and_always(place: Place, now: datetime) -> None:
    day, until = is_sun_window_open(window(place), now)
    night, _ = is_sun_window_open(window(place, "SUNSET", "SUNRISE"), now)
    assert day is not night
    assert until > now


@given(
    places,
    st.sampled_from(SunEvent),
    st.sampled_from(SunEvent),
    st.integers(-600, 0),
    st.integers(1, 600),
    instants,
    st.floats(0, 1),
)
def test_nothing_changes_before_it_is_said_to(  # noqa: PLR0913, PLR0917 - drawn independently
    place: Place,
    start: SunEvent,
    end: SunEvent,
    before: int,
    after: int,
    now: datetime,
    part: float,
) -> None:
    one = window(place, start, end, timedelta(minutes=before), timedelta(minutes=after))
    holds, until = is_sun_window_open(one, now)
    assert until > now
    later = now + (until - now) * part
    if later < until:
        assert is_sun_window_open(one, later)[0] is holds


@given(st.floats(-65, 65), st.floats(-180, 180), st.dates(date(2020, 1, 1), date(2037, 12, 31)))
def test_between_the_polar_circles_every_day_has_a_sunrise_noon_and_sunset(
    latitude: float, longitude: float, day: date
) -> None:
    found = sun_day(Place(latitude, longitude), day)
    assert found.sunrise is not None
    assert found.sunset is not None
    assert found.sunrise < found.noon < found.sunset
