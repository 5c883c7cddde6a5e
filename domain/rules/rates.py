"""What a rate says of each reading of a long past, and what it remembers: the evaluator, unrolled.

To judge a condition costs a hundred times what one rate costs alone. Where only a rate can change
it is therefore followed by itself, and tests hold that to what the evaluator makes of each reading.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from domain.errors import BadInputError
from domain.rules.conditions import RATE_POINTS, Rate
from domain.rules.evaluate import in_unit
from domain.rules.past import Past, instant, microseconds
from domain.rules.world import Memory, Point, Points
from domain.units import shown

_MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1) // _MICROSECOND


@dataclass(slots=True)
class RateWalk:
    """A rate on its way along the past of its sensor.

    Attributes:
        walked: How many readings of a stretch it has seen.
    """

    leaf: Rate
    max_age: timedelta
    walked: int = 0
    _unit: str | None = None
    _points: deque[tuple[int, float]] = field(default_factory=deque)

    @classmethod
    def of(cls, leaf: Rate, memory: Memory | None, max_age: timedelta) -> "RateWalk":
        """Begin with what is remembered.

        Args:
            leaf: The rate.
            memory: What the evaluator remembers of it; None: nothing.
            max_age: From which age on a value says nothing, if the rate does not say else.
        """
        oldest = max_age if leaf.max_age is None else leaf.max_age
        walk = cls(leaf, oldest, _unit=leaf.unit)
        if isinstance(memory, Points):
            walk._unit = memory.unit
            walk._points.extend((microseconds(at), value) for at, value in memory.points)
        return walk

    def memory(self) -> Points | None:
        """Return what the evaluator would remember now; None: nothing."""
        if not self._points:
            return None
        return Points(self._unit, tuple(Point(instant(at), value) for at, value in self._points))

    def follow(self, past: Past, place: int) -> None:
        """See all readings before a place that it has not seen yet."""
        deque(self.along(past, range(self.walked, place)), maxlen=0)
        self.walked = max(self.walked, place)

    def along(self, past: Past, places: Iterable[int]) -> Iterator[bool | None]:
        """Yield what it says of each reading as that is received; None: that is unknown."""
        leaf, points = self.leaf, self._points
        oldest, over = self.max_age // _MICROSECOND, leaf.over // _MICROSECOND
        apart_enough = (leaf.over / RATE_POINTS) // _MICROSECOND
        for place in places:
            at, kind = past.measured[place], past.kinds[place]
            if past.received[place] - at >= oldest:
                yield None
                continue
            try:
                value = in_unit(past.values[place], kind.unit, leaf.unit)
            except BadInputError:
                yield None
                continue
            unit = kind.unit if leaf.unit is None else leaf.unit
            if unit != self._unit:
                points.clear()
                self._unit = unit
            while points and points[0][0] < at - over:
                points.popleft()
            if not points or at - points[-1][0] >= apart_enough:
                points.append((at, value))
            first, before = points[0]
            if (at - first) * 2 < over:
                yield None
            else:
                yield leaf.limit.admits(shown((value - before) / ((at - first) / _MINUTE)))
