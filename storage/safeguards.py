"""Safeguards of actuators, their conditions as the JSON that people write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.actuators import Pin
from domain.rules.fields import Findings
from domain.safeguards import (
    Safeguards,
    read_effect,
    read_interlocks,
    write_effect,
    write_interlocks,
)
from storage.client import TransactionClient
from storage.tables import SafeguardsRow


@dataclass(frozen=True, slots=True)
class SafeguardsRepository:
    """Implements domain.repositories.StoredSafeguards."""

    _client: TransactionClient

    async def save(self, actuator_id: int, safeguards: Safeguards) -> None:
        """Insert or update; what was judged of its effect stays."""
        effect = write_effect(safeguards.effect)
        await SafeguardsRow.bulk_create(
            [
                SafeguardsRow(
                    actuator_id=actuator_id,
                    interlocks=write_interlocks(safeguards.interlocks),
                    effect=None if effect is None else dict(effect),
                    on_server_loss=safeguards.on_server_loss,
                )
            ],
            on_conflict=["actuator_id"],
            update_fields=["interlocks", "effect", "on_server_loss"],
            using_db=self._client,
        )

    async def all(self) -> Mapping[Pin, Safeguards]:
        """Select all."""
        rows = SafeguardsRow.all().using_db(self._client).select_related("actuator__device")
        return {_pin(row): _safeguards(row) for row in await rows}

    async def save_judged(self, pin: Pin, at: datetime) -> None:
        """Update one."""
        await self._client.execute_query(_SAVE_JUDGED, [pin.esp_id, pin.gpio, at])

    async def judged(self) -> Mapping[Pin, datetime]:
        """Select those that have a time."""
        rows = (
            SafeguardsRow.filter(effect_judged_at__isnull=False)
            .using_db(self._client)
            .select_related("actuator__device")
        )
        return {_pin(row): row.effect_judged_at for row in await rows if row.effect_judged_at}


def _pin(row: SafeguardsRow) -> Pin:
    return Pin(row.actuator.device.esp_id, row.actuator.gpio)


def _safeguards(row: SafeguardsRow) -> Safeguards:
    findings = Findings()
    safeguards = Safeguards(
        interlocks=read_interlocks(findings, row.interlocks),
        effect=None if row.effect is None else read_effect(findings, row.effect),
        on_server_loss=row.on_server_loss,
    )
    # An interlock that this version cannot read must not silently be none.
    findings.require_none()
    return safeguards


_SAVE_JUDGED = """
UPDATE actuator_safeguards SET effect_judged_at = $3
FROM actuator JOIN device ON device.id = actuator.device_id
WHERE actuator_safeguards.actuator_id = actuator.id
    AND device.esp_id = $1 AND actuator.gpio = $2
"""
