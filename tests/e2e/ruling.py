"""What stories of rules have in common: a probe here, a pump there, and what is asked."""

from collections.abc import Sequence
from typing import Any

from gql.client import AsyncClientSession

from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import NOVEMBER, Dialect
from tests.e2e.asking import ask
from tests.e2e.probes import PROBE, SENSOR, Probe
from tests.eventually import eventually

BOARD = "ESP_1EA5E1"
SWITCH_ON = {"command": {"actuator": {"espId": BOARD, "gpio": 5}, "action": "ON"}}
COLD = {"hysteresis": {"sensor": SENSOR, "activateBelow": 18, "deactivateAbove": 20}}
HOT = {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 30, "unit": "°C"}}
CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { id warnings } }"
DISABLE = "mutation($id: ID!) { setRuleEnabled(id: $id, enabled: false) { enabled } }"
DELETE = "mutation($id: ID!) { deleteRule(id: $id) }"
NEWEST = """query($esp: String!) {
    sensor(espId: $esp, gpio: 4, sensorType: "ds18b20") { latest { value } }
}"""
DONE = """{ ruleExecutions { edges { node {
    step outcome reason cause resumeAt rule { name } triggeredBy { value timestamp }
    commands { action status }
} } } }"""
STEEP = """mutation($input: SensorConfigInput!) { setSensor(input: $input) { id } }"""
KNOWN = """query($esp: String!, $board: String!) {
    sensor(espId: $esp, gpio: 4, sensorType: "ds18b20") { id }
    device(espId: $board) { status }
    actuator(espId: $board, gpio: 5) { id }
}"""
SOON = 20.0


def board(dialect: Dialect = NOVEMBER) -> VirtualDevice:
    pump = VirtualActuator(gpio=5, actuator_type="pump")
    return VirtualDevice(esp_id=BOARD, dialect=dialect, kaiser_id="god", actuators=(pump,))


async def executions(http: AsyncClientSession) -> Sequence[dict[str, Any]]:
    edges = (await ask(http, DONE))["ruleExecutions"]["edges"]
    return [edge["node"] for edge in reversed(edges)]


async def until_done(http: AsyncClientSession, *outcomes: tuple[str, str]) -> None:
    found: Sequence[dict[str, Any]] = ()

    async def done() -> bool:
        nonlocal found
        found = await executions(http)
        return [(one["step"], one["outcome"]) for one in found] == list(outcomes)

    await eventually(done, within=SOON, what=lambda: f"rules did {outcomes}, not {found}")


async def until_known(http: AsyncClientSession, probe: Probe) -> None:
    await probe.shows(25.0)

    async def known() -> bool:
        found = await ask(http, KNOWN, esp=PROBE, board=BOARD)
        online = (found["device"] or {}).get("status") == "ONLINE"
        return online and found["sensor"] is not None and found["actuator"] is not None

    await eventually(known, within=SOON, what="probe and pump are known")
    # It is warmed in the hand: that is no fault of the probe.
    limits = {"unit": "°C", "maxRate": 100}
    await ask(http, STEEP, input={**SENSOR, "qualityLimits": limits})


async def until_heard(http: AsyncClientSession, value: float) -> None:
    async def heard() -> bool:
        newest = (await ask(http, NEWEST, esp=PROBE))["sensor"]["latest"]
        return newest is not None and bool(newest["value"] == value)

    await eventually(heard, within=SOON, what=f"{value} is heard")


async def make(http: AsyncClientSession, name: str, condition: object, **more: object) -> str:
    rule = {"name": name, "condition": condition, "actions": [SWITCH_ON], **more}
    made = await ask(http, CREATE, input=rule)
    assert made["createRule"]["warnings"] == []
    rule_id: str = made["createRule"]["id"]
    return rule_id
