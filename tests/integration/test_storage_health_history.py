"""The history of devices' health in PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.devices import DeviceHealth
from domain.errors import BadInputError
from domain.health_history import superfluous
from domain.pages import Key, PageRequest
from domain.services.registry import Registry
from domain.services.thin_health import ThinHealthHistory
from storage.connection import Database
from tests.fakes import FakeClock
from tests.integration.storing import NOON, at, stored_device

FULL = DeviceHealth(
    reported_at=at(0),
    system_state="OPERATIONAL",
    uptime_seconds=2**31 - 1,
    free_heap_bytes=152_340,
    min_free_heap_bytes=90_000,
    heap_fragmentation_percent=100,
    wifi_rssi_dbm=-61,
    safe_mode=True,
    sensor_count=3,
    actuator_count=2,
    error_count=7,
)


class Silent:
    def info(self, event: str, **_fields: object) -> None:
        pass

    warning = info


async def report(database: Database, esp_id: str, *reports: DeviceHealth) -> None:
    async with database.autocommit() as work:
        for health in reports:
            await work.devices.save_health(esp_id, health)


async def history(database: Database, esp_id: str = "ESP_12AB34") -> list[DeviceHealth]:
    async with database.autocommit() as work:
        page = await work.health_history.page(esp_id, PageRequest(1000))
    return [entry.item for entry in page.entries]


async def test_every_report_is_kept_as_it_was_and_the_newest_is_the_device_s_health(
    database: Database,
) -> None:
    await stored_device(database)
    bare = DeviceHealth(reported_at=at(60))
    boot = replace(FULL, boot_sequence_id="ESP_12AB34-b7-r2", reset_reason="BROWNOUT")
    await report(database, "ESP_12AB34", bare, replace(boot, reported_at=at(120)))
    assert await history(database) == [replace(FULL, reported_at=at(120)), bare]
    async with database.autocommit() as work:
        newest = {"ESP_12AB34": replace(boot, reported_at=at(120))}
        assert await work.devices.health(["ESP_12AB34"]) == newest
        assert await work.devices.all_health() == newest


async def test_a_report_that_comes_twice_is_kept_once(database: Database) -> None:
    await stored_device(database)
    await report(database, "ESP_12AB34", FULL, FULL)
    assert await history(database) == [FULL]


async def test_a_report_of_nobody_is_not_kept(database: Database) -> None:
    await report(database, "ESP_NOBODY", FULL)
    assert await history(database, "ESP_NOBODY") == []


async def test_pages_walk_one_device_s_reports_within_bounds(database: Database) -> None:
    for esp_id in ("ESP_12AB34", "ESP_OTHER1"):
        await stored_device(database, esp_id)
        reports = [replace(FULL, reported_at=at(n), error_count=n) for n in range(10)]
        await report(database, esp_id, *reports)
    walked, after = [], None
    async with database.autocommit() as work:
        while True:
            request = PageRequest(3, after)
            page = await work.health_history.page("ESP_12AB34", request, start=at(1), end=at(9))
            walked += [entry.item.error_count for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
    assert walked == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("key", [("x",), (1, 2), (10**30,)])
async def test_a_key_of_another_list_is_refused(database: Database, key: Key) -> None:
    async with database.autocommit() as work:
        with pytest.raises(BadInputError):
            await work.health_history.page("ESP_12AB34", PageRequest(3, key))


async def test_the_job_thins_each_device_s_own_history(database: Database) -> None:
    registry = Registry()
    for esp_id in ("ESP_12AB34", "ESP_OTHER1"):
        registry.add_device(await stored_device(database, esp_id))
    minutes = [NOON - timedelta(minutes=n) for n in range(36 * 60, 0, -5)]
    half = [time + timedelta(seconds=150) for time in minutes]
    times = sorted(minutes + half)
    await report(database, "ESP_12AB34", *(replace(FULL, reported_at=t) for t in times))
    await report(database, "ESP_OTHER1", *(replace(FULL, reported_at=t) for t in minutes))
    job = ThinHealthHistory(
        storage=database, registry=registry, clock=FakeClock(automatic=True), journal=Silent()
    )
    gone = superfluous(times, NOON)
    assert await job.thin(NOON) == len(gone) == 12 * 12
    left = [health.reported_at for health in await history(database)]
    assert sorted(left) == sorted(set(times) - set(gone))
    assert len(await history(database, "ESP_OTHER1")) == len(minutes)
