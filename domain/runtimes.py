"""How long actuators were on, and how often they were switched on, day by day.

Pure. A day is one of the calendar of a place: where the clock is put, it has 23 or 25 hours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.errors import BadInputError
from domain.leases import Lease

MOST_DAYS = 400
"""Days of which somebody may be told at once: a year, and the same weeks of the year before."""

RUNS_KEPT_FOR = timedelta(days=3 * 366)
"""How long it is kept when an actuator was on: three years, to compare the seasons."""

CHANGES_KEPT_FOR = timedelta(days=366)
"""How long it is kept when an actuator began to do something else."""

COMMANDS_KEPT_FOR = timedelta(days=366)
"""How long a command is kept; the newest that was not refused stays, whatever its age."""

COMMANDS_KEPT = 1_000_000
"""Commands that are kept, of all actuators together; the oldest leave first."""

_DAY = timedelta(days=1)


class Day(NamedTuple):
    """A day, or the part of one that is asked for: from `start` on until just before `end`."""

    date: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Runtime:
    """How an actuator was used in some time.

    Attributes:
        on_for: How long it was on.
        starts: How often it was switched on.
    """

    on_for: timedelta = timedelta(0)
    starts: int = 0

    def __add__(self, other: "Runtime") -> "Runtime":
        return Runtime(self.on_for + other.on_for, self.starts + other.starts)


def total(runtimes: Iterable[Runtime]) -> Runtime:
    """Return all of them in one."""
    return sum(runtimes, Runtime())


def days(start: datetime, end: datetime, zone: ZoneInfo) -> Sequence[Day]:
    """Cut a time into days, the earliest first.

    Args:
        start: Of the first one, which is cut off there.
        end: Of the last one, which is cut off there.
        zone: Whose midnights.

    Raises:
        BadInputError: It ends before it begins, or has more than `MOST_DAYS`.
    """
    if end <= start:
        raise BadInputError("to must be later than from")
    if end - start > (MOST_DAYS - 1) * _DAY:
        raise BadInputError(f"from and to may be at most {MOST_DAYS - 1} days apart")
    try:
        return tuple(_days(start.astimezone(UTC), end.astimezone(UTC), zone))
    except OverflowError:
        raise BadInputError("from and to lie beyond the calendar") from None


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Day]:
    today = start.astimezone(zone).date()
    while start < end:
        midnight = datetime.combine(today + _DAY, time(), zone).astimezone(UTC)
        if start < midnight:
            yield Day(today, start, min(midnight, end))
            start = midnight
        today += _DAY


def within(day: Day, began: datetime, ended: datetime) -> Runtime:
    """Return what a time on makes of a day; it was switched on there if it began there."""
    on_for = min(ended, day.end) - max(began, day.start)
    return Runtime(max(on_for, timedelta(0)), int(day.start <= began < day.end))


def with_lease(
    every: Sequence[Day], stored: Sequence[Runtime], lease: Lease | None, now: datetime
) -> Sequence[Runtime]:
    """Return how an actuator was used on each day, until now where it is on.

    Args:
        every: The days.
        stored: What is stored of each: only what has ended.
        lease: Of the actuator; one that its device did not confirm shows nothing.
        now: The time, in UTC.
    """
    if lease is None or not lease.confirmed:
        return stored
    return [
        runtime + within(day, lease.on_since, max(lease.on_since, now))
        for day, runtime in zip(every, stored, strict=True)
    ]
