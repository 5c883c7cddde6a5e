"""Who is there: heartbeats bring devices online; wills and silence take them off."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domain.actuators import ActuatorReport, EmergencyPhase, Pin
from domain.devices import DeviceHealth, DeviceStatus, Discovery, Heartbeat, LastWill
from domain.events import ActuatorChanged, DeviceHeard
from domain.presence import REPORTS, REPORTS_WITHIN, SEEN_EVERY
from domain.services.registry import Registry
from domain.services.watch_devices import SWEEP_EVERY, WatchDevices
from tests.fakes import START, FakeClock, FakeEventStream, FakeReports, FakeStorage
from tests.makers import make_device

ESP = "ESP_12AB34"


class Notes:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.fields: list[dict[str, object]] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append(event)
        self.fields.append(fields)

    warning = info


def heartbeat(seconds: float = 0, **changes: object) -> Heartbeat:
    at = START + timedelta(seconds=seconds)
    values: dict[str, object] = {
        "esp_id": ESP,
        "kaiser_id": "god",
        "received_at": at,
        "health": DeviceHealth(reported_at=at, free_heap_bytes=152_340),
        **changes,
    }
    return Heartbeat(**values)  # type: ignore[arg-type]  # a test's shorthand


def report(**changes: object) -> ActuatorReport:
    values: dict[str, object] = {
        "pin": Pin(ESP, 5),
        "kaiser_id": "god",
        "received_at": START,
        "actuator_type": "pump",
        "value": 1.0,
        "is_active": True,
        "emergency": EmergencyPhase.NORMAL,
        **changes,
    }
    return ActuatorReport(**values)  # type: ignore[arg-type]  # a test's shorthand


class Greenhouse:
    def __init__(self, discovery: Discovery = Discovery.APPROVE) -> None:
        self.storage = FakeStorage()
        self.events = FakeEventStream()
        self.registry = Registry()
        self.notes = Notes()
        self.reports = FakeReports()
        self.clock = FakeClock()
        self.watch = WatchDevices(
            storage=self.storage,
            registry=self.registry,
            events=self.events,
            clock=self.clock,
            new_id=lambda: UUID(int=1),
            discovery=discovery,
            journal=self.notes,
            reports=self.reports,
        )

    def status(self) -> DeviceStatus | None:
        device = self.registry.device(ESP)
        return device.status if device else None

    def approve(self) -> None:
        device = make_device(ESP, online=False, last_seen=None)
        self.storage.devices.rows[ESP] = device
        self.registry.add_device(device)


@pytest.mark.parametrize(
    ("discovery", "status"),
    [(Discovery.APPROVE, DeviceStatus.DISCOVERED), (Discovery.AUTO, DeviceStatus.ONLINE)],
)
async def test_a_first_heartbeat_discovers_a_device(
    discovery: Discovery, status: DeviceStatus
) -> None:
    house = Greenhouse(discovery)
    await house.watch.heartbeat(heartbeat())
    assert house.status() is status
    assert house.storage.devices.rows[ESP].online
    assert house.storage.devices.reports[ESP].free_heap_bytes == 152_340
    assert len(house.events.published) == (discovery is Discovery.AUTO)


async def test_a_device_is_offline_after_180_silent_seconds_and_comes_back_with_a_heartbeat() -> (
    None
):
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(heartbeat())
    await house.watch.sweep(START + timedelta(seconds=180))
    assert house.status() is DeviceStatus.ONLINE
    await house.watch.sweep(START + timedelta(seconds=181))
    assert house.status() is DeviceStatus.OFFLINE
    await house.watch.heartbeat(heartbeat(200))
    assert house.status() is DeviceStatus.ONLINE
    assert house.notes.events == ["device.online", "device.offline", "device.online"]
    assert [type(event) for event in house.events.published] == [DeviceHeard] * 3


async def test_a_device_that_talks_without_heartbeats_is_there() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heard(ESP, START)
    assert house.status() is DeviceStatus.ONLINE
    house.registry.hear(ESP, START + timedelta(seconds=100))
    await house.watch.sweep(START + timedelta(seconds=280))
    assert house.status() is DeviceStatus.ONLINE
    await house.watch.sweep(START + timedelta(seconds=281))
    assert house.status() is DeviceStatus.OFFLINE


async def test_nobody_is_silent_while_nobody_listens() -> None:
    house = Greenhouse()
    house.approve()
    house.registry.change_device(ESP, online=True, last_seen=START - timedelta(hours=1))
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(house.watch.run())
        await house.clock.until_asleep()
        await house.clock.advance(180)
        assert house.status() is DeviceStatus.ONLINE
        await house.clock.advance(SWEEP_EVERY.total_seconds())
        assert house.status() is DeviceStatus.OFFLINE
        watching.cancel()


async def test_a_device_that_only_sends_readings_is_seen_too_but_seldom_written() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heard(ESP, START)
    for second in range(0, 600, 5):
        house.registry.hear(ESP, START + timedelta(seconds=second))
        await house.watch.sweep(START + timedelta(seconds=second))
    row = house.storage.devices.rows[ESP]
    assert row.online
    assert row.last_seen is not None
    assert row.last_seen > START + timedelta(seconds=500)
    assert house.storage.devices.saved["presence"] == 1 + 600 // 95


async def test_a_device_that_is_removed_during_a_sweep_does_not_end_the_watch() -> None:
    house = Greenhouse()
    house.approve()
    house.registry.add_device(make_device("ESP_OTHER1", last_seen=START))
    house.storage.devices.rows["ESP_OTHER1"] = make_device("ESP_OTHER1")
    await house.watch.heartbeat(heartbeat())
    publish = house.events.publish

    class Removing:
        async def publish(self, event: DeviceHeard) -> None:
            house.registry.remove_device("ESP_OTHER1")
            await publish(event)

    house.watch.events = Removing()  # type: ignore[assignment]  # all that a sweep asks of it
    await house.watch.sweep(START + timedelta(hours=1))
    assert house.status() is DeviceStatus.OFFLINE
    assert house.registry.device("ESP_OTHER1") is None


async def test_a_device_that_fell_silent_was_last_seen_when_it_last_talked() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(heartbeat())
    house.registry.hear(ESP, START + timedelta(seconds=100))
    await house.watch.sweep(START + timedelta(seconds=300))
    assert house.storage.devices.rows[ESP].last_seen == START + timedelta(seconds=100)


async def test_a_last_will_takes_a_device_off_at_once() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(heartbeat())
    await house.watch.last_will(
        LastWill(esp_id=ESP, kaiser_id="god", received_at=START, reason="connection_lost")
    )
    assert house.status() is DeviceStatus.OFFLINE


async def test_the_topic_level_a_device_was_last_heard_on_is_remembered() -> None:
    house = Greenhouse()
    await house.watch.heartbeat(heartbeat(kaiser_id=""))
    assert house.storage.devices.rows[ESP].kaiser_id == ""


async def test_what_people_decided_survives_a_heartbeat() -> None:
    house = Greenhouse()
    await house.watch.heartbeat(heartbeat())
    approved = house.registry.change_device(ESP, approved=True, name="Bench 1")
    await house.storage.devices.save(approved)
    await house.watch.heartbeat(heartbeat(60))
    assert house.storage.devices.rows[ESP].approved
    assert house.storage.devices.rows[ESP].name == "Bench 1"


async def test_presence_is_kept_while_the_database_is_away() -> None:
    house = Greenhouse()
    house.approve()
    house.storage.available = False
    await house.watch.heartbeat(heartbeat())
    assert house.status() is DeviceStatus.ONLINE


async def test_a_report_makes_an_actuator_known_and_is_told() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.report(report(), live=True)
    heard, event = house.events.published
    assert isinstance(heard, DeviceHeard)
    assert isinstance(event, ActuatorChanged)
    assert (event.actuator.name, event.actuator.state.value) == ("pump on GPIO 5", 1.0)
    assert event.actuator.state.reported_at == START


async def test_a_retained_report_fills_an_empty_state_but_is_neither_news_nor_proof() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.report(report(), live=False)
    assert house.registry.actuator(Pin(ESP, 5)) is None
    await house.watch.report(report(value=0.0, is_active=False), live=True)
    house.events.published.clear()
    await house.watch.report(report(), live=False)
    actuator = house.registry.actuator(Pin(ESP, 5))
    assert actuator is not None
    assert actuator.state.value == 0.0
    assert house.events.published == []


async def test_nobody_is_made_known_by_a_will_or_a_word() -> None:
    house = Greenhouse()
    await house.watch.last_will(
        LastWill(esp_id=ESP, kaiser_id="god", received_at=START, reason="connection_lost")
    )
    await house.watch.heard(ESP, START)
    assert house.status() is None
    assert house.storage.devices.rows == {}


async def test_a_will_of_a_device_that_is_offline_is_no_news() -> None:
    house = Greenhouse()
    house.approve()
    will = LastWill(esp_id=ESP, kaiser_id="god", received_at=START, reason="connection_lost")
    await house.watch.last_will(will)
    assert house.notes.events == []
    assert house.events.published == []


async def test_nothing_is_told_of_a_device_that_was_not_let_in() -> None:
    house = Greenhouse()
    await house.watch.heartbeat(heartbeat())
    await house.watch.report(report(), live=True)
    await house.watch.sweep(START + timedelta(hours=1))
    await house.watch.heard(ESP, START + timedelta(hours=2))
    assert house.notes.events == [
        "device.discovered",
        "device.online",
        "device.offline",
        "device.online",
    ]
    assert house.events.published == []


async def test_a_report_discovers_the_device_that_makes_it() -> None:
    house = Greenhouse()
    await house.watch.report(report(), live=True)
    assert house.status() is DeviceStatus.DISCOVERED
    assert house.storage.actuators.rows[Pin(ESP, 5)].state.is_active


async def test_a_device_that_cannot_be_stored_stays_unknown_until_it_can() -> None:
    house = Greenhouse()
    house.storage.available = False
    assert await house.watch.heartbeat(heartbeat()) is None
    await house.watch.report(report(), live=True)
    assert house.status() is None
    assert house.notes.events == ["device.not_stored", "device.not_stored"]
    house.storage.available = True
    assert await house.watch.heartbeat(heartbeat(60)) is not None
    assert house.status() is DeviceStatus.DISCOVERED


async def test_an_actuator_that_cannot_be_stored_stays_unknown_until_it_can() -> None:
    house = Greenhouse()
    house.approve()
    house.storage.available = False
    await house.watch.report(report(), live=True)
    assert house.registry.actuator(Pin(ESP, 5)) is None
    assert house.notes.events == ["actuator.not_stored"]
    house.storage.available = True
    await house.watch.report(report(), live=True)
    assert house.registry.actuator(Pin(ESP, 5)) is not None


async def test_what_a_pin_does_is_told_while_the_database_is_away() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.report(report(value=0.0, is_active=False), live=True)
    house.storage.available = False
    house.events.published.clear()
    await house.watch.report(report(), live=True)
    (event,) = house.events.published
    assert isinstance(event, ActuatorChanged)
    assert event.actuator.state.is_active
    assert house.notes.events[-1] == "actuator.state_not_stored"


async def test_silent_devices_are_looked_for_every_few_seconds() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(heartbeat())
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(house.watch.run())
        await house.clock.until_asleep()
        await house.clock.advance(180)
        assert house.status() is DeviceStatus.ONLINE
        await house.clock.advance(SWEEP_EVERY.total_seconds())
        assert house.status() is DeviceStatus.OFFLINE
        watching.cancel()


# ---------------------------------------------------------------- restarts


def reporting(at: float, uptime: int, **said: object) -> Heartbeat:
    health = DeviceHealth(
        reported_at=START + timedelta(seconds=at),
        uptime_seconds=uptime,
        **said,  # type: ignore[arg-type]  # a test's shorthand
    )
    return heartbeat(at, health=health)


async def test_a_restart_is_noted_once_with_its_reason_and_kept_with_the_device() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(reporting(0, 5000, reset_reason="POWERON"))
    assert house.storage.devices.rows[ESP].last_boot_at == START - timedelta(seconds=5000)
    await house.watch.heartbeat(reporting(60, 3, reset_reason="BROWNOUT"))
    await house.watch.heartbeat(reporting(120, 63, reset_reason="BROWNOUT"))
    assert house.notes.events == ["device.online", "device.restarted"]
    assert house.notes.fields[-1]["reset_reason"] == "BROWNOUT"
    assert [said[0] for said in house.reports.said] == ["online", "restarted"]
    assert house.storage.devices.rows[ESP].last_boot_at == START + timedelta(seconds=57)


async def test_comings_and_goings_are_reported() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(heartbeat())
    await house.watch.sweep(START + timedelta(seconds=181))
    await house.watch.heard(ESP, START + timedelta(seconds=200))
    assert house.reports.said == [
        ("online", ESP),
        ("offline", ESP, "silent for 180 s"),
        ("online", ESP),
    ]
    assert house.reports.heartbeats == [(ESP, START)]


async def test_a_restart_while_the_server_was_away_is_noticed_by_the_next_server() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(reporting(0, 5000))
    successor = Greenhouse()
    successor.storage = successor.watch.storage = house.storage
    await successor.registry.load(house.storage)
    await successor.watch.heartbeat(reporting(7200, 6000))
    assert successor.notes.events == ["device.restarted"]


# ---------------------------------------------------------------- what is written, and how often


async def test_a_flood_of_heartbeats_is_no_flood_of_writes() -> None:
    house = Greenhouse()
    house.approve()
    for n in range(6000):
        await house.watch.heartbeat(reporting(n / 100, 100 + n // 100))
    saved = house.storage.devices.saved
    assert saved["presence"] == 60 / SEEN_EVERY.total_seconds()
    assert saved["health"] == 60 / REPORTS_WITHIN.total_seconds() * REPORTS
    last = house.registry.device(ESP)
    assert last is not None
    assert last.last_seen == START + timedelta(seconds=59.99)


async def test_every_report_at_an_ordinary_pace_becomes_history() -> None:
    house = Greenhouse()
    house.approve()
    for n in range(20):
        await house.watch.heartbeat(reporting(n * 5, 100 + n * 5))
    assert len(house.storage.health_history.rows) == 20
    assert house.storage.devices.saved["presence"] == 7


async def test_every_change_is_written_at_once() -> None:
    house = Greenhouse()
    house.approve()
    for n, change in enumerate(
        ({}, {"ip_address": "10.0.0.9"}, {"kaiser_id": "kaiser_02"}, {"kaiser_id": "god"}), 1
    ):
        await house.watch.heartbeat(heartbeat(n, **change))
        assert house.storage.devices.saved["presence"] == n
    await house.watch.announced(ESP, 7)
    assert house.storage.devices.rows[ESP].handover_epoch == 7
    await house.watch.announced(ESP, 7)
    await house.watch.announced("ESP_NOBODY", 7)
    assert house.storage.devices.saved["presence"] == 5
    will = LastWill(esp_id=ESP, kaiser_id="god", received_at=START, reason="connection_lost")
    await house.watch.last_will(will)
    assert not house.storage.devices.rows[ESP].online
    await house.watch.heartbeat(heartbeat(5))
    assert house.storage.devices.rows[ESP].online


async def test_what_diagnostics_said_stays_in_what_a_heartbeat_tells() -> None:
    house = Greenhouse()
    house.approve()
    await house.watch.heartbeat(reporting(0, 100, error_count=2, min_free_heap_bytes=90_000))
    await house.watch.heartbeat(reporting(60, 160, free_heap_bytes=120_000))
    stored = house.storage.devices.reports[ESP]
    assert (stored.error_count, stored.min_free_heap_bytes) == (2, 90_000)
    assert (stored.free_heap_bytes, stored.uptime_seconds) == (120_000, 160)


# ---------------------------------------------------------------- connections that keep breaking


async def lose(house: Greenhouse, *seconds: float) -> None:
    for at in seconds:
        await house.watch.heartbeat(heartbeat(at - 1))
        at_time = START + timedelta(seconds=at)
        await house.watch.last_will(
            LastWill(esp_id=ESP, kaiser_id="god", received_at=at_time, reason="connection_lost")
        )


async def test_a_connection_that_keeps_breaking_is_noted_once() -> None:
    house = Greenhouse()
    house.approve()
    await lose(house, 100, 400, 500, 600)
    assert house.notes.events.count("device.flapping") == 1
    await lose(house, 901)
    assert house.notes.events.count("device.flapping") == 1
    await lose(house, 1200)
    assert house.notes.events.count("device.flapping") == 2


async def test_two_breaks_far_apart_are_bad_luck() -> None:
    house = Greenhouse()
    house.approve()
    await lose(house, 100, 401, 702)
    assert "device.flapping" not in house.notes.events
