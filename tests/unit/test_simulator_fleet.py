"""A fleet on connections that exist only here: who is told what, and what is counted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from domain.actuators import CommandAction
from domain.errors import BrokerUnavailableError
from mqtt_bridge import payloads
from mqtt_bridge.messages import AckStatus, ActuatorCommand, HeartbeatAck, Outgoing
from mqtt_bridge.session import Delivery
from mqtt_bridge.topics import Kind
from simulator.connections import Line
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD, NOVEMBER
from simulator.faults import Fault
from simulator.fleet import LARGEST_OUTBOX, Fleet
from simulator.greenhouse import uniform
from tests.esp32.driving import kind, kinds, make_device
from tests.fakes import FakeClock
from tests.fakes.clock import until


@dataclass
class FakeConnection:
    """Implements simulator.connections.Connection: a line that the test holds the other end of."""

    line: Line
    broker: "FakeBroker"
    acknowledged: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        if self.broker.away:
            raise BrokerUnavailableError("away")
        self.line.connected()
        await self.lost.wait()
        raise BrokerUnavailableError("lost")

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        await self.broker.takes.wait()
        self.broker.heard.append(Outgoing(topic, payload, qos, retain))

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.acknowledged += len(deliveries)

    def deliver(self, message: Outgoing) -> None:
        self.line.deliver(Delivery(message.topic, message.payload, message.qos, False, 1, 1))


@dataclass
class FakeBroker:
    away: bool = False
    heard: list[Outgoing] = field(default_factory=list)
    connections: list[FakeConnection] = field(default_factory=list)
    takes: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.takes.set()

    def connect(self, line: Line) -> FakeConnection:
        connection = FakeConnection(line, self)
        self.connections.append(connection)
        return connection


@asynccontextmanager
async def _running(
    devices: Sequence[VirtualDevice], broker: FakeBroker, clock: FakeClock
) -> AsyncIterator[Fleet]:
    fleet = Fleet(devices=devices, connect=broker.connect, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(fleet.run())
        await clock.until_asleep(2)
        await clock.advance(len(devices) / fleet.connects_per_second + 0.1)
        yield fleet
        run.cancel()


def _ack(device: VirtualDevice, epoch: int = 1) -> Outgoing:
    return payloads.encode(
        HeartbeatAck(
            esp_id=device.esp_id,
            kaiser_id="god",
            status=AckStatus.APPROVED,
            handover_epoch=epoch,
            server_time=1_767_268_800,
        )
    )


async def test_a_fleet_connects_one_after_the_other() -> None:
    clock, broker = FakeClock(), FakeBroker()
    fleet = Fleet(
        devices=uniform(50, 5.0), connect=broker.connect, clock=clock, connects_per_second=10.0
    )
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(fleet.run())
        await clock.until_asleep(2)
        await clock.advance(2.05)
        halfway = fleet.report().connected
        await clock.advance(10.0)
        run.cancel()

    assert 20 <= halfway <= 22
    assert fleet.report().connects == 50


async def test_a_fleet_has_as_many_tasks_as_devices_need_and_no_more_with_time() -> None:
    clock, broker = FakeClock(), FakeBroker()
    async with _running(uniform(100, 1.0), broker, clock):
        before = len(asyncio.all_tasks())
        for connection in broker.connections:
            connection.deliver(_ack(_device_of(connection)))
        await clock.advance(20.0)

        assert len(asyncio.all_tasks()) == before <= 2 * 100 + 4
        assert len(broker.heard) > 1000


def _device_of(connection: FakeConnection) -> VirtualDevice:
    return make_device(esp_id=connection.line.client_id)


async def test_devices_are_woken_when_they_are_due_and_all_they_say_is_counted() -> None:
    clock, broker = FakeClock(), FakeBroker()
    async with _running([make_device(HEAD)], broker, clock) as fleet:
        broker.connections[0].deliver(_ack(make_device()))
        await clock.advance(60.0)

        report = fleet.report()
        assert kinds(broker.heard).count(Kind.SENSOR_DATA) == 6
        assert report.sent == len(broker.heard)
        assert report.acked == sum(message.qos == 1 for message in broker.heard)
        assert broker.connections[0].acknowledged == 1


async def test_a_command_is_answered_in_place() -> None:
    clock, broker = FakeClock(), FakeBroker()
    command = ActuatorCommand(
        esp_id="ESP_12AB34", kaiser_id="god", gpio=5, action=CommandAction.ON, value=1.0
    )
    async with _running([make_device(HEAD)], broker, clock) as fleet:
        broker.connections[0].deliver(_ack(make_device()))
        broker.connections[0].deliver(payloads.encode(command))
        await until(lambda: Kind.ACTUATOR_RESPONSE in kinds(broker.heard))

        assert fleet.report().obeyed == 1


async def test_a_lost_connection_is_made_again_with_a_new_epoch() -> None:
    clock, broker = FakeClock(), FakeBroker()
    async with _running([make_device(HEAD)], broker, clock) as fleet:
        broker.connections[0].lost.set()
        await clock.advance(5.0)

        report = fleet.report()
        assert (report.connected, report.connects, report.failures) == (1, 2, 1)
        assert kinds(broker.heard).count(Kind.SESSION_ANNOUNCE) == 2


async def test_a_broker_that_is_away_is_waited_for_and_november_gives_up() -> None:
    clock, broker = FakeClock(), FakeBroker(away=True)
    devices = [make_device(HEAD), make_device(NOVEMBER, esp_id="ESP_000001")]
    async with _running(devices, broker, clock) as fleet:
        await clock.advance(3600.0)
        assert (fleet.report().connected, fleet.report().trouble) == (0, "away")
        broker.away = False
        await clock.advance(120.0)

        assert fleet.report().connected == 1
        assert {c.line.client_id for c in broker.connections[-3:]} == {"ESP_12AB34"}


async def test_a_broker_that_takes_nothing_fills_the_outbox_and_the_rest_is_counted_lost() -> None:
    clock, broker = FakeClock(), FakeBroker()
    broker.takes.clear()
    async with _running([make_device(NOVEMBER)], broker, clock) as fleet:
        await clock.advance(10.0 * (LARGEST_OUTBOX + 60))

        assert fleet.report().lost > 50
        assert broker.heard == []


async def test_a_reboot_leaves_the_last_word_behind_and_comes_back() -> None:
    clock, broker, device = FakeClock(), FakeBroker(), make_device(HEAD)
    async with _running([device], broker, clock) as fleet:
        device.faults.switch(Fault.REBOOT)
        await clock.advance(20.0)

        assert [kind(message) for message in broker.heard].count(Kind.WILL) == 1
        assert fleet.report().connects == 2


async def test_an_error_that_is_nobodys_fault_but_ours_ends_the_fleet() -> None:
    clock = FakeClock()

    def connect(line: Line) -> FakeConnection:
        raise RuntimeError(line.client_id)

    fleet = Fleet(devices=[make_device()], connect=connect, clock=clock)
    with pytest.raises(ExceptionGroup) as caught:
        await fleet.run()

    assert caught.group_contains(RuntimeError)


class _Rude(FakeConnection):
    """A line that breaks while it is being closed."""

    @override
    async def run(self) -> None:
        try:
            await super().run()
        except asyncio.CancelledError:
            raise BrokerUnavailableError("lost on leaving") from None


async def test_a_fleet_that_is_told_to_end_ends_though_its_lines_break() -> None:
    clock, broker = FakeClock(), FakeBroker()
    fleet = Fleet(
        devices=[make_device(HEAD)], connect=lambda line: _Rude(line, broker), clock=clock
    )
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        run = tasks.create_task(fleet.run())
        await until(lambda: fleet.report().connected == 1)
        run.cancel()
    assert fleet.report().connects == 1
