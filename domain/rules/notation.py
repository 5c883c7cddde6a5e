"""Conditions as JSON: the shape of `ConditionInput`, one key for each object.

What is written is read back as the same tree, with every default said: a stored rule does not
change its meaning when a default does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from domain.actuators import Pin
from domain.devices import DeviceStatus
from domain.rules.conditions import (
    DEEPEST,
    LARGEST,
    RATE_POINTS,
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
from domain.rules.fields import Fields, Findings
from domain.rules.schedule import EVERY_DAY, MINUTES_A_DAY, DstPolicy, TimeWindow
from domain.rules.sun import LONGEST_OFFSET, Place, SunEvent, SunWindow
from domain.sensors import SensorKey
from domain.times import write_duration

LONGEST_TIME = timedelta(days=7)
"""The longest time that a condition can look back over, or wait for."""

_SECOND = timedelta(seconds=1)
_SHORTEST_RATE = RATE_POINTS * _SECOND
_CLOCK = "must be a time of day like 22:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What is meant where a condition does not say it.

    Attributes:
        place: Where the sun is meant to rise; None: it must be said.
    """

    time_zone: str = "UTC"
    place: Place | None = None
    dst: DstPolicy = DstPolicy.ONCE


USUAL = Defaults()


def read_condition(
    given: object, defaults: Defaults = USUAL, place: str = "condition"
) -> Condition:
    """Read a condition.

    Raises:
        FindingsError: It says all that is wrong, each with its place.
    """
    findings = Findings()
    condition = read_condition_into(findings, given, defaults, place)
    findings.require_none()
    if condition is None:
        raise AssertionError("a condition that could not be read has a finding")
    return condition


def read_condition_into(
    findings: Findings, given: object, defaults: Defaults = USUAL, place: str = "condition"
) -> Condition | None:
    """Read a condition as a part of something larger; None: what is wrong is among the findings."""
    return _Reader(findings, defaults).read(given, place, 1)


class _Reader:
    """Reads one tree, and counts what it has."""

    def __init__(self, findings: Findings, defaults: Defaults) -> None:
        self._findings = findings
        self._defaults = defaults
        self._count = 0

    def read(self, given: object, place: str, depth: int) -> Condition | None:
        self._count += 1
        if depth > DEEPEST:
            self._findings.add(place, f"conditions stand inside each other {DEEPEST} deep at most")
            return None
        if self._count > LARGEST:
            if self._count == LARGEST + 1:
                self._findings.add(place, f"a condition has {LARGEST} parts at most")
            return None
        kinds = ("all", "any", "not", *_LEAVES)
        fields = Fields.of(given, place, kinds, self._findings)
        if fields is None:
            return None
        found = [key for key in fields.entries if key in kinds]
        if len(found) != 1:
            self._findings.add(place, f"must have exactly one of {', '.join(kinds)}")
            return None
        return self._kind(fields, found[0], depth)

    def _kind(self, fields: Fields, kind: str, depth: int) -> Condition | None:
        if kind == "not":
            inner = self.read(fields.entries[kind], f"{fields.place}.not", depth + 1)
            return None if inner is None else Not(inner)
        if kind in ("all", "any"):
            items = fields.items(kind) or ()
            read = [
                self.read(item, f"{fields.place}.{kind}[{index}]", depth + 1)
                for index, item in enumerate(items)
            ]
            conditions = tuple(condition for condition in read if condition is not None)
            if not conditions or len(conditions) < len(read):
                return None
            return AllOf(conditions) if kind == "all" else AnyOf(conditions)
        keys, read_leaf = _LEAVES[kind]
        leaf = fields.within(kind, keys)
        return None if leaf is None else read_leaf(leaf, self._defaults)


def _limit(fields: Fields) -> Limit | None:
    operator = fields.required("operator", lambda key: fields.choice(key, Operator))
    value = fields.required("value", fields.number)
    upper = fields.number("upper")
    if operator is None or value is None:
        return None
    if operator is not Operator.BETWEEN:
        if fields.has("upper"):
            fields.wrong("upper", "is only for BETWEEN")
        return Limit(operator, value)
    if fields.need("upper") and upper is not None and upper < value:
        fields.wrong("upper", f"must not be below value ({value:g})")
    return None if upper is None else Limit(operator, value, upper)


