"""Conditions and rules are read back as they were written; what is wrong is told with its place."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from domain.actuators import CommandAction, Pin
from domain.errors import BadInputError
from domain.rules.checks import Known, check
from domain.rules.conditions import (
    DEEPEST,
    LARGEST,
    Condition,
    Limit,
    Operator,
    Threshold,
    watched_actuators,
    watched_devices,
    watched_sensors,
)
from domain.rules.evaluate import evaluate
from domain.rules.explain import explanation_json, said
from domain.rules.fields import FindingsError
from domain.rules.model import CommandStep, RuleMode, RuleState
from domain.rules.notation import Defaults, read_condition, write_condition
from domain.rules.rule_notation import (
    read_actions,
    read_rule,
    read_rule_state,
    write_rule,
    write_rule_state,
)
from domain.rules.schedule import DstPolicy, TimeWindow
from domain.rules.state_notation import read_state, write_state
from domain.rules.sun import Place
from domain.rules.world import ConditionState, World
from domain.sensors import SensorKey
from tests.conditions import conditions, histories

SENSOR = {"espId": "ESP_A", "gpio": 4, "sensorType": "DS18B20"}
KEY = SensorKey("ESP_A", 4, "ds18b20")
PUMP = {"espId": "ESP_B", "gpio": 20}
ID = UUID(int=7)


def complaints(given: object, **more: Any) -> list[str]:  # noqa: ANN401 - as read_condition takes
    with pytest.raises(FindingsError) as caught:
        read_condition(given, **more)
    return [finding.text for finding in caught.value.findings]


def threshold(**more: object) -> dict[str, object]:
    return {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 20} | more}


@given(conditions)
def test_a_condition_is_read_back_as_it_was_written(condition: Condition) -> None:
    assert read_condition(json.loads(json.dumps(write_condition(condition)))) == condition


def test_that_any_quality_counts_is_read_back_and_said() -> None:
    condition = read_condition(threshold(anyQuality=True))
    assert condition == Threshold(sensor=KEY, limit=Limit(Operator.GT, 20), any_quality=True)
    assert read_condition(write_condition(condition)) == condition
    assert said(condition).endswith("is above 20, doubted or not")
    assert "anyQuality" not in write_condition(read_condition(threshold()))["threshold"]


@given(conditions, histories())
def test_what_is_remembered_survives_a_restart_as_json(
    condition: Condition, history: list[tuple[datetime, World]]
) -> None:
    state = stored = ConditionState()
    for now, world in history:
        live = evaluate(condition, world, state, now)
        restarted = evaluate(condition, world, stored, now)
        assert restarted == live
        state = live.state
        stored = read_state(json.loads(json.dumps(write_state(restarted.state))))
        assert json.dumps(explanation_json(live.explanation))


def test_every_complaint_names_its_place_and_all_come_at_once() -> None:
    found = complaints(
        {
            "all": [
                threshold(operator="ABOVE", value="warm"),
                {"not": {"timeWindow": {"start": "24:00", "end": "6", "timeZone": "Mars/Olympus"}}},
                {"hysteresis": {"sensor": SENSOR, "activateAbove": 18, "deactivateBelow": 20}},
                {"any": []},
                {"threshold": {"sensor": {"espId": ""}}, "stale": {}},
                {"blink": 1},
            ]
        }
    )
    assert [text.split(": ")[0] for text in found] == [
        "condition.all[0].threshold.operator",
        "condition.all[0].threshold.value",
        "condition.all[1].not.timeWindow.start",
        "condition.all[1].not.timeWindow.end",
        "condition.all[1].not.timeWindow.timeZone",
        "condition.all[2].hysteresis.activateAbove",
        "condition.all[3].any",
        "condition.all[4]",
        "condition.all[5].blink",
        "condition.all[5]",
    ]
    assert "GT, GTE, LT" in found[0]
    assert found[5].endswith("activateAbove: (18) must be above deactivateBelow (20)")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (threshold(value=float("nan")), "threshold.value"),
        (threshold(value=True), "threshold.value"),
        (threshold(value=10**400), "threshold.value"),
        (threshold(upper=30), "threshold.upper"),
        (threshold(operator="BETWEEN"), "threshold.upper"),
        (threshold(operator="BETWEEN", upper=19), "threshold.upper"),
        (threshold(unit="furlong"), "threshold.unit"),
        (threshold(holdFor="5m"), "threshold.holdFor"),
        (threshold(holdFor="P8D"), "threshold.holdFor"),
        (threshold(maxAge="PT0S"), "threshold.maxAge"),
        (threshold(anyQuality="yes"), "threshold.anyQuality"),
        (threshold(anyQuality=True, holdFor="PT5M"), "threshold.anyQuality"),
        (threshold(colour="red"), "threshold.colour"),
        (threshold(sensor={**SENSOR, "gpio": 1.5}), "threshold.sensor.gpio"),
        (threshold(sensor=None), "threshold.sensor"),
        (threshold(sensor="ESP_A"), "threshold.sensor"),
        ({"hysteresis": {"sensor": SENSOR, "activateAbove": 20}}, "hysteresis"),
        (
            {"hysteresis": {"sensor": SENSOR, "activateAbove": 20, "deactivateAbove": 18}},
            "hysteresis",
        ),
        ({"timeWindow": {"start": "06:00", "end": "06:00"}}, "timeWindow.end"),
        ({"timeWindow": {"start": "06:00", "end": "07:00", "days": [7]}}, "timeWindow.days"),
        ({"timeWindow": {"start": "06:00", "end": "07:00", "days": []}}, "timeWindow.days"),
        ({"timeWindow": {"start": "06:60", "end": "07:00"}}, "timeWindow.start"),
        (
            {"timeWindow": {"start": "1:00", "end": "2:00", "timeZone": "../etc/passwd"}},
            "timeWindow.start",
        ),
        ({"sun": {"from": {"event": "SUNRISE"}, "to": {"event": "SUNSET"}}}, "sun.latitude"),
        ({"actuatorState": {"actuator": PUMP}}, "actuatorState"),
        ({"actuatorState": {"actuator": PUMP, "atLeast": 0}}, "actuatorState.atLeast"),
        ({"deviceStatus": {"espId": "ESP_A", "status": "ASLEEP"}}, "deviceStatus.status"),
        ({"comparison": {"left": SENSOR, "operator": "GT", "right": SENSOR}}, "comparison.right"),
        ({"rate": {"sensor": SENSOR, "operator": "GT", "value": 1, "over": "PT1S"}}, "rate.over"),
        ("always", ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(given: object, place: str) -> None:
    assert complaints(given)[0].split(": ")[0] == f"condition.{place}".rstrip(".")


def test_depth_and_size_are_bounded() -> None:
    deep: object = threshold()
    for _ in range(DEEPEST - 1):
        deep = {"not": deep}
    read_condition(deep)
    assert "deep" in complaints({"not": deep})[0]
    read_condition({"all": [threshold()] * (LARGEST - 1)})
    assert len(complaints({"all": [threshold()] * (10 * LARGEST)})) == 1


def test_what_is_not_said_is_taken_from_what_is_configured_and_then_written_down() -> None:
    defaults = Defaults(time_zone="Europe/Berlin", place=Place(52.5, 13.4), dst=DstPolicy.SKIP)
    window = read_condition({"timeWindow": {"start": "22:00", "end": "06:00"}}, defaults)
    assert isinstance(window, TimeWindow)
    assert (window.time_zone, window.dst) == ("Europe/Berlin", DstPolicy.SKIP)
    assert read_condition(write_condition(window)) == window
    sun = {"sun": {"from": {"event": "SUNRISE"}, "to": {"event": "SUNSET", "offset": "-PT30M"}}}
    assert write_condition(read_condition(sun, defaults))["sun"]["to"]["offset"] == "-PT30M"


def test_it_is_known_what_a_condition_watches() -> None:
    condition = read_condition(
        {
            "any": [
                threshold(),
                {"deviceStatus": {"espId": "ESP_C", "status": "ONLINE"}},
                {"not": {"actuatorState": {"actuator": PUMP, "on": True}}},
            ]
        }
    )
    assert watched_sensors(condition) == {KEY}
    assert watched_devices(condition) == {"ESP_C"}
    assert watched_actuators(condition) == {Pin("ESP_B", 20)}


def test_what_is_not_there_yet_is_a_warning_and_a_unit_that_cannot_fit_an_error() -> None:
    condition = read_condition({"all": [threshold(unit="°F"), threshold(unit="lux")]})
    unknown = check(condition, Known())
    unknown.require_none()
    assert {finding.place for finding in unknown.all} == {
        "condition.all[0].threshold.sensor",
        "condition.all[1].threshold.sensor",
    }
    known = check(condition, Known(sensors={KEY: "°C"}))
    with pytest.raises(FindingsError, match=r"all\[1\]\.threshold\.unit: lx is a unit of"):
        known.require_none()
    assert len(known.all) == 1


RULE = {
    "name": "Water the tomatoes",
    "condition": threshold(),
    "actions": [
        {"command": {"actuator": PUMP, "action": "ON", "duration": "PT30S"}},
        {"delay": "PT10S"},
        {"notify": {"message": "watered", "severity": "INFO"}},
        {"emergencyStop": {"espId": "ESP_A", "reason": "flood"}},
        {"setRuleEnabled": {"id": str(ID), "enabled": False}},
    ],
    "cooldown": "PT15M",
    "maxExecutionsPerHour": 2,
    "priority": 3,
}


def test_a_rule_is_read_back_as_it_was_written() -> None:
    rule = read_rule(RULE, ID, 3)
    assert read_rule(json.loads(json.dumps(write_rule(rule))), ID, 3) == rule
    assert rule.mode is RuleMode.TRIGGER
    assert rule.switched_off() == (CommandStep(pin=Pin("ESP_B", 20), action=CommandAction.OFF),)


def test_a_rule_with_hysteresis_holds_unless_it_says_otherwise() -> None:
    hysteresis = {"hysteresis": {"sensor": SENSOR, "activateBelow": 18, "deactivateAbove": 20}}
    given = RULE | {"condition": {"all": [hysteresis]}}
    assert read_rule(given, ID, 1).mode is RuleMode.HOLD
    assert read_rule(given | {"mode": "TRIGGER"}, ID, 1).mode is RuleMode.TRIGGER


def test_complaints_about_a_rule_come_at_once_too() -> None:
    with pytest.raises(FindingsError) as caught:
        read_rule(
            {
                "priority": 0,
                "mode": "HOLD",
                "condition": threshold(value=None),
                "actions": [
                    {"command": {"actuator": PUMP, "action": "PWM"}},
                    {"command": {"actuator": PUMP, "action": "OFF", "duration": "PT1S"}},
                    {"delay": "PT0S"},
                    {"emergencyStop": {"gpio": 4, "reason": "x"}},
                    {"setRuleEnabled": {"id": "x", "enabled": True}},
                    {"dance": 1},
                ],
            },
            ID,
            1,
        )
    assert {finding.place for finding in caught.value.findings} == {
        "rule.name",
        "rule.priority",
        "condition.threshold.value",
        "actions[0].command.value",
        "actions[1].command.duration",
        "actions[2].delay",
        "actions[3].emergencyStop.espId",
        "actions[4].setRuleEnabled.id",
        "actions[5].dance",
        "actions[5]",
    }
    with pytest.raises(FindingsError, match="actions: must be a list"):
        read_actions([])


def test_the_state_of_a_rule_survives_a_restart() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    state = RuleState(
        armed=False,
        wanting=True,
        fired_for=frozenset({3, 5}),
        executed_at=(now, now + timedelta(minutes=1)),
        decided_at=now,
        held_since=now,
        held_version=4,
    )
    assert read_rule_state(json.loads(json.dumps(write_rule_state(state)))) == state


@pytest.mark.parametrize("broken", [None, {}, {"observations": [{}], "memories": []}, 7])
def test_a_state_that_is_none_is_refused(broken: object) -> None:
    with pytest.raises(BadInputError):
        read_state(broken)
    with pytest.raises(BadInputError):
        read_rule_state(broken)


@pytest.mark.parametrize(
    ("action", "place"),
    [
        ("water", "actions[0]"),
        ({}, "actions[0]"),
        ({"command": {"actuator": PUMP, "action": "ON", "value": 1}}, "actions[0].command.value"),
        ({"command": {"actuator": PUMP}}, "actions[0].command.action"),
        ({"command": "ON"}, "actions[0].command"),
        ({"delay": "P2D"}, "actions[0].delay"),
        ({"notify": {"message": " ", "severity": "INFO"}}, "actions[0].notify.message"),
        ({"notify": {"message": "x", "severity": "LOUD"}}, "actions[0].notify.severity"),
        ({"emergencyStop": {"espId": "ESP_A"}}, "actions[0].emergencyStop.reason"),
        ({"setRuleEnabled": {"id": str(ID)}}, "actions[0].setRuleEnabled.enabled"),
    ],
)
def test_actions_that_make_no_sense_are_refused_at_their_place(action: object, place: str) -> None:
    with pytest.raises(FindingsError) as caught:
        read_actions([action])
    assert [finding.place for finding in caught.value.findings] == [place]


def test_a_rule_says_how_its_windows_take_the_clock_being_put() -> None:
    window = {"timeWindow": {"start": "02:15", "end": "02:45", "timeZone": "Europe/Berlin"}}
    rule = read_rule(RULE | {"condition": window, "dst": "TWICE"}, ID, 1)
    assert isinstance(rule.condition, TimeWindow)
    assert rule.condition.dst is DstPolicy.TWICE
