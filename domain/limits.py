"""What is believable of a sensor: declared by its library, overridden by its owner."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, NamedTuple

from domain.errors import BadInputError
from domain.json_objects import number, only, pair, seconds, text
from domain.units import canonical_unit, convert, convert_change, target, unit_named


class Band(NamedTuple):
    """From `low` to `high`, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """Limits of one sensor, or of all of its kind; None: nothing is said.

    Attributes:
        unit: Of `valid`, `typical` and, per second, of `max_rate`.
        valid: Outside, the sensor cannot have measured it.
        typical: Outside, it is possible but unusual.
        max_rate: The fastest that the quantity can change, in its unit per second.
        stuck_after: How long exactly the same raw value is believable.
        warm_up: How long after power-on the chip does not measure well.
        late_after: How long after measuring a reading may arrive and still say how things are.
    """

    unit: str | None = None
    valid: Band | None = None
    typical: Band | None = None
    max_rate: float | None = None
    stuck_after: timedelta | None = None
    warm_up: timedelta | None = None
    late_after: timedelta | None = None

    def over(self, others: "QualityLimits | None") -> "QualityLimits":
        """Return these limits, and those of the library where these say nothing.

        Limits in a unit that does not fit the library's are of no use, and are left out.
        """
        if others is None:
            return self
        own = self.converted(others.unit)
        said = {
            known.name: value
            for known in fields(own)
            if (value := getattr(own, known.name)) is not None
        }
        return replace(others, **said)

    def converted(self, unit: str | None) -> "QualityLimits":
        """Return the same limits in another unit; what has no meaning there is left out."""
        if unit is None or self.unit is None or unit == self.unit:
            return self
        try:
            target(unit, self.unit)
        except BadInputError:
            return replace(self, unit=None, valid=None, typical=None, max_rate=None)
        rate = self.max_rate
        return replace(
            self,
            unit=unit,
            valid=_converted(self.valid, self.unit, unit),
            typical=_converted(self.typical, self.unit, unit),
            max_rate=None if rate is None else convert_change(rate, self.unit, unit),
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `read_limits` reads."""
        plain = {
            "unit": self.unit,
            "valid": self.valid and list(self.valid),
            "typical": self.typical and list(self.typical),
            "maxRate": self.max_rate,
            "stuckAfter": _seconds(self.stuck_after),
            "warmUp": _seconds(self.warm_up),
            "lateAfter": _seconds(self.late_after),
        }
        return {key: value for key, value in plain.items() if value is not None}


_KEYS = ("unit", "valid", "typical", "maxRate", "stuckAfter", "warmUp", "lateAfter")


def read_limits(given: object) -> QualityLimits | None:
    """Read limits as people write them.

    Args:
        given: A JSON object: `unit`, `valid` and `typical` as [low, high], `maxRate` in the unit
            per second, `stuckAfter`, `warmUp` and `lateAfter` in seconds; an empty one: none.

    Raises:
        BadInputError: It says what is wrong.
    """
    entries: Mapping[str, Any] = only(given, _KEYS, "qualityLimits")
    if not entries:
        return None
    unit = text(entries, "unit")
    limits = QualityLimits(
        unit=None if unit is None else unit_named(unit).symbol,
        valid=_band(entries, "valid"),
        typical=_band(entries, "typical"),
        max_rate=number(entries, "maxRate", above=0.0),
        stuck_after=seconds(entries, "stuckAfter"),
        warm_up=seconds(entries, "warmUp"),
        late_after=seconds(entries, "lateAfter"),
    )
    if limits.unit is None and (limits.valid or limits.typical or limits.max_rate):
        raise BadInputError("valid, typical and maxRate need a unit")
    return limits


def check_fits(unit: str | None, measured: str | None, what: str) -> None:
    """Refuse limits in a unit that the sensor does not measure in.

    Raises:
        BadInputError: They do not fit; it names the units that do.
    """
    if unit is not None and measured is not None and canonical_unit(unit) != measured:
        try:
            target(unit, measured)
        except BadInputError as error:
            raise BadInputError(f"{what}: {error}") from None


def _band(entries: Mapping[str, Any], key: str) -> Band | None:
    found = pair(entries, key)
    return None if found is None else Band(*found)


def _converted(band: Band | None, source: str, unit: str) -> Band | None:
    return None if band is None else Band(*(convert(edge, source, unit) for edge in band))


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
