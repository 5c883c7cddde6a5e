"""Whatever happens, in whatever order, to the real services: nothing is on that must not be.

`make soak` takes a million steps; here it is some hundreds.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from typing_extensions import override

from domain.actuators import CommandAction
from tests.virtual_plant import BOUND, DIALECTS, FIRST, PINS, PUMP, SECOND, Plant

STEPS = int(os.environ.get("KAISER_STEPS", "600"))
PER_RUN = 40

PIN = st.sampled_from(PINS)
ESP = st.sampled_from(list(DIALECTS))
SHORT, LONG = st.floats(0.1, 6.0), st.floats(0.1, 40.0)
PLACES = st.sampled_from([(None, None), *((esp_id, None) for esp_id in DIALECTS), *PINS])

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN201 - as hypothesis calls them


class PlantMachine(RuleBasedStateMachine):
    """Commands, stops, losses, restarts, clocks, late messages and water, in any order."""

    expires = True

    def __init__(self) -> None:
        super().__init__()
        self.plant = Plant(expires=self.expires)
        self.plant.measure(50.0)

    @rule(pin=PIN, seconds=st.none() | st.floats(0.5, 20.0))
    def switch_on(self, pin, seconds):
        self.plant.order(pin, CommandAction.ON, seconds)

    @rule(pin=PIN, seconds=st.floats(0.5, 20.0), pause=st.floats(0.0, 0.3))
    def switch_on_and_look(self, pin, seconds, pause):
        self.plant.order(pin, CommandAction.ON, seconds)
        self.plant.wait(pause)

    @rule(pin=PIN, seconds=st.floats(2.0, 20.0))
    def switch_on_when_all_is_well(self, pin, seconds):
        """Chance alone would break more than it lets begin."""
        self.plant.heal()
        self.plant.order(pin, CommandAction.ON, seconds)
        self.plant.wait(0.5)

    @rule(pin=PIN)
    def switch_off(self, pin):
        self.plant.order(pin, CommandAction.OFF)

    @rule(pin=PIN)
    def switch_on_by_hand(self, pin):
        self.plant.switch_by_hand(pin)

    @rule(place=PLACES)
    def press(self, place):
        self.plant.press(*place)

    @rule()
    def clear(self):
        self.plant.clear()

    @rule(value=st.none() | st.sampled_from([5.0, 50.0, 50.0, 50.0]))
    def measure(self, value):
        self.plant.measure(value)

    @rule(esp_id=ESP, seconds=LONG, noticed=st.booleans())
    def lose_network(self, esp_id, seconds, noticed):
        self.plant.lose_network(self.plant.boards[esp_id], seconds, noticed=noticed)

    @rule(esp_id=ESP, seconds=LONG)
    def stall(self, esp_id, seconds):
        self.plant.stall(self.plant.boards[esp_id], seconds)

    @rule(esp_id=ESP)
    def reboot(self, esp_id):
        self.plant.reboot(self.plant.boards[esp_id])

    @rule(esp_id=ESP, on=st.booleans())
    def mute(self, esp_id, on):
        self.plant.mute(self.plant.boards[esp_id], on=on)

    @rule(seconds=SHORT)
    def lose_broker(self, seconds):
        self.plant.lose_broker(seconds)

    @rule(seconds=LONG)
    def lose_database(self, seconds):
        self.plant.lose_database(seconds)

    @rule(down=SHORT)
    def restart(self, down):
        self.plant.restart(down)

    @rule(by=st.floats(0.5, 100_000))
    def restart_with_a_clock_that_was_set_back(self, by):
        self.plant.restart(0.0, set_by=-by)

    @rule(by=st.floats(-100_000, 100_000))
    def set_clock(self, by):
        self.plant.clock.set_by += by

    @rule(seconds=SHORT)
    def wait(self, seconds):
        self.plant.wait(seconds)

    @rule(seconds=LONG)
    def wait_long(self, seconds):
        self.plant.wait(seconds)

    @invariant()
    def nothing_is_on_that_must_not_be(self):
        self.plant.wait(0.02)
        self.plant.check()

    @override
    def teardown(self) -> None:
        self.plant.close()


class OldBrokerMachine(PlantMachine):
    """The same on a broker that speaks no MQTT 5: what it holds for a board never expires."""

    expires = False


@pytest.mark.timeout(max(300, STEPS // 10))
@pytest.mark.parametrize("machine", [PlantMachine, OldBrokerMachine])
def test_in_any_order_of_events_the_real_services_keep_everything_safe(
    machine: type[PlantMachine],
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, STEPS // 2 // PER_RUN),
            stateful_step_count=PER_RUN,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_without_the_watchdog_the_judge_finds_what_is_on_for_too_long() -> None:
    plant = Plant(watched=False)
    plant.order(FIRST, CommandAction.ON, 2)
    plant.wait(2 + 2 * BOUND)
    assert plant.boards[FIRST.esp_id].pump.is_on
    assert any("too long" in wrong for wrong in plant.wrongs)
    plant.close()


def test_a_firmware_that_counts_goes_off_by_itself_without_the_watchdog() -> None:
    plant = Plant(watched=False)
    plant.measure(50.0)
    plant.order(PUMP, CommandAction.ON, 2)
    plant.wait(1.0)
    assert plant.boards[PUMP.esp_id].pump.is_on
    plant.wait(2 * BOUND)
    assert not plant.boards[PUMP.esp_id].pump.is_on
    plant.close()


def test_a_clock_that_is_set_makes_nobody_unreachable() -> None:
    plant = Plant()
    plant.order(FIRST, CommandAction.ON, 3)
    plant.wait(0.5)
    plant.clock.set_by += 1000
    plant.wait(3 + BOUND)
    assert not plant.boards[FIRST.esp_id].pump.is_on
    plant.check()
    plant.close()


def test_what_an_old_broker_delivers_late_is_followed_by_an_order_to_switch_off() -> None:
    plant = Plant(expires=False)
    board = plant.boards[SECOND.esp_id]
    plant.stall(board, 45.0)
    plant.order(SECOND, CommandAction.ON)
    plant.wait(44.0)
    assert board.held, "the order to switch on waits, though the board said that it is off"
    plant.wait(2.0)
    assert not board.pump.is_on
    plant.check()
    plant.close()
