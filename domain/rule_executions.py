"""What rules did: stored before it is done, so that a restart neither repeats nor forgets it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from domain.rules.decide import Reason, Step
from domain.rules.model import Rule, RuleState

TABLE_LIMIT = 200_000
"""Executions that are kept; the oldest leave first."""

KEPT_FOR = timedelta(days=365)
"""How long an execution is kept."""

RESUMED_WITHIN = timedelta(minutes=5)
"""How late an action may be begun, after a restart or a delay; what is later is dropped."""


class RuleOutcome(StrEnum):
    """What came of an execution."""

    RUNNING = "RUNNING"
    """Its actions are under way, or wait for the end of a delay."""
    SUCCEEDED = "SUCCEEDED"
    PARTLY = "PARTLY"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    """Nothing was done, because a device was away or somebody else holds the actuator."""


class ReadingKey(NamedTuple):
    """Which reading: enough to find it again in its month."""

    sensor_id: int
    measured_at: datetime
    reading_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExecution:
    """One time that a rule did something.

    Attributes:
        rule_version: The version that it ran.
        step: What was done; a renewal only where it brought back what had been lost.
        why: Why that was decided.
        triggered_by: The reading that it was decided on; None: time or a device did it.
        explanation: Every leaf of the condition with the value seen and the verdict.
        arbitration: Its priority and limits, how often it had run, and who had its actuators, all
            at that moment (`arbitration.claims`); empty: that was not written down.
        place: The index of the action that is next; all before it have begun.
        resume_at: When that is due, where a delay is in flight.
        reason: What went wrong, or why nothing was done; None: all is well.
    """

    id: UUID
    rule_id: UUID
    rule_version: int
    step: Step
    why: Reason
    triggered_at: datetime
    triggered_by: ReadingKey | None = None
    explanation: Mapping[str, Any] = field(default_factory=dict)
    arbitration: Mapping[str, Any] = field(default_factory=dict)
    outcome: RuleOutcome = RuleOutcome.RUNNING
    reason: str | None = None
    place: int = 0
    resume_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def duration(self) -> timedelta:
        """How long it took, delays included; zero while it is under way."""
        return (self.completed_at or self.triggered_at) - self.triggered_at


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A rule as it is kept.

    Attributes:
        updated_at: When its newest version was made, or it was last enabled or disabled.
        deleted_at: When it was deleted; its executions are still told of.
    """

    rule: Rule
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is remembered of a rule.

    Attributes:
        execution_id: The execution that began the hold that is on.
    """

    rule_id: UUID
    state: RuleState
    execution_id: UUID | None = None


TALLIED = 100
"""How many executions of a rule are counted, the last ones that are over."""


class Tally(NamedTuple):
    """How the last executions of a rule went."""

    total: int = 0
    succeeded: int = 0
