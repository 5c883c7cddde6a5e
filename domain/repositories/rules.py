"""Stored rules, what is remembered of them, and what they did."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.pages import Page, PageRequest
from domain.rule_executions import Remembered, RuleExecution, RuleOutcome, StoredRule, Tally
from domain.rules.model import Rule


class Rules(Protocol):
    """Stored rules in all their versions."""

    async def add(self, stored: StoredRule, user_id: UUID | None) -> None:
        """Store a new rule with its first version."""
        ...

    async def save(self, stored: StoredRule, user_id: UUID | None) -> None:
        """Store a known rule; a version that is not known yet is added."""
        ...

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, StoredRule]:
        """Return several rules, deleted ones too; unknown ids are absent."""
        ...

    async def version(self, rule_id: UUID, version: int) -> Rule | None:
        """Return a rule as it was in a version."""
        ...

    async def at(self, rule_id: UUID, at: datetime) -> StoredRule | None:
        """Return a rule as it stood at a moment, deleted or not; None: it did not exist yet."""
        ...

    async def trim_changes(self, before: datetime) -> int:
        """Forget older changes, but for how each rule stood at that moment; return how many."""
        ...

    async def all(self) -> Sequence[StoredRule]:
        """Return every rule that is not deleted, in order of id."""
        ...

    async def page(self, page: PageRequest, *, enabled: bool | None = None) -> Page[StoredRule]:
        """Return rules that are not deleted, by name."""
        ...

    async def save_states(self, remembered: Sequence[Remembered]) -> None:
        """Store what is remembered of rules, in one statement."""
        ...

    async def states(self) -> Mapping[UUID, Remembered]:
        """Return what is remembered of every rule."""
        ...


class RuleExecutions(Protocol):
    """Stored executions."""

    async def add(self, execution: RuleExecution, *remembered: Remembered) -> None:
        """Store a new one, and what rules remember of it; a known id is left as it is."""
        ...

    async def save(self, execution: RuleExecution) -> None:
        """Store how far one has come (outcome, reason, place, resume_at, completed_at)."""
        ...

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, RuleExecution]:
        """Return several; unknown ids are absent."""
        ...

    async def running(self) -> Sequence[RuleExecution]:
        """Return those that are under way, oldest first."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        rule_id: UUID | None = None,
        outcome: RuleOutcome | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[RuleExecution]:
        """Return executions, newest first; `start` included, `end` excluded."""
        ...

    async def since(
        self, execution_id: UUID, limit: int, *, rule_id: UUID | None = None
    ) -> Sequence[RuleExecution]:
        """Return what was stored after an execution, known or not, in order of id."""
        ...

    async def tallies(self, rule_ids: Sequence[UUID]) -> Mapping[UUID, Tally]:
        """Return how the last `TALLIED` executions of rules went; a rule without any is absent."""
        ...

    async def trim(self, keep: int, before: datetime) -> int:
        """Delete all but the newest `keep`, and what is older; return how many went."""
        ...
