"""Owners say what conversions depend on, and see what holds and where it comes from."""

from datetime import timedelta
from typing import Any

import pytest

from domain.sensors import Measurement, ProcessingMode, Quality, Sample, SensorKey
from tests.fakes import START
from tests.graphql_server import GraphqlServer, code_of
from tests.makers import make_calibration, make_device, make_reading, make_sensor

ESP = "ESP_12AB34"
PH = {"espId": ESP, "gpio": 34, "sensorType": "ph"}
PROBE = {"espId": ESP, "gpio": 4, "sensorType": "ds18b20"}
SET = """mutation($input: SensorConfigInput!) {
    setSensor(input: $input) { sensorType parameters sources { parameter sensor { name } } }
}"""
EFFECTIVE = """query($esp: String!) {
    sensor(espId: $esp, gpio: 34, sensorType: "ph") {
        effectiveParameters { name value unit origin sensor { sensorType } at low high description }
    }
}"""

AIR = {"temperature": 20, "humidity": 60}
LACKS = """query($esp: String!, $type: String!, $gpio: Int!) {
    sensor(espId: $esp, gpio: $gpio, sensorType: $type) { lacks }
}"""


async def house() -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device(ESP))
    await server.has_sensor(make_sensor(ESP, 34, "ph", unit=None))
    await server.has_sensor(make_sensor(ESP, 4, "ds18b20", unit=None))
    return server


async def setting(server: GraphqlServer, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    answer: dict[str, Any] = (await server.ask(SET, input={**PH, **changes}))["setSensor"]
    return answer


async def test_parameters_and_sources_are_set_kept_and_cleared() -> None:
    server = await house()
    sources = [{"parameter": "temperature", "sensor": PROBE}]
    told = await setting(server, parameters={"slope": -3.4, "temperature": 22}, sources=sources)
    assert told["parameters"] == {"slope": -3.4, "temperature": 22.0}
    (source,) = told["sources"]
    assert source == {"parameter": "temperature", "sensor": {"name": "DS18B20 on GPIO 4"}}
    told = await setting(server, name="Tank")
    assert told["parameters"] == {"slope": -3.4, "temperature": 22.0}, "what is left out stays"
    told = await setting(server, parameters={}, sources=[])
    assert (told["parameters"], told["sources"]) == ({}, [])


async def test_what_fills_a_parameter_and_was_removed_is_told_as_nobody() -> None:
    server = await house()
    await setting(server, sources=[{"parameter": "temperature", "sensor": PROBE}])
    await server.ask(
        "mutation($input: SensorRefInput!) { removeSensor(input: $input) }", input=PROBE
    )
    assert (await setting(server))["sources"] == [{"parameter": "temperature", "sensor": None}]
    lacks = (await server.ask(LACKS, esp=ESP, type="ph", gpio=34))["sensor"]["lacks"]
    assert lacks == "temperature was to come from ESP_12AB34/4/ds18b20, which is gone"


async def test_a_virtual_sensor_says_what_it_lacks_as_long_as_it_has_no_readings() -> None:
    server = await house()
    air = {"espId": ESP, "gpio": 4}
    await server.ask(SET, input={**air, "sensorType": "vpd"})

    async def lacks() -> object:
        return (await server.ask(LACKS, esp=ESP, type="vpd", gpio=4))["sensor"]["lacks"]

    assert await lacks() == "nothing gives it temperature, humidity: name a sensor in its sources"
    await server.has_sensor(make_sensor(ESP, 4, "dht22_temp", unit=None))
    assert await lacks() == "nothing gives it humidity: name a sensor in its sources"
    await server.has_sensor(make_sensor(ESP, 4, "dht22_humidity", unit=None))
    assert await lacks() == "no fresh temperature of the air; no fresh humidity of the air"
    await server.ask(SET, input={**air, "sensorType": "vpd", "parameters": AIR})
    assert await lacks() is None


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"slop": 1}, "parameters has no 'slop'; it has slope, offset, temperature"),
        ({"slope": 99}, "parameters: parameter slope is 99, but must be -20 to 20 pH/V"),
        ({"slope": "steep"}, "slope must be a number"),
        ({"slope": True}, "slope must be a number"),
        ([1], "parameters must be a JSON object"),
    ],
)
async def test_parameters_that_make_no_sense_are_refused_with_the_reason(
    parameters: object, says: str
) -> None:
    server = await house()
    result = await server.execute(SET, {"input": {**PH, "parameters": parameters}})
    assert code_of(result) == "BAD_INPUT"
    assert result.errors is not None
    assert result.errors[0].message == says


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        (
            [{"parameter": "slope", "sensor": PROBE}],
            "sources: a ph takes no 'slope' from another sensor; it takes temperature",
        ),
        (
            [{"parameter": "temperature", "sensor": PH}],
            "sources: temperature cannot come from the sensor itself",
        ),
        (
            [{"parameter": "temperature", "sensor": {**PROBE, "gpio": 5}}],
            f"sources: no ds18b20 is known on GPIO 5 of {ESP}",
        ),
        (
            [{"parameter": "temperature", "sensor": {**PROBE, "sensorType": "moisture"}}],
            "sources: temperature: °C is a unit of temperature, % one of percentage",
        ),
        (
            [{"parameter": "temperature", "sensor": {**PROBE, "sensorType": "dew_point"}}],
            "sources: a dew_point is computed itself; name a sensor that measures",
        ),
        (
            [{"parameter": "temperature", "sensor": PROBE}] * 2,
            "sources: a parameter comes from one sensor",
        ),
    ],
)
async def test_sources_that_cannot_fill_a_parameter_are_refused_with_the_reason(
    sources: object, says: str
) -> None:
    server = await house()
    for kind in ("moisture", "dew_point"):
        await server.has_sensor(make_sensor(ESP, 4, kind, unit=None))
    result = await server.execute(SET, {"input": {**PH, "sources": sources}})
    assert result.errors is not None
    assert result.errors[0].message.startswith(says)
    known = server.registry.sensor(SensorKey(ESP, 34, "ph"))
    assert known is not None
    assert known.sources == {}


