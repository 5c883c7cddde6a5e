"""From the telemetry connection to the store: gathers what arrives, and acknowledges what is safe.

A write starts as soon as the last one returned and takes all that has gathered, so batches form by
themselves and there is no timer to wait for. When writing falls behind, reading stops and the
broker keeps the queue. Order is kept, so a device's readings are stored as it sent them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain.dead_letters import PAYLOAD_LIMIT, TOPIC_LIMIT, DeadLetter
from domain.ports import Clock
from domain.sensors import Sample
from domain.services.guard import Guard
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import SensorData
from mqtt_bridge.session import Delivery

BATCH = 1000
"""Messages that are written at once; fewer when fewer have gathered."""

HIGH_WATER = 8000
"""Waiting messages at which reading stops: more than the broker leaves unacknowledged, so that only
messages without acknowledgement (QoS 0) can ever reach it."""

LOW_WATER = 2000
"""Waiting messages at which reading goes on."""

_TICK = timedelta(microseconds=1)

Ingest = Callable[[Sequence[Sample], Sequence[DeadLetter]], Awaitable[None]]


class Source(Protocol):
    """The connection that a message came from."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these messages are safe."""
        ...

    def pause(self) -> None:
        """Stop reading."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...


@dataclass(slots=True)
class IntakeCounts:
    """What came in since the start."""

    messages: int = 0
    retained: int = 0
    malformed: int = 0
    pauses: int = 0


@dataclass(slots=True)
class _Waiting:
    source: Source
    delivery: Delivery
    samples: tuple[Sample, ...] = ()
    dead_letter: DeadLetter | None = None


@dataclass(slots=True, kw_only=True)
class Intake:
    """The way of every reading from the wire into the store."""

    ingest: Ingest
    guard: Guard
    clock: Clock
    counts: IntakeCounts = field(default_factory=IntakeCounts)
    _waiting: list[_Waiting] = field(default_factory=list, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _running: bool = field(default=False, init=False)
    _finished: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _finishing: bool = field(default=False, init=False)
    _paused: list[Source] = field(default_factory=list, init=False)
    _last: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    def hear(self, source: Source, delivery: Delivery) -> None:
        """Take in one message of the telemetry connection; called in place for each."""
        self.counts.messages += 1
        waiting = _Waiting(source, delivery)
        topic = topics.parse(delivery.topic)
        if delivery.retain:
            # History that the broker tells every newcomer: it was live once, and taken in then.
            self.counts.retained += 1
        elif topic is None:
            waiting.dead_letter = self._dead_letter(delivery, "no topic of the protocol")
        else:
            try:
                message = payloads.decode(topic, delivery.payload, self._received_at())
            except payloads.MalformedPayloadError as error:
                waiting.dead_letter = self._dead_letter(delivery, str(error))
            else:
                if isinstance(message, SensorData):
                    waiting.samples = message.samples
        self._put(waiting)

    def bury(self, source: Source, delivery: Delivery, reason: str) -> None:
        """Keep a message of another connection that could not be read."""
        dead_letter = self._dead_letter(delivery, reason)
        self._put(_Waiting(source, delivery, dead_letter=dead_letter))

    async def run(self) -> None:
        """Write what has gathered, until `finish` is called or the task is cancelled."""
        self._running = True
        try:
            while not self._finishing:
                await self._arrived.wait()
                if self._waiting:
                    await self._write(self._waiting[:BATCH])
                else:
                    self._arrived.clear()
        finally:
            self._finished.set()

    async def finish(self) -> None:
        """End after the batch in hand; what waits behind it stays with the broker."""
        self._finishing = True
        self._arrived.set()
        if self._running:
            await self._finished.wait()

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        samples = [sample for waiting in batch for sample in waiting.samples]
        dead_letters = [waiting.dead_letter for waiting in batch if waiting.dead_letter is not None]
        if samples or dead_letters:
            await self.guard.insist(lambda: self.ingest(samples, dead_letters))
        del self._waiting[: len(batch)]
        self._acknowledge(batch)
        if self._paused and len(self._waiting) <= LOW_WATER:
            for source in self._paused:
                source.resume()
            self._paused.clear()

    @staticmethod
    def _acknowledge(batch: Sequence[_Waiting]) -> None:
        safe: dict[int, tuple[Source, list[Delivery]]] = {}
        for waiting in batch:
            safe.setdefault(id(waiting.source), (waiting.source, []))[1].append(waiting.delivery)
        for source, deliveries in safe.values():
            source.acknowledge(deliveries)

    def _put(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._arrived.set()
        if len(self._waiting) >= HIGH_WATER:
            # Said again with every message: a new connection starts out reading.
            waiting.source.pause()
            if waiting.source not in self._paused:
                self.counts.pauses += 1
                self._paused.append(waiting.source)

    def _dead_letter(self, delivery: Delivery, reason: str) -> DeadLetter:
        self.counts.malformed += 1
        return DeadLetter(
            topic=delivery.topic[:TOPIC_LIMIT],
            payload=delivery.payload[:PAYLOAD_LIMIT],
            reason=reason,
            received_at=self.clock.now(),
        )

    def _received_at(self) -> datetime:
        """Return a time later than every one before: it tells samples without a clock apart."""
        self._last = max(self.clock.now(), self._last + _TICK)
        return self._last
