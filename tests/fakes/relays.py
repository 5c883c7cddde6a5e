"""Relays in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.relays import Relay


@dataclass(slots=True)
class FakeRelays:
    rows: dict[str, Relay] = field(default_factory=dict)
    saved: int = 0

    async def save_presence(self, relay: Relay) -> None:
        self.saved += 1
        known = self.rows.get(relay.kaiser_id, relay)
        self.rows[relay.kaiser_id] = replace(relay, name=known.name, created_at=known.created_at)

    async def save_name(self, relay: Relay) -> None:
        self.rows[relay.kaiser_id] = replace(self.rows[relay.kaiser_id], name=relay.name)

    async def all(self) -> Sequence[Relay]:
        return [self.rows[kaiser_id] for kaiser_id in sorted(self.rows)]

    async def by_kaiser_ids(self, kaiser_ids: Sequence[str]) -> Mapping[str, Relay]:
        return {name: self.rows[name] for name in kaiser_ids if name in self.rows}
