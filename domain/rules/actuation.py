"""What actuators do while a rule is rehearsed: a simple model, and its assumptions are these.

Devices are there all the time and obey at once; everything is off at the beginning; nobody but the
rule touches anything. What is switched on by a trigger stays on for the time that the command says,
else for as long as it may; what is held stays on until the hold ends. Limits stop nothing: where
one would have, that is a violation.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.actuators import Actuator, CommandAction, Pin
from domain.leases import RUNTIMES, STARTS_WITHIN, longest_runtime
from domain.rules.model import CommandStep

ASSUMPTIONS = (
    "devices are online all the time and obey at once",
    "everything is off at the beginning, and nobody but the rule switches anything",
    "a limit of an actuator that is broken is reported, and stops nothing",
    "nothing is in the rule's way: no more important rule, no emergency stop, no interlock",
)
"""What a rehearsal takes for granted, in words."""

MOST_VIOLATIONS = 1000
"""How many violations are kept; more are only counted."""


class Broken(StrEnum):
    """Which limit was broken."""

    MAX_RUNTIME = "MAX_RUNTIME"
    MIN_OFF_TIME = "MIN_OFF_TIME"
    STARTS_PER_HOUR = "STARTS_PER_HOUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A limit that was broken, and when."""

    pin: Pin
    limit: Broken
    at: datetime


@dataclass(slots=True)
class Use:
    """How an actuator was used.

    Attributes:
        on_for: How long it was on altogether.
        starts: How often it was switched on.
        longest: The longest time on without a pause.
    """

    on_for: timedelta = timedelta(0)
    starts: int = 0
    longest: timedelta = timedelta(0)


@dataclass(slots=True)
class _Pinned:
    """One actuator now."""

    limits: Actuator | None
    use: Use = field(default_factory=Use)
    value: float = 0.0
    on_since: datetime | None = None
    off_since: datetime | None = None
    until: datetime | None = None
    starts: deque[datetime] = field(default_factory=deque)

    @property
    def longest(self) -> timedelta:
        return RUNTIMES["pump"] if self.limits is None else longest_runtime(self.limits)


class Actuation:
    """Actuators under one rule."""

    def __init__(self, actuators: Mapping[Pin, Actuator]) -> None:
        """Begin with everything off.

        Args:
            actuators: Their limits, as far as they are known; the others have those of a pump.
        """
        self._known = actuators
        self._pins: dict[Pin, _Pinned] = {}
        self.violations: list[Violation] = []
        self.violation_count = 0

    def value(self, pin: Pin) -> float:
        """Return what a pin does: 0.0 (off) to 1.0 (full)."""
        found = self._pins.get(pin)
        return found.value if found else 0.0

    def next_change(self) -> datetime | None:
        """Return when the next one is switched off because its time is over."""
        ends = (pinned.until for pinned in self._pins.values())
        return min((end for end in ends if end is not None), default=None)

    def pass_until(self, now: datetime) -> None:
        """Switch off what was to be on until now at most."""
        for pin, pinned in self._pins.items():
            if pinned.until is not None and pinned.until <= now:
                self._off(pin, pinned, pinned.until)

    def command(self, step: CommandStep, now: datetime, *, held: bool) -> float:
        """Obey a command; return what the pin became.

        Args:
            step: What is commanded.
            now: When.
            held: Whether it stays so until the hold ends.
        """
        pinned = self._pins.setdefault(step.pin, _Pinned(self._known.get(step.pin)))
        value = _value(step, pinned.value)
        if value <= 0:
            self._off(step.pin, pinned, now)
            return 0.0
        if pinned.on_since is None:
            self._on(step.pin, pinned, now)
        pinned.value = value
        pinned.until = None if held else now + (step.duration or pinned.longest)
        return value

    def end(self, now: datetime) -> Mapping[Pin, Use]:
        """Take stock; what is on counts until now."""
        self.pass_until(now)
        for pin, pinned in self._pins.items():
            self._off(pin, pinned, now)
        self.violations.sort(key=lambda violation: violation.at)
        return {pin: pinned.use for pin, pinned in self._pins.items()}

    def _on(self, pin: Pin, pinned: _Pinned, now: datetime) -> None:
        for limit in self._start_breaks(pinned, now):
            self._break(pin, limit, now)
        pinned.on_since = now
        pinned.use.starts += 1
        pinned.starts.append(now)

    def _start_breaks(self, pinned: _Pinned, now: datetime) -> Iterator[Broken]:
        if pinned.limits is None:
            return
        rest, most = pinned.limits.min_off_time, pinned.limits.max_starts_per_hour
        if rest is not None and pinned.off_since is not None and now - pinned.off_since < rest:
            yield Broken.MIN_OFF_TIME
        while pinned.starts and pinned.starts[0] <= now - STARTS_WITHIN:
            pinned.starts.popleft()
        if most is not None and len(pinned.starts) >= most:
            yield Broken.STARTS_PER_HOUR

    def _off(self, pin: Pin, pinned: _Pinned, now: datetime) -> None:
        pinned.until = None
        if pinned.on_since is None:
            return
        ran = now - pinned.on_since
        if ran > pinned.longest:
            self._break(pin, Broken.MAX_RUNTIME, pinned.on_since + pinned.longest)
        pinned.use.on_for += ran
        pinned.use.longest = max(pinned.use.longest, ran)
        pinned.value, pinned.on_since, pinned.off_since = 0.0, None, now

    def _break(self, pin: Pin, limit: Broken, at: datetime) -> None:
        self.violation_count += 1
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(Violation(pin=pin, limit=limit, at=at))


def _value(step: CommandStep, value: float) -> float:
    match step.action:
        case CommandAction.ON:
            return 1.0
        case CommandAction.OFF:
            return 0.0
        case CommandAction.PWM:
            return step.value or 0.0
        case CommandAction.TOGGLE:
            return 0.0 if value > 0 else 1.0
