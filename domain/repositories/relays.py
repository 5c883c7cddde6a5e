"""Stored relays."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.relays import Relay


class Relays(Protocol):
    """Stored relays."""

    async def save_presence(self, relay: Relay) -> None:
        """Store what is heard of a relay, known or not: presence and health.

        Of a known one, its name and the time at which it was first heard stay as they are.
        """
        ...

    async def save_name(self, relay: Relay) -> None:
        """Store what people call a known relay."""
        ...

    async def all(self) -> Sequence[Relay]:
        """Return every relay, in order of kaiser_id."""
        ...

    async def by_kaiser_ids(self, kaiser_ids: Sequence[str]) -> Mapping[str, Relay]:
        """Return several relays; unknown ones are absent."""
        ...
