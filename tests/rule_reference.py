"""A second interpreter of conditions, written from what they mean and not from how it is computed.

It remembers nothing: to say what a condition comes to, it goes through all that was ever seen.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from domain.errors import BadInputError
from domain.rules.conditions import (
    ActuatorIs,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    DeviceIs,
    Hysteresis,
    Limit,
    Not,
    Operator,
    Rate,
    Stale,
    Threshold,
)
from domain.rules.schedule import TimeWindow
from domain.rules.sun import SunEvent, SunWindow, sun_day
from domain.rules.world import Observation, World
from domain.sensors import SensorKey
from domain.units import convert, shown
from tests.wall_clock import expected, transitions

TRUSTED = {"EXCELLENT", "GOOD", "FAIR", "POOR", "UNKNOWN"}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Reference:
    """Says what conditions come to at the end of a history; its clock never went back."""

    history: list[tuple[datetime, World]]

    @property
    def now(self) -> datetime:
        return self.history[-1][0]

    @property
    def world(self) -> World:
        return self.history[-1][1]

    def before(self) -> "Reference | None":
        return Reference(self.history[:-1]) if len(self.history) > 1 else None

    def holds(self, condition: Condition) -> bool | None:  # noqa: C901, PLR0911, PLR0912 - each kind once
        match condition:
            case AllOf(parts):
                found = [self.holds(part) for part in parts]
                if any(verdict is False for verdict in found):
                    return False
                return None if any(verdict is None for verdict in found) else True
            case AnyOf(parts):
                return negated(self.holds(AllOf(tuple(Not(part) for part in parts))))
            case Not(part):
                return negated(self.holds(part))
            case Threshold():
                return self.threshold(condition)
            case Hysteresis():
                return self.hysteresis(condition)
            case Comparison():
                return self.comparison(condition)
            case Rate():
                return self.rate(condition)
            case Stale():
                good = self.newest_good(condition.sensor)
                return None if good is None else self.age(good) >= condition.older_than
            case DeviceIs():
                status = self.world.devices.get(condition.esp_id)
                return None if status is None else status == condition.status
            case ActuatorIs():
                return self.actuator(condition)
            case TimeWindow():
                return any(
                    span_start <= self.now < span_end
                    for day in range(-2, 2)
                    for span_start, span_end in windows_of(condition, self.now, day)
                )
            case SunWindow():
                return self.sun(condition)

    def age(self, seen: Observation) -> timedelta:
        return self.now - seen.measured_at

    def newest_good(self, key: SensorKey) -> Observation | None:
        found = [
            seen
            for now, world in self.history
            if (seen := world.readings.get(key)) is not None
            and seen.value is not None
            and seen.quality.value in TRUSTED
            and seen.measured_at <= now
        ]
        return max(found, key=lambda seen: (seen.measured_at, seen.reading_id), default=None)

    def looked_at(self, key: SensorKey) -> Observation | None:
        """Return the world's reading, unless a good one that is newer was seen before."""
        earlier = self.before()
        good = None if earlier is None else earlier.newest_good(key)
        given = self.world.readings.get(key)
        if good is None or given is None:
            return given or good
        return max(good, given, key=lambda seen: (seen.measured_at, seen.reading_id))

    def value(self, key: SensorKey, unit: str | None, max_age: timedelta | None) -> float | None:
        seen = self.looked_at(key)
        if seen is None or seen.value is None or seen.quality.value not in TRUSTED:
            return None
        if not timedelta(0) <= self.age(seen) < (max_age or self.world.max_age):
            return None
        if unit in {None, seen.unit}:
            return seen.value
        try:
            return None if seen.unit is None else shown(convert(seen.value, seen.unit, unit or ""))
        except BadInputError:
            return None

    def threshold(self, leaf: Threshold) -> bool | None:
        value = self.value(leaf.sensor, leaf.unit, leaf.max_age)
        if value is None:
            return None
        if not within(value, leaf.limit):
            return False
        since = self.beyond_since(leaf)
        return self.now - since >= leaf.hold_for

    def beyond_since(self, leaf: Threshold) -> datetime:
        """Go back for as long as every value was beyond the limit, and never too old."""
        seen = self.looked_at(leaf.sensor)
        assert seen is not None
        earlier = self.before()
        if earlier is None:
            return seen.measured_at
        last = earlier.newest_good(leaf.sensor)
        value = earlier.value(leaf.sensor, leaf.unit, leaf.max_age)
        if last is None or value is None or not within(value, leaf.limit):
            return seen.measured_at
        too_old = self.age(last) >= (leaf.max_age or self.world.max_age)
        if too_old and last != seen:
            return seen.measured_at
        return min(seen.measured_at, earlier.beyond_since(leaf))

    def hysteresis(self, leaf: Hysteresis) -> bool | None:
        if self.value(leaf.sensor, leaf.unit, leaf.max_age) is None:
            return None
        active = False
        for length in range(1, len(self.history) + 1):
            past = Reference(self.history[:length])
            value = past.value(leaf.sensor, leaf.unit, leaf.max_age)
            if value is None:
                continue
            sign = 1 if leaf.rising else -1
            if (value - leaf.activate) * sign > 0:
                active = True
            elif (value - leaf.deactivate) * sign < 0:
                active = False
        return active

    def comparison(self, leaf: Comparison) -> bool | None:
        left = self.looked_at(leaf.left)
        right = self.looked_at(leaf.right)
        if left is None or right is None or (left.unit is None) is not (right.unit is None):
            return None
        value = self.value(leaf.left, None, leaf.max_age)
        other = self.value(leaf.right, left.unit, leaf.max_age)
        if value is None or other is None:
            return None
        return within(value, Limit(leaf.operator, other + leaf.offset))

    def rate(self, leaf: Rate) -> bool | None:
        value = self.value(leaf.sensor, leaf.unit, leaf.max_age)
        if value is None:
            return None
        kept: list[tuple[datetime, float, str | None]] = []
        for length in range(1, len(self.history) + 1):
            past = Reference(self.history[:length])
            found = past.value(leaf.sensor, leaf.unit, leaf.max_age)
            seen = past.looked_at(leaf.sensor)
            if found is None or seen is None:
                continue
            unit = seen.unit if leaf.unit is None else leaf.unit
            if kept and kept[-1][2] != unit:
                kept = []
            kept = [point for point in kept if seen.measured_at - point[0] <= leaf.over]
            if not kept or seen.measured_at - kept[-1][0] >= leaf.over / 60:
                kept.append((seen.measured_at, found, unit))
        seen = self.looked_at(leaf.sensor)
        assert seen is not None
        passed = seen.measured_at - kept[0][0]
        if passed < leaf.over / 2:
            return None
        return within(shown((value - kept[0][1]) / (passed.total_seconds() / 60)), leaf.limit)

    def actuator(self, leaf: ActuatorIs) -> bool | None:
        state = self.world.actuators.get(leaf.pin)
        if state is None or state.reported_at is None:
            return None
        if leaf.max_age is not None and self.now - state.reported_at >= leaf.max_age:
            return None
        if leaf.on is not None:
            return state.is_active == leaf.on
        return state.is_active and state.value >= (leaf.at_least or 0)

    def sun(self, leaf: SunWindow) -> bool:
        today = (self.now + timedelta(hours=leaf.place.longitude / 15)).date()
        for offset in range(-2, 3):
            first = sun_day(leaf.place, today + offset * DAY)
            night = (leaf.start, leaf.end) == (SunEvent.SUNSET, SunEvent.SUNRISE)
            second = sun_day(leaf.place, today + (offset + 1) * DAY) if night else first
            moments = []
            for day, event, shift in (
                (first, leaf.start, leaf.start_offset),
                (second, leaf.end, leaf.end_offset),
            ):
                moment = day.sunrise if event is SunEvent.SUNRISE else day.sunset
                if moment is not None:
                    moments.append(moment + shift)
                elif leaf.start is not leaf.end:
                    sign = -1 if event is SunEvent.SUNRISE else 1
                    moments.append(day.noon + sign * day.half)
            if moments and moments[0] <= self.now < moments[1]:
                return True
        return False


