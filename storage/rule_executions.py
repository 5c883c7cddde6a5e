"""What rules did: written twice each, read newest first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.errors import BadInputError
from domain.pages import Page, PageRequest
from domain.rule_executions import (
    TALLIED,
    ReadingKey,
    Remembered,
    RuleExecution,
    RuleOutcome,
    Tally,
)
from domain.rules.decide import Reason
from storage.client import TransactionClient
from storage.pages import cut, key_after
from storage.rule_tables import RuleExecutionRow
from storage.rules import remember, state_columns
from storage.texts import storable


@dataclass(frozen=True, slots=True)
class RuleExecutionRepository:
    """Implements domain.repositories.RuleExecutions; ids grow with time, so they are the order."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[RuleExecutionRow]:
        return RuleExecutionRow.all().using_db(self._client)

    async def add(self, execution: RuleExecution, *remembered: Remembered) -> None:
        """Insert, unless it is there, and what is remembered: one statement, one round trip."""
        reading = execution.triggered_by
        await self._client.execute_query(
            _ADD,
            [
                execution.id,
                execution.rule_id,
                execution.rule_version,
                execution.step,
                execution.why,
                execution.triggered_at,
                reading.sensor_id if reading else None,
                reading.measured_at if reading else None,
                reading.reading_id if reading else None,
                storable(json.dumps(execution.explanation, ensure_ascii=False)),
                storable(json.dumps({**execution.arbitration}, ensure_ascii=False)),
                *_changing(execution),
                *state_columns(remembered),
            ],
        )

    async def save(self, execution: RuleExecution) -> None:
        """Update what can change."""
        await self._client.execute_query(_SAVE, [execution.id, *_changing(execution)])

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, RuleExecution]:
        """Select several."""
        return {row.id: _execution(row) for row in await self._rows().filter(id__in=ids)}

    async def running(self) -> Sequence[RuleExecution]:
        """Select by outcome: a partial index holds only these."""
        rows = await self._rows().filter(outcome=RuleOutcome.RUNNING).order_by("id")
        return [_execution(row) for row in rows]

    async def page(
        self,
        page: PageRequest,
        *,
        rule_id: UUID | None = None,
        outcome: RuleOutcome | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[RuleExecution]:
        """Select a page, newest first."""
        found = self._rows()
        if rule_id is not None:
            found = found.filter(rule_id=rule_id)
        if outcome is not None:
            found = found.filter(outcome=outcome)
        if start is not None:
            found = found.filter(triggered_at__gte=start)
        if end is not None:
            found = found.filter(triggered_at__lt=end)
        if (key := key_after(page, str)) is not None:
            found = found.filter(id__lt=_id(str(key[0])))
        rows = await found.order_by("-id").limit(page.first + 1)
        return cut(rows, page, _execution, lambda one: (str(one.id),))

    async def since(
        self, execution_id: UUID, limit: int, *, rule_id: UUID | None = None
    ) -> Sequence[RuleExecution]:
        """Select what follows, oldest first."""
        found = self._rows().filter(id__gt=execution_id)
        if rule_id is not None:
            found = found.filter(rule_id=rule_id)
        return [_execution(row) for row in await found.order_by("id").limit(limit)]

    async def tallies(self, rule_ids: Sequence[UUID]) -> Mapping[UUID, Tally]:
        """Count the last that are over, along the index of each rule."""
        rows = await self._client.execute_query_dict(_TALLIES, [list(rule_ids), TALLIED])
        return {row["rule_id"]: Tally(row["total"], row["succeeded"]) for row in rows}

    async def trim(self, keep: int, before: datetime) -> int:
        """Delete the oldest."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM, [keep, before])
        return deleted


def _changing(execution: RuleExecution) -> list[object]:
    return [
        execution.outcome,
        None if execution.reason is None else storable(execution.reason),
        execution.place,
        execution.resume_at,
        execution.completed_at,
    ]


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInputError("the cursor belongs to another list") from None


def _execution(row: RuleExecutionRow) -> RuleExecution:
    sensor_id, measured_at, reading_id = row.sensor_id, row.measured_at, row.reading_id
    reading = None
    if sensor_id is not None and measured_at is not None and reading_id is not None:
        reading = ReadingKey(sensor_id, measured_at, reading_id)
    return RuleExecution(
        id=row.id,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        step=row.step,
        why=Reason(row.why),
        triggered_at=row.triggered_at,
        triggered_by=reading,
        explanation=row.explanation,
        arbitration=row.arbitration or {},
        outcome=row.outcome,
        reason=row.reason,
        place=row.place,
        resume_at=row.resume_at,
        completed_at=row.completed_at,
    )


# Written out: between a reading and a pump, an object of the mapper is a millisecond.
_ADD = f"""
WITH remembered AS ({remember(17)})
INSERT INTO rule_execution
    (id, rule_id, rule_version, step, why, triggered_at, sensor_id, measured_at, reading_id,
     explanation, arbitration, outcome, reason, place, resume_at, completed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11::text::jsonb, $12, $13, $14, $15,
        $16)
ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 - of our own statements

_SAVE = """
UPDATE rule_execution
SET outcome = $2, reason = $3, place = $4, resume_at = $5, completed_at = $6
WHERE id = $1
"""

_TALLIES = """
SELECT wanted.rule_id, count(*)::int AS total,
       (count(*) FILTER (WHERE outcome = 'SUCCEEDED'))::int AS succeeded
FROM unnest($1::uuid[]) AS wanted (rule_id)
CROSS JOIN LATERAL (
    SELECT outcome FROM rule_execution
    WHERE rule_execution.rule_id = wanted.rule_id AND outcome <> 'RUNNING'
    ORDER BY id DESC LIMIT $2
) AS last
GROUP BY wanted.rule_id
"""

_TRIM = """
DELETE FROM rule_execution
WHERE outcome <> 'RUNNING' AND (
    triggered_at < $2
    OR id <= (SELECT id FROM rule_execution ORDER BY id DESC OFFSET $1 LIMIT 1)
)
"""
