"""People make, change and end rules; what makes no sense is refused, each finding at its place."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from domain.actuators import MODES, ActuatorMode, CommandAction, Pin
from domain.arbitration import Holders
from domain.errors import NotFoundError
from domain.ports import Clock
from domain.repositories import Storage
from domain.rule_executions import StoredRule
from domain.rules.checks import Known, check
from domain.rules.conditions import in_units, watched_actuators
from domain.rules.fields import Finding, Findings
from domain.rules.model import (
    CommandStep,
    EmergencyStep,
    EnableRuleStep,
    Rule,
    RuleMode,
)
from domain.rules.notation import USUAL, Defaults
from domain.rules.rule_notation import read_rule
from domain.services.automate import Automate
from domain.services.registry import Registry


@dataclass(slots=True, kw_only=True)
class ManageRules:
    """Stores a decision about a rule, then puts it to work.

    Attributes:
        unit_of: In which unit a sensor type is measured; None: nobody knows.
        defaults: What is meant where a rule does not say it.
    """

    storage: Storage
    registry: Registry
    clock: Clock
    automate: Automate
    new_id: Callable[[], UUID]
    unit_of: Callable[[str], str | None] = lambda _sensor_type: None
    defaults: Defaults = USUAL
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def holders(self) -> Holders:
        """Who holds which actuator."""
        return self.automate.carry_out.holders

    async def create(self, given: object, user_id: UUID | None = None) -> StoredRule:
        """Make a rule.

        Args:
            given: The shape of `RuleInput`.
            user_id: Who makes it.

        Raises:
            FindingsError: It says all that is wrong, each with its place.
        """
        async with self._turn:
            rule = self.read(given, self.new_id(), 1)
            now = self.clock.now()
            stored = StoredRule(rule=rule, created_at=now, updated_at=now)
            async with self.storage.autocommit() as work:
                await work.rules.add(stored, user_id)
            self.automate.put(stored)
        return stored

    async def update(self, rule_id: UUID, given: object, user_id: UUID | None = None) -> StoredRule:
        """Give a rule another version: what it holds it lets go, and begins again as it is now.

        Raises:
            NotFoundError: No such rule is known.
            FindingsError: It says all that is wrong, each with its place.
        """
        async with self._turn:
            known = self.find(rule_id)
            rule = self.read(given, rule_id, known.rule.version + 1)
            stored = replace(known, rule=rule, updated_at=self.clock.now())
            await self._save(stored, user_id)
        return stored

    async def set_enabled(self, rule_id: UUID, enabled: bool) -> StoredRule:  # noqa: FBT001 - the only thing it is told
        """Enable or disable a rule.

        Raises:
            NotFoundError: No such rule is known.
            FindingsError: Enabled, it would fight with another one.
        """
        async with self._turn:
            known = self.find(rule_id)
            if known.rule.enabled is enabled:
                return known
            rule = replace(known.rule, enabled=enabled)
            if enabled:
                findings = Findings()
                self._check_others(rule, findings)
                findings.require_none()
            stored = replace(known, rule=rule, updated_at=self.clock.now())
            await self._save(stored, None)
        return stored

    async def delete(self, rule_id: UUID) -> None:
        """End a rule; what it did is still known.

        Raises:
            NotFoundError: No such rule is known.
        """
        async with self._turn:
            known, now = self.find(rule_id), self.clock.now()
            async with self.storage.autocommit() as work:
                await work.rules.save(replace(known, updated_at=now, deleted_at=now), None)
            self.automate.remove(rule_id)

    def find(self, rule_id: UUID) -> StoredRule:
        """Return a rule that is at work.

        Raises:
            NotFoundError: No such rule is known.
        """
        live = self.automate.get(rule_id)
        if live is None:
            raise NotFoundError("no such rule is known")
        return live.stored

    def read(self, given: object, rule_id: UUID, version: int = 1) -> Rule:
        """Read a rule; every limit has the unit that its sensor measures in, where it says none.

        Raises:
            FindingsError: It says all that is wrong, each with its place.
        """
        rule = read_rule(given, rule_id, version, self.defaults)
        self.check(rule).require_none()
        unit = partial(self.automate.world.unit, unit_of=self.unit_of)
        return replace(rule, condition=in_units(rule.condition, unit))

    async def _save(self, stored: StoredRule, user_id: UUID | None) -> None:
        async with self.storage.autocommit() as work:
            await work.rules.save(stored, user_id)
        self.automate.put(stored)

    # ------------------------------------------------------------ what fits

    def warnings(self, rule: Rule) -> Sequence[Finding]:
        """Return what of a rule is not there yet."""
        return [finding for finding in self.check(rule).all if finding.warning]

    def check(self, rule: Rule) -> Findings:
        """Return what does not fit of a rule, and as warnings what is not there yet."""
        findings = check(rule.condition, self.known())
        for place, action in enumerate(rule.actions):
            match action:
                case CommandStep():
                    self._check_command(action, rule, f"actions[{place}].command", findings)
                case EnableRuleStep() if action.rule_id != rule.id:
                    if self.automate.get(action.rule_id) is None:
                        findings.add(f"actions[{place}].setRuleEnabled.id", "no such rule is known")
                case EmergencyStep() if action.esp_id is not None:
                    if self.registry.device(action.esp_id) is None:
                        findings.add(
                            f"actions[{place}].emergencyStop.espId",
                            "is not there yet",
                            warning=True,
                        )
        self._check_others(rule, findings)
        return findings

    def known(self) -> Known:
        """Return what is there."""
        return Known(
            sensors={
                sensor.key: sensor.unit or self.unit_of(sensor.key.sensor_type)
                for sensor in self.registry.sensors()
            },
            devices={device.esp_id for device in self.registry.devices()},
            actuators={
                actuator.pin
                for device in self.registry.devices()
                for actuator in self.registry.actuators_of(device.esp_id)
            },
        )

    def _check_command(
        self, action: CommandStep, rule: Rule, place: str, findings: Findings
    ) -> None:
        if rule.mode is RuleMode.HOLD and action.action is CommandAction.TOGGLE:
            findings.add(f"{place}.action", "a rule that holds must say ON, OFF or PWM")
        actuator = self.registry.actuator(action.pin)
        if actuator is None:
            findings.add(f"{place}.actuator", "is not there yet", warning=True)
            return
        digital = MODES.get(actuator.actuator_type) is ActuatorMode.DIGITAL
        if action.action is CommandAction.PWM and digital and action.value not in {0, 1}:
            kind = actuator.actuator_type
            findings.add(f"{place}.action", f"a {kind} can only be switched on or off")
        if not actuator.enabled:
            findings.add(f"{place}.actuator", "it is disabled", warning=True)

    def _check_others(self, rule: Rule, findings: Findings) -> None:
        others = [
            stored.rule
            for stored in self.automate.rules()
            if stored.rule.id != rule.id and stored.rule.enabled
        ]
        if (loop := next(_loops(rule, others), None)) is not None:
            path = " -> ".join(f"{one.name!r}" for one in loop)
            findings.add("actions", f"a rule must not drive itself in a loop: {path}")
        if not rule.enabled:
            return
        for other in others:
            for pin in rule.pins:
                if other.priority == rule.priority and _fight(rule, other, pin):
                    findings.add(
                        "priority",
                        f"the rule {other.name!r} wants something else of GPIO {pin.gpio} of "
                        f"{pin.esp_id} with the same priority {rule.priority}: say who wins",
                    )


def _fight(rule: Rule, other: Rule, pin: Pin) -> bool:
    """Say whether two rules want different things of an actuator."""
    wanted, theirs = _wishes(rule, pin), _wishes(other, pin)
    return bool(theirs) and wanted != theirs


def _wishes(rule: Rule, pin: Pin) -> set[tuple[CommandAction, float | None]]:
    wishes = {
        (action.action, action.value)
        for action in rule.actions
        if isinstance(action, CommandStep) and action.pin == pin
    }
    # What a rule holds it also switches off.
    holds = rule.mode is RuleMode.HOLD and wishes
    return wishes | {(CommandAction.OFF, None)} if holds else wishes


def _loops(rule: Rule, others: Sequence[Rule]) -> Iterator[Sequence[Rule]]:
    """Yield how a rule comes back to itself: through actuators it watches, or rules it enables."""
    every = (rule, *others)
    seen: set[UUID] = set()

    def walk(path: Sequence[Rule]) -> Iterator[Sequence[Rule]]:
        for follower in _driven(path[-1], every):
            if follower is rule:
                yield (*path, rule)
            elif follower.id not in seen:
                seen.add(follower.id)
                yield from walk((*path, follower))

    yield from walk((rule,))


def _driven(rule: Rule, every: Sequence[Rule]) -> Iterator[Rule]:
    """Yield the rules that one sets going: those that watch its actuators, or that it enables."""
    pins = set(rule.pins)
    enabled = {
        action.rule_id
        for action in rule.actions
        if isinstance(action, EnableRuleStep) and action.enabled
    }
    for other in every:
        if other.id in enabled or pins & watched_actuators(other.condition):
            yield other
