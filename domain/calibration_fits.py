"""The arithmetic of calibration: from points to the parameters of a library, and what they betray.

A library is asked as it is: what it would read with which parameters. So nothing here knows a
formula of a sensor, and what is fitted is exactly what conversion will use.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from statistics import fmean

from domain.calibrations import CalibrationMethod, CalibrationPoint, Finding, Fit
from domain.errors import BadInputError

MOST_POINTS = 10
"""More tell nothing that these do not."""

TEMPERATURE = "temperature"
"""The parameter by which libraries take the temperature of what is measured, in °C."""

_PERCENT = 100.0
_IMPOSSIBLE_SLOPE = (50.0, 150.0)
_WORN_SLOPE, _STEEP_SLOPE = 85.0, 110.0
"""Percent of the ideal: electrode makers call 95 to 105 new, and ask to replace below 85."""

_NEUTRAL_PH = 7.0
_WIDE_PH = 30 / 59.16
"""The zero of a good electrode lies within 30 mV; an ideal one gives 59.16 mV per pH (Nernst)."""

_WIDE_SHARE = 0.025
"""The part of the range by which the zero of any other probe may be off."""

_NEUTRAL_BUFFER = (6.0, 8.0)

_NO_LIQUID = "liquids are calibrated between 0 and 100 °C"

_ELECTRODES = {CalibrationMethod.PH_2POINT, CalibrationMethod.PH_3POINT}
_SLOPED = {*_ELECTRODES, CalibrationMethod.EC_2POINT, CalibrationMethod.LINEAR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What a library says of the sensor that is calibrated.

    Attributes:
        sets: The parameters that the method finds, in its order: slope before offset, dry before
            wet.
        seen: From a raw value to what the method compares with the reference: the voltage of a
            probe, or the value with the defaults of what it finds; None: no measurement.
        measure: From a raw value and some parameters, the others as they are, to what would be
            read, unrounded; None: no measurement.
        defaults: All parameters as they are before, those that the method finds at their defaults.
        raw: The lowest and the highest raw value there is.
        valid: The lowest and the highest value that the sensor can measure.
        unit: Of its values.
        doubt: From a raw value to what speaks against it: the end of what the chip can say; None:
            nothing.
        library: Whose law it is; another object once that was replaced.
    """

    sets: Sequence[str]
    seen: Callable[[float], float | None]
    measure: Callable[[float, Mapping[str, float]], float | None]
    defaults: Mapping[str, float]
    raw: tuple[float, float]
    valid: tuple[float, float]
    unit: str
    doubt: Callable[[float], str | None] = lambda _raw: None
    library: object = None


def fit(method: CalibrationMethod, points: Sequence[CalibrationPoint], law: Law) -> Fit:
    """Find parameters.

    Args:
        method: How.
        points: What was measured, in any order.
        law: The sensor's library.

    Raises:
        BadInputError: The points cannot be true, or do not suffice; says why and what to do.
    """
    _check(points, law)
    doubts = _doubts(method, points, law)
    found = _FITS[method](points, law)
    parameters = dict(zip(law.sets, found, strict=True))
    residuals = [_read(point, parameters, law) - point.reference for point in points]
    if method not in _SLOPED:
        return Fit(parameters=parameters, residuals=residuals, findings=doubts)
    slope = _slope_percent(found[0], law)
    zero = _NEUTRAL_PH if method in _ELECTRODES else max(law.valid[0], 0.0)
    error = _zero_error(found[0], found[1], law, zero)
    tolerated = _WIDE_PH if method in _ELECTRODES else _WIDE_SHARE * (law.valid[1] - law.valid[0])
    return Fit(
        parameters=parameters,
        residuals=residuals,
        slope_percent=slope,
        zero_error=error,
        findings=_findings(slope, error, tolerated, law.unit),
    )


def _check(points: Sequence[CalibrationPoint], law: Law) -> None:
    if not points:
        raise BadInputError("a calibration needs at least one point")
    if len(points) > MOST_POINTS:
        raise BadInputError(f"a calibration takes at most {MOST_POINTS} points")
    for place, point in enumerate(points, start=1):
        for name, value, (low, high), unit in (
            ("raw value", point.raw, law.raw, ""),
            ("reference", point.reference, law.valid, f" {law.unit}"),
        ):
            if not isfinite(value) or not low <= value <= high:
                raise BadInputError(
                    f"point {place}: the {name} {value:g}{unit} lies outside {low:g} to {high:g}"
                )
        if point.temperature is not None and not 0 <= point.temperature <= _PERCENT:
            raise BadInputError(f"point {place}: {_NO_LIQUID}")


