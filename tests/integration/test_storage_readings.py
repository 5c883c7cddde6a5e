"""Readings for those who ask: every row once, in order, and never by reading a whole table."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import BadInputError
from domain.pages import Key, PageRequest
from domain.rule_executions import ReadingKey
from domain.sensors import Measurement, ProcessingMode, Quality, Reading
from storage.connection import Database
from storage.pages import microseconds
from storage.unit_of_work import PostgresUnitOfWork
from tests.integration.storing import NOON, all_readings, at, new_reading, stored_sensors
from tests.query_counting import counted_queries

MONTH = 30 * 86_400
SECONDS = st.none() | st.integers(-4, 1)


@pytest.fixture
async def stored(database: Database) -> Sequence[Reading]:
    """Readings of three busy sensors, one that spoke once and one that never did.

    Times repeat within and between sensors, lie in four months, and do not follow the ids.
    """
    sensors = await stored_sensors(database, [1, 2, 3, 4, 5])
    new = [
        new_reading(sensor, -month * MONTH - (n % 4) * 60, received=number * 0.5 + n, sequence=n)
        for month in (2, 0, 3, 1)
        for number, sensor in enumerate(sensors[:3])
        for n in range(8)
    ]
    new.append(new_reading(sensors[3], -60, received=20))
    return await database.reading_writer().write(new, [])


def newest_first(readings: Sequence[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda r: (r.measured_at, r.id), reverse=True)


async def empty(database: Database) -> None:
    async with database.unit_of_work() as work:
        await work.readings._client.execute_script("TRUNCATE reading")


async def walk(database: Database, size: int, **filters: Any) -> list[Reading]:  # noqa: ANN401 - any filter
    seen: list[Reading] = []
    after: Key | None = None
    async with database.unit_of_work() as work:
        while True:
            page = await work.readings.page(PageRequest(size, after), **filters)
            assert 0 < len(page.entries) <= size or not seen
            seen += [entry.item for entry in page.entries]
            if not page.has_next:
                return seen
            after = page.entries[-1].key


@pytest.mark.parametrize("size", [1, 5, 96, 97, 1000])
async def test_pages_walk_all_readings_backward_once(
    database: Database, stored: Sequence[Reading], size: int
) -> None:
    assert len(stored) == 97
    assert await walk(database, size) == newest_first(stored)


@pytest.mark.parametrize("size", [4, 100])
@pytest.mark.parametrize("gpios", [[1], [4], [5], [1, 3], [1, 1, 2]])
async def test_pages_of_some_sensors_hold_theirs_only(
    database: Database, stored: Sequence[Reading], gpios: list[int], size: int
) -> None:
    async with database.unit_of_work() as work:
        ids = {sensor.key.gpio: sensor.id for sensor in await work.sensors.all()}
    found = await walk(database, size, sensor_ids=[ids[gpio] for gpio in gpios])
    assert found == newest_first([r for r in stored if r.sensor.key.gpio in gpios])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moments=st.lists(
        st.tuples(st.integers(0, 3), st.integers(-3, 0), st.integers(-1, 0)), max_size=40
    ),
    size=st.integers(1, 12),
    gpios=st.none() | st.lists(st.integers(0, 4), max_size=4),
    span=st.tuples(SECONDS, SECONDS),
)
async def test_pages_of_whatever_is_stored_hold_it_backward_once(
    database: Database,
    moments: list[tuple[int, int, int]],
    size: int,
    gpios: list[int] | None,
    span: tuple[int | None, int | None],
) -> None:
    start, end = (None if second is None else at(second) for second in span)
    sensors = await stored_sensors(database, range(5))
    await empty(database)
    new = [
        new_reading(sensors[gpio], month * MONTH + second, received=number, sequence=number)
        for number, (gpio, second, month) in enumerate(moments)
    ]
    stored = await database.reading_writer().write(new, [])
    found = await walk(
        database,
        size,
        sensor_ids=None if gpios is None else [sensors[gpio].id for gpio in gpios],
        start=start,
        end=end,
    )
    assert found == newest_first(
        [
            reading
            for reading in stored
            if (gpios is None or reading.sensor.key.gpio in gpios)
            and (start is None or reading.measured_at >= start)
            and (end is None or reading.measured_at < end)
        ]
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, at(-60)),
        (at(-60), None),
        (at(-60), at(0)),
        (at(-MONTH), at(-60)),
        (at(-3 * MONTH - 180), at(-MONTH - 60)),
        (at(-90), at(-61)),
        (at(10), at(5)),
    ],
)
async def test_a_span_holds_its_start_and_not_its_end(
    database: Database,
    stored: Sequence[Reading],
    start: datetime | None,
    end: datetime | None,
) -> None:
    assert await walk(database, 7, start=start, end=end) == newest_first(
        [
            reading
            for reading in stored
            if (start is None or reading.measured_at >= start)
            and (end is None or reading.measured_at < end)
        ]
    )


async def test_no_sensors_have_no_readings(database: Database, stored: Sequence[Reading]) -> None:
    async with database.unit_of_work() as work:
        assert (await work.readings.page(PageRequest(), sensor_ids=[])).entries == ()
        assert await work.readings.latest([]) == {}


@pytest.mark.parametrize("after", [(1,), ("a", 1), (10**30, 1), (-(10**30), 1)])
async def test_the_cursor_of_another_list_is_refused(database: Database, after: Key) -> None:
    with pytest.raises(BadInputError, match="another list"):
        async with database.unit_of_work() as work:
            await work.readings.page(PageRequest(1, after))


async def test_the_latest_is_the_newest_by_time_measured(
    database: Database, stored: Sequence[Reading]
) -> None:
    newest: dict[int, Reading] = {}
    for reading in reversed(newest_first(stored)):
        newest[reading.sensor.id] = reading
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        assert await work.readings.latest([1, 2, 3, 4, 5, 5, 99]) == newest
    assert len(newest) == 4
    assert len(queries) == 1


async def test_a_reading_is_found_by_its_whole_key_only(
    database: Database, stored: Sequence[Reading]
) -> None:
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        for reading in stored[::12]:
            sensor_id, measured_at = reading.sensor.id, reading.measured_at
            assert await work.readings.by_key(sensor_id, measured_at, reading.id) == reading
            for key in [
                (sensor_id + 1, measured_at, reading.id),
                (sensor_id, measured_at + timedelta(microseconds=1), reading.id),
                (sensor_id, measured_at - timedelta(days=5000), reading.id),
                (sensor_id, measured_at, reading.id + 1),
            ]:
                assert await work.readings.by_key(*key) is None
    assert len(queries) == 9 * 5


async def test_since_returns_what_was_committed_later_in_order(
    database: Database, stored: Sequence[Reading]
) -> None:
    async with database.unit_of_work() as work:
        assert await work.readings.since(0, 1000) == stored
        assert await work.readings.since(stored[9].id, 5) == stored[10:15]
        assert await work.readings.since(stored[-1].id, 5) == []


async def test_a_time_is_turned_into_the_id_to_resume_from(database: Database) -> None:
    (sensor,) = await stored_sensors(database)
    new = [new_reading(sensor, n, received=n) for n in range(5)]
    written = await database.reading_writer().write(new, [])
    async with database.unit_of_work() as work:
        for moment, expected in [
            (at(-100), written),
            (at(2), written[2:]),
            (at(2) + timedelta(microseconds=1), written[3:]),
            (at(100), []),
            (datetime(1969, 1, 1, tzinfo=UTC), written),
        ]:
            first = await work.readings.first_id_at(moment)
            assert first >= 0
            assert await work.readings.since(first, 100) == expected


async def test_readings_cost_few_queries_however_many(
    database: Database, stored: Sequence[Reading]
) -> None:
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        await work.readings.page(PageRequest(1000), sensor_ids=[1])
        await work.readings.since(0, 1000)
        await work.readings.first_id_at(NOON)
    assert len(queries) == 2
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        await work.readings.page(PageRequest(1000))
    assert len(queries) == 2


# ---------------------------------------------------------------- what PostgreSQL reads for it


FILL = """
INSERT INTO reading (id, measured_at, received_at, raw_value, value, sensor_id, conversion_id,
                     quality)
