"""Rules at the edges of time and of what sensors say: storms, jumps of the clock, limits, wakes."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from domain.rule_executions import RuleOutcome
from domain.rules.decide import Reason
from domain.sensors import Quality, Reading
from tests.automation import BEDS, SENSOR, Greenhouse, above, cold, rule
from tests.fakes import START
from tests.makers import make_sensor

OTHER = make_sensor(gpio=9, id=2)
HOT = {"notify": {"message": "Hot.", "severity": "INFO"}}
MINUTE = 60.0


def hot(condition: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    """Return a rule that only tells people, so that nobody holds anything."""
    return rule(condition, HOT, **more)


def seconds(house: Greenhouse) -> list[float]:
    """Return when executions began, in seconds of the house's clock."""
    return [(one.triggered_at - START).total_seconds() for one in house.executions()]


def storm(last: Reading, values: Iterable[float], quality: Quality) -> list[Reading]:
    """Return readings of the minutes before one that was received already."""
    return [
        last._replace(
            id=last.id + number,
            measured_at=last.measured_at - timedelta(minutes=number),
            measurement=last.measurement._replace(value=value, quality=quality),
        )
        for number, value in enumerate(values, start=1)
    ]


@pytest.mark.parametrize("quality", [Quality.GOOD, Quality.SUSPECT])
async def test_a_storm_of_late_readings_after_an_outage_does_nothing(quality: Quality) -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(hot(above(30), name="Hot"))
        await house.manage.create(rule(cold(), name="Cold"))
        newest = await house.read(25)
        house.world(storm(newest, [31, 17, 29, 15] * 50, quality))
        await house.pass_(1)
    assert house.executions() == []
    assert house.sent() == []


async def test_a_reading_that_is_told_twice_is_one() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(hot(above(30)))
        first = await house.read(31)
        await house.read(29)
        again = await house.read(31)
        house.world([again, first, again])
        await house.pass_(1)
    assert len(house.executions()) == 2


async def test_of_several_sensors_each_has_its_latest_good_value_until_that_is_too_old() -> None:
    warmer = {
        "comparison": {
            "left": SENSOR,
            "operator": "GT",
            "right": {**SENSOR, "gpio": OTHER.key.gpio},
            "offset": 5,
            "maxAge": "PT5M",
        }
    }
    async with Greenhouse().running() as house:
        house.registry.put_sensors([OTHER])
        await house.manage.create(hot(warmer))
        await house.read(20, sensor=OTHER)
        await house.pass_(2 * MINUTE)
        await house.read(21, sensor=OTHER, quality=Quality.SUSPECT)
        await house.read(26)
        assert len(house.executions()) == 1, "the bad one hides nothing"
        await house.read(24)
        await house.pass_(3 * MINUTE)
        await house.read(26)
        assert len(house.executions()) == 1, "the other one is too old by now"
        await house.read(20, sensor=OTHER)
    assert len(house.executions()) == 2


async def test_time_alone_runs_a_rule_that_waits_for_it() -> None:
    stale = {"stale": {"sensor": SENSOR, "olderThan": "PT10M"}}
    async with Greenhouse().running() as house:
        lasting = await house.manage.create(hot(above(30, holdFor="PT5M"), name="Lasting"))
        silent = await house.manage.create(hot(stale, name="Silent"))
        await house.read(31)
        await house.pass_(11 * MINUTE)
    found = {one.rule_id: at for one, at in zip(house.executions(), seconds(house), strict=True)}
    assert found == {lasting.rule.id: 5 * MINUTE, silent.rule.id: 10 * MINUTE}
    assert all(one.triggered_by is None for one in house.executions())


async def test_a_time_that_readings_put_off_comes_once() -> None:
    stale = {"stale": {"sensor": SENSOR, "olderThan": "PT10M"}}
    async with Greenhouse().running() as house:
        await house.manage.create(hot(stale))
        for _ in range(5):
            await house.read(20)
            await house.pass_(MINUTE)
        before = house.automate.counts.judged
        await house.pass_(12 * MINUTE)
    assert seconds(house) == [14 * MINUTE]
    assert house.automate.counts.judged == before + 1


async def test_a_cooldown_puts_the_next_execution_off_and_does_not_lose_it() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(hot(above(30), cooldown="PT5M"))
        for value in (31, 29, 31):
            await house.read(value)
            await house.pass_(MINUTE)
        await house.pass_(10 * MINUTE)
    assert seconds(house) == [0, 5 * MINUTE]


async def test_it_runs_no_more_often_within_an_hour_than_it_may() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(hot(above(30), maxExecutionsPerHour=2))
        for minute in range(7):
            if minute == 4:
                house.clock.start += timedelta(minutes=55)
            await house.read(31)
            await house.pass_(MINUTE / 2)
            await house.read(29)
            await house.pass_(MINUTE / 2)
    assert seconds(house) == [0, MINUTE, 60 * MINUTE, 61 * MINUTE]


WINDOWS = [
    {"timeWindow": {"start": f"{hour:02}:00", "end": f"{hour:02}:30", "timeZone": "UTC"}}
    for hour in range(24)
]


@pytest.mark.parametrize("days", [1, 30, 400])
async def test_a_clock_that_jumps_ahead_makes_up_for_nothing(days: int) -> None:
    async with Greenhouse().running() as house:
        for number, window in enumerate(WINDOWS):
            await house.manage.create(hot(window, name=f"Window {number}"))
        await house.pass_(1)
        assert len(house.executions()) == 1, "the one that is open at noon"
        house.clock.start += timedelta(days=days, hours=3, minutes=10)
        await house.pass_(5)
    found = {house.manage.find(one.rule_id).rule.name for one in house.executions()}
    assert found == {"Window 12", "Window 15"}
    assert len(house.executions()) == 2


async def test_a_time_that_is_lived_through_twice_runs_nothing_twice() -> None:
    window = {"timeWindow": {"start": "12:02", "end": "12:12", "timeZone": "UTC"}}
    async with Greenhouse().running() as house:
        await house.manage.create(hot(window, name="Window"))
        await house.manage.create(hot(above(30, holdFor="PT1M"), name="Hot"))
        for minute in range(15):
            await house.read(31 if minute < 10 else 29)
            await house.pass_(MINUTE)
        assert len(house.executions()) == 2
        house.clock.start -= timedelta(minutes=14)
        for _ in range(12):
            await house.read(31)
            await house.pass_(MINUTE)
        assert len(house.executions()) == 2
        await house.pass_(2 * MINUTE)
    assert len(house.executions()) == 3, "it is hot, and the clock has caught up"


async def test_what_is_skipped_is_wanted_while_its_condition_holds_and_told_once_each() -> None:
    async with Greenhouse().running() as house:
        await house.manage.create(rule(above(30)))
        await house.pass_(1)
        house.online(BEDS, False)
        for value in (31, 29, 31, 32):
            await house.read(value)
            await house.pass_(MINUTE)
        skipped = [one.outcome for one in house.executions()]
        assert skipped == [RuleOutcome.SKIPPED] * 2
        house.online(BEDS, True)
        await house.pass_(MINUTE)
    assert [one.why for one in house.executions()] == [Reason.TRUE, Reason.TRUE, Reason.RETURNED]
    assert len(house.sent()) == 1
