"""The streams of other processes: whether everything they said was heard. Pure, told the time."""

from enum import Enum, auto
from typing import NamedTuple

from app.event_stream.codec import Message, Notice

_NOTICES = frozenset(Notice)


class Heard(Enum):
    """What a message tells about those before it."""

    NEXT = auto()
    """Nothing is missing."""
    AGAIN = auto()
    """It was heard before: its sender was not sure."""
    GAP = auto()
    """Events before it were lost."""


class _Peer(NamedTuple):
    sequence: int
    heard_at: float


class Peers:
    """Follows the numbers of each publisher; a new one counts from where it is first heard."""

    def __init__(self, silence: float) -> None:
        """Start knowing nobody.

        Args:
            silence: Seconds after which a publisher that said no goodbye counts as lost.
        """
        self._silence = silence
        self._peers: dict[str, _Peer] = {}

    def hear(self, message: Message, now: float) -> Heard:
        """Take note of a message."""
        is_notice = message.kind in _NOTICES
        before = message.sequence if is_notice else message.sequence - 1
        known = self._peers.get(message.publisher)
        counted = known.sequence if known else before
        if not is_notice and before < counted:
            return Heard.AGAIN
        if message.kind == Notice.GOODBYE:
            self._peers.pop(message.publisher, None)
        else:
            # What was sent a second time must not turn the count back.
            self._peers[message.publisher] = _Peer(max(message.sequence, counted), now)
        lost_unheard = known is None and message.kind == Notice.LOST
        return Heard.GAP if before > counted or lost_unheard else Heard.NEXT

    def forget_silent(self, now: float) -> bool:
        """Forget publishers that fell silent; say whether there were any."""
        silent = [name for name, peer in self._peers.items() if now - peer.heard_at > self._silence]
        for name in silent:
            del self._peers[name]
        return bool(silent)

    def forget_all(self) -> None:
        """Start anew, after a time of hearing nothing."""
        self._peers.clear()