def _age(fields: Fields) -> timedelta | None:
    return fields.duration("maxAge", _SECOND, LONGEST_TIME)


def _threshold(fields: Fields, _: Defaults) -> Threshold | None:
    sensor, limit, unit = fields.sensor("sensor"), _limit(fields), fields.unit()
    hold_for, max_age = fields.duration("holdFor", longest=LONGEST_TIME), _age(fields)
    any_quality = fields.flag("anyQuality") or False
    if any_quality and hold_for:
        fields.wrong("anyQuality", "goes without holdFor: a value in doubt says nothing of a time")
    if sensor is None or limit is None:
        return None
    return Threshold(
        sensor=sensor,
        limit=limit,
        unit=unit,
        hold_for=hold_for or timedelta(0),
        max_age=max_age,
        any_quality=any_quality,
    )


_PAIRS = (("activateAbove", "deactivateBelow"), ("activateBelow", "deactivateAbove"))


def _hysteresis(fields: Fields, _: Defaults) -> Hysteresis | None:
    sensor, unit, max_age = fields.sensor("sensor"), fields.unit(), _age(fields)
    numbers = {key: fields.number(key) for pair in _PAIRS for key in pair}
    rising, falling = ({key for key in pair if fields.has(key)} for pair in _PAIRS)
    if bool(rising) == bool(falling) or len(rising or falling) != len(_PAIRS[0]):
        options = " or ".join(" and ".join(pair) for pair in _PAIRS)
        fields.findings.add(fields.place, f"must have either {options}")
        return None
    activate, deactivate = (numbers[key] for key in _PAIRS[0 if rising else 1])
    if activate is None or deactivate is None:
        return None
    if (activate <= deactivate) if rising else (activate >= deactivate):
        on, off = _PAIRS[0 if rising else 1]
        side = "above" if rising else "below"
        fields.wrong(on, f"({activate:g}) must be {side} {off} ({deactivate:g})")
    if sensor is None:
        return None
    return Hysteresis(
        sensor=sensor,
        activate=activate,
        deactivate=deactivate,
        rising=bool(rising),
        unit=unit,
        max_age=max_age,
    )


def _comparison(fields: Fields, _: Defaults) -> Comparison | None:
    left, right = fields.sensor("left"), fields.sensor("right")
    operator = fields.required("operator", lambda key: fields.choice(key, Operator))
    offset, max_age = fields.number("offset"), _age(fields)
    if operator is Operator.BETWEEN:
        fields.wrong("operator", "BETWEEN is not for comparisons")
    if left is not None and left == right:
        fields.wrong("right", "must be another sensor than left")
    if left is None or right is None or operator is None:
        return None
    return Comparison(
        left=left, operator=operator, right=right, offset=offset or 0.0, max_age=max_age
    )


def _rate(fields: Fields, _: Defaults) -> Rate | None:
    sensor, limit, unit = fields.sensor("sensor"), _limit(fields), fields.unit()
    over = fields.required("over", lambda key: fields.duration(key, _SHORTEST_RATE, LONGEST_TIME))
    max_age = _age(fields)
    if sensor is None or limit is None or over is None:
        return None
    return Rate(sensor=sensor, limit=limit, over=over, unit=unit, max_age=max_age)


def _clock(fields: Fields, key: str, latest: int) -> int | None:
    text = fields.text(key) if fields.need(key) else None
    if text is None:
        return None
    hours, colon, minutes = text.partition(":")
    if (
        colon
        and len(hours) == len(minutes) == len("00")
        and (hours + minutes).isascii()
        and (hours + minutes).isdigit()
        and int(minutes) <= 59  # noqa: PLR2004 - minutes of an hour
        and (found := int(hours) * 60 + int(minutes)) <= latest
    ):
        return found
    fields.wrong(key, _CLOCK)
    return None


def _days(fields: Fields) -> frozenset[int]:
    items = fields.items("days")
    if items is None:
        return EVERY_DAY
    days = {day for day in items if isinstance(day, int) and not isinstance(day, bool)}
    if len(days) < len(items) or not days <= EVERY_DAY:
        fields.wrong("days", "must be different days, from 0 (Monday) to 6")
        return EVERY_DAY
    return frozenset(days)


