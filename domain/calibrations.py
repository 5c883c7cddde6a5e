"""Calibrations: which parameters of a sensor's library a person found by measuring known things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

ABANDONED_AFTER = timedelta(hours=2)
"""A procedure that nobody went on with for so long makes room for the next one."""


class CalibrationMethod(StrEnum):
    """How parameters are found from points.

    Attributes:
        OFFSET: One or more points; what is read is shifted by the mean difference.
        LINEAR: Two or more points; the line through them (least squares).
        PH_2POINT: Two buffers, one of them near 7; slope and offset of the electrode.
        PH_3POINT: Three buffers, acid, neutral, base; one line through them, and how well it fits.
        EC_2POINT: Two standards, such as 1413 and 12880 µS/cm; slope and offset of the cell.
        DRY_WET: The probe in dry air or soil (0 %) and in water or wet soil (100 %).
        ZERO: One point at a known value, such as fresh air at 400 ppm; an offset.
        FACTOR: One or more points; what is read is multiplied by the mean ratio.
    """

    OFFSET = "offset"
    LINEAR = "linear"
    PH_2POINT = "ph_2point"
    PH_3POINT = "ph_3point"
    EC_2POINT = "ec_2point"
    DRY_WET = "dry_wet"
    ZERO = "zero"
    FACTOR = "factor"


class CalibrationPoint(NamedTuple):
    """One known thing that was measured.

    Attributes:
        raw: What the sensor said, in the raw form of its library.
        reference: What it really was, in the unit of the library.
        temperature: Of the thing measured, in °C; None: 25 °C.
    """

    raw: float
    reference: float
    temperature: float | None = None


class Finding(NamedTuple):
    """What a calibration tells about the health of its probe.

    Attributes:
        code: Stable name, such as `slope_low`.
        message: For the grower, with the next step.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What points tell.

    Attributes:
        parameters: Of the library, by name: what they are to be from now on.
        residuals: For each point what would be read with them, minus its reference; in the
            library's unit.
        slope_percent: Of an ideal probe's; None where the method has no slope.
        zero_error: What an ideal probe's parameters would read at its zero point (pH 7, else 0),
            minus that, in the library's unit; None where the method has no slope.
        findings: What gives cause for concern; empty: all is well.
    """

    parameters: Mapping[str, float]
    residuals: Sequence[float]
    slope_percent: float | None = None
    zero_error: float | None = None
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibration of one sensor; never changed, only followed by the next one.

    Attributes:
        library: Name of the library whose parameters it found.
        expires_at: When it should be repeated; None: never said.
        calibrated_by: The account that made it; None: the account is gone.
    """

    id: UUID
    sensor_id: int
    library: str
    method: CalibrationMethod
    points: Sequence[CalibrationPoint]
    fit: Fit
    calibrated_at: datetime
    calibrated_by: UUID | None = None
    expires_at: datetime | None = None

    def expired(self, now: datetime) -> bool:
        """Return whether it should have been repeated by now."""
        return self.expires_at is not None and self.expires_at <= now


class ProcedureState(StrEnum):
    """How far a guided calibration has come."""

    OPEN = "OPEN"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationProcedure:
    """A calibration that somebody is led through, point by point.

    Attributes:
        points: Those that were taken, in order.
        changed_at: When somebody last went on with it.
        started_by: The account that began it; None: the account is gone.
    """

    id: UUID
    sensor_id: int
    method: CalibrationMethod
    points: Sequence[CalibrationPoint] = ()
    state: ProcedureState = ProcedureState.OPEN
    started_at: datetime
    changed_at: datetime
    started_by: UUID | None = None

    def abandoned(self, now: datetime) -> bool:
        """Return whether nobody went on with it for a long time."""
        return now - self.changed_at > ABANDONED_AFTER
