"""A tank runs empty, a valve is closed, a sensor falls silent, a heater does not heat."""

import asyncio
import json
from typing import Any

import aiomqtt
from gql.client import AsyncClientSession

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import NOVEMBER
from tests.e2e.asking import ask, client
from tests.e2e.devices import living, running
from tests.e2e.server import ServerProcess
from tests.e2e.test_leases import COMMANDS, until_known
from tests.eventually import eventually

BOARD, TANK = "ESP_1EA5E1", "ESP_7A2E11"
LEVEL = {"espId": TANK, "gpio": 34, "sensorType": "tank_level"}
FULL = {"sensor": LEVEL, "operator": "GT", "value": 10}
FULL_ENOUGH = {"threshold": FULL}
FRESHLY_FULL = {"threshold": {**FULL, "maxAge": "PT3S"}}
VALVE = {"espId": BOARD, "gpio": 6}
VALVE_OPEN = {"actuatorState": {"actuator": VALVE, "on": True}}

SET = """mutation($settings: ActuatorConfigInput!) {
    setActuator(input: $settings) { warnings interlocks }
}"""
ON = """mutation($esp: String!, $gpio: Int!) {
    sendCommand(input: {espId: $esp, gpio: $gpio, action: ON, duration: "PT60S"}) {
        status reason
    }
}"""
REMOVE = "mutation($sensor: SensorRefInput!) { removeSensor(input: $sensor) }"
REASONS = """query($esp: String!) {
    actuator(espId: $esp, gpio: 5) { commands { edges { node { action origin reason } } } }
}"""
STATES = """query($esp: String!) {
    actuator(espId: $esp, gpio: 5) { interlockStates { holds objection } }
}"""
EVENTS = "{ systemEvents { edges { node { kind severity message } } } }"
SOON = 20.0


def board() -> VirtualDevice:
    """Early firmware: it counts no time, and switches nothing off by itself."""
    pump = VirtualActuator(gpio=5, actuator_type="pump")
    valve = VirtualActuator(gpio=6, actuator_type="valve")
    return VirtualDevice(esp_id=BOARD, dialect=NOVEMBER, kaiser_id="god", actuators=(pump, valve))


class Tank:
    """Says how full it is, each time a second later."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._port = broker.port
        self._at = 0

    async def says(self, percent: int) -> None:
        self._at = max(self._at + 1, int(SystemClock().now().timestamp()))
        said = {
            "esp_id": TANK,
            "gpio": 34,
            "sensor_type": "tank_level",
            "raw": percent,
            "raw_mode": True,
            "ts": self._at,
            "time_valid": True,
        }
        topic = f"kaiser/god/esp/{TANK}/sensor/34/data"
        async with aiomqtt.Client("127.0.0.1", self._port) as mqtt:
            await mqtt.publish(topic, json.dumps(said), qos=1)


async def declare(http: AsyncClientSession, **settings: object) -> dict[str, Any]:
    settings = {"espId": BOARD, "gpio": 5, "actuatorType": "pump", **settings}
    answer: dict[str, Any] = (await ask(http, SET, settings=settings))["setActuator"]
    return answer


async def switch_on(http: AsyncClientSession, gpio: int = 5) -> tuple[str, str]:
    answer = (await ask(http, ON, esp=BOARD, gpio=gpio))["sendCommand"]
    return answer["status"], answer["reason"]


async def until_holding(http: AsyncClientSession, *holds: bool | None) -> list[str]:
    """Wait until the pump's interlocks come to something; return what stands in the way."""
    seen: list[dict[str, Any]] = []

    async def so() -> bool:
        seen[:] = (await ask(http, STATES, esp=BOARD))["actuator"]["interlockStates"]
        return [state["holds"] for state in seen] == list(holds)

    await eventually(so, within=SOON, what=f"the interlocks come to {holds}")
    return [state["objection"] for state in seen]


