"""How far a reading can be trusted: a pure judge, told the time, with a small memory per sensor.

Libraries know their chip, and devices know what they saw; the judge knows what went before. The
worst that anybody has to say against a reading wins, and every reason stands in its metadata.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.errors import BadInputError
from domain.limits import QualityLimits
from domain.sensors import Measurement, Quality, Sample
from domain.units import convert

LATE_AFTER = timedelta(minutes=15)
"""Age at which a reading no longer says how things are, where no limit says otherwise."""

FEWEST_STUCK = 5
"""Equal raw values in a row before a sensor counts as stuck: two around a silence prove nothing."""

_SHORTEST_STEP = 1.0
"""Seconds that two samples are taken to be apart at least: noise divided by nothing is no rate."""

_NO_TIME = timedelta(0)

_DOUBTS = frozenset({Quality.BAD, Quality.STALE, Quality.SUSPECT, Quality.ERROR})
"""What a device may say against a reading; whoever converts it again must know."""

_SEVERITY = {
    quality: rank
    for rank, quality in enumerate(
        (
            Quality.EXCELLENT,
            Quality.GOOD,
            Quality.UNKNOWN,
            Quality.FAIR,
            Quality.POOR,
            Quality.STALE,
            Quality.SUSPECT,
            Quality.BAD,
            Quality.ERROR,
        )
    )
}

UNSAID = QualityLimits()
"""The limits of a sensor that nobody knows anything of."""


def worst(*qualities: Quality) -> Quality:
    """Return the one that says most against a reading."""
    return max(qualities, key=_SEVERITY.__getitem__)


class Reason(NamedTuple):
    """One thing to say against a reading.

    Attributes:
        code: For programs: OUT_OF_RANGE, ATYPICAL, TOO_FAST, STUCK, WARMING_UP or LATE.
        quality: What it would be for this alone.
        text: For people.
    """

    code: str
    quality: Quality
    text: str


_NO_REASONS: Sequence[Reason] = ()


class Track(NamedTuple):
    """What is remembered of a sensor.

    Attributes:
        at: When its newest reading was measured.
        raw: Its newest raw value.
        same_since: Since when that is exactly the same.
        same: How often in a row.
        value: The newest value that was not too far from the one before, in the unit of the
            limits; None: there is none.
        value_at: When it was measured.
        made: Who converted it, with which calibration and settings: others do not compare with it.
    """

    at: datetime
    raw: float
    same_since: datetime
    same: int
    value: float | None
    value_at: datetime
    made: tuple[object, ...]


def judge(  # noqa: PLR0913, PLR0917 - all that is known of a reading
    sample: Sample,
    measured: Measurement,
    limits: QualityLimits,
    track: Track | None,
    booted_at: datetime | None,
    settings: object = None,
) -> tuple[Measurement, Track | None]:
    """Judge a measurement by its limits and by what went before.

    A sample that was measured before one that was seen already is neither compared with what came
    after it, nor remembered.

    Args:
        sample: What it was made from.
        measured: What the library made of it.
        limits: In any unit.
        track: What is remembered of its sensor; None: nothing.
        booted_at: When its device last started; None: nobody knows.
        settings: What its owner set for the conversion: other litres per pulse are no flood.

    Returns:
        The measurement as it is to be stored, and what is to be remembered.
    """
    received = sample.received_at
    # Nothing is measured after it was received, whatever a device's clock says.
    at = min(sample.measured_at or received, received)
    value = _comparable(measured, limits)
    reasons = _of_time(at, received, limits, booted_at)
    if value is not None:
        reasons += _of_value(value, limits)
    if track is None or at > track.at:
        made = (
            *(measured.unit, measured.library, measured.library_version),
            *(measured.calibration_id, limits.unit, settings),
        )
        too_fast = _too_fast(track, value, at, made, limits)
        believed = None if too_fast else value
        track = _followed(track, sample.raw_value, at, believed, made)
        reasons += too_fast
        reasons += _stuck(track, limits)
    if sample.device_quality in _DOUBTS:
        noted = {**(measured.notes or {}), "device": sample.device_quality.value}
        measured = measured._replace(notes=noted)
    if sample.relayed is not None:
        noted = {**(measured.notes or {}), "relay": sample.relayed.noted()}
        measured = measured._replace(notes=noted)
    return (_with_reasons(measured, reasons) if reasons else measured), track


def _comparable(measured: Measurement, limits: QualityLimits) -> float | None:
    """Return the value in the unit of the limits; None: it cannot be compared with them."""
    value, unit, wanted = measured.value, measured.unit, limits.unit
    if value is None or unit == wanted:
        return value
    if unit is None or wanted is None:
        return None
    try:
        return convert(value, unit, wanted)
    except BadInputError:
        return None


def _of_time(
    at: datetime, received: datetime, limits: QualityLimits, booted_at: datetime | None
) -> list[Reason]:
    reasons = []
    age = received - at
    if age > (limits.late_after or LATE_AFTER):
        reasons.append(
            Reason(
                "LATE",
                Quality.STALE,
                f"measured {_duration(age)} before it was received: it waited, or the device's "
                "clock is behind",
            )
        )
    if limits.warm_up and booted_at is not None and _NO_TIME <= at - booted_at < limits.warm_up:
        reasons.append(
            Reason(
                "WARMING_UP",
                Quality.SUSPECT,
                f"the sensor warms up for {_duration(limits.warm_up)} after the device's start",
            )
        )
    return reasons


def _of_value(value: float, limits: QualityLimits) -> Sequence[Reason]:
    for band, code, quality in (
        (limits.valid, "OUT_OF_RANGE", Quality.BAD),
        (limits.typical, "ATYPICAL", Quality.FAIR),
    ):
        if band is not None and not band.low <= value <= band.high:
            usual = "possible" if code == "OUT_OF_RANGE" else "usual"
            text = f"{usual} is {band.low:g} to {band.high:g} {limits.unit or ''}".rstrip()
            return [Reason(code, quality, text)]
    return _NO_REASONS


def _followed(
    track: Track | None,
    raw: float,
    at: datetime,
    believed: float | None,
    made: tuple[object, ...],
) -> Track:
    since, same = at, 1
    if track is not None and raw == track.raw:
        since, same = track.same_since, track.same + 1
    if believed is None and track is not None:
        return Track(at, raw, since, same, *track[4:])
    return Track(at, raw, since, same, believed, at, made)


def _stuck(track: Track, limits: QualityLimits) -> Sequence[Reason]:
    since = track.at - track.same_since
    if limits.stuck_after is None or track.same < FEWEST_STUCK or since < limits.stuck_after:
        return _NO_REASONS
    text = f"the raw value has not moved for {_duration(since)}"
    return [Reason("STUCK", Quality.SUSPECT, text)]


def _too_fast(
    before: Track | None,
    value: float | None,
    at: datetime,
    made: tuple[object, ...],
    limits: QualityLimits,
) -> Sequence[Reason]:
    """Compare with the last value that was believed: what really changed is soon believed again."""
    most = limits.max_rate
    if most is None or before is None or before.made != made:
        return _NO_REASONS
    if value is None or before.value is None:
        return _NO_REASONS
    passed = max((at - before.value_at).total_seconds(), _SHORTEST_STEP)
    change = abs(value - before.value)
    if change <= most * passed:
        return _NO_REASONS
    unit = limits.unit or ""
    text = f"{change:.4g} {unit} in {passed:.4g} s; possible is {most:g} {unit} a second"
    return [Reason("TOO_FAST", Quality.SUSPECT, text)]


def _with_reasons(measured: Measurement, reasons: Sequence[Reason]) -> Measurement:
    """Add reasons to what a library or device said, and take the worst quality of all."""
    notes: Mapping[str, Any] = measured.notes or {}
    said = notes.get("reason")
    listed = notes.get("reasons") or ([{"code": "CONVERSION", "text": said}] if said else [])
    quality = measured.quality
    for reason in reasons:
        if _SEVERITY[reason.quality] > _SEVERITY[quality]:
            quality = reason.quality
    return measured._replace(
        quality=quality,
        notes={
            **notes,
            "reason": "; ".join([*([said] if said else []), *(reason.text for reason in reasons)]),
            "reasons": [*listed, *({"code": r.code, "text": r.text} for r in reasons)],
        },
    )


def _duration(time: timedelta) -> str:
    seconds = time.total_seconds()
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
