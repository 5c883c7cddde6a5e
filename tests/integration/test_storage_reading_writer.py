"""The way in for readings: each stored once, whatever is delivered twice."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import asyncpg
import pytest

from domain.dead_letters import DeadLetter
from domain.errors import StorageRejectedError
from domain.pages import PageRequest
from domain.relays import Relayed
from domain.repositories import NewReading
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sensor
from storage.clockless import WINDOW
from storage.connection import Database
from storage.pages import microseconds
from tests.integration.storing import (
    CELSIUS,
    NOON,
    all_readings,
    at,
    new_reading,
    stored_sensors,
)
from tests.query_counting import counted_queries

LETTER = DeadLetter(topic="t", payload=b"{", reason="no JSON", received_at=NOON)


@pytest.fixture
async def sensor(database: Database) -> Sensor:
    (sensor,) = await stored_sensors(database)
    return sensor


async def write(database: Database, *readings: NewReading) -> Sequence[Reading]:
    return await database.reading_writer().write(readings, [])


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


# ---------------------------------------------------------------- what is stored


@pytest.mark.parametrize(
    "measurement",
    [
        CELSIUS,
        Measurement(None, None, Quality.ERROR, ProcessingMode.RAW),
        Measurement(
            -40.0,
            "%",
            Quality.SUSPECT,
            ProcessingMode.LOCAL,
            notes={"reason": "zu trocken", "limits": [0, 100], "nested": {"deep": None}},
        ),
    ],
)
async def test_a_reading_comes_back_as_it_was_written(
    database: Database, sensor: Sensor, measurement: Measurement
) -> None:
    new = new_reading(sensor, 1.000001, raw=-0.1, sequence=2**40, measurement=measurement)
    (written,) = await write(database, new)
    assert written == Reading(
        id=microseconds(new.sample.received_at),
        sensor=sensor,
        measured_at=at(1.000001),
        received_at=new.sample.received_at,
        raw_value=-0.1,
        measurement=measurement,
        sequence=2**40,
    )
    assert await all_readings(database) == [written]


@pytest.mark.parametrize("quality", list(Quality))
async def test_every_quality_comes_back(
    database: Database, sensor: Sensor, quality: Quality
) -> None:
    await write(database, new_reading(sensor, measurement=CELSIUS._replace(quality=quality)))
    (stored,) = await all_readings(database)
    assert stored.measurement.quality is quality


async def test_a_batch_comes_back_in_its_order(database: Database) -> None:
    sensors = await stored_sensors(database, range(10))
    batch = [new_reading(sensors[n % 10], -n, received=n * 0.001) for n in range(300)]
    written = await write(database, *batch)
    assert [reading.measured_at for reading in written] == [at(-n) for n in range(300)]
    assert await all_readings(database) == written


async def test_nothing_to_write_asks_nothing(database: Database) -> None:
    async with counted_queries(database) as queries:
        assert await database.reading_writer().write([], []) == []
    assert queries == []


async def test_readings_with_a_clock_cost_one_statement_once_all_is_known(
    database: Database, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, 0)], [])
    async with counted_queries(database) as queries:
        assert len(await writer.write([new_reading(sensor, n) for n in range(1, 200)], [])) == 199
    assert len(queries) == 1


# ---------------------------------------------------------------- identity


async def test_a_redelivered_reading_is_known(database: Database, sensor: Sensor) -> None:
    await write(database, new_reading(sensor, 1, sequence=7))
    again = new_reading(sensor, 1, sequence=7, received=60, raw=1.0)
    assert await write(database, again, new_reading(sensor, 2, sequence=7)) == [
        reading for reading in await all_readings(database) if reading.measured_at == at(2)
    ]


async def test_a_relayed_reading_and_the_same_one_heard_directly_are_one(
    database: Database, sensor: Sensor
) -> None:
    relayed = Relayed("kaiser_001", at(30))
    identities: list[dict[str, Any]] = [{"measured": 1, "sequence": 7}, {"measured": 2}]
    for identity in [*identities, {"ticks": 5}]:
        direct = new_reading(sensor, received=3, **identity)
        late = new_reading(sensor, received=31, relayed=relayed, **identity)
        assert len(await write(database, direct)) == 1
        assert await write(database, late) == []


async def test_a_repetition_within_a_batch_is_known_and_the_first_counts(
    database: Database, sensor: Sensor
) -> None:
    batch = [new_reading(sensor, 1, raw=1.0), new_reading(sensor, 1, raw=2.0, received=3)]
    (written,) = await write(database, *batch)
    assert written.raw_value == 1.0
    assert await all_readings(database) == [written]


async def test_the_sequence_tells_readings_of_one_moment_apart(
    database: Database, sensor: Sensor
) -> None:
    moment = [new_reading(sensor, 1, sequence=n, received=2 + n) for n in (1, 2)]
    assert len(await write(database, *moment, new_reading(sensor, 1, received=5))) == 3
    assert await write(database, *moment, new_reading(sensor, 1, received=9)) == []


async def test_sensors_do_not_share_identities(database: Database) -> None:
    one, other = await stored_sensors(database, [4, 5])
    assert len(await write(database, new_reading(one, 1), new_reading(other, 1, received=2))) == 2


async def test_without_a_clock_the_time_of_receipt_stands_in(
    database: Database, sensor: Sensor
) -> None:
    (written,) = await write(database, new_reading(sensor, received=5, ticks=1234))
    assert written.measured_at == written.received_at == at(5)


async def test_without_a_clock_a_redelivery_is_known_for_five_minutes(
    database: Database, sensor: Sensor
) -> None:
    def delivered(second: float) -> NewReading:
        return new_reading(sensor, received=second, ticks=1234, sequence=9)

    writer, limit = database.reading_writer(), WINDOW.total_seconds()
    assert limit == 300
    assert len(await writer.write([delivered(0)], [])) == 1
    assert await writer.write([delivered(1), delivered(limit)], []) == []
    assert len(await writer.write([delivered(limit + 0.001)], [])) == 1
    assert await writer.write([delivered(limit + 2)], []) == []


async def test_a_redelivery_without_a_clock_is_known_after_a_restart_too(
    database: Database, sensor: Sensor
) -> None:
    await write(database, new_reading(sensor, received=0, ticks=1234))
    assert await write(database, new_reading(sensor, received=100, ticks=1234)) == []


@pytest.mark.parametrize("other", [{"ticks": 2}, {"sequence": 2}, {"raw": 2.0}])
async def test_without_a_clock_ticks_sequence_and_value_tell_samples_apart(
    database: Database, sensor: Sensor, other: dict[str, float]
) -> None:
    same = {"ticks": 1, "sequence": 1, "raw": 1.0}
    one = new_reading(sensor, received=0, **same)  # type: ignore[arg-type]  # mixed
    two = new_reading(sensor, received=1, **{**same, **other})  # type: ignore[arg-type]  # mixed
    assert len(await write(database, one, two)) == 2


async def test_without_a_clock_a_repetition_within_a_batch_is_known(
    database: Database, sensor: Sensor
) -> None:
    batch = [new_reading(sensor, received=n, ticks=7) for n in range(3)]
    (written,) = await write(database, *batch)
    assert written.received_at == at(0)


async def test_a_sample_that_carries_no_identity_is_always_new(
    database: Database, sensor: Sensor
) -> None:
    batch = [new_reading(sensor, received=n, ticks=0) for n in range(3)]
    assert len(await write(database, *batch)) == 3
    assert len(await write(database, new_reading(sensor, received=4, ticks=0))) == 1


async def test_a_clock_that_was_set_back_does_not_make_new_samples_known(
    database: Database, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, received=86_400, ticks=7)], [])
    assert len(await writer.write([new_reading(sensor, received=0, ticks=7)], [])) == 1


async def test_what_identified_old_samples_is_forgotten(
    database: Database, database_url: str, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, received=n, ticks=1 + n) for n in range(50)], [])
    await writer.write([new_reading(sensor, received=1000, ticks=1)], [])
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM clockless_sample") == 1
    await connection.close()


# ---------------------------------------------------------------- ids


async def test_ids_grow_in_the_order_of_commits_whatever_the_clocks_say(
    database: Database, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    batches = [(100, 0), (101, 0), (50, 50), (7, -7000), (102, 1)]
    written = [
        reading
        for number, (received, measured) in enumerate(batches)
        for reading in await writer.write(
            [
                new_reading(sensor, measured + n * 0.01, received=received, sequence=number)
                for n in range(3)
            ],
            [],
        )
    ]
    ids = [reading.id for reading in written]
    assert len(ids) == 15
    assert ids == sorted(set(ids))
    assert all(r.id >= microseconds(r.received_at) for r in written)


async def test_ids_go_on_after_a_restart_although_the_clock_was_set_back(
    database: Database, sensor: Sensor
) -> None:
    (before,) = await write(database, new_reading(sensor, 1, received=86_400))
    (after,) = await write(database, new_reading(sensor, 2, received=2))
    assert after.id == before.id + 1


async def test_writers_that_are_called_at_once_take_turns(
    database: Database, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    batches = [[new_reading(sensor, n * 100 + m) for m in range(20)] for n in range(8)]
    written = await asyncio.gather(*(writer.write(batch, []) for batch in batches))
    ids = [reading.id for batch in written for reading in batch]
    assert ids == sorted(set(ids))
    assert len(await all_readings(database)) == 160


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "poison",
    [
        {"raw": nan},
        {"raw": inf},
        {"raw": -inf},
        {"sequence": 2**63},
        {"measured": (datetime(1999, 12, 31, tzinfo=UTC) - NOON).total_seconds()},
        {"measured": (datetime(2100, 1, 1, tzinfo=UTC) - NOON).total_seconds()},
        {"measurement": CELSIUS._replace(value=nan)},
        {"measurement": CELSIUS._replace(unit="\x00")},
        {"measurement": CELSIUS._replace(unit="\ud800")},
        {"measurement": CELSIUS._replace(notes={"why": "\x00"})},
        {"measurement": CELSIUS._replace(notes={"why": "\ud800"})},
    ],
    ids=str,
)
async def test_of_a_batch_with_one_poisoned_reading_nothing_is_stored(
    database: Database, sensor: Sensor, poison: dict[str, float]
) -> None:
    writer = database.reading_writer()
    bad = new_reading(sensor, **{"measured": 2.0, "received": 3, **poison})  # type: ignore[arg-type]  # mixed
    with pytest.raises(StorageRejectedError):
        await writer.write([new_reading(sensor, 1), bad], [LETTER])
    assert await all_readings(database) == []
    async with database.unit_of_work() as work:
        assert (await work.dead_letters.page(PageRequest())).entries == ()
    assert len(await writer.write([new_reading(sensor, 1)], [LETTER])) == 1


async def test_a_refused_sample_without_a_clock_is_not_remembered(
    database: Database, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    good, bad = new_reading(sensor, received=1, ticks=5), new_reading(sensor, 1, raw=nan)
    with pytest.raises(StorageRejectedError):
        await writer.write([good, bad], [])
    assert len(await writer.write([good], [])) == 1


async def test_a_cancelled_write_leaves_nothing_behind_and_the_next_one_works(
    database: Database, database_url: str, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, 0)], [])
    blocker = await asyncpg.connect(database_url)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await writer.write([new_reading(sensor, 1)], [LETTER])
    await blocker.close()
    assert len(await writer.write([new_reading(sensor, 1)], [])) == 1
    assert len(await all_readings(database)) == 2


# ---------------------------------------------------------------- partitions


async def partitions(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'reading'::regclass ORDER BY 1"
        )
        return [row[0] for row in rows]
    finally:
        await connection.close()


async def test_each_month_that_readings_touch_has_a_partition_and_the_next_is_ready(
    database: Database, database_url: str, sensor: Sensor
) -> None:
    old = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC) - NOON
    new = [old, old + timedelta(microseconds=1), timedelta(0)]
    await write(database, *(new_reading(sensor, t.total_seconds(), received=0) for t in new))
    assert await partitions(database_url) == [
        "reading_2024_02",
        "reading_2024_03",
        "reading_2026_11",
        "reading_2026_12",
    ]
    assert len(await all_readings(database)) == 3


async def test_the_month_is_the_one_of_universal_time(
    database: Database, database_url: str, sensor: Sensor
) -> None:
    local = datetime.fromisoformat("2026-12-01T00:30:00+01:00")
    new = new_reading(sensor, 0)
    new = new._replace(sample=new.sample._replace(measured_at=local))
    await write(database, new)
    assert [reading.measured_at for reading in await all_readings(database)] == [local]
    assert await partitions(database_url) == ["reading_2026_11", "reading_2026_12"]


async def test_a_year_ends_in_january(
    database: Database, database_url: str, sensor: Sensor
) -> None:
    december = (datetime(2025, 12, 31, tzinfo=UTC) - NOON).total_seconds()
    await write(database, new_reading(sensor, december))
    assert await partitions(database_url) == ["reading_2025_12", "reading_2026_01"]


async def test_a_partition_that_was_dropped_is_made_again(
    database: Database, database_url: str, sensor: Sensor
) -> None:
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, 0)], [])
    await execute(database_url, "DROP TABLE reading_2026_11")
    assert len(await writer.write([new_reading(sensor, 1)], [])) == 1
    assert len(await all_readings(database)) == 1


async def test_servers_that_need_a_month_at_the_same_time_share_its_partition(
    database: Database, sensor: Sensor
) -> None:
    writers = [database.reading_writer() for _ in range(2)]
    other = Database(database._url)
    await other.connect()
    writers.append(other.reading_writer())
    batches = [[new_reading(sensor, n)] for n in range(3)]
    await asyncio.gather(*(w.write(b, []) for w, b in zip(writers, batches, strict=True)))
    assert len(await all_readings(database)) == 3
    await other.close()