async def test_a_pump_goes_off_within_a_second_of_the_reading_that_its_tank_is_empty(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, tank = board(), Tank(broker)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        declared = await declare(http, interlocks=[FULL_ENOUGH])
        assert declared["warnings"] == [
            "interlocks[0].threshold.sensor: is not there yet; until it is, unknown"
        ]
        status, why = await switch_on(http)
        assert status == "REJECTED"
        assert why.endswith(f"tank_level of {TANK} has not said anything yet")
        await tank.says(80)
        await until_holding(http, True)
        assert (await switch_on(http))[0] == "ACKNOWLEDGED"
        assert running(device)
        await tank.says(3)
        await eventually(lambda: not running(device), within=1.0, what="the pump is off")
        expected = f"an interlock does not hold: tank_level of {TANK} is 3, and must be above 10"
        assert await switch_on(http) == ("REJECTED", expected)

        async def told() -> bool:
            edges = (await ask(http, EVENTS))["systemEvents"]["edges"]
            kinds = {edge["node"]["kind"]: edge["node"]["message"] for edge in edges}
            return expected in kinds.get("INTERLOCK_BROKEN", "")

        async def stored() -> bool:
            edges = (await ask(http, REASONS, esp=BOARD))["actuator"]["commands"]["edges"]
            wanted = {"action": "OFF", "origin": "SAFETY", "reason": expected}
            return wanted in [edge["node"] for edge in edges]

        await eventually(told, within=SOON, what="people are told")
        await eventually(stored, within=SOON, what="the reason is in the history")


async def test_a_pump_needs_its_valve_and_goes_off_with_it(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board()
    pump, valve = device.actuators
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        await declare(http, interlocks=[VALVE_OPEN])
        (objection,) = await until_holding(http, False)
        assert objection == f"GPIO 6 of {BOARD} is off, and must be on"
        assert (await switch_on(http))[0] == "REJECTED"
        assert (await switch_on(http, gpio=6))[0] == "ACKNOWLEDGED"
        assert (await switch_on(http))[0] == "ACKNOWLEDGED"
        assert pump.is_on
        close = f'mutation {{ sendCommand(input: {{espId: "{BOARD}", gpio: 6, action: OFF}}) '
        await ask(http, close + "{ status } }")
        await eventually(lambda: not pump.is_on, within=2.0, what="the pump is off")
        assert not valve.is_on


async def test_of_two_that_are_asked_for_in_the_same_instant_only_one_is_on(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board()
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        pump = {"espId": BOARD, "gpio": 5}
        off = [{"actuatorState": {"actuator": each, "on": False}} for each in (VALVE, pump)]
        await declare(http, interlocks=off[:1])
        await declare(http, gpio=6, actuatorType="valve", interlocks=off[1:])
        await until_holding(http, True)
        ends = await asyncio.gather(*(switch_on(http, gpio) for gpio in (5, 6, 5, 6)))
        statuses = dict(zip((5, 6), ends[:2], strict=True))
        assert sorted(status for status, _ in statuses.values()) == ["ACKNOWLEDGED", "REJECTED"]
        assert [each.is_on for each in device.actuators].count(True) == 1
        assert {status for status, _ in ends} == {"ACKNOWLEDGED", "REJECTED"}


async def test_a_pump_goes_off_when_the_sensor_is_removed_that_it_hangs_on(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, tank = board(), Tank(broker)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        await declare(http, interlocks=[FULL_ENOUGH])
        await tank.says(80)
        await until_holding(http, True)
        assert (await switch_on(http))[0] == "ACKNOWLEDGED"
        assert (await ask(http, REMOVE, sensor=LEVEL))["removeSensor"]
        await eventually(lambda: not running(device), within=2.0, what="the pump is off")
        assert (await switch_on(http))[0] == "REJECTED"


async def test_a_sensor_that_falls_silent_means_no(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, tank = board(), Tank(broker)
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        await declare(http, interlocks=[FRESHLY_FULL])
        await tank.says(80)
        await until_holding(http, True)
        assert (await switch_on(http))[0] == "ACKNOWLEDGED"
        await eventually(lambda: not running(device), within=6.0, what="the pump is off")
        status, why = await switch_on(http)
        assert status == "REJECTED"
        assert f"no fresh value of tank_level of {TANK} since" in why


async def test_what_has_no_effect_is_told_and_switched_off_also_after_a_restart(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board()
    effect = {"condition": FULL_ENOUGH, "within": "PT3S", "switchOff": True}
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, device)
            await declare(http, effect=effect)
            assert (await switch_on(http))[0] == "ACKNOWLEDGED"
        await server.kill()
        await server.start()
        assert running(device)
        await eventually(lambda: not running(device), within=SOON, what="it is off")
        async with client(server) as http:

            async def told() -> bool:
                edges = (await ask(http, EVENTS))["systemEvents"]["edges"]
                return any(
                    (edge["node"]["kind"], edge["node"]["severity"]) == ("EFFECT_MISSING", "ERROR")
                    for edge in edges
                )

            await eventually(told, within=SOON, what="people are told")
            (newest, *_) = (await ask(http, COMMANDS, esp=BOARD))["actuator"]["commands"]["edges"]
            assert newest["node"]["origin"] == "SAFETY"


async def test_a_killed_server_remembers_how_long_and_on_which_side_a_value_was(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, tank = board(), Tank(broker)
    steadily = {"threshold": {**FULL, "holdFor": "PT8S"}}
    filled = {"hysteresis": {"sensor": LEVEL, "activateAbove": 70, "deactivateBelow": 30}}
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, device)
            await declare(http, interlocks=[steadily, filled])
            await tank.says(80)
            await until_holding(http, None, True)
            # Between both limits: only who remembers knows that it was full enough.
            await tank.says(50)
            await until_holding(http, True, True)
            assert (await switch_on(http))[0] == "ACKNOWLEDGED"
        await server.kill()
        await server.start()
        async with client(server) as http:
            await until_holding(http, True, True)
            assert (await switch_on(http))[0] == "ACKNOWLEDGED"
            assert running(device)
            events = (await ask(http, EVENTS))["systemEvents"]["edges"]
            assert "INTERLOCK_BROKEN" not in [edge["node"]["kind"] for edge in events]
            await tank.says(20)
            await until_holding(http, True, False)
        await server.kill()
        await server.start()
        async with client(server) as http:
            await tank.says(50)
            await until_holding(http, True, False)
