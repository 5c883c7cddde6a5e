"""The tables of recomputations, as Tortoise sees them; see `storage.tables`."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from domain.recomputations import RecomputationState
from storage.tables import KeyField, SensorRow


class RecomputationRow(Model):
    """A recomputation of one sensor's history."""

    id = fields.UUIDField(primary_key=True)
    sensor: fields.ForeignKeyRelation[SensorRow] = fields.ForeignKeyField(
        "models.SensorRow", related_name="recomputations"
    )
    sensor_id: int
    start_at = fields.DatetimeField()
    end_at = fields.DatetimeField()
    last_id = fields.BigIntField()
    calibration_id: UUID | None = fields.UUIDField(null=True)
    total = fields.BigIntField()
    state = fields.CharEnumField(RecomputationState, max_length=16)
    library_version = KeyField(null=True)
    place_at = fields.DatetimeField(null=True)
    place_id = fields.BigIntField(null=True)
    track: fields.Field[list[object] | None] = fields.JSONField(null=True)
    summary: fields.Field[dict[str, object]] = fields.JSONField()
    undone = fields.BigIntField()
    seconds = fields.FloatField()
    outcome = fields.CharField(max_length=16, null=True)
    reason = fields.TextField(null=True)
    requested_by: UUID | None = fields.UUIDField(null=True)
    requested_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "recomputation"


class RecomputedReadingRow(Model):
    """What a reading said before; its key is (recomputation, time measured, reading)."""

    recomputation: fields.ForeignKeyRelation[RecomputationRow] = fields.ForeignKeyField(
        "models.RecomputationRow", related_name="kept"
    )
    measured_at = fields.DatetimeField()
    reading_id = fields.BigIntField(primary_key=True, generated=False)
    value = fields.FloatField(null=True)
    conversion_id = fields.IntField()
    quality = fields.SmallIntField()
    metadata: fields.Field[dict[str, object] | None] = fields.JSONField(null=True)

    class Meta:
        """Table options."""

        table = "recomputed_reading"
