"""Clients see until when an actuator may be on, what was asked of it, and what can be promised."""

import pytest

from domain.actuators import ActuatorState, Pin
from domain.devices import FirmwareGeneration
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.makers import make_actuator, make_device

ESP = "ESP_12AB34"
SHOWN = """{ actuator(espId: "ESP_12AB34", gpio: 5) {
    state { value } desired { value action origin status }
    lease { until startedAt onSince confirmed command { action duration } }
} }"""
ON = """mutation($action: CommandAction!) {
    sendCommand(input: {espId: "ESP_12AB34", gpio: 5, action: $action, duration: "PT10S"}) {
        status
    }
}"""
SET = """mutation($input: ActuatorConfigInput!) {
    setActuator(input: $input) { maxRuntime minOffTime maxStartsPerHour }
}"""
GUARANTEES = '{ actuator(espId: "ESP_12AB34", gpio: 5) { guarantees } }'


async def greenhouse(generation: FirmwareGeneration = FirmwareGeneration.UNKNOWN) -> GraphqlServer:
    server = GraphqlServer()
    await server.has_device(make_device(ESP, firmware_generation=generation))
    await server.has_actuator(make_actuator(ESP, state=ActuatorState(reported_at=START)))
    return server


async def test_what_was_asked_and_what_is_reported_are_shown_side_by_side() -> None:
    server = await greenhouse()
    before = (await server.ask(SHOWN))["actuator"]
    async with server.commanding():
        await server.ask(ON, action="ON")
        shown = (await server.ask(SHOWN))["actuator"]
        await server.ask(ON, action="OFF")
    after = (await server.ask(SHOWN))["actuator"]
    assert (before["desired"], before["lease"]) == (None, None)
    assert shown["state"] == {"value": 0.0}, "the device has not said so yet"
    assert shown["desired"] == {
        "value": 1.0,
        "action": "ON",
        "origin": "USER",
        "status": "ACKNOWLEDGED",
    }
    assert shown["lease"] == {
        "until": "2026-01-01T12:00:10Z",
        "startedAt": "2026-01-01T12:00:00Z",
        "onSince": "2026-01-01T12:00:00Z",
        "confirmed": True,
        "command": {"action": "ON", "duration": "PT10S"},
    }
    assert after["lease"] is None
    assert after["desired"]["value"] == 0.0


async def test_what_was_refused_is_not_desired() -> None:
    server = await greenhouse()
    server.registry.change_device(ESP, online=False)
    async with server.commanding():
        answer = await server.ask(ON, action="ON")
    assert answer["sendCommand"]["status"] == "REJECTED"
    assert (await server.ask(SHOWN))["actuator"]["desired"] is None


async def test_limits_are_set_kept_and_ended_by_null() -> None:
    server = await greenhouse()
    key = {"espId": ESP, "gpio": 5, "actuatorType": "pump"}
    limits = {"maxRuntime": "PT10M", "minOffTime": "PT30S", "maxStartsPerHour": 6}
    assert (await server.ask(SET, input=key | limits))["setActuator"] == limits
    assert (await server.ask(SET, input=key))["setActuator"] == limits
    none = dict.fromkeys(limits)
    assert (await server.ask(SET, input=key | none))["setActuator"] == none
    assert server.registry.actuator(Pin(ESP, 5)) is not None


@pytest.mark.parametrize(
    ("generation", "words"),
    [
        (FirmwareGeneration.NOVEMBER_2025, "it runs on: its firmware does not count the time"),
        (FirmwareGeneration.APRIL_2026, "it switches off by itself at the end of its lease"),
        (FirmwareGeneration.UNKNOWN, "Count on it running on"),
    ],
)
async def test_it_is_said_what_firmware_cannot_promise(
    generation: FirmwareGeneration, words: str
) -> None:
    server = await greenhouse(generation)
    (promised,) = (await server.ask(GUARANTEES))["actuator"].values()
    assert any(words in sentence for sentence in promised)
    assert "does not replace" in promised[-1]
