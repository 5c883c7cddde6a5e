"""Transactions, and what is left of them when something breaks."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from app.embedded.postgres import EmbeddedPostgres
from domain.errors import (
    BadInputError,
    DomainError,
    StorageRejectedError,
    StorageUnavailableError,
)
from domain.sensors import Sensor
from storage.connection import Database, Units
from tests.eventually import eventually
from tests.integration.storing import all_readings, new_reading, stored_device, stored_sensors
from tests.makers import make_device, make_sensor


@asynccontextmanager
async def stopped(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    await postgres.stop()
    try:
        yield
    finally:
        await postgres.start()


class DeafeningProxy:
    """Passes everything on to PostgreSQL, and its answers back, until some words pass by."""

    def __init__(self, url: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="kaiser-proxy-")
        real = parse_qs(urlsplit(url).query)["host"][0]
        self._real = f"{real}/.s.PGSQL.5432"
        self._tasks = asyncio.TaskGroup()
        self.url = url.replace(real, self._directory.name)
        self.deaf_after: bytes | None = None
        self._deaf = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._server = await asyncio.start_unix_server(
            self._serve, f"{self._directory.name}/.s.PGSQL.5432"
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._tasks.__aexit__(*exc)  # type: ignore[arg-type]  # the usual three
        self._directory.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_unix_connection(self._real)
        self._tasks.create_task(self._pass(reader, questions, back=False))
        self._tasks.create_task(self._pass(answers, writer, back=True))

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, back: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if back and self._deaf:
                    continue
                target.write(data)
                await target.drain()
                self._deaf = self.deaf_after is not None and (self._deaf or self.deaf_after in data)
        target.close()


async def count_devices(database: Database) -> int:
    async with database.unit_of_work() as work:
        return await work.devices.count()


async def works(database: Units) -> bool:
    try:
        await database.check()
    except StorageUnavailableError:
        return False
    return True


async def test_what_a_block_did_is_there_only_once_it_ended(database: Database) -> None:
    async with database.unit_of_work() as work:
        await work.devices.add(make_device())
        assert await count_devices(database) == 0
    assert await count_devices(database) == 1


@pytest.mark.parametrize("error", [BadInputError("no"), asyncio.CancelledError(), KeyError("bug")])
async def test_an_exception_takes_back_what_its_block_did_and_stays_itself(
    database: Database, error: BaseException
) -> None:
    async def fail() -> None:
        async with database.unit_of_work() as work:
            await work.devices.add(make_device())
            raise error

    with pytest.raises(type(error)) as caught:
        await fail()
    assert caught.value is error
    assert await count_devices(database) == 0


async def test_what_runs_at_once_in_one_block_takes_turns(database: Database) -> None:
    await stored_sensors(database, range(20))
    async with database.unit_of_work() as work:
        counts = await asyncio.gather(
            *(work.sensors.count() for _ in range(10)),
            *(work.readings.since(0, 1) for _ in range(10)),
        )
    assert counts == [20] * 10 + [[]] * 10


@pytest.mark.parametrize(
    "sensor_type",
    ["zero\x00byte", "half \ud800", "".join(map(chr, range(0x4E00, 0x6E00)))],
    ids=["zero", "surrogate", "too long for an index"],
)
async def test_what_the_database_cannot_hold_is_rejected(
    database: Database, sensor_type: str
) -> None:
    await stored_device(database)
    with pytest.raises(StorageRejectedError):
        async with database.unit_of_work() as work:
            await work.sensors.add([make_sensor(sensor_type=sensor_type)])


@pytest.mark.parametrize("name", ["x" * 100_000, "ä" * 10_000])
async def test_what_no_index_holds_may_be_long(database: Database, name: str) -> None:
    await stored_device(database, name=name)
    async with database.unit_of_work() as work:
        assert await work.devices.count(search=name) == 1
        assert await work.devices.by_esp_id(name) is None


async def test_nobody_is_answered_before_all_was_loaded(database: Database) -> None:
    ready = asyncio.Event()
    held_back = database.once(ready)
    for ask in (held_back.autocommit, held_back.unit_of_work):
        with pytest.raises(StorageUnavailableError, match="is starting; ask again"):
            ask()
    ready.set()
    async with held_back.autocommit() as work:
        assert await work.devices.all() == []


async def test_a_connection_is_waited_for_no_longer_than_allowed(database_url: str) -> None:
    database = Database(database_url, connections=1, timeout=0.1)
    await database.connect()
    async with database.unit_of_work():
        with pytest.raises(StorageUnavailableError, match="TimeoutError"):
            async with database.unit_of_work():
                pytest.fail("there is only one connection")
    assert await count_devices(database) == 0
    await database.close()


async def test_a_statement_may_take_no_longer_than_allowed(database_url: str) -> None:
    database = Database(database_url, timeout=0.2)
    await database.connect()
    (sensor,) = await stored_sensors(database)
    blocker = await asyncpg.connect(database_url)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE reading, device IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StorageUnavailableError):
            await database.reading_writer().write([new_reading(sensor, 1)], [])
        with pytest.raises(StorageUnavailableError):
            await count_devices(database)
    await blocker.close()
    assert await all_readings(database) == []
    await database.close()


async def test_while_postgres_is_away_everything_is_unavailable_and_afterwards_works_again(
    database: Database, postgres: EmbeddedPostgres
) -> None:
    (sensor,) = await stored_sensors(database)
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, 1)], [])
    async with stopped(postgres):
        with pytest.raises(StorageUnavailableError):
            await writer.write([new_reading(sensor, 2)], [])
        with pytest.raises(StorageUnavailableError):
            await count_devices(database)
        with pytest.raises(StorageUnavailableError):
            await database.check()
    await database.check()
    assert await count_devices(database) == 1
    assert len(await writer.write([new_reading(sensor, 2)], [])) == 1
    assert len(await all_readings(database)) == 2


async def test_a_block_that_postgres_left_in_the_middle_is_unavailable(
    database: Database, postgres: EmbeddedPostgres
) -> None:
    async def begin(failure: DomainError | None) -> None:
        async with database.unit_of_work() as work:
            await work.devices.add(make_device())
            async with stopped(postgres):
                if failure is not None:
                    raise failure

    with pytest.raises(StorageUnavailableError):
        await begin(None)
    with pytest.raises(BadInputError, match="said first"):
        await begin(BadInputError("said first"))
    assert await count_devices(database) == 0


async def test_a_task_that_lives_through_restarts_writes_every_reading_once(
    database: Database, postgres: EmbeddedPostgres
) -> None:
    (sensor,) = await stored_sensors(database)
    written = asyncio.Event()

    async def keep_writing(sensor: Sensor) -> int:
        writer, failures = database.reading_writer(), 0
        for second in range(400):
            reading = new_reading(sensor, second)
            while True:
                try:
                    await writer.write([reading], [])
                    break
                except DomainError:
                    failures += 1
                    await asyncio.sleep(0.02)
            if second > 20:
                written.set()
        return failures

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(keep_writing(sensor))
        await written.wait()
        async with stopped(postgres):
            await asyncio.sleep(0)
    assert task.result() > 0
    assert [r.measured_at for r in await all_readings(database)] == [
        new_reading(sensor, second).sample.measured_at for second in range(400)
    ]


@pytest.mark.parametrize("clock", [True, False])
async def test_readings_whose_answer_was_lost_are_told_with_the_next_batch(
    database: Database, database_url: str, *, clock: bool
) -> None:
    (sensor,) = await stored_sensors(database)
    async with DeafeningProxy(database_url) as proxy:
        impatient = Database(proxy.url, timeout=0.3)
        await impatient.connect()
        writer = impatient.reading_writer()
        await writer.write([new_reading(sensor, 0)], [])
        batch = [new_reading(sensor, 1), new_reading(sensor, 2 if clock else None, ticks=7)]
        for _ in range(2):
            proxy.deaf_after = b"" if clock else b"COMMIT"
            with pytest.raises(StorageUnavailableError):
                await writer.write(batch, [])
            proxy.deaf_after = None
            assert len(await all_readings(database)) == 3
        told = await writer.write([*batch, new_reading(sensor, 3)], [])
        assert await writer.write(batch, []) == []
        await impatient.close()
    assert told == (await all_readings(database))[1:]


async def test_connections_that_the_server_ended_are_replaced(
    database: Database, database_url: str
) -> None:
    (sensor,) = await stored_sensors(database)
    writer = database.reading_writer()
    await writer.write([new_reading(sensor, 1)], [])
    await asyncio.gather(*(count_devices(database) for _ in range(5)))
    administrator = await asyncpg.connect(database_url)
    names = await administrator.fetch(
        "SELECT DISTINCT application_name FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY 1"
    )
    await administrator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await administrator.close()
    ours = ["god-kaiser", "god-kaiser readings", "god-kaiser stops"]
    assert [name[0] for name in names] == ours
    await eventually(lambda: works(database))
    await eventually(lambda: works(database.kept_free()))
    assert await asyncio.gather(*(count_devices(database) for _ in range(5))) == [1] * 5
    assert len(await writer.write([new_reading(sensor, 2)], [])) == 1


async def test_connecting_can_be_tried_until_it_works(
    database_url: str, postgres: EmbeddedPostgres
) -> None:
    database = Database(database_url)
    async with stopped(postgres):
        for _ in range(2):
            with pytest.raises(StorageUnavailableError):
                await database.connect()
    await database.connect()
    await database.connect()
    await database.check()
    await database.close()
    with pytest.raises(StorageUnavailableError):
        await database.check()


async def test_closing_ends_although_the_server_is_gone(
    database_url: str, postgres: EmbeddedPostgres
) -> None:
    database = Database(database_url)
    await database.connect()
    async with stopped(postgres):
        async with asyncio.timeout(2):
            await database.close()
            await database.close()
