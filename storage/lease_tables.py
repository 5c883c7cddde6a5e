"""The tables of leases and of what actuators did, as Tortoise sees them; see `storage.tables`."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domain.actuators import EmergencyPhase
from storage.tables import ActuatorRow


class LeaseRow(Model):
    """Until when an actuator may be on; one row per actuator that is on."""

    actuator: fields.OneToOneRelation[ActuatorRow] = fields.OneToOneField(
        "models.ActuatorRow", related_name="lease", primary_key=True
    )
    id = fields.UUIDField()
    command_id: UUID | None = fields.UUIDField(null=True)
    value = fields.FloatField()
    began = fields.DatetimeField()
    until = fields.DatetimeField()
    on_since = fields.DatetimeField()
    seen_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "lease"


class ActuatorStateChangeRow(Model):
    """When an actuator began to do something else.

    The key is (actuator, time): Tortoise has no words for a key of two columns.
    """

    actuator_id = fields.IntField(primary_key=True, generated=False)
    at = fields.DatetimeField()
    value = fields.FloatField()
    is_active = fields.BooleanField()
    emergency = fields.CharEnumField(EmergencyPhase, max_length=16)

    class Meta:
        """Table options."""

        table = "actuator_state_change"
        indexes = (Index(fields=["at"]),)


class ActuatorRunRow(Model):
    """A time during which an actuator was on.

    The key is (actuator, time it began): Tortoise has no words for a key of two columns.
    """

    actuator_id = fields.IntField(primary_key=True, generated=False)
    began = fields.DatetimeField()
    ended = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "actuator_run"
        indexes = (Index(fields=["ended"]),)
