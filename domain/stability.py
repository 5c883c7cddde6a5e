"""When a live value stands still: a calibration point taken from a value that drifts is wrong."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil, sqrt
from statistics import fmean
from typing import NamedTuple, Self, TypeAlias

STILL_FOR = timedelta(seconds=10)
"""How long a value must stand still; makers of pH meters ask for about as much."""

FEWEST = 5
"""Values that show it, at the least."""

MOST = 600
"""Values that are looked at, at the most: five minutes of the fastest sensors, twice over."""

_SURENESS = 4.0
"""The tolerance is so many standard errors of the mean that is taken."""


class Shown(NamedTuple):
    """What a live reading shows of a probe.

    Attributes:
        raw: The raw value that its device meant.
        value: What must stand still, in the unit of the sensor.
        tolerance: How far such values may lie apart, noise left aside.
    """

    raw: float
    value: float
    tolerance: float


@dataclass(slots=True, kw_only=True)
class Stability:
    """Watches one sensor while its probe stands in a known liquid.

    Attributes:
        still_for: How long the value must stand still.
        fewest: Values that show it, at the least.
    """

    still_for: timedelta = STILL_FOR
    fewest: int = FEWEST
    _values: deque[tuple[datetime, Shown]] = field(
        default_factory=lambda: deque(maxlen=MOST), init=False
    )
    _trouble: str | None = field(default=None, init=False)

    def add(self, at: datetime, shown: Shown) -> None:
        """Take in a value that was received then; one from before the last is left out."""
        if self._values and at <= self._values[-1][0]:
            return
        self._values.append((at, shown))
        self._trouble = None

    def disturb(self, why: str) -> None:
        """Take in a reading that shows nothing of the probe: what came before counts no more."""
        self._values.clear()
        self._trouble = why

    @property
    def newest(self) -> datetime | None:
        """When the newest value was received; None: there is none."""
        return self._values[-1][0] if self._values else None

    @property
    def raw(self) -> float | None:
        """The raw value while it stands still; None: it does not, or not long enough yet.

        It is the mean of the newer half: what creeps within the tolerance ends near to that.
        """
        window = self._still()
        return None if window is None else fmean(s.raw for _, s in window[len(window) // 2 :])

    @property
    def reason(self) -> str | None:
        """Why no point can be taken yet, for the person who waits; None: one can be."""
        if self._trouble is not None:
            return self._trouble
        if self._still() is not None:
            return None
        window = self._window()
        if not window:
            return "no live value came yet: is the device online, and the sensor enabled?"
        if not self._suffices(window):
            seconds = (window[-1][0] - window[0][0]).total_seconds()
            return (
                f"{len(window)} values in {seconds:.0f} s so far; needed are {self.fewest} over "
                f"{self.still_for.total_seconds():.0f} s that stand still"
            )
        return _Movement.of(window).told(len(self._values))

    def _still(self) -> "_Window | None":
        """Return the shortest window within which the value stands still; None: there is none.

        Noise averages out, so the noisier it is the more values are needed.
        """
        length = len(self._window())
        while self._suffices(window := list(self._values)[-length:]):
            if _Movement.of(window).is_none:
                return window
            if length == len(self._values):
                break
            length = min(2 * length, len(self._values))
        return None

    def _suffices(self, window: "_Window") -> bool:
        return len(window) >= self.fewest and window[-1][0] - window[0][0] >= self.still_for

    def _window(self) -> "_Window":
        """Return the newest values that span the time, and no more than needed for the count."""
        values = list(self._values)
        if not values:
            return []
        newest = values[-1][0]
        start = 0
        for place, (at, _) in enumerate(values):
            enough = len(values) - place >= self.fewest
            if enough and newest - at >= self.still_for:
                start = place
        return values[start:]


_Window: TypeAlias = list[tuple[datetime, Shown]]


class _Movement(NamedTuple):
    """How values move: where to, and how much about that.

    Attributes:
        drift: By how much the mean of the newer half differs from that of the older.
        noise: Standard deviation of single values within each half.
        newer: Values of the newer half.
    """

    drift: float
    noise: float
    newer: int
    tolerance: float

    @classmethod
    def of(cls, window: _Window) -> Self:
        """Measure it; takes at least four values."""
        values = [shown.value for _, shown in window]
        half = len(values) // 2
        older, newer = values[:half], values[half:]
        before, now = fmean(older), fmean(newer)
        squares = sum((v - before) ** 2 for v in older) + sum((v - now) ** 2 for v in newer)
        noise = sqrt(squares / (len(values) - 2))
        return cls(abs(now - before), noise, len(newer), window[-1][1].tolerance)

    @property
    def is_none(self) -> bool:
        """Whether the value stands still."""
        return self.is_sure and self.drift <= self.tolerance / 2

    @property
    def is_sure(self) -> bool:
        """Whether the newer mean is known well enough, whatever the noise."""
        return self.noise <= self.tolerance / _SURENESS * sqrt(self.newer)

    def told(self, seen: int) -> str:
        """Say what moves to the person who waits, after so many values."""
        if self.is_sure or self.drift > 2 * self.noise:
            return f"the values still change, by {self.drift:.3g}: leave the probe where it is"
        jumps = f"the values jump about by {self.noise:.2g}"
        needed = ceil(2 * (_SURENESS * self.noise / self.tolerance) ** 2)
        if needed > MOST:
            return f"{jumps}, which is too much: check the cable, and what stands beside it"
        return f"{jumps}, so some {needed} are needed: there are {seen}"
