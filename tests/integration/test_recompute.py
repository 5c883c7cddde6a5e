"""The past is converted again on PostgreSQL: exactly, exactly back, and beside what arrives."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from app.clock import SystemClock
from domain.recomputations import RecomputationState as State
from domain.repositories import NewReading
from domain.sensors import Sample, Sensor, SensorKey
from domain.services.registry import Registry
from sensor_libs.runner import LibraryRunner
from storage.connection import Database
from tests.converting import CATALOG
from tests.eventually import eventually
from tests.integration.storing import stored_device
from tests.makers import make_sensor
from tests.recomputing import Recomputing

BEGIN = datetime(2026, 8, 20, tzinfo=UTC)
"""Some three weeks before the history ends, so that it lies in two partitions."""

ESP = "ESP_12AB34"
ROWS = "SELECT * FROM reading ORDER BY id"
SAID = """
SELECT id, measured_at, received_at, raw_value, value, sequence, sensor_id, conversion_id, quality,
       metadata - 'recomputed'
FROM reading ORDER BY id
"""
"""All that readings say, but for when they were converted again."""


def samples(sensor: Sensor, count: int, first: int = 0) -> list[Sample]:
    """Make samples twenty seconds apart, received a day or more before now."""
    return [
        Sample(
            key=sensor.key,
            raw_value=2500.0 + number * 37 % 211,
            received_at=BEGIN + timedelta(seconds=20 * number + 0.1),
            measured_at=BEGIN + timedelta(seconds=20 * number),
        )
        for number in range(first, first + count)
    ]


class Archive:
    """A pH electrode with a long past, and a probe beside it."""

    def __init__(self, database: Database, url: str) -> None:
        self.database, self.url = database, url
        self.registry = Registry()
        self.writer = database.reading_writer()
        self.libraries = LibraryRunner(CATALOG)
        self.again = self.reopened()

    def reopened(self) -> Recomputing:
        self.again = Recomputing(
            storage=self.database,
            registry=self.registry,
            clock=SystemClock(),
            libraries=self.libraries,
        )
        return self.again

    async def build(self, count: int) -> None:
        device = await stored_device(self.database, ESP)
        self.registry.add_device(device)
        async with self.database.unit_of_work() as work:
            self.sensor, self.probe = await work.sensors.add(
                [
                    make_sensor(key=SensorKey(ESP, 34, "ph"), unit="pH"),
                    make_sensor(key=SensorKey(ESP, 4, "ds18b20")),
                ]
            )
        self.registry.put_sensors([self.sensor, self.probe])
        for first in range(0, count, 5000):
            await self.write(self.sensor, samples(self.sensor, min(5000, count - first), first))

    async def write(self, sensor: Sensor, taken: Sequence[Sample]) -> None:
        made = await self.libraries.measure_all([(sample, None) for sample in taken])
        await self.writer.write(
            [NewReading(sensor, *both) for both in zip(taken, made, strict=True)], []
        )

    async def rows(self, query: str = ROWS) -> list[Any]:
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def value_counts(self) -> dict[object, int]:
        rows = await self.rows(
            "SELECT calibration_id, count(*) FROM reading JOIN conversion "
            "ON conversion.id = conversion_id GROUP BY 1"
        )
        return dict(rows)


@pytest.fixture
def archive(database: Database, database_url: str) -> Archive:
    return Archive(database, database_url)


@pytest.mark.timeout(240)
async def test_a_hundred_thousand_readings_are_converted_again_and_are_as_they_were(
    archive: Archive,
) -> None:
    await archive.build(100_000)
    before = await archive.rows()
    calibration = await archive.again.calibrated(archive.sensor)
    begun = perf_counter()
    async with archive.again.running():
        order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)
        done = await archive.again.ended(order, within=150)
        forward = perf_counter() - begun
        assert done.state is State.DONE
        assert done.summary.rows == done.summary.changed == 100_000
        assert await archive.value_counts() == {calibration.id: 100_000}
        begun = perf_counter()
        await archive.again.recompute.take_back(order.id)
        assert (await archive.again.ended(order, within=150)).state is State.TAKEN_BACK
    back = perf_counter() - begun
    print(f"\nforward {100_000 / forward:,.0f} rows/s, back {100_000 / back:,.0f} rows/s")  # noqa: T201
    assert await archive.rows() == before
    assert await archive.rows("SELECT count(*) FROM recomputed_reading") == [(0,)]


async def test_interrupted_again_and_again_it_ends_as_if_it_had_not_been(
    archive: Archive,
) -> None:
    await archive.build(6000)
    await archive.again.calibrated(archive.sensor)
    order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)
    restarts = 0
    while (await archive.again.found(order)).state is not State.DONE:
        place = (await archive.again.found(order)).summary.rows

        async def is_further(place: int = place) -> bool:
            found = await archive.again.found(order)
            return found.state is State.DONE or found.summary.rows > place

        async with archive.reopened().running():
            await eventually(is_further)
        restarts += 1
    assert restarts > 3
    resumed, summary = await archive.rows(SAID), (await archive.again.found(order)).summary
    async with archive.again.running():
        await archive.again.recompute.take_back(order.id)
        await archive.again.ended(order)
        whole = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)
        assert (await archive.again.ended(whole)).summary == summary
    assert await archive.rows(SAID) == resumed


async def test_cancelled_in_the_middle_everything_is_as_it_was(archive: Archive) -> None:
    await archive.build(6000)
    before = await archive.rows()
    await archive.again.calibrated(archive.sensor)
    async with archive.again.running():
        order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)

        async def is_under_way() -> bool:
            return (await archive.again.found(order)).summary.rows > 1000

        await eventually(is_under_way)
        await archive.again.recompute.cancel(order.id)
        assert (await archive.again.ended(order)).state is State.CANCELLED
    assert await archive.rows() == before


async def test_what_arrives_meanwhile_is_stored_and_left_alone(archive: Archive) -> None:
    await archive.build(5000)
    calibration = await archive.again.calibrated(archive.sensor)
    async with archive.again.running():
        order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)
        now = archive.again.clock.now()
        # Measured in the time that is converted, but only received now.
        late = [
            sample._replace(
                measured_at=BEGIN + timedelta(seconds=20 * number + 5),
                received_at=now + timedelta(milliseconds=number),
            )
            for number, sample in enumerate(samples(archive.sensor, 500))
        ]
        for first in range(0, 500, 50):
            await archive.write(archive.sensor, late[first : first + 50])
        done = await archive.again.ended(order)
    assert done.summary.rows == 5000
    assert await archive.value_counts() == {calibration.id: 5000, None: 500}


async def test_what_a_probe_said_then_is_looked_up(archive: Archive) -> None:
    await archive.build(300)
    warm = [
        sample._replace(key=archive.probe.key, raw_value=640.0)
        for sample in samples(archive.probe, 100)[::10]
    ]
    await archive.write(archive.probe, warm)
    archive.registry.put_sensors(
        [replace(archive.sensor, sources={"temperature": archive.probe.key})]
    )
    async with archive.again.running():
        order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)
        assert (await archive.again.ended(order)).state is State.DONE
    rows = await archive.rows(
        "SELECT metadata #>> '{inputs,temperature,value}', "
        "metadata #>> '{inputs,temperature,age}' FROM reading "
        "WHERE raw_value <> 640 ORDER BY measured_at"
    )
    # The last one said something at 1800 s; it counts for ten minutes more.
    assert [(value, float(age)) for value, age in rows[:2]] == [("40.0", 0), ("40.0", 20)]
    assert [value is not None for value, _ in rows] == [number <= 120 for number in range(300)]


async def test_a_preview_of_a_long_past_takes_samples_from_all_of_it(archive: Archive) -> None:
    await archive.build(5000)
    before = await archive.rows()
    await archive.again.calibrated(archive.sensor)
    preview = await archive.again.recompute.preview(archive.sensor.key, BEGIN)
    assert (preview.total, preview.complete) == (5000, False)
    assert preview.summary.rows == preview.summary.changed == 2000
    assert await archive.rows() == before


async def test_what_is_kept_of_a_recomputation_that_is_too_old_is_forgotten(
    archive: Archive,
) -> None:
    await archive.build(30)
    await archive.again.calibrated(archive.sensor)
    async with archive.again.running():
        order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=None)
        done = await archive.again.ended(order)
    async with archive.database.unit_of_work() as work:
        await work.recomputations.save(replace(done, ended_at=BEGIN))
    assert await archive.again.recompute._forget() == 30
    assert await archive.again.recompute._forget() == 0


async def test_recomputations_come_back_as_they_were_stored_and_go_with_their_sensor(
    archive: Archive,
) -> None:
    await archive.build(600)
    await archive.again.calibrated(archive.sensor)
    order = await archive.again.recompute(archive.sensor.key, BEGIN, user_id=uuid7())
    assert await archive.again.found(order) == order
    await archive.again.recompute._go_on()
    half = await archive.again.found(order)
    assert half.track is not None
    async with archive.database.unit_of_work() as work:
        await work.recomputations.save(half)
        assert await work.recomputations.by_id(order.id) == half
        assert [one.id for one in await work.recomputations.unfinished()] == [order.id]
        await work.sensors.remove(archive.sensor.id)
        assert await work.recomputations.by_id(order.id) is None
