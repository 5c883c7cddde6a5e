"""What devices tell of their inner state, on the wire: told to where growers hear it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.intents import Outcome
from domain.relays import RelayHealth
from domain.system_events import Detail
from mqtt_bridge.control import Control
from mqtt_bridge.messages import (
    AuthStatus,
    Discovery,
    HeartbeatMetrics,
    IntentOutcome,
    QueuePressure,
    RelayHeartbeat,
    SafeMode,
)


class Conditions(Protocol):
    """Where growers are told of a device's inner state."""

    def intent(  # noqa: PLR0913 - what an outcome says
        self,
        esp_id: str,
        intent_id: str,
        outcome: Outcome,
        *,
        flow: str,
        code: str,
        reason: str,
    ) -> None:
        """A device told what became of an order."""
        ...

    def queue_pressure(self, esp_id: str, *, entered: bool, details: Mapping[str, Detail]) -> None:
        """A device cannot publish as fast as it wants to, or can again."""
        ...

    def counters(self, esp_id: str, counters: Mapping[str, Detail]) -> None:
        """A device told its counters."""
        ...

    def credentials(self, esp_id: str, *, success: bool, mode: str, error: str) -> None:
        """A device logged in to the broker with new credentials, or could not."""
        ...

    def onewire_found(self, esp_id: str, found: Sequence[tuple[str, str, int | None]]) -> None:
        """A device searched its OneWire buses, and nobody waits for what it found."""
        ...


class Presences(Protocol):
    """Who keeps what is known of devices."""

    async def discovered(self, esp_id: str, kaiser_id: str) -> None:
        """Take in that somebody found a device."""
        ...

    async def safe_mode(self, esp_id: str, at: datetime, *, active: bool, reason: str) -> None:
        """Take in that a device entered or left its safe mode."""
        ...


class Relays(Protocol):
    """Who watches the relays."""

    async def heard(self, kaiser_id: str, at: datetime, health: RelayHealth) -> None:
        """Take in a relay's sign of life."""
        ...


@dataclass(slots=True, kw_only=True)
class ConditionWire:
    """Tells growers what goes on inside their devices."""

    conditions: Conditions
    watch: Presences
    relays: Relays

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on(IntentOutcome, self._outcome)
        control.on(QueuePressure, self._pressure)
        control.on(HeartbeatMetrics, self._metrics)
        control.on(AuthStatus, self._credentials)
        control.on(SafeMode, self._safe_mode)
        control.on(Discovery, self._discovery)
        control.on(RelayHeartbeat, self._relay)

    async def _outcome(self, told: IntentOutcome) -> None:
        self.conditions.intent(
            told.esp_id,
            told.intent_id,
            told.outcome,
            flow=told.flow,
            code=told.code,
            reason=told.reason,
        )

    async def _pressure(self, told: QueuePressure) -> None:
        counts = {
            "fill_level": told.fill_level,
            "high_watermark": told.high_watermark,
            "shed_count": told.shed_count,
            "drop_count": told.drop_count,
        }
        self.conditions.queue_pressure(
            told.esp_id,
            entered=told.entered,
            details={name: count for name, count in counts.items() if count is not None},
        )

    async def _metrics(self, told: HeartbeatMetrics) -> None:
        self.conditions.counters(told.esp_id, told.counters)

    async def _credentials(self, told: AuthStatus) -> None:
        self.conditions.credentials(
            told.esp_id, success=told.success, mode=told.mode, error=told.error
        )

    async def _safe_mode(self, told: SafeMode) -> None:
        await self.watch.safe_mode(
            told.esp_id, told.received_at, active=told.active, reason=told.reason
        )

    async def _discovery(self, told: Discovery) -> None:
        if told.esp_id:
            await self.watch.discovered(told.esp_id, told.kaiser_id)

    async def _relay(self, told: RelayHeartbeat) -> None:
        await self.relays.heard(told.kaiser_id, told.received_at, told.health)
