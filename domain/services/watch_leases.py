"""The watchdog: whatever is on, goes off when its lease ends, whoever else is away.

It waits for nobody: an order to switch off overtakes all other commands, and neither a database
that is away nor a command without an answer keeps it. What is to be stored is stored as soon as it
can be.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

from domain import safety
from domain.actuators import (
    Actuator,
    ActuatorReport,
    Command,
    CommandAction,
    CommandOrigin,
    CommandResponse,
    CommandStatus,
    Pin,
)
from domain.devices import Device
from domain.emergency_latch import Latch
from domain.errors import BrokerUnavailableError, StorageRejectedError
from domain.events import CommandChanged
from domain.lease_book import Closed, LeaseBook, Opened
from domain.leases import LONGEST_REST, Lease, Moment
from domain.ports import Clock, EventStream, LeaseLink
from domain.repositories import Storage, UnitOfWork
from domain.services.guard import Guard
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity

TICK = 0.25
"""Seconds between two looks at what is to be switched off."""

SEEN_EVERY = 10.0
"""Seconds after which it is stored again that the leases are in force."""

MOST_TELLING = 128
"""Actuators that are switched off at the same time; further ones wait for the next look."""

MOST_UNSTORED = 10_000
"""Changes that may wait for the database; the oldest are dropped, and only the history of it."""

MOST_STRANGERS = 1000
"""Pins that were reported before anybody knew them; the oldest is forgotten first."""

REMOVED_FOR = 60.0
"""Seconds for which an actuator that was removed while it was being switched on is told to go off;
what its device does not confirm by then, it knows nothing of any more."""

SURPRISING = 5.0
"""Seconds before the end of its lease from which an actuator that goes off is worth telling."""

_Job: TypeAlias = Callable[[UnitOfWork], Awaitable[object]]


@dataclass(slots=True, kw_only=True)
class WatchLeases:
    """Switches off what is on for too long, and sees to it until its device confirms.

    Attributes:
        dropped: Changes that were never stored, because too many waited.
    """

    storage: Storage
    registry: Registry
    latch: Latch
    leases: LeaseBook
    link: LeaseLink
    events: EventStream
    clock: Clock
    guard: Guard
    record: RecordEvents
    new_id: Callable[[], UUID]
    dropped: int = field(default=0, init=False)
    _tasks: asyncio.TaskGroup | None = field(default=None, init=False)
    _telling: set[Pin] = field(default_factory=set, init=False)
    _commands: dict[UUID, Command] = field(default_factory=dict, init=False)
    _known: dict[Pin, tuple[Actuator, Device]] = field(default_factory=dict, init=False)
    _strangers: OrderedDict[Pin, float] = field(default_factory=OrderedDict, init=False)
    _online: dict[str, bool] = field(default_factory=dict, init=False)
    _unstored: deque[_Job] = field(default_factory=deque, init=False)
    _waiting: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _seen_at: float = field(default=0.0, init=False)
    _made_at: Moment = field(init=False)

    def __post_init__(self) -> None:
        """Leases are judged by what the clock read then, however long the database is away."""
        self._made_at = self._now()

    # ------------------------------------------------------------ what devices say

    def reported(self, report: ActuatorReport) -> None:
        """A device says what one of its pins does."""
        self._strangers.pop(report.pin, None)
        on = report.is_active or report.value > 0.0
        if not on:
            self.leases.off(report.pin, self._now())
        elif not self._note_on(report.pin, report.value or 1.0):
            self._strangers[report.pin] = report.value or 1.0
            if len(self._strangers) > MOST_STRANGERS:
                self._strangers.popitem(last=False)

    def answered(self, response: CommandResponse) -> None:
        """A device says what it did."""
        if response.success and response.action == CommandAction.OFF:
            self.leases.off(response.pin, self._now(), answered=True)

    def connected(self, esp_id: str) -> None:
        """A device began a session: what it is to switch off, it is told at once."""
        self.leases.returned(esp_id)

    def switch_off(self, pin: Pin, why: str, kind: EventKind, severity: Severity) -> None:
        """End a lease before its time: its device is told at once, and people are, too.

        Args:
            pin: The actuator.
            why: Half a sentence; it stands as reason in the command.
            kind: What kind of thing people are told.
            severity: How much it matters.
        """
        lease = self.leases.get(pin)
        if lease is None:
            return
        self._report(kind, severity, lease, f"is switched off: {why}.", str(lease.id))
        self.leases.end(pin, self._now(), why)
        if self._tasks is not None:
            self._look()

    def _note_on(self, pin: Pin, value: float) -> bool:
        actuator, device = self.registry.actuator(pin), self.registry.device(pin.esp_id)
        if actuator is None or device is None:
            return False
        if device.approved:
            self.leases.on(self.new_id(), actuator, value, self._now())
        return True

    # ------------------------------------------------------------ at work

    async def load(self) -> None:
        """Take in the leases that a restart must not forget; before anything else begins.

        Raises:
            StorageUnavailableError: The database cannot be reached.
        """
        now = self._now()
        async with self.storage.autocommit() as work:
            leases = await work.leases.all()
            runs = await work.leases.runs_since(now.at - LONGEST_REST)
        self.leases.load(leases, runs, now, self._made_at)

    async def run(self) -> None:
        """Switch off what is on for too long, until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._store_forever(), name="store leases")
            while True:
                self._look()
                await self.clock.sleep(TICK)

    def _look(self) -> None:
        now = self._now()
        self.leases.settle(now)
        for pin, value in tuple(self._strangers.items()):
            if self._note_on(pin, value):
                del self._strangers[pin]
        for lease in self.leases.leases:
            self._look_at(lease, now)
            self._look_who_is_there(lease.pin.esp_id)
        for lease in self.leases.due(now):
            self._switch_off(lease, now)
        self._alarm(now)
        self._take_changes()
        self._see(now)

    def _look_at(self, lease: Lease, now: Moment) -> None:
        pin = lease.pin
        actuator, device = self.registry.actuator(pin), self.registry.device(pin.esp_id)
        if actuator is not None and device is not None:
            self._known[pin] = actuator, device
            self.leases.limit(actuator, now)
        elif pin in self._known and now.at < lease.until + timedelta(seconds=REMOVED_FOR):
            self.leases.end(pin, now)
        else:
            self.leases.forget(pin)
            self._commands.pop(lease.id, None)
            self._known.pop(pin, None)

    def _look_who_is_there(self, esp_id: str) -> None:
        before, online = self._online.get(esp_id), self._is_online(esp_id)
        self._online[esp_id] = online
        if online and before is False:
            self.leases.returned(esp_id)

    def _is_online(self, esp_id: str) -> bool:
        device = self.registry.device(esp_id)
        return device is not None and device.online

    def _switch_off(self, lease: Lease, now: Moment) -> None:
        if self._tasks is None or lease.pin in self._telling or len(self._telling) >= MOST_TELLING:
            return
        if lease.pin not in self._known:
            return
        actuator, device = self._known[lease.pin]
        command = self._commands.get(lease.id)
        if command is None:
            command = self._commands[lease.id] = self._new_command(lease)
            self._store(lambda work: work.commands.add(command))
        off = safety.Wish(
            action=command.action,
            value=command.value,
            origin=command.origin,
            actuator=actuator,
            device=device,
        )
        if safety.refusal(off) is not None:
            return
        self.leases.told(lease.pin, now)
        self._telling.add(lease.pin)
        self._tasks.create_task(
            self._tell(lease, command, device.kaiser_id), name=f"end of the lease of {lease.pin}"
        )

    def _new_command(self, lease: Lease) -> Command:
        return Command(
            id=self.new_id(),
            actuator_id=lease.actuator_id,
            pin=lease.pin,
            action=CommandAction.OFF,
            value=0.0,
            status=CommandStatus.PENDING,
            reason=self.leases.why_off(lease.pin),
            origin=CommandOrigin.SAFETY,
            created_at=self.clock.now(),
        )

    async def _tell(self, lease: Lease, command: Command, kaiser_id: str) -> None:
        try:
            await self.link.switch_off(command, kaiser_id)
        except BrokerUnavailableError:
            return  # It is told again.
        else:
            self.leases.passed_on(lease.pin, lease.id)
            # It may be over already: answers are faster than the broker's word.
            known = self._commands.get(lease.id)
            if known is not None and known.status is CommandStatus.PENDING:
                sent = replace(known, status=CommandStatus.SENT, sent_at=self.clock.now())
                self._commands[lease.id] = sent
                await self._save_command(sent)
        finally:
            self._telling.discard(lease.pin)

    async def _save_command(self, command: Command) -> None:
        self._store(lambda work: work.commands.save(command))
        device = self.registry.device(command.pin.esp_id)
        if device is not None and device.approved:
            await self.events.publish(CommandChanged(command))

    # ------------------------------------------------------------ what changed

    def _take_changes(self) -> None:
        for change in self.leases.take_changes():
            if isinstance(change, Opened):
                self._store(partial(_open, change.lease))
                self._tell_opened(change.lease)
            else:
                self._known.pop(change.lease.pin, None)
                self._store(partial(_close, change))
                self._end_command(change.lease)
                self._tell_closed(change)

    def _end_command(self, lease: Lease) -> None:
        command = self._commands.pop(lease.id, None)
        if command is None or self._tasks is None:
            return
        ended = replace(
            command,
            status=CommandStatus.ACKNOWLEDGED,
            sent_at=command.sent_at or command.created_at,
            completed_at=self.clock.now(),
        )
        self._tasks.create_task(self._save_command(ended), name=f"command {command.id}")

    def _see(self, now: Moment) -> None:
        leases = self.leases.leases
        if not leases or self._unstored:
            return
        if self.leases.take_moved() or now.ticks >= self._seen_at + SEEN_EVERY:
            self._seen_at = now.ticks
            self._store(partial(_save_times, leases, now.at))

    def _store(self, job: _Job) -> None:
        if len(self._unstored) >= MOST_UNSTORED:
            self._unstored.popleft()
            self.dropped += 1
        self._unstored.append(job)
        self._waiting.set()

    async def _store_forever(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while self._unstored:
                job = self._unstored.popleft()
                # Its actuator may have been removed meanwhile.
                with suppress(StorageRejectedError):
                    await self.guard.insist(partial(self._work, job))

    async def _work(self, job: _Job) -> None:
        async with self.storage.autocommit() as work:
            await job(work)

    def _now(self) -> Moment:
        return Moment(self.clock.now(), self.clock.monotonic())

    # ------------------------------------------------------------ what people are told

    def _alarm(self, now: Moment) -> None:
        for lease in self.leases.alarms(now):
            actuator = self.registry.actuator(lease.pin)
            critical = actuator is not None and actuator.critical
            why = "" if self._is_online(lease.pin.esp_id) else " (it is offline)"
            self._report(
                EventKind.ACTUATOR_NOT_OFF,
                Severity.CRITICAL if critical else Severity.ERROR,
                lease,
                f"was to be switched off, and its device does not confirm it{why}. It is told "
                "again and again; go and look, and switch it off by hand if need be.",
            )
        for lease in self.leases.differing(now):
            self._report(
                EventKind.ACTUATOR_DISAGREES,
                Severity.WARNING,
                lease,
                f"was told to give {lease.value:.0%} of its power, and gives something else.",
            )

    def _tell_opened(self, lease: Lease) -> None:
        length = safety.told(lease.length)
        self._report(
            EventKind.ACTUATOR_DISAGREES,
            Severity.WARNING,
            lease,
            "is on, and the server did not switch it on: somebody did by hand, or its device did "
            f"by itself. It is switched off in {length} at the latest.",
            "on",
        )

    def _tell_closed(self, closed: Closed) -> None:
        pin = closed.lease.pin
        health = self.registry.health(pin.esp_id)
        stopped = self.latch.covering(pin) or (health is not None and health.safe_mode)
        if closed.alarmed:
            self._report(
                EventKind.ACTUATOR_OFF, Severity.INFO, closed.lease, "is confirmed to be off."
            )
        elif closed.left > SURPRISING and not stopped:
            left = safety.told(closed.lease.until - self.clock.now())
            self._report(
                EventKind.ACTUATOR_DISAGREES,
                Severity.WARNING,
                closed.lease,
                f"was to be on for {left} more, and is off: somebody switched it off by hand, or "
                "its device did by itself.",
                "off",
            )

    def _report(
        self, kind: EventKind, severity: Severity, lease: Lease, what: str, about: str = ""
    ) -> None:
        actuator = self.registry.actuator(lease.pin)
        called = self.registry.called(lease.pin.esp_id)
        self.record(
            kind,
            severity,
            f"{called}, {_name(actuator, lease.pin)}: {what}",
            esp_id=lease.pin.esp_id,
            about=f"{lease.pin.gpio} {about}",
            details={"gpio": lease.pin.gpio, "until": lease.until.isoformat()},
        )


def _name(actuator: Actuator | None, pin: Pin) -> str:
    return f"GPIO {pin.gpio}" if actuator is None else actuator.name


async def _open(lease: Lease, work: UnitOfWork) -> None:
    await work.leases.open(lease)


async def _close(closed: Closed, work: UnitOfWork) -> None:
    await work.leases.close(closed.lease, closed.run)


async def _save_times(leases: Sequence[Lease], seen_at: datetime, work: UnitOfWork) -> None:
    await work.leases.save_times(leases, seen_at)
