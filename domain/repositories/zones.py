"""Stored zones."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.zones import Zone


class Zones(Protocol):
    """Stored zones."""

    async def add(self, zone: Zone) -> Zone:
        """Store a new zone; where the zone_id is known already, return the stored one."""
        ...

    async def save(self, zone: Zone) -> None:
        """Store name and parent of a known zone."""
        ...

    async def all(self) -> Sequence[Zone]:
        """Return every zone, in order of zone_id."""
        ...

    async def by_zone_ids(self, zone_ids: Sequence[str]) -> Mapping[str, Zone]:
        """Return several zones; unknown ones are absent."""
        ...
