"""Somebody has second thoughts of the past: looks first, converts it again, and takes it back."""

from typing import Any

import pytest

from domain.recomputations import UNFINISHED
from domain.sensors import Measurement, ProcessingMode, Quality, Sensor, SensorKey
from domain.users import Role
from schema.ids import global_id
from tests.fakes import START, FakeClock
from tests.graphql_server import GraphqlServer
from tests.makers import make_device, make_reading, make_sensor
from tests.recomputing import a_calibration

KEY = SensorKey("ESP_12AB34", 34, "ph")
OF = '(sensor: {espId: "ESP_12AB34", gpio: 34, sensorType: "ph"}, from: "2026-01-01T00:00:00Z"'
SUMMARY = "summary { rows changed local before { count mean } after { count mean min max } }"


async def a_past(server: GraphqlServer) -> Sensor:
    await server.has_device(make_device(KEY.esp_id))
    sensor = await server.has_sensor(make_sensor(key=KEY, unit="pH"))
    was = Measurement(5.0, "pH", Quality.FAIR, ProcessingMode.PI_ENHANCED, "ph", "1.0.0")
    final = Measurement(6.5, "pH", Quality.GOOD, ProcessingMode.LOCAL)
    server.storage.readings.rows.extend(
        make_reading(number, sensor=sensor, raw_value=1861.0, measurement=made)
        for number, made in enumerate((was, was, final), start=1)
    )
    return sensor


@pytest.fixture
async def server() -> GraphqlServer:
    server = GraphqlServer(clock=FakeClock(start=START.replace(hour=20), automatic=True))
    await a_past(server)
    return server


async def carried_out(server: GraphqlServer) -> None:
    rows = server.storage.recomputations.rows
    while any(row.state in UNFINISHED for row in rows.values()):
        await server.services.recompute._go_on()


async def test_first_people_look_what_would_change(server: GraphqlServer) -> None:
    asked = f"total complete {SUMMARY} parameters {{ name origin }}"
    answer = await server.ask(f"{{ previewRecomputation{OF}) {{ {asked} }} }}")
    parameters = answer["previewRecomputation"].pop("parameters")
    assert {"name": "slope", "origin": "DEFAULT"} in parameters
    assert answer["previewRecomputation"] == {
        "total": 3,
        "complete": True,
        "summary": {
            "rows": 3,
            "changed": 2,
            "local": 1,
            "before": {"count": 2, "mean": 5.0},
            "after": {"count": 2, "mean": 7.0, "min": 7.0, "max": 7.0},
        },
    }
    assert server.storage.readings.rows[0].measurement.value == 5.0


async def test_then_the_past_is_converted_again_and_can_be_taken_back(
    server: GraphqlServer,
) -> None:
    order = (
        await server.ask(
            f"mutation {{ recomputeReadings{OF}) {{ id state progress sensor {{ name }} "
            "requestedBy { username } } }"
        )
    )["recomputeReadings"]
    assert (order["state"], order["progress"]) == ("PLANNED", 0.0)
    assert order["requestedBy"] == {"username": "anna"}
    await carried_out(server)

    async def seen() -> dict[str, Any]:
        answer = await server.ask(
            "query($id: ID!) { recomputation(id: $id) { state progress libraryVersion endedAt } "
            "node(id: $id) { ... on Recomputation { state } } "
            "readings { edges { node { value libraryVersion recomputedAt } } } }",
            id=order["id"],
        )
        assert answer["node"]["state"] == answer["recomputation"]["state"]
        return answer

    done = await seen()
    assert (done["recomputation"]["state"], done["recomputation"]["progress"]) == ("DONE", 1.0)
    version = done["recomputation"]["libraryVersion"]
    shown = [edge["node"] for edge in done["readings"]["edges"]]
    again = {"value": 7.0, "libraryVersion": version, "recomputedAt": "2026-01-01T20:00:00Z"}
    assert shown[1:] == [again] * 2
    assert shown[0] == {"value": 6.5, "libraryVersion": None, "recomputedAt": None}
    await server.ask(
        "mutation($id: ID!) { takeBackRecomputation(id: $id) { state } }", id=order["id"]
    )
    await carried_out(server)
    back = await seen()
    assert back["recomputation"]["state"] == "TAKEN_BACK"
    shown = [edge["node"] for edge in back["readings"]["edges"]]
    assert [(node["value"], node["recomputedAt"]) for node in shown] == [
        *((6.5, None), (5.0, None), (5.0, None))
    ]


async def test_one_that_is_under_way_can_be_cancelled(server: GraphqlServer) -> None:
    order = (await server.ask(f"mutation {{ recomputeReadings{OF}) {{ id }} }}"))[
        "recomputeReadings"
    ]
    cancel = "mutation($id: ID!) { cancelRecomputation(id: $id) { state } }"
    assert (await server.ask(cancel, id=order["id"]))["cancelRecomputation"] == {
        "state": "TAKING_BACK"
    }
    assert await server.code(cancel, id=order["id"]) == "CONFLICT"
    await carried_out(server)
    answer = await server.ask(
        '{ recomputations(sensor: {espId: "ESP_12AB34", gpio: 34, sensorType: "ph"}) '
        "{ edges { node { state } } } }"
    )
    assert answer["recomputations"]["edges"] == [{"node": {"state": "CANCELLED"}}]


async def test_a_calibration_is_chosen_by_its_id(server: GraphqlServer) -> None:
    sensor = server.registry.sensor(KEY)
    assert sensor is not None
    chosen = a_calibration(sensor)
    await server.storage.calibrations.add(chosen)
    fields = f"recomputeReadings{OF}, calibration: $c) {{ calibration {{ id }} }}"
    query = f"mutation($c: ID!) {{ {fields} }}"
    wanted = global_id("Calibration", chosen.id)
    answer = await server.ask(query, c=wanted)
    assert answer["recomputeReadings"]["calibration"] == {"id": wanted}
    assert await server.code(query, c=global_id("Sensor", *KEY)) == "BAD_INPUT"


async def test_the_past_is_not_for_everybody_to_change(server: GraphqlServer) -> None:
    for query in (
        f"{{ previewRecomputation{OF}) {{ total }} }}",
        f"mutation {{ recomputeReadings{OF}) {{ id }} }}",
        'mutation { cancelRecomputation(id: "x") { id } }',
        'mutation { takeBackRecomputation(id: "x") { id } }',
    ):
        assert await server.code(query, role=Role.VIEWER) == "FORBIDDEN"
