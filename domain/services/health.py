"""How the server itself is: every part is asked, and says how long it took to answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.errors import DomainError
from domain.ports import Clock

PROBE_DEADLINE = 2.0
"""Seconds a part may take to answer before it counts as down."""

Probe = Callable[[], Awaitable[str | None]]
"""Asks one part for a sign of life; returns a detail to show, raises DomainError when down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """One part: status `ok` or `down`."""

    name: str
    status: str
    latency_ms: float | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The whole: `ok`, or `degraded` as soon as one part is down."""

    status: str
    components: tuple[ComponentHealth, ...]
    version: str
    uptime_seconds: int


@dataclass(slots=True, kw_only=True)
class CheckHealth:
    """Asks all parts at once.

    Attributes:
        started: The monotonic time of the server's start.
        patience: Seconds that a part may take to answer.
    """

    probes: Mapping[str, Probe]
    clock: Clock
    version: str
    started: float
    patience: float = PROBE_DEADLINE

    async def __call__(self) -> Health:
        """Return how everything is, within `patience`."""
        components = await asyncio.gather(*(self._ask(name) for name in self.probes))
        healthy = all(component.status == "ok" for component in components)
        return Health(
            status="ok" if healthy else "degraded",
            components=tuple(components),
            version=self.version,
            uptime_seconds=int(self.clock.monotonic() - self.started),
        )

    async def _ask(self, name: str) -> ComponentHealth:
        begun = self.clock.monotonic()
        try:
            async with asyncio.timeout(self.patience):
                detail = await self.probes[name]()
        except TimeoutError:
            return self._down(name, f"no answer within {self.patience:g} s")
        except DomainError as error:
            return self._down(name, str(error))
        latency = (self.clock.monotonic() - begun) * 1000
        return ComponentHealth(name=name, status="ok", latency_ms=latency, detail=detail)

    @staticmethod
    def _down(name: str, detail: str) -> ComponentHealth:
        return ComponentHealth(name=name, status="down", latency_ms=None, detail=detail)
