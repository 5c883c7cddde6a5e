"""Stored leases, and the times during which actuators were on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.actuators import Command
from domain.leases import Lease, Run
from domain.pages import Page, PageRequest
from domain.runtimes import Day, Runtime


class Leases(Protocol):
    """Stored leases; at most one per actuator."""

    async def grant(self, lease: Lease, command: Command) -> None:
        """Store a lease in the place of any other of its actuator, and that its command is sent."""
        ...

    async def open(self, lease: Lease) -> None:
        """Store a lease, unless its actuator has one."""
        ...

    async def save_times(self, leases: Sequence[Lease], seen_at: datetime) -> None:
        """Store the times of leases that are stored, and when they were last seen in force."""
        ...

    async def close(self, lease: Lease, run: Run | None) -> None:
        """Forget a lease, and store the time during which its actuator was on; may be repeated."""
        ...

    async def all(self) -> Sequence[Lease]:
        """Return every lease."""
        ...

    async def runs_since(self, start: datetime) -> Sequence[Run]:
        """Return what ended at a time or later, in its order."""
        ...

    async def runs_of(
        self,
        actuator_id: int,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Run]:
        """Return when an actuator was on, newest first; what began from `start` to before `end`."""
        ...

    async def runtimes(self, actuator_id: int, days: Sequence[Day]) -> Sequence[Runtime]:
        """Return how an actuator was used on each of several days, by the runs that have ended."""
        ...

    async def trim_runs(self, before: datetime, limit: int) -> int:
        """Delete runs that ended before a time, `limit` at most; return how many."""
        ...
