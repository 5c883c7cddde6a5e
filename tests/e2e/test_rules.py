"""Rules from end to end: the probe is on one board, the pump on another, and the server dies."""

from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker
from simulator.dialects import DIALECTS
from simulator.faults import Fault
from tests.e2e.asking import ask, client
from tests.e2e.devices import living, running
from tests.e2e.probes import PROBE, Probe
from tests.e2e.ruling import (
    BOARD,
    COLD,
    HOT,
    KNOWN,
    SOON,
    SWITCH_ON,
    board,
    executions,
    make,
    until_done,
    until_known,
)
from tests.e2e.server import ServerProcess
from tests.eventually import eventually


async def test_a_heater_on_one_board_follows_the_probe_on_another_through_a_kill(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            await make(http, "Night heating", COLD)
            await probe.shows(17.0)
            await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"))
            assert running(device)
        await server.kill()
        await server.start()
        async with client(server) as http:
            # Between both limits: only who remembers the hysteresis knows that it goes on.
            await probe.shows(19.0)
            await probe.shows(20.5)
            await until_done(http, ("HOLD_BEGINS", "SUCCEEDED"), ("HOLD_ENDS", "SUCCEEDED"))
            await eventually(lambda: not running(device), within=5, what="it is off")
            (begin, _) = await executions(http)
            assert begin["triggeredBy"]["value"] == 17.0


async def test_every_edge_runs_a_trigger_once_though_the_server_is_killed_between(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device, probe = board(), Probe(broker)
    once = ("FIRE", "SUCCEEDED")
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            await make(http, "Cooling", HOT)
            await probe.shows(31.0, 32.0, 31.5)
            await until_done(http, once)
        await server.kill()
        await server.start()
        async with client(server) as http:
            await probe.shows(32.0)
            await probe.shows(29.0, 31.0)
            await until_done(http, once, once)
            causes = [one["triggeredBy"]["value"] for one in await executions(http)]
            assert causes == [31.0, 31.0]


async def test_a_board_that_is_away_is_told_when_it_is_back(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    # Of November's firmware nothing would come of it: it hears no commands after a loss.
    device, probe = board(DIALECTS[1]), Probe(broker)
    settings = {"KAISER_DATABASE_URL": database_url, "KAISER_MQTT_URL": broker.url}
    server = ServerProcess(directory, {**settings, "KAISER_OFFLINE_AFTER": "8"})
    await server.start()
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, probe)
        await make(http, "Night heating", COLD)
        device.faults.switch(Fault.NETWORK_GONE)

        async def gone() -> bool:
            found = await ask(http, KNOWN, esp=PROBE, board=BOARD)
            return bool(found["device"]["status"] == "OFFLINE")

        await eventually(gone, within=60, what="it is offline")
        await probe.shows(17.0)
        await until_done(http, ("HOLD_BEGINS", "SKIPPED"))
        (skipped,) = await executions(http)
        assert BOARD in skipped["reason"]
        device.faults.switch(Fault.NETWORK_GONE, on=False)
        # Its first answer may get lost on the way back; it is told again then.
        await eventually(lambda: running(device), within=60, what="it heats")
        (_, again) = await executions(http)
        assert again["step"] == "HOLD_RENEWS"
    await server.stop()


@pytest.mark.parametrize("killed", [False, True], ids=["alive", "killed"])
async def test_a_delay_in_flight_ends_once_though_the_server_is_killed(
    server: ServerProcess,
    broker: EmbeddedBroker,
    killed: bool,  # noqa: FBT001 - the story
) -> None:
    device, probe = board(), Probe(broker)
    off = {"command": {"actuator": {"espId": BOARD, "gpio": 5}, "action": "OFF"}}
    async with living(broker.url, [device]):
        async with client(server) as http:
            await until_known(http, probe)
            await make(http, "Pulse", HOT, actions=[SWITCH_ON, {"delay": "PT6S"}, off])
            await probe.shows(31.0)
            await until_done(http, ("FIRE", "RUNNING"))

            async def waits() -> bool:
                return (await executions(http))[0]["resumeAt"] is not None

            await eventually(waits, within=SOON, what="it is in its delay")
            assert running(device)
        if killed:
            await server.kill()
            await server.start()
        async with client(server) as http:
            await until_done(http, ("FIRE", "SUCCEEDED"))
            assert not running(device)
            (one,) = await executions(http)
            assert [command["action"] for command in one["commands"]] == ["ON", "OFF"]
