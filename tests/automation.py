"""A greenhouse whose rules are at work, over fakes: readings come in, commands go out."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.actuators import Actuator, Command, CommandAction, CommandOrigin, Order, Pin
from domain.arbitration import Holders
from domain.emergency_latch import Latch
from domain.lease_book import LeaseBook
from domain.rule_executions import RuleExecution
from domain.rules.past import microseconds
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sensor
from domain.services.automate import Automate
from domain.services.carry_out import CarryOut
from domain.services.command import SendCommand
from domain.services.emergency import Emergency
from domain.services.guard import Guard
from domain.services.manage_rules import ManageRules
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.remember_rules import RememberRules
from domain.services.world import KnownWorld
from tests.fakes import (
    FakeClock,
    FakeCommandLink,
    FakeEmergencyLink,
    FakeEventStream,
    FakeStorage,
)
from tests.makers import make_actuator, make_device, make_guard, make_sensor

BEDS, HEAT = "ESP_12AB34", "ESP_00BEEF"
PUMP, HEATER = Pin(BEDS, 5), Pin(HEAT, 6)
SENSOR = {"espId": BEDS, "gpio": 4, "sensorType": "ds18b20"}


def switch(pin: Pin = PUMP, action: str = "ON", **more: object) -> dict[str, Any]:
    actuator = {"espId": pin.esp_id, "gpio": pin.gpio}
    return {"command": {"actuator": actuator, "action": action, **more}}


def above(value: float, **more: object) -> dict[str, Any]:
    return {"threshold": {"sensor": SENSOR, "operator": "GT", "value": value, **more}}


def cold() -> dict[str, Any]:
    return {"hysteresis": {"sensor": SENSOR, "activateBelow": 18, "deactivateAbove": 20}}


def rule(condition: Mapping[str, Any], *actions: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    wanted = list(actions) or [switch()]
    return {"name": "Rule", "condition": condition, "actions": wanted, **more}


@dataclass(slots=True)
class Memory:
    """What outlives a server that is killed."""

    clock: FakeClock = field(default_factory=FakeClock)
    storage: FakeStorage = field(default_factory=FakeStorage)
    link: FakeCommandLink = field(init=False)
    numbers: int = 0

    def __post_init__(self) -> None:
        self.link = FakeCommandLink(self.clock)

    def new_id(self) -> UUID:
        self.numbers += 1
        return UUID(int=self.numbers)


class Greenhouse:
    """One life of a server; another one over the same memory is the server started again."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self.clock, self.storage = self.memory.clock, self.memory.storage
        self.link, self.events = self.memory.link, FakeEventStream()
        self.registry, self.latch, self.leases = Registry(), Latch(), LeaseBook()
        self.holders = Holders(lease=self.leases.get)
        for esp_id in (BEDS, HEAT):
            self.registry.add_device(make_device(esp_id))
        self.registry.put_sensors([make_sensor()])
        self.add_actuator(make_actuator())
        self.add_actuator(make_actuator(HEAT, 6, "relay", id=2))
        shared: dict[str, Any] = {"storage": self.storage, "clock": self.clock}
        known: dict[str, Any] = {"registry": self.registry, **shared, "guard": self._guard()}
        new_id = self.memory.new_id
        self.record = RecordEvents(**known, events=self.events, new_id=new_id)
        self.send = SendCommand(
            **known,
            latch=self.latch,
            leases=self.leases,
            link=self.link,
            events=self.events,
            new_id=new_id,
            ended=lambda _command: None,
            people=self.holders.overridden,
            holder=self.holders.get,
        )
        self.stops = FakeEmergencyLink()
        self.emergency = Emergency(
            **known, latch=self.latch, link=self.stops, record=self.record, new_id=new_id
        )
        self.world = KnownWorld(**shared, registry=self.registry, leases=self.leases)
        self.automate = Automate(
            world=self.world,
            carry_out=CarryOut(
                **known,
                holders=self.holders,
                leases=self.leases,
                send=self.send,
                emergency=self.emergency,
                record=self.record,
                events=self.events,
                enable=self._enable,
            ),
            remember=RememberRules(**shared, guard=self._guard()),
        )
        self.manage = ManageRules(
            **shared, registry=self.registry, automate=self.automate, new_id=new_id
        )

    async def _enable(self, rule_id: UUID, enabled: bool) -> object:  # noqa: FBT001 - as the port has it
        return await self.manage.set_enabled(rule_id, enabled)

    def _guard(self) -> Guard:
        return make_guard(self.clock)

    def add_actuator(self, actuator: Actuator) -> None:
        self.registry.add_actuator(actuator)
        self.storage.actuators.rows[actuator.pin] = actuator

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Greenhouse"]:
        """Let it live while the block runs; the end of the block is its sudden death."""
        self.leases.load(await self.storage.leases.all(), [], self.send._now())
        await self.automate.load()
        async with asyncio.TaskGroup() as tasks:
            jobs = (self.send.run, self.emergency.run, self.automate.run)
            living = [tasks.create_task(job()) for job in jobs]
            await self.settle()
            try:
                yield self
            finally:
                for task in living:
                    task.cancel()

    async def settle(self) -> None:
        """Let everything happen that is about to."""
        for _ in range(200):
            await asyncio.sleep(0)

    async def pass_(self, seconds: float) -> None:
        """Let time pass, and everything happen in it."""
        await self.clock.advance(seconds)
        await self.settle()

    async def read(
        self,
        value: float | None,
        *,
        ago: float = 0.0,
        sensor: Sensor | None = None,
        **made: Any,  # noqa: ANN401 - any field
    ) -> Reading:
        """Store a reading and tell it, as the ingest path does after COMMIT."""
        reading = self.store(value, ago=ago, sensor=sensor, **made)
        self.world([reading])
        await self.settle()
        return reading

    def store(
        self,
        value: float | None,
        *,
        ago: float = 0.0,
        sensor: Sensor | None = None,
        quality: Quality = Quality.GOOD,
        unit: str | None = "°C",
    ) -> Reading:
        """Store a reading and tell nobody, as if the server were killed after COMMIT."""
        now, rows = self.clock.now(), self.storage.readings.rows
        reading = Reading(
            id=max(microseconds(now), rows[-1].id + 1 if rows else 0),
            sensor=sensor or make_sensor(),
            measured_at=now - timedelta(seconds=ago),
            received_at=now,
            raw_value=value or 0.0,
            measurement=Measurement(value, unit, quality, ProcessingMode.RAW),
        )
        rows.append(reading)
        return reading

    def online(self, esp_id: str, online: bool) -> None:  # noqa: FBT001 - the only thing it is told
        self.registry.change_device(esp_id, online=online)

    def confirm(self, pin: Pin) -> None:
        """Let the device say what it was told last."""
        sent = [command for command, _ in self.link.sent if command.pin == pin][-1]
        state = self.registry.actuator(pin)
        assert state is not None
        self.registry.change_actuator(
            pin,
            state=replace(
                state.state,
                value=sent.value,
                is_active=sent.value > 0,
                reported_at=self.clock.now(),
            ),
        )

    async def person(self, action: CommandAction, pin: Pin = PUMP, **more: Any) -> Command:  # noqa: ANN401 - any field
        order = Order(pin=pin, action=action, origin=CommandOrigin.USER, **more)
        command = await self.send(order)
        await self.settle()
        return command

    def sent(self, pin: Pin | None = None) -> list[CommandAction]:
        """What devices were told, in its order."""
        return [c.action for c, _ in self.link.sent if pin in {None, c.pin}]

    def executions(self) -> list[RuleExecution]:
        return sorted(self.storage.rule_executions.rows.values(), key=lambda one: one.id)