SELECT (extract(epoch FROM moment) * 1000000)::bigint, moment, moment, 1, 1, 1 + number % 40, 1, 2
FROM (SELECT number, $1::timestamptz - number * interval '4 minutes' AS moment
      FROM generate_series(0, 39999) AS number) AS filled
"""


@pytest.fixture
async def busy(database: Database, database_url: str) -> Database:
    """40,000 readings of 40 sensors in five months."""
    sensors = await stored_sensors(database, range(40))
    writer = database.reading_writer()
    await writer.write([new_reading(sensors[0], -month * MONTH) for month in range(5)], [])
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE reading")
    await connection.execute(FILL, NOON)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return database


async def rows_read(work: PostgresUnitOfWork) -> dict[str, int]:
    """Return how many rows this transaction read of each partition that it looked into.

    Two rows do not count: planning looks at both ends of an index.
    """
    _, tables = await work.readings._client.execute_query(
        "SELECT relname, seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables"
        " WHERE relname LIKE 'reading\\_%' AND (seq_scan > 0 OR idx_tup_fetch > 2)"
    )
    assert [table["relname"] for table in tables if table["seq_scan"]] == []
    return {table["relname"]: table["idx_tup_fetch"] for table in tables}


async def test_the_latest_of_many_sensors_reads_one_row_of_each(busy: Database) -> None:
    async with busy.unit_of_work() as work:
        assert len(await work.readings.latest(range(1, 41))) == 40
        read = await rows_read(work)
    assert read.keys() == {"reading_2026_11"}
    assert read["reading_2026_11"] <= 2 * 40


async def test_one_reading_is_looked_for_in_its_month_only(busy: Database) -> None:
    moment = NOON - timedelta(days=60)
    # Later look-ups on a connection run a plan that was made without knowing the month.
    for _ in range(8):
        async with busy.unit_of_work() as work:
            found = await work.readings.by_key(1, moment, microseconds(moment))
            _, looked_into = await work.readings._client.execute_query(
                "SELECT relname FROM pg_stat_xact_user_tables"
                " WHERE relname LIKE 'reading\\_%' AND seq_scan + idx_scan > 0"
            )
        assert found is not None
        assert [table["relname"] for table in looked_into] == ["reading_2026_09"]


@pytest.mark.parametrize(
    ("sensor_ids", "limit"), [(None, 8 * 50), ([3], 2 * 50), ([3, 4, 5], 8 * 50)]
)
async def test_a_page_reads_little_more_than_its_rows(
    busy: Database, sensor_ids: list[int] | None, limit: int
) -> None:
    async with busy.unit_of_work() as work:
        page = await work.readings.page(PageRequest(50), sensor_ids=sensor_ids)
        read = await rows_read(work)
    assert len(page.entries) == 50
    assert read.keys() == {"reading_2026_11"}
    assert read["reading_2026_11"] <= limit


@pytest.mark.parametrize("sensor_ids", [None, [3]])
async def test_a_span_looks_into_its_months_only(
    busy: Database, sensor_ids: list[int] | None
) -> None:
    start, end = datetime(2026, 9, 3, tzinfo=UTC), datetime(2026, 9, 20, tzinfo=UTC)
    async with busy.unit_of_work() as work:
        await work.readings.page(PageRequest(50), sensor_ids=sensor_ids, start=start, end=end)
        assert (await rows_read(work)).keys() == {"reading_2026_09"}


@pytest.mark.parametrize(
    ("sensor_ids", "limit"), [(None, 8 * 50), ([3], 2 * 50), ([3, 4, 5], 8 * 50)]
)
async def test_a_late_page_reads_no_more_than_the_first(
    busy: Database, sensor_ids: list[int] | None, limit: int
) -> None:
    after = (microseconds(NOON - timedelta(days=60)), 2**62)
    async with busy.unit_of_work() as work:
        page = await work.readings.page(PageRequest(50, after), sensor_ids=sensor_ids)
        read = await rows_read(work)
    assert len(page.entries) == 50
    assert read.keys() == {"reading_2026_09"}
    assert read["reading_2026_09"] <= limit


async def test_since_reads_what_it_returns(busy: Database) -> None:
    async with busy.unit_of_work() as work:
        months_ago = await work.readings.first_id_at(NOON - timedelta(days=70))
        assert len(await work.readings.since(months_ago, 100)) == 100
        assert sum((await rows_read(work)).values()) <= 100 + 2


async def test_all_that_was_stored_is_found(database: Database, stored: Sequence[Reading]) -> None:
    assert await all_readings(database) == stored


async def test_unseen_is_what_was_stored_later_and_not_measured_before(database: Database) -> None:
    first, second, third = await stored_sensors(database, [1, 2, 3])
    suspect = Measurement(20.0, "°C", Quality.SUSPECT, ProcessingMode.RAW)
    stored = await database.reading_writer().write(
        [
            new_reading(first, 0, received=0),
            new_reading(first, -60, received=1),
            new_reading(first, 1, received=2, measurement=suspect),
            new_reading(second, 0, received=3),
            new_reading(first, 0, received=4, sequence=1),
            new_reading(first, 5, received=5),
            new_reading(first, 4, received=6),
            new_reading(third, 6, received=7),
        ],
        [],
    )
    seen = [
        ReadingKey(first.id, stored[0].measured_at, stored[0].id),
        ReadingKey(second.id, stored[3].measured_at, stored[3].id),
    ]
    async with database.unit_of_work() as work:
        assert await work.readings.unseen(seen, 10) == stored[4:7]
        assert await work.readings.unseen(seen, 2) == stored[5:7]
        assert await work.readings.unseen([], 10) == []


async def test_looking_for_what_is_unseen_reads_what_it_returns(busy: Database) -> None:
    async with busy.unit_of_work() as work:
        newest = await work.readings.latest([3, 4])
        seen = [ReadingKey(one.sensor.id, one.measured_at, one.id) for one in newest.values()]
        assert await work.readings.unseen(seen, 1000) == []
        assert sum((await rows_read(work)).values()) <= 10
