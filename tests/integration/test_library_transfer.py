"""A library on its way over a real broker that loses and spoils pieces, to a device, intact."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
from uuid_utils.compat import uuid7

from app.embedded.broker import EmbeddedBroker
from domain.library_installations import InstallationStatus, LibraryInstallation
from domain.services.install_libraries import InstallLibraries
from domain.services.registry import Registry
from mqtt_bridge.control import Control
from mqtt_bridge.libraries import LibraryWire
from mqtt_bridge.session import BrokerAddress, Delivery, MqttSession
from mqtt_bridge.topics import Connection as Carrier
from mqtt_bridge.topics import filters
from simulator.connections import Connect, Connection, Line, mqtt
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD
from simulator.fleet import Fleet
from simulator.libraries import Libraries
from storage.connection import Database
from tests.e2e.devices import HurriedClock
from tests.e2e.load import quick_guard
from tests.eventually import eventually
from tests.fakes.libraries import FakeLibrarySources
from tests.integration.embedded import data_directory
from tests.integration.storing import stored_device
from tests.makers import make_guard

ESP = "ESP_12AB34"
TEXT = Random(7).randbytes(40 * 1024)
LOST, SPOILED = 0.03, 0.03
"""Shares of all pieces, and of all answers to them."""

UNGUARDED = replace(HEAD, gate=None)
"""A board that needs no server to let it speak: here is only what hands libraries over."""


@dataclass(slots=True)
class BadAir:
    """A radio that loses and spoils what is said about libraries, both ways."""

    connect: Connect
    random: Random = field(default_factory=lambda: Random(3))
    lost: int = 0
    spoiled: int = 0

    def __call__(self, line: Line) -> Connection:
        def deliver(delivery: Delivery) -> None:
            if "/library/chunk" not in delivery.topic:
                line.deliver(delivery)
            elif self._loses():
                connection.acknowledge([delivery])
            else:
                line.deliver(delivery._replace(payload=self._spoil(delivery.payload)))

        connection = self.connect(replace(line, deliver=deliver))
        return _LossyConnection(connection, self)

    def _loses(self) -> bool:
        gone = self.random.random() < LOST
        self.lost += gone
        return gone

    def _spoil(self, payload: bytes) -> bytes:
        if self.random.random() >= SPOILED:
            return payload
        self.spoiled += 1
        return payload.replace(b'"chunk_data":"', b'"chunk_data":"AAAA')


@dataclass(frozen=True, slots=True)
class _LossyConnection:
    connection: Connection
    air: BadAir

    async def run(self) -> None:
        await self.connection.run()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        if "/library/chunk_ack" not in topic or not self.air._loses():
            await self.connection.publish(topic, payload, qos=qos, retain=retain)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self.connection.acknowledge(deliveries)


@dataclass(slots=True)
class Told:
    """How installations ended."""

    ended: list[LibraryInstallation] = field(default_factory=list)

    def library_ended(self, installation: LibraryInstallation) -> None:
        self.ended.append(installation)

    def library_trouble(self, esp_id: str, about: str, sentence: str) -> None:
        raise AssertionError(f"{esp_id}, {about}: {sentence}")


@dataclass(slots=True)
class Server:
    """What of a server hands libraries over; may be started again and again."""

    broker: EmbeddedBroker
    database: Database
    clock: HurriedClock
    sources: FakeLibrarySources
    told: Told = field(default_factory=Told)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[InstallLibraries]:
        registry = Registry()
        async with self.database.autocommit() as work:
            for device in await work.devices.all():
                registry.add_device(device)

        def hear(delivery: Delivery) -> None:
            control.hear(delivery)

        session = MqttSession(
            address=BrokerAddress.from_url(self.broker.url),
            client_id="server-control",
            filters=[(name, qos) for name, qos in filters(Carrier.CONTROL) if "/library/" in name],
            deliver=hear,
            guard=quick_guard("control"),
        )
        control = Control(connection=session, clock=self.clock, bury=_no_letters)
        link = LibraryWire(sender=control)
        service = InstallLibraries(
            storage=self.database,
            registry=registry,
            link=link,
            sources=self.sources,
            clock=self.clock,
            guard=make_guard(self.clock),
            new_id=uuid7,
            reports=self.told,
        )
        link.attach(control, service)
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(job()) for job in (session.run, control.run, service.run)]
            await eventually(lambda: session.connected)
            yield service
            for job in jobs:
                job.cancel()


def _no_letters(_connection: object, delivery: Delivery, reason: str) -> None:
    raise AssertionError(f"{delivery.topic}: {reason}")


@pytest.fixture
def directory() -> Iterator[Path]:
    with data_directory() as path:
        yield path


@pytest.fixture
async def broker(directory: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(directory, port=0) as broker:
        yield broker


@asynccontextmanager
async def living(fleet: Fleet) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(fleet.run())
        yield
        task.cancel()


async def test_forty_kilobytes_arrive_intact_over_bad_air_and_restarts_of_the_server(
    broker: EmbeddedBroker, database: Database
) -> None:
    clock, sources = HurriedClock(), FakeLibrarySources()
    sources.has("ph", TEXT)
    await stored_device(database, ESP)
    board = Libraries()
    device = VirtualDevice(esp_id=ESP, dialect=UNGUARDED, kaiser_id="god", libraries=board)
    air = BadAir(mqtt(BrokerAddress.from_url(broker.url), clock))
    server = Server(broker, database, clock, sources)

    async def takes_libraries() -> bool:
        async with database.autocommit() as work:
            return list(await work.library_installations.receivers()) == [ESP]

    async with server.running():
        pass  # from now on the broker keeps for it what it does not hear
    async with living(Fleet(devices=[device], connect=air, clock=clock)):
        async with server.running() as service:
            await eventually(takes_libraries)
            (begun,) = await service.install("ph", esp_ids=[ESP])
            assert begun.total_chunks == 80
            await eventually(lambda: board.received >= 20, within=60)
        async with server.running():
            await eventually(lambda: board.received >= 50, within=60)
        async with server.running():
            await eventually(lambda: bool(server.told.ended), within=60)

    assert board.installed == {"ph": ("1.0.0", TEXT)}
    assert [ended.status for ended in server.told.ended] == [InstallationStatus.INSTALLED]
    assert air.lost > 0
    assert air.spoiled > 0
    async with database.autocommit() as work:
        stored = await work.library_installations.by_id(begun.id)
    assert stored == server.told.ended[0]
    assert stored.chunks_sent == 80
