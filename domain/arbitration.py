"""Who holds an actuator: of several who want different things of it, one has its way.

Pure. A person's command holds until its lease ends, or for as long as they say; what they switched
off stays off for `OVERRIDDEN_FOR`. A rule that holds its condition holds its actuators; a trigger
holds one for as long as the lease of its command lasts. A rule takes an actuator from a less
important one only; people take it from every rule, and every person from every other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.actuators import Command, CommandOrigin, CommandStatus, Pin
from domain.errors import BadInputError
from domain.leases import Lease
from domain.rules.model import EXECUTIONS_COUNTED, Rule, RuleMode
from domain.rules.notation import write_pin
from domain.safety import outranks
from domain.times import write_duration, write_instant

OVERRIDDEN_FOR = timedelta(minutes=30)
"""How long rules leave an actuator alone that a person switched off without saying how long."""

LONGEST_OVERRIDE = timedelta(days=7)

PEOPLE = frozenset({CommandOrigin.USER, CommandOrigin.API_KEY, CommandOrigin.REST})
"""Whose commands keep rules away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody that an actuator obeys.

    Attributes:
        rule_id: The rule; None: a person.
        name: Of the rule; empty for a person.
        priority: 1 is the most important rule; 0: a person.
        since: When it took hold.
        until: When it lets go; None: `lasting` says.
        lasting: Whether it holds until it lets go by itself; else until the lease of `command_id`
            ends.
        command_id: What was commanded; None: that is on its way.
        user_id: The person.
    """

    rule_id: UUID | None = None
    name: str = ""
    priority: int = 0
    since: datetime
    until: datetime | None = None
    lasting: bool = False
    command_id: UUID | None = None
    user_id: UUID | None = None

    @property
    def reason(self) -> str:
        """Why it holds, as a sentence."""
        if self.rule_id is not None:
            why = "its condition holds" if self.lasting else "it switched it on"
            return f"the rule {self.name} (priority {self.priority}) holds it: {why}"
        until = "what they switched on ends" if self.until is None else write_instant(self.until)
        return f"a person commands it: rules leave it alone until {until}"

    @classmethod
    def of_rule(cls, rule: Rule, now: datetime) -> "Holder":
        """Return a rule as a holder."""
        return cls(
            rule_id=rule.id,
            name=rule.name,
            priority=rule.priority,
            since=now,
            lasting=rule.mode is RuleMode.HOLD,
        )


def told(holder: Holder) -> dict[str, Any]:
    """Return who an actuator obeys, as JSON."""
    return {
        "kind": "PERSON" if holder.rule_id is None else "RULE",
        "ruleId": None if holder.rule_id is None else str(holder.rule_id),
        "name": holder.name or None,
        "userId": None if holder.user_id is None else str(holder.user_id),
        "priority": holder.priority,
        "since": write_instant(holder.since),
        "until": None if holder.until is None else write_instant(holder.until),
        "reason": holder.reason,
    }


@dataclass(slots=True, kw_only=True)
class Holders:
    """The holder of each actuator.

    Attributes:
        lease: Returns the lease of an actuator.
    """

    lease: Callable[[Pin], Lease | None]
    _held: dict[Pin, Holder] = field(default_factory=dict, init=False)

    def get(self, pin: Pin, now: datetime) -> Holder | None:
        """Return who holds an actuator."""
        holder = self._held.get(pin)
        if holder is not None and not self._is_in_force(pin, holder, now):
            del self._held[pin]
            return None
        return holder

    def claims(self, rule: Rule, ran: Sequence[datetime], now: datetime) -> dict[str, Any]:
        """Return what a rule has to say for itself, and who has what it wants, as JSON.

        Args:
            rule: The one that decided.
            ran: When it ran before, oldest first; as many as its limits look at.
            now: When it decided; nothing is claimed yet.
        """
        recent = [at for at in ran if at > now - EXECUTIONS_COUNTED]
        most = rule.max_executions_per_hour
        held = {pin: self.get(pin, now) for pin in rule.pins}
        return {
            "priority": rule.priority,
            "lastRanAt": write_instant(ran[-1]) if ran else None,
            "cooldown": write_duration(rule.cooldown),
            "executionsInTheHour": None if most is None else len(recent),
            "maxExecutionsPerHour": most,
            "heldBy": [
                {**write_pin(pin), **told(holder)} for pin, holder in held.items() if holder
            ],
        }

    def in_the_way(self, pin: Pin, rule: Rule, now: datetime) -> Holder | None:
        """Return who keeps a rule from an actuator: whoever is not less important."""
        holder = self.get(pin, now)
        if holder is None or holder.rule_id == rule.id:
            return None
        if outranks(rule.priority, holder.priority):
            return None
        return holder

    def claim(self, pin: Pin, rule: Rule, now: datetime) -> Holder | None:
        """Let a rule take hold of an actuator; return who is in its way, None: it has it."""
        other = self.in_the_way(pin, rule, now)
        if other is None:
            known = self._held.get(pin)
            if known is None or known.rule_id != rule.id or not known.lasting:
                self._held[pin] = Holder.of_rule(rule, now)
        return other

    def release(self, pin: Pin, rule_id: UUID) -> bool:
        """Let a rule let go; return whether it held the actuator."""
        holder = self._held.get(pin)
        if holder is None or holder.rule_id != rule_id:
            return False
        del self._held[pin]
        return True

    def commanded(self, pin: Pin, rule_id: UUID, command: Command | None) -> None:
        """A trigger's command came to its end: what it switched on it holds, all else not."""
        holder = self._held.get(pin)
        if holder is None or holder.rule_id != rule_id or holder.lasting:
            return
        if command is None or command.value == 0.0:
            del self._held[pin]
        else:
            self._held[pin] = replace(holder, command_id=command.id)

    def ended(self, rule_id: UUID) -> None:
        """A trigger's execution came to its end: what it has not commanded by now it lets go."""
        held = [
            pin
            for pin, holder in self._held.items()
            if holder.rule_id == rule_id and not holder.lasting and holder.command_id is None
        ]
        for pin in held:
            del self._held[pin]

    def overridden(self, command: Command) -> None:
        """A person commands, or their command came to its end: whoever held it before lets go."""
        under_way = command.status in {CommandStatus.PENDING, CommandStatus.SENT}
        self._held[command.pin] = Holder(
            since=command.created_at,
            until=command.override_until,
            command_id=None if under_way else command.id,
            user_id=command.user_id,
        )

    def load(
        self, commands: Iterable[Command], rule_of: Callable[[UUID], Rule | None], now: datetime
    ) -> None:
        """Take in what a restart must not forget.

        Args:
            commands: Those of leases, and those of people that say a time; oldest first.
            rule_of: Returns the rule of an execution.
            now: The time.
        """
        for command in commands:
            rule = None if command.execution_id is None else rule_of(command.execution_id)
            if command.origin in PEOPLE:
                self.overridden(replace(command, status=CommandStatus.ACKNOWLEDGED))
            elif rule is not None and rule.mode is RuleMode.TRIGGER:
                self._held[command.pin] = replace(
                    Holder.of_rule(rule, command.created_at), command_id=command.id
                )
            self.get(command.pin, now)

    def _is_in_force(self, pin: Pin, holder: Holder, now: datetime) -> bool:
        if holder.until is not None:
            return now < holder.until
        if holder.lasting or holder.command_id is None:
            return True
        lease = self.lease(pin)
        return lease is not None and lease.command_id == holder.command_id


def override_until(override_for: timedelta | None, value: float, now: datetime) -> datetime | None:
    """Return until when a person's command keeps rules away; None: until its lease ends.

    Raises:
        BadInputError: They ask for longer than anybody remembers it.
    """
    if override_for is None:
        return None if value > 0.0 else now + OVERRIDDEN_FOR
    if not timedelta(0) <= override_for <= LONGEST_OVERRIDE:
        raise BadInputError(f"overrideFor must lie between 0 and {LONGEST_OVERRIDE.days} days")
    return now + override_for
