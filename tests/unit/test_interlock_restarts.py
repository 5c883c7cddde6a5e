"""A restart forgets nothing that an interlock must know; what nobody knows any more means no."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rules.conditions import (
    Condition,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Rate,
    Threshold,
)
from domain.safeguards import Safeguards
from domain.sensors import CLOCK_AHEAD, Quality
from domain.services.recall_conditions import PAGE
from tests.safeguarding import (
    FULL_ENOUGH,
    LEVEL,
    MINUTE,
    PUMP,
    Plant,
    a_copy_that_is_loaded_again,
)

TANK_ONLY = Safeguards(interlocks=(FULL_ENOUGH,))
FILLED = Hysteresis(sensor=LEVEL.key, activate=20.0, deactivate=10.0, rising=True, unit="%")
Moments: TypeAlias = Sequence[tuple[float, float, Quality, float]]
"""Seconds that pass, a value, its quality, and how many seconds ago it was measured."""


def watching(safeguards: Safeguards) -> Plant:
    plant = Plant(safeguards)
    plant.interlocks.of(PUMP)  # from now on its sensors are followed
    return plant


async def restarted(plant: Plant, safeguards: Safeguards) -> Plant:
    later = a_copy_that_is_loaded_again(plant, safeguards)
    await later.world.load()
    return later


@pytest.mark.parametrize(("before", "refused"), [(25.0, False), (5.0, True)])
async def test_between_both_limits_a_hysteresis_is_after_a_restart_as_it_was(
    before: float,
    refused: bool,  # noqa: FBT001 - the story
) -> None:
    safeguards = Safeguards(interlocks=(FILLED,))
    plant = watching(safeguards)
    plant.hear(before)
    plant.hear(15.0, quality=Quality.BAD)
    plant.hear(15.0)
    assert (plant.ask() is not None) is refused
    later = await restarted(plant, safeguards)
    assert "which of both it crossed last is not known" in (later.ask() or "")
    async with later.watched():
        assert (later.ask() is not None) is refused


async def test_it_is_found_however_many_readings_lie_between() -> None:
    safeguards = Safeguards(interlocks=(FILLED,))
    plant = watching(safeguards)
    plant.hear(25.0)
    for _ in range(PAGE + 1):
        await plant.clock.advance(60.0)
        plant.hear(15.0)
    later = await restarted(plant, safeguards)
    async with later.watched():
        assert later.ask() is None


async def test_it_is_found_of_a_board_whose_clock_is_as_far_ahead_as_is_believed() -> None:
    safeguards = Safeguards(interlocks=(FILLED,))
    plant = watching(safeguards)
    plant.hear(25.0, ago=-CLOCK_AHEAD.total_seconds())
    plant.hear(15.0, ago=-CLOCK_AHEAD.total_seconds())
    await plant.clock.advance(1.0)
    later = await restarted(plant, safeguards)
    async with later.watched():
        assert later.ask() is None


async def test_how_long_it_has_been_so_survives_a_restart_and_so_does_that_it_was_not() -> None:
    safeguards = Safeguards(interlocks=(replace(FULL_ENOUGH, hold_for=MINUTE),))
    plant = watching(safeguards)
    plant.hear(80.0)
    await plant.clock.advance(50.0)
    plant.hear(80.0)
    later = await restarted(plant, safeguards)
    async with later.watched():
        assert later.ask() is not None
        await later.clock.advance(10.0)
        assert later.ask() is None
        later.command()
        await later.clock.advance(1.0)
        assert later.off == []
        later.hear(3.0)
        later.hear(80.0)
    again = await restarted(later, safeguards)
    async with again.watched():
        await again.clock.advance(59.0)
        assert again.ask() is not None
        await again.clock.advance(1.0)
        assert again.ask() is None


async def test_where_nobody_remembers_which_limit_was_crossed_the_answer_is_no_either_way() -> None:
    for condition in (FILLED, Not(FILLED)):
        plant = Plant(Safeguards(interlocks=(condition,)))
        plant.hear(15.0)
        assert "which of both it crossed last is not known" in (plant.ask() or "")


async def test_where_nobody_remembers_since_when_it_is_so_the_answer_is_no_either_way() -> None:
    low = Threshold(sensor=LEVEL.key, limit=Limit(Operator.LT, 10.0), hold_for=MINUTE)
    plant = Plant(Safeguards(interlocks=(Not(low),)))
    async with plant.watched():
        plant.hear(3.0)
        assert "since when it has been so is not known" in (plant.ask() or "")
        plant.hear(80.0)
        assert plant.ask() is None
        plant.hear(3.0)
        assert plant.ask() is None
        await plant.clock.advance(60.0)
        assert plant.ask() is not None


async def test_what_cannot_be_remembered_in_time_means_no_until_it_is_known_again() -> None:
    safeguards = Safeguards(interlocks=(FILLED,))
    plant = watching(safeguards)
    plant.hear(25.0)
    plant.hear(15.0)
    later = await restarted(plant, safeguards)
    later.command()
    plant.storage.available = False
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(later.interlocks.run())
        await later.interlocks.recalled.wait()
        await later.clock.until_asleep(1)
        assert "not known" in (later.ask() or "")
        assert [pin for pin, *_ in later.off] == [PUMP]
        later.hear(25.0)
        assert later.ask() is None
        watch.cancel()


async def test_what_is_declared_while_the_server_remembers_is_not_lost() -> None:
    plant = Plant(TANK_ONLY)
    plant.hear(25.0)
    later = await restarted(plant, Safeguards(interlocks=(FILLED,)))
    async with asyncio.TaskGroup() as group:
        group.create_task(later.interlocks._recall())
        await asyncio.sleep(0)
        later.declare(Safeguards(interlocks=(FILLED, replace(FULL_ENOUGH, hold_for=MINUTE))))
    assert [verdict.holds for verdict in later.interlocks.verdicts(PUMP)] == [True, None]


MOMENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 5.0, 20.0, 70.0]),
        st.sampled_from([5.0, 9.0, 15.0, 21.0, 25.0]),
        st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.BAD]),
        st.sampled_from([0.0, 0.0, 3.0, 30.0]),
    ),
    max_size=6,
)
REMEMBERING = st.sampled_from(
    [
        FILLED,
        Not(FILLED),
        replace(FULL_ENOUGH, hold_for=MINUTE, max_age=2 * MINUTE),
        Not(replace(FULL_ENOUGH, hold_for=MINUTE)),
        Rate(sensor=LEVEL.key, limit=Limit(Operator.GT, 0.0), over=MINUTE, unit="%"),
    ]
)


@settings(max_examples=50, deadline=None)
@given(condition=REMEMBERING, before=MOMENTS, after=MOMENTS)
def test_no_restart_makes_an_answer_yes_that_would_have_been_no(
    condition: Condition, before: Moments, after: Moments
) -> None:
    async def live() -> None:
        safeguards = Safeguards(interlocks=(condition,))
        plant = watching(safeguards)
        plant.interlocks.of(PUMP)
        await hear_all(plant, before)
        later = await restarted(plant, safeguards)
        async with later.watched():
            for moment in ((0.0, 15.0, Quality.GOOD, 0.0), *after):
                await hear_all(plant, [moment])
                await hear_all(later, [moment])
                (was,), (now,) = plant.interlocks.verdicts(PUMP), later.interlocks.verdicts(PUMP)
                assert now.holds is was.holds or now.holds is None

    asyncio.run(live())


async def hear_all(plant: Plant, moments: Moments) -> None:
    for seconds, value, quality, ago in moments:
        await plant.clock.advance(seconds)
        plant.hear(value, quality=quality, ago=ago)
