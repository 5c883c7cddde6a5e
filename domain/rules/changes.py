"""Which readings of the past can change what a condition comes to; all others need no judging.

A leaf that compares values with limits says of each value one of few things (`_Say`), and what it
says of a value that is neither missing nor too old is all that matters of it: while the same is
said, neither its verdict nor what it remembers changes. So those readings count at which another
thing is said than of the one before, those around a pause that is long enough for a value to
become too old, and the first and last of each stretch. To judge more is harmless.

Only a rate looks at how far values lie apart: of its sensor, every reading counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import merge
from itertools import islice, repeat
from operator import sub
from typing import TypeAlias

from domain.errors import BadInputError
from domain.rules.conditions import (
    Comparison,
    Condition,
    Hysteresis,
    Leaf,
    Limit,
    Rate,
    Stale,
    Threshold,
    leaves,
    sensors,
)
from domain.rules.evaluate import in_unit
from domain.rules.past import Kind, Past
from domain.rules.world import Observation
from domain.sensors import SensorKey

_Say: TypeAlias = Callable[[float], int]
"""What a leaf says of a value in the unit that it has: a number below 256."""

_UNFIT = 9
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
) -> Mapping[SensorKey, Changes]:
    """Return where a condition can change.

    Args:
        condition: Which one.
        past: A stretch of the past of each sensor that it watches.
        before: The last reading of each sensor before it.
        max_age: From which age on a value says nothing, where a leaf does not say else.
    """
    found = {key: Changes() for key, stretch in past.items() if len(stretch)}
    oldest: dict[SensorKey, timedelta] = {}
    for leaf in leaves(condition):
        for key in sensors(leaf):
            oldest[key] = min(oldest.get(key, timedelta.max), _age(leaf, max_age))
        _leaf_changes(leaf, past, before, found)
    for key, changes in found.items():
        stretch = past[key]
        changes.after_pauses.update(_after_pauses(stretch, oldest[key]))
        around = {place - 1 for place in changes.after_pauses} | {0, len(stretch) - 1}
        changes.places |= changes.after_pauses | around | set(_other_kinds(stretch.kinds))
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
        case Rate() if leaf.sensor in found:
            found[leaf.sensor].places.update(range(len(past[leaf.sensor])))
        case Comparison():
            for key, place in _comparison_changes(leaf, past, before):
                found[key].places.add(place)
        case _:
            pass


def _after_pauses(past: Past, oldest: timedelta) -> Iterable[int]:
    """Return the readings that came when the one before was too old already."""
    shortest = oldest // _MICROSECOND
    pauses = list(map(sub, islice(past.received, 1, None), past.measured))
    if not pauses or max(pauses) < shortest:
        return ()
    return (place for place, pause in enumerate(pauses, 1) if pause >= shortest)


def _other_kinds(kinds: list[Kind]) -> Iterable[int]:
    if len(set(kinds)) == 1:
        return ()
    return (place for place in range(1, len(kinds)) if kinds[place] != kinds[place - 1])


def _value_changes(leaf: Threshold | Hysteresis, past: Past) -> Iterator[int]:
    units = {kind.unit for kind in past.kinds}
    if len(units) == 1:
        said = bytes(map(_say(leaf, units.pop()), past.values))
    else:
        says = {unit: _say(leaf, unit) for unit in units}
        pairs = zip(past.kinds, past.values, strict=True)
        said = bytes(says[kind.unit](value) for kind, value in pairs)
    return _differences(said)


def _differences(said: bytes) -> Iterator[int]:
    """Yield where a byte differs from the one before; C looks for it, not Python."""
    alphabet = set(said)
    place = 0
    while len(alphabet) > 1 and place < len(said):
        ends = (said.find(other, place + 1) for other in alphabet - {said[place]})
        place = min((end for end in ends if end >= 0), default=len(said))
        if place < len(said):
            yield place


def _say(leaf: Threshold | Hysteresis, unit: str | None) -> _Say:
    """Return what a leaf says of values in a unit."""
    judged: _Say = leaf.limit.admits if isinstance(leaf, Threshold) else _zone(leaf)
    if leaf.unit is None or unit == leaf.unit:
        return judged
    try:
        in_unit(0.0, unit, leaf.unit)
    except BadInputError:
        return lambda _: _UNFIT
    return lambda value: judged(in_unit(value, unit, leaf.unit))


def _zone(leaf: Hysteresis) -> _Say:
    """Return whether a value switches on (2), off (0), or leaves things as they are (1)."""
    return lambda value: leaf.next(value, active=False) + leaf.next(value, active=True)


def _comparison_changes(
    leaf: Comparison, past: Mapping[SensorKey, Past], before: Mapping[SensorKey, Observation]
) -> Iterator[tuple[SensorKey, int]]:
    """Yield the readings of either side at which the comparison comes to something else."""
    now: dict[SensorKey, tuple[float, str | None]] = {
        key: (seen.value, seen.unit)
        for key in (leaf.left, leaf.right)
        if (seen := before.get(key)) is not None and seen.value is not None
    }
    last: object = None
    stretches = ((key, past.get(key, Past())) for key in (leaf.left, leaf.right))
    events = merge(
        *(
            zip(past.received, past.ids, repeat(key), range(len(past)), strict=False)
            for key, past in stretches
        )
    )
    for _, _, key, place in events:
        now[key] = past[key].values[place], past[key].kinds[place].unit
        said = _compared(leaf, now.get(leaf.left), now.get(leaf.right))
        if said is not last:
            last = said
            yield key, place


def _compared(
    leaf: Comparison,
    left: tuple[float, str | None] | None,
    right: tuple[float, str | None] | None,
) -> bool | None:
    if left is None or right is None:
        return None
    try:
        other = in_unit(*right, left[1])
    except BadInputError:
        return None
    return Limit(leaf.operator, other + leaf.offset).admits(left[0])
