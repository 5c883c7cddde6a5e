"""What a device should have on its pins, how it is told, and what it answers.

A configuration travels as messages of whole items: each item replaces what the device had on that
pin, so a message may be sent again, and a long configuration may be cut between items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

ANSWER_TIMEOUT = timedelta(seconds=10)
"""How long a device may take to answer one message (device protocol, section 3.1)."""

MOST_TRIES = 3
"""How often one message is sent before it counts as unanswered (device protocol, section 3.1)."""

NO_PIN = 255
"""The auxiliary pin of an actuator that has none."""

LARGEST_GENERATION = 2**32 - 1


class Section(StrEnum):
    """The two halves of a configuration; devices answer each by itself."""

    SENSOR = "sensor"
    ACTUATOR = "actuator"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorItem:
    """A sensor as its device is told of it.

    Attributes:
        active: False: the device forgets it.
        raw_mode: Whether the server converts; None: the device's own default.
        interval_seconds: Between two samples; None: the device's own default.
    """

    gpio: int
    sensor_type: str
    name: str
    active: bool = True
    raw_mode: bool | None = None
    subzone_id: str | None = None
    interval_seconds: int | None = None
    onewire_address: str | None = None
    i2c_address: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorItem:
    """An actuator as its device is told of it.

    Attributes:
        active: False: the device forgets it.
        default_value: What it does from boot on, 0.0 to 1.0.
        max_runtime_ms: The longest time on without a pause; None: the device's own default.
    """

    gpio: int
    actuator_type: str
    name: str
    active: bool = True
    critical: bool = False
    inverted: bool = False
    aux_gpio: int = NO_PIN
    default_value: float = 0.0
    subzone_id: str | None = None
    max_runtime_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """One message of a configuration.

    Attributes:
        config_id: What documented devices repeat in their answer; empty: not said.
        correlation_id: What the newest firmware demands and repeats; None: not said.
        generation: Grows with every message, 32 bit, for the newest firmware; 0: not said.
        timestamp: Unix seconds; 0: not said.
        both_spellings: Whether the documented names of the fields stand beside the firmware's.
        numbered: Whether correlation id, generation and time are said at all.
        says_empty: Whether a half without items is said, as an empty list.
    """

    esp_id: str
    kaiser_id: str
    sensors: tuple[SensorItem, ...] = ()
    actuators: tuple[ActuatorItem, ...] = ()
    config_id: str = ""
    correlation_id: str | None = None
    generation: int = 0
    timestamp: int = 0
    both_spellings: bool = False
    numbered: bool = field(default=True, compare=False)
    says_empty: bool = field(default=True, compare=False)

    @property
    def sections(self) -> frozenset[Section]:
        """The halves that hold anything, and so will be answered."""
        return frozenset(
            section
            for section, items in (
                (Section.SENSOR, self.sensors),
                (Section.ACTUATOR, self.actuators),
            )
            if items
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPart:
    """A piece of a configuration's text, for documented devices; no known firmware hears it."""

    esp_id: str
    kaiser_id: str
    config_id: str
    part_index: int
    total_parts: int
    part_data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PinConfig:
    """The specified way to set up one pin; no known firmware hears it.

    Attributes:
        section: Whether the pin has a sensor or an actuator.
        kind: The type of sensor or actuator.
        interval_ms: Between two samples; None: not said.
    """

    esp_id: str
    kaiser_id: str
    gpio: int
    section: Section
    kind: str
    enabled: bool = True
    interval_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFailure:
    """An item that a device refused.

    Attributes:
        gpio: Its pin; None where the device does not say.
    """

    section: Section | None
    gpio: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigAnswer:
    """A device's answer to a configuration, in any of its forms.

    Attributes:
        section: Which half it answers; None: all of the message.
        success: Whether everything was taken.
        empty: It only says that there was nothing in this half, which is no failure.
        failures: The items that were refused, where they are named.
        listed: Whether `failures` names all of them; early firmware sends one answer per item.
        code: The device's word for what went wrong; empty where nothing did.
        correlation_id: What it repeats of the message, by either name; None: nothing.
    """

    esp_id: str
    received_at: datetime
    success: bool
    section: Section | None = None
    empty: bool = False
    failures: tuple[ItemFailure, ...] = ()
    listed: bool = True
    code: str = ""
    message: str = ""
    correlation_id: str | None = None


class ConfigSyncState(StrEnum):
    """How a device stands to what it should have."""

    IN_SYNC = "IN_SYNC"
    PENDING = "PENDING"
    REJECTED = "REJECTED"
    TIMED_OUT = "TIMED_OUT"
    NEVER_SENT = "NEVER_SENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSync:
    """What a device was last sent, and whether it confirmed it.

    Attributes:
        attempts: Messages sent for this configuration, repeats included.
        error: Why it is not in sync, fit to be shown.
        items: The items that were refused, such as `sensor on GPIO 4`, each with the reason.
        generation: The last one that was given to a message.
    """

    state: ConfigSyncState = ConfigSyncState.NEVER_SENT
    config_id: str | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    attempts: int = 0
    error: str | None = None
    items: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0


class Errand(StrEnum):
    """What a device must be told of, whenever it comes back.

    CONFIG: all that is on its pins. FORGET: something that is no longer on a pin. ZONE: its zone.
    SUBZONE: its subzone. FORGET_SUBZONE: that a subzone is no more. LIBRARY: a library it takes.
    """

    CONFIG = "CONFIG"
    FORGET = "FORGET"
    ZONE = "ZONE"
    SUBZONE = "SUBZONE"
    FORGET_SUBZONE = "FORGET_SUBZONE"
    LIBRARY = "LIBRARY"


CONFIG_ERRANDS = frozenset(Errand) - {Errand.LIBRARY}
"""The errands that are carried out together, as one configuration."""


ERRAND_LIFETIME = timedelta(days=30)
"""How long a device that is away is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """Something that must arrive. Commands are never among these: they would come too late.

    Attributes:
        id: Grows in the order of what was decided; 0 until it is stored.
        body: What has to be said where the server itself no longer knows it; flat.
    """

    id: int = 0
    esp_id: str
    errand: Errand
    body: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    created_at: datetime
    expires_at: datetime
