"""One relay per process takes events off broadcaster and hands them to the inboxes of listeners."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from broadcaster import Broadcast

from app.event_stream.inbox import Inbox
from app.event_stream.limits import Limits
from app.event_stream.memory_backend import CHANNEL, Lost, MemoryBackend, Restored, Told
from app.event_stream.redis_backend import RedisBackend
from domain.events import Event
from domain.ports import Clock

E = TypeVar("E", bound=Event)


class StreamCounts(NamedTuple):
    """How the stream fares.

    Attributes:
        listeners: Who listens now.
        ended: Listeners that were ended since the start because they missed something.
        dropped: Events that were dropped before they reached anybody's inbox.
        unread: Events that were dropped with the inbox of a listener that was too slow.
        unreadable: Messages from other processes that made no sense.
    """

    listeners: int
    ended: int
    dropped: int
    unread: int
    unreadable: int


class BroadcastEventStream:
    """Implements domain.ports.EventStream for `memory://` and `redis://`.

    `run` must run for anything to be heard. Somebody who starts to listen while Redis is away
    waits for it with patience, and is then ended with the reason.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        random: Random,
        limits: Limits | None = None,
    ) -> None:
        """Prepare; nothing is connected before `run`.

        Args:
            url: `memory://`, or where Redis is: `redis://`, `rediss://` or `unix://`.
            clock: Times the waits between attempts to reach Redis.
            random: Spreads them.
            limits: What may wait, and for how long.

        Raises:
            ValueError: The URL is none of these.
        """
        self._inboxes: dict[type[object], set[Inbox[Any]]] = {}
        self._limits = limits or Limits()
        self._backend = self._make_backend(url, clock, random)
        self._broadcast = Broadcast(backend=self._backend)
        self._settled = asyncio.Event()
        self._over = False
        self._ended = 0
        self._unread = 0

    def _make_backend(self, url: str, clock: Clock, random: Random) -> MemoryBackend:
        match urlsplit(url).scheme:
            case "memory":
                return MemoryBackend(self._inboxes, self._limits)
            case "redis" | "rediss" | "unix":
                return RedisBackend(url, self._inboxes, clock, random, self._limits)
            case scheme:
                raise ValueError(f"events travel over memory:// or redis://, not {scheme}://")

    @property
    def available(self) -> bool:
        """Whether somebody who listens now would hear everything."""
        return self._settled.is_set() and not self._over

    @property
    def counts(self) -> StreamCounts:
        """What was counted since the start."""
        return StreamCounts(
            listeners=sum(map(len, self._inboxes.values())),
            ended=self._ended,
            dropped=self._backend.dropped,
            unread=self._unread,
            unreadable=self._backend.unreadable,
        )

    async def publish(self, event: Event) -> None:
        """Tell every listener, here and in other processes; waits for none of them."""
        await self._broadcast.publish(CHANNEL, event)

    @asynccontextmanager
    async def listen(self, kind: type[E]) -> AsyncIterator[AsyncIterator[E]]:
        """Listen to one kind of event until the block ends.

        From the moment the block is entered nothing is missed: whoever then reads what is stored
        and goes on with what is heard has everything.
        """
        inbox = Inbox[E](self._limits.inbox)
        if await self._is_there():
            self._inboxes.setdefault(kind, set()).add(inbox)
        else:
            inbox.end("live events are away for the moment")
        try:
            yield inbox
        finally:
            self._remove(kind, inbox)

    async def run(self) -> None:
        """Relay events until cancelled; then every listener is ended."""
        try:
            async with (
                self._broadcast,
                self._broadcast.subscribe(CHANNEL) as subscriber,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(self._backend.run())
                while True:
                    # Waits for nothing else: broadcaster's own queue has no bound.
                    told: Any = (await subscriber.get()).message
                    self._relay(told)
        finally:
            self._over = True
            self._settled.set()
            self._end_all("the server is going down")

    async def _is_there(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.patience):
                await self._settled.wait()
        return self.available

    def _remove(self, kind: type[object], inbox: Inbox[Any]) -> None:
        inboxes = self._inboxes.get(kind, set())
        inboxes.discard(inbox)
        if not inboxes:
            self._inboxes.pop(kind, None)

    def _relay(self, told: Told) -> None:
        if isinstance(told, Restored):
            self._settled.set()
        elif isinstance(told, Lost):
            if told.away:
                self._settled.clear()
            self._end_all(told.reason)
        else:
            for inbox in self._inboxes.get(type(told), ()):
                if dropped := inbox.put(told):
                    self._unread += dropped
                    self._ended += 1

    def _end_all(self, reason: str) -> None:
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                self._ended += inbox.end(reason)
