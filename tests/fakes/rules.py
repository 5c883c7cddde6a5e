"""Rules and what they did, in memory; written and read back as the database does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.pages import Page, PageRequest
from domain.rule_executions import (
    TALLIED,
    Remembered,
    RuleExecution,
    RuleOutcome,
    StoredRule,
    Tally,
)
from domain.rules.model import Rule
from domain.rules.rule_notation import read_rule, read_rule_state, write_rule, write_rule_state
from tests.fakes.paging import paged


@dataclass(slots=True)
class FakeRules:
    rows: dict[UUID, StoredRule] = field(default_factory=dict)
    versions: dict[tuple[UUID, int], object] = field(default_factory=dict)
    remembered: dict[UUID, Remembered] = field(default_factory=dict)
    changes: list[StoredRule] = field(default_factory=list)

    async def add(self, stored: StoredRule, user_id: UUID | None) -> None:
        await self.save(stored, user_id)

    async def save(self, stored: StoredRule, user_id: UUID | None) -> None:  # noqa: ARG002 - nobody asks who
        rule = stored.rule
        self.rows[rule.id] = stored
        self.versions.setdefault((rule.id, rule.version), write_rule(rule))
        self.changes.append(stored)

    async def at(self, rule_id: UUID, at: datetime) -> StoredRule | None:
        found = [c for c in self.changes if c.rule.id == rule_id and c.updated_at <= at]
        return found[-1] if found else None

    async def trim_changes(self, before: datetime) -> int:
        kept = [await self.at(rule_id, before) for rule_id in self.rows]
        gone = [c for c in self.changes if c.updated_at < before and c not in kept]
        self.changes = [c for c in self.changes if c not in gone]
        return len(gone)

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, StoredRule]:
        return {rule_id: self.rows[rule_id] for rule_id in ids if rule_id in self.rows}

    async def version(self, rule_id: UUID, version: int) -> Rule | None:
        found = self.versions.get((rule_id, version))
        return None if found is None else read_rule(found, rule_id, version)

    async def all(self) -> Sequence[StoredRule]:
        kept = (row for row in self.rows.values() if row.deleted_at is None)
        return sorted(kept, key=lambda row: row.rule.id)

    async def page(self, page: PageRequest, *, enabled: bool | None = None) -> Page[StoredRule]:
        found = [row for row in await self.all() if enabled in {None, row.rule.enabled}]
        return paged(found, lambda row: (row.rule.name, str(row.rule.id)), page)

    async def save_states(self, remembered: Sequence[Remembered]) -> None:
        for one in remembered:
            state = read_rule_state(write_rule_state(one.state))
            self.remembered[one.rule_id] = replace(one, state=state)

    async def states(self) -> Mapping[UUID, Remembered]:
        return dict(self.remembered)


@dataclass(slots=True)
class FakeRuleExecutions:
    rules: Callable[[], FakeRules]
    rows: dict[UUID, RuleExecution] = field(default_factory=dict)

    async def add(self, execution: RuleExecution, *remembered: Remembered) -> None:
        await self.rules().save_states(remembered)
        self.rows.setdefault(execution.id, execution)

    async def save(self, execution: RuleExecution) -> None:
        self.rows[execution.id] = execution

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, RuleExecution]:
        return {one: self.rows[one] for one in ids if one in self.rows}

    async def running(self) -> Sequence[RuleExecution]:
        found = (row for row in self.rows.values() if row.outcome is RuleOutcome.RUNNING)
        return sorted(found, key=lambda row: row.id)

    async def page(
        self,
        page: PageRequest,
        *,
        rule_id: UUID | None = None,
        outcome: RuleOutcome | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[RuleExecution]:
        found = [
            row
            for row in self.rows.values()
            if rule_id in {None, row.rule_id}
            and outcome in {None, row.outcome}
            and (start is None or row.triggered_at >= start)
            and (end is None or row.triggered_at < end)
        ]
        return paged(found, lambda row: (str(row.id),), page, descending=True)

    async def since(
        self, execution_id: UUID, limit: int, *, rule_id: UUID | None = None
    ) -> Sequence[RuleExecution]:
        found = (
            row
            for row in self.rows.values()
            if row.id > execution_id and rule_id in {None, row.rule_id}
        )
        return sorted(found, key=lambda row: row.id)[:limit]

    async def tallies(self, rule_ids: Sequence[UUID]) -> Mapping[UUID, Tally]:
        over = [row for row in self.rows.values() if row.outcome is not RuleOutcome.RUNNING]
        over.sort(key=lambda row: row.id, reverse=True)
        tallies: dict[UUID, Tally] = {}
        for rule_id in rule_ids:
            last = [row for row in over if row.rule_id == rule_id][:TALLIED]
            succeeded = sum(row.outcome is RuleOutcome.SUCCEEDED for row in last)
            if last:
                tallies[rule_id] = Tally(len(last), succeeded)
        return tallies

    async def trim(self, keep: int, before: datetime) -> int:
        rows = sorted(self.rows.values(), key=lambda row: row.id, reverse=True)
        gone = [
            row
            for place, row in enumerate(rows)
            if row.outcome is not RuleOutcome.RUNNING
            and (place >= keep or row.triggered_at < before)
        ]
        for row in gone:
            del self.rows[row.id]
        return len(gone)
