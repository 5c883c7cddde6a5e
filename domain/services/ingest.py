"""Take in samples: convert, judge, store all that has gathered, then tell what is really new.

Whoever calls acknowledges to the broker only after the call returned: by then everything is
committed, and a crash at any moment before leads to redelivery, which the store makes harmless.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.dead_letters import TABLE_LIMIT, DeadLetter
from domain.devices import Device, Discovery
from domain.errors import StorageRejectedError, StorageUnavailableError
from domain.events import ReadingsStored
from domain.names import default_name
from domain.ports import Clock, EventStream
from domain.repositories import ReadingWriter, Storage
from domain.right_of_way import RightOfWay
from domain.sensors import Reading, Sample, Sensor
from domain.services.convert_samples import ConvertSamples
from domain.services.registry import Registry

TRIM_AFTER = 1000
"""Dead letters after which the table is cut back to its limit: a flood must not fill the disk."""


@dataclass(slots=True)
class IngestCounts:
    """What went through since the start."""

    stored: int = 0
    duplicates: int = 0
    dead_letters: int = 0


@dataclass(slots=True, kw_only=True)
class IngestReadings:
    """Stores batches of samples; an unknown device becomes DISCOVERED, its readings are kept.

    Attributes:
        heard: Told when a device that counted as offline said something new.
        buried: Told of dead letters that were stored.
        watched: Told of readings of approved devices that are really new; waits for nobody.
    """

    storage: Storage
    writer: ReadingWriter
    registry: Registry
    convert: ConvertSamples
    events: EventStream
    clock: Clock
    new_id: Callable[[], UUID]
    discovery: Discovery
    heard: Callable[[str, datetime], Awaitable[None]]
    buried: Callable[[Sequence[DeadLetter]], None]
    watched: Callable[[Sequence[Reading]], None]
    way: RightOfWay = field(default_factory=RightOfWay)
    counts: IngestCounts = field(default_factory=IngestCounts)
    _untrimmed: int = field(default=TRIM_AFTER, init=False)

    async def __call__(self, samples: Sequence[Sample], dead_letters: Sequence[DeadLetter]) -> None:
        """Store a batch, in order.

        A sample that the database can never take becomes a dead letter; the others are stored.

        Raises:
            StorageUnavailableError: Repeat the same call later; what was stored is not doubled.
        """
        try:
            stored = await self._store(samples, dead_letters)
        except StorageRejectedError as error:
            await self._store_one_by_one(samples, dead_letters, error)
            return
        self.counts.stored += len(stored)
        self.counts.duplicates += max(0, len(samples) - len(stored))
        self.counts.dead_letters += len(dead_letters)
        self.buried(dead_letters)
        await self._trim(len(dead_letters))
        await self._tell(stored)

    async def _store(
        self, samples: Sequence[Sample], dead_letters: Sequence[DeadLetter]
    ) -> Sequence[Reading]:
        await self._discover(samples)
        converted = await self.convert.batch()
        readings = await converted(samples)
        await self.way.give()
        stored = await self.writer.write(readings, dead_letters)
        converted.keep()
        return stored

    async def _store_one_by_one(
        self,
        samples: Sequence[Sample],
        dead_letters: Sequence[DeadLetter],
        error: StorageRejectedError,
    ) -> None:
        if len(samples) + len(dead_letters) > 1:
            for sample in samples:
                await self([sample], [])
            for letter in dead_letters:
                await self([], [letter])
        elif samples:
            await self([], [_refused(samples[0], error)])
        else:
            # Nothing of a dead letter that cannot be stored is safe to keep but the reason.
            await self._store([], [_emptied(dead_letters[0], error)])

    async def _discover(self, samples: Sequence[Sample]) -> None:
        sensor = self.registry.sensor
        levels = {s.key: s.kaiser_id for s in samples if sensor(s.key) is None}
        if not levels:
            return
        unknown = sorted(levels)
        boards = {key.esp_id: level for key, level in levels.items()}
        now = self.clock.now()
        async with self.storage.unit_of_work() as work:
            devices = [
                await work.devices.add(self._new_device(esp_id, kaiser_id))
                for esp_id, kaiser_id in sorted(boards.items())
                if self.registry.device(esp_id) is None
            ]
            sensors = await work.sensors.add(
                [
                    Sensor(
                        id=0,
                        key=key,
                        name=default_name(key.sensor_type, key.gpio),
                        created_at=now,
                        updated_at=now,
                    )
                    for key in unknown
                ]
            )
        for device in devices:
            self.registry.add_device(device)
        self.registry.put_sensors(sensors)

    def _new_device(self, esp_id: str, kaiser_id: str) -> Device:
        now = self.clock.now()
        return Device(
            id=self.new_id(),
            esp_id=esp_id,
            kaiser_id=kaiser_id,
            approved=self.discovery is Discovery.AUTO,
            created_at=now,
            updated_at=now,
        )

    async def _trim(self, buried: int) -> None:
        self._untrimmed += buried
        if not buried or self._untrimmed < TRIM_AFTER:
            return
        # What was stored is stored: the batch must not come again because of this.
        with suppress(StorageUnavailableError):
            async with self.storage.autocommit() as work:
                await work.dead_letters.trim(TABLE_LIMIT)
            self._untrimmed = 0

    async def _tell(self, stored: Sequence[Reading]) -> None:
        device, hear = self.registry.device, self.registry.hear
        virtual = self.convert.virtual
        for reading in stored:
            if reading.sensor.id in virtual:
                continue  # what others said is no sign of life of its device
            esp_id = reading.sensor.key.esp_id
            hear(esp_id, reading.received_at)
            if (owner := device(esp_id)) is not None and not owner.online:
                await self.heard(esp_id, reading.received_at)
        told = tuple(
            reading
            for reading in stored
            if (owner := device(reading.sensor.key.esp_id)) is not None and owner.approved
        )
        if told:
            self.watched(told)
            await self.events.publish(ReadingsStored(told))


def _refused(sample: Sample, error: StorageRejectedError) -> DeadLetter:
    key = sample.key
    return DeadLetter(
        topic=f"{key.esp_id}/sensor/{key.gpio} ({key.sensor_type})",
        payload=repr(sample).encode(),
        reason=f"the database refuses this sample: {error}",
        received_at=sample.received_at,
    )


def _emptied(letter: DeadLetter, error: StorageRejectedError) -> DeadLetter:
    return DeadLetter(
        topic="(unstorable)",
        payload=b"",
        reason=f"the database refuses this message: {error}",
        received_at=letter.received_at,
    )
