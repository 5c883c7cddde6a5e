"""A heater that does not heat and a pump without flow are told, and switched off where wanted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.safeguards import Effect, Safeguards
from domain.sensors import Quality
from domain.system_events import EventKind, Severity
from tests.fakes import until
from tests.safeguarding import FLOW, FLOWING, MINUTE, PUMP, Plant, a_copy_that_is_loaded_again

TEN = timedelta(seconds=10)


def watching(*, switch_off: bool = False) -> Safeguards:
    return Safeguards(effect=Effect(condition=FLOWING, within=TEN, switch_off=switch_off))


async def test_an_effect_in_time_is_no_news() -> None:
    plant = Plant(watching(switch_off=True))
    async with plant.watched():
        plant.command()
        await plant.clock.advance(5.0)
        plant.hear(2.0, FLOW)
        await plant.clock.advance(1.0)
        # Once it was seen it is not asked for again in this run.
        plant.hear(0.0, FLOW)
        await plant.clock.advance(60.0)
    assert (plant.off, plant.told) == ([], [])


async def test_an_effect_that_is_missing_is_told_with_what_is_missing() -> None:
    plant = Plant(watching())
    async with plant.watched():
        plant.command()
        plant.hear(0.0, FLOW)
        await plant.clock.advance(10.0)
        assert plant.told == []
        await plant.clock.advance(0.5)
        await plant.clock.advance(60.0)
    (event,) = plant.told
    assert (event.kind, event.severity) == (EventKind.EFFECT_MISSING, Severity.ERROR)
    assert event.message == (
        "ESP_12AB34, pump on GPIO 5: is on and did not have the effect that it should within 10 s: "
        "flow of ESP_12AB34 is 0 L/min, and must be above 0.5 L/min. Go and look."
    )
    assert plant.off == []


async def test_where_people_want_it_it_is_switched_off() -> None:
    plant = Plant(watching(switch_off=True))
    async with plant.watched():
        plant.command()
        await plant.clock.advance(10.5)
    ((pin, why, kind, severity),) = plant.off
    assert (pin, kind, severity) == (PUMP, EventKind.EFFECT_MISSING, Severity.ERROR)
    assert why.endswith("within 10 s: flow of ESP_12AB34 has not said anything yet")


async def test_what_flowed_before_proves_nothing() -> None:
    plant = Plant(watching(switch_off=True))
    plant.hear(5.0, FLOW)
    await plant.clock.advance(30.0)
    async with plant.watched():
        plant.command()
        await plant.clock.advance(10.5)
    assert len(plant.off) == 1


@pytest.mark.parametrize("by", [-3600, 3600])
async def test_an_effect_is_seen_though_the_clock_is_set_meanwhile(by: int) -> None:
    plant = Plant(watching(switch_off=True))
    async with plant.watched():
        plant.command()
        await plant.clock.advance(1.0)
        plant.clock.start += timedelta(seconds=by)
        plant.leases.settle(plant.now())
        await plant.clock.advance(1.0)
        plant.hear(5.0, FLOW)
        await plant.clock.advance(10.0)
    assert (plant.off, plant.told) == ([], [])


async def test_the_time_runs_from_the_confirmation_and_anew_with_each_run() -> None:
    plant = Plant(watching())
    async with plant.watched():
        lease = plant.command(confirmed=False)
        await plant.clock.advance(8.0)
        plant.leases.confirmed(PUMP, lease)
        await plant.clock.advance(5.0)
        plant.report(PUMP, on=False)
        await plant.clock.advance(1.0)
        plant.command()
        await plant.clock.advance(9.0)
        assert plant.told == []
        await plant.clock.advance(2.0)
    assert len(plant.told) == 1


async def test_a_restart_goes_on_watching_with_the_full_time() -> None:
    plant = Plant(watching())
    async with plant.watched():
        plant.command()
        await plant.clock.advance(5.0)
    later = a_copy_that_is_loaded_again(plant, watching())
    async with later.watched():
        await later.clock.advance(9.0)
        assert later.told == []
        await later.clock.advance(2.0)
    assert len(later.told) == 1


async def test_what_was_seen_before_a_restart_still_counts() -> None:
    steadily = Safeguards(
        effect=Effect(condition=replace(FLOWING, hold_for=MINUTE), within=1.5 * MINUTE)
    )
    plant = Plant(steadily)
    async with plant.watched():
        plant.hear(2.0, FLOW)  # before it is on, which proves nothing
        await plant.clock.advance(10.0)
        plant.command()
        await plant.clock.advance(5.0)
        plant.hear(2.0, FLOW)
        await plant.clock.advance(20.0)
        plant.hear(0.0, FLOW, Quality.BAD)
        plant.hear(2.0, FLOW)
        await plant.clock.advance(25.0)
    later = a_copy_that_is_loaded_again(plant, steadily)
    await later.world.load()
    async with later.watched():
        await later.clock.advance(16.0)
        await until(lambda: bool(plant.storage.safeguards.times))
        await later.clock.advance(100.0)
    assert later.told == []


async def test_what_was_seen_of_another_run_before_a_restart_does_not_count() -> None:
    steadily = Safeguards(
        effect=Effect(condition=replace(FLOWING, hold_for=MINUTE), within=1.5 * MINUTE)
    )
    plant = Plant(steadily)
    plant.hear(2.0, FLOW)
    await plant.clock.advance(55.0)
    plant.command()
    later = a_copy_that_is_loaded_again(plant, steadily)
    await later.world.load()
    async with later.watched():
        later.hear(2.0, FLOW)
        await later.clock.advance(10.0)
        assert later.storage.safeguards.times == {}


async def test_a_run_that_was_decided_is_not_judged_again_after_a_restart() -> None:
    plant = Plant(watching())
    async with plant.watched():
        plant.command()
        await plant.clock.advance(3.0)
        plant.hear(2.0, FLOW)
        await until(lambda: bool(plant.storage.safeguards.times))
        await plant.clock.advance(1.0)
    later = a_copy_that_is_loaded_again(plant, watching())
    async with later.watched():
        await later.clock.advance(60.0)
    assert later.told == []


async def test_with_the_database_away_the_watch_goes_on() -> None:
    plant = Plant(watching())
    async with plant.watched():
        plant.storage.available = False
        plant.command()
        await plant.clock.advance(10.5)
        assert len(plant.told) == 1
        plant.storage.available = True
        await until(lambda: bool(plant.storage.safeguards.times), turns=10_000)


async def test_what_is_watched_no_more_is_forgotten() -> None:
    plant = Plant(watching())
    async with plant.watched():
        plant.command()
        await plant.clock.advance(5.0)
        plant.declare(Safeguards())
        await plant.clock.advance(60.0)
    assert plant.told == []
    assert plant.registry.safeguards(PUMP) == Safeguards()
