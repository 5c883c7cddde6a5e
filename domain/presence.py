"""What of a device's coming, going and talking is worth writing down.

Signs of life come as fast as a device likes to send them; what is stored of them must not.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SEEN_EVERY = timedelta(seconds=15)
"""How often it is stored that a device is still there."""

REPORTS = 4
REPORTS_WITHIN = timedelta(seconds=10)
"""How many reports of health are stored in which time: twice what any firmware sends (device
protocol, section 1.1). What is left out is in the next one."""

FLAPPING = 2
FLAPPING_WITHIN = timedelta(seconds=300)
"""How many broken connections in which time are a fault of their own (device protocol, part 3)."""


@dataclass(slots=True)
class Presence:
    """What one device's watch must remember; told the time, in any order.

    Attributes:
        flapping: Whether its connection keeps breaking, and that was noted.
        introduced: Whether people were told that it is new.
    """

    flapping: bool = False
    introduced: bool = False
    _seen_at: datetime | None = None
    _reports: deque[datetime] = field(default_factory=lambda: deque(maxlen=REPORTS))
    _losses: deque[datetime] = field(default_factory=lambda: deque(maxlen=FLAPPING))

    def seen(self, at: datetime, *, changed: bool = False) -> bool:
        """Take in a sign of life; say whether it has to be stored.

        Args:
            at: When it was heard.
            changed: Whether anything but the time is new; that is always stored.
        """
        if not changed and self._seen_at is not None and at - self._seen_at < SEEN_EVERY:
            return False
        self._seen_at = at
        return True

    def reported(self, at: datetime, *, changed: bool = False) -> bool:
        """Take in a report of health; say whether it has to be stored.

        Args:
            at: When it was received.
            changed: Whether the device restarted or came back; that is always stored.
        """
        full = len(self._reports) == REPORTS and at - self._reports[0] < REPORTS_WITHIN
        if full and not changed:
            return False
        self._reports.append(at)
        return True

    def lost(self, at: datetime) -> bool:
        """Take in that the connection broke; say whether that makes a fault that was not noted."""
        self._losses.append(at)
        before, self.flapping = self.flapping, self._breaks_often(at)
        return self.flapping and not before

    def settled(self, now: datetime) -> bool:
        """Say, once, that a connection that kept breaking has not broken for a while."""
        if not self.flapping or now - self._losses[-1] <= FLAPPING_WITHIN:
            return False
        self.flapping = False
        return True

    def _breaks_often(self, at: datetime) -> bool:
        return len(self._losses) == FLAPPING and at - self._losses[0] <= FLAPPING_WITHIN
