"""The book of leases: until when each actuator may be on, and which are to be switched off now.

Pure: it is told the time and what was heard. Leases run on monotonic time, so a wall clock that is
set, forward or back, prolongs none. Over a restart only wall time is left; a clock that reads
earlier than it did when the lease was last seen ends it at once, and one that is put forward after
the start takes that from what is left: it was behind when it was read. What a clock hides that was
set back meanwhile is never more than the time for which the server was away.

What a device says counts only where it can be about now: most firmware answers without saying what
to, so signs of being off that come while a command to switch on is under way are not believed.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.actuators import ACK_TIMEOUT, Actuator, Pin
from domain.leases import (
    MOST_STARTS,
    STARTS_WITHIN,
    UNUSED,
    Lease,
    Moment,
    Run,
    Usage,
    longest_runtime,
)

SETTLED = 2 * ACK_TIMEOUT.total_seconds()
"""Seconds after which a command that was not answered is not carried out any more."""

TELL_AGAIN = 1.0
"""Seconds between two orders to switch off, until the device confirms. They do not grow: most
firmware says nothing for up to a minute when it is back, and is to be off before that."""

ALARM_AFTER = 10.0
"""Seconds that a device may take to confirm that it is off, before people are told."""

ALARM_AGAIN = 600.0
"""Seconds until they are told again."""

SAME_POWER = 0.05
"""By how much a reported power may differ from what was asked for: firmware counts in steps."""

DIFFERS_AFTER = 60.0
"""Seconds for which it may differ by more, before people are told."""

CLOCK_WAS_SET = 1.0
"""Seconds by which the clocks must part before the wall clock counts as set."""


class Opened(NamedTuple):
    """A lease that nobody asked for, to be stored."""

    lease: Lease


class Closed(NamedTuple):
    """A lease that is over.

    Attributes:
        run: The time during which it was on, if it is known to have been.
        left: Seconds that it would have lasted; 0 where it was to be off by now.
        alarmed: Whether people were told that it did not confirm.
    """

    lease: Lease
    run: Run | None
    left: float = 0.0
    alarmed: bool = False


@dataclass(slots=True)
class _Held:
    """A lease on monotonic time, and how far switching off has come.

    Attributes:
        before: When the lease that this one replaced ended; None: it replaced none.
        was_on: Whether it was known to be on when this lease was given.
        why: Why it is switched off before its time; None: nothing special.
        asked_off: Whether somebody asked for OFF, so that a sign of it is no surprise.
        passed_on: Whether the broker has an order to switch off, behind any to switch on.
        loaded: Whether a server before this one gave the lease: its end is known by wall time only.
        old: Whether it was on before this server began: since when is known by wall time only.
    """

    lease: Lease
    began: float
    ends: float
    on_since: float
    before: float | None = None
    was_on: bool = False
    why: str | None = None
    asked_off: bool = False
    told_at: float | None = None
    passed_on: bool = False
    alarmed_at: float | None = None
    differs_since: float | None = None
    loaded: bool = False
    old: bool = False

    def is_surely_on(self, now: float) -> bool:
        ending = self.asked_off or now >= self.ends
        return not ending and (self.lease.confirmed or self.was_on)

    def clock_was_set(self, by: float) -> None:
        before, self.lease = self.lease, self.lease.moved(timedelta(seconds=by))
        if by < 0:
            return
        # That of a small computer may be behind when it starts; then more time passed than it said.
        if self.old:
            self.on_since -= by
            self.lease = replace(self.lease, on_since=before.on_since)
        if self.loaded:
            self.ends -= by
            self.lease = before

    def believes_off(self, now: float, *, answered: bool) -> bool:
        # An order to switch on may still be on its way, unless one to switch off follows it.
        followed = self.passed_on and (answered or now >= self.began + SETTLED)
        return self.lease.confirmed or followed


@dataclass(slots=True)
class _Past:
    off_at: float | None = None
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_STARTS))


@dataclass(slots=True)
class LeaseBook:
    """The leases of all actuators."""

    _held: dict[Pin, _Held] = field(default_factory=dict)
    _pasts: dict[Pin, _Past] = field(default_factory=dict)
    _changes: list[Opened | Closed] = field(default_factory=list)
    _anchor: Moment | None = None
    _moved: bool = False

    # ------------------------------------------------------------ what holds

    def get(self, pin: Pin) -> Lease | None:
        """Return the lease of an actuator; None: it is off, as far as anybody knows."""
        held = self._held.get(pin)
        return held.lease if held else None

    def is_surely_on(self, pin: Pin, now: Moment) -> bool:
        """Say whether an actuator is on, beyond doubt: confirmed, and nobody switches it off."""
        held = self._held.get(pin)
        return held is not None and held.is_surely_on(now.ticks)

    def why_off(self, pin: Pin) -> str | None:
        """Return why an actuator is being switched off before its time, if anybody said so."""
        held = self._held.get(pin)
        return held.why if held else None

    @property
    def leases(self) -> Sequence[Lease]:
        """All of them."""
        return [held.lease for held in self._held.values()]

    def usage(self, pin: Pin, now: Moment) -> Usage:
        """Return how an actuator was used lately."""
        held, past = self._held.get(pin), self._pasts.get(pin)
        if held is None and past is None:
            return UNUSED
        hour_ago = now.ticks - STARTS_WITHIN.total_seconds()
        starts = sum(start > hour_ago for start in past.starts) if past else 0
        if held is not None:
            on_for = timedelta(seconds=max(0.0, now.ticks - held.on_since))
            return Usage(on_for=on_for, starts=starts, ending=now.ticks >= held.ends)
        off_at = past.off_at if past else None
        off_for = None if off_at is None else timedelta(seconds=max(0.0, now.ticks - off_at))
        return Usage(off_for=off_for, starts=starts)

    def load(
        self,
        leases: Iterable[Lease],
        runs: Iterable[Run],
        now: Moment,
        started: Moment | None = None,
    ) -> None:
        """Take in what a restart must not forget.

        Args:
            leases: As they were stored; one whose clock was set back since is over.
            runs: What ended within `LONGEST_REST`.
            now: The time.
            started: When the server started, which may have waited since; None: now.
        """
        started = started or now
        steady = started.at + timedelta(seconds=now.ticks - started.ticks)
        set_back = min(timedelta(0), now.at - steady)
        self._moved = set_back < timedelta(0)
        self.settle(now)
        for run in runs:
            past = self._past(run.pin)
            past.off_at = max(past.off_at or -float("inf"), _ticks(run.ended, now))
            past.starts.append(_ticks(run.began, now))
        for lease in leases:
            known = started.at >= lease.seen_at
            lease = lease.moved(set_back)  # noqa: PLW2901 - on the clock of now
            if not known and lease.until > now.at:
                # Over, and so for the next server, too: on this clock it ended just now.
                lease = lease.moved(now.at - lease.until)  # noqa: PLW2901 - the same
                self._moved = True
            left = (lease.until - now.at).total_seconds()
            self._held[lease.pin] = _Held(
                lease,
                began=_ticks(lease.began, now),
                ends=now.ticks + max(0.0, left),
                on_since=_ticks(lease.on_since, now),
                loaded=True,
                old=True,
            )
            self._past(lease.pin).starts.append(_ticks(lease.on_since, now))

    # ------------------------------------------------------------ what is asked for

    def grant(  # noqa: PLR0913 - what a lease is made of
        self,
        lease_id: UUID,
        actuator: Actuator,
        value: float,
        duration: timedelta | None,
        now: Moment,
        *,
        command_id: UUID | None = None,
    ) -> Lease:
        """Give an actuator a lease in place of the one that it has; before it is switched on.

        Args:
            lease_id: Its id.
            actuator: What is switched on.
            value: What the pin is to become, above 0.0.
            duration: How long; None: as long as it may be.
            now: The time.
            command_id: What asks for it; None: the device switched itself on.

        Returns:
            The lease: never longer than what is left of the actuator's longest time on.
        """
        self.settle(now)
        before = self._held.get(actuator.pin)
        longest = longest_runtime(actuator)
        on_since = before.on_since if before else now.ticks
        ends = now.ticks + (longest if duration is None else duration).total_seconds()
        ends = max(now.ticks, min(ends, on_since + longest.total_seconds()))
        lease = Lease(
            id=lease_id,
            actuator_id=actuator.id,
            pin=actuator.pin,
            command_id=command_id,
            value=value,
            began=now.at,
            until=now.at + timedelta(seconds=ends - now.ticks),
            on_since=before.lease.on_since if before else now.at,
            seen_at=now.at,
        )
        self._held[actuator.pin] = _Held(
            lease,
            began=now.ticks,
            ends=ends,
            on_since=on_since,
            before=before.ends if before else None,
            was_on=before is not None and before.is_surely_on(now.ticks),
            old=before is not None and before.old,
        )
        if before is None:
            self._past(actuator.pin).starts.append(now.ticks)
        return lease

    def confirmed(self, pin: Pin, lease_id: UUID) -> None:
        """The device did what the lease's command said."""
        held = self._held.get(pin)
        if held is not None and held.lease.id == lease_id:
            held.lease = replace(held.lease, confirmed=True)

    def failed(self, pin: Pin, lease_id: UUID, now: Moment, *, refused: bool) -> None:
        """The lease's command did not switch it on: what held before holds again.

        Args:
            pin: The actuator.
            lease_id: The lease of that command.
            now: The time.
            refused: Whether the device surely did nothing; else it is switched off.
        """
        held = self._held.get(pin)
        if held is None or held.lease.id != lease_id:
            return
        if held.before is not None:
            self._shorten(held, held.before, now)
        elif refused:
            self._close(held, now, run=False)
            self._past(pin).starts.pop()
        else:
            self.end(pin, now)

    def asked_off(self, pin: Pin) -> Lease | None:
        """Somebody tells the device to switch off; return the lease that this is to end."""
        held = self._held.get(pin)
        if held is None:
            return None
        held.asked_off = True
        return held.lease

    def end(self, pin: Pin, now: Moment, why: str | None = None) -> None:
        """Let a lease be over now: the device is told to switch off until it confirms."""
        held = self._held.get(pin)
        if held is not None:
            held.asked_off = True
            held.why = held.why or why
            self._shorten(held, now.ticks, now)

    def limit(self, actuator: Actuator, now: Moment) -> None:
        """Hold a lease to how long its actuator may be on, which people may have changed."""
        held = self._held.get(actuator.pin)
        if held is not None:
            longest = longest_runtime(actuator).total_seconds()
            self._shorten(held, held.on_since + longest, now)

    def forget(self, pin: Pin) -> None:
        """Drop what is known of an actuator that is gone."""
        self._held.pop(pin, None)
        self._pasts.pop(pin, None)

    # ------------------------------------------------------------ what is heard

    def on(self, lease_id: UUID, actuator: Actuator, value: float, now: Moment) -> Lease | None:
        """A device shows that an actuator is on; return the lease that it is given, if it had none.

        Args:
            lease_id: The id of that lease.
            actuator: What is on.
            value: Its power, above 0.0 and up to 1.0.
            now: The time.
        """
        held = self._held.get(actuator.pin)
        if held is not None:
            differs = abs(value - held.lease.value) > SAME_POWER
            held.differs_since = (held.differs_since or now.ticks) if differs else None
            held.lease = replace(held.lease, confirmed=True)
            return None
        lease = replace(self.grant(lease_id, actuator, value, None, now), confirmed=True)
        self._held[actuator.pin].lease = lease
        self._changes.append(Opened(lease))
        return lease

    def off(self, pin: Pin, now: Moment, *, answered: bool = False) -> None:
        """A device shows that an actuator is off.

        Args:
            pin: The actuator.
            now: The time.
            answered: Whether it says so in answer to a command.
        """
        held = self._held.get(pin)
        if held is None:
            return
        if held.believes_off(now.ticks, answered=answered):
            self._close(held, now, run=held.lease.confirmed)
            # It may have run without an answer, and rests after that, too.
            self._past(pin).off_at = now.ticks
        elif now.ticks >= held.began + SETTLED:
            self.end(pin, now)

    def returned(self, esp_id: str) -> None:
        """A device is back: what it is to switch off it is told at once."""
        for pin, held in self._held.items():
            if pin.esp_id == esp_id:
                held.told_at = None

    # ------------------------------------------------------------ what is to be done

    def due(self, now: Moment) -> Sequence[Lease]:
        """Return the leases whose actuators are to be told to switch off now; then say `told`.

        Devices that seem to be away, too: who was silent for long may hear well, and a clock that
        is set makes everybody silent for long.
        """
        return [
            held.lease
            for held in self._held.values()
            if now.ticks >= held.ends
            and (held.told_at is None or now.ticks >= held.told_at + TELL_AGAIN)
        ]

    def told(self, pin: Pin, now: Moment) -> None:
        """An order to switch off goes out."""
        if (held := self._held.get(pin)) is not None:
            held.told_at = now.ticks

    def passed_on(self, pin: Pin, lease_id: UUID) -> None:
        """The broker has an order to switch off what this lease is about."""
        held = self._held.get(pin)
        if held is not None and held.lease.id == lease_id:
            held.passed_on = True

    def alarms(self, now: Moment) -> Sequence[Lease]:
        """Return the leases of which people are to be told that the device does not confirm OFF."""
        found = []
        for held in self._held.values():
            last = held.alarmed_at
            due = held.ends + ALARM_AFTER if last is None else last + ALARM_AGAIN
            if now.ticks >= due:
                held.alarmed_at = now.ticks
                found.append(held.lease)
        return found

    def differing(self, now: Moment) -> Sequence[Lease]:
        """Return the leases whose device gives another power than asked for, each once."""
        found = []
        for held in self._held.values():
            since = held.differs_since
            if since is not None and now.ticks >= since + DIFFERS_AFTER:
                held.differs_since = float("inf")
                found.append(held.lease)
        return found

    def settle(self, now: Moment) -> None:
        """Compare the clocks: where the wall clock was set, leases keep their length.

        Before any wall time is put to another: what is stored is all on the clock of one moment.
        """
        anchor = self._anchor or now
        by = (now.at - anchor.at).total_seconds() - (now.ticks - anchor.ticks)
        if self._anchor is None or abs(by) > CLOCK_WAS_SET:
            self._anchor = now
            for held in self._held.values():
                held.clock_was_set(by)
            self._moved = self._moved or by != 0

    def take_changes(self) -> Sequence[Opened | Closed]:
        """Return what is to be stored and told, in its order, and forget it."""
        changes, self._changes = self._changes, []
        return changes

    def take_moved(self) -> bool:
        """Return whether times of leases changed that are stored otherwise, and forget it."""
        moved, self._moved = self._moved, False
        return moved

    # ------------------------------------------------------------ inside

    def _past(self, pin: Pin) -> _Past:
        return self._pasts.setdefault(pin, _Past())

    def _shorten(self, held: _Held, ends: float, now: Moment) -> None:
        if ends < held.ends:
            self.settle(now)
            held.ends = max(ends, now.ticks)
            lease, until = held.lease, now.at + timedelta(seconds=held.ends - now.ticks)
            held.lease = replace(lease, until=max(lease.began, min(lease.until, until)))
            self._moved = True

    def _close(self, held: _Held, now: Moment, *, run: bool) -> None:
        self.settle(now)
        lease = held.lease
        del self._held[lease.pin]
        was_on = Run(
            actuator_id=lease.actuator_id,
            pin=lease.pin,
            began=lease.on_since,
            ended=max(lease.on_since, now.at),
        )
        expected = held.asked_off or not run
        left = 0.0 if expected else max(0.0, held.ends - now.ticks)
        alarmed = held.alarmed_at is not None
        self._changes.append(Closed(lease, was_on if run else None, left, alarmed))
        if run:
            self._past(lease.pin).off_at = now.ticks


def _ticks(at: datetime, now: Moment) -> float:
    """Return a wall time of the past on the monotonic clock; one of the future counts as now."""
    return now.ticks - max(0.0, (now.at - at).total_seconds())