def negated(verdict: bool | None) -> bool | None:  # noqa: FBT001 - a verdict
    return None if verdict is None else not verdict


def within(number: float, limit: Limit) -> bool:
    low = limit.value
    return {
        Operator.GT: number > low,
        Operator.GTE: number >= low,
        Operator.LT: number < low,
        Operator.LTE: number <= low,
        Operator.EQ: number == low,
        Operator.NEQ: number != low,
        Operator.BETWEEN: low <= number <= (limit.upper if limit.upper is not None else low),
    }[limit.operator]


def windows_of(window: TimeWindow, now: datetime, offset: int) -> list[tuple[datetime, datetime]]:
    day = (now.astimezone(ZoneInfo(window.time_zone)) + offset * DAY).date()
    return _windows(window, day.toordinal()) if day.weekday() in window.days else []


@cache
def _windows(window: TimeWindow, ordinal: int) -> list[tuple[datetime, datetime]]:
    zone = ZoneInfo(window.time_zone)
    day = datetime.fromordinal(ordinal).date()
    changes = [at for at in _changes(window.time_zone, day.year) if abs(at.date() - day) <= 2 * DAY]
    turned = changes[0] if changes else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [(span.start, span.end) for span in expected(window, day, zone, turned)]


@cache
def _changes(time_zone: str, year: int) -> list[datetime]:
    return list(transitions(ZoneInfo(time_zone), year, year))
