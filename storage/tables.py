"""The tables, as Tortoise sees them; `migrations/` makes them, with what Tortoise cannot say.

Only there: the monthly partitions of `reading`, NULLS NOT DISTINCT, CHECKs and a partial index.
Text has no length limits: what is too long for an index, PostgreSQL itself refuses.
"""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domain.actuators import CommandAction, CommandOrigin, CommandStatus, EmergencyPhase
from domain.configs import ConfigSyncState, Errand
from domain.devices import FirmwareGeneration
from domain.library_installations import InstallationStatus
from domain.safeguards import OnServerLoss
from domain.sensors import ProcessingMode
from domain.system_events import Detail, Severity
from domain.thresholds import Zone
from domain.users import Role


class KeyField(fields.Field[str]):
    """Text that rows are found and sorted by.

    Compared byte by byte: pages keep their order whatever locale the database has, and an index
    survives an update of the C library.
    """

    field_type = str
    SQL_TYPE = 'TEXT COLLATE "C"'


class DeviceRow(Model):
    """A device."""

    id = fields.UUIDField(primary_key=True)
    esp_id = KeyField(unique=True)
    kaiser_id = fields.TextField()
    name = fields.TextField(null=True)
    approved = fields.BooleanField()
    online = fields.BooleanField()
    zone_id = KeyField(null=True)
    subzone_id = fields.TextField(null=True)
    is_zone_master = fields.BooleanField()
    metadata: fields.Field[dict[str, object]] = fields.JSONField()
    ip_address = fields.TextField(null=True)
    mac_address = fields.TextField(null=True)
    firmware_version = fields.TextField(null=True)
    hardware_type = fields.TextField(null=True)
    last_seen = fields.DatetimeField(null=True)
    last_boot_at = fields.DatetimeField(null=True)
    handover_epoch = fields.IntField(null=True)
    firmware_generation = fields.CharEnumField(FirmwareGeneration, max_length=16)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "device"


class RelayRow(Model):
    """A relay, and what it last said of itself."""

    kaiser_id = KeyField(primary_key=True)
    name = fields.TextField(null=True)
    online = fields.BooleanField()
    last_seen = fields.DatetimeField()
    health: fields.Field[dict[str, Any]] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "relay"


class _Health(Model):
    """What a device reports of itself."""

    reported_at = fields.DatetimeField()
    system_state = fields.TextField()
    uptime_seconds = fields.BigIntField(null=True)
    free_heap_bytes = fields.BigIntField(null=True)
    min_free_heap_bytes = fields.BigIntField(null=True)
    heap_fragmentation_percent = fields.SmallIntField(null=True)
    wifi_rssi_dbm = fields.BigIntField(null=True)
    safe_mode = fields.BooleanField()
    sensor_count = fields.BigIntField(null=True)
    actuator_count = fields.BigIntField(null=True)
    error_count = fields.BigIntField(null=True)

    class Meta:
        """Table options."""

        abstract = True


class DeviceHealthRow(_Health):
    """The newest health of a device; one row per device."""

    device: fields.OneToOneRelation[DeviceRow] = fields.OneToOneField(
        "models.DeviceRow", related_name="health", primary_key=True
    )
    boot_sequence_id = fields.TextField(null=True)
    reset_reason = fields.TextField(null=True)

    class Meta:
        """Table options."""

        table = "device_health"


class DeviceHealthHistoryRow(_Health):
    """What a device's health was at some time.

    The key is (device, time reported): Tortoise has no words for a key of two columns.
    """

    device_id = fields.UUIDField(primary_key=True)

    class Meta:
        """Table options."""

        table = "device_health_history"


class SensorRow(Model):
    """A sensor."""

    id = fields.IntField(primary_key=True)
    device: fields.ForeignKeyRelation[DeviceRow] = fields.ForeignKeyField(
        "models.DeviceRow", related_name="sensors"
    )
    gpio = fields.SmallIntField()
    sensor_type = KeyField()
    address = KeyField()
    name = fields.TextField()
    unit = fields.TextField(null=True)
    enabled = fields.BooleanField()
    interval = fields.TimeDeltaField(null=True)
    processing_mode = fields.CharEnumField(ProcessingMode, max_length=16, null=True)
    thresholds: fields.Field[dict[str, object] | None] = fields.JSONField(null=True)
    limits: fields.Field[dict[str, object] | None] = fields.JSONField(null=True)
    zone = fields.CharEnumField(Zone, max_length=16, null=True)
    parameters: fields.Field[dict[str, float]] = fields.JSONField(default={})
    sources: fields.Field[dict[str, list[str | int]]] = fields.JSONField(default={})
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "sensor"
        unique_together = (("device_id", "gpio", "sensor_type", "address"),)


