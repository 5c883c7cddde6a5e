"""Stored emergency stops."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.emergency_stops import EmergencyStop


class EmergencyStops(Protocol):
    """Stored emergency stops, with what each device confirmed."""

    async def save(self, stop: EmergencyStop) -> None:
        """Store a stop as it is now, new or known; it may be repeated.

        How a device stands is stored only of devices that are stored.
        """
        ...

    async def by_id(self, stop_id: UUID) -> EmergencyStop | None:
        """Return one stop."""
        ...

    async def unfinished(self) -> Sequence[EmergencyStop]:
        """Return the stops in force, and those of which a device is not free yet, earliest first.

        So, too, those whose devices were to resume and were not asked yet.
        """
        ...

    async def newest(
        self, limit: int, *, active: bool | None = None, devices: int | None = None
    ) -> Sequence[EmergencyStop]:
        """Return stops, newest first; those in force first of all.

        Args:
            limit: How many.
            devices: Of those that are cleared no more once these concern so many; None: all.
            active: Only those that are in force, or only those that are not; None: any.
        """
        ...
