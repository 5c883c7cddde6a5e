"""The latch: which stops are in force, and what each device is to be told about them next.

Pure: it is told the time and what was heard. What was sent to whom is forgotten with the server;
then every device that has not confirmed is told again, and clearing waits its full time anew.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from domain.actuators import Pin
from domain.emergency_stops import CLEAR_AFTER, EmergencyStop, StoppedDevice

STOP_AGAIN = timedelta(seconds=2)
"""Pause between two orders to stop, until the device confirms."""

AWAY_SPACING = timedelta(milliseconds=10)
"""Between two orders to devices that seem to be away: with many of them, each is told less often.
Firmware before 2026 is silent for up to a minute when it is back."""

CLEAR_AGAIN = timedelta(seconds=6)
"""Pause between two orders to clear: longer than the time in which a device refuses it."""

MOST_CLEARS = 5
"""Orders to clear that may stay unanswered before the device is given up until it comes back."""

RESUME_SPACING = timedelta(seconds=2)
"""Between one device's resuming and the next one's (device protocol, section 3.5)."""

UNCONFIRMED_AFTER = timedelta(seconds=10)
"""How long a device may take to confirm before people are told."""

LATE_ALARM = timedelta(seconds=10)
"""How long after a stop was cleared an alarm may still be the answer to it."""

FOUND_AFTER = timedelta(seconds=10)
"""How long a device shows that it is stopped before it is believed: what it says may be late, and
it says so every 30 s."""

Target: TypeAlias = tuple[str, int | None]
"""A device, and one of its pins or None for all of it."""


class Task(StrEnum):
    """What a device is to be told."""

    STOP = "STOP"
    SWITCH_OFF = "SWITCH_OFF"
    CLEAR = "CLEAR"
    RESUME = "RESUME"


class Instruction(NamedTuple):
    """Something that a device is to be told now, because of a stop."""

    task: Task
    esp_id: str
    stop: EmergencyStop

    @property
    def target(self) -> Target:
        """Who is concerned: the pin of a stop of its own, else the whole device."""
        return self.esp_id, self.stop.gpio if self.task is Task.SWITCH_OFF else None


@dataclass(slots=True)
class _Told:
    """What a target was told, and since when its signs count.

    Attributes:
        stirred_at: When it last was, or may have been, stopped: clearing waits from then.
        since: Signs of an earlier time say nothing about now; None: all of them count.
    """

    stirred_at: datetime
    since: datetime | None = None
    stop_at: datetime | None = None
    clear_at: datetime | None = None
    clears: int = 0
    refusal: str | None = None

    def due(self, task: Task, now: datetime, *, online: bool, pause: timedelta) -> bool:
        """Whether it is time to tell it; a stop goes out even where nobody seems to be."""
        if task is not Task.CLEAR:
            return _rested(self.stop_at, pause, now)
        rested = _rested(self.clear_at, CLEAR_AGAIN, now)
        ready = _rested(self.stirred_at, CLEAR_AFTER, now)
        return online and rested and ready and self.clears < MOST_CLEARS

    def begin_anew(self, at: datetime) -> None:
        """Forget what it was told: it was away, or is another run of its firmware."""
        self.since = at
        self.stop_at = self.clear_at = self.refusal = None
        self.clears = 0

    def counts(self, at: datetime) -> bool:
        """Whether a sign of this time says anything about now."""
        return self.since is None or at >= self.since


@dataclass(slots=True)
class Latch:
    """The stops that are in force, or whose devices are not free yet.

    It is asked several times a second: that costs what there is to do, not what there is.

    Attributes:
        _open: By stop, the devices about which something is left to be done.
        _included: The devices that every stop in force knows of.
        _found: Since when devices show that they are stopped although no stop knows of it.
    """

    _stops: dict[UUID, EmergencyStop] = field(default_factory=dict)
    _active: dict[UUID, EmergencyStop] = field(default_factory=dict)
    _open: dict[UUID, dict[str, None]] = field(default_factory=dict)
    _included: set[str] = field(default_factory=set)
    _told: dict[str, dict[int | None, _Told]] = field(default_factory=dict)
    _changed: set[UUID] = field(default_factory=set)
    _seen: dict[str, tuple[bool, datetime | None]] = field(default_factory=dict)
    _found: dict[str, datetime] = field(default_factory=dict)
    _resumed_at: datetime | None = None

    # ------------------------------------------------------------ what is in force

    @property
    def stops(self) -> Sequence[EmergencyStop]:
        """All of them, the earliest first."""
        return tuple(self._stops.values())

    def covering(self, pin: Pin) -> Sequence[EmergencyStop]:
        """Return the stops in force for an actuator: while there is one, only OFF may pass."""
        return [stop for stop in self._active.values() if stop.covers(pin)]

    def holds(self, esp_id: str) -> bool:
        """Whether a device as a whole is stopped."""
        return any(stop.holds(esp_id) for stop in self._active.values())

    def get(self, stop_id: UUID) -> EmergencyStop | None:
        """Return one, with what is known of its devices now."""
        return self._stops.get(stop_id)

    def put(self, stop: EmergencyStop) -> None:
        """Take in a new stop, or one that was cleared; a new one waits for no pause."""
        if stop.active:
            self._included.intersection_update(stop.devices if stop.esp_id is None else ())
            for esp_id in stop.devices:
                if (told := self._told_of(esp_id, stop.gpio)) is not None:
                    told.stop_at = None
        resumed = [device.resumed_at for device in stop.devices.values() if device.resumed_at]
        known = [self._resumed_at] if self._resumed_at else []
        self._resumed_at = max([*known, *resumed], default=None)
        self._keep(stop)

    def include(self, esp_ids: Iterable[str]) -> None:
        """Take in which devices there are: those first heard of during a stop are stopped, too."""
        new = [esp_id for esp_id in esp_ids if esp_id not in self._included]
        if not new:
            return
        for stop in tuple(self._active.values()):
            self._replace(stop, stop.including(new))
        self._included.update(new)

    def take_changed(self) -> Sequence[EmergencyStop]:
        """Return the stops of whose devices something new is known, and forget which they were."""
        changed = [self._stops[stop_id] for stop_id in self._changed if stop_id in self._stops]
        self._changed.clear()
        return changed

    def drop_over(self, now: datetime, known: Container[str]) -> None:
        """Forget the stops about which nothing is left to be done and to be stored."""
        for stop in self.stops:
            left = (stop.devices[esp_id] for esp_id in self._open[stop.id])
            if stop.id not in self._changed and stop.over(now, known, left):
                del self._stops[stop.id], self._open[stop.id]
        if not self._stops:
            self._told.clear()
            self._seen.clear()
            self._included.clear()

    def begun(self, now: datetime) -> None:
        """The server starts: whom it resumed last, of a stop that is over, it does not know."""
        self._resumed_at = max(self._resumed_at or now, now)

    # ------------------------------------------------------------ what is to be told

    def due(self, now: datetime, online: Collection[str]) -> Sequence[Instruction]:
        """Return what is to be told now; say `sent` of each that goes out.

        Args:
            now: The time.
            online: The devices that are there.
        """
        if not self._stops:
            return ()
        wanted = self._wanted()
        away = sum(instruction.esp_id not in online for instruction in wanted)
        pauses = {True: STOP_AGAIN, False: max(STOP_AGAIN, away * AWAY_SPACING)}
        due = [
            instruction
            for instruction in wanted
            if self._toward(instruction.target, now).due(
                instruction.task,
                now,
                online=(there := instruction.esp_id in online),
                pause=pauses[there],
            )
        ]
        return [*due, *self._next_resume(now, online)]

    def _wanted(self) -> Sequence[Instruction]:
        """Return what targets are to be told, each because of the earliest stop."""
        wanted, targets, held = list[Instruction](), set[Target](), self._held()
        for stop, device in self._left():
            esp_id, gpio = device.esp_id, None
            if stop.active:
                task, gpio = (Task.STOP if stop.gpio is None else Task.SWITCH_OFF), stop.gpio
            elif device.released_at is None and not held(esp_id):
                task = Task.CLEAR
            else:
                continue
            if (esp_id, gpio) not in targets:
                targets.add((esp_id, gpio))
                wanted.append(Instruction(task, esp_id, stop))
        return wanted

    def _next_resume(self, now: datetime, online: Collection[str]) -> Sequence[Instruction]:
        if self._resumed_at is not None and now < self._resumed_at + RESUME_SPACING:
            return ()
        for stop, device in self._left():
            if (
                device.released_at is not None
                and stop.resumes(device, now)
                and device.esp_id in online
                and not self._touched(device.esp_id)
            ):
                return [Instruction(Task.RESUME, device.esp_id, stop)]
        return ()

    def sent(self, instruction: Instruction, now: datetime) -> None:
        """Take in that something goes out; before it does, for the answer may be faster."""
        if instruction.task is Task.RESUME:
            self._resumed_at = now
            for stop, device in self._pairs(instruction.esp_id):
                if stop.resumes(device, now):
                    self._note(stop, replace(device, resumed_at=now))
            return
        told = self._toward(instruction.target, now)
        if instruction.task is Task.CLEAR:
            told.clear_at, told.clears = now, told.clears + 1
            return
        told.stop_at = now
        # Where the clock was set back, what comes now comes after all that was.
        told.since = told.since and min(told.since, now)
        told.clears, told.clear_at = 0, None
        if instruction.task is Task.STOP:
            told.stirred_at = now

    def not_sent(self, instruction: Instruction) -> None:
        """Take in that the broker did not take it: an order that nobody heard does not count."""
        told = self._told_of(*instruction.target)
        if instruction.task is Task.CLEAR and told is not None and told.clears:
            told.clears -= 1

    def broadcast(self, stop: EmergencyStop, now: datetime) -> None:
        """Take in that every device is told to stop now."""
        for esp_id in stop.devices:
            self._toward((esp_id, None), now).stirred_at = now

    # ------------------------------------------------------------ what is heard

    def stopped(self, esp_id: str, at: datetime) -> None:
        """A device shows that it has stopped as a whole."""
        if not self._stops:
            return
        told = self._toward((esp_id, None), at)
        if not told.counts(at):
            return
        told.refusal = None
        if self.holds(esp_id):
            told.stirred_at = max(told.stirred_at, at)
        for stop, device in self._pairs(esp_id):
            told_at = min(stop.triggered_at, told.stop_at or stop.triggered_at)
            if stop.active and device.confirmed_at is None and at >= told_at:
                self._note(stop, replace(device, confirmed_at=at))

    def alarmed(self, esp_id: str, at: datetime) -> bool:
        """Return whether a device that says that it stopped did so because of no stop."""
        return not any(
            stop.cleared_at is None or at < stop.cleared_at + LATE_ALARM
            for stop in self._holding(esp_id)
        )

    def found_stopped(self, esp_id: str, at: datetime) -> bool:
        """Return whether a device is stopped for long although no stop knows of it."""
        if any(self._holding(esp_id)):
            self._found.pop(esp_id, None)
            return False
        if at < self._found.setdefault(esp_id, at) + FOUND_AFTER:
            return False
        del self._found[esp_id]
        return True

    def off(self, pin: Pin, at: datetime) -> None:
        """A device shows that one of its actuators is off: enough for a stop of just that one."""
        self._found.pop(pin.esp_id, None)
        told = self._told_of(pin.esp_id, pin.gpio)
        if told is None or told.stop_at is None or at < told.stop_at or not told.counts(at):
            return
        for stop, device in self._pairs(pin.esp_id):
            if stop.gpio == pin.gpio and stop.active and device.confirmed_at is None:
                self._note(stop, replace(device, confirmed_at=at))

    def running(self, pin: Pin, at: datetime) -> None:
        """A device shows that an actuator runs: where a stop covers it, it must be told again."""
        self._found.pop(pin.esp_id, None)
        for stop, device in self._pairs(pin.esp_id):
            if stop.covers(pin) and device.confirmed_at is not None and at > device.confirmed_at:
                self._note(stop, replace(device, confirmed_at=None))

    def freed(self, esp_id: str, at: datetime) -> None:
        """A device shows that its emergency is over.

        An actuator that is stopped for itself is switched off once more: an emergency may have
        kept the device from obeying before. Where somebody else freed a device that we hold, it is
        stopped again.
        """
        released = [pair for pair in self._pairs(esp_id) if self._to_be_released(*pair)]
        for stop, device in released:
            self._note(stop, replace(device, released_at=at))
        if released or self.holds(esp_id):
            self._tell_again(esp_id, at)

    def returned(self, esp_id: str, at: datetime) -> None:
        """A device was away: what it confirmed before says nothing about now."""
        self._tell_again(esp_id, at)

    def restarted(self, esp_id: str, at: datetime) -> None:
        """A device began anew: it forgot every emergency, and is stopped again if need be."""
        self._tell_again(esp_id, at)
        for stop, device in self._pairs(esp_id):
            if self._to_be_released(stop, device) and stop.cleared_at and stop.cleared_at < at:
                self._note(stop, replace(device, released_at=at))

    def present(
        self, esp_id: str, now: datetime, *, online: bool, booted_at: datetime | None
    ) -> None:
        """Take in what is known of a device's presence; called again and again."""
        before = self._seen.get(esp_id)
        self._seen[esp_id] = (online, booted_at)
        if booted_at is not None and (before is None or before[1] != booted_at):
            self.restarted(esp_id, booted_at)
        if before is not None and online and not before[0]:
            self.returned(esp_id, now)

    def refused(self, esp_id: str, reason: str, at: datetime) -> None:
        """A device did not do what it was told; it is told again after the usual pause."""
        if any(self._pairs(esp_id)):
            self._toward((esp_id, None), at).refusal = reason

    # ------------------------------------------------------------ what people should know

    def refusal(self, esp_id: str) -> str | None:
        """Return why a device last refused what it was told."""
        told = self._told_of(esp_id, None)
        return told.refusal if told else None

    def given_up(self, esp_id: str) -> bool:
        """Whether a device did not confirm its clearing as often as it was told."""
        told = self._told_of(esp_id, None)
        return told is not None and told.clears >= MOST_CLEARS

    def unconfirmed(self, now: datetime) -> Sequence[tuple[EmergencyStop, str]]:
        """Return the devices that should have confirmed a stop by now."""
        return [
            (stop, esp_id)
            for stop in self._active.values()
            if now >= stop.triggered_at + UNCONFIRMED_AFTER
            for esp_id in self._open[stop.id]
        ]

    def unreleased(self) -> Sequence[tuple[EmergencyStop, str]]:
        """Return the devices that are to be freed."""
        held = self._held()
        return [
            (stop, device.esp_id)
            for stop, device in self._left()
            if not stop.active and device.released_at is None and not held(device.esp_id)
        ]

    # ------------------------------------------------------------ inside

    def _pairs(self, esp_id: str) -> Sequence[tuple[EmergencyStop, StoppedDevice]]:
        return [(stop, stop.devices[esp_id]) for stop in self.stops if esp_id in stop.devices]

    def _holding(self, esp_id: str) -> Iterator[EmergencyStop]:
        """Yield the stops because of which a device as a whole is stopped, or not free yet."""
        for stop in self.stops:
            device = stop.devices.get(esp_id)
            kept = stop.gpio is None and device is not None and device.released_at is None
            if kept or stop.holds(esp_id):
                yield stop

    def _left(self) -> Iterator[tuple[EmergencyStop, StoppedDevice]]:
        """Yield the devices about which something is left to be done, the earliest stop first."""
        for stop_id, stop in self._stops.items():
            for esp_id in self._open[stop_id]:
                yield stop, stop.devices[esp_id]

    def _held(self) -> Callable[[str], bool]:
        """Return whether a device as a whole is stopped, for asking about many."""
        whole = {stop.esp_id for stop in self._active.values() if stop.gpio is None}
        return lambda esp_id: None in whole or esp_id in whole

    def _tell_again(self, esp_id: str, at: datetime) -> None:
        for told in self._told.get(esp_id, {}).values():
            if told.stop_at is None or told.stop_at < at:
                told.begin_anew(at)
        for stop, device in self._pairs(esp_id):
            if stop.active and device.confirmed_at is not None and device.confirmed_at < at:
                self._note(stop, replace(device, confirmed_at=None))

    def _to_be_released(self, stop: EmergencyStop, device: StoppedDevice) -> bool:
        return not stop.active and device.released_at is None and not self.holds(device.esp_id)

    def _touched(self, esp_id: str) -> bool:
        return any(stop.concerns(esp_id) for stop in self._active.values())

    def _toward(self, target: Target, now: datetime) -> _Told:
        esp_id, gpio = target
        told = self._told_of(esp_id, gpio)
        if told is None:
            told = self._told.setdefault(esp_id, {})[gpio] = _Told(stirred_at=now)
        return told

    def _told_of(self, esp_id: str, gpio: int | None) -> _Told | None:
        return self._told.get(esp_id, {}).get(gpio)

    def _note(self, stop: EmergencyStop, device: StoppedDevice) -> None:
        # Read again: of several changes in a row, each knows only the stop it began with.
        changed = self._stops[stop.id].noting(device)
        self._put(changed)
        self._changed.add(stop.id)
        if changed.leaves(device):
            self._open[stop.id][device.esp_id] = None
        else:
            self._open[stop.id].pop(device.esp_id, None)

    def _replace(self, stop: EmergencyStop, changed: EmergencyStop) -> None:
        if changed is not stop:
            self._keep(changed)
            self._changed.add(stop.id)

    def _keep(self, stop: EmergencyStop) -> None:
        self._put(stop)
        self._open[stop.id] = {
            esp_id: None for esp_id, device in stop.devices.items() if stop.leaves(device)
        }

    def _put(self, stop: EmergencyStop) -> None:
        self._stops[stop.id] = stop
        if stop.active:
            self._active[stop.id] = stop
        else:
            self._active.pop(stop.id, None)


def _rested(last: datetime | None, pause: timedelta, now: datetime) -> bool:
    """Whether a pause is over; a time to come is one before the clock was set back."""
    return last is None or not last <= now < last + pause
