"""Rehearses rules: on values that somebody makes up, and on what was stored.

The evaluator and the decisions are those of live rules (`domain.rules.replay`). What is stored is
lived through elsewhere (`relive`), so that nobody else waits for it: one rehearsal that a person
waits for, and one in the background, at a time. What takes longer than a person waits is started,
looked at and cancelled by its id.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.errors import (
    BadInputError,
    ConflictError,
    DomainError,
    NotFoundError,
    OverloadedError,
)
from domain.ports import Clock
from domain.rules.conditions import (
    doubtful_sensors,
    watched_actuators,
    watched_devices,
    watched_sensors,
)
from domain.rules.evaluate import Explanation, evaluate
from domain.rules.model import CommandStep, DelayStep, Rule
from domain.rules.replay import Backtest
from domain.rules.world import ConditionState, Observation, World
from domain.sensors import SensorKey
from domain.services.registry import Registry
from domain.services.relive import Progress, Rehearsal, Relive

PATIENCE = 20.0
"""What `Rehearse.patience` is, unless said."""

LONGEST = timedelta(days=3 * 366)
"""How much of the past a rule lives through at the most."""

MOST_WAITING = 10
"""Backtests that may be under way or wait."""

MOST_KEPT = 50
"""Backtests whose outcome is kept in memory; the oldest go first."""

COMPARED = timedelta(days=30)
"""How far back the difference between an old and a new rule is looked for, unless said."""

_MOST_SAMPLES = 1000


class Sample(NamedTuple):
    """A value that somebody makes up.

    Attributes:
        at: When it is to have been measured; None: at the instant of the test.
    """

    key: SensorKey
    value: float
    at: datetime | None = None


class Trial(NamedTuple):
    """What a rule would do at an instant.

    Attributes:
        fires: Whether its condition holds.
        commands: What it would then command, each with how long after that.
    """

    fires: bool
    explanation: Explanation
    commands: Sequence[tuple[CommandStep, timedelta]]


class RunState(StrEnum):
    """How far a backtest has come."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


@dataclass(slots=True, kw_only=True)
class Run:
    """A backtest in the background.

    Attributes:
        progress: The part of the time that was lived through, 0.0 to 1.0.
        reason: Why it failed; None: it did not.
        result: None: it is not done.
        stop: Ends the work on it; None: there is none.
    """

    id: UUID
    rule: Rule
    start: datetime
    end: datetime
    started_at: datetime
    state: RunState = RunState.WAITING
    progress: float = 0.0
    reason: str | None = None
    result: Backtest | None = None
    stop: Callable[[], object] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state not in {RunState.WAITING, RunState.RUNNING}


class Difference(NamedTuple):
    """What another version of a rule would have done in the same time.

    Attributes:
        gone: When only the old one would have fired.
        come: When only the new one would have.
    """

    old: Backtest
    new: Backtest
    gone: Sequence[datetime]
    come: Sequence[datetime]


