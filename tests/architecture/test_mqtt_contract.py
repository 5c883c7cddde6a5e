"""The protocol in writing is the protocol that is spoken."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from domain.devices import FirmwareGeneration
from mqtt_bridge import contract
from mqtt_bridge.contract import _HABITS
from mqtt_bridge.dialects import DIALECTS, Dialect
from mqtt_bridge.payloads import SHAPES
from mqtt_bridge.topics import Kind

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("what", "name"), [("mqtt", "mqtt-schema.json"), ("mqtt-topics", "MQTT_TOPICS.md")]
)
def test_what_is_checked_in_is_what_the_code_says(what: str, name: str) -> None:
    printed = CliRunner().invoke(cli, ["export-schema", what])
    assert printed.exit_code == 0
    assert (DOCS / name).read_text("utf-8") == printed.stdout, "run `make schema`"


def test_every_kind_of_message_has_its_fields_written_down() -> None:
    assert set(SHAPES) == set(Kind)
    messages = json.loads(contract.schema_text())["messages"]
    assert set(messages) == {kind.name.lower() for kind in Kind}
    for message in messages.values():
        assert message["payload"]["type"] == "object"
        assert message["description"].endswith(".")


def test_the_page_names_every_topic_once() -> None:
    page = contract.topics_page()
    for kind in Kind:
        assert page.count(f"| `{kind.route.pattern}` |") == 1


def test_every_habit_of_every_generation_is_written_down() -> None:
    assert list(_HABITS) == [field.name for field in fields(Dialect)]
    assert set(DIALECTS) == set(FirmwareGeneration)
