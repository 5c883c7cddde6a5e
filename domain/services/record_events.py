"""Keeps what happened: stored first, told live then, and a burst of the same only once.

Whoever reports never waits: while the database is away events queue, and when the queue is full
the newest are dropped and counted, since the first ones name the cause.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from domain.errors import OverloadedError, StorageRejectedError, StorageUnavailableError
from domain.events import SystemEventRecorded
from domain.ports import Clock, EventStream
from domain.repositories import Storage
from domain.services.guard import Guard
from domain.services.registry import Registry
from domain.system_events import (
    KEPT_FOR,
    TABLE_LIMIT,
    Detail,
    EventKind,
    Severity,
    SystemEvent,
)

QUEUE = 1000
"""Events that may wait to be stored."""

BATCH = 200
"""Events that are stored at once."""

QUIET = timedelta(seconds=120)
"""Silence that ends a burst: firmware says an error that lasts again every 60 s (section 1.6)."""

LONGEST_BURST = timedelta(hours=1)
"""What lasts longer is told again."""

MOST_BURSTS = 2000
"""Bursts that are followed at once; the one that was quiet for longest is forgotten first."""

COUNT_EVERY = timedelta(seconds=10)
"""How often the lengths of bursts are stored."""

STORED_WITHIN = timedelta(seconds=10)
"""How long whoever needs an event to be stored waits for it."""

FINISHED_WITHIN = timedelta(seconds=0.5)
"""How long the end of the server waits for the last events and counts."""

TRIM_AFTER = 100
"""Events stored between two looks at how full the table is."""

_NOTHING: Mapping[str, Detail] = {}
_OF_STRANGERS = EventKind.DEVICE_DISCOVERED
_Key: TypeAlias = tuple[str | None, EventKind, str]


@dataclass(slots=True)
class RecordCounts:
    """What became of everything that was reported.

    Attributes:
        recorded: Stored, and told.
        repeated: Counted up in a burst.
        dropped: Too many waited for the database.
        refused: The database never will take them.
    """

    recorded: int = 0
    repeated: int = 0
    dropped: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Burst:
    """An event that may still repeat; `stored` is the count in the database, 0: not there yet."""

    event: SystemEvent
    first: float
    last: float
    occurrences: int = 1
    stored: int = 0
    awaited: "asyncio.Future[SystemEvent] | None" = None


@dataclass(slots=True, kw_only=True)
class RecordEvents:
    """Takes events in without waiting; `run` stores and tells them."""

    storage: Storage
    registry: Registry
    events: EventStream
    clock: Clock
    guard: Guard
    new_id: Callable[[], UUID]
    counts: RecordCounts = field(default_factory=RecordCounts)
    _waiting: deque[_Burst] = field(default_factory=deque, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _emptied: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _bursts: OrderedDict[_Key, _Burst] = field(default_factory=OrderedDict, init=False)
    _uncounted: dict[UUID, _Burst] = field(default_factory=dict, init=False)
    _untrimmed: int = field(default=TRIM_AFTER, init=False)

    def __post_init__(self) -> None:
        """Nothing waits yet."""
        self._emptied.set()

    def __call__(  # noqa: PLR0913 - what an event is made of
        self,
        kind: EventKind,
        severity: Severity,
        message: str,
        *,
        esp_id: str | None = None,
        about: str = "",
        details: Mapping[str, Detail] = _NOTHING,
    ) -> None:
        """Take in that something happened.

        Args:
            kind: What kind of thing.
            severity: How much it matters.
            message: What happened and what to do, in a sentence that a grower understands.
            esp_id: The device it is about; None: the server itself. Nothing is told of a device
                that is not approved, but that it was discovered.
            about: What tells it from other things of its kind on the same device.
            details: For those who look closer.
        """
        if esp_id is not None and kind is not _OF_STRANGERS and not self._approved(esp_id):
            return
        now = self.clock.monotonic()
        key = (esp_id, kind, about)
        if self._repeats(key, now):
            self.counts.repeated += 1
            return
        if len(self._waiting) >= QUEUE:
            self.counts.dropped += 1
            return
        burst = _Burst(self._event(kind, severity, message, esp_id, details), now, now)
        self._bursts[key] = burst
        self._bursts.move_to_end(key)
        if len(self._bursts) > MOST_BURSTS:
            self._bursts.popitem(last=False)
        self._enqueue(burst)

    async def stored(
        self,
        kind: EventKind,
        severity: Severity,
        message: str,
        *,
        esp_id: str,
        details: Mapping[str, Detail] = _NOTHING,
    ) -> SystemEvent:
        """Take in something that never counts as a repeat; return once it is stored.

        Raises:
            OverloadedError: Too many events wait for the database.
            StorageUnavailableError: It is not stored within `STORED_WITHIN`, but still will be.
            StorageRejectedError: The database never will take it.
        """
        if len(self._waiting) >= QUEUE:
            self.counts.dropped += 1
            raise OverloadedError("too much happens at once: try again in a moment")
        now = self.clock.monotonic()
        awaited: asyncio.Future[SystemEvent] = asyncio.get_running_loop().create_future()
        event = self._event(kind, severity, message, esp_id, details)
        self._enqueue(_Burst(event, now, now, awaited=awaited))
        try:
            async with asyncio.timeout(STORED_WITHIN.total_seconds()):
                return await awaited
        except TimeoutError:
            raise StorageUnavailableError(
                "what came of it is not stored yet: look for it in systemEvents"
            ) from None

    async def finish(self) -> None:
        """Store what waits, and how often it happened, before the server ends; best effort."""
        with suppress(TimeoutError, StorageUnavailableError):
            async with asyncio.timeout(FINISHED_WITHIN.total_seconds()):
                await self._emptied.wait()
                await self._count()

    def _enqueue(self, burst: _Burst) -> None:
        self._waiting.append(burst)
        self._emptied.clear()
        self._arrived.set()

    def _event(
        self,
        kind: EventKind,
        severity: Severity,
        message: str,
        esp_id: str | None,
        details: Mapping[str, Detail],
    ) -> SystemEvent:
        return SystemEvent(
            id=self.new_id(),
            kind=kind,
            severity=severity,
            message=message,
            esp_id=esp_id,
            details=details,
            occurred_at=self.clock.now(),
        )

    @property
    def waiting(self) -> int:
        """How many events wait to be stored."""
        return len(self._waiting)

    def forget(self, kind: EventKind, esp_id: str) -> None:
        """Let the next event of a kind be told whenever it comes: what it says has changed."""
        self._bursts.pop((esp_id, kind, ""), None)

    async def run(self) -> None:
        """Store and tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store_forever(), name="store system events")
            tasks.create_task(self._count_forever(), name="count system events")

    def _approved(self, esp_id: str) -> bool:
        device = self.registry.device(esp_id)
        return device is not None and device.approved

    def _repeats(self, key: _Key, now: float) -> bool:
        burst = self._bursts.get(key)
        if burst is None or now - burst.last > QUIET.total_seconds():
            return False
        if now - burst.first > LONGEST_BURST.total_seconds():
            return False
        burst.occurrences += 1
        burst.last = now
        self._bursts.move_to_end(key)
        self._uncounted[burst.event.id] = burst
        return True

    async def _store_forever(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batch = [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]
                stored = await self._store(batch)
                for _ in batch:
                    self._waiting.popleft()
                for event in stored:
                    await self.events.publish(SystemEventRecorded(event))
                await self._trim(len(stored))
            self._emptied.set()

    async def _store(self, batch: Sequence[_Burst]) -> Sequence[SystemEvent]:
        stored = [replace(burst.event, occurrences=burst.occurrences) for burst in batch]

        async def add() -> None:
            async with self.storage.autocommit() as work:
                await work.system_events.add(stored)

        try:
            await self.guard.insist(add)
        except StorageRejectedError as error:
            if len(batch) > 1:
                return [event for burst in batch for event in await self._store([burst])]
            self.counts.refused += 1
            self._uncounted.pop(batch[0].event.id, None)
            _tell(batch[0], error)
            return []
        for burst, event in zip(batch, stored, strict=True):
            burst.stored = event.occurrences
            _tell(burst, event)
        self.counts.recorded += len(stored)
        return stored

    async def _count_forever(self) -> None:
        while True:
            await self.clock.sleep(COUNT_EVERY.total_seconds())
            # Only counts: they are stored as soon as the database is back.
            with suppress(StorageUnavailableError):
                await self._count()

    async def _count(self) -> None:
        grown = [burst for burst in self._uncounted.values() if burst.stored]
        for burst in grown:
            occurrences = burst.occurrences
            if occurrences > burst.stored:
                async with self.storage.autocommit() as work:
                    await work.system_events.save_occurrences(burst.event.id, occurrences)
                burst.stored = occurrences
            if burst.occurrences == burst.stored:
                self._uncounted.pop(burst.event.id, None)

    async def _trim(self, stored: int) -> None:
        self._untrimmed += stored
        if self._untrimmed < TRIM_AFTER:
            return
        # Room is made the next time if not now.
        with suppress(StorageUnavailableError):
            async with self.storage.autocommit() as work:
                await work.system_events.trim(TABLE_LIMIT, self.clock.now() - KEPT_FOR)
            self._untrimmed = 0


def _tell(burst: _Burst, outcome: SystemEvent | StorageRejectedError) -> None:
    """Tell whoever waits for an event, if they still do."""
    if burst.awaited is None or burst.awaited.done():
        return
    if isinstance(outcome, SystemEvent):
        burst.awaited.set_result(outcome)
    else:
        burst.awaited.set_exception(outcome)
