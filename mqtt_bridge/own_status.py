"""Tells devices whether the server is there: they live by rules of their own while it is not.

Retained on `kaiser/god/server/status` (device protocol, section 1.3): online first of all after
every connect, offline when the server leaves, and offline as its last will when it vanishes.
"""

from dataclasses import dataclass, field

from domain.ports import Clock
from mqtt_bridge import payloads
from mqtt_bridge.messages import Outgoing, ServerStatus

VANISHED = "unexpected_disconnect"
LEFT = "shutdown"


@dataclass(slots=True)
class OwnStatus:
    """What to say of the server's presence, and when."""

    clock: Clock
    _leaving: bool = field(default=False, init=False)

    def first_word(self) -> Outgoing:
        """Return what a connection begins with."""
        if self._leaving:
            return self._offline(LEFT)
        return payloads.encode(ServerStatus(online=True, timestamp=self._now()))

    def last_word(self) -> Outgoing:
        """Return what the broker says when the connection breaks.

        Its time is that of connecting: nobody can know when it will break.
        """
        return self._offline(VANISHED)

    def farewell(self) -> Outgoing:
        """Return what an orderly end is told with; from now on no connection says otherwise."""
        self._leaving = True
        return self._offline(LEFT)

    def _offline(self, reason: str) -> Outgoing:
        return payloads.encode(ServerStatus(online=False, timestamp=self._now(), reason=reason))

    def _now(self) -> int:
        return int(self.clock.now().timestamp())
