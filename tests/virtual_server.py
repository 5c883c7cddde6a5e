"""One life of a server in virtual time: the real services on the real wire, as production has them.

Only database, sockets and time are stood in for.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.actuators import Pin
from domain.arbitration import Holders
from domain.devices import Device, DeviceHealth, Discovery
from domain.emergency_latch import Latch
from domain.errors import BrokerUnavailableError
from domain.lease_book import LeaseBook
from domain.resilience import Backoff, CircuitBreaker
from domain.safeguards import Safeguards
from domain.services.automate import Automate
from domain.services.carry_out import CarryOut
from domain.services.command import SendCommand
from domain.services.emergency import Emergency
from domain.services.guard import Guard
from domain.services.manage_rules import ManageRules
from domain.services.recall_conditions import RecallConditions
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.remember_rules import RememberRules
from domain.services.watch_devices import WatchDevices
from domain.services.watch_interlocks import WatchInterlocks
from domain.services.watch_leases import WatchLeases
from domain.services.world import KnownWorld
from mqtt_bridge.commands import CommandWire
from mqtt_bridge.control import Control
from mqtt_bridge.devices import DeviceWire
from mqtt_bridge.emergencies import EmergencyWire, Tokens
from mqtt_bridge.leases import LeaseWire
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.session import Delivery
from tests.fakes import FakeEventStream, FakeReports, FakeStorage
from tests.makers import make_guard
from tests.virtual_time import VirtualClock

LATENCY = 0.01


class NoConfigs:
    """Nobody has anything to configure."""

    async def heard(self, device: Device, health: DeviceHealth) -> None:
        del device, health

    def waits(self, esp_id: str) -> bool:
        return esp_id == ""


class Silence:
    """Implements the journals."""

    def info(self, event: str, **fields: object) -> object:
        return event, fields

    def warning(self, event: str, **fields: object) -> object:
        return event, fields


@dataclass
class Server:
    """One life of the server: made, loaded, run, and killed.

    Attributes:
        take: What takes what leaves it, in the moment it does.
        watched: Whether the watchdog of leases runs.
        broker_there: Whether there is a broker to publish to.
        alive: Whether it was not killed.
        ready: Whether it has loaded what it must know, and works.
    """

    storage: FakeStorage
    clock: VirtualClock
    new_id: Callable[[], UUID]
    take: Callable[["Server", Outgoing], None]
    safeguards: Mapping[Pin, Safeguards]
    watched: bool = True
    broker_there: bool = True
    alive: bool = True
    ready: bool = False
    registry: Registry = field(default_factory=Registry)
    latch: Latch = field(default_factory=Latch)
    leases: LeaseBook = field(default_factory=LeaseBook)
    group: asyncio.TaskGroup | None = None

    def __post_init__(self) -> None:
        storage, registry, clock = self.storage, self.registry, self.clock
        events = FakeEventStream()
        self.control = Control(connection=self, clock=clock, bury=self._bury)
        self.record = RecordEvents(
            storage=storage,
            registry=registry,
            events=events,
            clock=clock,
            guard=self._guard(),
            new_id=self.new_id,
        )
        self.world = KnownWorld(storage=storage, registry=registry, leases=self.leases, clock=clock)
        emergencies = EmergencyWire(connection=self, tokens=Tokens())
        self.emergency = Emergency(
            storage=storage,
            registry=registry,
            latch=self.latch,
            link=emergencies,
            clock=clock,
            guard=self._guard(),
            record=self.record,
            new_id=self.new_id,
        )
        emergencies.attach(self.control, self.emergency)
        self._make_commands(events)
        self._make_rules(events)
        self._make_presence(events)

    def _make_commands(self, events: FakeEventStream) -> None:
        storage, registry, clock = self.storage, self.registry, self.clock
        wire = LeaseWire(connection=self)
        self.holders = Holders(lease=self.leases.get)
        self.watch = WatchLeases(
            storage=storage,
            registry=registry,
            latch=self.latch,
            leases=self.leases,
            link=wire,
            events=events,
            clock=clock,
            guard=self._guard(),
            record=self.record,
            new_id=self.new_id,
        )
        wire.attach(self.control, self.watch)
        self.interlocks = WatchInterlocks(
            registry=registry,
            world=self.world,
            leases=self.leases,
            clock=clock,
            switch_off=self.watch.switch_off,
            recall=RecallConditions(
                storage=storage, registry=registry, clock=clock, guard=self._guard()
            ),
        )
        commands = CommandWire(sender=self.control)
        commands.attach(self.control)
        self.send = SendCommand(
            storage=storage,
            registry=registry,
            latch=self.latch,
            leases=self.leases,
            link=commands,
            events=events,
            clock=clock,
            guard=self._guard(),
            new_id=self.new_id,
            ended=lambda _command: None,
            interlocks=self.interlocks.of,
            people=self.holders.overridden,
            holder=self.holders.get,
        )

    def _make_rules(self, events: FakeEventStream) -> None:
        shared: dict[str, Any] = {"storage": self.storage, "clock": self.clock}
        carry_out = CarryOut(
            **shared,
            registry=self.registry,
            guard=self._guard(),
            holders=self.holders,
            leases=self.leases,
            send=self.send,
            emergency=self.emergency,
            record=self.record,
            events=events,
            enable=self._enable,
        )
        remember = RememberRules(**shared, guard=self._guard())
        self.rules = ManageRules(
            **shared,
            registry=self.registry,
            automate=Automate(world=self.world, carry_out=carry_out, remember=remember),
            new_id=self.new_id,
        )

    async def _enable(self, rule_id: UUID, enabled: bool) -> object:  # noqa: FBT001 - as the port has it
        return await self.rules.set_enabled(rule_id, enabled)

    def _make_presence(self, events: FakeEventStream) -> None:
        self.presence = WatchDevices(
            storage=self.storage,
            registry=self.registry,
            events=events,
            clock=self.clock,
            new_id=self.new_id,
            discovery=Discovery.AUTO,
            journal=Silence(),
            reports=FakeReports(),
        )
        self.devices = DeviceWire(
            sender=self.control,
            watch=self.presence,
            clock=self.clock,
            journal=Silence(),
            configs=NoConfigs(),
            known=self.registry.devices,
        )
        self.devices.attach(self.control)

    def _guard(self) -> Guard:
        return make_guard(
            self.clock, backoff=Backoff(longest=0.5), breaker=CircuitBreaker(rest=0.5)
        )

    async def run(self) -> None:
        guard = self._guard()
        for load in (self.emergency.load, self.watch.load):
            await guard.insist(load)
        await guard.insist(lambda: self.registry.load(self.storage))
        for pin, safeguards in self.safeguards.items():
            self.registry.put_safeguards(pin, safeguards)
        await guard.insist(self.world.load)
        await guard.insist(self.rules.automate.load)
        async with asyncio.TaskGroup() as self.group:
            for job in (
                self.emergency.run,
                *([self.watch.run] if self.watched else []),
                self.interlocks.run,
                self.send.run,
                self.rules.automate.run,
                self.control.run,
                self.record.run,
                self.presence.run,
                self.devices.run,
            ):
                self.group.create_task(job())
            self.ready = True
            self.devices.connected()

    # ------------------------------------------------------------ as connection

    async def publish(  # noqa: PLR0913 - what a message is made of
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        expiry: timedelta | None = None,
        urgent: bool = False,  # noqa: ARG002 - nothing waits here
        permit: Callable[[], None] | None = None,
    ) -> None:
        await asyncio.sleep(LATENCY)
        if not self.alive or not self.broker_there:
            await asyncio.sleep(LATENCY)
            raise BrokerUnavailableError("no broker")
        if permit is not None:
            permit()
        self.take(self, Outgoing(topic, payload, qos, retain, expiry))
        await asyncio.sleep(LATENCY)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Nothing is delivered twice here."""

    def pause(self) -> None:
        """Nothing is too much here."""

    def resume(self) -> None:
        """Nothing is too much here."""

    def _bury(self, _connection: object, delivery: Delivery, reason: str) -> None:
        raise AssertionError(f"{delivery.topic}: {reason}")
