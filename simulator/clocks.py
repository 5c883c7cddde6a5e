"""What a board believes the time to be."""

from dataclasses import dataclass

from simulator.faults import Fault, Faults


@dataclass(slots=True, kw_only=True)
class BoardClock:
    """Time since boot, and the time of day where somebody told it.

    Attributes:
        counts_from_boot: The firmware never tells the time of day.
        learnt: Whether the time of day was learnt, from a time server or from its own server.
        booted_at: Unix seconds; None while the board is off.
    """

    counts_from_boot: bool
    learnt: bool
    faults: Faults
    booted_at: float | None = None

    @property
    def known(self) -> bool:
        """Whether it can tell the time of day now."""
        return self.learnt and Fault.CLOCK_UNKNOWN not in self.faults.active

    def uptime_ms(self, now: float) -> int:
        """Return milliseconds since boot."""
        return 0 if self.booted_at is None else int((now - self.booted_at) * 1000)

    def stamp(self, now: float) -> int:
        """Return the time as payloads carry it: ms since boot, or Unix seconds, 0 if unknown."""
        if self.counts_from_boot:
            return self.uptime_ms(now)
        return int(now) if self.known else 0

    def stamp_ms(self, now: float) -> int:
        """Return the time in milliseconds: Unix where known, else since boot."""
        return int(now * 1000) if self.known else self.uptime_ms(now)

    def boot_stamp(self) -> int:
        """Return when the board started in Unix seconds, 0 where it cannot know."""
        return int(self.booted_at or 0) if self.known else 0
