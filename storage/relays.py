"""Relays."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from tortoise.queryset import QuerySet

from domain.relays import Relay, RelayHealth
from storage.client import TransactionClient
from storage.tables import RelayRow

_PRESENCE = ["online", "last_seen", "health"]
_HEALTH = frozenset(known.name for known in fields(RelayHealth))


@dataclass(frozen=True, slots=True)
class RelayRepository:
    """Implements domain.repositories.Relays."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[RelayRow]:
        return RelayRow.all().using_db(self._client)

    async def save_presence(self, relay: Relay) -> None:
        """Insert, or update what is heard of it."""
        row = RelayRow(
            kaiser_id=relay.kaiser_id,
            name=relay.name,
            online=relay.online,
            last_seen=relay.last_seen,
            health=asdict(relay.health),
            created_at=relay.created_at,
        )
        await RelayRow.bulk_create(
            [row], on_conflict=["kaiser_id"], update_fields=_PRESENCE, using_db=self._client
        )

    async def save_name(self, relay: Relay) -> None:
        """Update the name."""
        await self._rows().filter(kaiser_id=relay.kaiser_id).update(name=relay.name)

    async def all(self) -> Sequence[Relay]:
        """Select all."""
        return [_relay(row) for row in await self._rows().order_by("kaiser_id")]

    async def by_kaiser_ids(self, kaiser_ids: Sequence[str]) -> Mapping[str, Relay]:
        """Select several."""
        rows = await self._rows().filter(kaiser_id__in=kaiser_ids)
        return {row.kaiser_id: _relay(row) for row in rows}


def _relay(row: RelayRow) -> Relay:
    return Relay(
        kaiser_id=row.kaiser_id,
        name=row.name,
        online=row.online,
        last_seen=row.last_seen,
        health=_health(row.health),
        created_at=row.created_at,
    )


def _health(stored: Mapping[str, Any]) -> RelayHealth:
    """Return a report, also where another version of the server wrote it."""
    known = {name: value for name, value in stored.items() if name in _HEALTH}
    return RelayHealth(**known | {"clients": tuple(known.get("clients", ()))})
