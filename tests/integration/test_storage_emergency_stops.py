"""Emergency stops are what a restart must find again, exactly as they were."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.emergency_stops import EmergencyStop, StoppedDevice
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_device
from tests.makers import make_emergency_stop, make_user
from tests.query_counting import counted_queries

DEVICES = ("ESP_12AB34", "ESP_FFFFFF")


async def stored(database: Database, stop: EmergencyStop) -> EmergencyStop | None:
    async with database.autocommit() as work:
        await work.emergency_stops.save(stop)
    async with database.autocommit() as work:
        return await work.emergency_stops.by_id(stop.id)


async def test_a_stop_comes_back_as_it_was_stored_with_its_devices(database: Database) -> None:
    for esp_id in DEVICES:
        await stored_device(database, esp_id)
    user = make_user(id=uuid7())
    async with database.unit_of_work() as work:
        await work.users.add(user)
    stop = make_emergency_stop(id=uuid7(), triggered_by=user.id).including(DEVICES)
    assert await stored(database, stop) == stop
    confirmed = stop.noting(StoppedDevice(esp_id=DEVICES[0], confirmed_at=START))
    cleared = confirmed.cleared(START + timedelta(seconds=9), user.id, resume=True)
    assert await stored(database, cleared) == cleared
    lost = cleared.noting(StoppedDevice(esp_id=DEVICES[0]))
    assert await stored(database, lost) == lost


async def test_a_stop_is_stored_in_one_statement_however_many_devices(database: Database) -> None:
    for esp_id in DEVICES:
        await stored_device(database, esp_id)
    for devices in (DEVICES[:1], DEVICES):
        async with counted_queries(database) as queries, database.autocommit() as work:
            await work.emergency_stops.save(make_emergency_stop(id=uuid7()).including(devices))
        assert len(queries) == 1


async def test_a_stop_for_all_is_stored_before_any_device_is_known(database: Database) -> None:
    stop = make_emergency_stop(id=uuid7())
    assert await stored(database, stop) == stop
    strange = stop.including(["ESP_000001"])
    assert await stored(database, strange) == stop


async def test_nobody_forgets_a_stop_because_its_device_is_removed(database: Database) -> None:
    await stored_device(database)
    stop = make_emergency_stop(id=uuid7(), esp_id=DEVICES[0], gpio=5).including(DEVICES[:1])
    await stored(database, stop)
    async with database.unit_of_work() as work:
        await work.devices.remove(DEVICES[0])
    async with database.autocommit() as work:
        assert await work.emergency_stops.unfinished() == [replace(stop, devices={})]


async def test_what_is_in_force_or_not_free_yet_is_found_at_the_next_start(
    database: Database,
) -> None:
    await stored_device(database)
    active = make_emergency_stop(id=UUID(int=1))
    waits = make_emergency_stop(id=UUID(int=2)).including(DEVICES[:1])
    waits = waits.cleared(START, None, resume=False)
    device = StoppedDevice(esp_id=DEVICES[0], released_at=START)
    resumes = replace(waits, id=UUID(int=3), resume=True).noting(device)
    over = replace(waits, id=UUID(int=4)).noting(device)
    for stop in (active, waits, resumes, over):
        await stored(database, stop)
    async with counted_queries(database) as queries, database.autocommit() as work:
        assert await work.emergency_stops.unfinished() == [active, waits, resumes]
    assert len(queries) == 1


async def test_stops_in_force_come_first_then_the_newest(database: Database) -> None:
    old = make_emergency_stop(id=uuid7())
    later = replace(old, id=uuid7(), triggered_at=START + timedelta(hours=1))
    cleared = later.cleared(START + timedelta(hours=2), None, resume=False)
    newest = replace(cleared, id=uuid7(), triggered_at=START + timedelta(hours=1, minutes=1))
    for stop in (old, cleared, newest):
        await stored(database, stop)
    async with database.autocommit() as work:
        assert await work.emergency_stops.newest(9) == [old, newest, cleared]
        assert await work.emergency_stops.newest(9, active=True) == [old]
        assert await work.emergency_stops.newest(1, active=False) == [newest]


async def test_cleared_stops_are_shown_until_they_concern_too_many_devices(
    database: Database,
) -> None:
    for esp_id in DEVICES:
        await stored_device(database, esp_id)
    stops = [
        make_emergency_stop(
            id=uuid7(),
            triggered_at=START + timedelta(seconds=number),
            cleared_at=START + timedelta(minutes=1) if number else None,
        ).including(DEVICES)
        for number in range(4)
    ]
    async with database.autocommit() as work:
        for stop in stops:
            await work.emergency_stops.save(stop)
        in_force, *cleared = stops
        for devices, shown in ((1, 0), (3, 1), (4, 1), (5, 2), (None, 3)):
            assert await work.emergency_stops.newest(9, devices=devices) == [
                in_force,
                *cleared[::-1][:shown],
            ]


async def test_a_stop_is_stored_at_once_however_many_others_wait_for_the_database(
    database: Database,
) -> None:
    stop = make_emergency_stop(id=uuid7())
    async with AsyncExitStack() as busy, asyncio.timeout(10):
        for _ in range(8):
            await busy.enter_async_context(database.unit_of_work())
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(database.check())
            async with database.kept_free().autocommit() as work:
                await work.emergency_stops.save(stop)
                assert await work.emergency_stops.by_id(stop.id) == stop
            assert not waiting.done()
            waiting.cancel()
