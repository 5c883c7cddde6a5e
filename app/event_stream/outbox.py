"""What a process has to tell the others: numbered, and bounded while they cannot be reached."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from app.event_stream import codec
from app.event_stream.codec import Notice
from domain.events import Event


class Outgoing(NamedTuple):
    """An event with its number, or a notice with the number of the event before it."""

    sequence: int
    what: Event | Notice


class Outbox:
    """Keeps messages, in order, until they are known to be sent.

    Overflow policy: the oldest leave, and a notice takes their place that says so.

    Attributes:
        dropped: Messages with events that were never sent.
    """

    def __init__(self, publisher: str, size: int) -> None:
        self.dropped = 0
        self._publisher = publisher
        self._size = size
        self._sequence = 0
        self._waiting: deque[Outgoing] = deque()

    def add(self, what: Event | Notice) -> None:
        """Add a notice, or an event, in parts if it is large."""
        if isinstance(what, Notice):
            self._waiting.append(Outgoing(self._sequence, what))
        else:
            for part in codec.parts(what):
                self._sequence += 1
                self._waiting.append(Outgoing(self._sequence, part))
        if len(self._waiting) > self._size:
            self._make_room()

    def oldest(self, count: int) -> Sequence[Outgoing]:
        """Return what to send next, at most `count` messages; `sent` takes them out."""
        return tuple(islice(self._waiting, count))

    def sent(self, batch: Sequence[Outgoing]) -> None:
        """Forget what was sent; some of it may have had to make room meanwhile."""
        for outgoing in batch:
            if self._waiting and self._waiting[0] is outgoing:
                self._waiting.popleft()

    def encode(self, outgoing: Outgoing) -> bytes:
        """Return a message as bytes; an event that cannot be encoded is lost, and said to be."""
        try:
            return codec.encode(self._publisher, *outgoing)
        except ValueError:
            self.dropped += 1
            return codec.encode(self._publisher, outgoing.sequence, Notice.LOST)

    def _make_room(self) -> None:
        last = 0
        while len(self._waiting) >= self._size:
            last, what = self._waiting.popleft()
            self.dropped += not isinstance(what, Notice)
        self._waiting.appendleft(Outgoing(last, Notice.LOST))
