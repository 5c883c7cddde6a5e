"""Why a condition came to what it came to, in sentences and as JSON, each part with its place.

Words are made only when somebody asks: a backtest judges millions of times and explains little.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

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
    steps,
)
from domain.rules.evaluate import Explanation, Seen
from domain.rules.notation import clock, kind_of, write_sensor
from domain.rules.schedule import EVERY_DAY, TimeWindow
from domain.rules.sun import SunWindow
from domain.sensors import SensorKey
from domain.times import write_instant

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_VERDICTS = {True: "yes", False: "no", None: "unknown"}
_COMPARED = {
    Operator.GT: "above",
    Operator.GTE: "at least",
    Operator.LT: "below",
    Operator.LTE: "at most",
    Operator.EQ: "exactly",
    Operator.NEQ: "other than",
}


def explanation_json(explanation: Explanation, place: str = "condition") -> dict[str, Any]:
    """Return an explanation with everything in it.

    Each part has `place`, `kind` (its key in a condition), `holds` (true, false, null: unknown) and
    a `sentence`; leaves have `seen`, branches have `children`.
    """
    condition = explanation.condition
    parts = zip(steps(condition), explanation.children, strict=True)
    written: dict[str, Any] = {
        "place": place,
        "kind": kind_of(condition),
        "holds": explanation.holds,
        "sentence": sentence(explanation),
    }
    if explanation.children:
        children = [explanation_json(child, f"{place}.{step}") for step, child in parts]
        return written | {"children": children}
    return written | {"seen": [_seen_json(seen) for seen in explanation.seen]}


def _seen_json(seen: Seen) -> Mapping[str, Any]:
    found = seen.observation
    written: dict[str, Any] = {"sensor": write_sensor(seen.sensor), "trouble": seen.trouble}
    if found is None or seen.age is None:
        return written | {"value": None}
    return written | {
        "value": found.value,
        "unit": found.unit,
        "quality": found.quality.value,
        "measuredAt": write_instant(found.measured_at),
        "ageSeconds": seen.age.total_seconds(),
        "readingId": str(found.reading_id),
    }


def sentence(explanation: Explanation) -> str:
    """Return a condition, what was found, and the verdict, in one sentence."""
    verdict = _VERDICTS[explanation.holds]
    parts = [said(explanation.condition), *(_found(seen) for seen in explanation.seen)]
    if isinstance(explanation.condition, Rate) and explanation.measured is not None:
        parts.append(f"it changes by {explanation.measured:g} a minute")
    if explanation.since is not None:
        parts.append(f"so since {write_instant(explanation.since)}")
    parts += [part for part in (explanation.found, explanation.trouble) if part is not None]
    return f"{'; '.join(parts)}: {verdict}"


def said(condition: Condition) -> str:  # noqa: C901, PLR0911, PLR0912 - each kind once
    """Return a condition in words."""
    match condition:
        case AllOf():
            return f"all of {len(condition.conditions)} hold"
        case AnyOf():
            return f"any of {len(condition.conditions)} holds"
        case Not():
            return f"not: {said(condition.condition)}"
        case Threshold():
            limit = shown_limit(condition.limit, condition.unit)
            held = f" for {shown_time(condition.hold_for)}" if condition.hold_for else ""
            doubt = ", doubted or not" if condition.any_quality else ""
            return f"{shown_name(condition.sensor)} is {limit}{held}{doubt}"
        case Hysteresis():
            on, off = ("above", "below") if condition.rising else ("below", "above")
            unit = f" {condition.unit}" if condition.unit else ""
            return (
                f"{shown_name(condition.sensor)} is {on} {condition.activate:g}{unit}, "
                f"until {off} {condition.deactivate:g}{unit}"
            )
        case Comparison():
            offset = f" {condition.offset:+g}" if condition.offset else ""
            compared = _COMPARED[condition.operator]
            return (
                f"{shown_name(condition.left)} is {compared} {shown_name(condition.right)}{offset}"
            )
        case Rate():
            limit = shown_limit(condition.limit, condition.unit)
            over = shown_time(condition.over)
            return f"{shown_name(condition.sensor)} changes by {limit} a minute over {over}"
        case TimeWindow():
            days = ", ".join(_DAYS[day] for day in sorted(condition.days))
            on = "" if condition.days == EVERY_DAY else f" on {days}"
            window = f"{clock(condition.start)} to {clock(condition.end)}"
            return f"the time is {window}{on} ({condition.time_zone})"
        case SunWindow():
            start = f"{condition.start.lower()}{_offset(condition.start_offset)}"
            return f"it is {start} to {condition.end.lower()}{_offset(condition.end_offset)}"
        case Stale():
            older = shown_time(condition.older_than)
            return f"{shown_name(condition.sensor)} has said nothing good for {older}"
        case DeviceIs():
            return f"{condition.esp_id} is {condition.status}"
        case ActuatorIs():
            wanted = "on" if condition.on else "off"
            if condition.at_least is not None:
                wanted = f"on at {condition.at_least:g} or more"
            return f"GPIO {condition.pin.gpio} of {condition.pin.esp_id} is {wanted}"


def _found(seen: Seen) -> str:
    found = seen.observation
    if found is None or seen.age is None:
        return f"{shown_name(seen.sensor)}: {seen.trouble}"
    when = f"{shown_time(seen.age)} ago ({found.quality})"
    text = f"{shown_name(seen.sensor)} said {shown_value(seen)} {when}"
    return text if seen.trouble is None else f"{text}, but {seen.trouble}"


def shown_value(seen: Seen) -> str:
    """Return the value of a sensor, such as `21.5 °C`."""
    found = seen.observation
    if found is None or found.value is None:
        return "no value"
    return f"{found.value:g} {found.unit or ''}".rstrip()


def shown_limit(limit: Limit, unit: str | None) -> str:
    """Return a limit, such as `above 10 %`."""
    tail = f" {unit}" if unit else ""
    if limit.operator is Operator.BETWEEN:
        return f"{limit.value:g} to {limit.upper:g}{tail}"
    return f"{_COMPARED[limit.operator]} {limit.value:g}{tail}"


def shown_name(key: SensorKey) -> str:
    """Return which sensor is meant."""
    address = f" {key.address}" if key.address else ""
    return f"{key.sensor_type}{address} of {key.esp_id}"


def _offset(offset: timedelta) -> str:
    if not offset:
        return ""
    return f" {'-' if offset < timedelta(0) else '+'} {shown_time(abs(offset))}"


def shown_time(time: timedelta) -> str:
    """Return a time in its most fitting unit, such as `2.5 min`."""
    seconds = time.total_seconds()
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s"