@lru_cache(1024)
def is_time_zone(name: str) -> bool:
    """Say whether a name is an IANA time zone that is known here."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a path inside; a folder of zones
        return False
    return True


def _time_window(fields: Fields, defaults: Defaults) -> TimeWindow | None:
    start = _clock(fields, "start", MINUTES_A_DAY - 1)
    end = _clock(fields, "end", MINUTES_A_DAY)
    days, zone = _days(fields), fields.text("timeZone") or defaults.time_zone
    dst = fields.choice("dst", DstPolicy) or defaults.dst
    if not is_time_zone(zone):
        fields.wrong("timeZone", "must be an IANA time zone like Europe/Berlin")
    if start is None or end is None:
        return None
    if start == end:
        fields.wrong("end", "must not be start: such a window is empty; all day is 00:00 to 24:00")
    return TimeWindow(start=start, end=end, days=days, time_zone=zone, dst=dst)


def _edge(fields: Fields, key: str) -> tuple[SunEvent, timedelta] | None:
    edge = fields.within(key, ("event", "offset")) if fields.need(key) else None
    if edge is None:
        return None
    event = edge.required("event", lambda key: edge.choice(key, SunEvent))
    offset = edge.duration("offset", longest=LONGEST_OFFSET, signed=True)
    return None if event is None else (event, offset or timedelta(0))


def _place(fields: Fields, default: Place | None) -> Place | None:
    latitude = fields.number("latitude", -90, 90)
    longitude = fields.number("longitude", -180, 180)
    if not fields.has("latitude") and not fields.has("longitude"):
        if default is None:
            fields.wrong("latitude", "is needed with longitude: no place is configured")
        return default
    if not (fields.need("latitude") and fields.need("longitude")):
        return None
    return None if latitude is None or longitude is None else Place(latitude, longitude)


def _sun(fields: Fields, defaults: Defaults) -> SunWindow | None:
    start, end = _edge(fields, "from"), _edge(fields, "to")
    place = _place(fields, defaults.place)
    if start is None or end is None or place is None:
        return None
    if start[0] is end[0] and start[1] >= end[1]:
        fields.wrong("to", "must be later than from: such a window is empty")
    return SunWindow(
        start=start[0], start_offset=start[1], end=end[0], end_offset=end[1], place=place
    )


def _stale(fields: Fields, _: Defaults) -> Stale | None:
    sensor = fields.sensor("sensor")
    older = fields.required("olderThan", lambda key: fields.duration(key, _SECOND, LONGEST_TIME))
    return None if sensor is None or older is None else Stale(sensor=sensor, older_than=older)


def _device(fields: Fields, _: Defaults) -> DeviceIs | None:
    esp_id = fields.required("espId", fields.text)
    status = fields.required("status", lambda key: fields.choice(key, DeviceStatus))
    return None if esp_id is None or status is None else DeviceIs(esp_id=esp_id, status=status)


def _actuator(fields: Fields, _: Defaults) -> ActuatorIs | None:
    pin, on = fields.actuator("actuator"), fields.flag("on")
    at_least, max_age = fields.number("atLeast", 0, 1), _age(fields)
    if fields.has("on") == fields.has("atLeast"):
        fields.findings.add(fields.place, "must have either on or atLeast")
        return None
    if at_least == 0:
        fields.wrong("atLeast", "must be more than 0: every actuator has at least 0")
    return None if pin is None else ActuatorIs(pin=pin, on=on, at_least=at_least, max_age=max_age)


_Read = Callable[[Fields, Defaults], Condition | None]
_LEAVES: Mapping[str, tuple[tuple[str, ...], _Read]] = {
    "threshold": (
        ("sensor", "operator", "value", "upper", "unit", "holdFor", "maxAge", "anyQuality"),
        _threshold,
    ),
    "hysteresis": (("sensor", *_PAIRS[0], *_PAIRS[1], "unit", "maxAge"), _hysteresis),
    "comparison": (("left", "operator", "right", "offset", "maxAge"), _comparison),
    "rate": (("sensor", "operator", "value", "upper", "unit", "over", "maxAge"), _rate),
    "timeWindow": (("start", "end", "days", "timeZone", "dst"), _time_window),
    "sun": (("from", "to", "latitude", "longitude"), _sun),
    "stale": (("sensor", "olderThan"), _stale),
    "deviceStatus": (("espId", "status"), _device),
    "actuatorState": (("actuator", "on", "atLeast", "maxAge"), _actuator),
}
"""The leaves: which keys each has, and how it is read."""


def write_condition(condition: Condition) -> dict[str, Any]:
    """Return what `read_condition` reads, ready for JSON."""
    match condition:
        case AllOf():
            return {"all": [write_condition(inner) for inner in condition.conditions]}
        case AnyOf():
            return {"any": [write_condition(inner) for inner in condition.conditions]}
        case Not():
            return {"not": write_condition(condition.condition)}
        case _:
            kind, entries = _written(condition)
            return {kind: {key: value for key, value in entries.items() if value is not None}}


def kind_of(condition: Condition) -> str:
    """Return the key under which a condition is written."""
    return next(iter(write_condition(condition)))


def _written(leaf: Condition) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911 - one for each kind
    match leaf:
        case Threshold():
            hold_for = _time(leaf.hold_for) if leaf.hold_for else None
            rest = {"holdFor": hold_for, "anyQuality": leaf.any_quality or None}
            return "threshold", {**_on_sensor(leaf), **_of_limit(leaf.limit), **rest}
        case Hysteresis():
            on, off = _PAIRS[0 if leaf.rising else 1]
            return "hysteresis", {**_on_sensor(leaf), on: leaf.activate, off: leaf.deactivate}
        case Comparison():
            return "comparison", {
                "left": write_sensor(leaf.left),
                "operator": leaf.operator.value,
                "right": write_sensor(leaf.right),
                "offset": leaf.offset,
                "maxAge": _time(leaf.max_age),
            }
        case Rate():
            return "rate", {**_on_sensor(leaf), **_of_limit(leaf.limit), "over": _time(leaf.over)}
        case TimeWindow():
            return "timeWindow", {
                "start": clock(leaf.start),
                "end": clock(leaf.end),
                "days": sorted(leaf.days),
                "timeZone": leaf.time_zone,
                "dst": leaf.dst.value,
            }
        case SunWindow():
            return "sun", {
                "from": {"event": leaf.start.value, "offset": _time(leaf.start_offset)},
                "to": {"event": leaf.end.value, "offset": _time(leaf.end_offset)},
                "latitude": leaf.place.latitude,
                "longitude": leaf.place.longitude,
            }
        case Stale():
            sensor = write_sensor(leaf.sensor)
            return "stale", {"sensor": sensor, "olderThan": _time(leaf.older_than)}
        case DeviceIs():
            return "deviceStatus", {"espId": leaf.esp_id, "status": leaf.status.value}
        case ActuatorIs():
            return "actuatorState", {
                "actuator": write_pin(leaf.pin),
                "on": leaf.on,
                "atLeast": leaf.at_least,
                "maxAge": _time(leaf.max_age),
            }
        case _:
            raise TypeError(f"{type(leaf).__name__} is no leaf")


def _on_sensor(leaf: Threshold | Hysteresis | Rate) -> dict[str, Any]:
    sensor = write_sensor(leaf.sensor)
    return {"sensor": sensor, "unit": leaf.unit, "maxAge": _time(leaf.max_age)}


def _of_limit(limit: Limit) -> dict[str, Any]:
    return {"operator": limit.operator.value, "value": limit.value, "upper": limit.upper}


def _time(duration: timedelta | None) -> str | None:
    if duration is None:
        return None
    return f"-{write_duration(-duration)}" if duration < timedelta(0) else write_duration(duration)


def clock(minutes: int) -> str:
    """Return a time of day, such as 22:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def write_sensor(key: SensorKey) -> dict[str, Any]:
    """Return a sensor as `SensorRefInput` has it."""
    written = {"espId": key.esp_id, "gpio": key.gpio, "sensorType": key.sensor_type}
    return written | ({"address": key.address} if key.address else {})


def write_pin(pin: Pin) -> dict[str, Any]:
    """Return an actuator as `ActuatorRefInput` has it."""
    return {"espId": pin.esp_id, "gpio": pin.gpio}
