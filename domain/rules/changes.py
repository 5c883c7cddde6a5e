"""Which readings of the past can change what a condition comes to; all others need no judging.

A leaf that compares values with limits says of each value one of few things, and what it says of a
value that is neither missing nor too old is all that matters of it: while the same is said, neither
its verdict nor what it remembers changes. So those readings count at which another thing is said
than of the one before, those around a pause that is long enough for a value to become too old, and
the first and last of each stretch. To judge more is harmless.

Fifty million readings have no time for a line of Python each. What is said is taken apart into
questions with two answers (`_questions`) that a float's own methods answer; where two sensors stay
apart for a while, their smallest and largest values show it. Only a rate, which looks at how far
values lie apart, is followed from one to the next (`rates`).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import merge
from itertools import islice
from operator import sub
from typing import TypeAlias

from domain.errors import BadInputError
from domain.rules.conditions import (
    Comparison,
    Condition,
    Hysteresis,
    Leaf,
    Limit,
    Operator,
    Rate,
    Stale,
    Threshold,
    leaves,
    sensors,
)
from domain.rules.evaluate import in_unit
from domain.rules.past import Kind, Past
from domain.rules.rates import RateWalk
from domain.rules.world import Memory, Observation, Remembering
from domain.sensors import SensorKey

_Question: TypeAlias = Callable[[float], bool]
"""Something that is true of a value or not, in the unit of the leaf that asks."""

_BLOCK = 32
"""Readings of a sensor that are compared with those of another one at a time."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Changes:
    """Readings of one sensor at which something can change, by their place in its past.

    Attributes:
        places: Those to be judged.
        after_pauses: Those before which a value can have become too old.
    """

    places: set[int] = field(default_factory=set)
    after_pauses: set[int] = field(default_factory=set)


def find_changes(
    condition: Condition,
    past: Mapping[SensorKey, Past],
    before: Mapping[SensorKey, Observation],
    max_age: timedelta,
    memories: Mapping[Remembering, Memory],
) -> Mapping[SensorKey, Changes]:
    """Return where a condition can change.

    Args:
        condition: Which one.
        past: A stretch of the past of each sensor that it watches.
        before: The last reading of each sensor before it.
        max_age: From which age on a value says nothing, where a leaf does not say else.
        memories: What its leaves remember before it.
    """
    found = {key: Changes() for key, stretch in past.items() if len(stretch)}
    oldest: dict[SensorKey, timedelta] = {}
    for leaf in leaves(condition):
        for key in sensors(leaf):
            oldest[key] = min(oldest.get(key, timedelta.max), _age(leaf, max_age))
        if isinstance(leaf, Rate) and leaf.sensor in found:
            walk = RateWalk.of(leaf, memories.get(leaf), max_age)
            found[leaf.sensor].places.update(_rate_changes(walk, past[leaf.sensor]))
        else:
            _leaf_changes(leaf, past, before, found)
    for key, changes in found.items():
        stretch = past[key]
        changes.after_pauses.update(_after_pauses(stretch, oldest[key]))
        around = {place - 1 for place in changes.after_pauses} | {0, len(stretch) - 1}
        changes.places |= changes.after_pauses | around | set(_other_kinds(stretch))
    return found


def _age(leaf: Leaf, max_age: timedelta) -> timedelta:
    if isinstance(leaf, Stale):
        return leaf.older_than
    own = leaf.max_age if isinstance(leaf, Threshold | Hysteresis | Comparison | Rate) else None
    return max_age if own is None else own


def _leaf_changes(
    leaf: Leaf,
    past: Mapping[SensorKey, Past],
    before: Mapping[SensorKey, Observation],
    found: Mapping[SensorKey, Changes],
) -> None:
    match leaf:
        case Threshold() | Hysteresis() if leaf.sensor in found:
            found[leaf.sensor].places.update(_value_changes(leaf, past[leaf.sensor]))
        case Comparison():
            for key, place in _comparison_changes(leaf, past, before):
                found[key].places.add(place)
        case _:
            pass


def _after_pauses(past: Past, oldest: timedelta) -> Iterable[int]:
    """Return the readings that came when the one before was too old already."""
    shortest = oldest // _MICROSECOND
    if max(map(sub, islice(past.received, 1, None), past.measured), default=0) < shortest:
        return ()
    pauses = map(sub, islice(past.received, 1, None), past.measured)
    return (place for place, pause in enumerate(pauses, 1) if pause >= shortest)


def _other_kinds(past: Past) -> Iterable[int]:
    if past.kind() is not None:
        return ()
    kinds = past.kinds
    return (place for place in range(1, len(kinds)) if kinds[place] != kinds[place - 1])


# ------------------------------------------------------------ one sensor


def _value_changes(leaf: Threshold | Hysteresis, past: Past) -> Iterator[int]:
    for values in _in_unit(past, leaf.unit):
        for question in _questions(leaf):
            yield from _differences(bytes(map(question, values)))


def _rate_changes(walk: RateWalk, past: Past) -> Iterator[int]:
    last: bool | None = None
    for place, said in enumerate(walk.along(past, range(len(past)))):
        if said is not last:
            last = said
            yield place


