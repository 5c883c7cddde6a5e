"""Zones: parts of the plant that devices belong to, and what a device is told of its own.

A device keeps its zone in its own memory and puts it into what it sends; the server is the
authority. Names that devices take follow device protocol, section 1.10.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.devices import FirmwareEvidence
from domain.errors import BadInputError, NotFoundError

_ZONE_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_NULL = "null"
LONGEST_ZONE_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of the plant.

    Attributes:
        zone_id: The name that devices know it by; unique.
        name: What people call it.
        parent_zone_id: The zone that it is a part of; None: of none.
    """

    id: UUID
    zone_id: str
    name: str
    parent_zone_id: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAssignment:
    """A device is told which zone it belongs to; an empty `zone_id` takes it out of its zone.

    Attributes:
        kaiser_id: The topic level that the device is heard on, and answered on.
        new_kaiser_id: The level that it is to use from now on.
    """

    esp_id: str
    kaiser_id: str
    zone_id: str
    master_zone_id: str
    zone_name: str
    new_kaiser_id: str
    correlation_id: str | None = None
    timestamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubzoneAssignment:
    """A device is told that some of its pins form a subzone of its zone."""

    esp_id: str
    kaiser_id: str
    subzone_id: str
    subzone_name: str
    parent_zone_id: str
    gpios: tuple[int, ...]
    safe_mode_active: bool = True
    correlation_id: str | None = None
    timestamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubzoneRemoval:
    """A device is told to forget a subzone."""

    esp_id: str
    kaiser_id: str
    subzone_id: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubzoneSafety:
    """A device is told to hold the pins of a subzone in their safe state, or to let them go."""

    esp_id: str
    kaiser_id: str
    subzone_id: str
    enable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAnswer:
    """A device's answer to a zone or subzone that it was told.

    Attributes:
        subzone: Whether it is about a subzone; then `name` is that of the subzone.
        name: The zone or subzone that it has now; empty: none.
        firmware: Which generations write such an answer; None: any.
    """

    esp_id: str
    received_at: datetime
    success: bool
    subzone: bool = False
    name: str = ""
    code: str = ""
    message: str = ""
    correlation_id: str | None = None
    firmware: FirmwareEvidence | None = field(default=None, compare=False)

    @property
    def reason(self) -> str:
        """Why it refused, fit to be shown."""
        return self.message or self.code or "the device refused without a reason"


def checked_zone_id(text: str, what: str = "zoneId") -> str:
    """Return a zone's or subzone's name, if every firmware can take it.

    Raises:
        BadInputError: It has other characters, or is longer than the newest firmware's memory for
            it. `null` is what the oldest firmware takes a missing name for.
    """
    if not _ZONE_ID.fullmatch(text) or text.lower() == _NULL:
        raise BadInputError(f"{what} takes 1 to 32 letters, digits, _ or -, not {text[:40]!r}")
    return text


def check_parent(zone_id: str, parent: str, zones: Mapping[str, Zone]) -> None:
    """Demand that a zone can become a part of another one.

    Raises:
        NotFoundError: Nobody knows that other one.
        BadInputError: The zone would be a part of itself.
    """
    if parent not in zones:
        raise NotFoundError(f"no zone {parent} is known")
    above: str | None = parent
    while above is not None:
        if above == zone_id:
            raise BadInputError("a zone cannot be a part of itself")
        above = zones[above].parent_zone_id if above in zones else None
