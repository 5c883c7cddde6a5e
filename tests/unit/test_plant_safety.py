"""Whatever happens, in whatever order: what is on has a lease, and is off in time.

`KAISER_STEPS=1000000 python -m pytest tests/unit/test_plant_safety.py` takes that many steps.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain.actuators import CommandAction
from tests.plant_model import LONGEST, PINS, Plant

STEPS = int(os.environ.get("KAISER_STEPS", "2000"))
PER_RUN = 50
DEPTH = 5

ON, OFF = CommandAction.ON, CommandAction.OFF
PIN = st.sampled_from(PINS)
ESP = st.sampled_from([pin.esp_id for pin in PINS])
LOST = st.sampled_from(["nothing", "nothing", "answer", "order"])


class PlantMachine(RuleBasedStateMachine):
    """Commands, stops, losses, restarts and clocks, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.plant = Plant()

    @rule(pin=PIN, seconds=st.none() | st.floats(0.1, 300), lost=LOST)
    def switch_on(self, pin, seconds, lost):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        before = self.plant.stop
        assert not (self.plant.command(pin, ON, seconds, lost) and before)

    @rule(pin=PIN, lost=LOST)
    def switch_off(self, pin, lost):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        passed = self.plant.command(pin, OFF, None, lost)
        assert passed == (pin.esp_id not in self.plant.away)

    @rule(pin=PIN)
    def switch_on_by_hand(self, pin):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.by_hand(pin)

    @rule()
    def press_stop(self) -> None:
        self.plant.press_stop()

    @rule()
    def clear(self) -> None:
        was_on = dict(self.plant.on_since)
        self.plant.clear()
        assert self.plant.on_since == was_on, "clearing never switches anything on"

    @rule(esp_id=ESP)
    def go_away(self, esp_id):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.go_away(esp_id)

    @rule(esp_id=ESP)
    def come_back(self, esp_id):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.come_back(esp_id)

    @rule(down=st.floats(0, 200))
    def restart(self, down):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.restart(down=down)

    @rule(by=st.floats(-100_000, 100_000))
    def set_clock(self, by):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.set_clock(by)

    @rule(by=st.floats(1, 100_000))
    def restart_with_a_clock_that_was_set_back(self, by):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.restart(set_by=-by)

    @rule(seconds=st.floats(0.1, 90))
    def wait(self, seconds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - as hypothesis calls it
        self.plant.wait(seconds)

    @invariant()
    def nothing_is_on_that_must_not_be(self) -> None:
        self.plant.check()


def test_in_any_order_of_events_what_is_on_has_a_lease_and_ends_in_time() -> None:
    run_state_machine_as_test(
        PlantMachine,
        settings=settings(
            max_examples=max(1, STEPS // PER_RUN),
            stateful_step_count=PER_RUN,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def moves() -> dict[str, Callable[[Plant], object]]:
    first, second = PINS
    return {
        "on": lambda plant: plant.command(first, ON, 5, "nothing"),
        "on, unanswered": lambda plant: plant.command(first, ON, None, "answer"),
        "other on": lambda plant: plant.command(second, ON, None, "nothing"),
        "off": lambda plant: plant.command(first, OFF, None, "nothing"),
        "stop": lambda plant: plant.press_stop(),
        "clear": lambda plant: plant.clear(),
        "restart": lambda plant: plant.restart(down=3),
        "wait": lambda plant: plant.wait(6),
    }


@pytest.mark.parametrize("first", list(moves()))
def test_every_story_of_two_actuators_a_stop_and_a_restart_is_safe(first: str) -> None:
    told = 0
    for names in product(moves(), repeat=DEPTH - 1):
        story = (first, *names)
        if story.count("stop") > 1 or story.count("restart") > 1:
            continue
        plant = Plant()
        for name in story:
            moves()[name](plant)
            plant.check()
        plant.wait((LONGEST + timedelta(seconds=1)).total_seconds())
        assert plant.on_since == dict.fromkeys(PINS)
        assert plant.stored == {}
        told += 1
    assert told > 1000


def test_without_anybody_who_looks_it_would_run_on() -> None:
    plant = Plant()
    plant.command(PINS[0], ON, 5, "nothing")
    plant.ticks += 3600
    assert plant.on_since[PINS[0]] == 0.0
    plant.look()
    assert plant.on_since[PINS[0]] is None
