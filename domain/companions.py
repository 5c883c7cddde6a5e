"""What sensors said lately, for those whose conversion takes it.

A backlog is converted with what held in its own time, never with what came later; so more than the
newest is remembered.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.errors import BadInputError
from domain.parameters import Companion, Takes
from domain.sensors import TRUSTED, Measurement, ProcessingMode, Quality, Sample
from domain.units import convert

REMEMBERED = 1000
"""Readings that are remembered of a sensor that others take from; the oldest go first."""

_NOT_TOO_BAD = TRUSTED | {Quality.STALE}


class Said(NamedTuple):
    """What a sensor said at one moment, as far as others may take it.

    Attributes:
        at: When that was measured.
        value: In `unit`; None: it cannot be trusted.
        raw: What its chip said; None: that cannot be trusted either.
    """

    at: datetime
    value: float | None
    unit: str | None
    raw: float | None
    quality: Quality

    def taken(self, companion: Companion) -> float | None:
        """Return what fills a parameter; None: nothing of it fits."""
        if companion.takes is Takes.RAW:
            return self.raw
        if self.value is None or self.unit is None:
            return None
        try:
            return convert(self.value, self.unit, companion.unit)
        except BadInputError:
            return None


class Taken(NamedTuple):
    """What fills a parameter, in its unit."""

    value: float
    at: datetime
    quality: Quality


def take(found: Said | None, companion: Companion, at: datetime) -> Taken | None:
    """Return what fills a parameter at a moment; None: nothing fresh does.

    Args:
        found: The newest that was said by then.
        companion: Which parameter.
        at: When what is to be converted was measured.
    """
    if found is None or at - found.at > companion.max_age:
        return None
    value = found.taken(companion)
    return None if value is None else Taken(value, found.at, found.quality)


def moment(sample: Sample) -> datetime:
    """Return when a sample was measured: never after it was received, whatever its device says."""
    received = sample.received_at
    measured = sample.measured_at
    return received if measured is None or measured > received else measured


def said(at: datetime, raw: float, made: Measurement, judged: Measurement) -> Said:
    """Return what others may take of a measurement.

    That it arrived late says nothing against it: how old it may be is for those who take it. And a
    chip whose parameters nobody knows has no value, but says something all the same.

    Args:
        at: When it was measured.
        raw: What the chip said.
        made: The measurement before it was judged.
        judged: And after.
    """
    good = made.quality in TRUSTED and judged.quality in _NOT_TOO_BAD
    spoke = good or (made.quality is Quality.BAD and made.value is None)
    return Said(
        at,
        judged.value if good else None,
        judged.unit,
        raw if spoke and made.mode is not ProcessingMode.LOCAL else None,
        judged.quality,
    )


@dataclass(slots=True)
class Recent:
    """What one sensor said lately, in order of time measured."""

    _times: list[datetime] = field(default_factory=list)
    _said: list[Said] = field(default_factory=list)

    def __iter__(self) -> Iterator[Said]:
        return iter(self._said)

    def add(self, said: Said) -> None:
        """Remember something; of one moment the last word counts."""
        times, at = self._times, said.at
        if not times or at > times[-1]:
            times.append(at)
            self._said.append(said)
        else:
            index = bisect_left(times, at)
            if times[index] == at:
                self._said[index] = said
            else:
                times.insert(index, at)
                self._said.insert(index, said)
        if len(times) > REMEMBERED:
            del times[0], self._said[0]

    def until(self, when: datetime) -> Said | None:
        """Return the newest of a moment or before."""
        times = self._times
        if not times:
            return None
        if times[-1] <= when:
            return self._said[-1]
        index = bisect_right(times, when)
        return self._said[index - 1] if index else None


def newest(batch: Recent | None, before: Recent | None, when: datetime) -> Said | None:
    """Return the newest of two memories that is of a moment or before."""
    one = None if batch is None else batch.until(when)
    other = None if before is None else before.until(when)
    if one is None or (other is not None and other.at > one.at):
        return other
    return one


def noted(value: float, path: str, age: timedelta) -> Mapping[str, Any]:
    """Return what a reading says of something it took, so that it can be computed again.

    Args:
        value: In the unit of the parameter.
        path: The sensor that said it.
        age: How long before the reading it was measured; told in seconds.
    """
    return {"value": value, "sensor": path, "age": age.total_seconds()}
