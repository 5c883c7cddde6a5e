"""A grower changes, breaks and repairs a library of their own while readings pour in."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from app.embedded.broker import EmbeddedBroker
from tests.e2e.load import Publisher
from tests.e2e.server import ServerProcess
from tests.eventually import eventually

READINGS = 15_000
RATE = 1000.0

LIBRARY = """
from sensor_libs.api import INT16, Converted, Quality, Range, SensorLibrary, Vector

LIBRARIES = (
    SensorLibrary(
        name="mine", version="{version}", sensor_types=("ds18b20",), raw=INT16, unit="°C",
        decimals=4, valid=Range(-55, 125), typical=Range(10, 30), source="made up",
        convert=lambda raw, _: Converted(raw / 16 + {shift}, Quality.GOOD),
        vectors=(Vector(160, {shift} + 10.0, Quality.GOOD),),
    ),
)
"""
BREAKING = {
    "a loop": "while True: pass",
    "a vector that is missed": LIBRARY.format(version="1.0.1", shift=1).replace("160", "161"),
}


async def until_logged(server: ServerProcess, name: str, times: int) -> None:
    await eventually(lambda: len(server.events(name)) == times, within=20, what=f"{name} is logged")


def check(rows: Sequence[asyncpg.Record]) -> None:
    """Check readings in the order in which they were committed."""
    assert sorted(row["sequence"] for row in rows) == list(range(READINGS))
    assert {row["library"] for row in rows} == {"mine"}
    versions = [row["library_version"] for row in rows]
    assert set(versions) == {"1.0.0", "1.0.2"}
    assert versions == sorted(versions)
    for row in rows:
        shift = 1 if row["library_version"] == "1.0.2" else 0
        assert row["value"] == pytest.approx(row["raw_value"] / 16 + shift)


async def test_no_reading_is_lost_or_doubled_and_versions_switch_once(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    own = directory / "own"
    own.mkdir()
    file = own / "mine.py"
    file.write_text(LIBRARY.format(version="1.0.0", shift=0))
    server = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_SENSOR_LIBRARIES": str(own),
        },
    )
    publisher = Publisher(broker.url, rate=RATE)
    database = await asyncpg.connect(database_url)

    async def all_stored() -> bool:
        return bool(await database.fetchval("SELECT count(*) >= $1 FROM reading", READINGS))

    try:
        await server.start()
        async with publisher.connected(), asyncio.TaskGroup() as group:
            publishing = group.create_task(publisher.publish(range(READINGS)))
            await publisher.until_confirmed(READINGS // 10)
            for number, text in enumerate(BREAKING.values(), start=1):
                file.write_text(text)
                await until_logged(server, "library.broken", number)
            assert not publishing.done()
            file.write_text(LIBRARY.format(version="1.0.2", shift=1))
            await until_logged(server, "library.loaded", 1)
            repaired_at = len(publisher.confirmed)
            await publishing
        await eventually(all_stored, within=30, what="all readings are stored")
        rows = await database.fetch(
            "SELECT sequence, raw_value, value, library, library_version FROM reading "
            "JOIN conversion ON conversion.id = conversion_id ORDER BY reading.id"
        )
        token = await server.login()
        shown = await server.post(
            {"query": "{ sensorLibraries { name version state calls failures builtIn } }"}, token
        )
        events = await server.post({"query": "{ systemEvents { edges { node { kind } } } }"}, token)
    finally:
        await server.stop()
        await database.close()
    assert repaired_at < READINGS
    check(rows)
    (mine,) = [each for each in shown["data"]["sensorLibraries"] if each["name"] == "mine"]
    assert (mine["version"], mine["state"], mine["builtIn"]) == ("1.0.2", "READY", False)
    assert mine["failures"] == 0
    kinds = [edge["node"]["kind"] for edge in events["data"]["systemEvents"]["edges"]]
    assert kinds.count("LIBRARY_BROKEN") == 2
    assert kinds.count("LIBRARY_LOADED") == 1