class ActuatorRow(Model):
    """An actuator, and what its device last said of it."""

    id = fields.IntField(primary_key=True)
    device: fields.ForeignKeyRelation[DeviceRow] = fields.ForeignKeyField(
        "models.DeviceRow", related_name="actuators"
    )
    gpio = fields.SmallIntField()
    actuator_type = KeyField()
    name = fields.TextField()
    enabled = fields.BooleanField()
    critical = fields.BooleanField()
    inverted = fields.BooleanField()
    aux_gpio = fields.SmallIntField(null=True)
    default_value = fields.FloatField()
    max_runtime = fields.TimeDeltaField(null=True)
    min_off_time = fields.TimeDeltaField(null=True)
    max_starts_per_hour = fields.IntField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    value = fields.FloatField()
    is_active = fields.BooleanField()
    emergency = fields.CharEnumField(EmergencyPhase, max_length=16)
    runtime_ms = fields.FloatField(null=True)
    last_command_at = fields.DatetimeField(null=True)
    reported_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "actuator"
        unique_together = (("device_id", "gpio"),)


class SafeguardsRow(Model):
    """What is declared to keep an actuator from doing harm."""

    actuator: fields.OneToOneRelation[ActuatorRow] = fields.OneToOneField(
        "models.ActuatorRow", related_name="safeguards", primary_key=True
    )
    interlocks: fields.Field[list[Any]] = fields.JSONField()
    effect: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)
    on_server_loss = fields.CharEnumField(OnServerLoss, max_length=16)
    effect_judged_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "actuator_safeguards"


class UserRow(Model):
    """An account; `user` is a reserved word."""

    id = fields.UUIDField(primary_key=True)
    username = KeyField(unique=True)
    password_hash = fields.TextField()
    role = fields.IntEnumField(Role)
    email = fields.TextField(null=True)
    active = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "user_account"


class CommandRow(Model):
    """A command and how far it has come."""

    id = fields.UUIDField(primary_key=True)
    actuator: fields.ForeignKeyRelation[ActuatorRow] = fields.ForeignKeyField(
        "models.ActuatorRow", related_name="commands"
    )
    action = fields.CharEnumField(CommandAction, max_length=16)
    value = fields.FloatField()
    duration = fields.TimeDeltaField(null=True)
    status = fields.CharEnumField(CommandStatus, max_length=16)
    reason = fields.TextField(null=True)
    origin = fields.CharEnumField(CommandOrigin, max_length=16)
    user: fields.ForeignKeyNullableRelation[UserRow] = fields.ForeignKeyField(
        "models.UserRow", related_name="commands", null=True, on_delete=fields.SET_NULL
    )
    user_id: UUID | None
    idempotency_key = KeyField(unique=True, null=True)
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)
    completed_at = fields.DatetimeField(null=True)
    override_until = fields.DatetimeField(null=True)
    execution_id: UUID | None = fields.UUIDField(null=True)
    arbitration: fields.Field[dict[str, Any] | None] = fields.JSONField(null=True)

    class Meta:
        """Table options."""

        table = "command"
        indexes = (Index(fields=["actuator_id", "created_at", "id"]),)


class EmergencyStopRow(Model):
    """An emergency stop; its device may be gone by now, and be heard of again."""

    id = fields.UUIDField(primary_key=True)
    reason = fields.TextField()
    esp_id = KeyField(null=True)
    gpio = fields.SmallIntField(null=True)
    triggered_by: fields.ForeignKeyNullableRelation[UserRow] = fields.ForeignKeyField(
        "models.UserRow", related_name="triggered_stops", null=True, on_delete=fields.SET_NULL
    )
    triggered_by_id: UUID | None
    triggered_at = fields.DatetimeField()
    cleared_by: fields.ForeignKeyNullableRelation[UserRow] = fields.ForeignKeyField(
        "models.UserRow", related_name="cleared_stops", null=True, on_delete=fields.SET_NULL
    )
    cleared_by_id: UUID | None
    cleared_at = fields.DatetimeField(null=True)
    resume = fields.BooleanField()

    class Meta:
        """Table options."""

        table = "emergency_stop"
        indexes = (Index(fields=["triggered_at", "id"]),)


class EmergencyStopDeviceRow(Model):
    """How a device stands to an emergency stop.

    The key is (stop, device): Tortoise has no words for a key of two columns.
    """

    stop_id = fields.UUIDField(primary_key=True)
    device_id = fields.UUIDField()
    confirmed_at = fields.DatetimeField(null=True)
    released_at = fields.DatetimeField(null=True)
    resumed_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "emergency_stop_device"


