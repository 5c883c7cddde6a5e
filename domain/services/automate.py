"""The rules at work: what they watch is looked up, judged and decided; `carry_out` does the rest.

A reading is judged in place, in the order of commits, and only by the rules that watch its sensor.
Devices, actuators and the clock are looked at every `TICK`, so a clock that jumps evaluates each
rule once. What was decided waits in a queue of its rule until it is stored, and only then is done.
"""

import asyncio
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.actuators import ActuatorState, Pin
from domain.devices import DeviceStatus
from domain.repositories import UnitOfWork
from domain.rule_executions import (
    ReadingKey,
    Remembered,
    RuleExecution,
    RuleOutcome,
    StoredRule,
)
from domain.rules.decide import Decision, Step, decide, end, unfulfilled
from domain.rules.evaluate import Verdict, evaluate
from domain.rules.explain import explanation_json
from domain.rules.model import RENEW_EVERY, EmergencyStep, Rule, RuleState
from domain.sensors import SensorKey
from domain.services.carry_out import CarryOut
from domain.services.remember_rules import Job, Live, RememberRules
from domain.services.restore_holders import restore_holders
from domain.services.world import KnownWorld

K = TypeVar("K", bound=Hashable)

TICK = 0.25
"""Seconds between two looks at clock, devices and actuators."""

MOST_WAITING = 16
"""Decisions of one rule that may wait for the database; then the oldest is dropped, and counted."""

ENDED_ALREADY = "its condition ended before its turn came"

TOO_MANY_WAIT = "too much of what it decided waits to be stored, and the oldest of it was dropped"

MOST_CAUGHT_UP = 5_000
"""Readings of one sensor that are judged after a restart, the newest: hours of most, ten
seconds of the fastest, which is how often what rules have seen is stored."""


@dataclass(slots=True)
class RuleCounts:
    """What became of everything: judged, executed, and dropped because too much waited."""

    judged: int = 0
    executed: int = 0
    dropped: int = 0


