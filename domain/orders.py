"""Orders to devices themselves, not to their pins: restart, reset, safe mode, look, measure.

An order is for now: a device that cannot be reached never gets it later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.system_events import Detail

ANSWERED_WITHIN = timedelta(seconds=5)
"""How long a device may take to answer most orders."""

MEASURED_WITHIN = timedelta(seconds=5)
"""How long a measurement may take: what firmware takes for its default (device protocol, section
1.11)."""

SEARCHED_WITHIN = timedelta(seconds=15)
"""How long a device may search its buses: some 20 ms for each chip, several times where a bus is
disturbed."""


class OrderKind(StrEnum):
    """What a device is told to do."""

    RESTART = "RESTART"
    FACTORY_RESET = "FACTORY_RESET"
    ENTER_SAFE_MODE = "ENTER_SAFE_MODE"
    LEAVE_SAFE_MODE = "LEAVE_SAFE_MODE"
    DIAGNOSE = "DIAGNOSE"
    SCAN_ONEWIRE = "SCAN_ONEWIRE"
    MEASURE = "MEASURE"

    @property
    def phrase(self) -> str:
        """What it asks for, as the end of "was told to"."""
        return _PHRASES[self]

    @property
    def deadline(self) -> timedelta:
        """How long its answer may take, from the moment it was published."""
        return _DEADLINES.get(self, ANSWERED_WITHIN)


_PHRASES: Mapping[OrderKind, str] = {
    OrderKind.RESTART: "restart",
    OrderKind.FACTORY_RESET: "forget all its settings, its WiFi included",
    OrderKind.ENTER_SAFE_MODE: "enter its safe mode",
    OrderKind.LEAVE_SAFE_MODE: "leave its safe mode",
    OrderKind.DIAGNOSE: "report on itself",
    OrderKind.SCAN_ONEWIRE: "search for OneWire sensors",
    OrderKind.MEASURE: "measure now",
}

_DEADLINES: Mapping[OrderKind, timedelta] = {
    OrderKind.SCAN_ONEWIRE: SEARCHED_WITHIN,
    OrderKind.MEASURE: MEASURED_WITHIN + timedelta(seconds=2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOrder:
    """What one device is told to do; the id travels as the correlation id.

    Attributes:
        gpio: The pin of the bus or the sensor; None: the device's default bus, or none at all.
    """

    id: UUID
    esp_id: str
    kind: OrderKind
    gpio: int | None = None


@dataclass(frozen=True, slots=True)
class OneWireChip:
    """A chip on a OneWire bus.

    Attributes:
        rom_code: 16 hexadecimal digits, the address that `setSensor` takes.
        device_type: Such as `ds18b20`; empty where the device does not know.
        gpio: The pin of its bus; None where the device does not say.
    """

    rom_code: str
    device_type: str = ""
    gpio: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What a device said to an order.

    Attributes:
        message: Its own words, or what they mean; may be empty.
        details: What else it told, of plain type.
        chips: What it found on its OneWire buses.
        raw_value: What it measured, before any conversion; None: it did not say.
    """

    success: bool
    message: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)
    chips: tuple[OneWireChip, ...] = ()
    raw_value: float | None = None
