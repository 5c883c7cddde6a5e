"""A virtual relay between two brokers that exist only here: what goes on, and what does not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from domain.errors import BrokerUnavailableError
from mqtt_bridge.messages import Outgoing
from simulator.relays import HEARTBEAT_INTERVAL, LARGEST_CACHE, VirtualRelay
from tests.fakes import START, FakeClock
from tests.fakes.clock import until
from tests.unit.test_simulator_fleet import FakeBroker

LEVEL = "kaiser/barn/esp/ESP_12AB34"
ALIVE = "kaiser/god/relay/barn/heartbeat"


@dataclass
class Barn:
    """A relay, and the brokers on both of its sides."""

    clock: FakeClock = field(default_factory=FakeClock)
    near: FakeBroker = field(default_factory=FakeBroker)
    far: FakeBroker = field(default_factory=FakeBroker)
    relay: VirtualRelay = field(init=False)

    def __post_init__(self) -> None:
        self.relay = VirtualRelay(
            kaiser_id="barn", near=self.near.connect, far=self.far.connect, clock=self.clock
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.relay.run())
            await until(lambda: bool(self.far.heard))
            yield
            task.cancel()

    @property
    def signs_of_life(self) -> list[dict[str, object]]:
        return [json.loads(said.payload) for said in self.far.heard if said.topic == ALIVE]

    @property
    def passed_on(self) -> list[Outgoing]:
        return [*self.near.heard, *(said for said in self.far.heard if said.topic != ALIVE)]


async def test_what_a_device_says_goes_on_with_the_mark_of_the_relay() -> None:
    barn = Barn()
    async with barn.running():
        barn.near.connections[0].deliver(Outgoing(f"{LEVEL}/sensor/4/data", b'{"raw":1}', 1, False))
        await until(lambda: bool(barn.passed_on))
    (said,) = barn.passed_on
    assert said.topic == f"{LEVEL}/sensor/4/data"
    assert json.loads(said.payload) == {
        "raw": 1,
        "relayed_by": "barn",
        "relay_ts": int(START.timestamp()),
    }
    assert barn.near.connections[0].acknowledged == 1


async def test_what_the_server_says_goes_on_as_it_is() -> None:
    barn = Barn()
    order = Outgoing(f"{LEVEL}/actuator/5/command", b'{"command":"ON"}', 1, False)
    async with barn.running():
        barn.far.connections[0].deliver(order)
        await until(lambda: bool(barn.passed_on))
    assert barn.near.heard == [order]


async def test_a_relay_does_not_pass_on_what_it_passed_on_itself() -> None:
    barn = Barn()
    async with barn.running():
        barn.far.connections[0].deliver(Outgoing(f"{LEVEL}/sensor/4/data", b"{}", 1, False))
        barn.near.connections[0].deliver(Outgoing(f"{LEVEL}/actuator/5/command", b"{}", 1, False))
        await until(lambda: barn.far.connections[0].acknowledged == 1)
        await until(lambda: barn.near.connections[0].acknowledged == 1)
    assert barn.passed_on == []


async def test_a_relay_says_every_minute_that_it_lives_and_who_is_behind_it() -> None:
    barn = Barn()
    async with barn.running():
        barn.near.connections[0].deliver(
            Outgoing(f"{LEVEL}/system/heartbeat", b"no JSON", 0, False)
        )
        await until(lambda: bool(barn.passed_on))
        await barn.clock.advance(HEARTBEAT_INTERVAL)
        await until(lambda: len(barn.signs_of_life) == 2)
    first, second = barn.signs_of_life
    assert (first["relay_clients"], second["relay_clients"]) == ([], ["ESP_12AB34"])
    assert second["messages_relayed_total"] == 1


async def test_what_finds_no_room_is_counted() -> None:
    barn = Barn()
    async with barn.running():
        barn.far.takes.clear()
        for _ in range(LARGEST_CACHE + 3):
            barn.near.connections[0].deliver(Outgoing(f"{LEVEL}/sensor/4/data", b"{}", 1, False))
    assert barn.relay.lost == 3


async def test_a_relay_that_loses_a_broker_ends() -> None:
    barn = Barn()

    async def lose_one() -> None:
        async with barn.running():
            barn.far.connections[0].lost.set()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        await lose_one()
    assert caught.group_contains(BrokerUnavailableError)
