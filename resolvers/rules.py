"""Root fields about rules and what they did."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import strawberry

from domain import rule_executions
from domain.errors import BadInputError
from domain.events import RuleExecuted
from domain.ports import EventStream
from domain.repositories import Storage
from domain.rule_executions import RuleOutcome
from domain.times import read_instant
from domain.users import Role
from resolvers.live import REPLAY_PAGE
from schema.arguments import After, First, From, To
from schema.context import Context, Info
from schema.fields import field, mutation, subscription
from schema.ids import microseconds
from schema.rules import (
    RULE_EXECUTIONS,
    RULES,
    Rule,
    RuleConnection,
    RuleExecution,
    RuleExecutionConnection,
    RuleInput,
    rule_uuid,
)

RuleId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which rule.")]
OnlyRule = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only of this rule, by its `id`.")
]
OnlyOutcome = Annotated[
    RuleOutcome | None, strawberry.argument(description="Only those with this outcome.")
]
OnlyEnabled = Annotated[
    bool | None, strawberry.argument(description="Only enabled ones, or only disabled ones.")
]
Given = Annotated[RuleInput, strawberry.argument(name="input", description="What it says.")]
Enabled = Annotated[bool, strawberry.argument(description="Whether it is to do anything.")]
Since = Annotated[
    str | None,
    strawberry.argument(
        description="Begin with what was stored after this: the `id` of the last execution that "
        "was heard, or an instant by the server's clock. Only what is yet to come if left out."
    ),
]

_BITS_BELOW_MILLISECONDS = 80
"""Of a UUIDv7: its upper 48 bits are Unix milliseconds (RFC 9562, section 5.7)."""


async def find_rule(context: Context, rule_id: UUID) -> Rule | None:
    """Return a rule, deleted or not; None: it is not known."""
    stored = await context.loaders.rules.load(rule_id)
    return Rule.of(stored) if stored else None


async def find_execution(context: Context, execution_id: UUID) -> RuleExecution | None:
    """Return an execution; None: it is not known, or has left to make room."""
    found = await context.loaders.rule_executions.load(execution_id)
    return RuleExecution.of(found) if found else None


@strawberry.type
class RuleQueries:
    """Reading rules and what they did."""

    @field
    async def rule(self, info: Info, rule: RuleId) -> Rule | None:
        """One rule, deleted or not; null: it is not known."""
        info.context.require(Role.VIEWER)
        return await find_rule(info.context, rule_uuid(rule))

    @field
    async def rules(
        self, info: Info, enabled: OnlyEnabled = None, first: First = None, after: After = None
    ) -> RuleConnection:
        """The rules, by name."""
        info.context.require(Role.VIEWER)
        request = RULES.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.rules.page(request, enabled=enabled)
        return RuleConnection.of(RULES, request, page, Rule.of)

    @field
    async def rule_executions(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        rule_id: OnlyRule = None,
        outcome: OnlyOutcome = None,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> RuleExecutionConnection:
        """What rules did, newest first."""
        info.context.require(Role.VIEWER)
        request = RULE_EXECUTIONS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.rule_executions.page(
                request,
                rule_id=None if rule_id is None else rule_uuid(rule_id),
                outcome=outcome,
                start=start,
                end=end,
            )
        return RuleExecutionConnection.of(RULE_EXECUTIONS, request, page, RuleExecution.of)


@strawberry.type
class RuleMutations:
    """Making, changing and ending rules."""

    @mutation
    async def create_rule(self, info: Info, given: Given) -> Rule:
        """Make a rule; what does not fit is told at once, each with its place. Role: OPERATOR.

        What is not there yet is no error: see `Rule.warnings`.
        """
        identity = info.context.require(Role.OPERATOR)
        manage = info.context.services.manage_rules
        return Rule.of(await manage.create(given.written(), identity.user_id))

    @mutation
    async def update_rule(self, info: Info, rule: RuleId, given: Given) -> Rule:
        """Give a rule another version; what it holds it lets go first. Role: OPERATOR."""
        identity = info.context.require(Role.OPERATOR)
        manage = info.context.services.manage_rules
        return Rule.of(await manage.update(rule_uuid(rule), given.written(), identity.user_id))

    @mutation
    async def set_rule_enabled(self, info: Info, rule: RuleId, enabled: Enabled) -> Rule:
        """Enable or disable a rule; what it holds it switches off. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        manage = info.context.services.manage_rules
        return Rule.of(await manage.set_enabled(rule_uuid(rule), enabled))

    @mutation
    async def delete_rule(self, info: Info, rule: RuleId) -> bool:
        """End a rule; what it holds it switches off, what it did is still told. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        await info.context.services.manage_rules.delete(rule_uuid(rule))
        return True


@strawberry.type
class RuleSubscriptions:
    """Watching what rules do."""

    @subscription
    async def rule_executions(
        self, info: Info, rule_id: OnlyRule = None, since: Since = None
    ) -> AsyncGenerator[RuleExecution, None]:
        """Tells of every execution when it begins, and again when it comes to its end."""
        info.context.require(Role.VIEWER)
        services, only = info.context.services, None if rule_id is None else rule_uuid(rule_id)
        told = _stored_then_live(services.storage, services.events, _resume_id(since), only)
        async with aclosing(told):
            async for execution in told:
                yield RuleExecution.of(execution)


def _resume_id(since: str | None) -> UUID | None:
    if since is None:
        return None
    try:
        return rule_uuid(since, "RuleExecution")
    except BadInputError:
        pass
    try:
        instant = read_instant(since)
    except BadInputError:
        raise BadInputError("since is neither the id of a RuleExecution nor an instant") from None
    # The last id that is not of that millisecond: ids of executions begin with their time.
    milliseconds = max(0, microseconds(instant) // 1000)
    return UUID(int=max(0, (milliseconds << _BITS_BELOW_MILLISECONDS) - 1))


async def _stored_then_live(
    storage: Storage, events: EventStream, after: UUID | None, rule_id: UUID | None
) -> AsyncGenerator[rule_executions.RuleExecution, None]:
    """Yield what was stored after an execution, then what is told live.

    The live stream is joined before the past is read: what comes both ways is told twice rather
    than not at all where its outcome changed, and once where it did not.
    """
    async with events.listen(RuleExecuted) as live:
        known: dict[UUID, RuleOutcome] = {}
        if after is not None:
            async with aclosing(_stored(storage, after, rule_id)) as past:
                async for execution in past:
                    known[execution.id] = execution.outcome
                    yield execution
        async for event in live:
            execution = event.execution
            if rule_id not in {None, execution.rule_id}:
                continue
            told = known.pop(execution.id, None)
            if told is None or told is not execution.outcome:
                yield execution


async def _stored(
    storage: Storage, after: UUID, rule_id: UUID | None
) -> AsyncGenerator[rule_executions.RuleExecution, None]:
    while True:
        async with storage.autocommit() as work:
            page = await work.rule_executions.since(after, REPLAY_PAGE, rule_id=rule_id)
        for execution in page:
            yield execution
        if len(page) < REPLAY_PAGE:
            return
        after = page[-1].id
