"""A rule stops as a person does, latched and with its name; so does a server that was killed."""

import pytest
from gql.client import AsyncClientSession

from app.embedded.broker import EmbeddedBroker
from simulator.dialects import DECEMBER, HEAD
from tests.e2e.asking import ask, client
from tests.e2e.devices import living
from tests.e2e.probes import PROBE, SENSOR, Probe
from tests.e2e.ruling import STEEP, until_heard
from tests.e2e.server import ServerProcess
from tests.e2e.test_emergency import (
    CLEAR,
    ON,
    RECOVERY,
    STOP,
    board,
    boards,
    stopped,
    until_all,
    until_known,
    until_online,
)
from tests.eventually import eventually

HOT = {"threshold": {"sensor": SENSOR, "operator": "GT", "value": 60, "unit": "°C"}}
CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { warnings } }"
KNOWN = f'{{ sensor(espId: "{PROBE}", gpio: 4, sensorType: "ds18b20") {{ id }} }}'
CAUSES = """{
    emergencyStops(active: true) { id reason triggeredBy { username } device { espId } }
    ruleExecutions { edges { node { outcome rule { name } triggeredBy { value } } } }
    systemEvents(first: 50) { edges { node { kind message } } }
}"""


async def until_probe_known(http: AsyncClientSession, probe: Probe) -> None:
    await probe.shows(20)

    async def known() -> bool:
        return (await ask(http, KNOWN))["sensor"] is not None

    await eventually(known, within=20, what="the probe is known")
    # It is warmed in the hand: that is no fault of the probe.
    await ask(http, STEEP, input={**SENSOR, "qualityLimits": {"unit": "°C", "maxRate": 100_000}})


@pytest.mark.parametrize("armed", [True, False], ids=["as it is", "control: without the rule"])
async def test_a_rule_stops_a_board_latched_and_confirmed_and_everybody_sees_which_rule(
    server: ServerProcess, broker: EmbeddedBroker, *, armed: bool
) -> None:
    hot, other, probe = board(1, DECEMBER), board(2, HEAD), Probe(broker)
    async with living(broker.url, [hot, other]):
        async with client(server) as http:
            await until_online(http, [hot, other])
            await until_known(http, hot)
            await until_known(http, other)
            await until_probe_known(http, probe)
            stop = {"emergencyStop": {"espId": hot.esp_id, "reason": "the motor burns"}}
            rule = {"name": "Motor guard", "condition": HOT, "actions": [stop], "enabled": armed}
            await ask(http, CREATE, input=rule)
            assert (await ask(http, ON, esp=hot.esp_id))["sendCommand"]["status"] == "ACKNOWLEDGED"
            await probe.shows(70)
            if not armed:
                await until_heard(http, 70)
                assert hot.actuators[0].is_on
                assert (await ask(http, CAUSES))["emergencyStops"] == []
                return
            await eventually(lambda: stopped([hot]), within=20, what="the rule stopped it")
            assert not hot.actuators[0].is_on
            told = await ask(http, CAUSES)
            (shown,) = told["emergencyStops"]
            await until_all(http, shown["id"], "confirmed", [hot])
            assert shown["reason"] == "the motor burns (rule Motor guard)"
            assert (shown["triggeredBy"], shown["device"]) == (None, {"espId": hot.esp_id})
            (executed,) = [edge["node"] for edge in told["ruleExecutions"]["edges"]]
            assert executed["rule"] == {"name": "Motor guard"}
            assert executed["triggeredBy"] == {"value": 70.0}

            async def told_people() -> bool:
                events = (await ask(http, CAUSES))["systemEvents"]["edges"]
                return any(
                    edge["node"]["kind"] == "EMERGENCY_STOP"
                    and "Motor guard" in edge["node"]["message"]
                    for edge in events
                )

            await eventually(told_people, within=10, what="people are told which rule it was")
            # It has cooled down, and that ends nothing; nor does a restart.
            await probe.shows(20)
        await server.kill()
        await server.start()
        async with client(server) as http:
            on = (await ask(http, ON, esp=hot.esp_id))["sendCommand"]
            assert (on["status"], "Motor guard" in on["reason"]) == ("REJECTED", True)
            await until_online(http, [other])
            await until_known(http, other)
            assert (await ask(http, ON, esp=other.esp_id))["sendCommand"][
                "status"
            ] == "ACKNOWLEDGED"
            await until_all(http, shown["id"], "confirmed", [hot])
            await ask(http, CLEAR, id=shown["id"])
            await until_all(http, shown["id"], "releasedAt", [hot])
            assert not stopped([hot])


async def test_a_stop_without_a_broker_goes_out_in_the_end_though_the_server_was_killed(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    # The eldest generation hears nothing after it lost its broker, until it is restarted.
    there = boards()[1:]
    async with living(broker.url, there):
        async with client(server) as http:
            await until_online(http, there)
            await broker.stop()
            stop = (await ask(http, STOP, input={"reason": "fire"}))["emergencyStop"]
        await server.kill()
        await broker.start()
        assert not stopped(there), "nobody is left who could have told them"
        await server.start()
        await eventually(lambda: stopped(there), within=RECOVERY, what="everybody has stopped")
        async with client(server) as http:
            await until_all(http, stop["id"], "confirmed", there)
