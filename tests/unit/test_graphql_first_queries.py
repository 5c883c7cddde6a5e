"""What a newcomer finds in the editor runs as it stands."""

import json
import re
from pathlib import Path

import pytest
from graphql import parse, validate

from app.graphql import build_schema
from simulator.greenhouse import greenhouse

SCRIPT = Path(__file__).parents[2] / "app" / "static" / "graphiql" / "first-queries.js"
TEXT = SCRIPT.read_text()
QUERIES = re.findall(r"query: `(.*?)`", TEXT, re.DOTALL)
VARIABLES = re.findall(r"variables: `(.*?)`", TEXT, re.DOTALL)


def test_there_is_one_of_each_kind() -> None:
    kinds = [parse(query).definitions[0].operation.value for query in QUERIES]  # type: ignore[attr-defined]  # each is an operation

    assert kinds == ["query", "subscription", "mutation"]


@pytest.mark.parametrize("query", QUERIES)
def test_it_fits_the_schema(query: str) -> None:
    assert validate(build_schema()._schema, parse(query)) == []


@pytest.mark.parametrize("query", QUERIES)
def test_its_comments_can_be_read_without_scrolling(query: str) -> None:
    assert max(len(line) for line in query.splitlines()) <= 52


def test_the_command_goes_to_an_actuator_of_the_demo() -> None:
    (variables,) = VARIABLES
    order = json.loads(variables)["order"]
    pins = {(d.esp_id, a.gpio) for d in greenhouse() for a in d.actuators}

    assert (order["espId"], order["gpio"]) in pins
