"""The tables of rules, as Tortoise sees them; see `storage.tables`."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domain.rule_executions import RuleOutcome
from domain.rules.decide import Step
from storage.tables import KeyField


class RuleRow(Model):
    """A rule; what it says stands in its newest version."""

    id = fields.UUIDField(primary_key=True)
    name = KeyField()
    version = fields.IntField()
    enabled = fields.BooleanField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "rule"


class RuleVersionRow(Model):
    """What a rule said in one of its versions.

    The key is (rule, version): Tortoise has no words for a key of two columns.
    """

    rule_id = fields.UUIDField(primary_key=True)
    version = fields.IntField()
    definition: fields.Field[dict[str, Any]] = fields.JSONField()
    created_at = fields.DatetimeField()
    created_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        """Table options."""

        table = "rule_version"


class RuleChangeRow(Model):
    """From when on a rule stood in one of its versions, enabled or not, or was deleted."""

    id = fields.BigIntField(primary_key=True)
    rule_id = fields.UUIDField()
    at = fields.DatetimeField()
    version = fields.IntField()
    enabled = fields.BooleanField()
    deleted = fields.BooleanField()

    class Meta:
        """Table options."""

        table = "rule_change"
        indexes = (Index(fields=["rule_id", "at", "id"], name="rule_change_by_rule"),)


class RuleStateRow(Model):
    """What is remembered of a rule."""

    rule_id = fields.UUIDField(primary_key=True)
    state: fields.Field[dict[str, Any]] = fields.JSONField()
    execution_id: UUID | None = fields.UUIDField(null=True)

    class Meta:
        """Table options."""

        table = "rule_state"


class RuleExecutionRow(Model):
    """Something that a rule did; the id grows with time."""

    id = fields.UUIDField(primary_key=True)
    rule_id = fields.UUIDField()
    rule_version = fields.IntField()
    step = fields.CharEnumField(Step, max_length=16)
    why = fields.TextField()
    triggered_at = fields.DatetimeField()
    sensor_id = fields.IntField(null=True)
    measured_at = fields.DatetimeField(null=True)
    reading_id = fields.BigIntField(null=True)
    explanation: fields.Field[dict[str, Any]] = fields.JSONField()
    arbitration: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)
    outcome = fields.CharEnumField(RuleOutcome, max_length=16)
    reason = fields.TextField(null=True)
    place = fields.IntField()
    resume_at = fields.DatetimeField(null=True)
    completed_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "rule_execution"
        indexes = (Index(fields=["rule_id", "id"]),)
