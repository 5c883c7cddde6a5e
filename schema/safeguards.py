"""What is declared to keep actuators from doing harm, in GraphQL."""

from datetime import timedelta
from typing import Self

import strawberry
from strawberry.scalars import JSON

from domain import safeguards
from domain.rules.evaluate import Verdict
from domain.rules.explain import explanation_json
from domain.rules.notation import write_condition
from domain.rules.objections import objections
from schema.conditions import ConditionInput

strawberry.enum(
    safeguards.OnServerLoss,
    description=(
        "What an actuator is to do when server or broker are gone for two minutes. HOLD_LEASE: "
        "stay on until its lease ends. OFF: go off, at the latest when they are back."
    ),
)


@strawberry.type(description="What must hold for an actuator to be on, and whether it does.")
class InterlockState:
    """An interlock as clients see it."""

    condition: JSON = strawberry.field(description="What must hold, as `ConditionInput`.")
    holds: bool | None = strawberry.field(
        description="Whether it does; null: not known, which counts as no."
    )
    objection: str | None = strawberry.field(
        description="What stands in the way, in words; null where it holds."
    )
    explanation: JSON = strawberry.field(
        description="Every part of the condition with what was found, and when."
    )

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """Show a verdict to clients."""
        explanation = verdict.explanation
        return cls(
            condition=JSON(write_condition(explanation.condition)),
            holds=verdict.holds,
            objection="; ".join(objections(explanation)) or None,
            explanation=JSON(explanation_json(explanation)),
        )


@strawberry.input(description="What must be seen once an actuator is on.")
class EffectInput:
    """An effect as clients write it."""

    condition: ConditionInput = strawberry.field(
        description="Judged on what was measured since it is on; until then it is not known."
    )
    within: timedelta = strawberry.field(description="How long it may take, `PT1S` to `P1D`.")
    switch_off: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether it is switched off where that is not seen; people are told anyhow.",
    )
