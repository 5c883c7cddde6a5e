"""What a condition would remember of the past, had it been judged all the time.

Memory that is stored lags behind the readings that it rests on, by as much as a crash cuts off;
readings are stored before anybody judges them. So where safety hangs on it, memory is not stored
but made again of readings, with the evaluator that made it the first time.
"""

from collections.abc import Iterable
from datetime import timedelta

from domain.errors import BadInputError
from domain.rules.conditions import Condition, Hysteresis, Rate, Threshold, leaves
from domain.rules.evaluate import evaluate, in_unit
from domain.rules.world import MAX_AGE, ConditionState, Observation, World
from domain.sensors import Reading, SensorKey


def recall(condition: Condition, readings: Iterable[Reading]) -> ConditionState:
    """Return what a condition remembers after readings of its sensors.

    Args:
        condition: As an interlock or an effect is judged: in doubt, nothing is known.
        readings: In any order; they were seen in that of their ids.
    """
    state = ConditionState()
    newest: dict[SensorKey, Observation] = {}
    for reading in sorted(readings, key=lambda reading: reading.id):
        key, seen = reading.sensor.key, Observation.of(reading)
        if key not in newest or seen.measured_at >= newest[key].measured_at:
            newest[key] = seen
        world = World(readings=newest, doubting=True)
        state = evaluate(condition, world, state, reading.received_at).state
    return state


def reaches(condition: Condition) -> dict[SensorKey, timedelta]:
    """Return how far back each sensor is remembered; those that nothing remembers are absent."""
    found: dict[SensorKey, timedelta] = {}
    for leaf in leaves(condition):
        match leaf:
            case Threshold() if leaf.hold_for:
                reach = leaf.hold_for
            case Hysteresis():
                reach = timedelta(0)
            case Rate():
                reach = leaf.over
            case _:
                continue
        # The value that was in force at that moment may be as old as values may be.
        reach += MAX_AGE if leaf.max_age is None else leaf.max_age
        found[leaf.sensor] = max(reach, found.get(leaf.sensor, reach))
    return found


def undecided(hystereses: Iterable[Hysteresis], readings: Iterable[Reading]) -> list[Hysteresis]:
    """Return those of which none of the readings of their sensor tells on which side they are."""
    seen = [Observation.of(reading) for reading in readings]
    return [leaf for leaf in hystereses if not any(_decides(leaf, each) for each in seen)]


def _decides(leaf: Hysteresis, seen: Observation) -> bool:
    if seen.value is None or not seen.good:
        return False
    try:
        value = in_unit(seen.value, seen.unit, leaf.unit)
    except BadInputError:
        return False
    return leaf.next(value, active=False) is leaf.next(value, active=True)
