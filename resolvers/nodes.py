"""The root field `node`: anything that has an id, found again by that id alone (Relay)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain.errors import BadInputError
from domain.users import Role
from resolvers.actuators import find_actuator, find_command
from resolvers.calibrations import find_calibration, find_procedure
from resolvers.devices import find_device
from resolvers.emergency_stops import find_emergency_stop
from resolvers.library_installations import find_installation
from resolvers.recomputations import find_recomputation
from resolvers.relays import find_relay
from resolvers.rules import find_execution, find_rule
from resolvers.sensors import find_reading, find_sensor
from resolvers.system import find_dead_letter
from resolvers.system_events import find_system_event
from resolvers.users import find_user
from resolvers.zones import find_zone
from schema.context import Info
from schema.fields import field
from schema.ids import global_id, microseconds, read_id
from schema.nodes import Node
from schema.pages import LARGEST_INTEGER

NodeId = Annotated[strawberry.ID, strawberry.argument(name="id", description="Any `id`.")]


@dataclass(frozen=True, slots=True)
class Kind:
    """How the things of one type are found.

    Attributes:
        parts: What reads each part of a key; ValueError: no key has such a part.
        find: Looks a thing up by a key that was read, in one query.
    """

    parts: tuple[Callable[[str], object], ...]
    find: Callable[..., Awaitable[Node | None]]


def _text(part: str) -> str:
    if "\x00" in part:
        raise ValueError("no column can hold this")
    return part


def _number(most: int) -> Callable[[str], int]:
    def read(part: str) -> int:
        number = int(part)
        if not 0 <= number <= most:
            raise ValueError("out of range")
        return number

    return read


_PIN = _number(255)
_ROW = _number(2**31 - 1)
_LONG_ROW = _number(LARGEST_INTEGER)
_MOMENT = _number(microseconds(datetime.max.replace(tzinfo=UTC)))

KINDS: Mapping[str, Kind] = {
    "Device": Kind((_text,), find_device),
    "Zone": Kind((_text,), find_zone),
    "KaiserNode": Kind((_text,), find_relay),
    "Sensor": Kind((_text, _PIN, _text, _text), find_sensor),
    "Reading": Kind((_ROW, _MOMENT, _LONG_ROW), find_reading),
    "Calibration": Kind((UUID,), find_calibration),
    "CalibrationProcedure": Kind((UUID,), find_procedure),
    "Recomputation": Kind((UUID,), find_recomputation),
    "Actuator": Kind((_text, _PIN), find_actuator),
    "Command": Kind((UUID,), find_command),
    "LibraryInstallation": Kind((UUID,), find_installation),
    "EmergencyStop": Kind((UUID,), find_emergency_stop),
    "Rule": Kind((UUID,), find_rule),
    "RuleExecution": Kind((UUID,), find_execution),
    "User": Kind((UUID,), find_user),
    "DeadLetter": Kind((_LONG_ROW,), find_dead_letter),
    "SystemEvent": Kind((UUID,), find_system_event),
}
"""Every type that has an id, by the name that its ids begin with."""


@strawberry.type
class NodeQueries:
    """Reading anything by its id."""

    @field
    async def node(self, info: Info, wrapped: NodeId) -> Node | None:
        """Anything by its `id`; null: it is not known. Accounts of others need the role ADMIN."""
        info.context.require(Role.VIEWER)
        kind, key = _read(wrapped)
        return await kind.find(info.context, *key)


def _read(wrapped: str) -> tuple[Kind, tuple[object, ...]]:
    type_name, parts = read_id(wrapped)
    try:
        kind = KINDS[type_name]
        key = tuple(read(part) for read, part in zip(kind.parts, parts, strict=True))
    except (KeyError, ValueError):
        pass
    else:
        # Of the many spellings of a number, only the one that is handed out makes an id.
        if global_id(type_name, *key) == wrapped:
            return kind, key
    raise BadInputError(f"{wrapped[:100]!r} is not an id of this server")
