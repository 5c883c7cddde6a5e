"""Time that passes only when everybody waits: hours of a plant in a second, in one order.

What waits on the loop (sleeps, deadlines) is woken when its time has come, and not a turn later: no
test needs to guess how many turns a task takes.
"""

import asyncio
import selectors
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import override

from tests.fakes import START


class _Leaping(selectors.DefaultSelector):
    """Hears nothing from outside; instead of waiting it moves the time."""

    at = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits, and for nothing")
        self.at += max(0.0, timeout)
        return []

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return super().get_map() or {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; seconds since it was made."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    @override
    def time(self) -> float:
        return self._leaping.at


@dataclass(slots=True)
class VirtualClock:
    """Implements domain.ports.Clock on a virtual loop.

    Attributes:
        set_by: Seconds by which somebody set the wall clock.
    """

    loop: VirtualLoop
    set_by: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time() + self.set_by)

    def monotonic(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
