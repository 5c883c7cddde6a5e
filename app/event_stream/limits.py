"""How long and how much the event stream waits, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the event stream; the tests have shorter ones.

    Attributes:
        inbox: Events that a listener may be behind before it is ended.
        backlog: Events of one process that may wait for its relay, which waits for nobody.
        outbox: Messages that may wait for Redis; the oldest leave first.
        patience: Seconds that somebody who wants to listen waits while Redis is away.
        tick: Seconds between two signs of life to other processes.
        answer: Seconds that Redis may take to answer.
        farewell: Seconds at the end for what is not sent yet.
    """

    inbox: int = 1000
    backlog: int = 10_000
    outbox: int = 1000
    patience: float = 5.0
    tick: float = 5.0
    answer: float = 5.0
    farewell: float = 1.0

    @property
    def silence(self) -> float:
        """Seconds without a tick after which a connection or another process counts as dead."""
        return 3 * self.tick
