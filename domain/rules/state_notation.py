"""What is remembered of conditions, as JSON: it is stored with each decision that rests on it."""

from collections.abc import Mapping
from typing import Any

from domain.errors import BadInputError
from domain.rules.conditions import Hysteresis, Rate, Threshold
from domain.rules.fields import Fields, Findings
from domain.rules.notation import read_condition, write_condition, write_sensor
from domain.rules.world import (
    Active,
    ConditionState,
    Memory,
    Observation,
    Point,
    Points,
    Remembering,
    TrueSince,
)
from domain.sensors import Quality, SensorKey
from domain.times import read_instant, write_instant


def write_state(state: ConditionState) -> dict[str, Any]:
    """Return what `read_state` reads, ready for JSON."""
    return {
        "observations": [
            {
                "sensor": write_sensor(key),
                "readingId": seen.reading_id,
                "value": seen.value,
                "unit": seen.unit,
                "measuredAt": write_instant(seen.measured_at),
                "quality": seen.quality.value,
            }
            for key, seen in state.observations.items()
        ],
        "memories": [
            {"of": write_condition(leaf), **_written(memory)}
            for leaf, memory in state.memories.items()
        ],
    }


def read_state(given: object) -> ConditionState:
    """Read what `write_state` wrote.

    Raises:
        BadInputError: It is something else.
    """
    try:
        return _state(given)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"this is no state of a condition: {error!r}") from error


def _state(given: Any) -> ConditionState:  # noqa: ANN401 - JSON, and whatever is wrong with it raises
    return ConditionState(
        observations=dict(_observation(entry) for entry in given["observations"]),
        memories=dict(_memory(entry) for entry in given["memories"]),
    )


def _observation(entry: Mapping[str, Any]) -> tuple[SensorKey, Observation]:
    findings = Findings()
    key = Fields("state", entry, findings).sensor("sensor")
    findings.require_none()
    if key is None:
        raise ValueError("no sensor")
    value = entry["value"]
    return key, Observation(
        int(entry["readingId"]),
        None if value is None else float(value),
        entry["unit"],
        read_instant(entry["measuredAt"]),
        Quality(entry["quality"]),
    )


def _memory(entry: Mapping[str, Any]) -> tuple[Remembering, Memory]:
    leaf = read_condition(entry["of"])
    match leaf:
        case Threshold():
            return leaf, TrueSince(read_instant(entry["since"]))
        case Hysteresis():
            return leaf, Active(bool(entry["active"]))
        case Rate():
            points = (Point(read_instant(at), float(value)) for at, value in entry["points"])
            return leaf, Points(entry["unit"], tuple(points))
        case _:
            raise ValueError("such a condition remembers nothing")


def _written(memory: Memory) -> dict[str, Any]:
    match memory:
        case TrueSince():
            return {"since": write_instant(memory.since)}
        case Active():
            return {"active": memory.active}
        case Points():
            points = [[write_instant(point.at), point.value] for point in memory.points]
            return {"unit": memory.unit, "points": points}
