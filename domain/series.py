"""A sensor's readings over time, few enough to be drawn: buckets with mean, extremes and last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from domain.errors import BadInputError
from domain.sensors import TRUSTED, Quality
from domain.units import convert, shown, target, unit_named

DEFAULT_POINTS = 500
MOST_POINTS = 5000

SHOWN = TRUSTED | {Quality.STALE}
"""Qualities that a series is made of: a value that came late is still true of its time."""

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
"""Where buckets are counted from, so that the same ones come back however the window moves."""

_SHORTEST = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_STEPS = (
    *(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 15, 30)),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12, 24)),
)


class Bucket(NamedTuple):
    """What was measured from `start` on, for one step, in one unit.

    Attributes:
        unit: Of the values; None: nobody knows.
        size: How many readings are in it.
        last_at: When `last` was measured.
    """

    start: datetime
    unit: str | None
    size: int
    mean: float
    low: float
    high: float
    last: float
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, in which steps; buckets begin at multiples of the step since `ORIGIN`."""

    start: datetime
    end: datetime
    every: timedelta

    @property
    def buckets(self) -> int:
        """How many buckets there can be."""
        return _buckets(self.start, self.end, self.every)


def window(
    start: datetime,
    end: datetime,
    every: timedelta | None = None,
    max_points: int | None = None,
) -> Window:
    """Choose the steps of a series.

    Args:
        start: Included.
        end: Excluded.
        every: The step; None: the shortest round one that makes at most `max_points`.
        max_points: 1 to `MOST_POINTS`; None: `DEFAULT_POINTS`, or `MOST_POINTS` with `every`.

    Raises:
        BadInputError: The times are the wrong way round, or it would be too many points.
    """
    if start >= end:
        raise BadInputError("from must be before to")
    if max_points is not None and not 1 <= max_points <= MOST_POINTS:
        raise BadInputError(f"maxPoints must lie between 1 and {MOST_POINTS}")
    if every is None:
        return Window(start, end, _step(start, end, max_points or DEFAULT_POINTS))
    if every < _SHORTEST:
        raise BadInputError("every must be at least PT0.001S")
    chosen, most = Window(start, end, every), max_points or MOST_POINTS
    if chosen.buckets > most:
        raise BadInputError(
            f"that would be up to {chosen.buckets} points, more than {most}: make every longer, "
            "or the time shorter"
        )
    return chosen


def told_in(buckets: Sequence[Bucket], wanted: str | None) -> tuple[str | None, list[Bucket]]:
    """Bring buckets to one unit, one bucket for each start; what does not fit is left out.

    Args:
        buckets: In order of start; several for one start where its values had several units.
        wanted: The unit to tell them in; None: that of the newest value that has one.

    Returns:
        The unit, and the buckets in it.

    Raises:
        BadInputError: `wanted` is not known, or fits none of the values.
    """
    if not buckets:
        return wanted and unit_named(wanted).symbol, []
    # A raw value that passed through while nothing converted it must not hide all the others.
    in_a_unit = [bucket for bucket in buckets if bucket.unit is not None]
    unit = max(in_a_unit or buckets, key=lambda bucket: bucket.last_at).unit
    if wanted is not None:
        unit = target(wanted, _most_fitting(buckets, wanted)).symbol
    fitting = [told for bucket in buckets if (told := _told(bucket, unit)) is not None]
    return unit, [
        _merged(list(same)) for _, same in groupby(fitting, key=lambda bucket: bucket.start)
    ]


def _most_fitting(buckets: Iterable[Bucket], wanted: str) -> str:
    units = [unit for unit in dict.fromkeys(bucket.unit for bucket in buckets) if unit is not None]
    for unit in units:
        try:
            target(wanted, unit)
        except BadInputError:
            continue
        return unit
    if not units:
        raise BadInputError(f"these values have no unit, so there is none in {wanted}")
    return units[-1]


def _told(bucket: Bucket, unit: str | None) -> Bucket | None:
    if bucket.unit == unit:
        return bucket
    if unit is None or bucket.unit is None:
        return None
    try:
        mean, low, high, last = (
            shown(convert(value, bucket.unit, unit))
            for value in (bucket.mean, bucket.low, bucket.high, bucket.last)
        )
    except BadInputError:
        return None
    return bucket._replace(unit=unit, mean=mean, low=low, high=high, last=last)


def _merged(buckets: Sequence[Bucket]) -> Bucket:
    if len(buckets) == 1:
        return buckets[0]
    size = sum(bucket.size for bucket in buckets)
    newest = max(buckets, key=lambda bucket: bucket.last_at)
    return newest._replace(
        size=size,
        mean=sum(bucket.mean * bucket.size for bucket in buckets) / size,
        low=min(bucket.low for bucket in buckets),
        high=max(bucket.high for bucket in buckets),
    )


def _step(start: datetime, end: datetime, most: int) -> timedelta:
    for step in _STEPS:
        if _buckets(start, end, step) <= most:
            return step
    days = max(1, (end - start) // (_DAY * most))
    while _buckets(start, end, _DAY * days) > max(most, 2):  # an edge may cut any step in two
        days += 1
    return _DAY * days


def _buckets(start: datetime, end: datetime, every: timedelta) -> int:
    first = (start - ORIGIN) // every
    last = -((ORIGIN - end) // every)
    return last - first
