"""The backend for one process: events stay the objects they are."""

import asyncio
from collections.abc import Container
from typing import NamedTuple, TypeAlias

from broadcaster import BroadcastBackend
from broadcaster import Event as Broadcasted
from typing_extensions import override

from app.event_stream.limits import Limits
from domain.events import Event

CHANNEL = "events"
"""The only channel: what tells kinds of events apart is their class."""


class Lost(NamedTuple):
    """Whoever listens may have missed events.

    Attributes:
        reason: Fit to be shown to a person.
        away: Whether events stay away until `Restored`.
    """

    reason: str
    away: bool = False


class Restored(NamedTuple):
    """Whoever listens from here on hears everything."""


Told: TypeAlias = Event | Lost | Restored
"""What a backend tells the relay, in the order in which it happened."""


class MemoryBackend(BroadcastBackend):
    """Hands events to the relay of the same process.

    Overflow policy: while the relay is `Limits.backlog` events behind, further ones are dropped
    and counted, and everybody is told so. It takes a publisher that lets no other task run.

    Attributes:
        unreadable: Messages from other processes that made no sense.
    """

    def __init__(self, wanted: Container[type[object]], limits: Limits) -> None:
        """Prepare.

        Args:
            wanted: The kinds of events that somebody listens to now; no others are handed on.
            limits: What may wait, and for how long.
        """
        self.unreadable = 0
        self._dropped = 0
        self._wanted = wanted
        self._limits = limits
        self._told: asyncio.Queue[Told] = asyncio.Queue(limits.backlog)
        self._overflowed = False

    @property
    def dropped(self) -> int:
        """Events that reached nobody, since somewhere too many waited."""
        return self._dropped

    async def run(self) -> None:
        """Keep in touch with other processes; here are none."""
        await self._told.put(Restored())

    @override
    async def connect(self) -> None:
        """`run` connects."""

    @override
    async def disconnect(self) -> None:
        """`run` disconnects."""

    @override
    async def subscribe(self, group: str) -> None:
        """The one channel is always subscribed to."""

    @override
    async def unsubscribe(self, group: str) -> None:
        """The one channel is always subscribed to."""

    @override
    async def publish(self, channel: str, message: Event) -> None:
        if type(message) not in self._wanted:
            return
        self._overflowed = self._overflowed or self._told.full()
        if self._overflowed:
            self._dropped += 1
        else:
            self._told.put_nowait(message)

    @override
    async def next_published(self) -> Broadcasted:
        if self._overflowed and self._told.empty():
            self._overflowed = False
            told: Told = Lost("more events happened at once than the server could tell")
        else:
            told = await self._told.get()
        # broadcaster types messages as text, and carries whatever they are.
        return Broadcasted(CHANNEL, told)  # type: ignore[arg-type]  # see above
