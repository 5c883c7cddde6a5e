"""Rehearsals of rules in GraphQL: what a rule would do, and would have done."""

from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.scalars import JSON

from domain.rules import actuation, blueprints, replay
from domain.rules.explain import explanation_json
from domain.rules.notation import write_pin
from domain.rules.rule_notation import write_actions
from domain.services import rehearse
from domain.times import write_duration
from schema.ids import global_id
from schema.sensors import SensorRefInput

strawberry.enum(
    actuation.Broken, name="BrokenLimit", description="Which limit of an actuator was broken."
)
strawberry.enum(rehearse.RunState, name="BacktestState", description="How far a backtest has come.")
strawberry.enum(
    blueprints.Takes,
    name="BlueprintParameterKind",
    description=(
        "What a parameter is. SENSOR: as `SensorRefInput`. ACTUATOR: as `ActuatorRefInput`. "
        "DURATION: such as `PT5M`. HOUR: of the day, 0 to 24. TIME_ZONE: an IANA name."
    ),
)


@strawberry.input(description="A value that a sensor is made to say.")
class SampleInput:
    """A made-up reading."""

    sensor: SensorRefInput = strawberry.field(description="Which sensor.")
    value: float = strawberry.field(description="In the unit that it measures in.")
    at: datetime | None = strawberry.field(
        default=None, description="When it is measured; at the instant of the test if left out."
    )

    @property
    def sample(self) -> rehearse.Sample:
        """Return it as the domain has it."""
        return rehearse.Sample(self.sensor.key, self.value, self.at)


@strawberry.type(description="What a rule would do on given values.")
class RuleTest:
    """An outcome of a test."""

    fires: bool = strawberry.field(description="Whether its condition holds.")
    explanation: JSON = strawberry.field(
        description="Every part of the condition with the values seen and the verdict; `holds` is "
        "null where it is unknown."
    )
    commands: list[JSON] = strawberry.field(
        description="What it would then send, as in `RuleInput.actions`, each with `after`: how "
        "long it waits before."
    )

    @classmethod
    def of(cls, trial: rehearse.Trial) -> Self:
        """Show a trial to clients."""
        written = (
            {**write_actions((step,))[0]["command"], "after": write_duration(after)}
            for step, after in trial.commands
        )
        return cls(
            fires=trial.fires,
            explanation=JSON(explanation_json(trial.explanation)),
            commands=[JSON(command) for command in written],
        )


@strawberry.type(description="A time at which a rule would have run.")
class BacktestFiring:
    """A firing."""

    at: datetime = strawberry.field(description="When it would have begun.")
    until: datetime | None = strawberry.field(
        description="When a hold would have ended; null: it is none, or had not ended."
    )
    explanation: JSON = strawberry.field(description="As `RuleTest.explanation`.")

    @classmethod
    def of(cls, firing: replay.Firing) -> Self:
        """Show a firing to clients."""
        explained = JSON(explanation_json(firing.explanation))
        return cls(at=firing.at, until=firing.until, explanation=explained)


@strawberry.type(description="A limit of an actuator that a rule would have broken.")
class LimitViolation:
    """A violation."""

    esp_id: str = strawberry.field(description="The device of the actuator.")
    gpio: int = strawberry.field(description="Its pin.")
    limit: actuation.Broken = strawberry.field(description="Which limit.")
    at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, violation: actuation.Violation) -> Self:
        """Show a violation to clients."""
        pin = violation.pin
        return cls(esp_id=pin.esp_id, gpio=pin.gpio, limit=violation.limit, at=violation.at)


@strawberry.type(
    description="What a rule would have done, new at the beginning, judged as live rules are."
)
class Backtest:
    """An outcome of a backtest."""

    evaluations: int = strawberry.field(
        description="How often it was judged: only where something could change."
    )
    readings: int = strawberry.field(description="How many readings it lived through.")
    firings: list[BacktestFiring] = strawberry.field(
        description=f"The first {replay.MOST_KEPT} times at which it would have run."
    )
    firing_count: int = strawberry.field(description="How many there were.")
    commands: list[JSON] = strawberry.field(
        description=f"The first {replay.MOST_KEPT} commands: `at`, `actuator`, `action`, `value`."
    )
    command_count: int = strawberry.field(description="How many there were.")
    on_time: JSON = strawberry.field(
        description="For each actuator: `actuator`, `onTime` (a duration), `starts`, `longest`."
    )
    violations: list[LimitViolation] = strawberry.field(
        description=f"The first {actuation.MOST_VIOLATIONS} limits that it would have broken."
    )
    violation_count: int = strawberry.field(description="How many there were.")
    assumptions: list[str] = strawberry.field(description="What is taken for granted.")

    @classmethod
    def of(cls, found: replay.Backtest) -> Self:
        """Show a backtest to clients."""
        return cls(
            evaluations=found.evaluations,
            readings=found.readings,
            firings=[BacktestFiring.of(firing) for firing in found.firings],
            firing_count=found.firing_count,
            commands=[JSON(_sent(sent)) for sent in found.commands],
            command_count=found.command_count,
            on_time=JSON(
                [
                    {
                        "actuator": write_pin(pin),
                        "onTime": write_duration(use.on_for),
                        "starts": use.starts,
                        "longest": write_duration(use.longest),
                    }
                    for pin, use in found.use.items()
                ]
            ),
            violations=[LimitViolation.of(violation) for violation in found.violations],
            violation_count=found.violation_count,
            assumptions=[*actuation.ASSUMPTIONS],
        )


