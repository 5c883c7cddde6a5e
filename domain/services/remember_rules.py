"""What rules remember, on its way to the database.

What a restart must find again is stored at once; what rules have merely seen, every ten seconds,
which bounds how much the next start after a kill has to judge before anything else begins. What
is to be stored together with an execution waits for that.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from domain.ports import Clock
from domain.repositories import Storage
from domain.rule_executions import (
    KEPT_FOR,
    TABLE_LIMIT,
    ReadingKey,
    Remembered,
    RuleExecution,
    StoredRule,
)
from domain.rules.decide import Decision, Step
from domain.rules.evaluate import Verdict
from domain.rules.model import Rule, RuleState
from domain.rules.past import microseconds
from domain.rules.world import MAX_AGE, Points
from domain.sensors import Sensor
from domain.services.guard import Guard

SAVED_AT_ONCE = 100
"""States in one statement: writing a thousand down takes the loop for longer than a command may."""

SAVE_EVERY = 10.0
"""Seconds after which what rules have seen is stored where nothing depends on it."""

TRIM_EVERY = 3600.0
"""Seconds between two looks at how many executions are kept."""


class Job(NamedTuple):
    """Something to carry out.

    Attributes:
        decision: What was decided; None: an execution goes on that waited.
        skipped: Why it is not to be carried out.
        arbitration: What `RuleExecution` says of it.
    """

    rule: Rule
    at: datetime
    decision: Decision | None = None
    verdict: Verdict | None = None
    reading: ReadingKey | None = None
    held_version: int | None = None
    skipped: str | None = None
    arbitration: Mapping[str, Any] = MappingProxyType({})

    def is_to(self, step: Step) -> bool:
        """Whether a step was decided, and is to be carried out."""
        return self.decision is not None and self.decision.step is step and self.skipped is None


@dataclass(slots=True)
class Live:
    """A rule at work.

    Attributes:
        execution_id: The execution that its hold rests on; None: nothing was switched on yet.
        waiting: An execution in a delay.
        wake_at: When to judge it again if nothing happens before; None: never.
        turn: Held while its state is stored: what is older must not arrive after what is newer.
    """

    stored: StoredRule
    state: RuleState = field(default_factory=RuleState)
    execution_id: UUID | None = None
    waiting: RuleExecution | None = None
    wake_at: datetime | None = None
    tried_at: float = 0.0
    jobs: deque[Job] = field(default_factory=deque)
    busy: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def rule(self) -> Rule:
        """The rule in its newest version."""
        return self.stored.rule

    def remembered(self, state: RuleState) -> Remembered:
        """Return what is to be stored of it."""
        return Remembered(rule_id=self.rule.id, state=state, execution_id=self.execution_id)

    def seen(self, sensor: Sensor) -> ReadingKey:
        """Return the newest reading of a sensor that it was judged by, as far as it remembers.

        Where it remembers none, it was changed a moment before the end: nothing older concerns it.
        """
        newest = self.state.condition.observations.get(sensor.key)
        if newest is not None:
            return ReadingKey(sensor.id, newest.measured_at, newest.reading_id)
        at = self.stored.updated_at
        return ReadingKey(sensor.id, at - MAX_AGE, microseconds(at))


@dataclass(slots=True, kw_only=True)
class RememberRules:
    """Takes states in without waiting; `run` stores them, and makes room for executions."""

    storage: Storage
    clock: Clock
    guard: Guard
    _unsaved: dict[UUID, Live] = field(default_factory=dict, init=False)
    _seen: dict[UUID, Live] = field(default_factory=dict, init=False)
    _saving: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __call__(self, live: Live, before: RuleState) -> None:
        """Take in that the state of a rule changed."""
        if _matters(before) != _matters(live.state):
            self.now(live)
        else:
            self._seen[live.rule.id] = live

    def now(self, live: Live) -> None:
        """Store the state of a rule as soon as can be."""
        self._unsaved[live.rule.id] = live
        self._saving.set()

    async def run(self) -> None:
        """Store until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._save_forever(), name="save states of rules")
            tasks.create_task(self._save_seen_forever(), name="save what rules have seen")
            tasks.create_task(self._trim_forever(), name="trim executions of rules")

    async def _save_forever(self) -> None:
        while True:
            await self._saving.wait()
            self._saving.clear()
            unsaved, self._unsaved = self._unsaved, {}
            lives = list(unsaved.values())
            for first in range(0, len(lives), SAVED_AT_ONCE):
                await self._save(lives[first : first + SAVED_AT_ONCE])

    async def _save_seen_forever(self) -> None:
        while True:
            await self.clock.sleep(SAVE_EVERY)
            self._unsaved |= self._seen
            self._seen = {}
            self._saving.set()

    async def _save(self, lives: Collection[Live]) -> None:
        # Those that are busy come again when they are done.
        chosen = [live for live in lives if not live.busy and not live.jobs]

        async def save() -> None:
            remembered = [live.remembered(live.state) for live in chosen if not live.jobs]
            async with self.storage.autocommit() as work:
                await work.rules.save_states(remembered)

        async with AsyncExitStack() as turns:
            for live in chosen:
                await turns.enter_async_context(live.turn)
            if chosen:
                await self.guard.insist(save)

    async def _trim_forever(self) -> None:
        async def trim() -> None:
            async with self.storage.autocommit() as work:
                await work.rule_executions.trim(TABLE_LIMIT, self.clock.now() - KEPT_FOR)
                await work.rules.trim_changes(self.clock.now() - KEPT_FOR)

        while True:
            await self.guard.insist(trim)
            await self.clock.sleep(TRIM_EVERY)


def _matters(state: RuleState) -> object:
    """Return what of a state a restart must find again as it is: points of a rate come again."""
    memories = state.condition.memories.items()
    kept = {leaf: memory for leaf, memory in memories if not isinstance(memory, Points)}
    return state.armed, state.wanting, state.held_since, state.held_version, kept
