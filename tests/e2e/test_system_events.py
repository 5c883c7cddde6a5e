"""What goes wrong on a device is told to people, by name and with what to do."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD
from simulator.faults import Fault
from simulator.sensors import DS18B20, VirtualSensor
from tests.e2e.server import ServerProcess
from tests.e2e.test_stories import (
    APPROVE,
    ESP,
    SEND,
    ask,
    known_device,
    story,
    until_online,
)
from tests.eventually import eventually

EVENTS = """{ systemEvents { edges { node {
    id kind severity message details occurrences device { espId name }
} } } }"""
LIVE = """subscription($since: String) { systemEvents(since: $since) {
    id kind severity message details device { name }
} }"""
BEFORE_ALL = "2020-01-01T00:00:00Z"


def board(pins: tuple[int, ...] = (5,)) -> VirtualDevice:
    return VirtualDevice(
        esp_id=ESP,
        dialect=HEAD,
        kaiser_id="god",
        sensors=(
            VirtualSensor(chip=DS18B20, gpio=4, interval=4.0, onewire_address="28FF641E8D3C0C79"),
        ),
        actuators=tuple(VirtualActuator(gpio=pin, actuator_type="pump") for pin in pins),
    )


async def recorded(session: AsyncClientSession) -> dict[str, dict[str, Any]]:
    """Return the newest event of each kind."""
    edges = (await session.execute(ask(EVENTS)))["systemEvents"]["edges"]
    return {edge["node"]["kind"]: edge["node"] for edge in reversed(edges)}


async def told(
    live: AsyncClientSession, *kinds: str, since: str = BEFORE_ALL
) -> dict[str, dict[str, Any]]:
    """Listen until each kind was told."""
    heard: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(20), aclosing(live.subscribe(ask(LIVE, since=since))) as events:
        async for event in events:
            heard[event["systemEvents"]["kind"]] = event["systemEvents"]
            if heard.keys() >= set(kinds):
                break
    return heard


def until_recorded(session: AsyncClientSession, kind: str) -> Callable[[], Any]:
    async def found() -> bool:
        return kind in await recorded(session)

    return found


async def test_an_error_and_an_alert_are_kept_and_told_live(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board()
    async with story(server, broker, [device]) as (http, live):
        await until_online(http)
        await http.execute(ask(APPROVE, esp=ESP))
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(told(live, "DEVICE_ERROR", "ACTUATOR_ALERT"))
            device.fail(1007, 2, "sht31 read timeout")
            device.alarm("runtime_protection", "Actuator exceeded max runtime", gpio=5)
        await eventually(until_recorded(http, "ACTUATOR_ALERT"))
        kept = await recorded(http)

    error, alert = kept["DEVICE_ERROR"], kept["ACTUATOR_ALERT"]
    assert error["severity"] == "ERROR"
    assert error["message"].startswith("Bench: A sensor on the I2C bus did not answer in time.")
    assert error["details"]["name"] == "I2C_TIMEOUT"
    assert error["details"]["said"] == "sht31 read timeout"
    assert error["device"] == {"espId": ESP, "name": "Bench"}
    assert alert["severity"] == "WARNING"
    assert alert["message"].startswith("Bench, pump on GPIO 5: An actuator ran for as long")
    for kind, event in listening.result().items():
        assert event["id"] == kept[kind]["id"]


async def test_a_device_that_lives_and_answers_no_command_is_reported_with_the_cure(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board(pins=(5, 6, 7))
    async with story(server, broker, [device]) as (http, live):
        await until_online(http)

        async def all_known() -> bool:
            found = await known_device(http)
            return found is not None and len(found["actuators"]) == len(device.actuators)

        await eventually(all_known, what="every pump of the device is known")
        device.faults.switch(Fault.NO_ANSWERS)
        async with asyncio.TaskGroup() as tasks:
            for pin in (5, 6, 7):
                order = {"espId": ESP, "gpio": pin, "action": "ON"}
                tasks.create_task(http.execute(ask(SEND, input=order)))
        heard = await told(live, "COMMANDS_UNANSWERED")
        assert "Switch it off and on again." in heard["COMMANDS_UNANSWERED"]["message"]

        device.faults.switch(Fault.NO_ANSWERS, on=False)
        order = {"espId": ESP, "gpio": 5, "action": "OFF"}
        await http.execute(ask(SEND, input=order))
        last = heard["COMMANDS_UNANSWERED"]["id"]
        assert "COMMANDS_ANSWERED" in await told(live, "COMMANDS_ANSWERED", since=last)
