"""Devices are brought in line: told when they are there, and again when they drift."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

from domain.actuators import Pin
from domain.config_rounds import FIRST_PAUSE, LONGEST_PAUSE, Message, pause_after
from domain.configs import (
    ConfigAnswer,
    ConfigSync,
    ConfigSyncState,
    DeviceConfig,
    ItemFailure,
    Section,
)
from domain.devices import Device, DeviceHealth
from domain.errors import BrokerUnavailableError
from domain.lease_book import LeaseBook
from domain.ports import Receiver
from domain.sensors import SensorKey
from domain.services.configure import Configure
from domain.services.registry import Registry
from domain.services.synchronise import NOTHING_SINCE_RESET, SETTLED_AFTER, Synchronise
from domain.zones import ZoneAnswer, ZoneAssignment
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage, until
from tests.fakes.configs import FakeAdmissions
from tests.makers import make_device, make_guard, make_sensor

ESP = "ESP_12AB34"
KEY = SensorKey(ESP, 34, "ph")
RECEIVER = Receiver(
    limit=4000, both_spellings=False, answers_removal=True, knows_subzones=True, home="god"
)


@dataclass
class FakeConfigLink:
    """Devices that take everything at once, unless `silent`; a broker that may be `away`."""

    told: list[Message] = field(default_factory=list)
    silent: bool = False
    refuses: str | None = None
    away: bool = False
    service: Synchronise | None = None

    def receiver(self, device: Device) -> Receiver:  # noqa: ARG002 - all are alike
        return RECEIVER

    def parts(
        self,
        config: DeviceConfig,
        receiver: Receiver,  # noqa: ARG002 - it takes anything
    ) -> Sequence[DeviceConfig]:
        return [config]

    async def tell(self, message: Message) -> None:
        if self.away:
            raise BrokerUnavailableError("the broker is away")
        self.told.append(message)
        if self.silent or self.service is None:
            return
        if isinstance(message, DeviceConfig):
            refused = [ItemFailure(section=Section.SENSOR, gpio=34, reason=self.refuses or "")]
            self.service.answered(
                ConfigAnswer(
                    esp_id=ESP,
                    received_at=START,
                    success=self.refuses is None,
                    failures=tuple(refused if self.refuses else ()),
                )
            )
        elif isinstance(message, ZoneAssignment):
            self.service.answered(
                ZoneAnswer(esp_id=ESP, received_at=START, success=True, name=message.zone_id)
            )


class House:
    def __init__(self, *, online: bool = True) -> None:
        self.clock = FakeClock(automatic=True)
        self.storage = FakeStorage()
        self.registry = Registry()
        self.link = FakeConfigLink()
        self.rejected: list[tuple[str, dict[str, str]]] = []
        device = make_device(ESP, online=online)
        self.storage.devices.rows[ESP] = self.registry.add_device(device)
        self.start()

    def start(self) -> None:
        """Make the service anew, as a restart of the server does."""
        self.service = Synchronise(
            storage=self.storage,
            registry=self.registry,
            link=self.link,
            clock=self.clock,
            guard=make_guard(self.clock),
            new_id=uuid4,
            rejected=lambda esp_id, items: self.rejected.append((esp_id, dict(items))),
            is_virtual=lambda sensor_type: sensor_type == "vpd",
        )
        self.link.service = self.service
        self.configure = Configure(
            storage=self.storage,
            registry=self.registry,
            events=FakeEventStream(),
            clock=self.clock,
            leases=LeaseBook(),
            new_id=uuid4,
            changed=self.service.changed,
            admitted=FakeAdmissions(),
        )

    @property
    def sync(self) -> ConfigSync:
        return self.storage.config_syncs.rows.get(ESP, ConfigSync())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.service.run())
            yield
            task.cancel()

    async def becomes(self, state: ConfigSyncState) -> None:
        await until(lambda: self.sync.state is state, turns=20_000)


async def test_what_was_decided_is_told_once_and_then_in_sync() -> None:
    house = House()
    async with house.running():
        await house.configure.set_sensor(KEY, name="Tank")
        assert house.sync.state is ConfigSyncState.PENDING
        await house.becomes(ConfigSyncState.IN_SYNC)
    (config,) = house.link.told
    assert isinstance(config, DeviceConfig)
    assert [(item.gpio, item.name) for item in config.sensors] == [(34, "Tank")]
    assert house.storage.outbox.rows == {}


async def test_sensors_that_are_computed_here_are_neither_told_nor_missed() -> None:
    house = House()
    house.registry.put_sensors([make_sensor(ESP, 0, "vpd", id=99)])
    async with house.running():
        await house.configure.set_sensor(KEY)
        await house.becomes(ConfigSyncState.IN_SYNC)
        await house.clock.sleep(SETTLED_AFTER.total_seconds())
        device = house.registry.device(ESP)
        assert device is not None
        now = house.clock.now()
        await house.service.heard(device, DeviceHealth(reported_at=now, sensor_count=1))
        assert house.storage.outbox.rows == {}
        await house.service.heard(device, DeviceHealth(reported_at=now, sensor_count=0))
        assert house.storage.outbox.rows != {}
    (config,) = house.link.told
    assert isinstance(config, DeviceConfig)
    assert [item.sensor_type for item in config.sensors] == ["ph"]


async def test_a_device_that_is_away_is_told_when_it_comes_back() -> None:
    house = House(online=False)
    async with house.running():
        await house.configure.update_device(ESP, zone_id="north")
        await until(lambda: len(house.clock.slept) > 20, turns=20_000)
        assert house.link.told == []
        house.registry.change_device(ESP, online=True)
        await house.becomes(ConfigSyncState.IN_SYNC)
    (zone,) = house.link.told
    assert isinstance(zone, ZoneAssignment)
    assert (zone.zone_id, zone.master_zone_id, zone.new_kaiser_id) == ("north", "", "god")


async def test_a_silent_device_is_timed_out_and_told_again_when_it_was_away() -> None:
    house = House()
    house.link.silent = True
    async with house.running():
        await house.configure.set_sensor(KEY)
        await house.becomes(ConfigSyncState.TIMED_OUT)
        assert len(house.link.told) == 3
        house.link.silent = False
        house.registry.change_device(ESP, online=False)
        count = len(house.clock.slept)
        await until(lambda: len(house.clock.slept) > count + 3, turns=20_000)
        house.registry.change_device(ESP, online=True)
        await house.becomes(ConfigSyncState.IN_SYNC)


async def test_a_restart_of_the_server_begins_the_round_again() -> None:
    house = House()
    house.link.silent = True
    async with house.running():
        await house.configure.set_sensor(KEY)
        await until(lambda: bool(house.link.told))
    house.link.silent = False
    house.start()
    async with house.running():
        await house.becomes(ConfigSyncState.IN_SYNC)
    first, *_, last = house.link.told
    assert isinstance(first, DeviceConfig)
    assert isinstance(last, DeviceConfig)
    assert last.generation > first.generation


async def test_a_broker_that_is_away_costs_no_try() -> None:
    house = House()
    house.link.away = True
    async with house.running():
        await house.configure.set_sensor(KEY)
        await until(lambda: house.clock.slept.count(1.0) > 5, turns=20_000)
        house.link.away = False
        await house.becomes(ConfigSyncState.IN_SYNC)
    assert house.sync.attempts == 1


async def test_what_is_removed_is_forgotten_by_the_device_even_when_it_was_away() -> None:
    house = House()
    async with house.running():
        await house.configure.set_sensor(KEY)
        await house.becomes(ConfigSyncState.IN_SYNC)
        assert await house.configure.remove_sensor(KEY)
        await house.becomes(ConfigSyncState.IN_SYNC)
        assert not await house.configure.remove_sensor(KEY)
    last = house.link.told[-1]
    assert isinstance(last, DeviceConfig)
    assert [(item.gpio, item.active) for item in last.sensors] == [(34, False)]
    assert last.sections == {Section.SENSOR}


async def test_a_device_that_restarted_or_lost_items_is_told_again_and_not_for_ever() -> None:
    house = House()
    lost = DeviceHealth(reported_at=START, sensor_count=0)
    async with house.running():
        await house.configure.set_sensor(KEY)
        await house.becomes(ConfigSyncState.IN_SYNC)
        await house.clock.sleep(10)
        device = house.registry.device(ESP)
        assert device is not None
        for expected in (2, 2):
            await house.service.heard(device, lost)
            await house.becomes(ConfigSyncState.IN_SYNC)
            await house.clock.sleep(10)
            assert len(house.link.told) == expected
        booted = replace(device, last_boot_at=house.clock.now() + timedelta(seconds=1))
        await house.service.heard(booted, replace(lost, sensor_count=1))
        await house.becomes(ConfigSyncState.IN_SYNC)
    assert len(house.link.told) == 3


class TestADeviceThatDoesNotAnswer:
    async def test_is_told_again_when_it_lives_after_a_pause_that_grows(self) -> None:
        house = House()
        house.link.silent = True
        pauses: list[timedelta] = []
        async with house.running():
            await house.configure.set_sensor(KEY)
            for told in (6, 9, 12):
                await house.becomes(ConfigSyncState.TIMED_OUT)
                ended = house.clock.now()
                assert house.service.waits(ESP)
                await house.clock.sleep(0.1)
                house.registry.change_device(ESP, last_seen=house.clock.now())
                await until(lambda: len(house.link.told) == told - 2, turns=200_000)  # noqa: B023 - at once
                pauses.append(house.clock.now() - ended)
                await until(lambda: len(house.link.told) == told, turns=200_000)  # noqa: B023 - at once
                await until(lambda: house.sync.state is ConfigSyncState.TIMED_OUT, turns=200_000)
            house.link.silent = False
            house.registry.change_device(ESP, last_seen=house.clock.now() + timedelta(hours=1))
            await until(lambda: house.sync.state is ConfigSyncState.IN_SYNC, turns=200_000)
        assert not house.service.waits(ESP)
        for nth, pause in enumerate(pauses, 1):
            assert pause_after(nth) <= pause < pause_after(nth) + timedelta(seconds=5)

    async def test_is_left_alone_while_it_gives_no_sign_of_life(self) -> None:
        house = House()
        house.link.silent = True
        async with house.running():
            await house.configure.set_sensor(KEY)
            await house.becomes(ConfigSyncState.TIMED_OUT)
            count = len(house.clock.slept)
            await until(lambda: len(house.clock.slept) > count + 500, turns=200_000)
        assert len(house.link.told) == 3

    def test_is_asked_ever_more_rarely_but_never_given_up(self) -> None:
        assert pause_after(1) == FIRST_PAUSE
        pauses = [pause_after(times) for times in range(1, 1000)]
        assert pauses == sorted(pauses)
        assert pauses[-1] == LONGEST_PAUSE


class TestADeviceThatLostItsConfiguration:
    async def test_is_told_it_at_once_and_then_ever_more_rarely(self) -> None:
        house = House()
        empty = DeviceHealth(reported_at=START, system_state=NOTHING_SINCE_RESET)
        async with house.running():
            await house.configure.set_sensor(KEY)
            await house.configure.set_actuator(Pin(ESP, 5), "pump")
            await house.becomes(ConfigSyncState.IN_SYNC)
            told = len(house.link.told)
            device = house.registry.device(ESP)
            assert device is not None
            for seconds, expected in ((1, 1), (1, 1), (40, 2), (40, 2), (40, 3)):
                await house.clock.sleep(seconds)
                await house.service.heard(device, empty)
                await until(lambda: not house.service.waits(ESP), turns=20_000)
                assert len(house.link.told) == told + expected, seconds

    async def test_is_told_only_once_when_it_can_never_have_enough(self) -> None:
        house = House()
        empty = DeviceHealth(reported_at=START, system_state=NOTHING_SINCE_RESET)
        async with house.running():
            await house.configure.set_sensor(KEY)
            await house.becomes(ConfigSyncState.IN_SYNC)
            device = house.registry.device(ESP)
            assert device is not None
            for _ in range(3):
                await house.clock.sleep(7200)
                await house.service.heard(device, empty)
                await until(lambda: not house.service.waits(ESP), turns=20_000)
        assert len(house.link.told) == 2

    async def test_is_told_nothing_where_there_is_nothing_to_tell(self) -> None:
        house = House()
        device = house.registry.device(ESP)
        assert device is not None
        await house.service.heard(
            device, DeviceHealth(reported_at=START, system_state=NOTHING_SINCE_RESET)
        )
        assert not house.service.waits(ESP)


async def test_a_refusal_is_told_with_its_items_once_the_round_is_over() -> None:
    house = House()
    house.link.refuses = "GPIO_CONFLICT: GPIO 34 is reserved"
    async with house.running():
        await house.configure.set_sensor(KEY)
        await house.becomes(ConfigSyncState.REJECTED)
        await until(lambda: bool(house.rejected))
    assert house.rejected == [(ESP, {"sensor on GPIO 34": "GPIO_CONFLICT: GPIO 34 is reserved"})]
