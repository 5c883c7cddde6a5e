"""Relays between devices and the server (device protocol, section 1.13)."""

from dataclasses import dataclass
from datetime import datetime

from domain.relays import RelayHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayHeartbeat:
    """A relay is alive.

    Attributes:
        kaiser_id: The relay's id, which is also the level that its devices are heard on.
    """

    kaiser_id: str
    received_at: datetime
    health: RelayHealth
