"""The tables of calibrations, as Tortoise sees them; see `storage.tables`."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domain.calibrations import CalibrationMethod, ProcedureState
from storage.tables import KeyField, SensorRow


class CalibrationRow(Model):
    """A calibration of a sensor; the newest is in force."""

    id = fields.UUIDField(primary_key=True)
    sensor: fields.ForeignKeyRelation[SensorRow] = fields.ForeignKeyField(
        "models.SensorRow", related_name="calibrations"
    )
    sensor_id: int
    library = KeyField()
    method = fields.CharEnumField(CalibrationMethod, max_length=16)
    points: fields.Field[list[list[float | None]]] = fields.JSONField()
    parameters: fields.Field[dict[str, float]] = fields.JSONField()
    residuals: fields.Field[list[float]] = fields.JSONField()
    findings: fields.Field[list[list[str]]] = fields.JSONField()
    slope_percent = fields.FloatField(null=True)
    zero_error = fields.FloatField(null=True)
    calibrated_at = fields.DatetimeField()
    calibrated_by: UUID | None = fields.UUIDField(null=True)
    expires_at = fields.DatetimeField(null=True)
    expiry_told = fields.BooleanField(default=False)

    class Meta:
        """Table options."""

        table = "calibration"
        indexes = (Index(fields=["sensor_id", "id"]),)


class CalibrationProcedureRow(Model):
    """A guided calibration."""

    id = fields.UUIDField(primary_key=True)
    sensor: fields.ForeignKeyRelation[SensorRow] = fields.ForeignKeyField(
        "models.SensorRow", related_name="calibration_procedures"
    )
    sensor_id: int
    method = fields.CharEnumField(CalibrationMethod, max_length=16)
    points: fields.Field[list[list[float | None]]] = fields.JSONField()
    state = fields.CharEnumField(ProcedureState, max_length=16)
    started_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()
    started_by: UUID | None = fields.UUIDField(null=True)

    class Meta:
        """Table options."""

        table = "calibration_procedure"