def _sent(sent: replay.Sent) -> dict[str, Any]:
    pin, action = write_pin(sent.pin), sent.action.value
    return {"at": sent.at.isoformat(), "actuator": pin, "action": action, "value": sent.value}


@strawberry.type(description="A backtest that goes on in the background.")
class BacktestRun:
    """A run and how far it has come."""

    id: strawberry.ID = strawberry.field(description="What it is asked for by.")
    state: rehearse.RunState = strawberry.field(description="How far it has come.")
    progress: float = strawberry.field(description="The part that is done, 0 to 1.")
    reason: str | None = strawberry.field(description="Why it failed; null: it did not.")
    started_at: datetime = strawberry.field(description="When somebody asked for it.")
    result: Backtest | None = strawberry.field(description="What came out; null: not done.")

    @classmethod
    def of(cls, run: rehearse.Run) -> Self:
        """Show a run to clients."""
        return cls(
            id=global_id("BacktestRun", run.id),
            state=run.state,
            progress=run.progress,
            reason=run.reason,
            started_at=run.started_at,
            result=None if run.result is None else Backtest.of(run.result),
        )


@strawberry.type(description="What another version of a rule would have changed.")
class RuleDifference:
    """A difference."""

    old: Backtest = strawberry.field(description="What the rule would have done as it is.")
    new: Backtest = strawberry.field(description="What the other version would have done.")
    gone: list[datetime] = strawberry.field(description="When only the old one would have run.")
    come: list[datetime] = strawberry.field(description="When only the new one would have run.")

    @classmethod
    def of(cls, found: rehearse.Difference) -> Self:
        """Show a difference to clients."""
        old, new = Backtest.of(found.old), Backtest.of(found.new)
        return cls(old=old, new=new, gone=[*found.gone], come=[*found.come])


@strawberry.type(description="Something that a blueprint wants to be told.")
class BlueprintParameter:
    """A parameter."""

    name: str = strawberry.field(description="Its key in `parameters`.")
    kind: blueprints.Takes = strawberry.field(description="What it is.")
    description: str = strawberry.field(description="What it means.")
    default: JSON | None = strawberry.field(description="What holds; null: it must be said.")
    low: float | None = strawberry.field(
        description="The smallest number, or minutes of a duration; null: it has none."
    )
    high: float | None = strawberry.field(description="The largest; null: it has none.")
    unit: str | None = strawberry.field(description="Of the number; null: it has none.")

    @classmethod
    def of(cls, parameter: blueprints.Parameter) -> Self:
        """Show a parameter to clients."""
        bounded = parameter.high > parameter.low
        return cls(
            name=parameter.name,
            kind=parameter.takes,
            description=parameter.description,
            default=None if parameter.default is None else JSON(parameter.default),
            low=parameter.low if bounded else None,
            high=parameter.high if bounded else None,
            unit=parameter.unit or None,
        )


@strawberry.type(description="A ready rule with a few numbers left to fill in.")
class Blueprint:
    """A blueprint."""

    name: str = strawberry.field(description="What it is asked for by.")
    title: str = strawberry.field(description="What people call it.")
    description: str = strawberry.field(description="What it does.")
    parameters: list[BlueprintParameter] = strawberry.field(description="What it wants to know.")

    @classmethod
    def of(cls, blueprint: blueprints.Blueprint) -> Self:
        """Show a blueprint to clients."""
        return cls(
            name=blueprint.name,
            title=blueprint.title,
            description=blueprint.description,
            parameters=[BlueprintParameter.of(known) for known in blueprint.parameters],
        )
