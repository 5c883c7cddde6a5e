"""What a board makes of a configuration, and how each generation answers it.

Device protocol, sections 1.9, 1.10 and 5.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from domain.configs import ActuatorItem, DeviceConfig, Section, SensorItem
from domain.zones import SubzoneAssignment, SubzoneRemoval, SubzoneSafety, ZoneAssignment
from simulator.actuators import VirtualActuator
from simulator.dialects import Dialect
from simulator.sensors import VirtualSensor
from simulator.writing import Fields, Origin

RESERVED_PINS = frozenset({1, 2, 3, 12, 13})
"""Pins that the board needs for itself (device protocol, section 5.1); 0 is what buses report."""

_GPIO_CONFLICT = 1002
_SUBZONE_PARENT, _SUBZONE_UNKNOWN = 2502, 2503

Item: TypeAlias = SensorItem | ActuatorItem
ItemKey: TypeAlias = tuple[Section, int, str, str]


@dataclass(slots=True)
class Configuration:
    """What a board was set up with over the air; it outlives a reboot.

    Attributes:
        items: By section, pin, type and address.
        subzones: The pins of each.
        taken: Configurations that arrived.
        generations: The newest that was taken of each half, where the firmware minds.
    """

    items: dict[ItemKey, Item] = field(default_factory=dict)
    subzones: dict[str, tuple[int, ...]] = field(default_factory=dict)
    taken: int = 0
    generations: dict[Section, int] = field(default_factory=dict)

    def added(self, section: Section, built_in: Iterable[VirtualSensor | VirtualActuator]) -> int:
        """Return how many sensors or actuators it has on pins that had none."""
        pins = {part.gpio for part in built_in}
        return sum(key[0] is section and key[1] not in pins for key in self.items)

    def longest_run(self, gpio: int) -> float | None:
        """Return for how long a pin may be on without a pause, in seconds; None: nobody said."""
        for item in self.items.values():
            if isinstance(item, ActuatorItem) and item.gpio == gpio and item.max_runtime_ms:
                return item.max_runtime_ms / 1000.0
        return None

    def take(self, config: DeviceConfig, dialect: Dialect, origin: Origin) -> list[Fields]:
        """Take a configuration, and return the answers."""
        self.taken += 1
        halves: tuple[tuple[Section, tuple[Item, ...]], ...] = (
            (Section.SENSOR, config.sensors),
            (Section.ACTUATOR, config.actuators),
        )
        answers: list[Fields] = []
        for section, items in halves:
            if not items:
                answers += [] if dialect.takes_empty else [_empty(section)]
                continue
            broken = self._broken_contract(config, section) if dialect.correlates else None
            if broken is not None:
                answers.append(_error(section.value, "Configuration refused", broken))
                continue
            refused = [item for item in items if not self._set(section, item)]
            if dialect.lists_failures:
                fields = _listed(config, section, len(items), refused)
                if not dialect.correlates and refused:
                    fields["status"] = "error"  # it knows only all or nothing
                answers.append(_numbered(origin, fields))
            else:
                answers += _early(section, len(items), refused)
        return answers

    def _broken_contract(self, config: DeviceConfig, section: Section) -> str | None:
        if not config.correlation_id:
            return "CONTRACT_MISSING_CORRELATION"
        if config.generation and config.generation <= self.generations.get(section, 0):
            return f"STALE_{section.name}"
        self.generations[section] = config.generation
        return None

    def _set(self, section: Section, item: Item) -> bool:
        if item.gpio in RESERVED_PINS:
            return False
        kind = item.sensor_type if isinstance(item, SensorItem) else item.actuator_type
        address = ""
        if isinstance(item, SensorItem):
            address = item.onewire_address or str(item.i2c_address or "")
        key = (section, item.gpio, kind, address)
        if item.active:
            self.items[key] = item
        else:
            self.items.pop(key, None)
        return True


def _early(section: Section, count: int, refused: list[Item]) -> list[Fields]:
    word = section.value
    if not refused:
        message = f"Configured {count} {word}(s) successfully"
        return [{"status": "success", "type": word, "count": count, "message": message}]
    return [
        _error(word, f"GPIO {item.gpio} is reserved", "GPIO_CONFLICT")
        | {"failed_item": {"gpio": item.gpio}}
        for item in refused
    ]


def _empty(section: Section) -> Fields:
    message = f"{section.value.capitalize()} config array is empty"
    return _error(section.value, message, "MISSING_FIELD")


def too_large() -> Fields:
    """Return the answer of newest firmware to a configuration that it has no room for."""
    return _error("unknown", "Config payload too large", "PAYLOAD_TOO_LARGE")


def _error(word: str, message: str, code: str) -> Fields:
    return {"status": "error", "type": word, "count": 0, "message": message, "error_code": code}


def _listed(config: DeviceConfig, section: Section, count: int, refused: list[Item]) -> Fields:
    status = "success"
    if refused:
        status = "error" if len(refused) == count else "partial_success"
    fields: Fields = {
        "status": status,
        "type": section.value,
        "count": count - len(refused),
        "failed_count": len(refused),
        "message": f"{count - len(refused)} of {count} item(s) configured",
        "correlation_id": config.correlation_id,
    }
    if refused:
        fields["failures"] = [
            {
                "type": section.value,
                "gpio": item.gpio,
                "error_code": _GPIO_CONFLICT,
                "error": "GPIO_CONFLICT",
                "detail": f"GPIO {item.gpio} is reserved",
            }
            for item in refused
        ]
    return fields


def _numbered(origin: Origin, fields: Fields) -> Fields:
    return fields if origin.sequence is None else {"seq": origin.sequence} | fields


def zone_answer(message: ZoneAssignment, dialect: Dialect, origin: Origin) -> Fields | None:
    """Return the answer to a zone; None: this generation ignores the message."""
    if not message.zone_id and dialect.gate is None and not dialect.boot_clock:
        return None
    fields: Fields = {
        "esp_id": origin.esp_id,
        "status": "zone_assigned",
        "zone_id": message.zone_id,
        "master_zone_id": message.master_zone_id,
        "timestamp" if dialect.boot_clock else "ts": origin.stamp,
    }
    if dialect.correlates:
        fields["status"] = "zone_assigned" if message.zone_id else "zone_removed"
        fields["correlation_id"] = message.correlation_id
    return _numbered(origin, fields)


def subzone_answer(
    message: SubzoneAssignment | SubzoneRemoval | SubzoneSafety,
    known: dict[str, tuple[int, ...]],
    origin: Origin,
) -> Fields | None:
    """Do what is said of a subzone, and return the answer; None: done without a word.

    Args:
        message: What is to become of which subzone.
        known: The subzones of the board; changed.
        origin: Who answers, and which zone it is in.
    """
    fields: Fields = {
        "esp_id": origin.esp_id,
        "status": "subzone_assigned",
        "subzone_id": message.subzone_id,
        "timestamp": origin.stamp,
    }
    match message:
        case SubzoneAssignment(parent_zone_id=parent) if parent != origin.zone_id:
            fields |= _refused(_SUBZONE_PARENT, "another parent zone")
        case SubzoneAssignment():
            known[message.subzone_id] = message.gpios
        case SubzoneRemoval():
            known.pop(message.subzone_id, None)
            fields["status"] = "subzone_removed"
        case SubzoneSafety() if message.subzone_id in known:
            return None
        case SubzoneSafety():
            fields |= _refused(_SUBZONE_UNKNOWN, "no such subzone")
    if not isinstance(message, SubzoneSafety):
        fields["correlation_id"] = message.correlation_id
    return _numbered(origin, fields)


def _refused(code: int, message: str) -> Fields:
    return {"status": "error", "error_code": code, "message": message}
