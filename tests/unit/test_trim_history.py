"""What nobody needs any more of the history of actuators leaves, piece by piece."""

import asyncio
from datetime import timedelta
from uuid import UUID

from domain.actuators import CommandStatus, StateChange
from domain.leases import Run
from domain.runtimes import CHANGES_KEPT_FOR, COMMANDS_KEPT_FOR, RUNS_KEPT_FOR
from domain.services.trim_history import BATCH, EVERY, TrimHistory
from tests.fakes import START, FakeClock, FakeStorage
from tests.makers import make_actuator, make_command

MINUTE = timedelta(minutes=1)


class House:
    def __init__(self) -> None:
        self.storage = FakeStorage()
        self.clock = FakeClock(automatic=True)
        self.notes: list[tuple[str, object]] = []
        self.job = TrimHistory(storage=self.storage, clock=self.clock, journal=self)

    def info(self, event: str, **fields: object) -> None:
        self.notes.append((event, fields.get("deleted")))

    warning = info

    def remember(self, commands: int, runs: int) -> None:
        """Note what happened a minute after another, all of it too long ago."""
        actuator = make_actuator()
        for number in range(commands):
            at = START - COMMANDS_KEPT_FOR - (commands - number) * MINUTE
            command_id = UUID(int=number + 1)
            self.storage.commands.rows[command_id] = make_command(
                actuator,
                id=command_id,
                created_at=at,
                completed_at=at,
                status=CommandStatus.ACKNOWLEDGED,
            )
        for number in range(runs):
            at = START - RUNS_KEPT_FOR - (number + 1) * MINUTE
            self.storage.leases.runs.append(
                Run(actuator_id=actuator.id, pin=actuator.pin, began=at - MINUTE, ended=at)
            )


async def test_piece_by_piece_all_that_is_too_old_leaves_but_what_was_last_asked_for() -> None:
    house = House()
    house.remember(BATCH + 2, BATCH)
    assert await house.job.trim() == BATCH + 1 + BATCH
    assert list(house.storage.commands.rows) == [UUID(int=BATCH + 2)]
    assert house.storage.leases.runs == []
    assert await house.job.trim() == 0


async def test_of_what_actuators_did_a_year_stays() -> None:
    house = House()
    kept = house.storage.actuators.changes
    for late in (timedelta(0), MINUTE):
        at = START - CHANGES_KEPT_FOR - MINUTE / 2 + late
        kept[1, at] = StateChange(at, 1.0, is_active=True)
    assert await house.job.trim() == 1
    assert [at for _, at in kept] == [START - CHANGES_KEPT_FOR + MINUTE / 2]


async def test_a_database_that_is_away_only_puts_it_off() -> None:
    house = House()
    house.remember(2, 2)
    house.clock.automatic = False
    house.storage.available = False
    async with asyncio.TaskGroup() as tasks:
        trimming = tasks.create_task(house.job.run())
        await house.clock.until_asleep()
        assert house.notes == [("actuator_history.not_trimmed", None)]
        house.storage.available = True
        house.clock.automatic = True
        await house.clock.advance(EVERY.total_seconds() + 1)
        assert ("actuator_history.trimmed", 3) in house.notes
        trimming.cancel()