def check_known(reference: float, temperature: float | None, law: Law) -> None:
    """Check what is said of a liquid before anything is measured in it.

    Raises:
        BadInputError: There is no such liquid for this sensor.
    """
    low, high = law.valid
    if not low <= reference <= high:
        raise BadInputError(f"the reference must lie between {low:g} and {high:g} {law.unit}")
    if temperature is not None and not 0 <= temperature <= _PERCENT:
        raise BadInputError(_NO_LIQUID)


def _doubts(
    method: CalibrationMethod, points: Sequence[CalibrationPoint], law: Law
) -> Sequence[Finding]:
    """Refuse what was taken at the end of what the chip can say.

    Dry air may really be there; so may a probe that is not connected.
    """
    doubts = [(p, doubt) for p in points if (doubt := law.doubt(p.raw)) is not None]
    told = [f"the raw value {point.raw:g} lies {doubt}" for point, doubt in doubts]
    if told and method is not CalibrationMethod.DRY_WET:
        raise BadInputError(told[0])
    return [Finding("clipped", text) for text in told]


def _offset(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    before = law.defaults[law.sets[0]]
    return [before + fmean(point.reference - _seen(point, law) for point in points)]


def _zero(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    if len(points) != 1:
        raise BadInputError("zero takes exactly one point, such as fresh air")
    return _offset(points, law)


def _factor(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    seen = [_seen(point, law) for point in points]
    if any(value <= 0 for value in seen) or any(point.reference <= 0 for point in points):
        raise BadInputError("factor needs points at which something above zero is read")
    before = law.defaults[law.sets[0]]
    ratios = [point.reference / value for point, value in zip(points, seen, strict=True)]
    return [before * fmean(ratios)]


def _dry_wet(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    found = {point.reference: point.raw for point in points}
    if len(points) != 2 or found.keys() != {0.0, _PERCENT}:  # noqa: PLR2004 - dry and wet
        raise BadInputError(
            "dry_wet takes two points: dry with reference 0, wet with reference 100"
        )
    dry, wet = found[0.0], found[_PERCENT]
    if dry == wet:
        raise BadInputError("dry and wet have the same raw value: is the probe connected?")
    expected_dry, expected_wet = (law.defaults[name] for name in law.sets)
    if (dry > wet) != (expected_dry > expected_wet):
        raise BadInputError("dry and wet are the wrong way round: were the points swapped?")
    return [dry, wet]


def _linear(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    ordered = sorted(points, key=lambda point: point.raw)
    if len(points) < 2:  # noqa: PLR2004 - a line
        raise BadInputError("a line takes at least two points")
    for before, after in pairwise(ordered):
        if before.raw == after.raw:
            raise BadInputError(
                f"two points have the same raw value {before.raw:g}: "
                "is the probe connected, and was it moved to the next liquid?"
            )
        if before.reference == after.reference:
            raise BadInputError(f"two points have the same reference {before.reference:g}")
    signals = [_seen(point, law) for point in points]
    targets = [_target(point, law) for point in points]
    slope, offset = _line(signals, targets)
    if slope * law.defaults[law.sets[0]] <= 0:
        raise BadInputError("the points run the wrong way: were two of them swapped?")
    return [slope, offset]


def _electrode(count: int) -> "_Method":
    def two_or_three(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
        low, high = _NEUTRAL_BUFFER
        neutral = [p for p in points if low <= p.reference <= high]
        if len(points) != count:
            raise BadInputError(f"this method takes {count} buffers, not {len(points)}")
        if len(neutral) != 1:
            raise BadInputError("exactly one buffer must be neutral, between pH 6 and 8")
        sides = {p.reference > high for p in points if p not in neutral}
        if len(sides) != count - 1:
            raise BadInputError("one buffer must be acid and one basic, such as pH 4 and pH 10")
        return _sloped(points, law)

    return two_or_three


def _cell(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    if len(points) != 2:  # noqa: PLR2004 - by its name
        raise BadInputError("ec_2point takes two standards, such as 1413 and 12880 µS/cm")
    return _sloped(points, law)


def _sloped(points: Sequence[CalibrationPoint], law: Law) -> Sequence[float]:
    found = _linear(points, law)
    percent = _slope_percent(found[0], law)
    low, high = _IMPOSSIBLE_SLOPE
    if not low <= percent <= high:
        raise BadInputError(
            f"the slope would be {percent:.0f} % of an ideal probe's: check that each point stood "
            "in the liquid that it names"
        )
    return found


def _line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Return slope and offset of the line that is nearest to points, by least squares."""
    mean_x, mean_y = fmean(x), fmean(y)
    spread = sum((value - mean_x) ** 2 for value in x)
    if spread == 0:
        raise BadInputError("all points read the same: is the probe connected?")
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    return slope, mean_y - slope * mean_x


def _target(point: CalibrationPoint, law: Law) -> float:
    """Return what the line must give at a point for the reference to be read in the end.

    Behind its line a library corrects for temperature, linearly; this undoes it.
    """
    if point.temperature is None or TEMPERATURE not in law.defaults:
        return point.reference
    low, high = law.valid
    other = (low + high) / 2 if point.reference != (low + high) / 2 else low + (high - low) / 4
    slope, seen = law.defaults[law.sets[0]], _seen(point, law)
    here, there = (
        _read(point, dict(zip(law.sets, (slope, value - slope * seen), strict=True)), law)
        for value in (point.reference, other)
    )
    if here == there:
        return point.reference
    return point.reference + (point.reference - here) * (other - point.reference) / (there - here)


def _slope_percent(slope: float, law: Law) -> float:
    """Return the slope of a probe in percent of an ideal one's.

    A worn probe gives less signal for the same change, so more of its unit per signal.
    """
    return _PERCENT * law.defaults[law.sets[0]] / slope


def _zero_error(slope: float, offset: float, law: Law, zero: float) -> float:
    """Return by how much an ideal probe's parameters would be wrong at its zero point."""
    ideal_slope, ideal_offset = (law.defaults[name] for name in law.sets)
    return ideal_slope * (zero - offset) / slope + ideal_offset - zero


def _findings(slope: float, zero_error: float, tolerated: float, unit: str) -> Sequence[Finding]:
    findings = []
    if slope < _WORN_SLOPE:
        findings.append(
            Finding(
                "slope_low",
                f"the probe gives only {slope:.0f} % of the signal of a new one: clean it, and "
                "replace it if that does not help",
            )
        )
    if slope > _STEEP_SLOPE:
        findings.append(
            Finding(
                "slope_high",
                f"the probe gives {slope:.0f} % of the signal of an ideal one: check the buffers",
            )
        )
    if abs(zero_error) > tolerated:
        findings.append(
            Finding(
                "zero_off",
                f"the zero of the probe is off by {zero_error:+.2g} {unit}: clean it, and replace "
                "it if that does not help",
            )
        )
    return findings


def _seen(point: CalibrationPoint, law: Law) -> float:
    return _measured(point, law.seen(point.raw))


def _read(point: CalibrationPoint, parameters: Mapping[str, float], law: Law) -> float:
    conditions = dict(parameters)
    if point.temperature is not None and TEMPERATURE in law.defaults:
        conditions[TEMPERATURE] = point.temperature
    return _measured(point, law.measure(point.raw, conditions))


def _measured(point: CalibrationPoint, value: float | None) -> float:
    if value is None or not isfinite(value):
        raise BadInputError(f"the raw value {point.raw:g} is no measurement: check the probe")
    return value


_Method = Callable[[Sequence[CalibrationPoint], Law], Sequence[float]]

_FITS: Mapping[CalibrationMethod, _Method] = {
    CalibrationMethod.OFFSET: _offset,
    CalibrationMethod.ZERO: _zero,
    CalibrationMethod.FACTOR: _factor,
    CalibrationMethod.DRY_WET: _dry_wet,
    CalibrationMethod.LINEAR: _linear,
    CalibrationMethod.PH_2POINT: _electrode(2),
    CalibrationMethod.PH_3POINT: _electrode(3),
    CalibrationMethod.EC_2POINT: _cell,
}