async def test_what_the_next_conversion_takes_is_shown_with_where_it_comes_from() -> None:
    server = await house()
    await setting(
        server,
        parameters={"slope": -3.4},
        sources=[{"parameter": "temperature", "sensor": PROBE}],
    )
    measured = START - timedelta(minutes=1)
    batch = await server.services.convert.batch()
    await batch(
        [Sample(SensorKey(ESP, 4, "ds18b20"), 320, received_at=START, measured_at=measured)]
    )
    batch.keep()
    answer = await server.ask(EFFECTIVE, esp=ESP)
    slope, offset, temperature = answer["sensor"]["effectiveParameters"]
    assert slope == {
        "name": "slope",
        "value": -3.4,
        "unit": "pH/V",
        "origin": "OWNER",
        "sensor": None,
        "at": None,
        "low": -20.0,
        "high": 20.0,
        "description": "pH per volt at 25 °C",
    }
    assert (offset["value"], offset["origin"]) == (12.25, "DEFAULT")
    assert (temperature["value"], temperature["origin"]) == (20.0, "COMPANION")
    assert temperature["sensor"] == {"sensorType": "ds18b20"}
    assert temperature["at"] == measured.isoformat().replace("+00:00", "Z")


async def test_a_virtual_sensor_is_set_up_and_removed_without_its_device_being_told() -> None:
    server = await house()
    vpd = {"espId": ESP, "gpio": 0, "sensorType": "vpd"}
    await server.ask(SET, input=vpd)
    assert server.changed == []
    answer = await server.ask(
        "mutation($input: SensorRefInput!) { removeSensor(input: $input) }", input=vpd
    )
    assert answer["removeSensor"] is True
    assert server.changed == []
    assert not server.storage.outbox.rows


async def test_readings_tell_the_calibration_they_came_from_in_one_query() -> None:
    server = await house()
    sensor = server.registry.sensor(SensorKey(ESP, 34, "ph"))
    assert sensor is not None
    found = make_calibration(sensor)
    async with server.storage.unit_of_work() as work:
        await work.calibrations.add(found)
    made = Measurement(7.0, "pH", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ph", "1.1.0")
    for number in range(1, 5):
        told = made._replace(calibration_id=found.id if number > 1 else None)
        await server.store(make_reading(number, sensor=sensor, measurement=told))
    answer = await server.ask("{ readings { edges { node { calibration { method } } } } }")
    methods = [edge["node"]["calibration"] for edge in answer["readings"]["edges"]]
    assert methods == [{"method": "ph_2point"}] * 3 + [None]
    assert server.storage.queries["calibrations"] == 2, "one stored it, one read all"
