"""A rule lives through the past again.

It has the evaluator and the decisions of live rules, a clock of its own, and a simple model of its
actuators (`actuation`).

The past comes in stretches, so that memory is bounded. **Straight**, a rule is judged at every
reading and whenever it asked to be woken, as a live one is. **Skipping**, it is judged only where
something can change (`changes`): what it would have seen in between is put into its memory, and it
is not woken because a value *could* have become too old where it is known that a newer one came.
Both come to the same, to the last letter of every explanation, and tests hold them to it.

A wake comes before a reading of the same instant. A hold that is renewed sends nothing new here.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.actuators import Actuator, ActuatorState, CommandAction, Pin
from domain.devices import DeviceStatus
from domain.rules.actuation import Actuation, Use, Violation
from domain.rules.changes import Changes, find_changes
from domain.rules.conditions import (
    Rate,
    Stale,
    leaves,
    watched_actuators,
    watched_devices,
    watched_sensors,
)
from domain.rules.decide import Decision, Reason, Step, decide
from domain.rules.evaluate import Explanation, Verdict, evaluate
from domain.rules.model import Action, CommandStep, DelayStep, EnableRuleStep, Rule, RuleState
from domain.rules.past import Past, instant, microseconds
from domain.rules.rates import RateWalk
from domain.rules.world import MAX_AGE, ConditionState, Observation, World
from domain.sensors import SensorKey

MOST_KEPT = 1000
"""How many firings, and how many commands, are kept of one rehearsal; more are only counted."""

LOOK_UP_EVERY = 256
"""How many judgements lie between two looks at whether somebody lost patience."""

SEEN_AFTER = timedelta(seconds=1)
"""How soon a rule notices what it did to an actuator: no rule spins at one instant."""


class CancelledError(Exception):
    """Somebody did not want to wait for the end."""


@dataclass(slots=True, kw_only=True)
class Firing:
    """An execution.

    Attributes:
        until: When the hold ended; None: it had none, or was on at the end.
    """

    at: datetime
    until: datetime | None = None
    explanation: Explanation


class Sent(NamedTuple):
    """A command that would have been sent; `value` is what the pin became."""

    at: datetime
    pin: Pin
    action: CommandAction
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a rule would have done.

    Attributes:
        readings: How many it lived through.
        evaluations: How often it was judged.
        firings: The first `MOST_KEPT` of them.
        firing_count: How many there were.
        commands: The first `MOST_KEPT` of them.
        command_count: How many there were.
        use: How its actuators were used.
        violations: The first of them, in order of time.
        violation_count: How many there were.
    """

    start: datetime
    end: datetime
    readings: int
    evaluations: int
    firings: tuple[Firing, ...]
    firing_count: int
    commands: tuple[Sent, ...]
    command_count: int
    use: Mapping[Pin, Use]
    violations: tuple[Violation, ...]
    violation_count: int


@dataclass(slots=True)
class _Stretch:
    """A stretch of the past, and how far a rule has come in it."""

    past: Mapping[SensorKey, Past] = field(default_factory=dict)
    changes: Mapping[SensorKey, Changes] = field(default_factory=dict)
    rates: Sequence[RateWalk] = ()
    passed: dict[SensorKey, int] = field(default_factory=dict)
    due: list[tuple[int, int, SensorKey, int]] = field(default_factory=list)

    def pause(self, key: SensorKey) -> bool:
        """Whether the next reading of a sensor may come after the last one is too old."""
        place, past = self.passed.get(key, 0), self.past.get(key)
        if past is None or not 0 < place < len(past):
            return True
        return place in self.changes[key].after_pauses


