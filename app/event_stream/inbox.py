"""What a listener has not read yet: bounded, and ended rather than thinned out.

A listener that misses one event in the middle cannot know it. One that is told "you missed
something" can ask the database for what came after the last thing it heard.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from typing_extensions import override

from domain.errors import EventStreamLostError
from domain.events import Event

E = TypeVar("E", bound=Event)


class Inbox(AsyncIterator[E], Generic[E]):
    """Events of one kind for one listener, in order, none missing, until it ends.

    Overflow policy: an event too many ends the inbox. What it still held is dropped, since a
    listener that slow is better served by the database.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._events: deque[E] = deque()
        self._changed = asyncio.Event()
        self._ended: str | None = None

    def put(self, event: E) -> int:
        """Add an event; return how many events the listener will never hear because of it."""
        if self._ended is not None:
            return 0
        if len(self._events) < self._size:
            self._events.append(event)
            self._changed.set()
            return 0
        dropped = len(self._events) + 1
        self._events.clear()
        self.end(f"the listener fell more than {self._size} events behind")
        return dropped

    def end(self, reason: str) -> bool:
        """Let the listener read what is here, then tell it why; say whether this ended it."""
        if self._ended is not None:
            return False
        self._ended = reason
        self._changed.set()
        return True

    @override
    async def __anext__(self) -> E:
        while not self._events:
            if self._ended is not None:
                raise EventStreamLostError(f"{self._ended}; subscribe again with since")
            self._changed.clear()
            await self._changed.wait()
        return self._events.popleft()
