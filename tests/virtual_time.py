"""Time that passes only when everybody waits: hours of a plant in a second, in one order.

What waits on the loop (sleeps, deadlines) is woken when its time has come, and not a turn later: no
test needs to guess how many turns a task takes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVarTuple

from typing_extensions import override

from tests.fakes import START

Given = TypeVarTuple("Given")


class _Call(asyncio.TimerHandle):
    """A call to come; the loop's own would look for a debugger first, each time."""

    __slots__ = ("args", "at", "context", "work")

    def __init__(
        self, at: float, work: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.at = at
        self.work: Callable[..., object] | None = work
        self.args = args
        self.context = context or copy_context()

    @override
    def when(self) -> float:
        return self.at

    @override
    def cancel(self) -> None:
        self.work = None
        self.args = ()

    @override
    def cancelled(self) -> bool:
        return self.work is None


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop in virtual time; seconds since it was made.

    It hears nothing from outside; instead of waiting it moves the time. What is due at the same
    moment happens in the order in which it was asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._at = 0.0
        self._due: deque[_Call] = deque()
        self._later: list[tuple[float, int, _Call]] = []
        self._numbers = count()

    @override
    def time(self) -> float:
        return self._at

    @override
    def call_soon(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        call = _Call(self._at, callback, args, context)
        self._due.append(call)
        return call

    @override
    def call_later(
        self,
        delay: float,
        callback: Callable[[*Given], object],
        *args: *Given,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._at + delay, callback, *args, context=context)

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*Given], object],
        *args: *Given,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        call = _Call(when, callback, args, context)
        heappush(self._later, (when, next(self._numbers), call))
        return call

    def _run_once(self) -> None:
        """One turn, as `run_forever` asks for it; whatever goes wrong in a call ends the loop."""
        due, later = self._due, self._later
        while not due:
            if not later:
                raise RuntimeError("everybody waits, and for nothing")
            self._at = max(self._at, later[0][0])
            while later and later[0][0] <= self._at:
                call = heappop(later)[2]
                if call.work is not None:
                    due.append(call)
        for _ in range(len(due)):
            call = due.popleft()
            if call.work is not None:
                call.context.run(call.work, *call.args)


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
