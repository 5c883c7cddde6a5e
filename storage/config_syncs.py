"""How devices stand to what they should have."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.configs import ConfigSync
from storage.client import TransactionClient
from storage.tables import ConfigSyncRow

_SAVE = """
INSERT INTO config_sync (
    device_id, state, config_id, sent_at, confirmed_at, attempts, error, items, generation)
SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM device WHERE esp_id = $1
ON CONFLICT (device_id) DO UPDATE SET
    state = excluded.state, config_id = excluded.config_id, sent_at = excluded.sent_at,
    confirmed_at = excluded.confirmed_at, attempts = excluded.attempts, error = excluded.error,
    items = excluded.items, generation = excluded.generation
"""


@dataclass(frozen=True, slots=True)
class ConfigSyncRepository:
    """Implements domain.repositories.ConfigSyncs."""

    _client: TransactionClient

    async def save(self, esp_id: str, sync: ConfigSync) -> None:
        """Insert or replace."""
        await self._client.execute_query(
            _SAVE,
            [
                esp_id,
                sync.state.value,
                sync.config_id,
                sync.sent_at,
                sync.confirmed_at,
                sync.attempts,
                sync.error,
                json.dumps(dict(sync.items)),
                sync.generation,
            ],
        )

    async def by_esp_ids(self, esp_ids: Sequence[str]) -> Mapping[str, ConfigSync]:
        """Select several."""
        rows = (
            await ConfigSyncRow.filter(device__esp_id__in=esp_ids)
            .using_db(self._client)
            .select_related("device")
        )
        return {row.device.esp_id: _sync(row) for row in rows}


def _sync(row: ConfigSyncRow) -> ConfigSync:
    return ConfigSync(
        state=row.state,
        config_id=row.config_id,
        sent_at=row.sent_at,
        confirmed_at=row.confirmed_at,
        attempts=row.attempts,
        error=row.error,
        items=row.items,
        generation=row.generation,
    )
