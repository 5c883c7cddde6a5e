"""Calibrations through GraphQL: led through step by step, or handed in whole."""

from datetime import timedelta
from typing import Any

import pytest

from domain.sensors import SensorKey
from domain.stability import Shown
from domain.users import Role
from schema.ids import global_id
from tests.fakes import START
from tests.graphql_server import GraphqlServer, code_of
from tests.makers import make_device, make_sensor

KEY = SensorKey("ESP_12AB34", 34, "ph")
REF = '{espId: "ESP_12AB34", gpio: 34, sensorType: "PH"}'
PROCEDURE = "id state stable nextStep points { raw reference temperature } preview { slopePercent }"
START_IT = f'mutation {{ startCalibration(sensor: {REF}, method: "ph_2point") {{ {PROCEDURE} }} }}'
ADD = f"""mutation($id: ID!, $ph: Float!) {{
    addCalibrationPoint(id: $id, reference: $ph, temperature: 25, wait: "PT0S") {{ {PROCEDURE} }}
}}"""
FINISH = """mutation($id: ID!) { finishCalibration(id: $id, expiresAt: "2026-03-01T00:00:00Z") {
    id method library points parameters expired expiresAt calibratedBy { username }
    fit { residuals slopePercent zeroError findings { code message } } } }"""


async def bench() -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device(KEY.esp_id))
    await server.has_sensor(make_sensor(id=3, key=KEY))
    return server


def stand_still(server: GraphqlServer, raw: float) -> None:
    """Let the probe stand in one liquid for a while."""
    (sensor,) = server.registry.sensors_of(KEY.esp_id)
    seen = server.services.calibrate.stability(sensor.id)
    assert seen is not None
    for second in range(12):
        seen.add(START + timedelta(seconds=second), Shown(raw, 7.0, 0.035))


async def test_a_person_is_led_through_a_calibration() -> None:
    server = await bench()
    begun = (await server.ask(START_IT))["startCalibration"]
    assert (begun["state"], begun["stable"], begun["points"]) == ("OPEN", False, [])
    assert begun["nextStep"] == (
        "Put the probe into a buffer: one near pH 7, and one such as pH 4.01 or 10.01. This is "
        "point 1 of 2: no live value came yet: is the device online, and the sensor enabled?"
    )

    stand_still(server, 1861)
    ask = f"""{{ calibrationProcedure(id: "{begun["id"]}") {{
        stable nextStep sensor {{ name }} startedBy {{ username }} }} }}"""
    now = (await server.ask(ask))["calibrationProcedure"]
    assert now["stable"]
    assert "addCalibrationPoint" in now["nextStep"]
    assert now["startedBy"] == {"username": "anna"}

    first = (await server.ask(ADD, id=begun["id"], ph=7.0))["addCalibrationPoint"]
    assert first["points"] == [{"raw": 1861, "reference": 7.0, "temperature": 25}]
    assert first["preview"] is None
    stand_still(server, 2700)
    second = (await server.ask(ADD, id=begun["id"], ph=4.0))["addCalibrationPoint"]
    assert second["preview"]["slopePercent"] == pytest.approx(79, abs=1)
    assert "finishCalibration" in second["nextStep"]

    made = (await server.ask(FINISH, id=begun["id"]))["finishCalibration"]
    assert made["calibratedBy"] == {"username": "anna"}
    assert made["fit"]["findings"][0]["code"] == "slope_low"
    assert made["fit"]["residuals"] == pytest.approx([0, 0], abs=1e-9)
    assert not made["expired"]

    shown = await server.ask(
        f"""{{ sensor(espId: "{KEY.esp_id}", gpio: 34, sensorType: "ph") {{
            calibration {{ id parameters }} calibrations {{ edges {{ node {{ id }} }} }} }}
            node(id: "{made["id"]}") {{ ... on Calibration {{ method }} }} }}"""
    )
    assert shown["sensor"]["calibration"] == {"id": made["id"], "parameters": made["parameters"]}
    assert shown["sensor"]["calibrations"]["edges"] == [{"node": {"id": made["id"]}}]
    assert shown["node"] == {"method": "ph_2point"}


async def test_whoever_comes_later_finds_what_is_open_and_why_its_points_cannot_be_true() -> None:
    server = await bench()
    ask = f"{{ calibrationProcedure(sensor: {REF}) {{ {PROCEDURE} }} }}"
    assert (await server.ask(ask))["calibrationProcedure"] is None
    begun = (await server.ask(START_IT))["startCalibration"]
    for ph in (7.0, 4.0):
        stand_still(server, 1861)
        await server.ask(ADD, id=begun["id"], ph=ph)
    found = (await server.ask(ask))["calibrationProcedure"]
    assert (found["id"], found["preview"]) == (begun["id"], None)
    assert found["nextStep"].startswith(
        "These points cannot be true: two points have the same raw value 1861: is the probe "
        "connected, and was it moved to the next liquid?"
    )


async def test_points_that_somebody_noted_calibrate_at_once() -> None:
    server = await bench()
    told = await server.ask(
        f"""mutation {{ calibrateSensor(input: {{sensor: {REF}, method: "PH_2POINT", points: [
            {{raw: 1861, reference: 7}}, {{raw: 2925, reference: 4, temperature: 20}}]}}) {{
            name calibration {{ points }} }} }}"""
    )
    points = told["calibrateSensor"]["calibration"]["points"]
    assert points[1] == {"raw": 2925, "reference": 4, "temperature": 20}


@pytest.mark.parametrize(
    ("operation", "variables", "code", "reason"),
    [
        (START_IT.replace("ph_2point", "magic"), {}, "BAD_INPUT", "there are `offset`"),
        (START_IT.replace("ph_2point", "dry_wet"), {}, "BAD_INPUT", "it takes ph_2point"),
        (START_IT.replace("gpio: 34", "gpio: 35"), {}, "NOT_FOUND", "no ph is known on GPIO 35"),
        (
            FINISH,
            {"id": global_id("Sensor", "x")},
            "BAD_INPUT",
            "not the id of a CalibrationProcedure",
        ),
        (FINISH, {"id": global_id("CalibrationProcedure", "x")}, "BAD_INPUT", "not the id of"),
        ("{ calibrationProcedure { id } }", {}, "BAD_INPUT", "either the id"),
        (
            FINISH,
            {"id": global_id("CalibrationProcedure", "0190a000-0000-7000-8000-000000000000")},
            "NOT_FOUND",
            "begin it with startCalibration",
        ),
    ],
)
async def test_what_cannot_be_says_what_to_do(
    operation: str, variables: dict[str, Any], code: str, reason: str
) -> None:
    server = await bench()
    result = await server.execute(operation, variables)
    assert code_of(result) == code
    assert result.errors
    assert reason in result.errors[0].message


async def test_a_viewer_may_look_but_not_calibrate() -> None:
    server = await bench()
    result = await server.execute(START_IT, role=Role.VIEWER)
    assert code_of(result) == "FORBIDDEN"
