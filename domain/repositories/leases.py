"""Stored leases, and the times during which actuators were on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.actuators import Command
from domain.leases import Lease, Run


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
