"""What a board makes of a configuration, and how each generation answers it.

Device protocol, sections 1.9, 1.10 and 5.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from domain.configs import ActuatorItem, DeviceConfig, Section, SensorItem
from domain.zones import SubzoneAssignment, SubzoneRemoval, ZoneAssignment
from simulator.actuators import VirtualActuator
from simulator.dialects import Dialect, Fields, Origin
from simulator.sensors import VirtualSensor

RESERVED_PINS = frozenset({1, 2, 3, 12, 13})
"""Pins that the board needs for itself (device protocol, section 5.1); 0 is what buses report."""

LARGEST_EARLY = 1900
"""Bytes of a configuration that early firmware hears; a longer one vanishes without an answer."""

_GPIO_CONFLICT = 1002

Item: TypeAlias = SensorItem | ActuatorItem
ItemKey: TypeAlias = tuple[Section, int, str, str]


@dataclass(slots=True)
class Configuration:
    """What a board was set up with over the air; it outlives a reboot.

    Attributes:
        items: By section, pin, type and address.
        taken: Configurations of which something was taken.
    """

    items: dict[ItemKey, Item] = field(default_factory=dict)
    subzones: set[str] = field(default_factory=set)
    taken: int = 0

    def added(self, section: Section, built_in: Iterable[VirtualSensor | VirtualActuator]) -> int:
        """Return how many sensors or actuators it has on pins that had none."""
        pins = {part.gpio for part in built_in}
        return sum(key[0] is section and key[1] not in pins for key in self.items)

    def take(self, config: DeviceConfig, dialect: Dialect, origin: Origin) -> list[Fields]:
        """Take a configuration, and return the answers."""
        self.taken += 1
        halves: tuple[tuple[Section, tuple[Item, ...]], ...] = (
            (Section.SENSOR, config.sensors),
            (Section.ACTUATOR, config.actuators),
        )
        answers: list[Fields] = []
        for section, items in halves:
            refused = [item for item in items if not self._set(section, item)]
            if dialect.counts:
                if items:
                    answers.append(_newest(config, origin, section, len(items), refused))
            else:
                answers += _early(section, len(items), refused)
        return answers

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
    if count == 0:
        message = f"{word.capitalize()} config array is empty"
        return [_error(word, message, "MISSING_FIELD")]
    if not refused:
        message = f"Configured {count} {word}(s) successfully"
        return [{"status": "success", "type": word, "count": count, "message": message}]
    return [
        _error(word, f"GPIO {item.gpio} is reserved", "GPIO_CONFLICT")
        | {"failed_item": {"gpio": item.gpio}}
        for item in refused
    ]


def _error(word: str, message: str, code: str) -> Fields:
    return {"status": "error", "type": word, "count": 0, "message": message, "error_code": code}


def _newest(
    config: DeviceConfig, origin: Origin, section: Section, count: int, refused: list[Item]
) -> Fields:
    status = "success"
    if refused:
        status = "error" if len(refused) == count else "partial_success"
    fields: Fields = {
        "seq": origin.sequence,
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


def zone_answer(message: ZoneAssignment, dialect: Dialect, origin: Origin) -> Fields | None:
    """Return the answer to a zone; None: this generation ignores the message."""
    if not message.zone_id and dialect.retains and not dialect.boot_clock:
        return None
    fields: Fields = {
        "esp_id": origin.esp_id,
        "status": "zone_assigned",
        "zone_id": message.zone_id,
        "master_zone_id": message.master_zone_id,
        "timestamp" if dialect.boot_clock else "ts": origin.stamp,
    }
    if dialect.counts:
        fields["status"] = "zone_assigned" if message.zone_id else "zone_removed"
        fields |= {"seq": origin.sequence, "correlation_id": message.correlation_id}
    return fields


def subzone_answer(message: SubzoneAssignment | SubzoneRemoval, origin: Origin) -> Fields:
    """Return the newest firmware's answer to a subzone that it is told, or is to forget."""
    fields: Fields = {
        "esp_id": origin.esp_id,
        "status": "subzone_removed",
        "subzone_id": message.subzone_id,
        "timestamp": origin.stamp,
        "seq": origin.sequence,
        "correlation_id": message.correlation_id,
    }
    if isinstance(message, SubzoneRemoval):
        return fields
    if message.parent_zone_id != origin.zone_id:
        return fields | {"status": "error", "error_code": 2502, "message": "another parent zone"}
    return fields | {"status": "subzone_assigned"}
