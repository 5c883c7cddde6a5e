"""Samples become readings; nothing that arrives is lost, and only what is new is told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from typing_extensions import override

from domain.dead_letters import TABLE_LIMIT, DeadLetter
from domain.devices import DeviceStatus, Discovery
from domain.errors import StorageRejectedError, StorageUnavailableError
from domain.events import ReadingsStored
from domain.limits import QualityLimits
from domain.repositories import NewReading
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sample, SensorKey
from domain.services.convert_samples import ConvertSamples
from domain.services.ingest import IngestReadings
from domain.services.judge_readings import JudgeReadings
from domain.services.registry import Registry
from tests.fakes import (
    START,
    FakeClock,
    FakeEventStream,
    FakeLibraries,
    FakeReadingWriter,
    FakeStorage,
)

KEY = SensorKey("ESP_12AB34", 4, "ds18b20")


def sample(number: int = 1, key: SensorKey = KEY, raw: float = 344.0) -> Sample:
    at = START + timedelta(seconds=number)
    return Sample(key, raw, received_at=at, measured_at=at, sequence=number)


LETTER = DeadLetter(topic="kaiser/x", payload=b"{", reason="no JSON", received_at=START)


class Greenhouse:
    def __init__(self, discovery: Discovery = Discovery.APPROVE) -> None:
        self.storage = FakeStorage()
        self.writer = FakeReadingWriter(self.storage)
        self.events = FakeEventStream()
        self.registry = Registry()
        self.back: list[tuple[str, datetime]] = []
        self.buried: list[DeadLetter] = []
        self.watched: list[Reading] = []
        numbers = iter(range(1, 1000))
        self.ingest = IngestReadings(
            storage=self.storage,
            writer=self.writer,
            registry=self.registry,
            convert=ConvertSamples(
                storage=self.storage,
                registry=self.registry,
                libraries=FakeLibraries(),
                judge=JudgeReadings(
                    registry=self.registry,
                    library_limits=lambda _: QualityLimits(unit="°C", max_rate=100.0),
                ),
            ),
            events=self.events,
            clock=FakeClock(),
            new_id=lambda: UUID(int=next(numbers)),
            discovery=discovery,
            heard=self.hear,
            buried=self.buried.extend,
            watched=self.watched.extend,
        )

    async def hear(self, esp_id: str, at: datetime) -> None:
        self.back.append((esp_id, at))


async def test_an_unknown_device_is_discovered_and_its_readings_are_kept_but_not_told() -> None:
    house = Greenhouse()
    await house.ingest([sample()], [])
    device = house.registry.device("ESP_12AB34")
    assert device is not None
    assert device.status is DeviceStatus.DISCOVERED
    assert [reading.raw_value for reading in house.storage.readings.rows] == [344.0]
    assert house.events.published == []


async def test_a_sensor_that_nobody_is_to_convert_keeps_its_raw_values_as_they_are() -> None:
    house = Greenhouse()
    await house.ingest([sample()], [])
    known = house.registry.sensor(KEY)
    assert known is not None
    house.registry.put_sensors([replace(known, processing_mode=ProcessingMode.RAW)])
    await house.ingest([sample(2), sample(3, raw=math.inf)], [])
    converted, raw, broken = house.storage.readings.rows
    assert converted.measurement.unit == "°C"
    assert raw.measurement == Measurement(344.0, None, Quality.UNKNOWN, ProcessingMode.RAW)
    assert broken.measurement == Measurement(None, None, Quality.ERROR, ProcessingMode.RAW)


async def test_a_device_that_is_new_is_remembered_with_the_level_it_was_heard_on() -> None:
    house = Greenhouse()
    await house.ingest([sample()._replace(kaiser_id="")], [])
    device = house.registry.device("ESP_12AB34")
    assert device is not None
    assert device.kaiser_id == ""


async def test_readings_of_an_approved_device_are_told_in_order() -> None:
    house = Greenhouse(Discovery.AUTO)
    await house.ingest([sample(1), sample(2), sample(3)], [])
    (event,) = house.events.published
    assert isinstance(event, ReadingsStored)
    assert [reading.sequence for reading in event.readings] == [1, 2, 3]


async def test_a_redelivered_sample_is_stored_once_and_told_once() -> None:
    house = Greenhouse(Discovery.AUTO)
    await house.ingest([sample()], [])
    await house.ingest([sample()], [])
    assert len(house.storage.readings.rows) == 1
    assert len(house.events.published) == 1
    assert house.ingest.counts.duplicates == 1


async def test_a_new_reading_is_a_sign_of_life_of_a_device_that_counted_as_offline() -> None:
    house = Greenhouse(Discovery.AUTO)
    await house.ingest([sample()], [])
    assert house.back == [("ESP_12AB34", sample().received_at)]
    await house.ingest([sample()], [])
    assert len(house.back) == 1, "a redelivered one is none"
    house.registry.change_device("ESP_12AB34", online=True)
    await house.ingest([sample(2)], [])
    assert len(house.back) == 1
    assert house.registry.last_heard("ESP_12AB34") == sample(2).received_at


async def test_readings_are_judged_by_what_was_stored_before_them() -> None:
    house = Greenhouse(Discovery.AUTO)
    await house.ingest([sample(1), sample(2, raw=900.0)], [])
    house.storage.available = False
    with pytest.raises(StorageUnavailableError):
        await house.ingest([sample(3, raw=950.0)], [])
    house.storage.available = True
    await house.ingest([sample(3, raw=950.0)], [])
    qualities = [reading.measurement.quality for reading in house.storage.readings.rows]
    assert qualities == [Quality.GOOD, Quality.SUSPECT, Quality.SUSPECT]


async def test_what_is_really_new_of_approved_devices_is_watched() -> None:
    house = Greenhouse(Discovery.AUTO)
    await house.ingest([sample()], [])
    await house.ingest([sample()], [])
    assert [reading.sequence for reading in house.watched] == [1]
    shy = Greenhouse()
    await shy.ingest([sample()], [])
    assert shy.watched == []


async def test_several_sensors_on_one_pin_are_kept_apart() -> None:
    house = Greenhouse()
    keys = [KEY._replace(address=address) for address in ("28FF641E8D3C0C79", "28AA", "")]
    await house.ingest([sample(key=key) for key in keys], [])
    assert len(house.storage.sensors.rows) == 3
    assert len(house.storage.readings.rows) == 3


async def test_without_a_database_the_caller_keeps_the_batch() -> None:
    house = Greenhouse()
    house.storage.available = False
    with pytest.raises(StorageUnavailableError):
        await house.ingest([sample()], [])
    house.storage.available = True
    await house.ingest([sample()], [])
    assert len(house.storage.readings.rows) == 1


@dataclass
class PickyWriter(FakeReadingWriter):
    """Refuses every batch that holds a certain sample."""

    refuses: int = 2

    @override
    async def write(
        self, readings: Sequence[NewReading], dead_letters: Sequence[DeadLetter]
    ) -> Sequence[Reading]:
        if any(new.sample.sequence == self.refuses for new in readings):
            raise StorageRejectedError("out of range")
        return await super().write(readings, dead_letters)


async def test_dead_letters_are_bounded_however_many_arrive() -> None:
    house = Greenhouse()
    for _ in range(12):
        await house.ingest([], [LETTER] * 1000)
    assert house.ingest.counts.dead_letters == 12_000
    assert len(house.storage.dead_letters.rows) == TABLE_LIMIT


async def test_a_sample_that_is_refused_becomes_a_dead_letter_and_spoils_no_other() -> None:
    house = Greenhouse()
    house.ingest.writer = PickyWriter(house.storage)
    await house.ingest([sample(1), sample(2), sample(3)], [LETTER])
    assert [reading.sequence for reading in house.storage.readings.rows] == [1, 3]
    reasons = [letter.reason for letter in house.storage.dead_letters.rows]
    assert reasons == ["the database refuses this sample: out of range", "no JSON"]
    assert [letter.reason for letter in house.buried] == reasons
