from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

from uuid_utils.compat import uuid7

from domain.devices import DeviceHealth, DeviceStatus, FirmwareGeneration
from domain.pages import Key, PageRequest
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_device
from tests.makers import make_device
from tests.query_counting import counted_queries

FULL = make_device(
    "ESP_FULL01",
    id=uuid7(),
    name="Fensterbank Süd",
    zone_id="south",
    ip_address="192.168.4.17",
    mac_address="24:6F:28:12:AB:34",
    firmware_version="4.1.0",
    hardware_type="ESP32_WROOM",
    last_seen=START + timedelta(microseconds=1),
    last_boot_at=START - timedelta(days=3),
    handover_epoch=2**31 - 1,
    firmware_generation=FirmwareGeneration.FEBRUARY_2026,
)


async def test_a_device_comes_back_as_it_was_stored(database: Database) -> None:
    async with database.unit_of_work() as work:
        assert await work.devices.add(FULL) == FULL
    async with database.unit_of_work() as work:
        assert await work.devices.by_esp_id("ESP_FULL01") == FULL
        assert await work.devices.by_esp_id("ESP_NOBODY") is None


async def test_a_known_name_returns_the_device_stored_first(database: Database) -> None:
    first = await stored_device(database, name="first")
    second = await stored_device(database, name="second")
    assert second == first


async def test_what_people_decide_and_what_is_heard_do_not_overwrite_each_other(
    database: Database,
) -> None:
    device = await stored_device(database)
    decided = replace(device, name="Beet 1", approved=False, zone_id="north")
    news: dict[str, Any] = {"ip_address": "10.0.0.9", "last_boot_at": START, "handover_epoch": 3}
    news["mac_address"] = "24:6F:28:12:AB:34"
    news["firmware_generation"] = FirmwareGeneration.APRIL_2026
    heard = replace(device, online=False, kaiser_id="kaiser_02", **news)
    async with database.unit_of_work() as work:
        await work.devices.save(decided)
        await work.devices.save_presence(heard)
        stored = await work.devices.by_esp_id(device.esp_id)
    assert stored == replace(decided, online=False, kaiser_id="kaiser_02", **news)


async def test_presence_can_be_forgotten_again(database: Database) -> None:
    device = await stored_device(database, ip_address="10.0.0.9")
    async with database.unit_of_work() as work:
        await work.devices.save_presence(replace(device, ip_address=None, last_seen=None))
        stored = await work.devices.by_esp_id(device.esp_id)
    assert stored == replace(device, ip_address=None, last_seen=None)


async def test_pages_walk_all_devices_by_name_once(database: Database) -> None:
    names = ["ESP_B", "ESP_a", "ESP_A", "ESP_ä", "ESP_C"]
    for name in names:
        await stored_device(database, name)
    seen, after = [], None
    async with database.unit_of_work() as work:
        while True:
            page = await work.devices.page(PageRequest(2, after))
            seen += [entry.item.esp_id for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
    assert seen == sorted(names)


async def test_search_looks_into_both_names_and_takes_every_character_as_itself(
    database: Database,
) -> None:
    await stored_device(database, "ESP_ONE", name="Tomaten 100%")
    await stored_device(database, "ESPXTWO", name="tomato_bed")
    async with database.unit_of_work() as work:
        for search, found in [
            ("toma", ["ESPXTWO", "ESP_ONE"]),
            ("esp_", ["ESP_ONE"]),
            ("0%", ["ESP_ONE"]),
            ("TO_B", ["ESPXTWO"]),
            ("nothing", []),
            ("", ["ESPXTWO", "ESP_ONE"]),
        ]:
            page = await work.devices.page(PageRequest(), search=search)
            assert [entry.item.esp_id for entry in page.entries] == found
            assert await work.devices.count(search=search) == len(found)


def selections() -> Iterator[tuple[DeviceStatus, ...]]:
    for size in range(len(DeviceStatus) + 1):
        yield from combinations(DeviceStatus, size)


async def test_devices_are_selected_by_the_status_that_clients_see(database: Database) -> None:
    devices = [
        await stored_device(
            database, f"ESP_{approved:d}{online:d}", approved=approved, online=online
        )
        for approved in (False, True)
        for online in (False, True)
    ]
    assert {device.status for device in devices} == set(DeviceStatus) - {DeviceStatus.ERROR}
    async with database.unit_of_work() as work:
        for statuses in (None, *selections(), [DeviceStatus.ONLINE] * 5000):
            wanted = [d for d in devices if statuses is None or d.status in statuses]
            page = await work.devices.page(PageRequest(), statuses=statuses)
            assert [entry.item for entry in page.entries] == wanted
            assert await work.devices.count(statuses=statuses) == len(wanted)


async def test_status_search_and_cursor_narrow_together(database: Database) -> None:
    for number in range(6):
        name = "north bed" if number < 5 else "shed"
        await stored_device(database, f"ESP_{number}", name=name, online=number % 2 == 0)
    statuses = (DeviceStatus.ONLINE, DeviceStatus.DISCOVERED)
    pages: list[list[str]] = []
    after: Key | None = None
    async with database.unit_of_work() as work:
        assert await work.devices.count(statuses=statuses, search="BED") == 3
        while len(pages) < 2:
            page = await work.devices.page(PageRequest(2, after), statuses=statuses, search="BED")
            pages.append([entry.item.esp_id for entry in page.entries])
            after = page.entries[-1].key
    assert pages == [["ESP_0", "ESP_2"], ["ESP_4"]]
    assert not page.has_next


async def test_devices_are_selected_by_the_level_they_are_heard_on(database: Database) -> None:
    for esp_id, level in [("ESP_A", "god"), ("ESP_B", ""), ("ESP_C", "relay_2")]:
        await stored_device(database, esp_id, kaiser_id=level)
    async with database.unit_of_work() as work:
        for level, found in [("god", "ESP_A"), ("", "ESP_B"), ("relay_2", "ESP_C")]:
            page = await work.devices.page(PageRequest(), kaiser_id=level)
            assert [entry.item.esp_id for entry in page.entries] == [found]
            assert await work.devices.count(kaiser_id=level) == 1


async def test_only_the_newest_health_report_is_kept(database: Database) -> None:
    device = await stored_device(database)
    first = DeviceHealth(reported_at=START, uptime_seconds=5, wifi_rssi_dbm=-61)
    second = DeviceHealth(
        reported_at=START + timedelta(minutes=1),
        system_state="OPERATIONAL",
        free_heap_bytes=2**33,
        safe_mode=True,
        sensor_count=3,
        actuator_count=0,
    )
    async with database.unit_of_work() as work:
        assert await work.devices.health([device.esp_id]) == {}
        await work.devices.save_health(device.esp_id, first)
        assert await work.devices.health([device.esp_id, "ESP_X"]) == {device.esp_id: first}
        await work.devices.save_health(device.esp_id, second)
        assert await work.devices.health([device.esp_id]) == {device.esp_id: second}


async def test_a_report_of_an_unknown_device_is_nobodys(database: Database) -> None:
    async with database.unit_of_work() as work:
        await work.devices.save_health("ESP_NOBODY", DeviceHealth(reported_at=START))
        assert await work.devices.health(["ESP_NOBODY"]) == {}


async def test_many_devices_cost_one_query(database: Database) -> None:
    names = [f"ESP_{number:03}" for number in range(30)]
    for name in names:
        await stored_device(database, name)
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        assert set(await work.devices.by_esp_ids([*names, "ESP_X"])) == set(names)
        assert len(await work.devices.all()) == 30
        await work.devices.health(names)
        await work.devices.page(PageRequest(10))
    assert len(queries) == 4
