"""Root fields that rehearse rules, and those that make rules of blueprints."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.errors import BadInputError
from domain.rules import model
from domain.rules.blueprints import blueprints, instantiate
from domain.services.rehearse import COMPARED
from domain.users import Role
from schema.context import Context, Info
from schema.fields import field, mutation
from schema.ids import key_of
from schema.rehearsals import (
    Backtest,
    BacktestRun,
    Blueprint,
    RuleDifference,
    RuleTest,
    SampleInput,
)
from schema.rules import Rule, RuleInput, rule_uuid

OptionalRule = Annotated[
    strawberry.ID | None,
    strawberry.argument(name="id", description="A rule that is there; or `input`."),
]
OptionalInput = Annotated[
    RuleInput | None,
    strawberry.argument(name="input", description="A rule that is not there yet; or `id`."),
]
RuleId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Which rule.")]
NewVersion = Annotated[
    RuleInput, strawberry.argument(name="input", description="What it would say.")
]
Samples = Annotated[
    list[SampleInput] | None,
    strawberry.argument(
        description="What sensors say; one that is not among them has no value, whatever it "
        "measures. At most 1000."
    ),
]
At = Annotated[
    datetime | None, strawberry.argument(description="The instant of the test; now if left out.")
]
From = Annotated[datetime, strawberry.argument(name="from", description="Where it begins.")]
To = Annotated[
    datetime, strawberry.argument(name="to", description="Where it ends; not in the future.")
]
RunId = Annotated[
    strawberry.ID, strawberry.argument(name="id", description="What startBacktest returned.")
]
Time = Annotated[
    timedelta | None, strawberry.argument(description="How far back; `P30D` if left out.")
]
Parameters = Annotated[
    JSON, strawberry.argument(description="By name, as `Blueprint.parameters` say.")
]
BlueprintName = Annotated[str, strawberry.argument(description="Of the blueprint.")]
RuleName = Annotated[
    str | None,
    strawberry.argument(description="What the rule is called; as the blueprint if left out."),
]

_UNNAMED = UUID(int=0)
"""The id of a rule that is not there yet."""


def _rule(context: Context, rule_id: str | None, given: RuleInput | None) -> model.Rule:
    """Return the rule that is meant.

    Raises:
        BadInputError: Not exactly one is given, or it does not fit.
        NotFoundError: It is not known.
    """
    if rule_id is not None and given is None:
        return context.services.manage_rules.find(rule_uuid(rule_id)).rule
    if given is not None and rule_id is None:
        return _read(context, given, _UNNAMED)
    raise BadInputError("give either the id of a rule or an input")


def _read(context: Context, given: RuleInput, rule_id: UUID) -> model.Rule:
    """Read a rule that is not stored, as critically as one that is to be.

    Raises:
        FindingsError: It says all that is wrong, each with its place.
    """
    return context.services.manage_rules.read(given.written(), rule_id)


def _run_id(text: str) -> UUID:
    try:
        (part,) = key_of("BacktestRun", text)
        return UUID(part)
    except ValueError:
        raise BadInputError("this is not the id of a backtest") from None


@strawberry.type
class RehearsalQueries:
    """Looking at rehearsals and blueprints."""

    @field
    async def backtest(self, info: Info, run: RunId) -> BacktestRun | None:
        """A backtest and how far it has come; null: it is not known any more."""
        info.context.require(Role.OPERATOR)
        found = info.context.services.rehearse.find(_run_id(run))
        return None if found is None else BacktestRun.of(found)

    @field
    async def compare_rule(
        self, info: Info, rule: RuleId, given: NewVersion, time: Time = None
    ) -> RuleDifference:
        """What a new version of a rule would have changed lately. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        services = info.context.services
        old = services.manage_rules.find(rule_uuid(rule)).rule
        new = _read(info.context, given, old.id)
        return RuleDifference.of(await services.rehearse.compare(old, new, time or COMPARED))

    @field
    def blueprints(self, info: Info) -> list[Blueprint]:
        """Ready rules with a few numbers left to fill in."""
        info.context.require(Role.VIEWER)
        time_zone = info.context.services.manage_rules.defaults.time_zone
        return [Blueprint.of(blueprint) for blueprint in blueprints(time_zone).values()]


@strawberry.type
class RehearsalMutations:
    """Rehearsing rules; nothing is sent, and nothing stored."""

    @mutation
    async def test_rule(
        self,
        info: Info,
        rule: OptionalRule = None,
        given: OptionalInput = None,
        readings: Samples = None,
        at: At = None,
    ) -> RuleTest:
        """What a rule would do on given values alone; nothing is sent. Role: OPERATOR.

        Devices and actuators are as they are known to be now.
        """
        info.context.require(Role.OPERATOR)
        samples = [each.sample for each in readings or ()]
        found = _rule(info.context, rule, given)
        return RuleTest.of(info.context.services.rehearse.test(found, samples, at))

    @mutation
    async def backtest_rule(
        self,
        info: Info,
        start: From,
        end: To,
        rule: OptionalRule = None,
        given: OptionalInput = None,
    ) -> Backtest:
        """What a rule would have done on stored readings; nothing is sent. Role: OPERATOR.

        What takes longer than 20 s ends with OVERLOADED: see startBacktest.
        """
        info.context.require(Role.OPERATOR)
        found = _rule(info.context, rule, given)
        return Backtest.of(await info.context.services.rehearse.backtest(found, start, end))

    @mutation
    async def start_backtest(
        self,
        info: Info,
        start: From,
        end: To,
        rule: OptionalRule = None,
        given: OptionalInput = None,
    ) -> BacktestRun:
        """As backtestRule, but in the background; answers at once. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        found = _rule(info.context, rule, given)
        return BacktestRun.of(info.context.services.rehearse.start(found, start, end))

    @mutation
    async def cancel_backtest(self, info: Info, run: RunId) -> BacktestRun:
        """End a backtest that is under way. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        return BacktestRun.of(info.context.services.rehearse.cancel(_run_id(run)))

    @mutation
    async def create_rule_from_blueprint(
        self, info: Info, blueprint: BlueprintName, parameters: Parameters, name: RuleName = None
    ) -> Rule:
        """Make a rule of a blueprint; it is a rule like any other. Role: OPERATOR."""
        identity = info.context.require(Role.OPERATOR)
        manage = info.context.services.manage_rules
        given = instantiate(blueprint, parameters, name, manage.defaults.time_zone)
        return Rule.of(await manage.create(given, identity.user_id))
