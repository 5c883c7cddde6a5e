"""What every part of the server stands on: clock, database, event stream, broker, registry."""

import asyncio
from dataclasses import dataclass
from random import Random

import structlog
from structlog.typing import FilteringBoundLogger

from app.clock import SystemClock
from app.event_stream import BroadcastEventStream
from app.process import Job
from domain.arbitration import Holders
from domain.devices import Discovery
from domain.emergency_latch import Latch
from domain.errors import BrokerUnavailableError, DomainError, StorageUnavailableError
from domain.lease_book import LeaseBook
from domain.ports import Clock
from domain.resilience import Backoff, CircuitBreaker
from domain.right_of_way import RightOfWay
from domain.rules.notation import Defaults
from domain.services.guard import Guard
from domain.services.registry import Registry
from domain.services.world import KnownWorld
from mqtt_bridge.session import BrokerAddress
from storage.connection import Database

_log: FilteringBoundLogger = structlog.get_logger()

_SOON = 0.5
"""Seconds between two tries where something may be on that must go off: all that keeps it from that
is what we wait for."""

_TOLD_AGAIN = 30.0
"""Seconds until it is logged again that a part is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the parts are that the server stands on; embedded ones included."""

    database: str
    broker: str
    events: str


class Ground:
    """What everything else stands on."""

    def __init__(self, addresses: Addresses, discovery: Discovery, defaults: Defaults) -> None:
        self.addresses = addresses
        self.clock = SystemClock()
        self.random = Random()  # noqa: S311 - spreads retries, no secret
        self.database = Database(addresses.database)
        self.events = BroadcastEventStream(addresses.events, self.clock, self.random)
        self.broker = BrokerAddress.from_url(addresses.broker)
        self.registry = Registry()
        self.latch = Latch()
        self.way = RightOfWay()
        self.leases = LeaseBook()
        self.world = KnownWorld(
            storage=self.database, registry=self.registry, leases=self.leases, clock=self.clock
        )
        self.holders = Holders(lease=self.leases.get)
        self.discovery = discovery
        self.defaults = defaults
        self.ready = asyncio.Event()

    def storage_guard(self) -> Guard:
        """Return what repeats calls to the database while it is away."""
        return self._guard("database", StorageUnavailableError)

    def start_guard(self) -> Guard:
        """Return what waits for the database before anything else can begin."""
        return self._guard("database (start)", StorageUnavailableError, soon=True)

    def broker_guard(self, connection: str) -> Guard:
        """Return what connects to the broker again."""
        return self._guard(f"broker ({connection})", BrokerUnavailableError, soon=True)

    def _guard(self, name: str, away: type[DomainError], *, soon: bool = False) -> Guard:
        guard = Guard(
            name=name,
            away=away,
            clock=self.clock,
            random=self.random,
            failed=_Failures(self.clock),
        )
        if soon:
            guard.backoff = Backoff(longest=_SOON)
            guard.breaker = CircuitBreaker(rest=_SOON)
        return guard

    def once_ready(self, job: Job) -> Job:
        """Hold a job back until the registry knows what the database holds.

        A device that is heard earlier would be told that nobody knows it.
        """

        async def wait_and_run() -> None:
            await self.ready.wait()
            await job()

        return wait_and_run


@dataclass(slots=True)
class _Failures:
    """Logs that a part is away, and not each of the tries in between."""

    clock: Clock
    _told_at: float | None = None

    def __call__(self, name: str, error: DomainError, seconds: float) -> None:
        now = self.clock.monotonic()
        if self._told_at is None or now >= self._told_at + _TOLD_AGAIN:
            self._told_at = now
            retry = round(seconds, 1)
            _log.warning("part.away", part=name, error=str(error), retry_in_seconds=retry)
