"""What may happen to a plant: one list, for Hypothesis and for a driver without its overhead.

Each operation takes what it needs from a generator of random numbers: that of Hypothesis can make a
counterexample shorter, a plain one takes a million steps in the time that one has.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias

from domain.actuators import CommandAction, Pin
from tests.virtual_boards import DIALECTS, PINS, Board
from tests.virtual_plant import Plant

Operation: TypeAlias = Callable[[Plant, Random], None]

PLACES = ((None, None), *((esp_id, None) for esp_id in DIALECTS), *PINS)
WATER = (None, None, None, None, 5.0, 50.0, 50.0, 50.0)


def _pin(chance: Random) -> Pin:
    return chance.choice(PINS)


def _board(plant: Plant, chance: Random) -> Board:
    return plant.boards[chance.choice(tuple(DIALECTS))]


def _short(chance: Random) -> float:
    return chance.uniform(0.1, 6.0)


def _long(chance: Random) -> float:
    return chance.uniform(0.1, 40.0)


# ---------------------------------------------------------------- what people do


def switch_on(plant: Plant, chance: Random) -> None:
    seconds = chance.choice((None, chance.uniform(0.5, 20.0)))
    plant.order(_pin(chance), CommandAction.ON, seconds)


def switch_on_and_look(plant: Plant, chance: Random) -> None:
    plant.order(_pin(chance), CommandAction.ON, chance.uniform(0.5, 20.0))
    plant.wait(chance.uniform(0.0, 0.3))


def switch_on_when_all_is_well(plant: Plant, chance: Random) -> None:
    """Chance alone would break more than it lets begin."""
    plant.heal()
    plant.order(_pin(chance), CommandAction.ON, chance.uniform(2.0, 20.0))
    plant.wait(0.5)


def switch_off(plant: Plant, chance: Random) -> None:
    plant.order(_pin(chance), CommandAction.OFF)


def switch_on_by_hand(plant: Plant, chance: Random) -> None:
    plant.switch_by_hand(_pin(chance))


def press(plant: Plant, chance: Random) -> None:
    plant.press(*chance.choice(PLACES))


def clear(plant: Plant, _chance: Random) -> None:
    plant.clear()


def enable_rule(plant: Plant, chance: Random) -> None:
    plant.enable(chance.choice(tuple(plant.rule_ids)), enabled=chance.choice((False, True, True)))


def set_clock(plant: Plant, chance: Random) -> None:
    plant.clock.set_by += chance.uniform(-100_000, 100_000)


# ---------------------------------------------------------------- what happens by itself


def measure(plant: Plant, chance: Random) -> None:
    plant.measure(chance.choice(WATER))


def lose_network(plant: Plant, chance: Random) -> None:
    board, noticed = _board(plant, chance), chance.choice((False, True))
    plant.lose_network(board, _long(chance), noticed=noticed)


def stall(plant: Plant, chance: Random) -> None:
    plant.stall(_board(plant, chance), _long(chance))


def reboot(plant: Plant, chance: Random) -> None:
    plant.reboot(_board(plant, chance))


def mute(plant: Plant, chance: Random) -> None:
    plant.mute(_board(plant, chance), on=chance.choice((False, True)))


def lose_broker(plant: Plant, chance: Random) -> None:
    plant.lose_broker(_short(chance))


def lose_database(plant: Plant, chance: Random) -> None:
    plant.lose_database(_long(chance))


def restart(plant: Plant, chance: Random) -> None:
    plant.restart(_short(chance))


def restart_with_a_clock_that_was_set_back(plant: Plant, chance: Random) -> None:
    down = chance.choice((0.0, _short(chance)))
    plant.restart(down, set_by=-chance.choice((chance.uniform(0.5, 20), 100_000)))


def wait(plant: Plant, chance: Random) -> None:
    plant.wait(_short(chance))


def wait_long(plant: Plant, chance: Random) -> None:
    plant.wait(_long(chance))


OPERATIONS: Sequence[Operation] = (
    switch_on,
    switch_on_and_look,
    switch_on_when_all_is_well,
    switch_off,
    switch_on_by_hand,
    press,
    clear,
    enable_rule,
    set_clock,
    measure,
    lose_network,
    stall,
    reboot,
    mute,
    lose_broker,
    lose_database,
    restart,
    restart_with_a_clock_that_was_set_back,
    wait,
    wait_long,
)


def look(plant: Plant) -> None:
    """What is looked at after every step.

    Raises:
        AssertionError: Something was on that must not be.
    """
    plant.wait(0.02)
    plant.check()
