"""What the person at the probe is told to do next in a guided calibration."""

from collections.abc import Mapping
from typing import NamedTuple

from domain.calibrations import CalibrationMethod, CalibrationProcedure, ProcedureState


class _Guide(NamedTuple):
    """How a method is led through.

    Attributes:
        fewest: Points that it takes at the least.
        place: Where the probe belongs.
    """

    fewest: int
    place: str


_GUIDES: Mapping[CalibrationMethod, _Guide] = {
    CalibrationMethod.OFFSET: _Guide(1, "beside a better instrument, and take what that shows"),
    CalibrationMethod.LINEAR: _Guide(2, "into something known, each time into something else"),
    CalibrationMethod.PH_2POINT: _Guide(
        2, "into a buffer: one near pH 7, and one such as pH 4.01 or 10.01"
    ),
    CalibrationMethod.PH_3POINT: _Guide(
        3, "into a buffer: one near pH 7, one such as pH 4.01 and one such as pH 10.01"
    ),
    CalibrationMethod.EC_2POINT: _Guide(
        2, "into a standard solution: two of them, such as 1413 and 12880 µS/cm"
    ),
    CalibrationMethod.DRY_WET: _Guide(
        2, "once into dry air or soil (reference 0), and once into water or wet soil (100)"
    ),
    CalibrationMethod.ZERO: _Guide(1, "into fresh air outside (reference 400)"),
    CalibrationMethod.FACTOR: _Guide(1, "where something well above zero is known"),
}


def suffices(procedure: CalibrationProcedure) -> bool:
    """Return whether as many points were taken as the method needs."""
    return len(procedure.points) >= _GUIDES[procedure.method].fewest


def next_step(
    procedure: CalibrationProcedure, *, waiting: str | None, complaint: str | None
) -> str:
    """Say what to do now.

    Args:
        procedure: How far it has come.
        waiting: Why no point can be taken yet; None: one can be.
        complaint: Why the points cannot be true; None: nothing speaks against them.
    """
    if procedure.state is not ProcedureState.OPEN:
        return "Nothing: it has ended."
    if not suffices(procedure):
        fewest, place = _GUIDES[procedure.method]
        step = f"Put the probe {place}. This is point {len(procedure.points) + 1} of {fewest}"
    elif complaint is None:
        return "All points are taken: look at the preview, and end it with finishCalibration."
    else:
        step = (
            f"These points cannot be true: {_ended(complaint)} Take the wrong one again, or cancel"
        )
    if waiting is None:
        return f"{step}: the value stands still, take it with addCalibrationPoint."
    return f"{step}: {_ended(waiting)}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."
