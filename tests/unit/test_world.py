"""What everybody who judges conditions knows of the world."""

from dataclasses import replace
from datetime import timedelta

from domain.rules.conditions import Watched
from domain.rules.world import Observation
from domain.safeguards import Safeguards
from domain.sensors import Quality, SensorKey
from tests.safeguarding import FULL_ENOUGH, LEVEL, Plant

WATCHED = Watched.of((FULL_ENOUGH,))


def seen(plant: Plant) -> tuple[float | None, float | None]:
    """Return what rules and what interlocks see of the tank."""
    worlds = (plant.world.for_rules(WATCHED), plant.world.for_interlocks(WATCHED))
    found: list[Observation | None] = [world.readings.get(LEVEL.key) for world in worlds]
    good, newest = (None if one is None else one.value for one in found)
    return good, newest


def followed(plant: Plant) -> list[SensorKey]:
    heard: list[SensorKey] = []
    plant.world.follow(heard.append, [LEVEL.key])
    return heard


def test_a_bad_reading_hides_the_good_one_from_interlocks_and_not_from_rules() -> None:
    plant = Plant(Safeguards())
    followed(plant)
    plant.hear(80.0)
    plant.hear(0.0, quality=Quality.ERROR)
    assert seen(plant) == (80.0, 0.0)


def test_only_a_rule_that_says_so_sees_a_bad_reading() -> None:
    plant = Plant(Safeguards())
    followed(plant)
    plant.hear(80.0)
    plant.hear(3.0, quality=Quality.BAD)
    whatever = Watched.of((replace(FULL_ENOUGH, any_quality=True),))
    rules, interlocks = plant.world.for_rules(whatever), plant.world.for_interlocks(whatever)
    assert rules.doubtful[LEVEL.key].value == 3.0
    assert (plant.world.for_rules(WATCHED).doubtful, interlocks.doubtful) == ({}, {})


def test_what_arrives_late_does_not_hide_what_is_newer() -> None:
    plant = Plant(Safeguards())
    followed(plant)
    plant.hear(80.0)
    plant.hear(3.0, ago=60.0)
    assert seen(plant) == (80.0, 80.0)


def test_of_a_sensor_that_nobody_follows_the_last_word_is_known() -> None:
    plant = Plant(Safeguards())
    assert seen(plant) == (None, None)
    plant.hear(80.0)
    assert seen(plant) == (80.0, 80.0)
    plant.hear(0.0, quality=Quality.ERROR)
    assert seen(plant) == (None, 0.0)


def test_who_follows_is_told_of_each_reading_and_only_while_following() -> None:
    plant = Plant(Safeguards())
    plant.hear(1.0)
    heard = followed(plant)
    plant.hear(2.0)
    plant.hear(3.0, ago=60.0)
    assert heard == [LEVEL.key, LEVEL.key]
    assert seen(plant) == (2.0, 2.0)


def test_following_is_taken_back_by_following_nothing() -> None:
    plant = Plant(Safeguards())
    heard: list[SensorKey] = []
    other: list[SensorKey] = []
    first, second = heard.append, other.append
    plant.world.follow(first, [LEVEL.key])
    plant.world.follow(second, [LEVEL.key])
    plant.world.follow(first, [])
    plant.hear(1.0)
    assert (heard, other) == ([], [LEVEL.key])


def test_after_the_clock_was_put_back_new_readings_count_at_once() -> None:
    plant = Plant(Safeguards())
    followed(plant)
    plant.hear(80.0)
    plant.clock.start -= timedelta(days=1)
    plant.hear(3.0)
    assert seen(plant) == (3.0, 3.0)


async def test_what_was_stored_is_known_from_the_start_and_hides_nothing_newer() -> None:
    plant = Plant(Safeguards())
    followed(plant)
    plant.hear(80.0, ago=60.0)
    plant.storage.readings.rows.extend(plant.world._last.values())
    later = Plant(Safeguards(), plant.storage)
    followed(later)
    await later.world.load()
    assert seen(later) == (80.0, 80.0)
    newer = Plant(Safeguards(), plant.storage)
    followed(newer)
    newer.hear(5.0)
    await newer.world.load()
    assert seen(newer) == (5.0, 5.0)


def test_an_effect_rests_on_nothing_that_was_measured_before() -> None:
    plant = Plant(Safeguards())
    followed(plant)
    plant.hear(80.0)
    start = plant.clock.now()
    later = start + timedelta(seconds=10)
    assert LEVEL.key in plant.world.for_effects(WATCHED, start).readings
    assert LEVEL.key not in plant.world.for_effects(WATCHED, later).readings
