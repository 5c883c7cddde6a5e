"""The mutation processReading: any viewer may convert, nothing is stored, refusals are clear."""

from typing import Any

import pytest

from domain.users import Role
from tests.graphql_server import GraphqlServer

PROCESS = """mutation($input: ProcessReadingInput!) { processReading(input: $input) {
    value unit quality values libraryName libraryVersion processingMode processingTimeMs reason
    error
} }"""


async def processed(**given: object) -> dict[str, Any]:
    answer = await GraphqlServer().ask(PROCESS, input=given)
    found: dict[str, Any] = answer["processReading"]
    return found


async def test_a_raw_value_is_converted_in_the_unit_that_is_asked_for() -> None:
    made = await processed(
        sensorType="DS18B20", rawValue=340, parameters={"offset": 1}, unit="fahrenheit"
    )

    assert made.pop("processingTimeMs") >= 0
    assert made.pop("libraryVersion")
    assert made == {
        "value": 72.05,
        "unit": "°F",
        "quality": "GOOD",
        "values": {"temperature": 72.05},
        "libraryName": "ds18b20",
        "processingMode": "PI_ENHANCED",
        "reason": None,
        "error": None,
    }


async def test_several_numbers_are_channels_or_quantities() -> None:
    checked = await processed(sensorType="sht31", rawValue=0, rawValues=[190, 239, 146])
    two = await processed(
        sensorType="sht31", rawValue=0, rawValues={"temperature": 24173, "humidity": 26551}
    )

    assert checked["value"] == 85.52
    assert two["values"] == {"temperature": 19.55, "humidity": 40.51}


async def test_what_is_no_measurement_has_no_value_and_says_why() -> None:
    made = await processed(sensorType="ds18b20", rawValue=-2032)

    assert (made["value"], made["quality"]) == (None, "ERROR")
    assert made["error"] == made["reason"] != ""


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("NOT_FOUND", {"sensorType": "geiger", "rawValue": 1}),
        ("NOT_FOUND", {"sensorType": "geiger", "rawValue": 1, "rawValues": [1, 2]}),
        ("BAD_INPUT", {"sensorType": "", "rawValue": 1}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1e300}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "unit": "pH"}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "unit": "parsec"}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "parameters": {"slope": 1}}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "parameters": {"offset": "1"}}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "parameters": [1]}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "rawValues": 7}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "rawValues": []}),
        ("BAD_INPUT", {"sensorType": "ds18b20", "rawValue": 1, "rawValues": [1, 2]}),
        ("BAD_INPUT", {"sensorType": "sht31", "rawValue": 1, "rawValues": [190, 239, 147]}),
        ("BAD_INPUT", {"sensorType": "sht31", "rawValue": 1, "rawValues": ["x", 239, 147]}),
        ("BAD_INPUT", {"sensorType": "sht31", "rawValue": 1, "rawValues": {"light": 1}}),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused(code: str, given: dict[str, Any]) -> None:
    assert await GraphqlServer().code(PROCESS, input=given) == code


async def test_a_viewer_may_and_a_stranger_may_not() -> None:
    given = {"input": {"sensorType": "ds18b20", "rawValue": 340}}
    server = GraphqlServer()

    allowed = await server.execute(PROCESS, given, role=Role.VIEWER)
    assert allowed.errors is None
    assert await server.code(PROCESS, role=None, **given) == "UNAUTHENTICATED"
    assert server.storage.readings.rows == []