@dataclass(slots=True, kw_only=True)
class Automate:
    """Runs the rules."""

    world: KnownWorld
    carry_out: CarryOut
    remember: RememberRules
    counts: RuleCounts = field(default_factory=RuleCounts)
    _live: dict[UUID, Live] = field(default_factory=dict, init=False)
    _ending: dict[UUID, Live] = field(default_factory=dict, init=False)
    _by_sensor: dict[SensorKey, list[Live]] = field(default_factory=dict, init=False)
    _by_device: dict[str, list[Live]] = field(default_factory=dict, init=False)
    _by_actuator: dict[Pin, list[Live]] = field(default_factory=dict, init=False)
    _by_commanded: dict[str, list[Live]] = field(default_factory=dict, init=False)
    _statuses: dict[str, DeviceStatus | None] = field(default_factory=dict, init=False)
    _states: dict[Pin, ActuatorState | None] = field(default_factory=dict, init=False)
    _there: dict[str, bool] = field(default_factory=dict, init=False)
    _tasks: asyncio.TaskGroup | None = field(default=None, init=False)

    # ------------------------------------------------------------ which rules there are

    async def load(self) -> None:
        """Take in the rules and what they remember; once, before anything is read or commanded.

        Raises:
            StorageUnavailableError: The database cannot be reached.
        """
        now = self._now()
        async with self.carry_out.storage.unit_of_work() as work:
            states = await work.rules.states()
            for stored in await work.rules.all():
                known = states.get(stored.rule.id)
                live = self._live[stored.rule.id] = Live(stored)
                if known is not None:
                    live.state, live.execution_id = known.state, known.execution_id
                live.wake_at = now
            await restore_holders(work, self.carry_out.holders, self._live, now)
            running = await work.rule_executions.running()
            await self._load_ending(work, states.values(), running, now)
        for execution in running:
            await self._take_up(execution, now)
        self._index()
        await self._catch_up()

    async def _load_ending(
        self,
        work: UnitOfWork,
        states: Collection[Remembered],
        running: Collection[RuleExecution],
        now: datetime,
    ) -> None:
        """Take in the rules that were deleted and have not let go yet of what they held."""
        ending = {one.rule_id: one for one in states if one.state.held_since is not None}
        begun = {one.rule_id for one in running if one.step is Step.HOLD_ENDS}
        gone = (ending.keys() | begun) - self._live.keys()
        for rule_id, stored in (await work.rules.by_ids(sorted(gone))).items():
            live = self._ending[rule_id] = Live(stored)
            if rule_id in ending:
                live.state, live.execution_id = ending[rule_id].state, ending[rule_id].execution_id
                self._follow(live, end(live.state, now), None, None)

    async def _catch_up(self) -> None:
        """Judge the readings that were stored, and whose judgement the end of the server cut off.

        As late as they are: what is too old by now says nothing any more.
        """
        registry, seen = self.carry_out.registry, list[ReadingKey]()
        for key, lives in self._by_sensor.items():
            sensor, device = registry.sensor(key), registry.device(key.esp_id)
            if sensor is not None and device is not None and device.approved:
                known = [live.seen(sensor) for live in lives]
                at = min(one.measured_at for one in known)
                seen.append(ReadingKey(sensor.id, at, min(one.reading_id for one in known)))
        async with self.carry_out.storage.autocommit() as work:
            readings = await work.readings.unseen(seen, MOST_CAUGHT_UP)
        self.world.live_again(readings, self.read)

    async def _take_up(self, execution: RuleExecution, now: datetime) -> None:
        """Go on with what a restart cut off."""
        live = self._live.get(execution.rule_id)
        if live is None and execution.step is Step.HOLD_ENDS:
            live = self._ending.get(execution.rule_id)
        if live is None:
            await self.carry_out.drop(execution, "the rule was deleted, and the rest dropped")
            return
        if live.waiting is not None:
            await self.carry_out.drop(live.waiting, "the rest was dropped: it ran anew")
        if execution.resume_at is not None:
            live.waiting = execution
            return
        live.waiting = replace(execution, resume_at=execution.triggered_at)
        live.jobs.append(Job(live.rule, now))

    def rules(self) -> Sequence[StoredRule]:
        """Return every rule."""
        return [live.stored for live in self._live.values()]

    def get(self, rule_id: UUID) -> Live | None:
        """Return a rule at work."""
        return self._live.get(rule_id)

    def put(self, stored: StoredRule) -> None:
        """Take in a rule that is new, or was changed; it is stored already."""
        live = self._live.get(stored.rule.id)
        if live is None:
            live = self._live[stored.rule.id] = Live(stored)
        else:
            live.stored = stored
        self._index()
        if live.waiting is not None and not self._is_as_it_was(live.waiting):
            self._enqueue(live, Job(live.rule, self._now()))
        self._judge(live)

    def remove(self, rule_id: UUID) -> None:
        """Let go of a rule that was deleted."""
        live = self._live.pop(rule_id, None)
        if live is None:
            return
        self._index()
        if live.waiting is not None:
            self._enqueue(live, Job(live.rule, self._now()))
        self._follow(live, end(live.state, self._now()), None, None)

    def _index(self) -> None:
        for table in (self._by_sensor, self._by_device, self._by_actuator, self._by_commanded):
            table.clear()
        for live in self._live.values():
            watched = live.rule.watched
            _enter(self._by_sensor, watched.sensors, live)
            _enter(self._by_device, watched.devices, live)
            _enter(self._by_actuator, watched.actuators, live)
            _enter(self._by_commanded, {pin.esp_id for pin in live.rule.pins}, live)
        self.world.follow(self.read, self._by_sensor)

    # ------------------------------------------------------------ what happens

    def read(self, key: SensorKey) -> None:
        """A sensor said something, which is stored; judge the rules that watch it, and no other."""
        for live in self._by_sensor.get(key, ()):
            self._judge(live, key)

    async def run(self) -> None:
        """Look at clock, devices and actuators, and carry out what rules decide."""
        await self.carry_out.send.ready.wait()
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self.remember.run(), name="remember rules")
            for live in (*self._live.values(), *self._ending.values()):
                self._start(live)
            self._ending.clear()
            while True:
                self.look()
                await self.carry_out.clock.sleep(TICK)

    def look(self) -> None:
        """Look at clock, devices and actuators."""
        now = self._now()
        # Most readings move a rule's time to wake: a queue of times would grow with each of them.
        due = {
            rule_id: live
            for rule_id, live in self._live.items()
            if live.wake_at is not None and live.wake_at <= now
        }
        registry = self.carry_out.registry
        for esp_id, lives in self._by_device.items():
            device = registry.device(esp_id)
            status = device.status if device else None
            if self._statuses.get(esp_id) is not status:
                self._statuses[esp_id] = status
                due |= {live.rule.id: live for live in lives}
        for pin, lives in self._by_actuator.items():
            actuator = registry.actuator(pin)
            state = actuator.state if actuator else None
            if self._states.get(pin) != state:
                self._states[pin] = state
                due |= {live.rule.id: live for live in lives}
        for live in due.values():
            self._judge(live)
        self._look_who_returned()
        self._look_at_delays(now)

    def _look_who_returned(self) -> None:
        ticks = self.carry_out.clock.monotonic()
        for esp_id, lives in self._by_commanded.items():
            device = self.carry_out.registry.device(esp_id)
            there, before = device is not None and device.online, self._there.get(esp_id)
            self._there[esp_id] = there
            returned = there and before is False
            for live in lives if there else ():
                waits = live.state.wanting and self.carry_out.obstacle(live.rule) is None
                again = waits and ticks - live.tried_at >= RENEW_EVERY.total_seconds()
                if again or (returned and (waits or live.state.held_since is not None)):
                    live.tried_at = ticks
                    self._judge(live, returned=True)

    def _look_at_delays(self, now: datetime) -> None:
        for live in self._live.values():
            waiting = live.waiting
            if waiting is None or live.jobs or live.busy or waiting.resume_at is None:
                continue
            if waiting.resume_at <= now:
                self._enqueue(live, Job(live.rule, now))

    # ------------------------------------------------------------ deciding

    def judge(self, rule: Rule, state: RuleState) -> Verdict:
        """Return what the condition of a rule comes to now."""
        return self._verdict(rule, state, self._now())

    def _verdict(self, rule: Rule, state: RuleState, now: datetime) -> Verdict:
        world = self.world.for_rules(rule.watched)
        return evaluate(rule.condition, world, state.condition, now)

    def _judge(self, live: Live, key: SensorKey | None = None, *, returned: bool = False) -> None:
        self.counts.judged += 1
        now = self._now()
        verdict = self._verdict(live.rule, live.state, now)
        decision = decide(live.rule, live.state, verdict, now, returned=returned)
        reading = None if key is None else self._reading(live.rule, key, verdict)
        self._follow(live, decision, verdict, reading)

    def _reading(self, rule: Rule, key: SensorKey, verdict: Verdict) -> ReadingKey | None:
        seen, reading = verdict.state.observations.get(key), self.world.good(key)
        if key in rule.watched.doubtful:
            reading = self.world.newest(key)
        elif seen is None or reading is None or reading.id != seen.reading_id:
            reading = None
        if reading is None:
            return None
        return ReadingKey(reading.sensor.id, reading.measured_at, reading.id)

    def _follow(
        self,
        live: Live,
        decision: Decision,
        verdict: Verdict | None,
        reading: ReadingKey | None,
    ) -> None:
        before, rule = live.state, live.rule
        live.state = decision.state
        live.wake_at = decision.wake_at
        if decision.step is Step.NOTHING:
            self.remember(live, before)
            return
        now, skipped = self._now(), None
        claims = self.carry_out.holders.claims(rule, before.executed_at, now)
        if decision.step in {Step.FIRE, Step.HOLD_BEGINS}:
            self._stop_first(rule)
            away = self.carry_out.obstacle(rule)
            skipped = away or self.carry_out.claim(rule, now)
            if away is not None and decision.step is Step.FIRE:
                live.state = unfulfilled(live.state)
                live.tried_at = self.carry_out.clock.monotonic()
        decision = replace(decision, state=live.state)
        job = Job(rule, now, decision, verdict, reading, before.held_version, skipped, claims)
        self._enqueue(live, job)

    def _stop_first(self, rule: Rule) -> None:
        # Before the tasks begin nothing can be pressed; then its execution does it.
        stops = any(isinstance(action, EmergencyStep) for action in rule.actions)
        if stops and self._tasks is not None:
            self._tasks.create_task(self.carry_out.stop_first(rule), name=f"stops of {rule.name}")

    def _enqueue(self, live: Live, job: Job) -> None:
        renews = job.decision is not None and job.decision.step is Step.HOLD_RENEWS
        if renews and live.jobs:
            return
        last = live.jobs[-1] if live.jobs else job
        if job.is_to(Step.HOLD_ENDS) and last.is_to(Step.HOLD_BEGINS):
            live.jobs[-1] = last._replace(skipped=ENDED_ALREADY)
        if len(live.jobs) >= MOST_WAITING:
            live.jobs.popleft()
            self.counts.dropped += 1
            self.carry_out.tell_not_done(live.rule, TOO_MANY_WAIT)
        live.jobs.append(job)
        self._start(live)

    def _start(self, live: Live) -> None:
        if self._tasks is not None and live.jobs and not live.busy:
            live.busy = True
            self._tasks.create_task(self._work(live), name=f"rule {live.rule.name}")

    # ------------------------------------------------------------ carrying out

    async def _work(self, live: Live) -> None:
        try:
            async with live.turn:
                while live.jobs:
                    await self._carry_out(live, live.jobs.popleft())
        finally:
            live.busy = False
        self.remember.now(live)

    async def _carry_out(self, live: Live, job: Job) -> None:
        decision = job.decision
        if decision is None:
            await self._continue(live, job)
        elif decision.step is Step.HOLD_RENEWS:
            await self._renew(live, job)
        else:
            if live.waiting is not None:
                why = decision.reason.sentence if decision.step is Step.HOLD_ENDS else "it ran anew"
                await self.carry_out.drop(live.waiting, f"the rest was dropped: {why}")
                live.waiting = None
            if decision.step is Step.HOLD_ENDS:
                await self._end(live, job)
            else:
                await self._begin(live, job, decision)

    async def _begin(self, live: Live, job: Job, decision: Decision) -> None:
        execution = self._execution(job, decision)
        if job.skipped is not None:
            execution = replace(
                execution,
                outcome=RuleOutcome.SKIPPED,
                reason=job.skipped,
                completed_at=self._now(),
            )
        elif decision.step is Step.HOLD_BEGINS:
            live.execution_id = execution.id
        await self.carry_out.store(execution, live.remembered(decision.state))
        if job.skipped is None:
            self.counts.executed += 1
            await self._go_on(live, execution, job.rule)
            return
        if job.skipped != ENDED_ALREADY:
            self.carry_out.tell_not_done(job.rule, job.skipped)
        for action in job.rule.actions:
            if isinstance(action, EmergencyStep):
                await self.carry_out.stop(action, job.rule)

    async def _go_on(self, live: Live, execution: RuleExecution, rule: Rule) -> None:
        execution = await self.carry_out.go_on(execution, rule)
        live.waiting = execution if execution.outcome is RuleOutcome.RUNNING else None
        if execution.outcome is not RuleOutcome.FAILED:
            return
        fired = execution.step is Step.FIRE and not (live.state.armed or live.state.wanting)
        if fired and await self.carry_out.was_not_sent(execution):
            live.state = unfulfilled(live.state)
            live.tried_at = self.carry_out.clock.monotonic()
        self.carry_out.tell_not_done(rule, execution.reason or "nobody knows why")

    async def _continue(self, live: Live, job: Job) -> None:
        waiting, rule = live.waiting, job.rule
        if waiting is None:
            return
        if waiting.step is Step.HOLD_ENDS:
            rule = await self.carry_out.version(rule, waiting.rule_version)
        elif not self._is_as_it_was(waiting):
            live.waiting = None
            await self.carry_out.drop(waiting, "the rule was changed, and the rest dropped")
            return
        await self._go_on(live, waiting, rule)

    def _is_as_it_was(self, execution: RuleExecution) -> bool:
        live = self._live.get(execution.rule_id)
        if live is None or not live.rule.enabled:
            return False
        return live.rule.version == execution.rule_version

    async def _renew(self, live: Live, job: Job) -> None:
        rule, decision = job.rule, job.decision
        if decision is None or live.waiting is not None:
            return
        if live.execution_id is None:
            if not self.carry_out.untold(rule):
                return
            execution = self._execution(job, decision)
            live.execution_id = execution.id
            await self.carry_out.store(execution, live.remembered(decision.state))
            self.counts.executed += 1
            await self._go_on(live, execution, rule)
            return
        await self.carry_out.renew(rule, live.execution_id)

    async def _end(self, live: Live, job: Job) -> None:
        decision, rule = job.decision, job.rule
        if decision is None:
            return
        if job.held_version is not None:
            rule = await self.carry_out.version(rule, job.held_version)
        began, live.execution_id = live.execution_id, None
        # If it never came to hold anything, there is nothing to switch off, and nothing to tell.
        if began is not None:
            execution = replace(self._execution(job, decision), rule_version=rule.version)
            await self.carry_out.store(execution, live.remembered(decision.state))
            self.counts.executed += 1
            await self.carry_out.go_on(execution, rule)
        for pin in rule.pins:
            self.carry_out.holders.release(pin, rule.id)
            self._let_others(pin)

    def _let_others(self, pin: Pin) -> None:
        """Let the rules have an actuator that wanted it while another one had it."""
        for live in self._by_commanded.get(pin.esp_id, ()):
            if pin in live.rule.pins and live.state.held_since is not None:
                self._judge(live, returned=True)

    def _execution(self, job: Job, decision: Decision) -> RuleExecution:
        verdict = job.verdict
        return RuleExecution(
            id=self.carry_out.send.new_id(),
            rule_id=job.rule.id,
            rule_version=job.rule.version,
            step=decision.step,
            why=decision.reason,
            triggered_at=job.at,
            triggered_by=job.reading,
            explanation={} if verdict is None else explanation_json(verdict.explanation),
            arbitration=job.arbitration,
        )

    def _now(self) -> datetime:
        return self.carry_out.clock.now()


def _enter(table: dict[K, list[Live]], keys: Collection[K], live: Live) -> None:
    for key in keys:
        table.setdefault(key, []).append(live)
