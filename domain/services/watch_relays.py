"""Relays between devices and the server: whether they are there.

A relay tells every 60 s that it lives (device protocol, section 1.13). When it is gone, the devices
behind it are silent for a reason that none of them can tell. As with devices, presence is soft
state: it holds even while the database is away, and is told again within a minute.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from domain.devices import OFFLINE_AFTER
from domain.errors import NotFoundError, StorageUnavailableError
from domain.names import checked_name
from domain.ports import Clock
from domain.presence import Presence
from domain.relays import Relay, RelayHealth
from domain.repositories import Storage
from domain.services.record_events import RecordEvents
from domain.system_events import EventKind, Severity

SWEEP_EVERY = timedelta(seconds=5)
"""How often silent relays are looked for."""

MOST_RELAYS = 100
"""Relays that are watched; whoever invents more names is not listened to."""


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True, kw_only=True)
class WatchRelays:
    """Keeps what is known of relays, and tells when one comes and goes.

    Attributes:
        offline_after: Silence after which a relay is gone.
    """

    storage: Storage
    record: RecordEvents
    clock: Clock
    journal: Journal
    offline_after: timedelta = OFFLINE_AFTER
    _relays: dict[str, Relay] = field(default_factory=dict, init=False)
    _presences: dict[str, Presence] = field(default_factory=dict, init=False)
    _began: datetime | None = field(default=None, init=False)

    async def load(self) -> None:
        """Replace everything by what the database holds.

        Raises:
            StorageUnavailableError: The database cannot be reached; nothing was replaced.
        """
        async with self.storage.autocommit() as work:
            relays = await work.relays.all()
        self._relays = {relay.kaiser_id: relay for relay in relays}

    async def heard(self, kaiser_id: str, at: datetime, health: RelayHealth) -> None:
        """Take in a relay's sign of life.

        Args:
            kaiser_id: The relay.
            at: When it was received.
            health: What it says of itself.
        """
        before = self._relays.get(kaiser_id)
        if before is None and len(self._relays) >= MOST_RELAYS:
            return
        came = before is None or not before.online
        relay = replace(
            before or Relay(kaiser_id=kaiser_id, online=True, last_seen=at, created_at=at),
            online=True,
            last_seen=at,
            health=health,
        )
        self._relays[kaiser_id] = relay
        if came:
            self._tell_online(relay)
        if self._presences.setdefault(kaiser_id, Presence()).seen(at, changed=came):
            await self._store(relay)

    async def rename(self, kaiser_id: str, name: str | None) -> Relay:
        """Set what people call a relay; None: nothing.

        Raises:
            NotFoundError: It was never heard.
            BadInputError: The name is not possible.
            StorageUnavailableError: The database cannot be reached; nothing was changed.
        """
        name = None if name is None else checked_name(name)
        if kaiser_id not in self._relays:
            raise NotFoundError(f"no relay {kaiser_id!r} was ever heard")
        async with self.storage.autocommit() as work:
            # Where the database missed what was heard so far, a name alone would find no row.
            await work.relays.save_presence(self._relays[kaiser_id])
            await work.relays.save_name(replace(self._relays[kaiser_id], name=name))
        relay = self._relays[kaiser_id] = replace(self._relays[kaiser_id], name=name)
        return relay

    async def run(self) -> None:
        """Look for silent relays until cancelled."""
        self._began = self.clock.now()
        while True:
            await self.clock.sleep(SWEEP_EVERY.total_seconds())
            await self.sweep(self.clock.now())

    async def sweep(self, now: datetime) -> None:
        """Take relays for gone that were silent for too long.

        What they said before this watch began nobody may have heard: silence counts from then.
        """
        for known in tuple(self._relays.values()):
            # Storing takes a while: meanwhile others come back.
            relay = self._relays[known.kaiser_id]
            silent_since = max(filter(None, (relay.last_seen, self._began)))
            if not relay.online or now - silent_since <= self.offline_after:
                continue
            relay = self._relays[relay.kaiser_id] = replace(relay, online=False)
            self._tell_offline(relay)
            await self._store(relay)

    async def _store(self, relay: Relay) -> None:
        try:
            async with self.storage.autocommit() as work:
                await work.relays.save_presence(relay)
        except StorageUnavailableError as error:
            self.journal.warning("relay.not_stored", kaiser_id=relay.kaiser_id, error=str(error))

    def _tell_online(self, relay: Relay) -> None:
        self.record(
            EventKind.RELAY_ONLINE,
            Severity.INFO,
            f"The relay {relay.called} is online, with {_devices(relay)} behind it.",
            about=relay.kaiser_id,
            details={"relay": relay.kaiser_id, "devices": len(relay.health.clients)},
        )

    def _tell_offline(self, relay: Relay) -> None:
        seconds = int(self.offline_after.total_seconds())
        self.record(
            EventKind.RELAY_OFFLINE,
            Severity.ERROR,
            f"The relay {relay.called} is gone: silent for {seconds} s. The {_devices(relay)} "
            "behind it cannot be reached; check its power and its network.",
            about=relay.kaiser_id,
            details={"relay": relay.kaiser_id, "devices": len(relay.health.clients)},
        )


def _devices(relay: Relay) -> str:
    count = len(relay.health.clients)
    return "1 device" if count == 1 else f"{count} devices"
