"""Relays between devices and the server: whether they are there.

A relay tells every 60 s that it lives (device protocol, section 1.13). When it is gone, the devices
behind it are silent for a reason that none of them can tell.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.ports import Clock
from domain.services.record_events import RecordEvents
from domain.system_events import EventKind, Severity

SILENT_AFTER = timedelta(seconds=180)
"""Silence after which a relay is gone: three of its signs of life."""

SWEEP_EVERY = timedelta(seconds=15)
"""How often silent relays are looked for."""

MOST_RELAYS = 100
"""Relays that are watched; whoever invents more names is not listened to."""


@dataclass(frozen=True, slots=True)
class _Relay:
    last_seen: datetime
    devices: int
    online: bool = True


@dataclass(slots=True, kw_only=True)
class WatchRelays:
    """Tells when a relay comes and goes; what it knows is told again within a minute."""

    record: RecordEvents
    clock: Clock
    _relays: dict[str, _Relay] = field(default_factory=dict, init=False)

    def heard(self, kaiser_id: str, at: datetime, devices: int) -> None:
        """Take in a relay's sign of life.

        Args:
            kaiser_id: The relay.
            at: When it was received.
            devices: How many devices are behind it.
        """
        before = self._relays.get(kaiser_id)
        if before is None and len(self._relays) >= MOST_RELAYS:
            return
        self._relays[kaiser_id] = _Relay(at, devices)
        if before is None or not before.online:
            self.record(
                EventKind.RELAY_ONLINE,
                Severity.INFO,
                f"The relay {kaiser_id} is online, with {devices} devices behind it.",
                about=kaiser_id,
                details={"relay": kaiser_id, "devices": devices},
            )

    async def run(self) -> None:
        """Look for silent relays until cancelled."""
        while True:
            await self.clock.sleep(SWEEP_EVERY.total_seconds())
            self.sweep(self.clock.now())

    def sweep(self, now: datetime) -> None:
        """Take relays for gone that were silent for too long."""
        for kaiser_id, relay in self._relays.items():
            if not relay.online or now - relay.last_seen <= SILENT_AFTER:
                continue
            self._relays[kaiser_id] = _Relay(relay.last_seen, relay.devices, online=False)
            seconds = int(SILENT_AFTER.total_seconds())
            self.record(
                EventKind.RELAY_OFFLINE,
                Severity.ERROR,
                f"The relay {kaiser_id} is gone: silent for {seconds} s. The {relay.devices} "
                "devices behind it cannot be reached; check its power and its network.",
                about=kaiser_id,
                details={"relay": kaiser_id, "devices": relay.devices},
            )
