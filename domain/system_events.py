"""What happened that a grower should know of: faults, alerts, comings and goings, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

Detail: TypeAlias = str | int | float | bool | None
"""What a detail can be: a plain value, fit for JSON."""

TABLE_LIMIT = 100_000
"""System events that are kept; the oldest leave first."""

KEPT_FOR = timedelta(days=90)
"""How long a system event is kept."""


class Severity(StrEnum):
    """How much something matters, from good to know to drop everything."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"

    @classmethod
    def of(cls, said: str | int) -> "Severity":
        """Read a device's word or number: firmware counts 0 (info) to 3 (critical).

        Raises:
            ValueError: It is neither.
        """
        word = str(said).strip().upper()
        if word.isascii() and word.isdigit() and int(word) < len(cls):
            return list(cls)[int(word)]
        try:
            return cls(word)
        except ValueError:
            raise ValueError(f"{word[:40]!r} is no severity: 0 to 3, or a word") from None


class EventKind(StrEnum):
    """What kind of thing happened."""

    DEVICE_ERROR = "DEVICE_ERROR"
    """A device reported an error of its firmware's code table."""
    ACTUATOR_ALERT = "ACTUATOR_ALERT"
    """A device protected an actuator, or stopped it."""
    DEVICE_ONLINE = "DEVICE_ONLINE"
    DEVICE_OFFLINE = "DEVICE_OFFLINE"
    DEVICE_RESTARTED = "DEVICE_RESTARTED"
    COMMANDS_UNANSWERED = "COMMANDS_UNANSWERED"
    """A device is there, and answers no command."""
    COMMANDS_ANSWERED = "COMMANDS_ANSWERED"
    """It answers again."""
    MESSAGES_UNREADABLE = "MESSAGES_UNREADABLE"
    """Messages became dead letters."""
    LIBRARY_INSTALLED = "LIBRARY_INSTALLED"
    LIBRARY_NOT_INSTALLED = "LIBRARY_NOT_INSTALLED"
    """A device should have taken a library, and did not."""
    LIBRARY_LOADED = "LIBRARY_LOADED"
    """A library file is in use that was not, or not as it is now."""
    LIBRARY_BROKEN = "LIBRARY_BROKEN"
    """A library file cannot be used."""
    LIBRARY_FAILING = "LIBRARY_FAILING"
    """A library failed too often and is not asked any more."""
    SENSOR_CALIBRATED = "SENSOR_CALIBRATED"
    CALIBRATION_EXPIRED = "CALIBRATION_EXPIRED"
    """A calibration should have been repeated by now."""
    SOURCE_REMOVED = "SOURCE_REMOVED"
    """A sensor was removed that another one takes from."""
    READINGS_RECOMPUTED = "READINGS_RECOMPUTED"
    """Readings of the past were converted again."""
    RECOMPUTATION_TAKEN_BACK = "RECOMPUTATION_TAKEN_BACK"
    """They are as they were before."""
    RECOMPUTATION_FAILED = "RECOMPUTATION_FAILED"
    THRESHOLD_CROSSED = "THRESHOLD_CROSSED"
    """A sensor's value went beyond a warning or an alarm."""
    THRESHOLD_RETURNED = "THRESHOLD_RETURNED"
    """It came back."""
    ACTUATOR_NOT_OFF = "ACTUATOR_NOT_OFF"
    """An actuator was to be switched off, and its device does not confirm it."""
    ACTUATOR_OFF = "ACTUATOR_OFF"
    """It has confirmed it at last."""
    ACTUATOR_DISAGREES = "ACTUATOR_DISAGREES"
    """An actuator does something else than it was last asked for."""
    INTERLOCK_BROKEN = "INTERLOCK_BROKEN"
    """What must hold for an actuator to be on does not hold any more; it is switched off."""
    EFFECT_MISSING = "EFFECT_MISSING"
    """An actuator is on, and does not have the effect that it should."""
    SERVER_WAS_LOST = "SERVER_WAS_LOST"
    """An actuator is switched off that was to go off without the server."""
    RULE_NOTIFIED = "RULE_NOTIFIED"
    """A rule was told to say this."""
    RULE_NOT_DONE = "RULE_NOT_DONE"
    """A rule could not do what it is for."""
    EMERGENCY_STOP = "EMERGENCY_STOP"
    EMERGENCY_UNCONFIRMED = "EMERGENCY_UNCONFIRMED"
    """A device did not confirm a stop, or is not free after one was cleared."""
    EMERGENCY_CLEARED = "EMERGENCY_CLEARED"
    DEVICE_FLOODING = "DEVICE_FLOODING"
    """A device sends far more than its share."""
    DEVICE_DISCOVERED = "DEVICE_DISCOVERED"
    """A device that nobody let in yet was heard of; the only kind that is told of such a one."""
    DEVICE_FLAPPING = "DEVICE_FLAPPING"
    """A device's connection keeps breaking; single comings and goings are not told meanwhile."""
    DEVICE_STEADY = "DEVICE_STEADY"
    """Its connection holds again."""
    SAFE_MODE_ENTERED = "SAFE_MODE_ENTERED"
    SAFE_MODE_LEFT = "SAFE_MODE_LEFT"
    QUEUE_PRESSURE = "QUEUE_PRESSURE"
    """A device cannot publish as fast as it wants to."""
    QUEUE_RECOVERED = "QUEUE_RECOVERED"
    MESSAGES_LOST = "MESSAGES_LOST"
    """A device threw away messages that it could not send or store."""
    CREDENTIALS_ACCEPTED = "CREDENTIALS_ACCEPTED"
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    """A device could not log in to the broker with new credentials."""
    CONFIG_REFUSED = "CONFIG_REFUSED"
    """A device refused a part of its configuration."""
    ONEWIRE_FOUND = "ONEWIRE_FOUND"
    """A device searched its OneWire buses."""
    INTENT_REFUSED = "INTENT_REFUSED"
    """A device did not do what it was told, for a reason of its own."""
    DEVICE_ORDERED = "DEVICE_ORDERED"
    """A person ordered a device to do something with itself, and what came of it."""
    RELAY_ONLINE = "RELAY_ONLINE"
    RELAY_OFFLINE = "RELAY_OFFLINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvent:
    """Something that happened.

    Attributes:
        id: Time-ordered (UUIDv7): it grows in the order of storing.
        kind: One of `EventKind`, or of what a later version knew.
        message: What happened and what to do, in a sentence that a grower understands.
        esp_id: The device it is about; None: the server itself.
        details: For those who look closer: the code, the device's own words.
        occurred_at: When the server came to know of it.
        occurrences: How often it happened in one go, 1 or more; repeats make no event of their own.
    """

    id: UUID
    kind: str
    severity: Severity
    message: str
    esp_id: str | None = None
    details: Mapping[str, Detail]
    occurred_at: datetime
    occurrences: int = 1
