"""Heating at night while the heater's device is away from midnight to four, minute by minute."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from domain.rule_executions import RuleOutcome
from domain.rules.decide import Step
from tests.virtual_night import Night

FOUR_HOURS = timedelta(hours=4)
SOON = timedelta(seconds=90)
"""Until then a board that is back has been heard, and told."""


def at(hour: int, minute: int = 0) -> datetime:
    """Return a time of the night; after midnight it is the next day."""
    return datetime(2026, 1, 1 if hour >= 12 else 2, hour, minute, tzinfo=UTC)


def heating(esp_id: str) -> dict[str, object]:
    sensor = {"espId": "ESP_B", "gpio": 4, "sensorType": "ds18b20"}
    return {
        "name": "Night heating",
        "condition": {
            "all": [
                {"timeWindow": {"start": "23:00", "end": "05:00", "timeZone": "UTC"}},
                {"hysteresis": {"sensor": sensor, "activateBelow": 18, "deactivateAbove": 20}},
            ]
        },
        "actions": [{"command": {"actuator": {"espId": esp_id, "gpio": 5}, "action": "ON"}}],
    }


@pytest.fixture
def night() -> Iterator[Night]:
    with closing(Night()) as night:
        yield night


def heats(night: Night, esp_id: str = "ESP_A") -> bool:
    return night.boards[esp_id].pump.is_on


@pytest.mark.parametrize("esp_id", ["ESP_A", "ESP_C"], ids=["newest", "february"])
def test_a_heater_that_goes_away_at_midnight_heats_again_at_four(night: Night, esp_id: str) -> None:
    night.begin(at(22, 50))
    night.make(heating(esp_id))
    night.celsius = 15.0
    night.until(at(22, 59))
    assert not heats(night, esp_id)
    night.until(at(23, 1))
    assert heats(night, esp_id)
    night.until(at(0))
    night.lose(night.boards[esp_id], FOUR_HOURS)
    told = night.told_on
    night.until(at(3, 59))
    assert night.told_on == told
    night.until(at(4) + SOON)
    assert heats(night, esp_id)
    night.until(at(4, 59))
    assert heats(night, esp_id)
    night.until(at(5, 2))
    assert not heats(night, esp_id)
    assert [(one.step, one.outcome) for one in night.executions] == [
        (Step.HOLD_BEGINS, RuleOutcome.SUCCEEDED),
        (Step.HOLD_ENDS, RuleOutcome.SUCCEEDED),
    ]


def test_a_night_that_begins_while_the_heater_is_away_is_heated_from_its_return_on(
    night: Night,
) -> None:
    night.begin(at(22, 50))
    night.make(heating("ESP_A"))
    night.celsius = 15.0
    night.lose(night.boards["ESP_A"], at(4) - at(22, 50))
    night.until(at(23, 1))
    (skipped,) = night.executions
    assert skipped.outcome is RuleOutcome.SKIPPED
    assert "ESP_A" in (skipped.reason or "")
    night.until(at(2))
    night.restart(30.0)
    night.until(at(4) + SOON)
    assert heats(night)
    night.until(at(5, 2))
    assert not heats(night)
    assert [(one.step, one.outcome) for one in night.executions] == [
        (Step.HOLD_BEGINS, RuleOutcome.SKIPPED),
        (Step.HOLD_RENEWS, RuleOutcome.SUCCEEDED),
        (Step.HOLD_ENDS, RuleOutcome.SUCCEEDED),
    ]
