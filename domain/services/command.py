"""Commands: judged, stored, sent, answered, and stored again at every step.

A command outlives the request that gave it: it is carried through in a task of this service, so a
client that goes away cannot leave it half done. What switches something on has a lease before it
leaves, in the database too: whatever happens then, somebody knows when it is to be off again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain import safety
from domain.actuators import (
    ACK_TIMEOUT,
    Actuator,
    Command,
    CommandAction,
    CommandOrigin,
    CommandStatus,
    Order,
    Pin,
)
from domain.arbitration import PEOPLE, Holder, override_until, told
from domain.commands import are_the_same, resolved
from domain.devices import Device
from domain.emergency_latch import Latch
from domain.errors import (
    BrokerUnavailableError,
    ConflictError,
    DeviceSilentError,
    NotFoundError,
    StorageRejectedError,
    StorageUnavailableError,
)
from domain.events import CommandChanged
from domain.lease_book import LeaseBook
from domain.leases import Lease, Moment
from domain.ports import Clock, CommandLink, EventStream
from domain.repositories import Storage
from domain.safeguards import NO_INTERLOCKS, Interlocks
from domain.services.guard import Guard
from domain.services.registry import Registry

_NEVER_LEFT = frozenset({CommandStatus.REJECTED, CommandStatus.EXPIRED, CommandStatus.SUPERSEDED})

MOST_OPEN = 256
"""Commands that may be under way at once, in all."""

STORED_WITHIN = timedelta(seconds=5)
"""How long a client waits for the outcome to be stored, once there is one."""


@dataclass(slots=True)
class _UnderWay:
    """A command that has not come to its end.

    Attributes:
        leaves_by: Monotonic seconds by which it must have left: nobody is to be surprised by what
            they asked for long ago.
        task: Carries it through.
        superseded: Whether somebody said OFF after it: what has not left by then must not.
    """

    order: Order
    leaves_by: float
    task: "asyncio.Task[Command]"
    superseded: bool = False


@dataclass(slots=True, kw_only=True)
class SendCommand:
    """Brings an actuator into a new state, or says why not.

    At most one command is under way per pin, since most firmware does not repeat the correlation
    id in its answer; the next ones wait for their turn in order, for twice as long as a device may
    take to answer: then they expire. What has not left when somebody says OFF never leaves.

    Attributes:
        latch: Knows the emergency stops that are in force.
        leases: Knows until when each actuator may be on.
        ended: Told of each command that came to its end.
        ready: Set once commands can be given.
        people: Told of each command of a person, when it is stored and when it came to its end.
        holder: Knows who has an actuator: people take it from them, rules only from some.
        interlocks: Knows what must hold for an actuator to be on, and what is the case.
        answered_within: How long the link waits for a device's answer.
    """

    storage: Storage
    registry: Registry
    latch: Latch
    leases: LeaseBook
    link: CommandLink
    events: EventStream
    clock: Clock
    guard: Guard
    new_id: Callable[[], UUID]
    ended: Callable[[Command], None]
    people: Callable[[Command], None] = lambda _command: None
    holder: Callable[[Pin, datetime], Holder | None] = lambda _pin, _now: None
    interlocks: Callable[[Pin], Interlocks] = lambda _pin: NO_INTERLOCKS
    answered_within: timedelta = ACK_TIMEOUT
    _turns: dict[Pin, asyncio.Lock] = field(default_factory=dict, init=False)
    _under_way: dict[UUID, _UnderWay] = field(default_factory=dict, init=False)
    _tasks: asyncio.TaskGroup | None = field(default=None, init=False)
    _made_at: datetime = field(init=False)
    ready: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """What is open and older than this object, a restart cut off."""
        self._made_at = self.clock.now()

    async def run(self) -> None:
        """Carry commands through until cancelled; first end those that a restart cut off."""
        await self.guard.insist(self._end_unfinished)
        async with asyncio.TaskGroup() as self._tasks:
            self.ready.set()
            await asyncio.Event().wait()

    async def __call__(self, order: Order, *, wait: bool = True) -> Command:
        """Give a command.

        Args:
            order: What is wanted.
            wait: Whether to return only when the device answered or its time was up.

        Returns:
            The command: with `wait` in its final status, else PENDING or REJECTED.
            A known idempotency key returns the command stored under it, and nothing is sent.

        Raises:
            NotFoundError: Nothing is known to hang on this pin.
            BadInputError: The order makes no sense.
            ConflictError: Too many commands are under way, `run` does not run yet, or another
                command was given with this idempotency key.
            StorageUnavailableError: Nothing could be stored, so nothing was sent; or the outcome
                could not be stored within `STORED_WITHIN`, and still will be.
        """
        actuator, device = self._look_up(order.pin)
        action, value = resolved(order, self._is_on(actuator))
        if self._tasks is None:
            raise ConflictError("the server has only begun to start: try again in a moment")
        if len(self._under_way) >= MOST_OPEN:
            off = self._insist_on_off(order.pin, value)
            raise ConflictError(f"too many commands are under way: try again in a moment{off}")
        refused = self._refusal(action, value, order, actuator, device)
        now = self.clock.now()
        person = order.origin in PEOPLE
        holder = self.holder(order.pin, now) if person else None
        command = Command(
            id=self.new_id(),
            actuator_id=actuator.id,
            pin=order.pin,
            action=action,
            value=value,
            duration=order.duration,
            status=CommandStatus.REJECTED if refused else CommandStatus.PENDING,
            reason=refused,
            origin=order.origin,
            user_id=order.user_id,
            idempotency_key=order.idempotency_key,
            created_at=now,
            completed_at=now if refused else None,
            override_until=override_until(order.override_for, value, now) if person else None,
            execution_id=order.execution_id,
            arbitration=None if holder is None else told(holder),
        )
        try:
            async with self.storage.autocommit() as work:
                stored = await work.commands.add(command)
        except StorageUnavailableError as error:
            raise StorageUnavailableError(
                f"{error}{self._insist_on_off(order.pin, value)}"
            ) from error
        if stored.id != command.id:
            return await self._repeated(order, command, stored, wait=wait)
        await self._tell(command)
        if refused:
            self._insist_on_off(order.pin, value)
            return command
        if person:
            self.people(command)
        if value == 0.0:
            self._supersede(order.pin)
        task = self._tasks.create_task(self._carry_through(command), name=f"command {command.id}")
        leaves_by = self.clock.monotonic() + self._leaves_within.total_seconds()
        self._under_way[command.id] = _UnderWay(order, leaves_by, task)
        return await self._outcome(task) if wait else command

    def judge(self, order: Order) -> str | None:
        """Say why an order would be refused now; None: it would go out.

        Raises:
            NotFoundError: Nothing is known to hang on this pin.
            BadInputError: The order makes no sense.
        """
        actuator, device = self._look_up(order.pin)
        action, value = resolved(order, self._is_on(actuator))
        return self._refusal(action, value, order, actuator, device)

    @property
    def _leaves_within(self) -> timedelta:
        """How long a command may wait before it leaves."""
        return 2 * self.answered_within

    async def _repeated(
        self, order: Order, command: Command, stored: Command, *, wait: bool
    ) -> Command:
        """Return the command that was given with the same idempotency key.

        Raises:
            ConflictError: That was another one: nobody is to believe that this one was done.
        """
        if not are_the_same(order, command, stored):
            raise ConflictError(
                "another command was given with this idempotencyKey "
                f"({stored.action} of GPIO {stored.pin.gpio} of {stored.pin.esp_id}): nothing was "
                "sent; take a new key for each new command"
            )
        known = self._under_way.get(stored.id)
        return await self._outcome(known.task) if wait and known else stored

    async def _outcome(self, task: asyncio.Task[Command]) -> Command:
        longest = self._leaves_within + self.answered_within + STORED_WITHIN
        try:
            async with asyncio.timeout(longest.total_seconds()):
                return await asyncio.shield(task)
        except TimeoutError:
            raise StorageUnavailableError(
                "what came of the command is not stored yet: ask for it by its id"
            ) from None

    def _is_on(self, actuator: Actuator) -> bool | None:
        """Say whether an actuator is on; None: nobody knows.

        It is while it has a lease, or where its device said so after the last command that it
        confirmed: reports come later than answers, and one from before would be obeyed twice.
        """
        if self.leases.get(actuator.pin) is not None:
            return True
        state = actuator.state
        if state.reported_at is None:
            return None if state.last_command_at is None else False
        if state.last_command_at is not None and state.last_command_at > state.reported_at:
            return False
        return state.is_active

    def _look_up(self, pin: Pin) -> tuple[Actuator, Device]:
        actuator, device = self.registry.actuator(pin), self.registry.device(pin.esp_id)
        if device is None:
            raise NotFoundError(f"no device {pin.esp_id} is known")
        if actuator is None:
            raise NotFoundError(
                f"no actuator is known on GPIO {pin.gpio} of {pin.esp_id}: add it with setActuator"
            )
        return actuator, device

    def _refusal(
        self,
        action: CommandAction,
        value: float,
        order: Order,
        actuator: Actuator,
        device: Device,
    ) -> str | None:
        health = self.registry.health(device.esp_id)
        return safety.refusal(
            safety.Wish(
                action=action,
                value=value,
                origin=order.origin,
                actuator=actuator,
                device=device,
                safe_mode=health is not None and health.safe_mode,
                stops=self.latch.covering(actuator.pin),
                usage=self.leases.usage(actuator.pin, self._now()),
                interlocks=self.interlocks(actuator.pin),
                priority=order.priority,
                holder=self._other_holder(order),
            )
        )

    def _other_holder(self, order: Order) -> safety.Holder | None:
        holder = self.holder(order.pin, self.clock.now())
        if holder is None or holder.rule_id == order.rule_id:
            return None
        return safety.Holder(reason=holder.reason, priority=holder.priority)

    async def _carry_through(self, command: Command) -> Command:
        turn = self._turns.setdefault(command.pin, asyncio.Lock())
        try:
            async with turn:
                command = await self._exchange(command)
        finally:
            del self._under_way[command.id]
        if command.origin in PEOPLE:
            self.people(command)
        if command.status is CommandStatus.ACKNOWLEDGED:
            state = self._look_up(command.pin)[0].state
            self.registry.change_actuator(
                command.pin, state=replace(state, last_command_at=command.completed_at)
            )
        return command

    async def _exchange(self, command: Command) -> Command:
        try:
            device = self._judge_again(command)
        except _WithheldError as error:
            self._insist_on_off(command.pin, command.value)
            return await self._end(command, error.status, error.reason)
        if command.value > 0.0:
            return await self._switch_on(command, device)
        lease = self.leases.asked_off(command.pin)
        command = await self._talk(command, command, device)
        if command.status is CommandStatus.ACKNOWLEDGED:
            if lease is not None:
                self.leases.passed_on(command.pin, lease.id)
            self.leases.off(command.pin, self._now(), answered=True)
        else:
            self._insist_on_off(command.pin, command.value)
        return command

    async def _switch_on(self, command: Command, device: Device) -> Command:
        pin, actuator = command.pin, self._look_up(command.pin)[0]
        lease = self.leases.grant(
            self.new_id(),
            actuator,
            command.value,
            command.duration,
            self._now(),
            command_id=command.id,
        )
        sent = replace(command, status=CommandStatus.SENT, sent_at=self.clock.now())
        try:
            await self._store_lease(lease, sent)
            # While it was stored, somebody may have pressed the emergency stop.
            self._judge_again(command)
        except _WithheldError as error:
            self.leases.failed(pin, lease.id, self._now(), refused=True)
            return await self._end(command, error.status, error.reason)
        await self._tell(sent)
        ended = await self._talk(sent, replace(sent, duration=lease.length), device)
        if ended.status is CommandStatus.ACKNOWLEDGED:
            self.leases.confirmed(pin, lease.id)
        elif ended.status in _NEVER_LEFT:
            self.leases.failed(pin, lease.id, self._now(), refused=True)
        elif ended.status is CommandStatus.FAILED:
            refused = ended.sent_at is not None
            self.leases.failed(pin, lease.id, self._now(), refused=refused)
        return ended

    async def _store_lease(self, lease: Lease, sent: Command) -> None:
        """Store what must be known before the command leaves.

        Raises:
            _WithheldError: It could not be stored.
        """
        try:
            async with self.storage.autocommit() as work:
                await work.leases.grant(lease, sent)
        except (StorageUnavailableError, StorageRejectedError) as error:
            why = f"until when it may be on could not be stored, so nothing was sent: {error}"
            raise _WithheldError(CommandStatus.REJECTED, why) from error

    async def _talk(self, command: Command, said: Command, device: Device) -> Command:
        """Tell the device, and return the command as it ended.

        Args:
            command: As it is stored; SENT where that is stored already.
            said: As the device is told.
            device: The device.
        """
        stored = command.status is CommandStatus.SENT

        def permit() -> None:
            self._judge_again(command)

        try:
            async with self.link.exchange(said, device.kaiser_id) as exchange:
                await exchange.publish(permit)
                if not stored:
                    command = replace(command, status=CommandStatus.SENT, sent_at=self.clock.now())
                    await self._save(command)
                response = await exchange.response()
        except _WithheldError as error:
            unsent = replace(command, sent_at=None)
            return await self._end(unsent, error.status, error.reason)
        except BrokerUnavailableError as error:
            unsent = replace(command, sent_at=None)
            return await self._end(unsent, CommandStatus.FAILED, str(error))
        except DeviceSilentError as error:
            return await self._end(command, CommandStatus.TIMED_OUT, str(error))
        if response.success:
            return await self._end(command, CommandStatus.ACKNOWLEDGED, None)
        reason = response.message or "the device refused without a reason"
        return await self._end(command, CommandStatus.FAILED, reason)

    def _judge_again(self, command: Command) -> Device:
        """Judge a command whose turn it is: the device may have gone, or been stopped meanwhile.

        Raises:
            _WithheldError: It must not leave any more.
        """
        known = self._under_way[command.id]
        if self.clock.monotonic() > known.leaves_by:
            late = safety.told(self._leaves_within)
            why = f"it could not leave within {late}: give it again if it is still wanted"
            raise _WithheldError(CommandStatus.EXPIRED, why)
        try:
            actuator, device = self._look_up(command.pin)
        except NotFoundError as error:
            raise _WithheldError(CommandStatus.REJECTED, str(error)) from error
        refused = self._refusal(command.action, command.value, known.order, actuator, device)
        if refused is not None:
            raise _WithheldError(CommandStatus.REJECTED, refused)
        if known.superseded and command.value > 0.0:
            raise _WithheldError(CommandStatus.SUPERSEDED, "OFF was given after it")
        return device

    def _supersede(self, pin: Pin) -> None:
        for known in self._under_way.values():
            if known.order.pin == pin:
                known.superseded = True

    def _insist_on_off(self, pin: Pin, value: float) -> str:
        """Have what was to be off switched off by the watchdog, though a command did not do it.

        Returns:
            The end of a sentence that says so; empty where nothing is on.
        """
        if value or self.leases.get(pin) is None:
            return ""
        self.leases.end(pin, self._now())
        return "; it is switched off all the same"

    def _now(self) -> Moment:
        return Moment(self.clock.now(), self.clock.monotonic())

    async def _end(self, command: Command, status: CommandStatus, reason: str | None) -> Command:
        command = replace(command, status=status, reason=reason, completed_at=self.clock.now())
        await self._save(command)
        self.ended(command)
        return command

    async def _save(self, command: Command) -> None:
        async def save() -> None:
            async with self.storage.autocommit() as work:
                await work.commands.save(command)

        await self.guard.insist(save)
        await self._tell(command)

    async def _tell(self, command: Command) -> None:
        device = self.registry.device(command.pin.esp_id)
        if device is not None and device.approved:
            await self.events.publish(CommandChanged(command))

    async def _end_unfinished(self) -> None:
        async with self.storage.unit_of_work() as work:
            for command in await work.commands.unfinished():
                if self._is_of_the_watchdog(command):
                    continue
                # What switches on is SENT in the database before it leaves.
                left = command.status is CommandStatus.SENT or command.value == 0.0
                await work.commands.save(
                    replace(
                        command,
                        status=CommandStatus.TIMED_OUT if left else CommandStatus.EXPIRED,
                        reason="the server restarted before "
                        + ("the device's answer was heard" if left else "it was sent"),
                        completed_at=self.clock.now(),
                    )
                )

    def _is_of_the_watchdog(self, command: Command) -> bool:
        """Whether it was given since this server began: nobody else gives any yet."""
        return command.origin is CommandOrigin.SAFETY and command.created_at > self._made_at


class _WithheldError(Exception):
    """A command must not leave, or not any more: how it ends, and why."""

    def __init__(self, status: CommandStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
