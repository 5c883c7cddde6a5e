"""Faults that can be switched on while a device runs: what goes wrong on the way to the broker."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from mqtt_bridge.messages import Outgoing

LATE_BY = 8.0
"""Seconds by which a late answer misses its moment: longer than the server waits."""

MOST_HELD = 64
"""Late answers that are held back at once; further ones are lost, as in a board's small memory."""

_VALUE = re.compile(rb'("(?:processed_)?value":)[-+.0-9e]+')


class Fault(StrEnum):
    """One thing that goes wrong; several may at once."""

    SILENCE = "silence"
    """Connected, but says nothing: a firmware that hangs."""

    LATE_ANSWERS = "late-answers"
    """Obeys, but answers commands only after `LATE_BY`."""

    NO_ANSWERS = "no-answers"
    """Obeys, but never answers commands."""

    DUPLICATES = "duplicates"
    """Sends everything twice, as a redelivery does."""

    CLOCK_UNKNOWN = "clock-unknown"
    """Cannot tell the time of day; firmware that counts from boot never could."""

    MALFORMED_JSON = "malformed-json"
    """Sends broken sensor data: cut short, and `nan` without quotes, in turn."""

    NETWORK_GONE = "network-gone"
    """The radio reaches nobody: the connection breaks, and none comes about until it is over."""

    REBOOT = "reboot"
    """Reboots at its next input, once; switches itself off."""


@dataclass(slots=True)
class Faults:
    """The faults of one device, and what they make of its messages.

    Attributes:
        active: What goes wrong now.
        lost: Messages that a fault swallowed.
    """

    active: set[Fault] = field(default_factory=set)
    lost: int = 0
    _held: list[tuple[float, Outgoing]] = field(default_factory=list, init=False)
    _broken: int = field(default=0, init=False)

    def switch(self, fault: Fault, *, on: bool = True) -> None:
        """Switch a fault on or off; answers that are held back stay late."""
        if on:
            self.active.add(fault)
        else:
            self.active.discard(fault)

    def distort(
        self, message: Outgoing, now: float, *, answer: bool = False, sample: bool = False
    ) -> list[Outgoing]:
        """Return what really leaves the board in place of a message.

        Args:
            message: What the firmware wants to send.
            now: Unix seconds.
            answer: Whether it answers a command.
            sample: Whether it carries sensor data.
        """
        if Fault.SILENCE in self.active or (answer and Fault.NO_ANSWERS in self.active):
            self.lost += 1
            return []
        if sample and Fault.MALFORMED_JSON in self.active:
            message = message._replace(payload=self._break(message.payload))
        if answer and Fault.LATE_ANSWERS in self.active:
            if len(self._held) < MOST_HELD:
                self._held.append((now + LATE_BY, message))
            else:
                self.lost += 1
            return []
        return [message] * (2 if Fault.DUPLICATES in self.active else 1)

    @property
    def next_due(self) -> float | None:
        """When the next answer that is held back shall leave."""
        return self._held[0][0] if self._held else None

    def due(self, now: float) -> Iterable[Outgoing]:
        """Let go of the answers whose time has come, oldest first."""
        while self._held and self._held[0][0] <= now:
            yield self._held.pop(0)[1]

    def forget(self) -> None:
        """Lose what is held back, as a reboot does."""
        self.lost += len(self._held)
        self._held.clear()

    def _break(self, payload: bytes) -> bytes:
        self._broken += 1
        if self._broken % 2:
            return payload[: len(payload) // 2]
        return _VALUE.sub(rb"\1nan", payload, count=1)
