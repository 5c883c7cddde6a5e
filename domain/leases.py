"""Leases: an actuator is never simply on, it is on until a time.

Pure. Who keeps them, and sees to it that they end, stands in `lease_book`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.actuators import Actuator, Pin
from domain.errors import BadInputError, ConflictError

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

RUNTIMES: Mapping[str, timedelta] = {
    "pump": _HOUR,
    "valve": _HOUR,
    "relay": _DAY,
    "pwm": _DAY,
    "servo": _DAY,
}
"""The longest time on without a pause, by type, where a person set none: lights burn all day."""

SHORTEST_RUNTIME = timedelta(seconds=1)
LONGEST_RUNTIME = timedelta(days=7)
"""What a person may set as the longest time on."""

LONGEST_REST = timedelta(days=1)
"""What a person may set as the shortest time off."""

MOST_STARTS = 1000
"""What a person may set as the most starts within an hour."""

STARTS_WITHIN = _HOUR
"""The time within which starts are counted."""


class Moment(NamedTuple):
    """A time on both clocks: one can be shown and stored, the other never goes back.

    Attributes:
        at: Wall time, UTC.
        ticks: Monotonic seconds of this process.
    """

    at: datetime
    ticks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """For how long an actuator may be on.

    Attributes:
        command_id: What switched it on last; None: the device itself did.
        value: What the pin was told to become, above 0.0 and up to 1.0.
        began: When this lease was given.
        until: When it is switched off.
        on_since: Since when it is on without a pause; a new lease of one that is on keeps it.
        seen_at: When the server last knew the lease to be in force.
        confirmed: Whether the device has shown that it is on.
    """

    id: UUID
    actuator_id: int
    pin: Pin
    command_id: UUID | None
    value: float
    began: datetime
    until: datetime
    on_since: datetime
    seen_at: datetime
    confirmed: bool = False

    @property
    def length(self) -> timedelta:
        """How long it lasts from its beginning."""
        return self.until - self.began

    def moved(self, by: timedelta) -> "Lease":
        """Return it after the wall clock was set."""
        return replace(
            self,
            began=self.began + by,
            until=self.until + by,
            on_since=self.on_since + by,
            seen_at=self.seen_at + by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A time during which an actuator was on."""

    actuator_id: int
    pin: Pin
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How an actuator was used lately, as far as its limits are about it.

    Attributes:
        on_for: How long it is on without a pause; None: it is off.
        off_for: How long it is off; None: it is on, or it was not on within `LONGEST_REST`.
        starts: How often it was switched on within the last hour.
        ending: Whether it is being switched off, and has not confirmed it yet.
    """

    on_for: timedelta | None = None
    off_for: timedelta | None = None
    starts: int = 0
    ending: bool = False


UNUSED = Usage()
"""Of an actuator that is off, and was for long."""


def longest_runtime(actuator: Actuator) -> timedelta:
    """Return how long an actuator may be on without a pause, whoever asks for it."""
    return actuator.max_runtime or RUNTIMES.get(actuator.actuator_type, _HOUR)


def checked_limits(
    max_runtime: timedelta | None, min_off_time: timedelta | None, max_starts: int | None
) -> dict[str, Any]:
    """Return what is given of an actuator's limits, by field; zero ends what was set before.

    Args:
        max_runtime: The longest time on without a pause.
        min_off_time: How long it rests before it is switched on again.
        max_starts: How often it may be switched on within an hour.

    Raises:
        BadInputError: One is not possible.
    """
    changes: dict[str, Any] = {}
    if max_runtime is not None:
        if max_runtime and not SHORTEST_RUNTIME <= max_runtime <= LONGEST_RUNTIME:
            raise BadInputError("maxRuntime must lie between PT1S and P7D")
        changes["max_runtime"] = max_runtime or None
    if min_off_time is not None:
        if not timedelta(0) <= min_off_time <= LONGEST_REST:
            raise BadInputError("minOffTime must lie between PT0S and P1D")
        changes["min_off_time"] = min_off_time or None
    if max_starts is not None:
        if not 0 <= max_starts <= MOST_STARTS:
            raise BadInputError(f"maxStartsPerHour must lie between 1 and {MOST_STARTS}")
        changes["max_starts_per_hour"] = max_starts or None
    return changes


def check_bounded(actuator: Actuator) -> None:
    """Demand that somebody said how long an actuator may be on whose failure does harm.

    Raises:
        BadInputError: Nobody did.
    """
    if actuator.critical and actuator.max_runtime is None:
        raise BadInputError(
            "its failure does harm (critical): say with maxRuntime how long it may be on without a "
            "pause"
        )


def check_removable(actuator: Actuator, usage: Usage, *, online: bool) -> None:
    """Demand that an actuator is off before it is forgotten: nobody would switch it off any more.

    Of a device that is gone for good, nobody can know more than that it was told to switch off.

    Args:
        actuator: What is to be forgotten.
        usage: How it was used lately.
        online: Whether its device is there.

    Raises:
        ConflictError: It is on, or its device is there and has not confirmed yet that it is off.
    """
    if usage.on_for is None or (usage.ending and not online):
        return
    if usage.ending:
        raise ConflictError(
            f"{actuator.name} is being switched off: try again when its device has confirmed it; "
            "where it never does, cut off the power of the device"
        )
    raise ConflictError(f"{actuator.name} is on: switch it off first, with sendCommand OFF")