class Replay:
    """One rule on its way through the past: `begin`, `feed` in order of time, `finish`."""

    def __init__(
        self,
        rule: Rule,
        start: datetime,
        actuators: Mapping[Pin, Actuator] | None = None,
        *,
        skipping: bool = True,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        """Describe it; nothing happens yet.

        Args:
            rule: It is new at the beginning, whatever it did in truth.
            start: When it begins.
            actuators: The limits of what it commands, as far as they are known.
            skipping: Whether it is judged only where something can change.
            max_age: From which age on a value says nothing, where a condition does not say else.
        """
        self._rule = rule
        self._start = self._now = start
        self._skipping = skipping
        self._max_age = max_age
        self._sensors = sorted(watched_sensors(rule.condition))
        self._watched_pins = watched_actuators(rule.condition)
        self._devices = dict.fromkeys(watched_devices(rule.condition), DeviceStatus.ONLINE)
        self._actuation = Actuation(actuators or {})
        self._shown = self._shown_now()
        self._notice: datetime | None = None
        self._state = RuleState()
        self._seen: dict[SensorKey, Observation] = {}
        self._stretch = _Stretch()
        self._wake: datetime | None = None
        self._pending: list[tuple[datetime, int, Action, bool]] = []
        self._order = 0
        self._readings = self._evaluations = 0
        self._firings: list[Firing] = []
        self._holding: Firing | None = None
        self._firing_count = 0
        self._commands: list[Sent] = []
        self._command_count = 0
        self._cancelled: Callable[[], bool] = lambda: False

    def begin(self, latest: Mapping[SensorKey, Observation]) -> None:
        """Judge for the first time.

        Args:
            latest: The last good reading of each sensor from before the start.
        """
        self._seen = {key: latest[key] for key in self._sensors if key in latest}
        self._judge(self._start)

    def feed(
        self,
        past: Mapping[SensorKey, Past],
        until: datetime,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Live through a stretch of time.

        Args:
            past: The good readings that were received in it, of each sensor of the rule.
            until: When it ends.
            cancelled: Asked now and then whether to stop.

        Raises:
            CancelledError: Somebody said so; nothing can be made of it any more.
        """
        self._cancelled = cancelled
        self._enter(past)
        stretch = self._stretch
        while stretch.due:
            received, reading_id, key, place = heapq.heappop(stretch.due)
            at = max(instant(received), self._now)
            self._live_until(at)
            if place < stretch.passed.get(key, 0):
                continue  # judged already, because any reading was wanted
            self._pass(received, reading_id)
            self._look(key, place)
            self._judge(at)
        self._live_until(until)
        self._pass(microseconds(until))

    def doing(self, pin: Pin) -> float:
        """Return what an actuator does now: 0.0 (off) to 1.0 (full)."""
        return self._actuation.value(pin)

    def finish(self, end: datetime) -> Backtest:
        """Return what came out; what is on counts until the end."""
        self._live_until(end)
        use = self._actuation.end(end)
        return Backtest(
            start=self._start,
            end=end,
            readings=self._readings,
            evaluations=self._evaluations,
            firings=tuple(self._firings),
            firing_count=self._firing_count,
            commands=tuple(self._commands),
            command_count=self._command_count,
            use=use,
            violations=tuple(self._actuation.violations),
            violation_count=self._actuation.violation_count,
        )

    # ------------------------------------------------------------ readings

    def _enter(self, past: Mapping[SensorKey, Past]) -> None:
        """Take in a stretch, and mark where to judge."""
        newer = {
            key: past[key].newer_than(_order(self._seen.get(key)))
            for key in self._sensors
            if key in past
        }
        changes: Mapping[SensorKey, Changes] = {}
        rates: Sequence[RateWalk] = ()
        if self._skipping:
            condition, memories = self._rule.condition, self._state.condition.memories
            changes = find_changes(condition, newer, self._seen, self._max_age, memories)
            rates = [
                RateWalk.of(leaf, memories.get(leaf), self._max_age)
                for leaf in leaves(condition)
                if isinstance(leaf, Rate) and leaf.sensor in newer
            ]
        self._stretch = _Stretch(newer, changes, rates)
        self._readings += sum(map(len, newer.values()))
        for key, found in newer.items():
            places: Iterable[int] = range(len(found))
            if self._skipping:
                places = changes[key].places if key in changes else ()
            self._stretch.due += [(found.received[p], found.ids[p], key, p) for p in places]
        heapq.heapify(self._stretch.due)

    def _pass(self, received: int, reading_id: int = -1) -> None:
        """See the last reading of each sensor from before a moment, without judging."""
        for key, past in self._stretch.past.items():
            place = past.place(received, reading_id)
            if place > self._stretch.passed.get(key, 0):
                self._look(key, place - 1)
        if self._skipping and self._seen:
            # What it would have remembered, had it been judged at each of them.
            memories = dict(self._state.condition.memories)
            for walk in self._stretch.rates:
                key = walk.leaf.sensor
                walk.follow(self._stretch.past[key], self._stretch.passed.get(key, 0))
                if (memory := walk.memory()) is not None:
                    memories[walk.leaf] = memory
            remembered = ConditionState(observations=dict(self._seen), memories=memories)
            self._state = replace(self._state, condition=remembered)

    def _look(self, key: SensorKey, place: int) -> None:
        self._stretch.passed[key] = place + 1
        self._seen[key] = self._stretch.past[key].observation(place)

    def _want_any(self) -> None:
        """Judge the next reading, whatever it says."""
        for key, past in self._stretch.past.items():
            place = self._stretch.passed.get(key, 0)
            if place < len(past):
                due = (past.received[place], past.ids[place], key, place)
                heapq.heappush(self._stretch.due, due)

    # ------------------------------------------------------------ time

    def _live_until(self, at: datetime) -> None:
        """Do all that is due until then, that included."""
        while (due := self._due()) is not None and due <= at:
            now = max(due, self._now)
            self._act(now)
            if self._wake is not None and self._wake <= now:
                self._pass(microseconds(now))
                self._judge(now)

    def _due(self) -> datetime | None:
        acting = self._pending[0][0] if self._pending else None
        dues = (self._wake, acting, self._notice, self._actuation.next_change())
        return min((due for due in dues if due is not None), default=None)

    def _judge(self, now: datetime) -> None:
        """Judge the condition, decide, and begin what is to be done."""
        if self._evaluations % LOOK_UP_EVERY == 0 and self._cancelled():
            raise CancelledError
        self._now = now
        self._evaluations += 1
        world = World(
            readings=self._seen,
            devices=self._devices,
            actuators={
                pin: ActuatorState(value=value, is_active=value > 0, reported_at=now)
                for pin, value in self._shown.items()
            },
            max_age=self._max_age,
        )
        verdict = evaluate(self._rule.condition, world, self._state.condition, now)
        quiet = self._skipping and not any(map(self._stretch.pause, self._sensors))
        if quiet:
            verdict = verdict._replace(wake_at=_certain(verdict.explanation, now))
        decision = decide(self._rule, self._state, verdict, now)
        self._state = decision.state
        self._wake = decision.wake_at
        if self._skipping and decision.state.held_since is not None:
            self._wake = verdict.wake_at  # to renew a hold sends nothing new
        if self._skipping and decision.reason is Reason.SEEN:
            self._want_any()
        self._do(decision, verdict, now)

    # ------------------------------------------------------------ actions

    def _do(self, decision: Decision, verdict: Verdict, now: datetime) -> None:
        match decision.step:
            case Step.FIRE | Step.HOLD_BEGINS:
                self._fire(verdict, now, held=decision.step is Step.HOLD_BEGINS)
            case Step.HOLD_ENDS:
                self._pending = [entry for entry in self._pending if not entry[3]]
                heapq.heapify(self._pending)
                for step in self._rule.switched_off():
                    self._plan(step, now, held=False)
                if self._holding is not None:
                    self._holding.until, self._holding = now, None
            case _:
                return
        self._act(now)

    def _fire(self, verdict: Verdict, now: datetime, *, held: bool) -> None:
        self._firing_count += 1
        firing = Firing(at=now, explanation=verdict.explanation)
        if held:
            self._holding = firing
        if len(self._firings) < MOST_KEPT:
            self._firings.append(firing)
        at = now
        for action in self._rule.actions:
            if isinstance(action, DelayStep):
                at += action.time
            else:
                self._plan(action, at, held=held)

    def _plan(self, action: Action, at: datetime, *, held: bool) -> None:
        self._order += 1
        heapq.heappush(self._pending, (at, self._order, action, held))

    def _act(self, now: datetime) -> None:
        """Do what is due; where that is something the rule looks at, it looks again."""
        self._actuation.pass_until(now)
        while self._pending and self._pending[0][0] <= now:
            at, _, action, held = heapq.heappop(self._pending)
            if isinstance(action, CommandStep):
                self._command(action, max(at, self._start), held=held)
            elif isinstance(action, EnableRuleStep) and action.rule_id == self._rule.id:
                self._rule = replace(self._rule, enabled=action.enabled)
                self._wake = now
        if self._notice is not None and self._notice <= now:
            self._shown, self._notice, self._wake = self._shown_now(), None, now
        if self._notice is None and self._shown_now() != self._shown:
            self._notice = now + SEEN_AFTER

    def _shown_now(self) -> dict[Pin, float]:
        return {pin: self._actuation.value(pin) for pin in self._watched_pins}

    def _command(self, step: CommandStep, at: datetime, *, held: bool) -> None:
        value = self._actuation.command(step, at, held=held)
        self._command_count += 1
        if len(self._commands) < MOST_KEPT:
            self._commands.append(Sent(at, step.pin, step.action, value))


def _order(seen: Observation | None) -> tuple[int, int] | None:
    return None if seen is None else (microseconds(seen.measured_at), seen.reading_id)


def _certain(explanation: Explanation, now: datetime) -> datetime | None:
    """Return when a verdict may change by time alone while no value becomes too old."""
    return min((at for at in _edges(explanation) if at > now), default=None)


def _edges(explanation: Explanation) -> Iterable[datetime]:
    if explanation.until is not None and not isinstance(explanation.condition, Stale):
        yield explanation.until
    for child in explanation.children:
        yield from _edges(child)
