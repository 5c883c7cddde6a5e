"""How often each library is asked, how long it takes, and whether it may still be asked.

Counting stands in the way of every reading, so it costs next to nothing: a call is an increment,
and only one of some dozens is timed.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import log2

from sensor_libs.api import SensorLibrary

TIMED_EVERY = 64
"""One call of so many is timed."""

MOST_FAILURES = 3
"""Failures in a row after which a library rests until it changes."""

MOST_DELAYS = 3
"""Failures within `DELAYS_WITHIN` that others had to wait for, after which it rests, too."""

DELAYS_WITHIN = 60.0
"""Seconds: successes in between make no such failure cheaper."""

_STEPS = 4
_FASTEST = 2.0**-24
_BUCKETS = 27 * _STEPS


class Durations:
    """A histogram with four buckets for each doubling, from 60 ns to 8 s."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS

    def add(self, seconds: float) -> None:
        """Take in a duration."""
        bucket = int(log2(max(seconds, _FASTEST) / _FASTEST) * _STEPS)
        self._counts[min(bucket, _BUCKETS - 1)] += 1

    def percentile(self, share: float) -> float | None:
        """Return within how many seconds this share of all ended; None: nothing was timed."""
        left = share * sum(self._counts)
        if not left:
            return None
        for bucket, count in enumerate(self._counts):
            left -= count
            if left <= 0 and count:
                return float(_FASTEST * 2.0 ** ((bucket + 1) / _STEPS))
        return float(_FASTEST * 2.0 ** (_BUCKETS / _STEPS))


@dataclass(slots=True, eq=False)
class Usage:
    """What became of one version of a library.

    Attributes:
        calls: How often it was asked.
        failures: How often that came to nothing.
        why: What opened its breaker; None: it is closed.
        durations: Of the calls that were timed.
    """

    library: SensorLibrary
    monotonic: Callable[[], float]
    opened: Callable[[SensorLibrary, str], None]
    calls: int = 0
    failures: int = 0
    in_a_row: int = 0
    why: str | None = None
    durations: Durations = field(default_factory=Durations)
    _delays: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DELAYS), init=False)

    def failed(self, why: str, *, delayed: bool = False) -> None:
        """Take in a failure; the last straw opens the breaker, and is told.

        Args:
            why: What happened.
            delayed: Whether others had to wait for it.
        """
        self.failures += 1
        self.in_a_row += 1
        if delayed:
            self._delays.append(self.monotonic())
        if self.why is None and (self.in_a_row >= MOST_FAILURES or self._delays_others()):
            self.why = why
            self.opened(self.library, why)

    def _delays_others(self) -> bool:
        delays = self._delays
        return len(delays) == MOST_DELAYS and delays[-1] - delays[0] <= DELAYS_WITHIN
