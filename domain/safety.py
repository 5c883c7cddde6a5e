"""Pure safety decisions: no command reaches a device without passing `refusal`."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from domain.actuators import Actuator, ActuatorMode, CommandAction, CommandOrigin
from domain.devices import Device
from domain.emergency_stops import EmergencyStop
from domain.leases import UNUSED, Usage, longest_runtime
from domain.safeguards import NO_INTERLOCKS, Interlocks, broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody else that an actuator obeys.

    Attributes:
        reason: Who and why, as a sentence.
        priority: 1 is the most important rule; 0: a person.
    """

    reason: str
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A command that wants to go out, and all that is known of what it is about.

    Attributes:
        action: What is asked for; TOGGLE must have been resolved.
        value: What the pin is to become.
        origin: Who asks.
        actuator: The actuator as last known.
        device: The device it hangs on, as last known; None: nobody knows it.
        safe_mode: Whether that device says it is in its safe mode.
        stops: The emergency stops that are not cleared yet, at least those that are about this
            actuator.
        usage: How the actuator was used lately.
        interlocks: What must hold for it to be on, and what that is judged on.
        priority: Of the rule that asks, 1 is the most important; None: it has none.
        holder: Who else holds the actuator; None: nobody does.
    """

    action: CommandAction
    value: float
    origin: CommandOrigin = CommandOrigin.USER
    actuator: Actuator
    device: Device | None
    safe_mode: bool = False
    stops: Collection[EmergencyStop] = ()
    usage: Usage = UNUSED
    interlocks: Interlocks = NO_INTERLOCKS
    priority: int | None = None
    holder: Holder | None = None


def outranks(priority: int | None, holder: int) -> bool:
    """Whether a rule takes an actuator from who holds it: only from a less important one.

    Args:
        priority: Of the rule, 1 is the most important; None: it has none.
        holder: Of who holds it; 0: a person.
    """
    return priority is not None and priority < holder


def refusal(wish: Wish) -> str | None:
    """Say why a command must not be sent.

    OFF passes whenever the device can be told: only that it is not known, not approved or not there
    stands in its way; the watchdog's own goes out to a device that seems to be away, too.

    Args:
        wish: The command, and what is known of what it is about.

    Returns:
        The reason for refusing, fit to be shown, with what to do next; None when the command may
        go out.
    """
    return next(_reasons(wish), None)


def _reasons(wish: Wish) -> Iterator[str]:
    if not (math.isfinite(wish.value) and 0.0 <= wish.value <= 1.0):
        yield f"the value {wish.value} lies outside 0.0 to 1.0"
    if wish.action is not CommandAction.OFF:
        for stop in wish.stops:
            if stop.covers(wish.actuator.pin):
                why = f"{stop.scope} is in force ({stop.reason})"
                yield f"an emergency stop of {why}: clear it first"
    yield from _unreachable(wish)
    if wish.action is not CommandAction.OFF:
        yield from _unfit(wish)
        for objection in broken(wish.interlocks):
            yield f"an interlock does not hold: {objection}"
        yield from _outranked(wish)
        if wish.value > 0.0:
            yield from _overused(wish)


def _unreachable(wish: Wish) -> Iterator[str]:
    esp_id = wish.actuator.pin.esp_id
    if wish.device is None:
        yield f"no device {esp_id} is known: switch it on, and approve it with approveDevice"
    elif not wish.device.approved:
        yield f"{esp_id} is not approved yet: approve it with approveDevice"
    elif not wish.device.online and not _from_watchdog(wish):
        yield f"{esp_id} is offline: check its power and its WiFi"


def _from_watchdog(wish: Wish) -> bool:
    """Whether it is what must be said even to a device that only seems to be away."""
    return wish.action is CommandAction.OFF and wish.origin is CommandOrigin.SAFETY


def _unfit(wish: Wish) -> Iterator[str]:
    actuator = wish.actuator
    esp_id = actuator.pin.esp_id
    if wish.safe_mode:
        yield (
            f"{esp_id} is in safe mode and holds its outputs off: look for what went wrong, then "
            "end it with setSafeMode(active: false)"
        )
    if not actuator.enabled:
        yield (f"actuator {actuator.pin.gpio} of {esp_id} is disabled: enable it with setActuator")
    digital = actuator.mode is ActuatorMode.DIGITAL
    if wish.action is CommandAction.PWM and digital and wish.value not in {0, 1}:
        yield f"a {actuator.actuator_type} can only be switched on or off: say ON or OFF"


def _outranked(wish: Wish) -> Iterator[str]:
    holder = wish.holder
    if wish.origin is not CommandOrigin.RULE or holder is None:
        return
    if not outranks(wish.priority, holder.priority):
        cure = "; wait until it lets go, or change the priorities" if holder.priority else ""
        yield f"{holder.reason}{cure}"


def _overused(wish: Wish) -> Iterator[str]:
    actuator, usage = wish.actuator, wish.usage
    if usage.ending:
        yield "it is being switched off: wait until its device confirms that it is off"
    longest = longest_runtime(actuator)
    if usage.on_for is not None and usage.on_for >= longest:
        yield (
            f"it is on for {told(usage.on_for)} without a pause, and may be for "
            f"{told(longest)}: switch it off first, or raise maxRuntime with setActuator"
        )
    rest, off_for = actuator.min_off_time, usage.off_for
    if rest is not None and off_for is not None and off_for < rest:
        yield (
            f"it rests for {told(rest)} after each run (minOffTime): try again in "
            f"{told(rest - off_for)}"
        )
    most = actuator.max_starts_per_hour
    if most is not None and usage.on_for is None and usage.starts >= most:
        yield (
            f"it was switched on {usage.starts} times within the last hour, and may be {most} "
            "times (maxStartsPerHour): wait, or let it run longer each time"
        )


def told(time: timedelta) -> str:
    """Return a time for a sentence, such as `1 h 30 min` or `45 s`; parts of a second count up."""
    seconds = math.ceil(time.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
