"""Virtual time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


async def until(condition: Callable[[], bool], turns: int = 1000) -> None:
    """Let other tasks run until the condition holds; fail when it never does."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never held")


@dataclass(slots=True)
class FakeClock:
    """Moves only when `advance` says so or, if `automatic`, when somebody sleeps."""

    start: datetime = START
    automatic: bool = False
    slept: list[float] = field(default_factory=list)
    _elapsed: float = 0.0
    _sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.automatic:
            self._elapsed += max(0.0, seconds)
            await asyncio.sleep(0)
            return
        sleeper = (self._elapsed + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)

    async def until_asleep(self, count: int = 1) -> None:
        """Wait until so many tasks sleep."""
        await until(lambda: len(self._sleepers) >= count)

    async def advance(self, seconds: float) -> None:
        """Move the time, waking whoever is due, in order, and letting each run."""
        end = self._elapsed + seconds
        while due := [s for s in self._sleepers if s[0] <= end and not s[1].done()]:
            wake_at, future = min(due, key=lambda sleeper: sleeper[0])
            self._elapsed = max(self._elapsed, wake_at)
            future.set_result(None)
            for _ in range(20):
                await asyncio.sleep(0)
        self._elapsed = end
