"""What growers are told of a device's presence: each thing once, and nothing over and over."""

from datetime import timedelta

from domain.devices import DeviceHealth, Discovery
from domain.presence import FLAPPING_WITHIN
from tests.fakes import START
from tests.unit.test_watch_devices import ESP, Greenhouse, heartbeat, lose


def known(house: Greenhouse) -> Greenhouse:
    house.approve()
    house.registry.change_device(ESP, last_seen=START)
    return house


async def test_a_connection_that_keeps_breaking_is_one_event() -> None:
    house = known(Greenhouse())
    await lose(house, 100, 200, 300, 400, 500)
    assert house.reports.said == [
        ("online", ESP),
        ("offline", ESP, "connection_lost"),
        ("online", ESP),
        ("flapping", ESP, "connection_lost"),
    ]


async def test_it_is_told_once_that_a_connection_holds_again() -> None:
    house = known(Greenhouse())
    await lose(house, 100, 200)
    await house.watch.heartbeat(heartbeat(210))
    house.reports.said.clear()
    end = START + timedelta(seconds=200) + FLAPPING_WITHIN
    await house.watch.heartbeat(heartbeat(450))
    await house.watch.sweep(end)
    assert house.reports.said == []
    for later in (1, 6):
        await house.watch.sweep(end + timedelta(seconds=later))
    assert house.reports.said == [("steady", ESP)]


async def test_a_device_that_did_not_come_back_after_its_last_break_is_told_as_gone() -> None:
    house = known(Greenhouse())
    await lose(house, 100, 200)
    house.reports.said.clear()
    await house.watch.sweep(START + timedelta(seconds=201) + FLAPPING_WITHIN)
    assert house.reports.said == [("offline", ESP, "its connection kept breaking, and stayed away")]


async def test_a_device_that_nobody_let_in_is_introduced_once() -> None:
    house = Greenhouse()
    await house.watch.discovered(ESP, "god")
    await house.watch.discovered(ESP, "god")
    await house.watch.heartbeat(heartbeat())
    await house.watch.heartbeat(heartbeat(60))
    assert [said for said in house.reports.said if said[0] == "discovered"] == [
        ("discovered", ESP, START)
    ]
    assert house.storage.devices.rows[ESP].kaiser_id == "god"


async def test_a_device_that_was_heard_before_is_not_introduced_again() -> None:
    house = Greenhouse()
    house.approve()
    house.registry.change_device(ESP, approved=False, last_seen=START)
    await house.watch.heartbeat(heartbeat())
    assert ("discovered", ESP, START) not in house.reports.said


async def test_a_device_that_is_let_in_at_once_needs_no_introduction() -> None:
    house = Greenhouse(Discovery.AUTO)
    await house.watch.heartbeat(heartbeat())
    assert house.reports.said == [("online", ESP)]


async def test_safe_mode_is_told_when_it_begins_and_when_it_ends() -> None:
    house = known(Greenhouse())
    for second, active in ((0, False), (60, True), (120, True), (180, False)):
        at = START + timedelta(seconds=second)
        health = DeviceHealth(
            reported_at=at, system_state="SAFE_MODE" if active else "OPERATIONAL", safe_mode=active
        )
        await house.watch.heartbeat(heartbeat(second, health=health))
    assert [said for said in house.reports.said if said[0] == "safe mode"] == [
        ("safe mode", ESP, True, ""),
        ("safe mode", ESP, False, ""),
    ]


async def test_a_report_of_safe_mode_changes_the_health_and_nothing_else_of_it() -> None:
    house = known(Greenhouse())
    await house.watch.heartbeat(heartbeat())
    later = START + timedelta(seconds=30)
    for _ in range(2):
        await house.watch.safe_mode(ESP, later, active=True, reason="watchdog")
    stored = house.storage.devices.reports[ESP]
    assert (stored.safe_mode, stored.free_heap_bytes, stored.reported_at) == (True, 152_340, START)
    assert house.reports.said == [("online", ESP), ("safe mode", ESP, True, "watchdog")]


async def test_nothing_is_noted_of_the_safe_mode_of_a_stranger() -> None:
    house = Greenhouse()
    await house.watch.safe_mode(ESP, START, active=True, reason="")
    assert house.reports.said == []
    assert house.registry.health(ESP) is None
