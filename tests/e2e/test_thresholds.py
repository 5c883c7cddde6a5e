"""A sensor crosses its alarm and comes back: each is told once, whatever is restarted between."""

import asyncpg
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from tests.e2e.probes import PROBE, Probe
from tests.e2e.probes import SENSOR as KEY
from tests.e2e.server import ServerProcess
from tests.e2e.test_stories import APPROVE, ask
from tests.eventually import eventually

SET = ask(
    "mutation($input: SensorConfigInput!) { setSensor(input: $input) { thresholds } }",
    input={
        **KEY,
        "thresholds": {"unit": "°F", "alarm": {"high": 95}, "hysteresis": 1.8},
        "qualityLimits": {"unit": "°C", "maxRate": 100},
    },
)
EVENTS = ask("{ systemEvents { edges { node { kind severity message } } } }")
SENSOR = ask(
    """query($esp: String!, $from: DateTime!) {
        sensor(espId: $esp, gpio: 4, sensorType: "ds18b20") {
            thresholdState { zone since }
            latest { value inF: value(unit: "°F") quality }
            series(from: $from, maxPoints: 2, unit: "°F") { unit points { count max } }
    } }""",
    **{"esp": PROBE, "from": "2026-01-01T00:00:00Z"},
)


async def edges(session: AsyncClientSession) -> list[str]:
    found = (await session.execute(EVENTS))["systemEvents"]["edges"]
    told = [edge["node"] for edge in reversed(found)]
    return [
        f"{event['severity']} {event['message']}"
        for event in told
        if event["kind"].startswith("THRESHOLD")
    ]


async def test_a_sensor_crosses_its_alarm_and_comes_back(
    server: ServerProcess, broker: EmbeddedBroker, database_url: str
) -> None:
    probe = Probe(broker, ago=100)
    crossed = "CRITICAL Bench, ds18b20 on GPIO 4: 96.8 °F, above the alarm of 95 °F."
    back = "INFO Bench, ds18b20 on GPIO 4: 75.2 °F, back to normal."
    async with server.http_client(await server.login()) as http:
        await probe.shows(20.0)

        async def heard() -> bool:
            return (await http.execute(SENSOR))["sensor"] is not None

        await eventually(heard, within=15)
        await http.execute(ask(APPROVE, esp=PROBE))
        await http.execute(SET)
        await probe.shows(21.0, 36.0, 37.0, 34.5, 36.0)

        async def told() -> bool:
            return len(await edges(http)) > 0

        await eventually(told, within=15)
        connection = await asyncpg.connect(database_url)

        async def kept() -> bool:
            return bool(await connection.fetchval("SELECT max(zone) FROM sensor"))

        try:
            await eventually(kept, within=15)
        finally:
            await connection.close()
        standing = (await http.execute(SENSOR))["sensor"]["thresholdState"]
        assert standing["zone"] == "ALARM_HIGH"
        assert standing["since"] is not None
    assert await server.stop() == 0
    await server.start()
    async with server.http_client(await server.login()) as http:
        assert (await http.execute(SENSOR))["sensor"]["thresholdState"] == standing
        await probe.shows(36.5, 24.0)

        async def returned() -> bool:
            return len(await edges(http)) > 1

        await eventually(returned, within=15)
        assert await edges(http) == [crossed, back]
        sensor = (await http.execute(SENSOR))["sensor"]
        assert sensor["latest"] == {"value": 24.0, "inF": 75.2, "quality": "GOOD"}
        points = sensor["series"]["points"]
        assert sensor["series"]["unit"] == "°F"
        assert sum(point["count"] for point in points) == 8
        assert max(point["max"] for point in points) == 98.6
