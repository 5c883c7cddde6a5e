"""Leases, and the times during which actuators were on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.actuators import Command, Pin
from domain.leases import Lease, Run
from domain.pages import Page, PageRequest
from domain.runtimes import Day, Runtime
from storage.client import TransactionClient
from storage.pages import cut, instant, key_after, microseconds


@dataclass(frozen=True, slots=True)
class LeaseRepository:
    """Implements domain.repositories.Leases."""

    _client: TransactionClient

    async def grant(self, lease: Lease, command: Command) -> None:
        """Insert or replace the lease, and update its command, in one statement."""
        await self._client.execute_query(
            _GRANT, [*_values(lease), command.id, command.status, command.sent_at]
        )

    async def open(self, lease: Lease) -> None:
        """Insert, unless the actuator has one or is gone."""
        await self._client.execute_query(_OPEN, _values(lease))

    async def save_times(self, leases: Sequence[Lease], seen_at: datetime) -> None:
        """Update those that are there, in one statement."""
        await self._client.execute_query(
            _SAVE_TIMES,
            [
                [lease.id for lease in leases],
                [lease.began for lease in leases],
                [lease.until for lease in leases],
                [lease.on_since for lease in leases],
                seen_at,
            ],
        )

    async def close(self, lease: Lease, run: Run | None) -> None:
        """Delete a lease, and insert its run, in one statement."""
        began, ended = (run.began, run.ended) if run else (None, None)
        await self._client.execute_query(_CLOSE, [lease.actuator_id, lease.id, began, ended])

    async def all(self) -> Sequence[Lease]:
        """Select all."""
        return [_lease(row) for row in await self._client.execute_query_dict(_ALL)]

    async def runs_since(self, start: datetime) -> Sequence[Run]:
        """Select those that ended later, in their order."""
        return [_run(row) for row in await self._client.execute_query_dict(_RUNS, [start])]

    async def runs_of(
        self,
        actuator_id: int,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Run]:
        """Select a page, newest first: a walk through the primary key."""
        key = key_after(page, int)
        behind = None if key is None else instant(int(key[0]))
        rows = await self._client.execute_query_dict(
            _RUNS_OF, [actuator_id, start, end, behind, page.first + 1]
        )
        return cut(rows, page, _run, lambda run: (microseconds(run.began),))

    async def runtimes(self, actuator_id: int, days: Sequence[Day]) -> Sequence[Runtime]:
        """Add up in the database: a mist nozzle starts half a million times a year."""
        rows = await self._client.execute_query_dict(
            _RUNTIMES, [actuator_id, [day.start for day in days], [day.end for day in days]]
        )
        return [Runtime(row["on_for"], row["starts"]) for row in rows]

    async def trim_runs(self, before: datetime, limit: int) -> int:
        """Delete by the index on their ends."""
        deleted: int
        deleted, _ = await self._client.execute_query(_TRIM_RUNS, [before, limit])
        return deleted


def _values(lease: Lease) -> list[object]:
    return [
        lease.actuator_id,
        lease.id,
        lease.command_id,
        lease.value,
        lease.began,
        lease.until,
        lease.on_since,
        lease.seen_at,
    ]


def _lease(row: Mapping[str, Any]) -> Lease:
    return Lease(
        id=row["id"],
        actuator_id=row["actuator_id"],
        pin=Pin(row["esp_id"], row["gpio"]),
        command_id=row["command_id"],
        value=row["value"],
        began=row["began"],
        until=row["until"],
        on_since=row["on_since"],
        seen_at=row["seen_at"],
        confirmed=row["confirmed"],
    )


def _run(row: Mapping[str, Any]) -> Run:
    return Run(
        actuator_id=row["actuator_id"],
        pin=Pin(row["esp_id"], row["gpio"]),
        began=row["began"],
        ended=row["ended"],
    )


_COLUMNS = "actuator_id, id, command_id, value, began, until, on_since, seen_at"

_GRANT = f"""
WITH sent AS (UPDATE command SET status = $10, sent_at = $11 WHERE id = $9)
INSERT INTO lease ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (actuator_id) DO UPDATE SET
    id = excluded.id, command_id = excluded.command_id, value = excluded.value,
    began = excluded.began, until = excluded.until, on_since = excluded.on_since,
    seen_at = excluded.seen_at
"""  # noqa: S608 - nothing in it comes from outside

_OPEN = f"""
INSERT INTO lease ({_COLUMNS})
SELECT id, $2, $3, $4, $5, $6, $7, $8 FROM actuator WHERE id = $1
ON CONFLICT (actuator_id) DO NOTHING
"""  # noqa: S608 - nothing in it comes from outside

_SAVE_TIMES = """
UPDATE lease SET began = new.began, until = new.until, on_since = new.on_since, seen_at = $5
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
    AS new (id, began, until, on_since)
WHERE lease.id = new.id
"""

_CLOSE = """
WITH gone AS (DELETE FROM lease WHERE actuator_id = $1 AND id = $2)
INSERT INTO actuator_run (actuator_id, began, ended)
SELECT id, $3::timestamptz, $4::timestamptz FROM actuator
WHERE id = $1 AND $3::timestamptz IS NOT NULL
ON CONFLICT (actuator_id, began) DO UPDATE SET ended = excluded.ended
"""

_ALL = """
SELECT lease.*, device.esp_id, actuator.gpio,
    lease.command_id IS NULL OR coalesce(command.status = 'ACKNOWLEDGED', FALSE) AS confirmed
FROM lease
JOIN actuator ON actuator.id = lease.actuator_id
JOIN device ON device.id = actuator.device_id
LEFT JOIN command ON command.id = lease.command_id
"""

_RUNS = """
SELECT actuator_run.*, device.esp_id, actuator.gpio
FROM actuator_run
JOIN actuator ON actuator.id = actuator_run.actuator_id
JOIN device ON device.id = actuator.device_id
WHERE ended >= $1
ORDER BY ended
"""

_RUNS_OF = """
SELECT actuator_run.*, device.esp_id, actuator.gpio
FROM actuator_run
JOIN actuator ON actuator.id = actuator_run.actuator_id
JOIN device ON device.id = actuator.device_id
WHERE actuator_run.actuator_id = $1
  AND began >= coalesce($2::timestamptz, '-infinity')
  AND began < coalesce(least($3::timestamptz, $4::timestamptz), 'infinity')
ORDER BY began DESC LIMIT $5::int
"""

# Runs of one actuator follow each other: of those that began before a day, only the last reaches
# into it.
_RUNTIMES = """
SELECT coalesce(sum(least(run.ended, day.until) - greatest(run.began, day.since))
                    FILTER (WHERE run.began IS NOT NULL), interval '0') AS on_for,
       count(*) FILTER (WHERE run.began >= day.since) AS starts
FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS day (since, until, number)
LEFT JOIN LATERAL (
    SELECT began, ended FROM actuator_run
    WHERE actuator_id = $1 AND began >= day.since AND began < day.until
    UNION ALL
    SELECT began, ended FROM (
        SELECT began, ended FROM actuator_run
        WHERE actuator_id = $1 AND began < day.since ORDER BY began DESC LIMIT 1
    ) AS last
    WHERE ended > day.since
) AS run ON TRUE
GROUP BY number ORDER BY number
"""

_TRIM_RUNS = """
DELETE FROM actuator_run WHERE ctid IN (
    SELECT ctid FROM actuator_run WHERE ended < $1 ORDER BY ended LIMIT $2::int
)
"""
