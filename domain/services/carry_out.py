"""Carries out what a rule decided: stored first, then its actions, one after the other.

A command goes out once, however often the server restarts: its idempotency key names execution and
action. People are told at most once: that is noted before. An emergency stop, and enabling a rule,
which change nothing the second time, are noted afterwards: better twice than not at all. A delay is
a time in the database: a restart goes on where it is due, unless that is longer ago than
`RESUMED_WITHIN`; then of the rest only emergency stops are done.

An execution is carried out as a whole or not at all: while the device of one of its commands is
away, or somebody more important holds one of its actuators, none of them is touched; only an
emergency stop waits for nobody, and one that a rule begins with not even for the database.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.actuators import Command, CommandAction, CommandOrigin, CommandStatus, Order, Pin
from domain.arbitration import Holders
from domain.errors import ConflictError, DomainError
from domain.events import RuleExecuted
from domain.lease_book import LeaseBook
from domain.ports import Clock, EventStream
from domain.repositories import Storage
from domain.rule_executions import RESUMED_WITHIN, Remembered, RuleExecution, RuleOutcome
from domain.rules.decide import Step
from domain.rules.model import (
    Action,
    CommandStep,
    DelayStep,
    EmergencyStep,
    EnableRuleStep,
    NotifyStep,
    Rule,
    RuleMode,
)
from domain.services.command import SendCommand
from domain.services.emergency import Emergency
from domain.services.guard import Guard
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity

HOLD_LEASE = timedelta(minutes=10)
"""How long an actuator stays on that a rule holds, should the server be gone; renewed at half."""

Enable = Callable[[UUID, bool], Awaitable[object]]


@dataclass(slots=True, kw_only=True)
class CarryOut:
    """Does what rules decided.

    Attributes:
        enable: Enables or disables a rule.
    """

    storage: Storage
    registry: Registry
    holders: Holders
    leases: LeaseBook
    send: SendCommand
    emergency: Emergency
    record: RecordEvents
    events: EventStream
    clock: Clock
    guard: Guard
    enable: Enable

    # ------------------------------------------------------------ may it be done

    def obstacle(self, rule: Rule) -> str | None:
        """Return which devices a rule waits for; None: all that it commands are there."""
        away = [pin.esp_id for pin in rule.pins if not self.is_there(pin)]
        if not away:
            return None
        names = ", ".join(self.registry.called(esp_id) for esp_id in dict.fromkeys(away))
        return f"not there: {names}; it runs when that is back, if its condition still holds"

    def is_there(self, pin: Pin) -> bool:
        """Say whether the device of an actuator can be told something."""
        device = self.registry.device(pin.esp_id)
        return device is not None and device.online

    def claim(self, rule: Rule, now: datetime) -> str | None:
        """Take hold of a rule's actuators; return who keeps it from what it needs.

        A hold goes on with those that it gets, a trigger needs them all.
        """
        found = {pin: self.holders.in_the_way(pin, rule, now) for pin in rule.pins}
        free = [pin for pin, other in found.items() if other is None]
        reasons = [f"{self._called(pin)}: {other.reason}" for pin, other in found.items() if other]
        if reasons and (rule.mode is RuleMode.TRIGGER or not free):
            return "; ".join(reasons)
        for pin in free:
            self.holders.claim(pin, rule, now)
        return None

    def _called(self, pin: Pin) -> str:
        actuator = self.registry.actuator(pin)
        return f"GPIO {pin.gpio} of {pin.esp_id}" if actuator is None else actuator.name

    # ------------------------------------------------------------ executions

    async def store(self, execution: RuleExecution, remembered: Remembered) -> None:
        """Store an execution and what the rule remembers, at once; before anything is done."""

        async def store() -> None:
            async with self.storage.autocommit() as work:
                await work.rule_executions.add(execution, remembered)

        await self.guard.insist(store)
        await self.events.publish(RuleExecuted(execution))

    async def save(self, execution: RuleExecution) -> None:
        """Store how far an execution has come."""

        async def save() -> None:
            async with self.storage.autocommit() as work:
                await work.rule_executions.save(execution)

        await self.guard.insist(save)
        if execution.outcome is not RuleOutcome.RUNNING:
            await self.events.publish(RuleExecuted(execution))

    async def go_on(self, execution: RuleExecution, rule: Rule) -> RuleExecution:
        """Carry out an execution from where it is, to its end or to the next delay.

        Args:
            execution: As it is stored.
            rule: The rule in the version that it runs.

        Returns:
            The execution as it is stored now.
        """
        late = self.clock.now() - (execution.resume_at or execution.triggered_at)
        if late > RESUMED_WITHIN:
            return await self._give_up(execution, rule, "the server was away")
        began, actions = self.clock.monotonic(), actions_of(execution, rule)
        done, wrong = execution.place, [execution.reason] if execution.reason else []
        for place in range(execution.place, len(actions)):
            if self._is_late(began):
                so_far = replace(execution, place=place, reason="; ".join(wrong) or None)
                return await self._give_up(so_far, rule, "the database was away")
            action = actions[place]
            if isinstance(action, DelayStep):
                execution = replace(
                    execution,
                    place=place + 1,
                    resume_at=self.clock.now() + action.time,
                    reason="; ".join(wrong) or None,
                )
                await self.save(execution)
                return execution
            if isinstance(action, NotifyStep):
                execution = await self._note(execution, place + 1)
            problem = await self._do(action, rule, execution, place)
            if isinstance(action, EmergencyStep | EnableRuleStep):
                execution = await self._note(execution, place + 1)
            if problem is None:
                done += 1
            else:
                wrong.append(problem)
        return await self._finish(execution, len(actions), done, wrong)

    def _is_late(self, began: float) -> bool:
        return self.clock.monotonic() - began > RESUMED_WITHIN.total_seconds()

    async def _give_up(self, execution: RuleExecution, rule: Rule, why: str) -> RuleExecution:
        """End an execution that is too late: of the rest only emergency stops are done."""
        for action in actions_of(execution, rule)[execution.place :]:
            if isinstance(action, EmergencyStep):
                await self._do(action, rule, execution, execution.place)
        return await self.drop(execution, f"{why}, and it was too late to go on")

    async def _note(self, execution: RuleExecution, place: int) -> RuleExecution:
        execution = replace(execution, place=place, resume_at=None)
        await self.save(execution)
        return execution

    async def drop(self, execution: RuleExecution, reason: str) -> RuleExecution:
        """End an execution that is under way: what is left of it is not done."""
        said = reason if execution.reason is None else f"{execution.reason}; {reason}"
        ended = replace(
            execution,
            outcome=RuleOutcome.PARTLY if execution.place else RuleOutcome.FAILED,
            reason=said,
            resume_at=None,
            completed_at=self.clock.now(),
        )
        return await self._end(ended)

    async def was_not_sent(self, execution: RuleExecution) -> bool:
        """Say whether none of its commands reached the broker, so that all may be repeated."""

        async def find() -> Sequence[Command]:
            async with self.storage.autocommit() as work:
                return (await work.commands.of_executions([execution.id])).get(execution.id, ())

        commands = await self.guard.insist(find)
        return bool(commands) and all(command.sent_at is None for command in commands)

    async def version(self, rule: Rule, version: int) -> Rule:
        """Return a rule as it was in another version."""
        if version == rule.version:
            return rule

        async def find() -> Rule | None:
            async with self.storage.autocommit() as work:
                return await work.rules.version(rule.id, version)

        return await self.guard.insist(find) or rule

    async def _finish(
        self, execution: RuleExecution, place: int, done: int, wrong: Sequence[str]
    ) -> RuleExecution:
        outcome = RuleOutcome.SUCCEEDED
        if wrong:
            outcome = RuleOutcome.PARTLY if done else RuleOutcome.FAILED
        ended = replace(
            execution,
            place=place,
            resume_at=None,
            outcome=outcome,
            reason="; ".join(wrong) or None,
            completed_at=self.clock.now(),
        )
        return await self._end(ended)

    async def _end(self, execution: RuleExecution) -> RuleExecution:
        await self.save(execution)
        self.holders.ended(execution.rule_id)
        return execution

    def tell_not_done(self, rule: Rule, reason: str) -> None:
        """Tell people that a rule could not do what it is for."""
        self.record(
            EventKind.RULE_NOT_DONE,
            Severity.WARNING,
            f"The rule {rule.name} could not do what it is for: {reason}.",
            about=str(rule.id),
            details={"rule_id": str(rule.id), "version": rule.version},
        )

    # ------------------------------------------------------------ actions

    async def _do(
        self, action: Action, rule: Rule, execution: RuleExecution, place: int
    ) -> str | None:
        """Do one action; return what went wrong."""
        try:
            match action:
                case CommandStep():
                    return await self._command(action, rule, execution, place)
                case NotifyStep():
                    self._notify(action, rule, execution)
                case EmergencyStep():
                    await self.stop(action, rule)
                case EnableRuleStep():
                    await self.enable(action.rule_id, action.enabled)
                case DelayStep():
                    raise AssertionError("a delay is no action of its own")
        except DomainError as error:
            return str(error)
        return None

    def _notify(self, action: NotifyStep, rule: Rule, execution: RuleExecution) -> None:
        self.record(
            EventKind.RULE_NOTIFIED,
            action.severity,
            action.message,
            about=str(execution.id),
            details={"rule_id": str(rule.id), "rule": rule.name, "version": rule.version},
        )

    async def stop_first(self, rule: Rule) -> None:
        """Press the stops that a rule begins with: they wait for nothing, nor for the database.

        What goes wrong is said when its execution comes to them.
        """
        for action in rule.actions:
            if isinstance(action, EmergencyStep):
                with suppress(DomainError):
                    await self.stop(action, rule)
            elif not isinstance(action, NotifyStep):
                return

    async def stop(self, action: EmergencyStep, rule: Rule) -> None:
        """Press the emergency stop; whoever sees it reads which rule did."""
        await self.emergency.stop_once(
            action.reason, f"rule {rule.name}", esp_id=action.esp_id, gpio=action.gpio
        )

    async def _command(
        self, action: CommandStep, rule: Rule, execution: RuleExecution, place: int
    ) -> str | None:
        pin, now = action.pin, self.clock.now()
        if execution.step is Step.HOLD_ENDS:
            holder = self.holders.get(pin, now)
            if holder is not None and holder.rule_id != rule.id:
                return None  # somebody took it: it is not this rule's to switch off
        elif (other := self.holders.claim(pin, rule, now)) is not None:
            return f"{self._called(pin)}: {other.reason}"
        order = self.order(action, rule, execution.id)
        order = replace(order, idempotency_key=f"rule {execution.id} {place}")
        command = None
        try:
            command = await self._insist(order)
        finally:
            if execution.step is Step.HOLD_ENDS:
                self.holders.release(pin, rule.id)
            else:
                ended = command if command is not None and _may_be_on(command) else None
                self.holders.commanded(pin, rule.id, ended)
        return None if command.status is CommandStatus.ACKNOWLEDGED else _said(command)

    async def _insist(self, order: Order) -> Command:
        """Give a command however often the database fails, but nothing except OFF for long.

        Raises:
            ConflictError: The database was away until it was too late.
        """
        began = self.clock.monotonic()

        async def give() -> Command:
            if self._is_late(began) and order.action is not CommandAction.OFF:
                raise ConflictError("the database was away, and it was too late to go on")
            return await self.send(order)

        return await self.guard.insist(give)

    def order(self, action: CommandStep, rule: Rule, execution_id: UUID) -> Order:
        """Return what a rule wants of an actuator."""
        holds = rule.mode is RuleMode.HOLD and action.action is not CommandAction.OFF
        return Order(
            pin=action.pin,
            action=action.action,
            value=action.value,
            duration=HOLD_LEASE if holds else action.duration,
            origin=CommandOrigin.RULE,
            execution_id=execution_id,
            rule_id=rule.id,
            priority=rule.priority,
        )

    async def renew(self, rule: Rule, execution_id: UUID) -> None:
        """Keep actuators as a hold commands them: tell those whose lease ends, or is gone.

        What would be refused is not asked for every half minute.
        """
        for action in self.untold(rule):
            order = self.order(action, rule, execution_id)
            with suppress(DomainError):  # it is renewed again soon
                if self.send.judge(order) is None:
                    await self.send(order)

    def untold(self, rule: Rule) -> Sequence[CommandStep]:
        """Return how a rule that holds would have actuators that must be told so now."""
        return [action for action in kept(rule) if self._needs_telling(action, rule)]

    def _needs_telling(self, action: CommandStep, rule: Rule) -> bool:
        now = self.clock.now()
        if not self.is_there(action.pin) or self.holders.claim(action.pin, rule, now) is not None:
            return False
        lease = self.leases.get(action.pin)
        wanted = 1.0 if action.value is None else action.value
        if wanted == 0.0:
            return lease is not None
        if lease is None or not lease.confirmed or lease.value != wanted:
            return True
        return lease.until - now < HOLD_LEASE / 2


def actions_of(execution: RuleExecution, rule: Rule) -> Sequence[Action]:
    """Return what an execution does.

    Args:
        execution: One of this rule.
        rule: In the version that it runs.
    """
    match execution.step:
        case Step.HOLD_ENDS:
            return rule.switched_off()
        case Step.HOLD_RENEWS:
            return kept(rule)
        case _:
            return rule.actions


def kept(rule: Rule) -> Sequence[CommandStep]:
    """Return how a rule that holds keeps its actuators: the last command to each, if it is on."""
    last = {action.pin: action for action in rule.actions if isinstance(action, CommandStep)}
    return [action for action in last.values() if action.action is not CommandAction.OFF]


def _may_be_on(command: Command) -> bool:
    return command.status in {CommandStatus.ACKNOWLEDGED, CommandStatus.TIMED_OUT}


def _said(command: Command) -> str:
    return f"{command.status}: {command.reason or 'nobody knows why'}"
