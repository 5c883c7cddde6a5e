"""Values are right for the water and air they were measured in, and say what made them so."""

import json
from datetime import datetime, timedelta
from typing import Any

import aiomqtt
from gql.client import AsyncClientSession

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from tests.e2e.server import ServerProcess
from tests.e2e.test_stories import ask
from tests.eventually import eventually

TANK, AIR = "ESP_7A4C01", "ESP_A17501"
TRIM = {"dig_T1": 27504, "dig_T2": 26435, "dig_T3": -1000} | {
    f"dig_P{number}": word
    for number, word in enumerate(
        (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000), start=1
    )
}
"""The example in the data sheet of the BMP280: 519888 and 415148 are 25.08 °C and 1006.53 hPa."""

SET = "mutation($input: SensorConfigInput!) { setSensor(input: $input) { name } }"
CALIBRATE = """mutation($input: CalibrateSensorInput!) {
    calibrateSensor(input: $input) { calibration { id } }
}"""
READINGS = """query($esp: String!, $type: String!) {
    readings(espId: $esp, sensorType: $type) {
        edges { node { value unit quality metadata timestamp calibration { method } } } } }"""
EFFECTIVE = """query($esp: String!) { sensor(espId: $esp, gpio: 34, sensorType: "ph") {
    effectiveParameters { name value origin sensor { sensorType } } } }"""


class Boards:
    """Two virtual boards that say what the story wants, each thing some seconds after the last."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._port = broker.port
        self.now = int(SystemClock().now().timestamp()) - 500

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, tz=SystemClock().now().tzinfo)

    async def say(
        self, esp: str, gpio: int, *quantities: tuple[str, float], i2c: int | None = None
    ) -> None:
        """Send quantities of one moment, each in a message of its own."""
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            for sensor_type, raw in quantities:
                said: dict[str, Any] = {
                    "esp_id": esp,
                    "gpio": gpio,
                    "sensor_type": sensor_type,
                    "raw": raw,
                    "raw_mode": True,
                    "ts": self.now,
                    "time_valid": True,
                } | ({} if i2c is None else {"i2c_address": i2c})
                topic = f"kaiser/god/esp/{esp}/sensor/{gpio}/data"
                await client.publish(topic, json.dumps(said), qos=1)


async def readings(
    session: AsyncClientSession, esp: str, sensor_type: str, count: int
) -> list[dict[str, Any]]:
    """Wait until a sensor has so many readings, and return them, oldest first."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        edges = (await session.execute(ask(READINGS, esp=esp, type=sensor_type)))["readings"]
        found[:] = [edge["node"] for edge in reversed(edges["edges"])]
        return len(found) >= count

    await eventually(there, within=15, what=f"{count} readings of {sensor_type}")
    assert len(found) == count
    return found


async def test_ph_takes_the_live_temperature_of_a_named_probe_on_another_board(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    boards = Boards(broker)
    ph = {"espId": TANK, "gpio": 34, "sensorType": "ph"}
    probe = {"espId": AIR, "gpio": 4, "sensorType": "ds18b20"}
    points = [{"raw": 1861, "reference": 7.0}, {"raw": 2519, "reference": 4.0}]
    async with server.http_client(await server.login()) as http:
        await boards.say(AIR, 4, ("ds18b20", 20 * 16))
        await boards.say(TANK, 34, ("ph", 2519))
        await readings(http, AIR, "ds18b20", 1)
        (before,) = await readings(http, TANK, "ph", 1)
        assert before["metadata"]["reason"].startswith("no live temperature of the solution")
        await http.execute(
            ask(CALIBRATE, input={"sensor": ph, "method": "ph_2point", "points": points})
        )
        await http.execute(
            ask(SET, input={**ph, "sources": [{"parameter": "temperature", "sensor": probe}]})
        )
        boards.now += 10
        await boards.say(AIR, 4, ("ds18b20", 35 * 16))
        await readings(http, AIR, "ds18b20", 2)
        boards.now += 10
        await boards.say(TANK, 34, ("ph", 2519))
        after = (await readings(http, TANK, "ph", 2))[1]
        assert (before["calibration"], after["calibration"]) == (None, {"method": "ph_2point"})
        assert after["value"] == 4.09, "acid is further from neutral the warmer it is"
        assert after["metadata"]["inputs"] == {
            "temperature": {
                "value": 35.0,
                "sensor": f"{AIR}/4/ds18b20",
                "age": 10.0,
            }
        }
    assert await server.stop() == 0
    await server.start()
    async with server.http_client(await server.login()) as http:
        boards.now += 10
        await boards.say(TANK, 34, ("ph", 2519))
        last = (await readings(http, TANK, "ph", 3))[2]
        assert last["value"] == 4.09, "the temperature was stored, so a restart forgets nothing"
        known = (await http.execute(ask(EFFECTIVE, esp=TANK)))["sensor"]["effectiveParameters"]
        origins = {one["name"]: (one["origin"], one["sensor"]) for one in known}
        assert origins == {
            "slope": ("CALIBRATION", None),
            "offset": ("CALIBRATION", None),
            "temperature": ("COMPANION", {"sensorType": "ds18b20"}),
        }


async def test_air_has_its_pressure_and_its_vapour_deficit_from_what_stands_beside(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    boards = Boards(broker)
    warm, humid = round((25 + 45) / 175 * 65535), round(60 / 100 * 65535)
    async with server.http_client(await server.login()) as http:
        await boards.say(AIR, 0, ("bmp280_pressure", 415_148), i2c=118)
        await readings(http, AIR, "bmp280_pressure", 1)
        vpd = {"espId": AIR, "gpio": 0, "sensorType": "vpd", "address": "68"}
        await http.execute(ask(SET, input=vpd))
        pressure = {"espId": AIR, "gpio": 0, "sensorType": "bmp280_pressure", "address": "118"}
        await http.execute(ask(SET, input={**pressure, "parameters": TRIM}))
        for _ in range(2):  # the second time everything is delivered again
            await boards.say(AIR, 0, ("sht31_temp", warm), ("sht31_humidity", humid), i2c=68)
        boards.now += 1
        await boards.say(AIR, 0, ("bmp280_temp", 519_888), ("bmp280_pressure", 415_148), i2c=118)
        (_, compensated) = await readings(http, AIR, "bmp280_pressure", 2)
        assert (compensated["value"], compensated["unit"]) == (1006.53, "hPa")
        (deficit,) = await readings(http, AIR, "vpd", 1)
        assert (deficit["value"], deficit["unit"], deficit["quality"]) == (1.27, "kPa", "GOOD")
        measured = datetime.fromisoformat(deficit["timestamp"])
        assert measured == boards.moment - timedelta(seconds=1)
        inputs = deficit["metadata"]["inputs"]
        assert inputs["humidity"]["sensor"] == f"{AIR}/0/sht31_humidity/68"
