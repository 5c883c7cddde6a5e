"""Stored actuators and their commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.actuators import Actuator, ActuatorState, Command, Pin, StateChange
from domain.pages import Page, PageRequest


class Actuators(Protocol):
    """Stored actuators with their reported state."""

    async def add(self, actuator: Actuator) -> Actuator:
        """Store a new actuator (its id is ignored); where the pin is known, return the stored."""
        ...

    async def save(self, actuator: Actuator) -> None:
        """Store every configured field of a known actuator; its state is left alone."""
        ...

    async def save_state(self, actuator_id: int, state: ActuatorState) -> None:
        """Store what the device reported; where it is something new, as a change, too."""
        ...

    async def changes_of(
        self,
        actuator_id: int,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[StateChange]:
        """Return what an actuator did from a time until just before another, newest first."""
        ...

    async def trim_changes(self, before: datetime, limit: int) -> int:
        """Delete changes from before a time, the oldest first; return how many."""
        ...

    async def by_pin(self, pin: Pin) -> Actuator | None:
        """Return one actuator."""
        ...

    async def by_ids(self, ids: Sequence[int]) -> Mapping[int, Actuator]:
        """Return several actuators; unknown ids are absent."""
        ...

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Actuator]]:
        """Return the actuators of several devices, by device, in order of pin."""
        ...

    async def page(
        self,
        page: PageRequest,
        *,
        esp_id: str | None = None,
        actuator_type: str | None = None,
    ) -> Page[Actuator]:
        """Return actuators in order of device and pin."""
        ...

    async def count(self, *, esp_id: str | None = None, actuator_type: str | None = None) -> int:
        """Return how many actuators the same selection holds."""
        ...

    async def remove(self, actuator_id: int) -> None:
        """Forget an actuator and its commands."""
        ...

    async def all(self) -> Sequence[Actuator]:
        """Return every actuator, for the registry."""
        ...


class Commands(Protocol):
    """Stored commands."""

    async def add(self, command: Command) -> Command:
        """Store a new command; a known idempotency key returns the command stored under it."""
        ...

    async def save(self, command: Command) -> None:
        """Store how far a command has come (status, reason, sent_at, completed_at)."""
        ...

    async def by_id(self, command_id: UUID) -> Command | None:
        """Return one command."""
        ...

    async def of_actuator(self, actuator_id: int, page: PageRequest) -> Page[Command]:
        """Return the commands of an actuator, newest first."""
        ...

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, Command]:
        """Return several commands; unknown ids are absent."""
        ...

    async def last_asked(self, actuator_ids: Sequence[int]) -> Mapping[int, Command]:
        """Return the newest command of each actuator that the server did not refuse."""
        ...

    async def overriding(self, now: datetime) -> Sequence[Command]:
        """Return the commands that still keep rules away, oldest first; not the refused ones."""
        ...

    async def of_executions(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Command]]:
        """Return the commands of executions of rules, in their order; one without is absent."""
        ...

    async def unfinished(self) -> Sequence[Command]:
        """Return the commands that are PENDING or SENT, oldest first."""
        ...

    async def trim(self, keep: int, before: datetime, limit: int) -> int:
        """Delete old commands, oldest first; return how many.

        Neither the newest of each actuator that was not refused, nor what is open or has a lease.

        Args:
            keep: How many may stay.
            before: Those that were given before may leave, however few there are.
            limit: Of how many are deleted in one go.
        """
        ...
