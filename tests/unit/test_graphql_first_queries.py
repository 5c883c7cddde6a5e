"""What a newcomer finds in the editor runs as it stands."""

import json
import re
from pathlib import Path

import pytest
from graphql import parse, validate

from app.graphql import build_schema
from sensor_libs.loader import load_built_in
from simulator.greenhouse import greenhouse

SCRIPT = Path(__file__).parents[2] / "app" / "static" / "graphiql" / "first-queries.js"
TEXT = SCRIPT.read_text()
QUERIES = re.findall(r"query: `(.*?)`", TEXT, re.DOTALL)
VARIABLES = re.findall(r"variables: `(.*?)`", TEXT, re.DOTALL)


def test_there_is_one_of_each_kind_and_a_procedure() -> None:
    kinds = [
        [each.operation.value for each in parse(query).definitions]  # type: ignore[attr-defined]  # each is an operation
        for query in QUERIES
    ]

    assert kinds == [["query"], ["subscription"], ["mutation"], ["mutation"] * 4]


@pytest.mark.parametrize("query", QUERIES)
def test_it_fits_the_schema(query: str) -> None:
    assert validate(build_schema()._schema, parse(query)) == []


@pytest.mark.parametrize("query", QUERIES)
def test_its_comments_can_be_read_without_scrolling(query: str) -> None:
    assert max(len(line) for line in query.splitlines()) <= 52


def test_the_command_goes_to_an_actuator_of_the_demo() -> None:
    order = json.loads(VARIABLES[0])["order"]
    pins = {(d.esp_id, a.gpio) for d in greenhouse() for a in d.actuators}

    assert (order["espId"], order["gpio"]) in pins


def test_the_sensor_that_is_calibrated_is_one_of_the_demo_and_can_be() -> None:
    wanted = json.loads(VARIABLES[1])
    place = tuple(wanted["sensor"].values())
    sensors = {
        (d.esp_id, s.gpio, s.chip.sensor_type) for d in greenhouse() for s in d.sensors if s.probe
    }

    assert place in sensors
    known = load_built_in().by_type[wanted["sensor"]["sensorType"]].calibrations
    assert wanted["method"] in [each.method for each in known]
