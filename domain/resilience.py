"""When to try again: exponential backoff with jitter, and a circuit breaker; told the time."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Growing waits: `first` seconds, doubled each time up to `longest`.

    Full jitter: each wait is drawn from the upper half of its span, so that many clients that
    lost the same server do not come back at the same moment.
    """

    first: float = 0.2
    longest: float = 10.0

    def wait(self, attempt: int, random: Random) -> float:
        """Return the seconds to wait after failure number `attempt` (1 is the first)."""
        span = min(self.longest, self.first * 2.0 ** min(attempt - 1, 30))
        return span * random.uniform(0.5, 1.0)


class BreakerState(StrEnum):
    """CLOSED lets calls through, OPEN refuses them, HALF_OPEN lets one try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True, kw_only=True)
class CircuitBreaker:
    """Stops calling something that keeps failing.

    Opens after `threshold` failures in a row, and lets one call try again `rest` seconds later.
    Times are monotonic seconds, handed in.
    """

    threshold: int = 5
    rest: float = 30.0
    failures: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)

    def state(self, now: float) -> BreakerState:
        """Return the state at a time."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if now - self._opened_at >= self.rest else BreakerState.OPEN

    def wait(self, now: float) -> float:
        """Return the seconds until a call may try; 0 when it may at once."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self.rest - now)

    def succeeded(self) -> None:
        """A call went well: close."""
        self.failures = 0
        self._opened_at = None

    def failed(self, now: float) -> None:
        """A call failed: count it, and open when it was one too many."""
        self.failures += 1
        if self.failures >= self.threshold:
            self._opened_at = now