def _questions(leaf: Threshold | Hysteresis) -> Sequence[_Question]:
    """Return what has to be known of a value; two values with the same answers are alike."""
    if isinstance(leaf, Threshold):
        number = float(leaf.limit.value)
        match leaf.limit.operator:
            case Operator.BETWEEN:
                upper = number if leaf.limit.upper is None else float(leaf.limit.upper)
                return number.__le__, upper.__ge__
            case Operator.GT | Operator.LTE:
                return (number.__lt__,)
            case Operator.GTE | Operator.LT:
                return (number.__le__,)
            case Operator.EQ | Operator.NEQ:
                return (number.__eq__,)
    on, off = float(leaf.activate), float(leaf.deactivate)
    return (on.__lt__, off.__le__) if leaf.rising else (on.__gt__, off.__ge__)


def _in_unit(past: Past, unit: str | None) -> Iterator[Sequence[float]]:
    """Yield all values in a unit; nothing where they cannot be said in it.

    Where units change everything is judged anyway: what stands there for a value that cannot be
    said in it does not matter.
    """
    one = past.kind()
    kinds: Iterable[Kind] = past.kinds if one is None else (one,)
    units = {kind.unit for kind in kinds}
    if unit is None or units == {unit}:
        yield past.values
    elif one is not None:
        said = {value: _said(value, one.unit, unit) for value in set(past.values)}
        yield [said[value] for value in past.values]
    else:
        pairs = zip(past.values, past.kinds, strict=True)
        yield [_said(value, kind.unit, unit) for value, kind in pairs]


def _said(value: float, unit: str | None, wanted: str) -> float:
    try:
        return in_unit(value, unit, wanted)
    except BadInputError:
        return 0.0


def _differences(said: bytes) -> Iterator[int]:
    """Yield where a byte differs from the one before; C looks for it, not Python."""
    alphabet = set(said)
    place = 0
    while len(alphabet) > 1 and place < len(said):
        ends = (said.find(other, place + 1) for other in alphabet - {said[place]})
        place = min((end for end in ends if end >= 0), default=len(said))
        if place < len(said):
            yield place


# ------------------------------------------------------------ two sensors


def _comparison_changes(
    leaf: Comparison, past: Mapping[SensorKey, Past], before: Mapping[SensorKey, Observation]
) -> Iterator[tuple[SensorKey, int]]:
    """Yield the readings of either side at which the comparison comes to something else."""
    pair = past.get(leaf.left, Past()), past.get(leaf.right, Past())
    known = [before.get(key) for key in (leaf.left, leaf.right)]
    blocks = _blocks(*pair) if _one_unit(pair, known) else [tuple(range(len(p)) for p in pair)]
    for parts in blocks:
        if not _apart(leaf, pair, parts):
            yield from _compare_each(leaf, pair, parts, known)


def _one_unit(pair: Sequence[Past], known: Iterable[Observation | None]) -> bool:
    kinds = [past.kind() for past in pair]
    units = {kind.unit for kind in kinds if kind} | {seen.unit for seen in known if seen}
    return None not in kinds and len(units) == 1


def _blocks(left: Past, right: Past) -> Iterator[tuple[range, range]]:
    """Cut two pasts into short parts, at the same moments."""
    begun, right_begun = 0, 0
    while begun < len(left):
        ended = min(begun + _BLOCK, len(left))
        while ended < len(left) and left.received[ended] == left.received[ended - 1]:
            ended += 1
        last = ended == len(left)
        right_ended = (
            len(right) if last else bisect_left(right.received, left.received[ended], right_begun)
        )
        yield range(begun, ended), range(right_begun, right_ended)
        begun, right_begun = ended, right_ended


def _apart(leaf: Comparison, pair: Sequence[Past], parts: Sequence[range]) -> bool:
    """Say whether one side is above the other all the time, the readings before included."""
    if not all(part.start for part in parts):
        return False
    left, right = (
        past.values[part.start - 1 : part.stop] for past, part in zip(pair, parts, strict=True)
    )
    return min(left) > max(right) + leaf.offset or max(left) < min(right) + leaf.offset


def _compare_each(
    leaf: Comparison,
    pair: Sequence[Past],
    parts: Sequence[range],
    known: Iterable[Observation | None],
) -> Iterator[tuple[SensorKey, int]]:
    keys = leaf.left, leaf.right
    now: dict[SensorKey, tuple[float | None, str | None]] = {
        key: (None, None) if seen is None else (seen.value, seen.unit)
        for key, seen in zip(keys, known, strict=True)
    }
    for key, past, part in zip(keys, pair, parts, strict=True):
        if part.start:
            now[key] = past.values[part.start - 1], past.kinds[part.start - 1].unit
    last = _compared(leaf, now[leaf.left], now[leaf.right])
    for _, _, key, past, place in merge(*map(_events, keys, pair, parts)):
        now[key] = past.values[place], past.kinds[place].unit
        said = _compared(leaf, now[leaf.left], now[leaf.right])
        if said is not last:
            last = said
            yield key, place


def _events(
    key: SensorKey, past: Past, part: Iterable[int]
) -> Iterator[tuple[int, int, SensorKey, Past, int]]:
    return ((past.received[place], past.ids[place], key, past, place) for place in part)


def _compared(
    leaf: Comparison, left: tuple[float | None, str | None], right: tuple[float | None, str | None]
) -> bool | None:
    (value, unit), (other, other_unit) = left, right
    if value is None or other is None:
        return None
    try:
        other = in_unit(other, other_unit, unit)
    except BadInputError:
        return None
    return Limit(leaf.operator, other + leaf.offset).admits(value)
