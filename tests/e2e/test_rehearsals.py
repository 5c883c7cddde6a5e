"""Rehearsals from end to end: before a rule is changed, its owner asks what that would change.

The server answers out of a process that it starts for it, over what lies in a real database.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from domain.repositories import NewReading
from domain.sensors import Sample
from storage.connection import Database
from tests.e2e.server import ServerProcess
from tests.eventually import eventually
from tests.integration.storing import CELSIUS, stored_sensors

DAYS = 28
HOUR = timedelta(hours=1)
SENSOR = {"espId": "ESP_12AB34", "gpio": 4, "sensorType": "ds18b20"}
PUMP = {"espId": "ESP_12AB34", "gpio": 5}
CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { id } }"
UPDATE = "mutation($id: ID!, $input: RuleInput!) { updateRule(id: $id, input: $input) { version } }"
COMPARE = """query($id: ID!, $input: RuleInput!) {
    compareRule(id: $id, input: $input) {
        gone come old { firingCount } new { firingCount readings }
    }
}"""
BACKTEST = """mutation($id: ID, $input: RuleInput, $from: DateTime!, $to: DateTime!) {
    backtestRule(id: $id, input: $input, from: $from, to: $to) { firings { at explanation } }
}"""
START = """mutation($id: ID!, $from: DateTime!, $to: DateTime!) {
    startBacktest(id: $id, from: $from, to: $to) { id state }
}"""
RUN = "query($id: ID!) { backtest(id: $id) { state progress reason result { firingCount } } }"


def rule(above: float, unit: str = "°C") -> dict[str, Any]:
    hot = {"sensor": SENSOR, "operator": "GT", "value": above, "unit": unit}
    on = {"command": {"actuator": PUMP, "action": "ON", "duration": "PT1M"}}
    return {"name": "Cool", "condition": {"threshold": hot}, "actions": [on]}


@pytest.fixture
def begun() -> datetime:
    """When the past began that is stored: four weeks ago, at a full hour."""
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    return now - timedelta(days=DAYS)


@pytest.fixture
async def server(
    database_url: str, broker: EmbeddedBroker, directory: Path, begun: datetime
) -> AsyncIterator[ServerProcess]:
    """A server that finds weeks of readings: 20 °C, but 25 and 27 °C for an hour in turns."""
    database = Database(database_url)
    await database.connect()
    (sensor,) = await stored_sensors(database)
    readings = []
    for hour in range(24 * DAYS):
        day, of_day = divmod(hour, 24)
        at = begun + hour * HOUR
        sample = Sample(sensor.key, 344.0, at + timedelta(seconds=1), at)
        value = 20.0 if of_day != 12 else 25.0 + day % 2 * 2
        readings.append(NewReading(sensor, sample, CELSIUS._replace(value=value)))
    await database.reading_writer().write(readings, [])
    await database.close()
    settings = {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url}
    process = ServerProcess(directory, settings)
    await process.start()
    yield process
    await process.stop()


async def test_the_difference_between_old_and_new_is_told_before_a_rule_is_changed(
    server: ServerProcess, begun: datetime
) -> None:
    token = await server.login()

    async def ask(document: str, **variables: object) -> dict[str, Any]:
        answer = await server.post({"query": document, "variables": variables}, token)
        assert "errors" not in answer, answer
        found: dict[str, Any] = answer["data"]
        return found

    made = (await ask(CREATE, input=rule(24)))["createRule"]["id"]
    found = (await ask(COMPARE, id=made, input=rule(26)))["compareRule"]
    assert (found["old"]["firingCount"], found["new"]["firingCount"]) == (DAYS, DAYS / 2)
    assert found["new"]["readings"] == 24 * DAYS
    gone = [datetime.fromisoformat(at) for at in found["gone"]]
    noons = [begun + timedelta(days=day) + 12 * HOUR for day in range(0, DAYS, 2)]
    assert gone == [noon + timedelta(seconds=1) for noon in noons]
    assert found["come"] == []
    assert (await ask(UPDATE, id=made, input=rule(26)))["updateRule"]["version"] == 2

    span = {"from": begun.isoformat(), "to": (begun + timedelta(days=DAYS)).isoformat()}
    lived = (await ask(BACKTEST, id=made, **span))["backtestRule"]["firings"]
    assert len(lived) == DAYS / 2
    assert {firing["explanation"]["seen"][0]["value"] for firing in lived} == {27.0}
    run = (await ask(START, id=made, **span))["startBacktest"]["id"]

    async def done() -> bool:
        looked: dict[str, Any] = (await ask(RUN, id=run))["backtest"]
        assert looked["state"] in {"WAITING", "RUNNING", "DONE"}, looked
        finished: bool = looked["progress"] == 1.0 and looked["state"] == "DONE"
        assert not finished or looked["result"] == {"firingCount": DAYS / 2}
        return finished

    await eventually(done, within=30, what="the backtest is done")


async def test_a_rule_that_cannot_be_is_not_rehearsed(
    server: ServerProcess, begun: datetime
) -> None:
    span = {"from": begun.isoformat(), "to": (begun + HOUR).isoformat()}
    asked = {"query": BACKTEST, "variables": {"input": rule(24, unit="hPa"), **span}}
    answer = await server.post(asked, await server.login())
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert "condition.threshold" in error["message"]
