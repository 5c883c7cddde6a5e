"""The past of a sensor as columns: a year of readings has no room for an object for each.

A rule that is rehearsed lives through readings in the order in which they were received, as the
rule that is live does: what came late, came late. Readings that no rule would look at are left out
from the beginning: those without a value, those of bad quality, and those older than one before.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import lt
from typing import NamedTuple

from domain.rules.world import Observation
from domain.sensors import Quality

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where PostgreSQL begins to count: nothing has to be added to what it sends."""

_MICROSECOND = timedelta(microseconds=1)

AHEAD = timedelta(hours=1)
"""How far ahead a device's clock may be for its readings to be lived through in their turn. It is
believed for longer (`domain.sensors.CLOCK_AHEAD`), but there is no room for so much at once: what
is measured further ahead comes late."""


class Kind(NamedTuple):
    """What many readings of a sensor have in common."""

    unit: str | None
    quality: Quality


@dataclass(slots=True)
class Past:
    """Readings of one sensor in the order in which they were received; columns of equal length.

    Attributes:
        ids: Of the readings.
        received: When they were received, in microseconds since 2000.
        measured: When they were measured, at the latest when they were received; in the same unit.
        values: In the units of their kinds.
        kinds: Mostly one and the same object.
    """

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    received: "array[int]" = field(default_factory=lambda: array("q"))
    measured: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    kinds: list[Kind] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, received: datetime, seen: Observation) -> None:
        """Append a good reading; for tests, and for values that somebody makes up.

        Raises:
            ValueError: It has no value.
        """
        if seen.value is None:
            raise ValueError("what has no value is not a part of the past")
        self.ids.append(seen.reading_id)
        self.received.append(microseconds(received))
        self.measured.append(microseconds(min(seen.measured_at, received)))
        self.values.append(seen.value)
        self.kinds.append(Kind(seen.unit, seen.quality))

    def kind(self) -> Kind | None:
        """Return the kind that all have; None: there are several, or no readings."""
        if not self.kinds or self.kinds.count(self.kinds[0]) < len(self.kinds):
            return None
        return self.kinds[0]

    def observation(self, index: int) -> Observation:
        """Return a reading as conditions look at it."""
        unit, quality = self.kinds[index]
        return Observation(
            self.ids[index], self.values[index], unit, instant(self.measured[index]), quality
        )

    def place(self, received: int, reading_id: int = -1) -> int:
        """Return how many readings came before a moment; at it, before a reading of this id."""
        index = bisect_left(self.received, received)
        while (
            index < len(self.ids)
            and self.received[index] == received
            and self.ids[index] < reading_id
        ):
            index += 1
        return index

    def split(self, received: int) -> "tuple[Past, Past]":
        """Return what was received before a moment, and the rest."""
        cut = bisect_left(self.received, received)
        return self._only(slice(cut)), self._only(slice(cut, None))

    def then(self, other: "Past") -> "Past":
        """Return both, in the order in which they were received."""
        if not len(self):
            return other
        joined = Past(
            self.ids + other.ids,
            self.received + other.received,
            self.measured + other.measured,
            self.values + other.values,
            self.kinds + other.kinds,
        )
        if not len(other) or self._last() < (other.received[0], other.ids[0]):
            return joined
        return joined.in_order()

    def in_order(self) -> "Past":
        """Return them in the order in which they were received, however they are now."""
        if all(map(lt, self.received, islice(self.received, 1, None))):
            return self
        order = sorted(range(len(self)), key=lambda at: (self.received[at], self.ids[at]))
        return self._pick(order)

    def newer_than(self, last: tuple[int, int] | None) -> "Past":
        """Return those that each are newer than all before, and than one before them all.

        Args:
            last: When that was measured, and its id; None: there is none.
        """
        first = (self.measured[0], self.ids[0]) if len(self) else None
        fits = first is None or last is None or last < first
        if fits and all(map(lt, self.measured, islice(self.measured, 1, None))):
            return self
        kept = []
        for index, order in enumerate(zip(self.measured, self.ids, strict=True)):
            if last is None or order > last:
                last = order
                kept.append(index)
        return self._pick(kept)

    def _last(self) -> tuple[int, int]:
        return self.received[-1], self.ids[-1]

    def _only(self, part: slice) -> "Past":
        return Past(
            self.ids[part],
            self.received[part],
            self.measured[part],
            self.values[part],
            self.kinds[part],
        )

    def _pick(self, order: Sequence[int]) -> "Past":
        return Past(
            array("q", map(self.ids.__getitem__, order)),
            array("q", map(self.received.__getitem__, order)),
            array("q", map(self.measured.__getitem__, order)),
            array("d", map(self.values.__getitem__, order)),
            [self.kinds[index] for index in order],
        )


def microseconds(at: datetime) -> int:
    """Return an instant as microseconds since 2000, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """Return the instant that is so many microseconds after 2000."""
    return _EPOCH + timedelta(microseconds=at)
