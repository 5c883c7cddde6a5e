"""Whatever happens, in whatever order, to the real services: nothing is on that must not be.

`make soak` takes a million steps; here it is some hundreds.
"""

from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from typing_extensions import override

from domain import runtimes
from domain.actuators import CommandAction, CommandOrigin, CommandStatus
from tests.fakes import START
from tests.plant_operations import OPERATIONS, Operation, look
from tests.soak import failure_of, live, shortest, steps_of
from tests.virtual_boards import FIRST, PUMP, SECOND
from tests.virtual_plant import BOUND, Plant

EXAMPLES, PER_EXAMPLE = 8, 40


class _Plant(RuleBasedStateMachine):
    """What is the same on every broker."""

    expires = True

    def __init__(self) -> None:
        super().__init__()
        self.plant = Plant(expires=self.expires, ruled=True)
        self.plant.measure(50.0)

    @invariant()
    def nothing_is_on_that_must_not_be(self) -> None:
        look(self.plant)

    @override
    def teardown(self) -> None:
        self.plant.close()


def _as_rule(operation: Operation) -> object:
    def happen(machine: _Plant, chance: Random) -> None:
        operation(machine.plant, chance)

    happen.__name__ = operation.__name__
    return rule(chance=st.randoms(use_true_random=False))(happen)


_RULES = {operation.__name__: _as_rule(operation) for operation in OPERATIONS}
PlantMachine = type("PlantMachine", (_Plant,), _RULES)
OldBrokerMachine = type("OldBrokerMachine", (_Plant,), {**_RULES, "expires": False})
"""On a broker that speaks no MQTT 5: what it holds for a board never expires."""


@pytest.mark.parametrize("machine", [PlantMachine, OldBrokerMachine])
def test_in_any_order_of_events_the_real_services_keep_everything_safe(
    machine: type[RuleBasedStateMachine],
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_life_of_the_long_run_goes_well(seed: int) -> None:
    assert live(seed) is None


def test_the_long_run_finds_what_the_watchdog_prevents_and_says_what_it_takes() -> None:
    found = ((seed, failure_of(seed, steps_of(seed), watched=False)) for seed in range(20))
    seed, failure = next((seed, failure) for seed, failure in found if failure)
    number, what = failure
    assert "too long" in what
    fewest = shortest(seed, steps_of(seed)[:number], watched=False)
    assert len(fewest) < number
    assert failure_of(seed, fewest, watched=False) is not None


def test_rules_command_too_and_what_they_want_that_must_not_be_is_refused() -> None:
    plant = Plant(ruled=True)
    plant.measure(50.0)
    plant.wait(8.0)
    commands = list(plant.storage.commands.rows.values())
    assert {command.origin for command in commands} == {CommandOrigin.RULE}
    came_of = {command.pin: command.status for command in commands}
    assert came_of == {
        FIRST: CommandStatus.ACKNOWLEDGED,
        PUMP: CommandStatus.ACKNOWLEDGED,
        SECOND: CommandStatus.REJECTED,
    }
    plant.measure(5.0)
    plant.wait(3.0)
    assert not plant.boards[PUMP.esp_id].pump.is_on
    plant.check()
    plant.close()


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


def test_what_was_asked_before_the_database_went_away_is_not_done_when_it_is_back() -> None:
    plant = Plant()
    plant.order(FIRST, CommandAction.OFF)
    plant.order(FIRST, CommandAction.ON)
    plant.wait(0.015)
    plant.lose_database(60.0)
    plant.wait(70.0)
    assert not plant.boards[FIRST.esp_id].pump.is_on
    commands = [row for row in plant.storage.commands.rows.values() if row.pin == FIRST]
    assert [row.status for row in commands] == [CommandStatus.ACKNOWLEDGED, CommandStatus.EXPIRED]
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


def test_a_run_over_midnight_and_a_restart_is_one_run_whose_time_falls_on_two_days() -> None:
    """It is midnight there at noon in UTC, when the clock of the plant began."""
    plant, there = Plant(), ZoneInfo("Asia/Kamchatka")
    plant.clock.set_by = -plant.loop.time() - 10.0
    plant.order(FIRST, CommandAction.ON, 20)
    plant.wait(5.0)
    plant.restart(down=2.0)
    plant.wait(25.0)
    assert not plant.boards[FIRST.esp_id].pump.is_on
    (run,) = plant.storage.leases.runs
    today = runtimes.days(START - timedelta(minutes=1), START + timedelta(minutes=1), there)
    used = [runtimes.within(day, run.began, run.ended) for day in today]
    assert [one.starts for one in used] == [1, 0]
    assert [one.on_for.total_seconds() for one in used] == [
        pytest.approx(10.0, abs=0.1),
        pytest.approx(10.0, abs=BOUND),
    ]
    plant.close()
