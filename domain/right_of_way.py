"""Who carries what must not wait has right of way; what takes readings in stands still meanwhile.

Everything runs in one event loop. An emergency stop passes it some ten times on its way out, and
each time whatever else is ready runs first: a flood of readings is always ready. So that work comes
in small pieces with a look here between them, and there is nothing in the way of a stop but the
piece in hand.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LONGEST = 0.25
"""Seconds for which one look stands still: however many stops there are, readings go on."""


@dataclass(slots=True)
class RightOfWay:
    """Says whether anybody is on the way."""

    _taken: int = field(default=0, init=False)
    _free: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Ask all others to stand still while a block runs; several may have it at once."""
        self._taken += 1
        self._free.clear()
        try:
            yield
        finally:
            self._taken -= 1
            if not self._taken:
                self._free.set()

    async def give(self) -> None:
        """Let everybody else have a turn; stand still while somebody has right of way."""
        await asyncio.sleep(0)
        if self._taken:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await self._free.wait()
