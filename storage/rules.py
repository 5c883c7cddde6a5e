"""Rules in all their versions, and what is remembered of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.errors import BadInputError
from domain.pages import Key, Page, PageRequest
from domain.rule_executions import Remembered, StoredRule
from domain.rules.model import Rule
from domain.rules.rule_notation import read_rule, read_rule_state, write_rule, write_rule_state
from storage.client import TransactionClient
from storage.pages import behind, cut, key_after
from storage.rule_tables import RuleRow, RuleStateRow, RuleVersionRow
from storage.texts import storable


@dataclass(frozen=True, slots=True)
class RuleRepository:
    """Implements domain.repositories.Rules."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[RuleRow]:
        return RuleRow.all().using_db(self._client)

    async def add(self, stored: StoredRule, user_id: UUID | None) -> None:
        """Insert."""
        await self.save(stored, user_id)

    async def save(self, stored: StoredRule, user_id: UUID | None) -> None:
        """Insert or update; the version, if it is new, in the same statement."""
        rule = stored.rule
        await self._client.execute_query(
            _SAVE,
            [
                rule.id,
                storable(rule.name),
                rule.version,
                rule.enabled,
                stored.created_at,
                stored.updated_at,
                stored.deleted_at,
                storable(json.dumps(write_rule(rule), ensure_ascii=False)),
                user_id,
            ],
        )

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, StoredRule]:
        """Select several."""
        rows = await self._client.execute_query_dict(_BY_IDS, [list(ids)])
        return {row["id"]: _stored(row, row["definition"]) for row in rows}

    async def version(self, rule_id: UUID, version: int) -> Rule | None:
        """Select one version."""
        found = RuleVersionRow.filter(rule_id=rule_id, version=version).using_db(self._client)
        row = await found.first()
        return None if row is None else read_rule(row.definition, rule_id, version)

    async def at(self, rule_id: UUID, at: datetime) -> StoredRule | None:
        """Select the last change before: one step into the index."""
        rows = await self._client.execute_query_dict(_AT, [rule_id, at])
        return _stored(rows[0], rows[0]["definition"]) if rows else None

    async def trim_changes(self, before: datetime) -> int:
        """Delete old ones, but the newest of each rule."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM_CHANGES, [before])
        return deleted

    async def all(self) -> Sequence[StoredRule]:
        """Select all that are not deleted."""
        return await self._with_versions(
            await self._rows().filter(deleted_at__isnull=True).order_by("id")
        )

    async def page(self, page: PageRequest, *, enabled: bool | None = None) -> Page[StoredRule]:
        """Select a page, by name."""
        found = self._rows().filter(deleted_at__isnull=True)
        if enabled is not None:
            found = found.filter(enabled=enabled)
        if (key := key_after(page, str, str)) is not None:
            found = found.filter(behind(("name", "id"), _values(key)))
        rows = await found.order_by("name", "id").limit(page.first + 1)
        stored = {one.rule.id: one for one in await self._with_versions(rows)}
        return cut(
            rows, page, lambda row: stored[row.id], lambda one: (one.rule.name, str(one.rule.id))
        )

    async def save_states(self, remembered: Sequence[Remembered]) -> None:
        """Insert or update all in one statement."""
        await self._client.execute_query(remember(1), state_columns(remembered))

    async def states(self) -> Mapping[UUID, Remembered]:
        """Select all."""
        rows = await RuleStateRow.all().using_db(self._client)
        return {
            row.rule_id: Remembered(
                rule_id=row.rule_id,
                state=read_rule_state(row.state),
                execution_id=row.execution_id,
            )
            for row in rows
        }

    async def _with_versions(self, rows: Sequence[RuleRow]) -> list[StoredRule]:
        definitions = await self._client.execute_query_dict(
            _DEFINITIONS, [[row.id for row in rows], [row.version for row in rows]]
        )
        found = {row["rule_id"]: row["definition"] for row in definitions}
        return [_stored(vars(row), found[row.id]) for row in rows]


def remember(first: int) -> str:
    """Return the statement that stores what rules remember.

    Args:
        first: The number of the first of its three parameters, which `state_columns` returns.
    """
    return f"""
        INSERT INTO rule_state (rule_id, state, execution_id)
        SELECT id, state::jsonb, execution
        FROM unnest(${first}::uuid[], ${first + 1}::text[], ${first + 2}::uuid[])
             AS new (id, state, execution)
        ON CONFLICT (rule_id) DO UPDATE
        SET state = excluded.state, execution_id = excluded.execution_id
    """  # noqa: S608 - of numbers


def state_columns(remembered: Sequence[Remembered]) -> list[object]:
    """Return what rules remember, column by column."""
    return [
        [one.rule_id for one in remembered],
        [json.dumps(write_rule_state(one.state)) for one in remembered],
        [one.execution_id for one in remembered],
    ]


def _stored(row: Mapping[str, Any], definition: str) -> StoredRule:
    rule = read_rule(json.loads(definition), row["id"], row["version"])
    return StoredRule(
        rule=replace(rule, enabled=row["enabled"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )


def _values(key: Key) -> tuple[object, object]:
    name, rule_id = key
    try:
        return name, UUID(str(rule_id))
    except ValueError:
        raise BadInputError("the cursor belongs to another list") from None


_SAVE = """
WITH saved AS (
    INSERT INTO rule (id, name, version, enabled, created_at, updated_at, deleted_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, version = excluded.version, enabled = excluded.enabled,
        updated_at = excluded.updated_at, deleted_at = excluded.deleted_at
), changed AS (
    INSERT INTO rule_change (rule_id, at, version, enabled, deleted)
    VALUES ($1, $6, $3, $4, $7::timestamptz IS NOT NULL)
)
INSERT INTO rule_version (rule_id, version, definition, created_at, created_by)
VALUES ($1, $3, $8::text::jsonb, $6, $9)
ON CONFLICT (rule_id, version) DO NOTHING
"""

# As text: what comes back as jsonb depends on the codecs of the connection.
_DEFINITIONS = """
SELECT rule_id, definition::text AS definition
FROM rule_version
JOIN unnest($1::uuid[], $2::int[]) AS wanted (id, number)
    ON rule_id = wanted.id AND version = wanted.number
"""

_BY_IDS = """
SELECT rule.id, rule.version, enabled, rule.created_at, updated_at, deleted_at,
       definition::text AS definition
FROM rule JOIN rule_version ON rule_id = id AND rule_version.version = rule.version
WHERE id = ANY($1::uuid[])
"""

_AT = """
SELECT rule_id AS id, change.version, change.enabled, rule.created_at, change.at AS updated_at,
       CASE WHEN change.deleted THEN change.at END AS deleted_at, definition::text AS definition
FROM rule_change AS change
JOIN rule_version USING (rule_id, version)
JOIN rule ON rule.id = rule_id
WHERE rule_id = $1 AND change.at <= $2
ORDER BY change.at DESC, change.id DESC LIMIT 1
"""

_TRIM_CHANGES = """
DELETE FROM rule_change AS old
WHERE at < $1 AND EXISTS (
    SELECT FROM rule_change AS newer
    WHERE newer.rule_id = old.rule_id AND newer.at < $1 AND (newer.at, newer.id) > (old.at, old.id)
)
"""
