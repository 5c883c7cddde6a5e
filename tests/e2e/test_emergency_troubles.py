"""An emergency stop arrives in spite of floods, missing devices and brokers; by REST, too."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from app.embedded.broker import EmbeddedBroker
from mqtt_bridge.session import BrokerAddress, MqttSession
from simulator.dialects import DECEMBER, HEAD, NOVEMBER, Dialect
from simulator.faults import Fault
from tests.e2e.asking import ask, client
from tests.e2e.devices import living
from tests.e2e.load import Publisher, quick_guard
from tests.e2e.server import UNENCRYPTED, ServerProcess
from tests.e2e.test_emergency import (
    CLEAR,
    ON,
    RECOVERY,
    STOP,
    STOPS,
    board,
    boards,
    stopped,
    until_all,
    until_known,
    until_online,
)
from tests.eventually import eventually

REST = "/api/v1/actuators/"


@asynccontextmanager
async def flooded(broker: EmbeddedBroker) -> AsyncIterator[Publisher]:
    """Readings as fast as a publisher of ours can, for as long as the block."""
    publisher = Publisher(broker.url, rate=5000.0)
    async with publisher.connected(), asyncio.TaskGroup() as tasks:
        flood = tasks.create_task(publisher.publish(range(1_000_000)))
        await publisher.until_confirmed(500)
        yield publisher
        flood.cancel()


async def rest(server: ServerProcess, path: str, token: str, **body: object) -> dict[str, Any]:
    async with httpx2.AsyncClient(verify=UNENCRYPTED) as http:
        answer = await http.post(
            f"{server.url}{REST}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_under_a_flood_it_stops_who_is_there_and_the_other_half_when_it_comes(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    there, away = boards(), [board(number, HEAD) for number in (6, 7, 8, 9)]
    async with living(broker.url, there), client(server) as http:
        async with living(broker.url, away):
            await until_online(http, [*there, *away])
        async with flooded(broker) as publisher:
            before = len(publisher.confirmed)
            stop = (await ask(http, STOP, input={"reason": "fire"}))["emergencyStop"]
            await until_all(http, stop["id"], "confirmed", there)
            assert stopped(there)
            (shown,) = (await ask(http, STOPS))["emergencyStops"]
            missing = {d["device"]["espId"] for d in shown["devices"] if not d["confirmed"]}
            assert missing >= {device.esp_id for device in away}
            back = [board(number, HEAD) for number in (6, 7, 8, 9)]
            async with living(broker.url, back):
                await until_all(http, stop["id"], "confirmed", back)
                assert stopped(back)
            assert len(publisher.confirmed) > before, "readings went on meanwhile"


async def test_a_stop_without_a_broker_is_in_force_shown_as_unconfirmed_and_sent_when_it_is_back(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    there = boards()
    async with living(broker.url, there), client(server) as http:
        await until_online(http, there)
        await until_known(http, there[-1])
        await broker.stop()
        stop = (await ask(http, STOP, input={"reason": "fire"}))["emergencyStop"]
        assert stop["active"]
        assert not any(device["confirmed"] for device in stop["devices"])
        assert all(device["note"] for device in stop["devices"])
        assert not any(device.pins.stopped_at for device in there)
        refused = (await ask(http, ON, esp=there[-1].esp_id))["sendCommand"]
        assert refused["status"] == "REJECTED"
        await broker.start()
        # The eldest generation hears nothing after it lost its broker, until it is restarted.
        able = there[1:]
        await eventually(lambda: stopped(able), within=60, what="they have stopped")
        there[0].faults.switch(Fault.REBOOT)
        await until_all(http, stop["id"], "confirmed", there)


@pytest.mark.parametrize("dialect", [NOVEMBER, HEAD], ids=lambda dialect: dialect.name)
async def test_a_board_that_stops_itself_is_held_through_a_restart_until_a_person_clears_it(
    server: ServerProcess, broker: EmbeddedBroker, dialect: Dialect
) -> None:
    burning, other = board(1, dialect), board(2, DECEMBER)
    async with living(broker.url, [burning, other]):
        async with client(server) as http:
            await until_online(http, [burning, other])
            for device in (burning, other):
                await until_known(http, device)
                on = (await ask(http, ON, esp=device.esp_id))["sendCommand"]
                assert on["status"] == "ACKNOWLEDGED"
            burning.alarm("emergency_stop", "overcurrent")

            async def latched() -> bool:
                return bool((await ask(http, STOPS))["emergencyStops"])

            await eventually(latched, within=10, what="its alert became a stop")
            (stop,) = (await ask(http, STOPS))["emergencyStops"]
            await until_all(http, stop["id"], "confirmed", [burning])
            assert [d["device"]["espId"] for d in stop["devices"]] == [burning.esp_id]
            assert other.actuators[0].is_on
        await server.kill()
        await server.start()
        async with client(server) as http:
            on = (await ask(http, ON, esp=burning.esp_id))["sendCommand"]
            assert on["status"] == "REJECTED"
            assert "stopped itself: overcurrent" in on["reason"]
            await until_all(http, stop["id"], "confirmed", [burning])
            cleared = (await ask(http, CLEAR, id=stop["id"]))["clearEmergency"]
            if dialect.has_tokens:
                await until_all(http, stop["id"], "releasedAt", [burning])
            else:
                assert "switch it off and on" in cleared["devices"][0]["note"]
                burning.faults.switch(Fault.REBOOT)
            await eventually(lambda: not stopped([burning]), what="it is free")
            (only,) = (await ask(http, STOPS))["emergencyStops"]
            assert (only["id"], only["active"]) == (stop["id"], False), "its report is no new stop"


async def test_a_board_that_stopped_itself_while_nobody_heard_it_is_held_all_the_same(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    # What the eldest generation says is not kept for a server that is away.
    burning = board(1, NOVEMBER)
    async with living(broker.url, [burning]):
        async with client(server) as http:
            await until_online(http, [burning])
        await server.kill()
        burning.alarm("emergency_stop", "overcurrent")
        await eventually(lambda: stopped([burning]), what="it stopped")
        await server.start()
        async with client(server) as http:

            async def latched() -> bool:
                return bool((await ask(http, STOPS))["emergencyStops"])

            await eventually(latched, within=RECOVERY, what="its reports became a stop")
            (stop,) = (await ask(http, STOPS))["emergencyStops"]
            await until_all(http, stop["id"], "confirmed", [burning])


async def test_old_clients_stop_and_clear_over_rest(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    device = board(1, HEAD)
    token = await server.login()
    async with living(broker.url, [device]), client(server) as http:
        await until_online(http, [device])
        await until_known(http, device)
        answer = await rest(server, "emergency_stop", token, reason="fire")
        assert (answer["success"], answer["devices_stopped"]) == (True, 1)
        await eventually(lambda: stopped([device]), what="it has stopped")
        assert (await ask(http, ON, esp=device.esp_id))["sendCommand"]["status"] == "REJECTED"
        assert (await rest(server, "clear_emergency", token))["stops_cleared"] == 1
        await eventually(lambda: not stopped([device]), within=30, what="it is free")


async def say(broker: EmbeddedBroker, topic: str, body: object) -> None:
    session = MqttSession(
        address=BrokerAddress.from_url(broker.url),
        client_id="a-device",
        filters=(),
        deliver=lambda _delivery: None,
        guard=quick_guard("a-device"),
        clean=True,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session.run())
        await eventually(lambda: session.connected)
        await session.publish(topic, json.dumps(body).encode(), qos=1)
        running.cancel()
