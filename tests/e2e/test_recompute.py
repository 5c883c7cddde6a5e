"""A server that is killed while it converts the past again goes on where it was."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.embedded.broker import EmbeddedBroker
from storage.connection import Database
from tests.e2e.server import ServerProcess
from tests.eventually import eventually
from tests.integration.test_recompute import BEGIN, Archive

READINGS = 12_000
KILLS = 3

ORDER = """
mutation($c: ID, $from: DateTime!) {
  recomputeReadings(
    sensor: {espId: "ESP_12AB34", gpio: 34, sensorType: "ph"}, from: $from, calibration: $c
  ) { id }
}
"""
LOOK = "query($id: ID!) { recomputation(id: $id) { state summary { rows changed } } }"
OWN = """
import time
from sensor_libs.api import ADC12, Converted, Quality, Range, SensorLibrary, Vector

time.sleep(1)  # as a slow computer takes

LIBRARIES = (
    SensorLibrary(
        name="mine", version="1.0.0", sensor_types=("ph",), raw=ADC12, unit="pH", decimals=2,
        valid=Range(0, 14), typical=Range(4, 10), source="made up",
        convert=lambda raw, _: Converted(raw / 1000, Quality.GOOD),
        vectors=(Vector(2000, 2.0, Quality.GOOD),),
    ),
)
"""
BACK = "mutation($id: ID!) { takeBackRecomputation(id: $id) { id } }"


async def ask(server: ServerProcess, token: str, query: str, **variables: object) -> Any:  # noqa: ANN401 - any JSON
    answer = await server.post({"query": query, "variables": variables}, token)
    assert "errors" not in answer, answer
    (found,) = answer["data"].values()
    return found


@pytest.mark.timeout(180)
async def test_killed_again_and_again_it_converts_all_of_it_once_and_takes_it_back_exactly(
    database: Database, database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    archive = Archive(database, database_url)
    await archive.build(READINGS)
    before = await archive.rows()
    calibration = await archive.again.calibrated(archive.sensor)
    server = ServerProcess(
        directory, {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url}
    )
    try:
        await server.start()
        token = await server.login()
        start = (BEGIN - timedelta(days=1)).isoformat()
        order = (await ask(server, token, ORDER, **{"from": start}))["id"]

        async def seen() -> dict[str, Any]:
            found: dict[str, Any] = await ask(server, token, LOOK, id=order)
            return found

        for kill in range(1, KILLS + 1):

            async def is_further(goal: int = kill * 1000) -> bool:
                return int((await seen())["summary"]["rows"]) >= goal

            await eventually(is_further, within=30, what="pages are converted")
            assert (await seen())["state"] == "RUNNING"
            await server.kill()
            await server.start()

        async def is_state(state: str) -> bool:
            return bool((await seen())["state"] == state)

        await eventually(lambda: is_state("DONE"), within=60, what="it is done")
        assert (await seen())["summary"] == {"rows": READINGS, "changed": READINGS}
        assert await archive.value_counts() == {calibration.id: READINGS}
        await ask(server, token, BACK, id=order)
        await eventually(lambda: is_state("TAKEN_BACK"), within=60, what="it is taken back")
        assert await archive.rows() == before
    finally:
        await server.kill()


async def test_after_a_restart_it_waits_for_the_library_of_the_user_that_it_began_with(
    database: Database, database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    archive = Archive(database, database_url)
    await archive.build(READINGS // 2)
    own = directory / "own"
    own.mkdir()
    (own / "mine.py").write_text(OWN)
    settings = {
        "KAISER_DATABASE_URL": database_url,
        "KAISER_MQTT_URL": broker.url,
        "KAISER_SENSOR_LIBRARIES": str(own),
    }
    server = ServerProcess(directory, settings)
    try:
        await server.start()
        token = await server.login()
        order = (await ask(server, token, ORDER, **{"from": BEGIN.isoformat()}))["id"]

        async def seen() -> dict[str, Any]:
            found: dict[str, Any] = await ask(server, token, LOOK, id=order)
            return found

        async def is_under_way() -> bool:
            return int((await seen())["summary"]["rows"]) > 0

        await eventually(is_under_way, within=30, what="a page is converted")
        await server.kill()
        await server.start()

        async def has_ended() -> bool:
            return bool((await seen())["state"] != "RUNNING")

        await eventually(has_ended, within=60, what="it has ended")
        summary = {"rows": READINGS // 2, "changed": READINGS // 2}
        assert await seen() == {"state": "DONE", "summary": summary}
    finally:
        await server.kill()
