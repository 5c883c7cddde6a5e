"""Actuators: reports and answers in all dialects, and commands that every firmware understands."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import (
    ACK_TIMEOUT,
    ActuatorReport,
    CommandAction,
    CommandResponse,
    EmergencyPhase,
    Pin,
)
from mqtt_bridge.messages import ActuatorAlert, ActuatorCommand, Outgoing
from mqtt_bridge.payloads import MalformedPayloadError, decode_outbound, encode
from mqtt_bridge.topics import Kind, parse
from tests.wire import COMMAND_ID, ESP, NOW, SECONDS, read, refusal, topic_of


def report(**body: object) -> ActuatorReport:
    message = read(Kind.ACTUATOR_STATUS, {"type": "pump", "state": True} | body)
    assert isinstance(message, ActuatorReport)
    return message


@pytest.mark.parametrize(
    ("body", "value", "active"),
    [
        ({"pwm": 0}, 1.0, True),
        ({"pwm": 255}, 1.0, True),
        ({"state": False, "pwm": 255}, 0.0, False),
        ({"state": "on"}, 1.0, True),
        ({"state": "OFF"}, 0.0, False),
        ({"state": 1}, 1.0, True),
        ({"type": "relay", "pwm": 255}, 1.0, True),
        ({"type": "valve", "pwm": 0}, 1.0, True),
        ({"type": "valve", "pwm": 127}, 0.5, True),
        ({"type": "valve", "pwm": 254}, 1.0, True),
        ({"type": "valve", "pwm": 255}, 1.0, True),
        ({"type": "valve", "pwm": 1}, 1.0, True),
        ({"type": "valve", "state": False, "pwm": 0}, 0.0, False),
        ({"type": "valve", "value": 0.5}, 1.0, True),
        ({"type": "servo", "pwm": 51}, 0.2, True),
        ({"type": "pwm", "pwm": 255}, 1.0, True),
        ({"type": "pwm", "value": 0.25}, 0.25, True),
        ({"type": "pwm", "pwm": 51}, 0.2, True),
        ({"type": "pwm", "state": "pwm", "value": 0.25}, 0.25, True),
        ({"type": "pwm", "state": "pwm", "pwm": 0}, 0.0, False),
        ({"type": "pwm", "state": False, "pwm": 51}, 0.0, False),
        ({"type": "led", "pwm": 51}, 0.2, True),
        ({"type": "led"}, 1.0, True),
        ({"type": None, "actuator_type": "PUMP"}, 1.0, True),
    ],
)
def test_power_is_a_part_of_full_power_in_every_dialect(
    body: Mapping[str, object], value: float, active: object
) -> None:
    read = report(**body)
    assert read.value == pytest.approx(value)
    assert read.is_active is active


def test_a_report_says_which_pin_does_what() -> None:
    assert report(runtime_ms=31_000, emergency="active") == ActuatorReport(
        pin=Pin(ESP, 4),
        kaiser_id="god",
        received_at=NOW,
        actuator_type="pump",
        value=1.0,
        is_active=True,
        emergency=EmergencyPhase.ACTIVE,
        runtime_ms=31_000,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"state": "maybe"},
        {"state": 2},
        {"state": None},
        {"type": None},
        {"pwm": 300},
        {"pwm": -1},
        {"value": 1.5},
        {"emergency": "panic"},
        {"runtime_ms": -1},
    ],
)
def test_a_report_that_could_mean_anything_is_refused(body: Mapping[str, object]) -> None:
    refusal(Kind.ACTUATOR_STATUS, {"type": "pump", "state": True, **body})


def test_an_answer_counts_even_when_all_but_its_success_is_unusable() -> None:
    body = {"success": False, "command": 5, "value": 128, "message": ["x"], "correlation_id": 7}
    assert read(Kind.ACTUATOR_RESPONSE, body) == CommandResponse(
        pin=Pin(ESP, 4), received_at=NOW, success=False
    )
    assert "success" in refusal(Kind.ACTUATOR_RESPONSE, {"command": "ON"})


def test_an_answer_names_the_command_it_belongs_to() -> None:
    body = {
        "success": True,
        "command": "on",
        "value": "1.000",
        "message": "Command executed",
        "correlation_id": COMMAND_ID,
    }
    assert read(Kind.ACTUATOR_RESPONSE, body) == CommandResponse(
        pin=Pin(ESP, 4),
        received_at=NOW,
        success=True,
        message="Command executed",
        correlation_id=COMMAND_ID,
        action="ON",
        value=1.0,
    )


@pytest.mark.parametrize("key", ["type", "alert_type"])
def test_an_alert_may_concern_the_whole_device(key: str) -> None:
    body = {key: "Emergency_Stop", "message": "stopped\n", "gpio": 255}
    assert read(Kind.ACTUATOR_ALERT, body, gpio=255) == ActuatorAlert(
        pin=Pin(ESP, 255),
        kaiser_id="god",
        received_at=NOW,
        alert_type="emergency_stop",
        message="stopped",
    )
    assert "alert" in refusal(Kind.ACTUATOR_ALERT, {"message": "?"})


# ---------------------------------------------------------------- what the server orders

COMMAND = ActuatorCommand(
    esp_id=ESP, kaiser_id="god", gpio=4, action=CommandAction.PWM, value=0.5, duration=15
)

words = st.text(max_size=64)
commands = st.builds(
    ActuatorCommand,
    esp_id=st.just(ESP),
    kaiser_id=st.sampled_from(["god", "", "relay 7"]),
    gpio=st.integers(0, 254),
    action=st.sampled_from([CommandAction.ON, CommandAction.OFF, CommandAction.PWM]),
    value=st.integers(0, 10_000).map(lambda steps: steps / 10_000),
    duration=st.integers(0, 604_800),
    correlation_id=st.none() | words.filter(bool),
    issued_by=words,
    timestamp=st.integers(0, 2**32 - 1),
)


@given(commands)
def test_a_device_reads_the_command_that_the_server_wrote(command: ActuatorCommand) -> None:
    outgoing = encode(command)
    topic = parse(outgoing.topic)
    assert topic is not None
    assert decode_outbound(topic, outgoing.payload) == command


def test_a_command_looks_as_firmware_of_all_ages_expects_it() -> None:
    assert encode(COMMAND) == Outgoing(
        topic=f"kaiser/god/esp/{ESP}/actuator/4/command",
        payload=b'{"command":"PWM","value":0.5,"duration":15}',
        qos=2,
        retain=False,
        expiry=ACK_TIMEOUT,
    )


def test_a_command_names_itself_to_newest_firmware() -> None:
    command = replace(COMMAND, correlation_id=COMMAND_ID, issued_by="user", timestamp=SECONDS)
    assert json.loads(encode(command).payload) == {
        "command": "PWM",
        "value": 0.5,
        "duration": 15,
        "timestamp": SECONDS,
        "issued_by": "user",
        "correlation_id": COMMAND_ID,
        "intent_id": COMMAND_ID,
    }


@given(st.floats(0, 1))
def test_a_value_is_never_written_with_an_exponent(value: float) -> None:
    payload = encode(replace(COMMAND, value=value)).payload
    written = payload.split(b'"value":')[1].split(b",")[0].decode()
    assert set(written) <= set("0123456789.")
    assert float(written) == pytest.approx(value, abs=0.00005)


@pytest.mark.parametrize(
    "change",
    [
        {"value": 1.0001},
        {"value": -0.0001},
        {"value": 128},
        {"value": math.nan},
        {"value": math.inf},
        {"gpio": 255},
        {"gpio": 256},
        {"gpio": -1},
        {"duration": -1},
        {"duration": 604_801},
        {"duration": True},
        {"timestamp": -1},
        {"action": CommandAction.TOGGLE},
        {"issued_by": "x" * 65},
        {"correlation_id": "x" * 65},
        {"esp_id": "ESP/../#"},
        {"kaiser_id": "a/b"},
        {"kaiser_id": "+"},
    ],
)
def test_a_command_out_of_range_is_never_written(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encode(replace(COMMAND, **change))


def test_a_device_does_not_understand_every_word() -> None:
    with pytest.raises(MalformedPayloadError, match="'SET' is not a command"):
        decode_outbound(topic_of(Kind.ACTUATOR_COMMAND), b'{"command":"set","value":1}')
