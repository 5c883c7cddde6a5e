"""What must arrive at devices, and how they stand to it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from domain.configs import ConfigSync, Errand, OutboxEntry


class ConfigSyncs(Protocol):
    """How devices stand to what they should have."""

    async def save(self, esp_id: str, sync: ConfigSync) -> None:
        """Store how a known device stands."""
        ...

    async def by_esp_ids(self, esp_ids: Sequence[str]) -> Mapping[str, ConfigSync]:
        """Return how devices stand; one that was never sent anything is absent."""
        ...


class Outbox(Protocol):
    """What must arrive at devices, in the order in which it was decided; never commands."""

    async def add(self, entries: Sequence[OutboxEntry]) -> None:
        """Store new entries (their id is ignored) for known devices."""
        ...

    async def of_device(self, esp_id: str, errands: Collection[Errand]) -> Sequence[OutboxEntry]:
        """Return what waits for a device of some kinds, in order."""
        ...

    async def remove(self, ids: Sequence[int]) -> None:
        """Forget entries that have arrived, or never will."""
        ...

    async def waiting(self, errands: Collection[Errand]) -> Sequence[str]:
        """Return the esp_ids of the devices that anything of some kinds waits for."""
        ...
