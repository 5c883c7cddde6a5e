"""Why something must not be, in words that a grower understands: only what stands in the way.

`explain` shows all of a condition and what was found; this names the parts that are not as they
must be.
"""

from collections.abc import Iterator

from domain.rules.conditions import ActuatorIs, AllOf, AnyOf, Condition, DeviceIs, Not, Threshold
from domain.rules.evaluate import Explanation, Seen
from domain.rules.explain import said, shown_limit, shown_name, shown_time, shown_value
from domain.times import write_instant


def objections(explanation: Explanation, *, wanted: bool = True) -> Iterator[str]:
    """Yield what stands in the way of a condition.

    Args:
        explanation: What it came to.
        wanted: What it must come to.
    """
    if explanation.holds is wanted:
        return
    match explanation.condition:
        case Not():
            yield from objections(explanation.children[0], wanted=not wanted)
        case AllOf() | AnyOf():
            found = [text for child in explanation.children for text in _of(child, wanted=wanted)]
            one_is_enough = isinstance(explanation.condition, AnyOf) is wanted
            yield (", and ".join(found) if one_is_enough else "; ".join(found))
        case condition:
            yield _leaf(condition, explanation, wanted=wanted)


def _of(explanation: Explanation, *, wanted: bool) -> Iterator[str]:
    return objections(explanation, wanted=wanted)


def _leaf(condition: Condition, explanation: Explanation, *, wanted: bool) -> str:
    troubled = [seen for seen in explanation.seen if seen.trouble is not None]
    if explanation.holds is None and troubled:
        return " and ".join(_trouble(seen) for seen in troubled)
    must = "must be" if wanted else "must not be"
    match condition:
        case Threshold() if explanation.holds is not None:
            limit = shown_limit(condition.limit, condition.unit)
            held = f" for {shown_time(condition.hold_for)}" if condition.hold_for else ""
            if explanation.since is not None:
                held += f", and is since {write_instant(explanation.since)}"
            (seen,) = explanation.seen
            return f"{shown_name(seen.sensor)} is {shown_value(seen)}, and {must} {limit}{held}"
        case ActuatorIs():
            pin = f"GPIO {condition.pin.gpio} of {condition.pin.esp_id}"
            kind = "on" if condition.on or condition.on is None else "off"
            least = "" if condition.at_least is None else f" at {condition.at_least:g} or more"
            found = (explanation.found or "").removesuffix(" at 0").removesuffix(" at 1")
            now = f"is {found}" if explanation.holds is not None else "may be on or off"
            return f"{pin} {now}, and {must} {kind}{least}"
        case DeviceIs():
            now = f"is {explanation.found}" if explanation.found else "is not known"
            return f"{condition.esp_id} {now}, and {must} {condition.status}"
        case _:
            needed = "is needed" if wanted else "must not be"
            why = explanation.trouble or ("is so" if explanation.holds else "is not so")
            seen_all = ", ".join(
                f"{shown_name(seen.sensor)} is {shown_value(seen)}" for seen in explanation.seen
            )
            return f"{said(condition)}: {needed}, and {why}" + (f" ({seen_all})" * bool(seen_all))


def _trouble(seen: Seen) -> str:
    name = shown_name(seen.sensor)
    if seen.observation is None:
        return f"{name} has not said anything yet"
    since = write_instant(seen.observation.measured_at)
    if not seen.observation.good:
        return f"no good value of {name}: at {since} its quality was {seen.observation.quality}"
    return f"no fresh value of {name} since {since}: {seen.trouble}"
