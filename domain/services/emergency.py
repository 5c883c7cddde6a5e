"""Emergency stops: latched and stored first, then told to every device until each confirms.

The latch is in force from the moment somebody asks, before anything is stored: from then on the
gate lets only OFF pass. Only where the database is away a stop goes out before it is stored, and is
stored as soon as it can be: nobody who presses the button is sent away.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.actuators import Pin
from domain.devices import Device
from domain.emergency_latch import Instruction, Latch, Task
from domain.emergency_stops import LONGEST_REASON, EmergencyStop
from domain.errors import (
    STARTING,
    BadInputError,
    BrokerUnavailableError,
    ConflictError,
    NotFoundError,
    StorageUnavailableError,
)
from domain.ports import Clock, EmergencyLink
from domain.repositories import Storage
from domain.right_of_way import RightOfWay
from domain.services.guard import Guard
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity

TICK = 0.25
"""Seconds between two looks at who came back and who is to be told again."""

STORE_DEADLINE = 1.0
"""Seconds that storing a stop may keep it from going out."""

START_DEADLINE = 5.0
"""Seconds that a stop waits for the database of a server that is starting."""

BROADCAST_AGAIN = 1.0
"""Seconds until a broadcast is tried again that the broker did not take."""

_NOTHING_YET = (
    "nothing has stopped yet: the server is starting, and its database is not there. The stop goes "
    "out once it is; if the server ends before, press again"
)

MOST_TELLING = 16
"""Devices that are told something at the same time: more would only keep what the broker answers to
the first ones waiting."""


@dataclass(slots=True, kw_only=True)
class Emergency:
    """Stops, clears, and sees to it that every device hears of it.

    Attributes:
        way: Had by stops from the moment somebody asks until the broker has them.
        _kept_back: Stops that are stored just now, and sent only then.
    """

    storage: Storage
    registry: Registry
    latch: Latch
    link: EmergencyLink
    clock: Clock
    guard: Guard
    record: RecordEvents
    new_id: Callable[[], UUID]
    way: RightOfWay = field(default_factory=RightOfWay)
    _tasks: asyncio.TaskGroup | None = field(default=None, init=False)
    _kept_waiting: bool = field(default=False, init=False)
    _telling: set[tuple[str, int | None]] = field(default_factory=set, init=False)
    _reported: set[tuple[UUID, str, bool]] = field(default_factory=set, init=False)
    _storing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _kept_back: set[UUID] = field(default_factory=set, init=False)
    _unstored: dict[UUID, EmergencyStop] = field(default_factory=dict, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    # ------------------------------------------------------------ what people ask for

    async def stop(
        self, reason: str, *, esp_id: str | None = None, gpio: int | None = None, by: UUID | None
    ) -> EmergencyStop:
        """Stop everything, one device, or one actuator of it.

        Args:
            reason: Why, for those who come to look.
            esp_id: The device; None: every device.
            gpio: The actuator of that device, 0 to 254; None: the whole device.
            by: The person; None: a device, or the server itself.

        Returns:
            The stop: in force, stored, and on its way to the devices.

        Raises:
            BadInputError: The reason or the actuator makes no sense.
            NotFoundError: No such device is known.
            StorageUnavailableError: The server is only starting, and its database is not there: the
                stop is neither sent nor stored yet.
        """
        self._check(reason, esp_id, gpio)
        known = (device.esp_id for device in self.registry.devices())
        stop = EmergencyStop(
            id=self.new_id(),
            reason=reason.strip(),
            esp_id=esp_id,
            gpio=gpio,
            triggered_by=by,
            triggered_at=self.clock.now(),
        ).including(known)
        self._kept_back.add(stop.id)
        self.latch.put(stop)
        with self.way.taken():
            try:
                await self._store_soon(stop)
            finally:
                # Whoever asked may be gone by now: it goes out all the same.
                self._kept_back.remove(stop.id)
                self._send(stop)
            # It leaves before anybody is told of it.
            await asyncio.sleep(0)
        self._tell_people(EventKind.EMERGENCY_STOP, f"Emergency stop of {stop.scope}", stop)
        return stop

    async def stop_once(
        self, reason: str, cause: str, *, esp_id: str | None = None, gpio: int | None = None
    ) -> EmergencyStop:
        """Stop because the server itself sees why; while that stop is in force, it is enough.

        Args:
            reason: Why.
            cause: Who saw it, such as the name of a rule; people read it behind the reason.
            esp_id: As for `stop`.
            gpio: As for `stop`.

        Returns:
            The stop, new or as it is.

        Raises:
            DomainError: As for `stop`.
        """
        seen_by = f" ({_in_one_line(cause)})"[: LONGEST_REASON // 2]
        words = _in_one_line(reason)[: LONGEST_REASON - len(seen_by)] + seen_by
        for stop in self.latch.stops:
            if stop.active and (stop.reason, stop.esp_id, stop.gpio) == (words, esp_id, gpio):
                return stop
        return await self.stop(words, esp_id=esp_id, gpio=gpio, by=None)

    async def clear(self, stop_id: UUID, by: UUID, *, resume: bool) -> EmergencyStop:
        """End a stop: its devices become free one after the other; nothing is switched on.

        Args:
            stop_id: Which stop.
            by: The person who says so.
            resume: Whether devices are asked to go on, one by one.

        Raises:
            NotFoundError: No such stop is known.
            ConflictError: It is cleared already.
            StorageUnavailableError: The stop stays in force.
        """
        self.check_started()
        stop = self.latch.get(stop_id)
        if stop is None:
            async with self.storage.autocommit() as work:
                stop = await work.emergency_stops.by_id(stop_id)
            if stop is None:
                raise NotFoundError("no such emergency stop is known")
        if not stop.active:
            raise ConflictError("this emergency stop is cleared already")
        now = self.clock.now()
        async with self._storing:
            stop = self.latch.get(stop_id) or stop
            if not stop.active:
                raise ConflictError("this emergency stop is cleared already")
            async with self.storage.autocommit() as work:
                await work.emergency_stops.save(stop.cleared(now, by, resume=resume))
            # Devices went on confirming while it was stored.
            stop = (self.latch.get(stop_id) or stop).cleared(now, by, resume=resume)
            self.latch.put(stop)
        self._woken.set()
        said = f"The emergency stop of {stop.scope} is cleared"
        self._tell_people(EventKind.EMERGENCY_CLEARED, said, stop)
        return stop

    def check_started(self) -> None:
        """See to it that nobody is told that a stop is not known, only because none is yet.

        Raises:
            StorageUnavailableError: The server is starting.
        """
        if self._tasks is None:
            raise StorageUnavailableError(STARTING)

    def note(self, stop: EmergencyStop, esp_id: str) -> str | None:
        """Return what stands in the way of a device's stopping, or of its becoming free."""
        device, known = self.registry.device(esp_id), stop.devices.get(esp_id)
        if device is None or known is None:
            return None
        if stop.active and known.confirmed_at is None:
            return next(self._why_running(device))
        if stop.gpio is not None or known.released_at is not None:
            return None
        obstacle = self.link.obstacle(device)
        return obstacle if stop.active else obstacle or next(self._why_stopped(device))

    def _why_running(self, device: Device) -> Iterator[str]:
        if not device.online:
            yield "it is offline: it is stopped as soon as it comes back"
        if refusal := self.latch.refusal(device.esp_id):
            yield refusal
        doubt = self.link.doubt(device)
        yield "it has not confirmed yet, and is told again" + (f"; {doubt}" if doubt else "")

    def _why_stopped(self, device: Device) -> Iterator[str]:
        if self.latch.holds(device.esp_id):
            yield "another emergency stop still holds it"
        if not device.online:
            yield "it is offline: it becomes free when it comes back"
        if self.latch.given_up(device.esp_id):
            yield "it does not confirm that it is free: switch it off and on again"
        yield self.latch.refusal(device.esp_id) or "it has not confirmed yet that it is free"

    # ------------------------------------------------------------ what devices say

    def stopped(self, esp_id: str, at: datetime) -> None:
        """A device shows that it has stopped."""
        self.latch.stopped(esp_id, at)

    def freed(self, esp_id: str, at: datetime) -> None:
        """A device shows that its emergency is over."""
        self.latch.freed(esp_id, at)
        self._woken.set()

    def off(self, pin: Pin, at: datetime) -> None:
        """A device shows that one of its actuators is off."""
        self.latch.off(pin, at)

    def running(self, pin: Pin, at: datetime) -> None:
        """A device shows that one of its actuators runs."""
        self.latch.running(pin, at)

    def refused(self, esp_id: str, reason: str, at: datetime) -> None:
        """A device did not do what it was told."""
        self.latch.refused(esp_id, reason, at)

    def connected(self, esp_id: str, at: datetime, *, booted: bool) -> None:
        """A device began a session, after a restart or without one."""
        if booted:
            self.latch.restarted(esp_id, at)
        else:
            self.latch.returned(esp_id, at)
        self._woken.set()

    async def stopped_itself(self, esp_id: str, at: datetime, message: str) -> None:
        """A device raised the alarm: unless it only confirms what it was told, that is a stop."""
        self.stopped(esp_id, at)
        if self.latch.alarmed(esp_id, at):
            await self._hold(esp_id, message)

    async def found_stopped(self, esp_id: str, at: datetime) -> None:
        """A device shows that it is stopped: its alarm may be lost, or a stop that was not stored.

        That becomes a stop, too, where none knows of it: else nobody could clear it.
        """
        if self.latch.found_stopped(esp_id, at):
            await self._hold(esp_id, "nobody heard why")

    async def _hold(self, esp_id: str, message: str) -> None:
        device = self.registry.device(esp_id)
        if device is None or not device.approved or self._tasks is None:
            return
        words = _in_one_line(message)
        reason = f"{esp_id} stopped itself{words and ': '}{words}"[:LONGEST_REASON]
        stop = await self.stop(reason, esp_id=esp_id, by=None)
        self.latch.stopped(esp_id, stop.triggered_at)

    # ------------------------------------------------------------ at work

    def _send(self, stop: EmergencyStop) -> None:
        if stop.esp_id is not None:
            self._tell_due()
        elif self._tasks is not None:
            self._tasks.create_task(self._broadcast(stop), name=f"broadcast of stop {stop.id}")

    async def load(self) -> None:
        """Take in the stops that a restart must not forget; before anything else begins.

        Raises:
            StorageUnavailableError: The database cannot be reached.
        """
        async with self.storage.autocommit() as work:
            for stop in await work.emergency_stops.unfinished():
                # What was asked for meanwhile is newer than what was read.
                if self.latch.get(stop.id) is None:
                    self.latch.put(stop)
        self.latch.begun(self.clock.now())

    async def run(self) -> None:
        """See to it that every device hears of every stop, until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            for stop in self.latch.stops:
                # Whether it went out before the restart, nobody knows.
                if stop.active and stop.esp_id is None and stop.id not in self._kept_back:
                    self._tasks.create_task(self._broadcast(stop), name=f"stop {stop.id} again")
            self._tasks.create_task(self._store_forever(), name="store emergency stops")
            self._tasks.create_task(self._tell_the_time(), name="repeats of emergency stops")
            while True:
                self._look_who_is_there()
                self._tell_due()
                self._report_late()
                known = {device.esp_id for device in self.registry.devices()}
                self.latch.drop_over(self.clock.now(), known)
                self._woken.clear()
                await self._woken.wait()

    async def _tell_the_time(self) -> None:
        while True:
            await self.clock.sleep(TICK)
            self._woken.set()

    def _look_who_is_there(self) -> None:
        if not self.latch.stops:
            return
        now, devices = self.clock.now(), tuple(self.registry.devices())
        self.latch.include(device.esp_id for device in devices)
        for device in devices:
            self.latch.present(
                device.esp_id, now, online=device.online, booted_at=device.last_boot_at
            )

    def _tell_due(self) -> None:
        if self._tasks is None or not self.latch.stops:
            return
        now = self.clock.now()
        self._kept_waiting = False
        online = {device.esp_id for device in self.registry.devices() if device.online}
        for instruction in self.latch.due(now, online):
            if instruction.stop.id in self._kept_back:
                continue
            if len(self._telling) >= MOST_TELLING or instruction.target in self._telling:
                self._kept_waiting = True
            elif self._possible(instruction):
                self.latch.sent(instruction, now)
                self._telling.add(instruction.target)
                self._tasks.create_task(
                    self._tell(instruction), name=f"{instruction.task} {instruction.esp_id}"
                )

    def _possible(self, instruction: Instruction) -> bool:
        device = self.registry.device(instruction.esp_id)
        if device is None:
            return False
        return instruction.task is not Task.CLEAR or self.link.obstacle(device) is None

    async def _tell(self, instruction: Instruction) -> None:
        device = self.registry.device(instruction.esp_id)
        try:
            if device is None:
                return
            match instruction.task:
                case Task.STOP:
                    with self.way.taken():
                        await self.link.stop(device, instruction.stop)
                case Task.SWITCH_OFF:
                    pin = Pin(device.esp_id, instruction.stop.gpio or 0)
                    with self.way.taken():
                        await self.link.switch_off(pin, device.kaiser_id, instruction.stop)
                case Task.CLEAR:
                    await self.link.clear(device, instruction.stop)
                case Task.RESUME:
                    await self.link.resume(device)
        except BrokerUnavailableError:
            self.latch.not_sent(instruction)
        finally:
            self._telling.discard(instruction.target)
            if self._kept_waiting:
                self._woken.set()

    async def _broadcast(self, stop: EmergencyStop) -> None:
        while (known := self.latch.get(stop.id)) is not None and known.active:
            self.latch.broadcast(known, self.clock.now())
            try:
                with self.way.taken():
                    await self.link.stop_all(stop)
            except BrokerUnavailableError:
                await self.clock.sleep(BROADCAST_AGAIN)
            else:
                # Only now each by name: a hundred orders at once would hold the broadcast up.
                self._woken.set()
                return

    # ------------------------------------------------------------ storing

    async def _store_soon(self, stop: EmergencyStop) -> None:
        self._unstored[stop.id] = stop
        latest = self.clock.monotonic() + START_DEADLINE
        while stop.id in self._unstored:
            try:
                async with asyncio.timeout(STORE_DEADLINE), self.storage.autocommit() as work:
                    await work.emergency_stops.save(stop)
            except (StorageUnavailableError, TimeoutError):
                if self._tasks is not None:
                    return  # it goes out first, and is stored as soon as it can be
                if self.clock.monotonic() >= latest:
                    raise StorageUnavailableError(_NOTHING_YET) from None
                await self.clock.sleep(TICK)
            else:
                self._unstored.pop(stop.id, None)

    async def _store_forever(self) -> None:
        while True:
            await self.clock.sleep(TICK)
            # A stop that is to be stored yet is stored as it is by then.
            waiting = [self.latch.get(stop_id) for stop_id in tuple(self._unstored)]
            stops = {stop.id: stop for stop in (*waiting, *self.latch.take_changed()) if stop}
            for stop in stops.values():
                await self.guard.insist(partial(self._store, stop))

    async def _store(self, stop: EmergencyStop) -> None:
        # One after the other: of two that overtake each other, the older one would stay.
        async with self._storing:
            # One that is over may have been forgotten since; then nothing has changed any more.
            stop = self.latch.get(stop.id) or stop
            async with self.storage.autocommit() as work:
                await work.emergency_stops.save(stop)
            self._unstored.pop(stop.id, None)

    # ------------------------------------------------------------ what people are told

    def _report_late(self) -> None:
        if not self.latch.stops:
            self._reported.clear()
            return
        for stop, esp_id in self.latch.unconfirmed(self.clock.now()):
            self._report_once(stop, esp_id, freeing=False)
        for stop, esp_id in self.latch.unreleased():
            device = self.registry.device(esp_id)
            stuck = device is not None and self.link.obstacle(device) is not None
            if stuck or self.latch.given_up(esp_id):
                self._report_once(stop, esp_id, freeing=True)

    def _report_once(self, stop: EmergencyStop, esp_id: str, *, freeing: bool) -> None:
        key = (stop.id, esp_id, freeing)
        if key in self._reported or (note := self.note(stop, esp_id)) is None:
            return
        self._reported.add(key)
        what = "is still stopped" if freeing else "has not confirmed the emergency stop"
        self.record(
            EventKind.EMERGENCY_UNCONFIRMED,
            Severity.CRITICAL,
            f"{self.registry.called(esp_id)} {what}: {note}.",
            esp_id=esp_id,
            about=f"{stop.id} {freeing}",
            details={"stop": str(stop.id), "note": note},
        )

    def _tell_people(self, kind: EventKind, said: str, stop: EmergencyStop) -> None:
        self.record(
            kind,
            Severity.CRITICAL,
            f"{said}: {stop.reason}.",
            esp_id=stop.esp_id,
            about=str(stop.id),
            details={"stop": str(stop.id), "gpio": stop.gpio, "reason": stop.reason},
        )

    def _check(self, reason: str, esp_id: str | None, gpio: int | None) -> None:
        said = reason.strip()
        if not said.isprintable() or not 0 < len(said) <= LONGEST_REASON:
            raise BadInputError(f"reason must have 1 to {LONGEST_REASON} printable characters")
        if esp_id is None:
            if gpio is not None:
                raise BadInputError("an actuator is named by its espId and its gpio")
        elif self._tasks is None:
            return  # no device is known yet: better one stop too many
        elif self.registry.device(esp_id) is None:
            raise NotFoundError(f"no device {esp_id} is known")
        elif gpio is not None and self.registry.actuator(Pin(esp_id, gpio)) is None:
            raise NotFoundError(f"no actuator is known on GPIO {gpio} of {esp_id}")


def _in_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
