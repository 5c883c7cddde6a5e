"""What a condition comes to: the one evaluator of live rules, rehearsals, backtests and interlocks.

A verdict is yes, no or unknown (Kleene's strong logic). A value that is missing, too old, of bad
quality, from the future, or in a unit that does not fit is unknown: never zero, never yes.

Every leaf is judged at every evaluation, also where the others decide already: what it remembers
must not depend on them. Evaluating more often changes nothing: from the same state and world, each
instant before `wake_at` has the same verdict.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.devices import DeviceStatus
from domain.errors import BadInputError
from domain.rules.conditions import (
    RATE_POINTS,
    ActuatorIs,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    DeviceIs,
    Hysteresis,
    Leaf,
    Limit,
    Not,
    Rate,
    Stale,
    Threshold,
)
from domain.rules.schedule import TimeWindow, is_open
from domain.rules.sun import SunWindow, is_sun_window_open
from domain.rules.world import (
    Active,
    ConditionState,
    Memory,
    Observation,
    Point,
    Points,
    Remembering,
    TrueSince,
    World,
)
from domain.sensors import SensorKey
from domain.units import convert, shown

_NO_TIME = timedelta(0)
_MINUTE = timedelta(minutes=1)


class Seen(NamedTuple):
    """A value that a leaf looked at.

    Attributes:
        observation: None: there is none.
        value: In the unit of the leaf; None: it is not fit to be used, and `trouble` says why.
        age: How old it was; None: there is none.
    """

    sensor: SensorKey
    observation: Observation | None
    value: float | None
    age: timedelta | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a condition came to what it came to; `explain` puts it into words.

    Attributes:
        seen: The sensors' values that a leaf looked at.
        measured: What was compared with the limit where it is not a value itself: a rate.
        since: Since when a threshold has been crossed.
        until: Until when that stays so at the least, if nothing but time passes; None: for ever.
        found: What a device or an actuator was found to be; None: that is not known.
        trouble: Why it is unknown; None: it is known, or the values seen say why.
    """

    condition: Condition
    holds: bool | None
    seen: tuple[Seen, ...] = ()
    measured: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    found: str | None = None
    trouble: str | None = None
    children: "tuple[Explanation, ...]" = ()


class Verdict(NamedTuple):
    """What a condition came to.

    Attributes:
        holds: None: unknown.
        state: What to remember for the next time.
        wake_at: The next instant at which the verdict could change by time alone, after now;
            None: never.
        reading_ids: The readings that known leaves rest on.
    """

    holds: bool | None
    explanation: Explanation
    state: ConditionState
    wake_at: datetime | None
    reading_ids: frozenset[int]


def evaluate(condition: Condition, world: World, state: ConditionState, now: datetime) -> Verdict:
    """Judge a condition.

    Args:
        condition: As `checks` let it pass.
        world: How things are now.
        state: What was remembered the last time; an empty one at the first.
        now: In UTC.
    """
    evaluation = _Evaluation(world, state, now)
    explanation = evaluation.judge(condition)
    return Verdict(
        explanation.holds,
        explanation,
        ConditionState(observations=evaluation.kept, memories=evaluation.memories),
        min((at for at in evaluation.wakes if at > now), default=None),
        frozenset(evaluation.bearing),
    )


def all_hold(verdicts: Iterable[bool | None]) -> bool | None:
    """Return Kleene's conjunction."""
    found = tuple(verdicts)
    return False if False in found else None if None in found else True


def any_holds(verdicts: Iterable[bool | None]) -> bool | None:
    """Return Kleene's disjunction."""
    found = tuple(verdicts)
    return True if True in found else None if None in found else False


