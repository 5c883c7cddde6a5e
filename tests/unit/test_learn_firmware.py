"""What a device was flashed with is learned from what it says live, at once, and kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from domain.devices import FirmwareEvidence, FirmwareGeneration
from domain.services.learn_firmware import LearnFirmware
from domain.services.registry import Registry
from mqtt_bridge.firmware_generations import FirmwareWire
from tests.fakes import FakeClock, FakeStorage, until
from tests.makers import make_device, make_guard
from tests.unit.test_control import HEARTBEAT, P, Wire

ESP = "ESP_12AB34"
NOVEMBER = FirmwareEvidence(newest=FirmwareGeneration.NOVEMBER_2025)
APRIL = FirmwareEvidence(oldest=FirmwareGeneration.APRIL_2026)


class Journal:
    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def info(self, event: str, **fields: object) -> None:
        self.lines.append({"event": event, **fields})


class House:
    def __init__(self) -> None:
        self.storage = FakeStorage()
        self.registry = Registry()
        self.journal = Journal()
        self.learn = LearnFirmware(
            storage=self.storage,
            registry=self.registry,
            guard=make_guard(FakeClock(automatic=True)),
            journal=self.journal,
        )

    async def has_device(self) -> None:
        self.registry.add_device(await self.storage.devices.add(make_device(ESP)))

    @property
    def known(self) -> FirmwareGeneration | None:
        device = self.registry.device(ESP)
        return None if device is None else device.firmware_generation

    @property
    def stored(self) -> FirmwareGeneration:
        return self.storage.devices.rows[ESP].firmware_generation

    def has_stored(self, generation: FirmwareGeneration) -> bool:
        return self.stored is generation

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.learn.run())
            yield
            task.cancel()


async def test_what_a_message_tells_counts_at_once_and_is_stored() -> None:
    house = House()
    await house.has_device()
    async with house.running():
        house.learn(ESP, NOVEMBER)
        assert house.known is FirmwareGeneration.NOVEMBER_2025
        await until(lambda: house.stored is FirmwareGeneration.NOVEMBER_2025)
    assert house.journal.lines == [
        {
            "event": "device.firmware_learned",
            "esp_id": ESP,
            "before": "UNKNOWN",
            "now": "NOVEMBER_2025",
        }
    ]


async def test_a_device_that_is_flashed_anew_is_recognised_and_stored_again() -> None:
    house = House()
    await house.has_device()
    async with house.running():
        for told, generation in [
            (NOVEMBER, FirmwareGeneration.NOVEMBER_2025),
            (APRIL, FirmwareGeneration.APRIL_2026),
            (NOVEMBER, FirmwareGeneration.NOVEMBER_2025),
        ]:
            house.learn(ESP, told)
            assert house.known is generation
            await until(partial(house.has_stored, generation))


async def test_what_is_known_already_costs_no_storing() -> None:
    house = House()
    await house.has_device()
    async with house.running():
        house.learn(ESP, APRIL)
        await until(lambda: house.stored is FirmwareGeneration.APRIL_2026)
        for _ in range(100):
            house.learn(ESP, APRIL)
        house.learn(ESP, NOVEMBER)
        await until(lambda: house.stored is FirmwareGeneration.NOVEMBER_2025)
    assert house.storage.devices.saved["presence"] == 2


async def test_while_the_database_is_away_it_is_known_and_stored_later() -> None:
    house = House()
    await house.has_device()
    house.storage.available = False
    async with house.running():
        house.learn(ESP, APRIL)
        assert house.known is FirmwareGeneration.APRIL_2026
        await until(lambda: house.learn.guard.last_error is not None)
        house.storage.available = True
        await until(lambda: house.stored is FirmwareGeneration.APRIL_2026)


async def test_a_device_that_nobody_knows_teaches_nothing() -> None:
    house = House()
    house.learn(ESP, APRIL)
    assert house.known is None
    assert house.journal.lines == []


async def test_every_live_message_is_looked_at_before_it_is_answered_and_history_is_not() -> None:
    wire, told = Wire(), list[tuple[str, FirmwareEvidence]]()
    FirmwareWire(lambda esp_id, evidence: told.append((esp_id, evidence))).attach(wire.control)
    alert = {"ts": 1, "alert_type": "fault", "message": "m"}
    wire.hear(P + "actuator/5/alert", alert, retain=True)
    wire.hear(P + "config_response", {"status": "success", "type": "sensor"})
    assert told == []
    wire.hear(P + "actuator/5/alert", alert)
    assert told == [(ESP, FirmwareEvidence(oldest=FirmwareGeneration.DECEMBER_2025))]


async def test_a_new_device_is_recognised_by_the_heartbeat_that_makes_it_known() -> None:
    house, wire = House(), Wire()
    FirmwareWire(house.learn).attach(wire.control)
    wire.hear(P + "system/heartbeat", HEARTBEAT)
    assert house.known is None
    await house.has_device()
    async with wire.running():
        await until(lambda: house.known is FirmwareGeneration.APRIL_2026)
