"""Stored sensors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.pages import Page, PageRequest
from domain.sensors import Sensor, SensorKey
from domain.thresholds import Zone


class Sensors(Protocol):
    """Stored sensors."""

    async def add(self, sensors: Sequence[Sensor]) -> Sequence[Sensor]:
        """Store new sensors (their id is ignored) and return all of them as stored.

        A sensor whose key is known already comes back as it was stored before. Their devices
        must be stored.
        """
        ...

    async def by_key(self, key: SensorKey) -> Sensor | None:
        """Return one sensor."""
        ...

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Sensor]]:
        """Return the sensors of several devices, by device, in order of pin and type."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> Page[Sensor]:
        """Return sensors in order of device, pin, type and address."""
        ...

    async def count(
        self,
        *,
        esp_id: str | None = None,
        sensor_type: str | None = None,
        enabled: bool | None = None,
    ) -> int:
        """Return how many sensors the same selection holds."""
        ...

    async def save(self, sensor: Sensor) -> None:
        """Store every configured field of a known sensor."""
        ...

    async def zones(self) -> Mapping[int, Zone]:
        """Return where sensors stand to their thresholds, by id; those in NORMAL are absent."""
        ...

    async def zones_since(self) -> Mapping[int, datetime]:
        """Return when sensors came to where they stand, by id, as far as events tell it."""
        ...

    async def save_zones(self, zones: Mapping[int, Zone]) -> None:
        """Store where sensors stand to their thresholds, by id; unknown ones are left out."""
        ...

    async def remove(self, sensor_id: int) -> None:
        """Forget a sensor; its readings can no longer be asked for."""
        ...

    async def all(self) -> Sequence[Sensor]:
        """Return every sensor, for the registry."""
        ...
