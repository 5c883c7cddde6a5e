"""When a live value stands still: a calibration point taken from a value that drifts is wrong."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from typing import NamedTuple

STILL_FOR = timedelta(seconds=10)
"""How long a value must stand still; makers of pH meters ask for about as much."""

FEWEST = 5
"""Values that show it, at the least."""

MOST = 100
"""Values that are looked at, at the most."""


class Shown(NamedTuple):
    """What a live reading shows of a probe.

    Attributes:
        raw: The raw value that its device meant.
        value: What must stand still, in the unit of the sensor.
        tolerance: How far such values may lie apart.
    """

    raw: float
    value: float
    tolerance: float


@dataclass(slots=True, kw_only=True)
class Stability:
    """Watches one sensor while its probe stands in a known liquid.

    Attributes:
        still_for: How long they must stay that near to each other.
        fewest: How many there must be.
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
        window = self._window()
        if len(window) < self.fewest or window[-1][0] - window[0][0] < self.still_for:
            return None
        if self._spread(window) > self._tolerance(window):
            return None
        return fmean(shown.raw for _, shown in window[len(window) // 2 :])

    @property
    def reason(self) -> str | None:
        """Why no point can be taken yet, for the person who waits; None: one can be."""
        if self.raw is not None:
            return None
        if self._trouble is not None:
            return self._trouble
        window = self._window()
        if not window:
            return "no live value came yet: is the device online, and the sensor enabled?"
        if len(window) < self.fewest or window[-1][0] - window[0][0] < self.still_for:
            seconds = (window[-1][0] - window[0][0]).total_seconds()
            return (
                f"{len(window)} values in {seconds:.0f} s so far; needed are {self.fewest} within "
                f"{self._tolerance(window):g} of each other over "
                f"{self.still_for.total_seconds():.0f} s"
            )
        apart = f"{self._spread(window):.3g} apart, more than {self._tolerance(window):g}"
        if self._drift(window) <= self._tolerance(window):
            return f"the values jump about, {apart}: check the cable, and what stands beside it"
        return f"the values still lie {apart}: leave the probe where it is"

    def _window(self) -> list[tuple[datetime, Shown]]:
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

    @staticmethod
    def _tolerance(window: list[tuple[datetime, Shown]]) -> float:
        return window[-1][1].tolerance

    @staticmethod
    def _spread(window: list[tuple[datetime, Shown]]) -> float:
        found = [shown.value for _, shown in window]
        return max(found) - min(found)

    @staticmethod
    def _drift(window: list[tuple[datetime, Shown]]) -> float:
        """Return by how much the newer half differs from the older: noise averages out."""
        found = [shown.value for _, shown in window]
        half = len(found) // 2
        return abs(fmean(found[half:]) - fmean(found[:half]))
