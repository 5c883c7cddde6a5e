"""When a live value stands still: a calibration point taken from a value that drifts is wrong."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean

STILL_FOR = timedelta(seconds=10)
"""How long a value must stand still; makers of pH meters ask for about as much."""

FEWEST = 5
"""Values that show it, at the least."""

MOST = 100
"""Values that are looked at, at the most."""


@dataclass(slots=True, kw_only=True)
class Stability:
    """Watches one sensor while its probe stands in a known liquid.

    Attributes:
        tolerance: How far values may lie apart, in the unit they are given in.
        still_for: How long they must stay that near to each other.
        fewest: How many there must be.
    """

    tolerance: float
    still_for: timedelta = STILL_FOR
    fewest: int = FEWEST
    _values: deque[tuple[datetime, float, float]] = field(
        default_factory=lambda: deque(maxlen=MOST), init=False
    )

    def add(self, at: datetime, raw: float, value: float) -> None:
        """Take in a value that was received then; one from before the last is left out."""
        if self._values and at <= self._values[-1][0]:
            return
        self._values.append((at, raw, value))

    @property
    def raw(self) -> float | None:
        """The raw value while it stands still; None: it does not, or not long enough yet.

        It is the mean of the newer half: what creeps within the tolerance ends near to that.
        """
        window = self._window()
        if len(window) < self.fewest or window[-1][0] - window[0][0] < self.still_for:
            return None
        if self._spread(window) > self.tolerance:
            return None
        return fmean(raw for _, raw, _ in window[len(window) // 2 :])

    @property
    def reason(self) -> str | None:
        """Why no point can be taken yet, for the person who waits; None: one can be."""
        if self.raw is not None:
            return None
        window = self._window()
        if not window:
            return "no live value came yet: is the device online, and the sensor enabled?"
        if len(window) < self.fewest or window[-1][0] - window[0][0] < self.still_for:
            seconds = (window[-1][0] - window[0][0]).total_seconds()
            return (
                f"{len(window)} values in {seconds:.0f} s so far; needed are {self.fewest} within "
                f"{self.tolerance:g} of each other over {self.still_for.total_seconds():.0f} s"
            )
        return (
            f"the values still lie {self._spread(window):.3g} apart, more than "
            f"{self.tolerance:g}: leave the probe where it is"
        )

    def _window(self) -> list[tuple[datetime, float, float]]:
        """Return the newest values that span the time, and no more than needed for the count."""
        values = list(self._values)
        if not values:
            return []
        newest = values[-1][0]
        start = 0
        for place, (at, _, _) in enumerate(values):
            enough = len(values) - place >= self.fewest
            if enough and newest - at >= self.still_for:
                start = place
        return values[start:]

    @staticmethod
    def _spread(window: list[tuple[datetime, float, float]]) -> float:
        found = [value for _, _, value in window]
        return max(found) - min(found)
