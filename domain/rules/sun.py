"""When the sun rises and sets at a place, and windows between the two.

The computation is the one of the NOAA Solar Calculator (Global Monitoring Laboratory, "Solar
Calculation Details", after Jean Meeus, Astronomical Algorithms, chapters 12, 22 and 25): good to a
minute up to 72 degrees of latitude, to ten beyond, for the years 1800 to 2100. Sunrise is the
moment at which the upper limb of the sun appears over a flat horizon: 90.833 degrees from the
zenith, which counts refraction and half the sun's width.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.rules.schedule import Span, openness

ZENITH = 90.833
"""Degrees from the zenith to the centre of the sun at sunrise."""

LONGEST_OFFSET = timedelta(hours=12)

_DAY = timedelta(days=1)
_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_CENTURY_SECONDS = 36_525 * 86_400
_MINUTES_A_DEGREE = 4
_ROUNDS = 4
"""How often an event is computed again with the sun where it is at that moment."""
_AHEAD = 3
"""Days looked ahead; in polar night and day the same is asked again then."""


class Place(NamedTuple):
    """Where: degrees, north -90..90 and east -180..180."""

    latitude: float
    longitude: float


class SunEvent(StrEnum):
    """What the sun does at the horizon."""

    SUNRISE = "SUNRISE"
    SUNSET = "SUNSET"


@dataclass(frozen=True, slots=True, kw_only=True)
class SunWindow:
    """From one event of the sun until another one, each with an offset of at most 12 hours.

    From sunrise to sunset it is day, from sunset to sunrise night; between an event and itself,
    it is what lies between the offsets. Where the sun does not rise on a day, both events count as
    at its noon, where it does not set, at the midnights before and after, and their offsets do not
    count: polar nights are all night. A window between an event and itself does not open then.
    """

    start: SunEvent
    end: SunEvent
    place: Place
    start_offset: timedelta = timedelta(0)
    end_offset: timedelta = timedelta(0)


class SunDay(NamedTuple):
    """One day of the sun at a place, from midnight to midnight around its noon.

    Attributes:
        noon: When it stands highest.
        half: How long before and after noon it is up: zero in polar night, half a day in polar day.
        sunrise: None: it does not rise, or does not set, on that day.
        sunset: As sunrise.
    """

    noon: datetime
    half: timedelta
    sunrise: datetime | None
    sunset: datetime | None

    def edge(self, event: SunEvent, offset: timedelta) -> datetime:
        """Return when an event counts as taking place."""
        found = self.event(event)
        if found is not None:
            return found + offset
        return self.noon - self.half if event is SunEvent.SUNRISE else self.noon + self.half

    def event(self, event: SunEvent) -> datetime | None:
        """Return when an event takes place; None: it does not on that day."""
        return self.sunrise if event is SunEvent.SUNRISE else self.sunset


@lru_cache(4096)
def sun_day(place: Place, day: date) -> SunDay:
    """Return what the sun does at a place on a day.

    Args:
        place: Where.
        day: The one whose noon by the sun, at the longitude of the place, is meant.
    """
    midday = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    mean_noon = midday - timedelta(minutes=_MINUTES_A_DEGREE * place.longitude)
    noon = mean_noon
    for _ in range(_ROUNDS):
        noon = mean_noon - _position(noon).equation_of_time
    rise, set_ = (_crossing(place, mean_noon, noon, side) for side in (-1, 1))
    if isinstance(rise, datetime) and isinstance(set_, datetime):
        return SunDay(noon, (set_ - rise) / 2, rise, set_)
    # On the very day on which polar night or day begins, the sun may cross the horizon only once.
    up = (rise if isinstance(rise, bool) else True) and (set_ if isinstance(set_, bool) else True)
    return SunDay(noon, _DAY / 2 if up else timedelta(0), None, None)


class _Position(NamedTuple):
    declination: float
    equation_of_time: timedelta


def _position(at: datetime) -> _Position:
    """Return where the sun stands; names and numbers as in the NOAA spreadsheet."""
    t = (at - _J2000).total_seconds() / _CENTURY_SECONDS
    mean_longitude = math.radians((280.46646 + t * (36000.76983 + t * 0.0003032)) % 360)
    anomaly = math.radians(357.52911 + t * (35999.05029 - 0.0001537 * t))
    eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    centre = math.radians(
        math.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
        + math.sin(2 * anomaly) * (0.019993 - 0.000101 * t)
        + math.sin(3 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * t)
    apparent = mean_longitude + centre - math.radians(0.00569 + 0.00478 * math.sin(node))
    seconds = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))
    obliquity = math.radians(23 + (26 + seconds / 60) / 60 + 0.00256 * math.cos(node))
    y = math.tan(obliquity / 2) ** 2
    equation = math.degrees(
        y * math.sin(2 * mean_longitude)
        - 2 * eccentricity * math.sin(anomaly)
        + 4 * eccentricity * y * math.sin(anomaly) * math.cos(2 * mean_longitude)
        - 0.5 * y * y * math.sin(4 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * math.sin(2 * anomaly)
    )
    return _Position(
        math.asin(math.sin(obliquity) * math.sin(apparent)),
        timedelta(minutes=_MINUTES_A_DEGREE * equation),
    )


def _crossing(place: Place, mean_noon: datetime, noon: datetime, side: int) -> datetime | bool:
    """Return when the sun crosses the horizon before (-1) or after (1) noon.

    Returns:
        True: it is up all that time; False: it is down all that time.
    """
    latitude = math.radians(place.latitude)
    at = noon
    for _ in range(_ROUNDS):
        position = _position(at)
        # A hair of latitude keeps the poles, where every direction is south, in the formula.
        across = max(math.cos(latitude) * math.cos(position.declination), 1e-12)
        upwards = math.sin(latitude) * math.sin(position.declination)
        hour_angle = (math.cos(math.radians(ZENITH)) - upwards) / across
        if abs(hour_angle) > 1:
            return hour_angle < 0
        minutes = _MINUTES_A_DEGREE * math.degrees(math.acos(hour_angle)) * side
        at = mean_noon - position.equation_of_time + timedelta(minutes=minutes)
    return at


def is_sun_window_open(window: SunWindow, now: datetime) -> tuple[bool, datetime]:
    """Say whether a window is open, and when that may change next.

    Returns:
        Whether it is open, and an instant after `now` before which that does not change.
    """
    today = (now + timedelta(minutes=_MINUTES_A_DEGREE * window.place.longitude)).date()
    found = (_span(window, today + offset * _DAY) for offset in range(-2, _AHEAD + 2))
    # Around the begin of polar night and day, offsets can bring two starts out of order.
    ordered = sorted(span for span in found if span is not None)
    return openness(iter(ordered), now, now + _AHEAD * _DAY)


@lru_cache(4096)
def _span(window: SunWindow, day: date) -> Span | None:
    first = sun_day(window.place, day)
    overnight = window.start is SunEvent.SUNSET and window.end is SunEvent.SUNRISE
    second = sun_day(window.place, day + _DAY) if overnight else first
    if window.start is window.end and first.event(window.start) is None:
        return None
    return Span(
        first.edge(window.start, window.start_offset), second.edge(window.end, window.end_offset)
    )
