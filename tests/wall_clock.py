"""Time windows worked out minute for minute by looking at a wall clock: slow, and plain to see."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.rules.schedule import DstPolicy, Span, TimeWindow

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def transitions(zone: ZoneInfo, first: int, last: int) -> Iterator[datetime]:
    """Find the instants at which a zone's offset changes, by looking at every second day."""
    step = 2 * DAY
    low = datetime(first, 1, 1, tzinfo=UTC)
    while low.year <= last:
        high = low + step
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            yield _narrowed(low, high, zone)
        low = high


def _narrowed(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def shown(window: TimeWindow, day: date, zone: ZoneInfo) -> list[datetime]:
    """Say, minute for minute, when the wall clock shows a time of the window of one day."""
    start = datetime.combine(day, datetime.min.time()) + window.start * MINUTE
    end = datetime.combine(day, datetime.min.time()) + window.end * MINUTE
    end += DAY if window.end <= window.start else timedelta(0)
    at = start.replace(tzinfo=UTC) - 16 * 60 * MINUTE
    count = int((end - start) / MINUTE) + 32 * 60
    return [m for i in range(count) if start <= wall(m := at + i * MINUTE, zone) < end]


def runs(found: list[datetime]) -> list[Span]:
    joined: list[Span] = []
    for at in found:
        if joined and joined[-1].end == at:
            joined[-1] = Span(joined[-1].start, at + MINUTE)
        else:
            joined.append(Span(at, at + MINUTE))
    return joined


def expected(window: TimeWindow, day: date, zone: ZoneInfo, turned: datetime) -> list[Span]:
    """Say, from the policy's words alone, when a window of a day with one change is open."""
    clock = runs(shown(window, day, zone))
    if not clock:
        length = (window.end - window.start) % 1440 * MINUTE
        return [] if window.dst is DstPolicy.SKIP else [Span(turned, turned + length)]
    if window.dst is DstPolicy.TWICE:
        return clock
    start = datetime.combine(day, datetime.min.time()) + window.start * MINUTE
    end = start + ((window.end - window.start) % 1440 or 1440) * MINUTE
    opens = clock[0].start
    # Once: it stays open until the clock first shows the end, even where it is put back meanwhile.
    at = opens
    while wall(at, zone) < start or wall(at, zone) < end:
        at += MINUTE
    return [Span(opens, at)]
