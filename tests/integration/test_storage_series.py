"""A series is put together in the database, along the index, from what is fit to be shown."""

from datetime import timedelta

import asyncpg

from domain.sensors import Measurement, ProcessingMode, Quality
from domain.series import ORIGIN, Bucket, window
from storage.connection import Database
from storage.series import _BUCKETS, _QUALITIES
from tests.integration.storing import CELSIUS, at, new_reading, stored_sensors
from tests.query_counting import counted_queries

MINUTE = timedelta(minutes=1)


def measured(value: float | None, quality: Quality = Quality.GOOD) -> Measurement:
    return CELSIUS._replace(value=value, quality=quality)


async def test_buckets_hold_count_mean_extremes_and_last_and_empty_ones_are_left_out(
    database: Database,
) -> None:
    sensor, other = await stored_sensors(database, (4, 5))
    values = [(0, 20.0), (30, 23.0), (59, 20.0), (120, 10.0), (180, 99.0)]
    readings = [new_reading(sensor, second, measurement=measured(v)) for second, v in values]
    fahrenheit = Measurement(68.0, "°F", Quality.UNKNOWN, ProcessingMode.LOCAL)
    readings += [
        new_reading(other, 1, measurement=measured(50.0)),
        new_reading(sensor, 2, measurement=measured(None, Quality.ERROR)),
        new_reading(sensor, 3, measurement=measured(90.0, Quality.BAD)),
        new_reading(sensor, 4, measurement=measured(90.0, Quality.SUSPECT)),
        new_reading(sensor, 130, measurement=measured(14.0, Quality.STALE)),
        new_reading(sensor, 140, measurement=fahrenheit),
    ]
    await database.reading_writer().write(readings, [])
    async with counted_queries(database) as queries, database.autocommit() as work:
        buckets = await work.series.buckets(sensor.id, window(at(0), at(180), MINUTE))
    assert sorted(buckets, key=lambda bucket: (bucket.start, bucket.unit or "")) == [
        Bucket(at(0), "°C", 3, 21.0, 20.0, 23.0, 20.0, at(59)),
        Bucket(at(120), "°C", 2, 12.0, 10.0, 14.0, 14.0, at(130)),
        Bucket(at(120), "°F", 1, 68.0, 68.0, 68.0, 68.0, at(140)),
    ]
    assert len(queries) == 1


async def test_a_series_reads_one_range_of_an_index_in_the_partitions_it_needs(
    database: Database, database_url: str
) -> None:
    (sensor,) = await stored_sensors(database)
    days = [new_reading(sensor, 86_400.0 * day) for day in range(0, 120, 30)]
    await database.reading_writer().write(days, [])
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET enable_seqscan = off")
        asked = [sensor.id, at(0), at(86_400), MINUTE, ORIGIN, _QUALITIES]
        plan = "\n".join(r[0] for r in await connection.fetch(f"EXPLAIN {_BUCKETS}", *asked))
    finally:
        await connection.close()
    assert "sensor_id_measured_at_sequence" in plan, plan
    assert plan.count("on reading_") == plan.count("on reading_2026_11"), plan