@dataclass(slots=True, kw_only=True)
class Rehearse:
    """Tests, backtests and compares rules; nothing is sent, and nothing stored.

    Attributes:
        patience: Seconds that a backtest may take while somebody waits for its answer.
        measured_in: In which unit a sensor measures; None: nobody knows.
    """

    relive: Relive
    registry: Registry
    clock: Clock
    new_id: Callable[[], UUID]
    patience: float = PATIENCE
    measured_in: Callable[[SensorKey], str | None] = lambda _key: None
    _runs: OrderedDict[UUID, Run] = field(default_factory=OrderedDict, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    # ------------------------------------------------------------ on given values

    def test(self, rule: Rule, samples: Sequence[Sample] = (), at: datetime | None = None) -> Trial:
        """Judge a rule on given values alone: a sensor without one has none, whatever it measures.

        Several values of a sensor are lived through in order of time. Devices and actuators are
        as they are known to be now.

        Raises:
            BadInputError: There are too many values, or one is from after the instant.
        """
        now = at or self.clock.now()
        if len(samples) > _MOST_SAMPLES:
            raise BadInputError(f"a test takes {_MOST_SAMPLES} readings at most")
        moments = sorted(
            ((sample.at or now, number) for number, sample in enumerate(samples)),
        )
        if moments and moments[-1][0] > now:
            raise BadInputError("a reading cannot be from after the instant of the test")
        readings: dict[SensorKey, Observation] = {}
        state = ConditionState()
        for moment, number in moments:
            key, value, _ = samples[number]
            readings[key] = Observation(number + 1, value, self._unit(key), moment)
            state = evaluate(rule.condition, self._world(rule, readings), state, moment).state
        verdict = evaluate(rule.condition, self._world(rule, readings), state, now)
        fires = verdict.holds is True
        return Trial(fires, verdict.explanation, _commands(rule) if fires else ())

    def _unit(self, key: SensorKey) -> str | None:
        sensor = self.registry.sensor(key)
        return self.measured_in(key) or (sensor.unit if sensor else None)

    def _world(self, rule: Rule, readings: Mapping[SensorKey, Observation]) -> World:
        devices = {name: self.registry.device(name) for name in watched_devices(rule.condition)}
        actuators = {pin: self.registry.actuator(pin) for pin in watched_actuators(rule.condition)}
        return World(
            readings=readings,
            devices={name: found.status for name, found in devices.items() if found},
            actuators={pin: found.state for pin, found in actuators.items() if found},
        )

    # ------------------------------------------------------------ on what was stored

    async def backtest(self, rule: Rule, start: datetime, end: datetime) -> Backtest:
        """Return what a rule would have done.

        Raises:
            BadInputError: There is no such time.
            OverloadedError: It takes longer than somebody waits.
        """
        (found,) = await self._waited_for([rule], start, end)
        return found

    async def compare(self, old: Rule, new: Rule, time: timedelta = COMPARED) -> Difference:
        """Return the difference that a new version of a rule would have made lately.

        Raises:
            BadInputError: There is no such time.
            OverloadedError: It takes longer than somebody waits.
        """
        now = self.clock.now()
        before, after = await self._waited_for([old, new], now - time, now)
        fired, fires = ({one.at for one in each.firings} for each in (before, after))
        return Difference(before, after, sorted(fired - fires), sorted(fires - fired))

    async def _waited_for(
        self, rules: Sequence[Rule], start: datetime, end: datetime
    ) -> Sequence[Backtest]:
        self._check(rules, start, end)
        try:
            async with asyncio.timeout(self.patience), self._turn:
                return await self._live_through(rules, start, end, lambda _: None)
        except TimeoutError as error:
            raise OverloadedError(
                f"it takes longer than {self.patience:g} s: use startBacktest, or a shorter time"
            ) from error

    def _check(self, rules: Iterable[Rule], start: datetime, end: datetime) -> None:
        if any(doubtful_sensors(rule.condition) for rule in rules):
            raise BadInputError("the past is lived through with good values: leave anyQuality out")
        if not start < end <= self.clock.now():
            raise BadInputError("from must lie before to, and to not in the future")
        if end - start > LONGEST:
            raise BadInputError(f"a backtest covers {LONGEST.days} days at most")

    async def _live_through(
        self, rules: Sequence[Rule], start: datetime, end: datetime, progress: Progress
    ) -> Sequence[Backtest]:
        """Let rules live through the past as if they were enabled.

        What they would do is asked, not whether they may.
        """
        known = {
            key: sensor.id
            for rule in rules
            for key in watched_sensors(rule.condition)
            if (sensor := self.registry.sensor(key)) is not None
        }
        actuators = {
            pin: actuator
            for rule in rules
            for pin in rule.pins
            if (actuator := self.registry.actuator(pin)) is not None
        }
        enabled = [replace(rule, enabled=True) for rule in rules]
        rehearsal = Rehearsal(
            rules=enabled, sensors=known, actuators=actuators, start=start, end=end
        )
        return await self.relive(rehearsal, progress)

    # ------------------------------------------------------------ beside

    def start(self, rule: Rule, start: datetime, end: datetime) -> Run:
        """Begin a backtest in the background.

        Raises:
            BadInputError: There is no such time.
            OverloadedError: Too many wait.
        """
        self._check([rule], start, end)
        if sum(not run.over for run in self._runs.values()) >= MOST_WAITING:
            raise OverloadedError(f"{MOST_WAITING} backtests wait already")
        run = Run(id=self.new_id(), rule=rule, start=start, end=end, started_at=self.clock.now())
        over = [known.id for known in self._runs.values() if known.over]
        for known_id in over[: max(0, len(self._runs) - MOST_KEPT + 1)]:
            del self._runs[known_id]
        self._runs[run.id] = run
        self._woken.set()
        return run

    def find(self, run_id: UUID) -> Run | None:
        """Return a backtest that was started; None: it is not known any more."""
        return self._runs.get(run_id)

    def cancel(self, run_id: UUID) -> Run:
        """End a backtest that is under way.

        Raises:
            NotFoundError: It is not known.
            ConflictError: It is over.
        """
        run = self._runs.get(run_id)
        if run is None:
            raise NotFoundError("there is no such backtest")
        if run.over:
            raise ConflictError(f"this backtest is {run.state.lower()}")
        run.state = RunState.CANCELLED
        if run.stop is not None:
            run.stop()
        return run

    async def run(self) -> None:
        """Carry out what was started, one after another, until cancelled."""
        while True:
            self._woken.clear()
            waiting = [run for run in self._runs.values() if run.state is RunState.WAITING]
            for run in waiting:
                if run.state is RunState.WAITING:
                    await self._carry_out(run)
            if not waiting:
                await self._woken.wait()

    async def _carry_out(self, run: Run) -> None:
        run.state = RunState.RUNNING
        async with asyncio.TaskGroup() as tasks:
            run.stop = tasks.create_task(self._finish(run)).cancel
        run.stop = None

    async def _finish(self, run: Run) -> None:
        def progress(part: float) -> None:
            run.progress = part

        try:
            (run.result,) = await self._live_through([run.rule], run.start, run.end, progress)
            run.state = RunState.DONE
        except DomainError as error:
            run.state, run.reason = RunState.FAILED, str(error)


def _commands(rule: Rule) -> Sequence[tuple[CommandStep, timedelta]]:
    after, found = timedelta(0), []
    for action in rule.actions:
        if isinstance(action, DelayStep):
            after += action.time
        elif isinstance(action, CommandStep):
            found.append((action, after))
    return found
