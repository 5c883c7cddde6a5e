"""Daily windows by the wall clock of a place, also on the days when that clock is put.

Where the clock leaps, a time of day may not be; where it is put back, one comes twice. What then
happens is declared, never left to how somebody computed it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60
EVERY_DAY = frozenset(range(7))

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_AHEAD = 8
"""Days looked ahead: a window comes once a week or more often."""


class DstPolicy(StrEnum):
    """What becomes of a window on a day when the clock is put.

    An edge at a time that the clock never shows stands where the clock leaps over it.
    """

    ONCE = "ONCE"
    """It opens exactly once: at the first of two equal times until the first of two equal times;
    one that would fall into the leap altogether opens at the leap, for its usual length."""
    SKIP = "SKIP"
    """As ONCE, but one that falls into the leap altogether does not open that day."""
    TWICE = "TWICE"
    """As ONCE, but of an hour that comes twice, both count: it is open whenever the clock shows a
    time within it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """A part of the day, on some days of the week.

    Attributes:
        start: Minutes after midnight by the wall clock, 0..1439; it is open from then on.
        end: When it is no longer open, 0..1440, not `start`; one before `start` is of the next
            day.
        days: Days on which it starts, 0 = Monday; it may end on the day after.
        time_zone: The IANA name of whose wall clock.
        dst: What happens when that clock is put.
    """

    start: int
    end: int
    days: frozenset[int] = EVERY_DAY
    time_zone: str = "UTC"
    dst: DstPolicy = DstPolicy.ONCE


class Span(NamedTuple):
    """From `start` on, until just before `end`; in UTC."""

    start: datetime
    end: datetime


def spans(window: TimeWindow, day: date) -> tuple[Span, ...]:
    """Return when a window that starts on a day is open: once, never, or twice.

    Args:
        window: Which one.
        day: By the wall clock of the place.
    """
    return _spans(window, day) if day.weekday() in window.days else ()


@lru_cache(4096)
def _spans(window: TimeWindow, day: date) -> tuple[Span, ...]:
    zone = ZoneInfo(window.time_zone)
    end_day = day + _DAY if window.end <= window.start else day
    start, end = _Edge.at(day, window.start, zone), _Edge.at(end_day, window.end, zone)
    first = Span(start.first, end.first)
    if first.end <= first.start:  # the clock leaps over all of it
        if window.dst is DstPolicy.SKIP:
            return ()
        length = (window.end - window.start) % MINUTES_A_DAY * _MINUTE
        return (Span(first.start, first.start + length),)
    if window.dst is not DstPolicy.TWICE:
        return (first,)
    turned = start.turned or end.turned
    if turned is None:
        return (first,)
    before = Span(start.first, min(end.first, turned))
    after = Span(max(start.last, turned), end.last)
    return tuple(_joined(span for span in (before, after) if span.start < span.end))


class _Edge(NamedTuple):
    """A time of day on one day, as instants.

    Attributes:
        first: When the clock first shows it, or leaps over it.
        last: When it shows it for the last time; mostly the same.
        turned: When the clock was put back between them; None: it was not.
    """

    first: datetime
    last: datetime
    turned: datetime | None = None

    @classmethod
    def at(cls, day: date, minutes: int, zone: ZoneInfo) -> "_Edge":
        midnight = datetime.combine(day, time(), tzinfo=zone)
        local = midnight + minutes * _MINUTE
        # fold tells the two apart where a time comes twice, and the two readings of one that never
        # comes; everywhere else it changes nothing (PEP 495).
        one, other = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        if one == other:
            return cls(one, one)
        turned = _turned(min(one, other), max(one, other), zone)
        return cls(one, other, turned) if one < other else cls(turned, turned)


def _turned(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Return when the clock was put, to the second, between two instants of different offset."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + ((high - low) // 2 // _SECOND) * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def _joined(found: Iterator[Span]) -> Iterator[Span]:
    """Join spans that touch or overlap; they come in the order of their starts."""
    open_span: Span | None = None
    for span in found:
        if open_span is None:
            open_span = span
        elif span.start <= open_span.end:
            open_span = Span(open_span.start, max(open_span.end, span.end))
        else:
            yield open_span
            open_span = span
    if open_span is not None:
        yield open_span


def openness(found: Iterator[Span], now: datetime, horizon: datetime) -> tuple[bool, datetime]:
    """Say whether one of some spans is open, and until when that stays so at the least.

    Args:
        found: In the order of their starts, as far as the horizon; empty ones do not count.
        now: When.
        horizon: How far was looked: nothing is said of what comes later.
    """
    for span in _joined(span for span in found if span.start < span.end):
        if now < span.start:
            return False, min(span.start, horizon)
        if now < span.end:
            return True, span.end
    return False, horizon


def is_open(window: TimeWindow, now: datetime) -> tuple[bool, datetime]:
    """Say whether a window is open, and when that may change next.

    Args:
        window: Which one.
        now: Any instant that knows its offset.

    Returns:
        Whether it is open, and an instant after `now` before which that does not change.
    """
    today = now.astimezone(ZoneInfo(window.time_zone)).date()
    # One that is open may have started on the day before, and on one that was lost before that.
    days = (today + offset * _DAY for offset in range(-2, _AHEAD + 2))
    found = (span for day in days for span in spans(window, day))
    return openness(found, now, now + _AHEAD * _DAY)
