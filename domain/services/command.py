"""Commands: judged, stored, sent, answered, and stored again at every step.

A command outlives the request that gave it: it is carried through in a task of this service, so a
client that goes away cannot leave it half done.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from domain import safety
from domain.actuators import (
    ACK_TIMEOUT,
    LONGEST_DURATION,
    Actuator,
    Command,
    CommandAction,
    CommandStatus,
    Order,
    Pin,
)
from domain.devices import Device
from domain.emergency_latch import Latch
from domain.errors import (
    BadInputError,
    BrokerUnavailableError,
    ConflictError,
    DeviceSilentError,
    NotFoundError,
    StorageUnavailableError,
)
from domain.events import CommandChanged
from domain.ports import Clock, CommandLink, EventStream
from domain.repositories import Storage
from domain.services.guard import Guard
from domain.services.registry import Registry

MOST_OPEN = 256
"""Commands that may be under way at once, in all."""

OUTCOME_DEADLINE = 3 * ACK_TIMEOUT
"""How long a client waits: its turn on the pin, the device's answer, and storing the outcome."""


@dataclass(slots=True, kw_only=True)
class SendCommand:
    """Brings an actuator into a new state, or says why not.

    At most one command is under way per pin, since most firmware does not repeat the correlation
    id in its answer; the next ones wait for their turn in order.

    Attributes:
        latch: Knows the emergency stops that are in force.
        ended: Told of each command that came to its end.
    """

    storage: Storage
    registry: Registry
    latch: Latch
    link: CommandLink
    events: EventStream
    clock: Clock
    guard: Guard
    new_id: Callable[[], UUID]
    ended: Callable[[Command], None]
    _turns: dict[Pin, asyncio.Lock] = field(default_factory=dict, init=False)
    _open: int = field(default=0, init=False)
    _tasks: asyncio.TaskGroup | None = field(default=None, init=False)

    async def run(self) -> None:
        """Carry commands through until cancelled; first end those that a restart cut off."""
        await self.guard.insist(self._end_unfinished)
        async with asyncio.TaskGroup() as self._tasks:
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
            ConflictError: Too many commands are under way, or `run` does not run yet.
            StorageUnavailableError: Nothing could be stored, so nothing was sent; or the outcome
                could not be stored within `OUTCOME_DEADLINE`, and still will be.
        """
        actuator, device = self._look_up(order.pin)
        action, value = _resolved(order, actuator)
        if self._tasks is None:
            raise ConflictError("the server has only begun to start: try again in a moment")
        if self._open >= MOST_OPEN:
            raise ConflictError("too many commands are under way: try again in a moment")
        refused = self._refusal(action, value, actuator, device)
        now = self.clock.now()
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
        )
        async with self.storage.autocommit() as work:
            stored = await work.commands.add(command)
        if stored.id != command.id:
            return stored
        await self._tell(command)
        if refused:
            return command
        self._open += 1
        task = self._tasks.create_task(self._carry_through(command), name=f"command {command.id}")
        return await self._outcome(task) if wait else command

    async def _outcome(self, task: asyncio.Task[Command]) -> Command:
        try:
            async with asyncio.timeout(OUTCOME_DEADLINE.total_seconds()):
                return await asyncio.shield(task)
        except TimeoutError:
            raise StorageUnavailableError(
                "the command was sent, but its outcome is not stored yet: ask for it by its id"
            ) from None

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
        self, action: CommandAction, value: float, actuator: Actuator, device: Device
    ) -> str | None:
        stops = self.latch.covering(actuator.pin)
        return safety.refusal(action, value, actuator=actuator, device=device, stops=stops)

    async def _carry_through(self, command: Command) -> Command:
        turn = self._turns.setdefault(command.pin, asyncio.Lock())
        try:
            async with turn:
                command = await self._exchange(command)
        finally:
            self._open -= 1
        if command.status is CommandStatus.ACKNOWLEDGED:
            state = self._look_up(command.pin)[0].state
            self.registry.change_actuator(
                command.pin, state=replace(state, last_command_at=command.completed_at)
            )
        return command

    async def _exchange(self, command: Command) -> Command:
        actuator, device = self._look_up(command.pin)
        # Judged again: while it waited for its turn, the device may have gone or been disabled.
        refused = self._refusal(command.action, command.value, actuator, device)
        if refused:
            return await self._end(command, CommandStatus.REJECTED, refused)
        try:
            async with self.link.exchange(command, device.kaiser_id) as exchange:
                await exchange.publish()
                command = replace(command, status=CommandStatus.SENT, sent_at=self.clock.now())
                await self._save(command)
                response = await exchange.response()
        except BrokerUnavailableError as error:
            return await self._end(command, CommandStatus.FAILED, str(error))
        except DeviceSilentError as error:
            return await self._end(command, CommandStatus.TIMED_OUT, str(error))
        if response.success:
            return await self._end(command, CommandStatus.ACKNOWLEDGED, None)
        reason = response.message or "the device refused without a reason"
        return await self._end(command, CommandStatus.FAILED, reason)

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
                await work.commands.save(
                    replace(
                        command,
                        status=CommandStatus.TIMED_OUT,
                        reason="the server restarted before the device's answer was heard",
                        completed_at=self.clock.now(),
                    )
                )


def _resolved(order: Order, actuator: Actuator) -> tuple[CommandAction, float]:
    """Return what an order means: the action, never TOGGLE, and the value the pin is to become."""
    if order.duration is not None and not timedelta(0) < order.duration <= LONGEST_DURATION:
        raise BadInputError(f"duration must lie between 0 and {LONGEST_DURATION.days} days")
    if order.action is CommandAction.PWM:
        if order.value is None or not math.isfinite(order.value) or not 0 <= order.value <= 1:
            raise BadInputError("PWM takes a value between 0.0 and 1.0")
        return order.action, order.value
    if order.value is not None and order.value not in {0, 1}:
        raise BadInputError(f"{order.action} takes no value; use PWM for a part of full power")
    if order.action is CommandAction.TOGGLE:
        if actuator.state.reported_at is None:
            raise BadInputError("what the actuator does now was never heard: say ON or OFF")
        on = not actuator.state.is_active
        return (CommandAction.ON, 1.0) if on else (CommandAction.OFF, 0.0)
    return order.action, 1.0 if order.action is CommandAction.ON else 0.0
