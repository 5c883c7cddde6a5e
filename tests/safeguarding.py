"""A pump with a tank, a valve and a flow meter, and those who watch over it, without a network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from domain.actuators import ActuatorState, CommandAction, Pin
from domain.lease_book import LeaseBook
from domain.leases import Moment
from domain.rules.conditions import ActuatorIs, Limit, Operator, Threshold
from domain.safeguards import Safeguards
from domain.safety import Wish, refusal
from domain.sensors import Measurement, ProcessingMode, Quality, Sensor
from domain.services.recall_conditions import RecallConditions
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.watch_effects import WatchEffects
from domain.services.watch_interlocks import WatchInterlocks
from domain.services.world import KnownWorld
from domain.system_events import EventKind, Severity, SystemEvent
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage
from tests.makers import make_actuator, make_device, make_guard, make_reading, make_sensor

ESP = "ESP_12AB34"
PUMP, VALVE = Pin(ESP, 5), Pin("ESP_FA17E5", 6)
LEVEL = make_sensor(ESP, 34, "level", id=1, name="Tank")
FLOW = make_sensor(ESP, 14, "flow", id=2, name="Flow")
MINUTE = timedelta(minutes=1)
SOON = 2.0
"""Seconds that a server may take to remember what there was before it, on a busy machine, too."""

FULL_ENOUGH = Threshold(sensor=LEVEL.key, limit=Limit(Operator.GT, 10.0), unit="%")
VALVE_OPEN = ActuatorIs(pin=VALVE, on=True)
FLOWING = Threshold(sensor=FLOW.key, limit=Limit(Operator.GT, 0.5), unit="L/min")


class Plant:
    """What is switched off is off at the next look, as if its device had confirmed it."""

    def __init__(self, safeguards: Safeguards, storage: FakeStorage | None = None) -> None:
        self.storage = storage or FakeStorage()
        self.clock = FakeClock()
        self.registry = Registry()
        self.leases = LeaseBook()
        for esp_id in (PUMP.esp_id, VALVE.esp_id):
            self.registry.add_device(make_device(esp_id))
        for number, pin in enumerate((PUMP, VALVE), start=1):
            state = ActuatorState(reported_at=START)
            actuator = make_actuator(*pin, id=number, state=state)
            self.registry.add_actuator(actuator)
            self.storage.actuators.rows[pin] = actuator
        self.registry.put_sensors([LEVEL, FLOW])
        self.declare(safeguards)
        self.world = KnownWorld(
            storage=self.storage, registry=self.registry, leases=self.leases, clock=self.clock
        )
        self.off: list[tuple[Pin, str, EventKind, Severity]] = []
        guard = make_guard(FakeClock(automatic=True))
        self.record = RecordEvents(
            storage=self.storage,
            registry=self.registry,
            events=FakeEventStream(),
            clock=self.clock,
            guard=guard,
            new_id=uuid4,
        )
        recall = RecallConditions(
            storage=self.storage,
            registry=self.registry,
            clock=self.clock,
            guard=guard,
            within=SOON,
        )
        self.interlocks = WatchInterlocks(
            registry=self.registry,
            world=self.world,
            leases=self.leases,
            clock=self.clock,
            switch_off=self.switch_off,
            recall=recall,
        )
        self.effects = WatchEffects(
            storage=self.storage,
            registry=self.registry,
            world=self.world,
            leases=self.leases,
            clock=self.clock,
            guard=guard,
            record=self.record,
            switch_off=self.switch_off,
            recall=recall,
        )

    # ------------------------------------------------------------ what happens

    def declare(self, safeguards: Safeguards, pin: Pin = PUMP) -> None:
        self.registry.put_safeguards(pin, safeguards)
        self.storage.safeguards.rows[self.storage.actuators.rows[pin].id] = safeguards

    def hear(
        self,
        value: float | None,
        sensor: Sensor = LEVEL,
        quality: Quality = Quality.GOOD,
        *,
        ago: float = 0.0,
    ) -> None:
        unit = "L/min" if sensor is FLOW else "%"
        rows, at = self.storage.readings.rows, self.clock.now() - timedelta(seconds=ago)
        measurement = Measurement(value, unit, quality, ProcessingMode.PI_ENHANCED)
        reading = make_reading(
            len(rows) + 1, sensor=sensor, measured_at=at, measurement=measurement
        )._replace(received_at=self.clock.now())
        rows.append(reading)
        self.world([reading])

    def ask(self, pin: Pin = PUMP) -> str | None:
        """Ask the gate to switch on."""
        actuator, device = self.registry.actuator(pin), self.registry.device(pin.esp_id)
        assert actuator is not None
        return refusal(
            Wish(
                action=CommandAction.ON,
                value=1.0,
                actuator=actuator,
                device=device,
                interlocks=self.interlocks.of(pin),
            )
        )

    def command(self, pin: Pin = PUMP, *, confirmed: bool = True) -> UUID:
        """Switch on, whatever the gate says."""
        actuator = self.registry.actuator(pin)
        assert actuator is not None
        lease = self.leases.grant(uuid4(), actuator, 1.0, None, self.now())
        if confirmed:
            self.leases.confirmed(pin, lease.id)
        return lease.id

    def report(self, pin: Pin, *, on: bool) -> None:
        """A device says what its pin does."""
        state = ActuatorState(value=float(on), is_active=on, reported_at=self.clock.now())
        actuator = self.registry.change_actuator(pin, state=state)
        if on:
            self.leases.on(uuid4(), actuator, 1.0, self.now())
        else:
            self.leases.off(pin, self.now())

    def open_valve(self) -> None:
        self.command(VALVE)
        self.report(VALVE, on=True)

    def lose(self, esp_id: str) -> None:
        self.registry.change_device(esp_id, online=False)

    def switch_off(self, pin: Pin, why: str, kind: EventKind, severity: Severity) -> None:
        self.off.append((pin, why, kind, severity))
        self.leases.end(pin, self.now(), why)

    def now(self) -> Moment:
        return Moment(self.clock.now(), self.clock.monotonic())

    # ------------------------------------------------------------ what is seen

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Run both watches, until they have looked once, and then as the time advances."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(watch.run()) for watch in (self.interlocks, self.effects)]
            await self.interlocks.recalled.wait()
            await self.effects.recalled.wait()
            await self.clock.until_asleep(2)
            yield
            for task in tasks:
                task.cancel()

    @property
    def why(self) -> list[str]:
        return [why for _, why, _, _ in self.off]

    @property
    def told(self) -> list[SystemEvent]:
        return [burst.event for burst in self.record._waiting]


def a_copy_that_is_loaded_again(before: Plant, safeguards: Safeguards) -> Plant:
    """A server that was started anew on what another one stored."""
    plant = Plant(safeguards, before.storage)
    leases = [replace(lease, confirmed=True) for lease in before.leases.leases]
    plant.clock.start = before.clock.now()
    plant.leases.load(leases, [], plant.now())
    return plant
