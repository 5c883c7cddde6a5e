"""Rules and what they did, in GraphQL."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain import rule_executions
from domain.actuators import CommandAction
from domain.errors import BadInputError, NotFoundError
from domain.rule_executions import ReadingKey
from domain.rules import decide, model, schedule
from domain.rules.notation import write_condition
from domain.rules.rule_notation import write_actions
from schema.arguments import After, First
from schema.conditions import ConditionInput, written
from schema.context import Info
from schema.fields import field
from schema.ids import global_id, key_of
from schema.nodes import Node
from schema.pages import Connection, Cursors
from schema.severity import Severity

if TYPE_CHECKING:
    from schema.actuators import ActuatorRefInput, Command
    from schema.sensors import Reading

RULES = Cursors("rules")
RULE_EXECUTIONS = Cursors("ruleExecutions")

strawberry.enum(
    model.RuleMode,
    description="TRIGGER: the actions run once when the condition becomes true. HOLD: actuators "
    "stay as commanded while it holds, and are switched off once when it ends.",
)
strawberry.enum(
    rule_executions.RuleOutcome,
    description="RUNNING: its actions are under way, or wait for the end of a delay. SUCCEEDED. "
    "PARTLY: some went wrong, or were dropped. FAILED. SKIPPED: nothing was done.",
)
strawberry.enum(
    decide.Step,
    name="RuleStep",
    description="What a rule does. FIRE: a trigger runs. HOLD_BEGINS, HOLD_RENEWS, HOLD_ENDS: a "
    "rule that holds begins, brings back what was lost, and lets go. NOTHING.",
)


def rule_uuid(text: str, kind: str = "Rule") -> UUID:
    """Return which rule, or other thing of one key, an id is of.

    Raises:
        BadInputError: It is the id of something else.
    """
    try:
        (part,) = key_of(kind, text)
        return UUID(part)
    except ValueError:
        raise BadInputError(f"this is not the id of a {kind}") from None


@strawberry.type(description="What a rule says: if this holds, do that.")
class Rule(Node):
    """A rule as clients see it."""

    name: str = strawberry.field(description="What people call it.")
    description: str | None = strawberry.field(description="What it is for.")
    enabled: bool = strawberry.field(description="Whether it does anything.")
    priority: int = strawberry.field(description="1 is the most important, 100 the least.")
    mode: model.RuleMode = strawberry.field(description="What a condition that holds means.")
    version: int = strawberry.field(description="Grows with every update.")
    condition: JSON = strawberry.field(description="As `RuleInput.condition`.")
    actions: JSON = strawberry.field(description="As `RuleInput.actions`.")
    cooldown: timedelta | None = strawberry.field(
        description="How long after the begin of one execution the next may begin; null: no pause."
    )
    max_executions_per_hour: int | None = strawberry.field(description="Null: any number.")
    dst: schedule.DstPolicy = strawberry.field(
        description="What its windows do when the clock is put, unless they say so themselves."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(
        description="When it was last changed, enabled or disabled."
    )
    deleted_at: datetime | None = strawberry.field(
        description="When it was deleted; what it did is still told. Null: it is at work."
    )
    stored: strawberry.Private[rule_executions.StoredRule]

    @classmethod
    def of(cls, stored: rule_executions.StoredRule) -> Self:
        """Show a rule to clients."""
        rule = stored.rule
        return cls(
            id=global_id("Rule", rule.id),
            name=rule.name,
            description=rule.description,
            enabled=rule.enabled,
            priority=rule.priority,
            mode=rule.mode,
            version=rule.version,
            condition=JSON(write_condition(rule.condition)),
            actions=JSON([_shown(action) for action in write_actions(rule.actions)]),
            cooldown=rule.cooldown or None,
            max_executions_per_hour=rule.max_executions_per_hour,
            dst=rule.dst,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
            deleted_at=stored.deleted_at,
            stored=stored,
        )

    @field
    def last_triggered_at(self, info: Info) -> datetime | None:
        """When it last began to do something; null: never."""
        live = info.context.services.manage_rules.automate.get(self.stored.rule.id)
        return live.state.executed_at[-1] if live and live.state.executed_at else None

    @field
    def warnings(self, info: Info) -> list[str]:
        """What it needs that is not there yet, each with its place in the rule."""
        found = info.context.services.manage_rules.warnings(self.stored.rule)
        return [finding.text for finding in found]

    @field
    async def success_rate(self, info: Info) -> float | None:
        """The share of its last 100 executions that succeeded; null: there is none."""
        tally = await info.context.loaders.rule_tallies.load(self.stored.rule.id)
        return tally.succeeded / tally.total if tally else None

    @field
    async def executions(
        self, info: Info, first: First = None, after: After = None
    ) -> "RuleExecutionConnection":
        """What it did, newest first."""
        info.context.loaders.spend_page()
        request = RULE_EXECUTIONS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.rule_executions.page(request, rule_id=self.stored.rule.id)
        return RuleExecutionConnection.of(RULE_EXECUTIONS, request, page, RuleExecution.of)


@strawberry.type(description="One time that a rule did something, or could not.")
class RuleExecution(Node):
    """An execution as clients see it."""

    rule_version: int = strawberry.field(description="The version that it ran.")
    step: decide.Step = strawberry.field(description="What was done.")
    cause: str = strawberry.field(description="Why that was decided, as a sentence.")
    triggered_at: datetime = strawberry.field(description="When that was decided.")
    outcome: rule_executions.RuleOutcome = strawberry.field(description="What came of it.")
    reason: str | None = strawberry.field(
        description="What went wrong, or why nothing was done; null: all is well."
    )
    explanation: JSON = strawberry.field(
        description="Every part of the condition with what was seen, its age, its quality, and "
        "the verdict."
    )
    resume_at: datetime | None = strawberry.field(
        description="When it goes on, where it waits for the end of a delay."
    )
    completed_at: datetime | None = strawberry.field(
        description="When it came to its end; null: it has not."
    )
    duration_ms: float = strawberry.field(
        description="How long it took, delays included; 0 while it is under way."
    )
    execution_id: strawberry.Private[UUID]
    rule_id: strawberry.Private[UUID]
    reading: strawberry.Private[ReadingKey | None]

    @classmethod
    def of(cls, execution: rule_executions.RuleExecution) -> Self:
        """Show an execution to clients."""
        return cls(
            id=global_id("RuleExecution", execution.id),
            rule_version=execution.rule_version,
            step=execution.step,
            cause=execution.why.sentence,
            triggered_at=execution.triggered_at,
            outcome=execution.outcome,
            reason=execution.reason,
            explanation=JSON(dict(execution.explanation)),
            resume_at=execution.resume_at,
            completed_at=execution.completed_at,
            duration_ms=execution.duration / timedelta(milliseconds=1),
            execution_id=execution.id,
            rule_id=execution.rule_id,
            reading=execution.triggered_by,
        )

    @field
    async def rule(self, info: Info) -> Rule:
        """The rule, in its newest version."""
        stored = await info.context.loaders.rules.load(self.rule_id)
        if stored is None:
            raise NotFoundError("the rule of this execution is gone")
        return Rule.of(stored)

    @field
    async def triggered_by(
        self, info: Info
    ) -> Annotated["Reading", strawberry.lazy("schema.sensors")] | None:
        """The reading that it was decided on; null: time, a device or an actuator set it off."""
        from schema.sensors import Reading  # noqa: PLC0415 - it is lazy above for the same reason

        if self.reading is None:
            return None
        info.context.loaders.spend_page()
        async with info.context.services.storage.autocommit() as work:
            found = await work.readings.by_key(*self.reading)
        return Reading.of(found) if found else None

    @field
    async def commands(
        self, info: Info
    ) -> list[Annotated["Command", strawberry.lazy("schema.actuators")]]:
        """The commands that it gave, in their order; those that renew a hold are among them."""
        from schema.actuators import Command  # noqa: PLC0415 - lazy above, as well

        found = await info.context.loaders.commands_of_executions.load(self.execution_id)
        return [Command.of(command) for command in found or ()]


@strawberry.type(description="A page of rules, by name.")
class RuleConnection(Connection[Rule]):
    """Rules, page by page."""


@strawberry.type(description="A page of what rules did, newest first.")
class RuleExecutionConnection(Connection[RuleExecution]):
    """Executions, page by page."""


# ---------------------------------------------------------------- as clients write them


@strawberry.input(description="Tell an actuator something.")
class CommandActionInput:
    """A command as clients write it."""

    actuator: Annotated["ActuatorRefInput", strawberry.lazy("schema.actuators")] = strawberry.field(
        description="Which actuator."
    )
    action: CommandAction = strawberry.field(description="What to do.")
    value: float | None = strawberry.field(
        default=strawberry.UNSET, description="0.0 to 1.0; only and always with PWM."
    )
    duration: timedelta | None = strawberry.field(
        default=strawberry.UNSET,
        description="How long to stay on; as long as it may if left out. A rule that holds its "
        "condition keeps it on for as long as that does.",
    )


@strawberry.input(description="Tell people something, as a system event.")
class NotifyInput:
    """A message as clients write it."""

    message: str = strawberry.field(description="What to say.")
    severity: Severity = strawberry.field(description="How much it matters.")


@strawberry.input(description="Press the emergency stop: of everything, a device, or an actuator.")
class EmergencyStopActionInput:
    """A stop as clients write it."""

    reason: str = strawberry.field(description="Why, for those who come to look.")
    esp_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The device; everything if left out."
    )
    gpio: int | None = strawberry.field(
        default=strawberry.UNSET, description="The actuator of it; the whole device if left out."
    )


@strawberry.input(description="Enable or disable a rule.")
class SetRuleEnabledInput:
    """A switch as clients write it."""

    id: strawberry.ID = strawberry.field(description="The `id` of the rule.")
    enabled: bool = strawberry.field(description="Whether it is to do anything.")


@strawberry.input(one_of=True, description="One thing that a rule does.")
class ActionInput:
    """An action as clients write it."""

    command: CommandActionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Tell an actuator something."
    )
    delay: timedelta | None = strawberry.field(
        default=strawberry.UNSET,
        description="Wait before the next action, `PT1S` to `PT24H`; a restart goes on with it.",
    )
    notify: NotifyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Tell people something."
    )
    emergency_stop: EmergencyStopActionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Press the emergency stop."
    )
    set_rule_enabled: SetRuleEnabledInput | None = strawberry.field(
        default=strawberry.UNSET, description="Enable or disable a rule, which may be this one."
    )


@strawberry.input(description="A rule: if this holds, do that.")
class RuleInput:
    """A rule as clients write it."""

    name: str = strawberry.field(description="What people call it.")
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is for."
    )
    enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it does anything; it does if left out."
    )
    priority: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="1 is the most important, 100 the least; 50 if left out.",
    )
    mode: model.RuleMode | None = strawberry.field(
        default=strawberry.UNSET,
        description="HOLD if left out where there is a hysteresis, else TRIGGER.",
    )
    condition: ConditionInput = strawberry.field(description="When it does something.")
    actions: list[ActionInput] = strawberry.field(
        description="What it does, in order; 1 to 20. While the device of one of its commands is "
        "away, or somebody more important holds one of its actuators, none is touched."
    )
    cooldown: timedelta | None = strawberry.field(
        default=strawberry.UNSET,
        description="How long after the begin of one execution the next may begin, up to 31 days; "
        "it is delayed, not lost.",
    )
    max_executions_per_hour: int | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 3600; any number if left out."
    )
    dst: schedule.DstPolicy | None = strawberry.field(
        default=strawberry.UNSET,
        description="What its windows do when the clock is put; ONCE if left out.",
    )

    def written(self) -> dict[str, Any]:
        """Return it as the domain reads it."""
        given: dict[str, Any] = written(self)
        for action in given["actions"]:
            if isinstance(action.get("setRuleEnabled"), dict):
                action["setRuleEnabled"]["id"] = str(rule_uuid(action["setRuleEnabled"]["id"]))
        return given


def _shown(action: Mapping[str, Any]) -> Mapping[str, Any]:
    switch = action.get("setRuleEnabled")
    if switch is None:
        return action
    return {"setRuleEnabled": {**switch, "id": global_id("Rule", switch["id"])}}
