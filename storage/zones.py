"""Zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tortoise.queryset import QuerySet

from domain.zones import Zone
from storage.client import TransactionClient
from storage.tables import ZoneRow


@dataclass(frozen=True, slots=True)
class ZoneRepository:
    """Implements domain.repositories.Zones."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[ZoneRow]:
        return ZoneRow.all().using_db(self._client)

    async def add(self, zone: Zone) -> Zone:
        """Insert, unless the zone_id is there."""
        row = ZoneRow(
            id=zone.id,
            zone_id=zone.zone_id,
            name=zone.name,
            parent_zone_id=zone.parent_zone_id,
            created_at=zone.created_at,
        )
        await ZoneRow.bulk_create([row], ignore_conflicts=True, using_db=self._client)
        return _zone(await self._rows().get(zone_id=zone.zone_id))

    async def save(self, zone: Zone) -> None:
        """Update name and parent."""
        await (
            self._rows()
            .filter(zone_id=zone.zone_id)
            .update(name=zone.name, parent_zone_id=zone.parent_zone_id)
        )

    async def all(self) -> Sequence[Zone]:
        """Select all."""
        return [_zone(row) for row in await self._rows().order_by("zone_id")]

    async def by_zone_ids(self, zone_ids: Sequence[str]) -> Mapping[str, Zone]:
        """Select several."""
        rows = await self._rows().filter(zone_id__in=zone_ids)
        return {row.zone_id: _zone(row) for row in rows}


def _zone(row: ZoneRow) -> Zone:
    return Zone(
        id=row.id,
        zone_id=row.zone_id,
        name=row.name,
        parent_zone_id=row.parent_zone_id,
        created_at=row.created_at,
    )
