"""Thresholds of a sensor: where a grower wants to be told, as a pure state machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from domain.errors import BadInputError
from domain.json_objects import number, only, text
from domain.units import unit_named


class Zone(StrEnum):
    """Where a value stands."""

    NORMAL = "NORMAL"
    WARNING_LOW = "WARNING_LOW"
    ALARM_LOW = "ALARM_LOW"
    WARNING_HIGH = "WARNING_HIGH"
    ALARM_HIGH = "ALARM_HIGH"

    @property
    def rank(self) -> int:
        """How bad it is: 0 normal, 1 warning, 2 alarm."""
        return ("NORMAL", "WARNING", "ALARM").index(self.value.split("_", maxsplit=1)[0])


_LOW = (Zone.NORMAL, Zone.WARNING_LOW, Zone.ALARM_LOW)
_HIGH = (Zone.NORMAL, Zone.WARNING_HIGH, Zone.ALARM_HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits in `unit`; a value that reaches one has crossed it. None: there is no such limit.

    Attributes:
        unit: Of all the numbers.
        hysteresis: How far a value must come back behind a limit, 0 or more.
    """

    unit: str
    alarm_low: float | None = None
    warning_low: float | None = None
    warning_high: float | None = None
    alarm_high: float | None = None
    hysteresis: float = 0.0

    def limit(self, zone: Zone) -> float | None:
        """Return the limit behind which a zone lies; None: there is none."""
        return {
            Zone.NORMAL: None,
            Zone.WARNING_LOW: self.warning_low,
            Zone.ALARM_LOW: self.alarm_low,
            Zone.WARNING_HIGH: self.warning_high,
            Zone.ALARM_HIGH: self.alarm_high,
        }[zone]

    def zone(self, value: float, before: Zone = Zone.NORMAL) -> Zone:
        """Return where a value stands, given where the one before stood.

        Args:
            value: In `unit`.
            before: A zone is left only when the value is `hysteresis` behind its limit.
        """
        high = self._reached(
            value, _rank_in(_HIGH, before), 1.0, (self.warning_high, self.alarm_high)
        )
        if high:
            return _HIGH[high]
        low = self._reached(value, _rank_in(_LOW, before), -1.0, (self.warning_low, self.alarm_low))
        return _LOW[low]

    def _reached(
        self, value: float, held: int, side: float, limits: tuple[float | None, float | None]
    ) -> int:
        reached = 0
        for rank, limit in enumerate(limits, start=1):
            if limit is None:
                continue
            beyond = (value - limit) * side
            if beyond >= 0 or (rank <= held and beyond > -self.hysteresis):
                reached = rank
        return reached

    def as_json(self) -> dict[str, Any]:
        """Return what `read_thresholds` reads."""
        levels = {
            "warning": {"low": self.warning_low, "high": self.warning_high},
            "alarm": {"low": self.alarm_low, "high": self.alarm_high},
        }
        said = {
            name: {side: limit for side, limit in level.items() if limit is not None}
            for name, level in levels.items()
        }
        return {
            "unit": self.unit,
            **{name: level for name, level in said.items() if level},
            "hysteresis": self.hysteresis,
        }


def read_thresholds(given: object) -> Thresholds | None:
    """Read thresholds as people write them.

    Args:
        given: A JSON object: `unit`, `warning` and `alarm`, each with `low`, `high` or both, and
            `hysteresis`; an empty one: none.

    Raises:
        BadInputError: It says what is wrong.
    """
    entries: Mapping[str, Any] = only(
        given, ("unit", "warning", "alarm", "hysteresis"), "thresholds"
    )
    if not entries:
        return None
    unit = text(entries, "unit")
    if unit is None:
        raise BadInputError('thresholds need a unit, such as {"unit": "°C"}')
    warning, alarm = (
        only(entries.get(level, {}), ("low", "high"), level) for level in ("warning", "alarm")
    )
    thresholds = Thresholds(
        unit=unit_named(unit).symbol,
        alarm_low=number(alarm, "low"),
        warning_low=number(warning, "low"),
        warning_high=number(warning, "high"),
        alarm_high=number(alarm, "high"),
        hysteresis=number(entries, "hysteresis") or 0.0,
    )
    _check(thresholds)
    return thresholds


def _check(thresholds: Thresholds) -> None:
    given = [
        (name, limit)
        for name, limit in (
            ("alarm.low", thresholds.alarm_low),
            ("warning.low", thresholds.warning_low),
            ("warning.high", thresholds.warning_high),
            ("alarm.high", thresholds.alarm_high),
        )
        if limit is not None
    ]
    if not given:
        raise BadInputError("thresholds need at least one limit: warning or alarm, low or high")
    for (lower, low), (higher, high) in pairwise(given):
        if low >= high:
            raise BadInputError(f"{lower} ({low:g}) must be below {higher} ({high:g})")
    if thresholds.hysteresis < 0:
        raise BadInputError("hysteresis must be 0 or more")
    highest_low = max((limit for name, limit in given if name.endswith("low")), default=None)
    lowest_high = min((limit for name, limit in given if name.endswith("high")), default=None)
    if highest_low is None or lowest_high is None:
        return
    if thresholds.hysteresis >= lowest_high - highest_low:
        raise BadInputError("hysteresis must be less than what lies between low and high")


def _rank_in(side: tuple[Zone, ...], zone: Zone) -> int:
    return side.index(zone) if zone in side else 0
