"""What the person at the probe is told: each sentence is for somebody with wet hands."""

from uuid import UUID

import pytest

from domain.calibration_steps import next_step
from domain.calibrations import CalibrationMethod as Method
from domain.calibrations import CalibrationPoint as Point
from domain.calibrations import CalibrationProcedure, ProcedureState
from tests.fakes import START

SEVEN, FOUR = Point(1861, 7.0), Point(2925, 4.0)


def procedure(
    *points: Point, method: Method = Method.PH_2POINT, state: ProcedureState = ProcedureState.OPEN
) -> CalibrationProcedure:
    return CalibrationProcedure(
        id=UUID(int=1),
        sensor_id=3,
        method=method,
        points=points,
        state=state,
        started_at=START,
        changed_at=START,
    )


@pytest.mark.parametrize("method", Method)
def test_every_method_says_where_the_probe_belongs_and_how_many_points_it_takes(
    method: Method,
) -> None:
    said = next_step(procedure(method=method), waiting="2 values so far", complaint=None)
    assert said.startswith("Put the probe ")
    assert "This is point 1 of " in said
    assert said.endswith(": 2 values so far.")


def test_a_value_that_stands_still_is_to_be_taken() -> None:
    said = next_step(procedure(SEVEN), waiting=None, complaint=None)
    assert said.endswith(
        "This is point 2 of 2: the value stands still, take it with addCalibrationPoint."
    )


def test_a_question_stays_one() -> None:
    assert next_step(procedure(), waiting="is it online?", complaint=None).endswith("online?")


def test_all_points_are_followed_by_the_end() -> None:
    said = next_step(procedure(SEVEN, FOUR), waiting="no value", complaint=None)
    assert said.startswith("All points are taken")
    assert "finishCalibration" in said


def test_points_that_cannot_be_true_say_why_before_anybody_ends_it() -> None:
    said = next_step(procedure(SEVEN, SEVEN), waiting="no value", complaint="two were swapped?")
    assert said.startswith("These points cannot be true: two were swapped? Take the wrong one ")


@pytest.mark.parametrize("state", [ProcedureState.FINISHED, ProcedureState.CANCELLED])
def test_nothing_follows_the_end(state: ProcedureState) -> None:
    assert "ended" in next_step(procedure(state=state), waiting="no value", complaint=None)