class ConversionRow(Model):
    """Who made values out of raw values, and in which unit: said once, not in every reading."""

    id = fields.IntField(primary_key=True)
    mode = fields.CharEnumField(ProcessingMode, max_length=16)
    library = KeyField(null=True)
    library_version = KeyField(null=True)
    unit = KeyField(null=True)
    calibration_id: UUID | None = fields.UUIDField(null=True)

    class Meta:
        """Table options."""

        table = "conversion"


class ReadingRow(Model):
    """A reading: narrow, in monthly partitions, without foreign keys, for volume.

    Columns stand in order of their width, so that none is padded. `id` is assigned by the writer
    and grows in the order of commits; the identity is (sensor, time measured, sequence).
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    measured_at = fields.DatetimeField()
    received_at = fields.DatetimeField()
    raw_value = fields.FloatField()
    value = fields.FloatField(null=True)
    sequence = fields.BigIntField(null=True)
    sensor_id = fields.IntField()
    conversion_id = fields.IntField()
    quality = fields.SmallIntField()
    metadata: fields.Field[dict[str, object] | None] = fields.JSONField(null=True)

    class Meta:
        """Table options."""

        table = "reading"


class ClocklessSampleRow(Model):
    """What identifies a sample whose device has no clock, for as long as it may be redelivered."""

    id = fields.BigIntField(primary_key=True)
    sensor_id = fields.IntField()
    ticks = fields.BigIntField()
    sequence = fields.BigIntField(null=True)
    raw_value = fields.FloatField()
    received_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "clockless_sample"


class DeadLetterRow(Model):
    """A message that could not be read."""

    id = fields.BigIntField(primary_key=True)
    topic = fields.TextField()
    payload = fields.BinaryField()
    reason = fields.TextField()
    received_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "dead_letter"


class SystemEventRow(Model):
    """Something that happened; the id grows with time, and the device may be gone by now."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.TextField()
    severity = fields.CharEnumField(Severity, max_length=16)
    message = fields.TextField()
    esp_id = fields.TextField(null=True)
    details: fields.Field[dict[str, Detail]] = fields.JSONField()
    occurred_at = fields.DatetimeField()
    occurrences = fields.IntField()

    class Meta:
        """Table options."""

        table = "system_event"


class ZoneRow(Model):
    """A zone; devices name theirs, and so do its parts."""

    id = fields.UUIDField(primary_key=True)
    zone_id = KeyField(unique=True)
    name = fields.TextField()
    parent_zone_id = KeyField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "zone"


class ConfigSyncRow(Model):
    """How a device stands to what it should have; one row per device."""

    device: fields.OneToOneRelation[DeviceRow] = fields.OneToOneField(
        "models.DeviceRow", related_name="config_sync", primary_key=True
    )
    state = fields.CharEnumField(ConfigSyncState, max_length=16)
    config_id = fields.TextField(null=True)
    sent_at = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    attempts = fields.IntField()
    error = fields.TextField(null=True)
    items: fields.Field[dict[str, str]] = fields.JSONField()
    generation = fields.BigIntField()

    class Meta:
        """Table options."""

        table = "config_sync"


class OutboxRow(Model):
    """Something that must arrive at a device."""

    id = fields.BigIntField(primary_key=True)
    device: fields.ForeignKeyRelation[DeviceRow] = fields.ForeignKeyField(
        "models.DeviceRow", related_name="outbox"
    )
    errand = fields.CharEnumField(Errand, max_length=16)
    body: fields.Field[dict[str, str | int | bool | None]] = fields.JSONField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "outbox"
        indexes = (Index(fields=["device_id", "id"]),)


class LibraryInstallationRow(Model):
    """A library on its way to a device; the id grows with time."""

    id = fields.UUIDField(primary_key=True)
    device: fields.ForeignKeyRelation[DeviceRow] = fields.ForeignKeyField(
        "models.DeviceRow", related_name="library_installations"
    )
    library_name = KeyField()
    version = fields.TextField()
    request_id = fields.TextField(null=True)
    size = fields.IntField()
    chunk_size = fields.IntField()
    crc32 = fields.BigIntField()
    status = fields.CharEnumField(InstallationStatus, max_length=16)
    chunks_sent = fields.IntField()
    error = fields.TextField(null=True)
    started_at = fields.DatetimeField()
    completed_at = fields.DatetimeField(null=True)

    class Meta:
        """Table options."""

        table = "library_installation"
        indexes = (Index(fields=["device_id", "id"]),)


class LibraryReceiverRow(Model):
    """A device that takes libraries."""

    device: fields.OneToOneRelation[DeviceRow] = fields.OneToOneField(
        "models.DeviceRow", related_name="library_receiver", primary_key=True
    )
    ready_at = fields.DatetimeField()

    class Meta:
        """Table options."""

        table = "library_receiver"