class _Evaluation:
    """One evaluation: what it reads, and what it gathers on its way through the tree."""

    def __init__(self, world: World, state: ConditionState, now: datetime) -> None:
        self._world = world
        self._now = now
        self._before = state.observations
        self._remembered: Mapping[Remembering, Memory] = state.memories
        self.memories: dict[Remembering, Memory] = {}
        self.wakes: list[datetime] = []
        self.kept: dict[SensorKey, Observation] = {}
        self.bearing: list[int] = []
        self._taken: dict[SensorKey, Observation | None] = {}

    def _current(self, key: SensorKey) -> Observation | None:
        """Choose between what is remembered of a sensor and what the world says of it."""
        if key in self._taken:
            return self._taken[key]
        before, given = self._before.get(key), self._world.readings.get(key)
        if key in self._world.gone:
            before = given = None
        if before is not None and before.measured_at > self._now:
            before = None  # the clock of the server went back: nothing new would ever be newer
        if before is not None:
            self.kept[key] = before
        if given is None or (before is not None and given.order <= before.order):
            given = before
        elif given.good and given.measured_at <= self._now:
            self.kept[key] = given
        self._taken[key] = given
        return given

    def judge(self, condition: Condition) -> Explanation:
        """Judge one condition with everything in it."""
        match condition:
            case AllOf():
                below = tuple(map(self.judge, condition.conditions))
                holds = all_hold(child.holds for child in below)
            case AnyOf():
                below = tuple(map(self.judge, condition.conditions))
                holds = any_holds(child.holds for child in below)
            case Not():
                below = (self.judge(condition.condition),)
                holds = None if below[0].holds is None else not below[0].holds
            case _:
                return self._note(self._judge_leaf(condition))
        return Explanation(condition=condition, holds=holds, children=below)

    def _note(self, leaf: Explanation) -> Explanation:
        if leaf.until is not None:
            self.wakes.append(leaf.until)
        if leaf.holds is not None:
            self.bearing += [seen.observation.reading_id for seen in leaf.seen if seen.observation]
        return leaf

    def _judge_leaf(self, leaf: Leaf) -> Explanation:  # noqa: PLR0911 - one line for each kind
        match leaf:
            case Threshold():
                return self._threshold(leaf)
            case Hysteresis():
                return self._hysteresis(leaf)
            case Comparison():
                return self._comparison(leaf)
            case Rate():
                return self._rate(leaf)
            case Stale():
                return self._stale(leaf)
            case TimeWindow():
                opened, until = is_open(leaf, self._now)
                return Explanation(condition=leaf, holds=opened, until=until)
            case SunWindow():
                opened, until = is_sun_window_open(leaf, self._now)
                return Explanation(condition=leaf, holds=opened, until=until)
            case DeviceIs():
                return self._device(leaf)
            case ActuatorIs():
                return self._actuator(leaf)

    def _look(
        self,
        key: SensorKey,
        unit: str | None,
        max_age: timedelta | None,
        *,
        any_quality: bool = False,
    ) -> Seen:
        """Look at a sensor's value, in a unit, if it is fit to be used."""
        observation = self._current(key)
        doubtful = self._world.doubtful.get(key) if any_quality else None
        if doubtful and (observation is None or doubtful.order > observation.order):
            observation = doubtful
        if observation is None:
            return Seen(key, None, None, None, "it has no value yet")
        if observation.measured_at > self._now:
            self.wakes.append(observation.measured_at)
            return Seen(key, observation, None, _NO_TIME, "its value is from the future")
        age = self._now - observation.measured_at
        value = observation.value
        if value is None or not (observation.good or any_quality):
            return Seen(key, observation, None, age, f"its quality is {observation.quality}")
        oldest = self._world.max_age if max_age is None else max_age
        if age >= oldest:
            return Seen(key, observation, None, age, "its value is too old")
        self.wakes.append(observation.measured_at + oldest)
        try:
            return Seen(key, observation, in_unit(value, observation.unit, unit), age)
        except BadInputError as error:
            return Seen(key, observation, None, age, str(error))

    def _threshold(self, leaf: Threshold) -> Explanation:
        # Who doubts decides on nothing doubtful, whatever a condition says.
        any_quality = leaf.any_quality and not self._world.doubting
        seen = self._look(leaf.sensor, leaf.unit, leaf.max_age, any_quality=any_quality)
        if seen.value is None or seen.observation is None:
            return Explanation(condition=leaf, holds=None, seen=(seen,))
        if not leaf.hold_for:
            return Explanation(condition=leaf, holds=leaf.limit.admits(seen.value), seen=(seen,))
        if not leaf.limit.admits(seen.value):
            return Explanation(condition=leaf, holds=False, seen=(seen,))
        since, surely = seen.observation.measured_at, self._is_sure(leaf.sensor)
        memory = self._remembered.get(leaf)
        unbroken = self._unbroken(leaf.sensor, seen.observation, leaf.max_age)
        if isinstance(memory, TrueSince) and unbroken:
            since, surely = memory
        self.memories[leaf] = TrueSince(since, surely)
        ripe = since + leaf.hold_for
        waits = self._now < ripe
        return Explanation(
            condition=leaf,
            holds=(False if surely else None) if waits else True,
            seen=(seen,),
            since=since,
            until=ripe if waits else None,
            trouble=None if surely or not waits else "since when it has been so is not known",
        )

    def _is_sure(self, key: SensorKey) -> bool:
        """Say whether it would be known had the value been beyond its limit before."""
        return not self._world.doubting or key in self._before

    def _unbroken(
        self, key: SensorKey, observation: Observation, max_age: timedelta | None
    ) -> bool:
        """Say whether the value before was still fit to be used when this one came."""
        before = self._before.get(key)
        if before is None or before == observation:
            return before is not None
        oldest = self._world.max_age if max_age is None else max_age
        return self._now - before.measured_at < oldest

    def _hysteresis(self, leaf: Hysteresis) -> Explanation:
        seen = self._look(leaf.sensor, leaf.unit, leaf.max_age)
        memory = self._remembered.get(leaf)
        active = memory.active if isinstance(memory, Active) else False
        if seen.value is None:
            # Silence says nothing of the value: it goes on from where it was.
            if memory is not None:
                self.memories[leaf] = memory
            return Explanation(condition=leaf, holds=None, seen=(seen,))
        holds = leaf.next(seen.value, active=active)
        unsure = memory is None and self._world.doubting
        if unsure and holds is not leaf.next(seen.value, active=not active):
            trouble = "which of both it crossed last is not known"
            return Explanation(condition=leaf, holds=None, seen=(seen,), trouble=trouble)
        self.memories[leaf] = Active(holds)
        return Explanation(condition=leaf, holds=holds, seen=(seen,))

    def _comparison(self, leaf: Comparison) -> Explanation:
        left = self._look(leaf.left, None, leaf.max_age)
        unit = None if left.observation is None else left.observation.unit
        right = self._look(leaf.right, unit, leaf.max_age)
        if right.value is not None and left.value is not None and unit is None:
            other = right.observation and right.observation.unit
            if other is not None:
                left = left._replace(value=None, trouble=f"it has no unit, the other one {other}")
        if left.value is None or right.value is None:
            return Explanation(condition=leaf, holds=None, seen=(left, right))
        limit = Limit(leaf.operator, right.value + leaf.offset)
        return Explanation(
            condition=leaf, holds=limit.admits(left.value), seen=(left, right), measured=limit.value
        )

    def _rate(self, leaf: Rate) -> Explanation:
        memory = self._remembered.get(leaf)
        points = memory if isinstance(memory, Points) else Points(leaf.unit, ())
        seen = self._look(leaf.sensor, leaf.unit, leaf.max_age)
        if seen.value is None or seen.observation is None:
            if points.points:
                self.memories[leaf] = points
            return Explanation(condition=leaf, holds=None, seen=(seen,))
        unit = seen.observation.unit if leaf.unit is None else leaf.unit
        newest = Point(seen.observation.measured_at, seen.value)
        points = _with_point(points, newest, unit, leaf.over)
        self.memories[leaf] = points
        oldest = points.points[0]
        apart = newest.at - oldest.at
        if apart * 2 < leaf.over:
            trouble = "its values do not reach back far enough yet"
            return Explanation(condition=leaf, holds=None, seen=(seen,), trouble=trouble)
        rate = shown((newest.value - oldest.value) / (apart / _MINUTE))
        return Explanation(
            condition=leaf, holds=leaf.limit.admits(rate), seen=(seen,), measured=rate
        )

    def _stale(self, leaf: Stale) -> Explanation:
        current = self._current(leaf.sensor)
        observation = self.kept.get(leaf.sensor)
        if current is not None and current.measured_at > self._now:
            self.wakes.append(current.measured_at)
        if observation is None:
            seen = Seen(leaf.sensor, None, None, None, "it has no good value yet")
            return Explanation(condition=leaf, holds=None, seen=(seen,))
        age = self._now - observation.measured_at
        seen = Seen(leaf.sensor, observation, observation.value, age)
        ripe = observation.measured_at + leaf.older_than
        stale = self._now >= ripe
        return Explanation(condition=leaf, holds=stale, seen=(seen,), until=None if stale else ripe)

    def _device(self, leaf: DeviceIs) -> Explanation:
        status: DeviceStatus | None = self._world.devices.get(leaf.esp_id)
        if status is None:
            trouble = "nothing is known of it"
            return Explanation(condition=leaf, holds=None, trouble=trouble)
        return Explanation(condition=leaf, holds=status is leaf.status, found=status.value)

    def _actuator(self, leaf: ActuatorIs) -> Explanation:
        state = self._world.actuators.get(leaf.pin)
        if state is None or state.reported_at is None:
            trouble = "its device has not said yet what it does"
            return Explanation(condition=leaf, holds=None, trouble=trouble)
        found = f"{'on' if state.is_active else 'off'} at {state.value:g}"
        until = None
        if leaf.max_age is not None:
            until = state.reported_at + leaf.max_age
            if self._now >= until:
                trouble = "what its device said is too old"
                return Explanation(condition=leaf, holds=None, found=found, trouble=trouble)
        if leaf.at_least is None:
            holds = state.is_active is leaf.on
        else:
            holds = state.is_active and state.value >= leaf.at_least
        return Explanation(condition=leaf, holds=holds, found=found, until=until)


def in_unit(value: float, unit: str | None, wanted: str | None) -> float:
    """Return a value in the unit of a leaf; None: whatever it is in.

    Raises:
        BadInputError: It cannot be said in it.
    """
    if wanted is None or unit == wanted:
        return value
    if unit is None:
        raise BadInputError(f"its value has no unit; {wanted} is needed")
    return shown(convert(value, unit, wanted))


def _with_point(points: Points, newest: Point, unit: str | None, over: timedelta) -> Points:
    """Take the newest value in where it is far enough from the last one that is remembered."""
    known = points.points if points.unit == unit else ()
    kept = tuple(point for point in known if newest.at - over <= point.at <= newest.at)
    if not kept or newest.at - kept[-1].at >= over / RATE_POINTS:
        kept = (*kept, newest)
    return Points(unit, kept)
