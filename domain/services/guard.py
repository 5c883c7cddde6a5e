"""Trying again, politely: backoff and circuit breaking around a part that may be away."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from domain.errors import DomainError
from domain.ports import Clock
from domain.resilience import Backoff, BreakerState, CircuitBreaker

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Guard:
    """Repeats calls to one part of the system until they go well.

    Attributes:
        name: Of the part, for the log and for health.
        away: The error that means "not there now"; every other error passes through.
        failed: Told about each failure and the seconds until the next try; a place to log from.
        last_error: What went wrong last; None while all is well.
    """

    name: str
    away: type[DomainError]
    clock: Clock
    random: Random
    failed: Callable[[str, DomainError, float], None]
    backoff: Backoff = field(default_factory=Backoff)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    last_error: DomainError | None = field(default=None, init=False)

    @property
    def state(self) -> BreakerState:
        """Whether calls are let through now."""
        return self.breaker.state(self.clock.monotonic())

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until it goes well; wait longer after each failure, and rest when it keeps failing.

        Args:
            call: May be called many times, so it must be harmless to repeat.

        Returns:
            What the first good call returned.
        """
        while True:
            try:
                result = await call()
            except self.away as error:
                await self._wait_after(error)
            else:
                self.succeeded()
                return result

    def succeeded(self) -> None:
        """Note that the part answered."""
        self.breaker.succeeded()
        self.last_error = None

    async def _wait_after(self, error: DomainError) -> None:
        self.last_error = error
        self.breaker.failed(self.clock.monotonic())
        seconds = self.breaker.wait(self.clock.monotonic()) or self.backoff.wait(
            self.breaker.failures, self.random
        )
        self.failed(self.name, error, seconds)
        await self.clock.sleep(seconds)
