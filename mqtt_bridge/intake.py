"""From the telemetry connection to the store: gathers what arrives, and acknowledges what is safe.

A write starts as soon as the last one returned and takes all that has gathered, so batches form by
themselves and there is no timer to wait for. When more waits than one batch holds, each device gets
a fair share of it (`lanes`). When writing falls behind, reading stops and the broker keeps what
follows.

A device's readings are stored in the order in which it sent them, and acknowledged in the order in
which they arrived, as MQTT 3.1.1 demands (section 4.6): who is stored early waits in the queue for
those who are stored late. Nothing that asks for an acknowledgement is ever dropped. What does not
ask is, when its device has too much in the queue: it carries no promise.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain.dead_letters import PAYLOAD_LIMIT, TOPIC_LIMIT, DeadLetter
from domain.devices import FirmwareEvidence
from domain.ports import Clock
from domain.right_of_way import RightOfWay
from domain.sensors import Sample
from domain.services.guard import Guard
from mqtt_bridge import payloads, topics
from mqtt_bridge.lanes import LANE, Lane, Lanes
from mqtt_bridge.messages import SensorData
from mqtt_bridge.session import Delivery

BATCH = 1000
"""Messages that are written at once, or readings where devices share; fewer when fewer wait."""

HIGH_WATER = 8000
"""Waiting messages at which reading stops: more than the broker leaves unacknowledged, so that only
messages without acknowledgement (QoS 0) can ever reach it."""

LOW_WATER = 2000
"""Waiting messages at which reading goes on."""

LOOK_EVERY = 60.0
"""Seconds between two looks at who floods."""

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


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True)
class IntakeCounts:
    """What came in since the start."""

    messages: int = 0
    retained: int = 0
    malformed: int = 0
    pauses: int = 0
    dropped: int = 0


@dataclass(slots=True)
class _Waiting:
    source: Source
    delivery: Delivery
    lane: Lane
    samples: tuple[Sample, ...] = ()
    dead_letter: DeadLetter | None = None
    readings: int = 1
    stored: bool = False


@dataclass(slots=True, kw_only=True)
class Intake:
    """The way of every reading from the wire into the store.

    Attributes:
        journal: Is told of each device that floods, once a minute.
        flooding: Is told the same: the device, and its messages in that minute.
        learn: Is told which device writes as which firmware does, once its readings are stored.
        way: Is looked at before each batch.
        batch: See `BATCH`.
    """

    ingest: Ingest
    guard: Guard
    clock: Clock
    journal: Journal
    flooding: Callable[[str, int], None] = lambda _device, _messages: None
    learn: Callable[[str, FirmwareEvidence], None] = lambda _device, _told: None
    way: RightOfWay = field(default_factory=RightOfWay)
    batch: int = BATCH
    counts: IntakeCounts = field(default_factory=IntakeCounts)
    _waiting: list[_Waiting] = field(default_factory=list, init=False)
    _lanes: Lanes = field(default_factory=Lanes, init=False)
    _told: dict[str, FirmwareEvidence] = field(default_factory=dict, init=False)
    _early: int = field(default=0, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _running: bool = field(default=False, init=False)
    _finished: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _finishing: bool = field(default=False, init=False)
    _paused: list[Source] = field(default_factory=list, init=False)
    _last: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    def hear(self, source: Source, delivery: Delivery) -> None:
        """Take in one message of the telemetry connection; called in place for each."""
        self.counts.messages += 1
        topic = topics.parse(delivery.topic)
        lane = self._lane(topic, delivery)
        if lane is None:
            return
        waiting = _Waiting(source, delivery, lane)
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
                    waiting.readings = len(message.samples) or 1
                    if message.firmware is not lane.firmware and message.firmware is not None:
                        self._told[lane.name] = lane.firmware = message.firmware
        self._put(waiting)

    def bury(self, source: Source, delivery: Delivery, reason: str) -> None:
        """Keep a message of another connection that could not be read."""
        lane = self._lane(topics.parse(delivery.topic), delivery)
        if lane is not None:
            dead_letter = self._dead_letter(delivery, reason)
            self._put(_Waiting(source, delivery, lane, dead_letter=dead_letter))

    async def run(self) -> None:
        """Write what has gathered, until `finish` is called or the task is cancelled."""
        self._running = True
        try:
            while not self._finishing:
                await self._arrived.wait()
                await self.way.give()
                if self._waiting:
                    await self._write(self._next_batch())
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

    async def watch_floods(self) -> None:
        """Tell once a minute who floods, until cancelled."""
        while True:
            await self.clock.sleep(LOOK_EVERY)
            for flood in self._lanes.look():
                self.journal.warning(
                    "device.flooding",
                    esp_id=flood.name or None,
                    messages=flood.messages,
                    dropped=flood.dropped,
                )
                if flood.name:
                    self.flooding(flood.name, flood.messages)

    @property
    def backlog(self) -> int:
        """How many messages wait to be stored."""
        return len(self._waiting) - self._early

    @property
    def unacknowledged(self) -> int:
        """How many messages the broker holds for us until they are acknowledged."""
        return sum(waiting.delivery.qos > 0 for waiting in self._waiting)

    def _next_batch(self) -> Sequence[_Waiting]:
        if not self._early and len(self._waiting) <= self.batch:
            return self._waiting.copy()
        return self._lanes.fair_batch(self._waiting, self.batch)

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        samples = [sample for waiting in batch for sample in waiting.samples]
        dead_letters = [waiting.dead_letter for waiting in batch if waiting.dead_letter is not None]
        if samples or dead_letters:
            await self.guard.insist(lambda: self.ingest(samples, dead_letters))
        for waiting in batch:
            waiting.stored = True
            waiting.lane.waiting -= waiting.readings
        self._leave(len(batch))
        if self._told:
            told, self._told = self._told, {}
            for device, firmware in told.items():
                self.learn(device, firmware)
        if self._paused and len(self._waiting) <= LOW_WATER:
            for source in self._paused:
                source.resume()
            self._paused.clear()

    def _leave(self, stored: int) -> None:
        """Acknowledge and forget what nothing unstored stands before."""
        waiting = self._waiting
        leaving = next((n for n, one in enumerate(waiting) if not one.stored), len(waiting))
        safe = waiting[:leaving]
        del waiting[:leaving]
        self._early += stored - leaving
        self._acknowledge(safe)

    @staticmethod
    def _acknowledge(batch: Sequence[_Waiting]) -> None:
        safe: dict[int, tuple[Source, list[Delivery]]] = {}
        for waiting in batch:
            safe.setdefault(id(waiting.source), (waiting.source, []))[1].append(waiting.delivery)
        for source, deliveries in safe.values():
            source.acknowledge(deliveries)

    def _put(self, waiting: _Waiting) -> None:
        waiting.lane.waiting += waiting.readings
        self._waiting.append(waiting)
        self._arrived.set()
        if len(self._waiting) >= HIGH_WATER:
            # Said again with every message: a new connection starts out reading.
            waiting.source.pause()
            if waiting.source not in self._paused:
                self.counts.pauses += 1
                self._paused.append(waiting.source)

    def _lane(self, topic: topics.Topic | None, delivery: Delivery) -> Lane | None:
        """Return where a message waits; None when it is one too many and carries no promise."""
        lane = self._lanes.lane(topic.esp_id if topic is not None else "")
        lane.heard += 1
        if delivery.qos or lane.waiting < LANE:
            return lane
        lane.dropped += 1
        self.counts.dropped += 1
        return None

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
