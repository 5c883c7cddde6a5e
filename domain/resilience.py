"""When to try again, and how often: backoff, circuit breaker, token buckets; told the time."""

from collections import OrderedDict
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


@dataclass(slots=True, kw_only=True)
class TokenBuckets:
    """How often each of many callers may call: `rate` a second, and `burst` at once.

    The table of callers is bounded: the one that was silent longest is forgotten first, and begins
    with a full bucket when it comes again. Times are monotonic seconds, handed in.
    """

    rate: float
    burst: float
    most: int = 10_000
    refused: int = field(default=0, init=False)
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def wait(self, caller: str, now: float) -> float:
        """Take a token; return 0.0, or the seconds until there will be one."""
        left, since = self._left.pop(caller, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        allowed = left >= 1.0
        self._left[caller] = (left - allowed, now)
        if len(self._left) > self.most:
            self._left.popitem(last=False)
        if allowed:
            return 0.0
        self.refused += 1
        return (1.0 - left) / self.rate

    @property
    def callers(self) -> int:
        """How many are remembered."""
        return len(self._left)
