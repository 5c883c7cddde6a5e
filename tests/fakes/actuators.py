"""Actuators and commands, in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.actuators import (
    Actuator,
    ActuatorState,
    Command,
    CommandStatus,
    Pin,
    StateChange,
)
from domain.errors import BrokerUnavailableError
from domain.leases import Lease, Run
from domain.pages import Page, PageRequest
from domain.runtimes import Day, Runtime, total, within
from tests.fakes.paging import microseconds, paged


@dataclass(slots=True)
class FakeActuators:
    rows: dict[Pin, Actuator] = field(default_factory=dict)
    changes: dict[tuple[int, datetime], StateChange] = field(default_factory=dict)

    async def add(self, actuator: Actuator) -> Actuator:
        return self.rows.setdefault(actuator.pin, replace(actuator, id=len(self.rows) + 1))

    async def save(self, actuator: Actuator) -> None:
        self.rows[actuator.pin] = replace(actuator, state=self.rows[actuator.pin].state)

    async def save_state(self, actuator_id: int, state: ActuatorState) -> None:
        for pin, actuator in self.rows.items():
            if actuator.id == actuator_id:
                self._note(actuator, state)
                self.rows[pin] = replace(actuator, state=state)

    def _note(self, before: Actuator, state: ActuatorState) -> None:
        at, known = state.reported_at, before.state
        said = (state.value, state.is_active, state.emergency)
        new = said != (known.value, known.is_active, known.emergency) or known.reported_at is None
        if at is not None and new:
            self.changes.setdefault((before.id, at), StateChange(at, *said))

    async def changes_of(
        self,
        actuator_id: int,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[StateChange]:
        found = [
            change
            for (owner, at), change in self.changes.items()
            if owner == actuator_id and (start is None or at >= start) and (end is None or at < end)
        ]
        return paged(found, lambda change: (microseconds(change.at),), page, descending=True)

    async def trim_changes(self, before: datetime, limit: int) -> int:
        gone = sorted((key for key in self.changes if key[1] < before), key=lambda key: key[1])
        for key in gone[:limit]:
            del self.changes[key]
        return len(gone[:limit])

    async def by_pin(self, pin: Pin) -> Actuator | None:
        return self.rows.get(pin)

    async def by_ids(self, ids: Sequence[int]) -> Mapping[int, Actuator]:
        return {actuator.id: actuator for actuator in self.rows.values() if actuator.id in ids}

    async def of_devices(self, esp_ids: Sequence[str]) -> Mapping[str, Sequence[Actuator]]:
        rows = sorted(self.rows.values(), key=lambda actuator: actuator.pin)
        return {esp_id: [a for a in rows if a.pin.esp_id == esp_id] for esp_id in esp_ids}

    def _found(self, esp_id: str | None, actuator_type: str | None) -> list[Actuator]:
        return [
            actuator
            for actuator in self.rows.values()
            if esp_id in (None, actuator.pin.esp_id)
            and actuator_type in (None, actuator.actuator_type)
        ]

    async def page(
        self, page: PageRequest, *, esp_id: str | None = None, actuator_type: str | None = None
    ) -> Page[Actuator]:
        return paged(self._found(esp_id, actuator_type), lambda a: tuple(a.pin), page)

    async def count(self, *, esp_id: str | None = None, actuator_type: str | None = None) -> int:
        return len(self._found(esp_id, actuator_type))

    async def remove(self, actuator_id: int) -> None:
        self.rows = {pin: row for pin, row in self.rows.items() if row.id != actuator_id}

    async def all(self) -> Sequence[Actuator]:
        return tuple(self.rows.values())


@dataclass(slots=True)
class FakeLeases:
    commands: "FakeCommands"
    rows: dict[Pin, Lease] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    async def grant(self, lease: Lease, command: Command) -> None:
        self.rows[lease.pin] = lease
        self.commands.rows[command.id] = command

    async def open(self, lease: Lease) -> None:
        self.rows.setdefault(lease.pin, lease)

    async def save_times(self, leases: Sequence[Lease], seen_at: datetime) -> None:
        for lease in leases:
            if lease.pin in self.rows and self.rows[lease.pin].id == lease.id:
                self.rows[lease.pin] = replace(lease, seen_at=seen_at)

    async def close(self, lease: Lease, run: Run | None) -> None:
        if lease.pin in self.rows and self.rows[lease.pin].id == lease.id:
            del self.rows[lease.pin]
        if run is not None:
            self.runs.append(run)

    async def all(self) -> Sequence[Lease]:
        return [
            replace(lease, confirmed=self._confirmed(lease.command_id))
            for lease in self.rows.values()
        ]

    async def runs_since(self, start: datetime) -> Sequence[Run]:
        return [run for run in self.runs if run.ended >= start]

    async def runs_of(
        self,
        actuator_id: int,
        page: PageRequest,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page[Run]:
        found = [
            run
            for run in self.runs
            if run.actuator_id == actuator_id
            and (start is None or run.began >= start)
            and (end is None or run.began < end)
        ]
        return paged(found, lambda run: (microseconds(run.began),), page, descending=True)

    async def runtimes(self, actuator_id: int, days: Sequence[Day]) -> Sequence[Runtime]:
        runs = [run for run in self.runs if run.actuator_id == actuator_id]
        return [total(within(day, run.began, run.ended) for run in runs) for day in days]

    async def trim_runs(self, before: datetime, limit: int) -> int:
        gone = sorted((run for run in self.runs if run.ended < before), key=lambda run: run.ended)[
            :limit
        ]
        self.runs = [run for run in self.runs if run not in gone]
        return len(gone)

    def _confirmed(self, command_id: UUID | None) -> bool:
        if command_id is None:
            return True
        command = self.commands.rows.get(command_id)
        return command is not None and command.status is CommandStatus.ACKNOWLEDGED


@dataclass(slots=True)
class FakeLeaseLink:
    """Notes what is switched off; `away` takes the broker away."""

    told: list[Command] = field(default_factory=list)
    levels: set[str] = field(default_factory=set)
    away: bool = False

    async def switch_off(self, command: Command, kaiser_id: str) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise BrokerUnavailableError("no broker")
        self.levels.add(kaiser_id)
        self.told.append(command)


@dataclass(slots=True)
class FakeCommands:
    rows: dict[UUID, Command] = field(default_factory=dict)

    async def add(self, command: Command) -> Command:
        key = command.idempotency_key
        for known in self.rows.values():
            if key is not None and known.idempotency_key == key:
                return known
        return self.rows.setdefault(command.id, command)

    async def save(self, command: Command) -> None:
        self.rows[command.id] = command

    async def by_id(self, command_id: UUID) -> Command | None:
        return self.rows.get(command_id)

    async def of_actuator(self, actuator_id: int, page: PageRequest) -> Page[Command]:
        found = [c for c in self.rows.values() if c.actuator_id == actuator_id]
        return paged(
            found, lambda c: (microseconds(c.created_at), str(c.id)), page, descending=True
        )

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, Command]:
        return {command_id: self.rows[command_id] for command_id in ids if command_id in self.rows}

    async def last_asked(self, actuator_ids: Sequence[int]) -> Mapping[int, Command]:
        asked = [c for c in self.rows.values() if c.status is not CommandStatus.REJECTED]
        asked.sort(key=lambda command: command.created_at)
        return {c.actuator_id: c for c in asked if c.actuator_id in actuator_ids}

    async def overriding(self, now: datetime) -> Sequence[Command]:
        found = [
            c
            for c in self.rows.values()
            if c.override_until is not None
            and c.override_until > now
            and c.status is not CommandStatus.REJECTED
        ]
        return sorted(found, key=lambda command: command.created_at)

    async def of_executions(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Command]]:
        found: dict[UUID, list[Command]] = {}
        for command in sorted(self.rows.values(), key=lambda command: command.created_at):
            if command.execution_id is not None and command.execution_id in ids:
                found.setdefault(command.execution_id, []).append(command)
        return found

    async def unfinished(self) -> Sequence[Command]:
        open_ = (CommandStatus.PENDING, CommandStatus.SENT)
        found = [command for command in self.rows.values() if command.status in open_]
        return sorted(found, key=lambda command: command.created_at)

    async def trim(self, keep: int, before: datetime, limit: int) -> int:
        oldest_first = sorted(self.rows.values(), key=lambda command: command.id)
        spare = len(oldest_first) - keep
        asked = (await self.last_asked([c.actuator_id for c in oldest_first])).values()
        gone = [
            command
            for place, command in enumerate(oldest_first)
            if (place < spare or command.created_at < before)
            and command not in asked
            and command.completed_at is not None
        ][:limit]
        for command in gone:
            del self.rows[command.id]
        return len(gone)
