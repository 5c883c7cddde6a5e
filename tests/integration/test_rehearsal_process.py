"""A rehearsal is a process of its own: what comes out is the same, and nobody waits for its end."""

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from math import sin
from pathlib import Path
from uuid import UUID

import pytest

from app.rehearsal_worker import Job
from app.rehearsing import ReliveElsewhere
from domain.actuators import CommandAction, Pin
from domain.errors import OverloadedError, StorageUnavailableError
from domain.rules.conditions import AllOf, Comparison, Hysteresis, Limit, Operator, Threshold
from domain.rules.model import CommandStep, Rule, RuleMode
from domain.sensors import Sensor
from domain.services.relive import Rehearsal, relive
from storage.connection import Database
from tests.eventually import eventually
from tests.fakes.past import FakePast
from tests.integration.storing import CELSIUS, all_readings, at, new_reading, stored_sensors
from tests.makers import make_actuator, make_sensor

ROOT = Path(__file__).parents[2]
PUMP = Pin("ESP_12AB34", 20)
HOURS = 30


def rules(one: Sensor, other: Sensor) -> Sequence[Rule]:
    warm = Threshold(sensor=one.key, limit=Limit(Operator.GT, 20.0), unit="°C")
    cold = Hysteresis(sensor=one.key, activate=18, deactivate=19, rising=False, unit="°C")
    apart = Comparison(left=one.key, operator=Operator.GT, right=other.key, offset=0.5)
    pump = CommandStep(pin=PUMP, action=CommandAction.ON, duration=timedelta(minutes=1))
    trigger = Rule(
        id=UUID(int=1),
        version=1,
        name="Cool",
        condition=AllOf((replace(warm, hold_for=timedelta(minutes=3)), apart)),
        actions=(pump,),
        mode=RuleMode.TRIGGER,
    )
    return trigger, replace(trigger, id=UUID(int=2), condition=cold, mode=RuleMode.HOLD)


def rehearsal(one: Sensor, other: Sensor) -> Rehearsal:
    return Rehearsal(
        rules=rules(one, other),
        sensors={one.key: one.id, other.key: other.id},
        actuators={PUMP: make_actuator(gpio=20, max_starts_per_hour=1)},
        start=at(0),
        end=at(HOURS * 3600),
    )


NOTHING = rehearsal(make_sensor(), make_sensor(gpio=5, id=2))


def ignore(_part: float) -> None:
    """Nobody wants to know how far it is."""


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A database that takes connections, and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"postgres://nobody@127.0.0.1:{server.getsockname()[1]}/nothing?sslmode=disable"


def children() -> set[int]:
    """Return the processes of rehearsals that this one started."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(") ")[2].split()[1]
            if (
                int(parent) == os.getpid()
                and b"rehearsal_worker" in (entry / "cmdline").read_bytes()
            ):
                found.add(int(entry.name))
        except OSError:
            continue  # it ended meanwhile
    return found


async def test_it_finds_what_is_found_without_a_process_and_tells_how_far_it_is(
    database: Database, database_url: str
) -> None:
    one, other = await stored_sensors(database, (4, 5))
    waves = [
        new_reading(
            sensor,
            60.0 * minute,
            measurement=CELSIUS._replace(value=19 + 3 * sin(minute / 200 + number)),
        )
        for minute in range(-10, HOURS * 60)
        for number, sensor in enumerate((one, other))
    ]
    await database.reading_writer().write(waves, [])
    told: list[float] = []
    wanted = rehearsal(one, other)
    found = await ReliveElsewhere(database_url)(wanted, told.append)
    assert found == await relive(FakePast([*await all_readings(database)]), wanted)
    assert all(each.firing_count for each in found)
    assert any(each.violations for each in found)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert children() == set()


async def test_its_priority_is_the_lowest(silent_server: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(ReliveElsewhere(silent_server)(NOTHING, ignore))
        await eventually(
            lambda: [os.getpriority(os.PRIO_PROCESS, pid) for pid in children()] == [19]
        )
        working.cancel()


async def test_it_ends_with_whoever_waits_for_it(silent_server: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(ReliveElsewhere(silent_server)(NOTHING, ignore))
        await eventually(lambda: len(children()) == 1)
        working.cancel()
    assert working.cancelled()
    assert children() == set()


async def test_a_process_that_dies_is_a_rehearsal_that_failed(silent_server: str) -> None:
    async def kill() -> None:
        await eventually(lambda: len(children()) == 1)
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(OverloadedError, match="its process ended: SIGKILL"):
        await asyncio.gather(ReliveElsewhere(silent_server)(NOTHING, ignore), kill())


async def test_a_process_that_says_nothing_is_given_up(silent_server: str) -> None:
    with pytest.raises(OverloadedError, match="no progress for 2 s"):
        await ReliveElsewhere(silent_server, silence=2.0)(NOTHING, ignore)
    assert children() == set()


async def test_that_there_is_no_database_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(StorageUnavailableError):
        await ReliveElsewhere(f"postgres://nobody@127.0.0.1:{port}/nothing")(NOTHING, ignore)


def test_it_ends_when_the_server_is_gone_whatever_it_is_doing(silent_server: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "app.rehearsal_worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as worker:
        assert worker.stdin is not None
        worker.stdin.write(pickle.dumps(Job(silent_server, NOTHING)))
        worker.stdin.close()  # as the kernel does for a server that was killed
        assert worker.wait(timeout=30) == 1
