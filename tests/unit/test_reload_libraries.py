"""Library files are taken into use when they change, and people are told what became of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from domain.sensor_libraries import FileChange, LibraryState, SensorLibrary
from domain.services.reload_libraries import LOOK_EVERY, ReloadLibraries
from domain.services.report_libraries import ReportLibraries
from domain.system_events import EventKind, Severity
from domain.users import Role
from tests.fakes import FakeClock, until
from tests.fakes.shelf import FakeJournal, FakeShelf
from tests.graphql_server import GraphqlServer, code_of

LOADED = FileChange(path="probe.py", libraries=["probe 1.0.1"])
BROKEN = FileChange(path="probe.py", libraries=["probe 1.0.0"], fault="SyntaxError: no")
REPAIRED = FileChange(path="probe.py", libraries=["probe 1.0.1"], was_broken=True)
GONE = FileChange(path="probe.py")


@dataclass(slots=True)
class World:
    server: GraphqlServer = field(default_factory=GraphqlServer)
    journal: FakeJournal = field(default_factory=FakeJournal)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    clock: FakeClock = field(default_factory=FakeClock)
    reload: ReloadLibraries = field(init=False)

    def __post_init__(self) -> None:
        self.reload = ReloadLibraries(
            shelf=self.shelf,
            reports=ReportLibraries(record=self.server.record, journal=self.journal),
            clock=self.clock,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.reload.run())
            await until(self.reload.loaded.is_set)
            yield
            running.cancel()

    async def look(self) -> None:
        await self.clock.advance(LOOK_EVERY)

    def told(self) -> list[tuple[str, Severity, str]]:
        return [
            (burst.event.kind, burst.event.severity, burst.event.message)
            for burst in self.server.record._waiting
        ]


async def test_all_files_are_tried_at_the_start_and_only_broken_ones_are_news() -> None:
    world = World()
    world.shelf.changes = [LOADED, BROKEN]
    async with world.running():
        assert world.shelf.reloads == [False]
        assert [kind for kind, _, _ in world.told()] == [EventKind.LIBRARY_BROKEN]


async def test_a_file_that_changed_is_loaded_once_two_looks_agree() -> None:
    world = World()
    async with world.running():
        world.shelf.text = "half of it"
        await world.look()
        world.shelf.text = "all of it"
        await world.look()
        assert world.shelf.reloads == [False]
        world.shelf.changes = [LOADED]
        await world.look()
        assert world.shelf.reloads == [False, False]
        assert world.journal.written == ["library.loaded"]
        await world.look()
        assert world.shelf.reloads == [False, False]


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        (LOADED, EventKind.LIBRARY_LOADED, "was loaded: probe 1.0.1 is in use"),
        (REPAIRED, EventKind.LIBRARY_LOADED, "works again: probe 1.0.1 is in use"),
        (GONE, EventKind.LIBRARY_LOADED, "is gone, and its sensors stay raw"),
        (BROKEN, EventKind.LIBRARY_BROKEN, "SyntaxError: no. probe 1.0.0 goes on"),
        (FileChange(path="a.py", fault="no"), EventKind.LIBRARY_BROKEN, "Its sensors stay raw"),
    ],
)
async def test_growers_are_told_what_became_of_a_file(
    change: FileChange, kind: EventKind, says: str
) -> None:
    world = World()
    world.reload.reports.changed(change)
    ((told, severity, message),) = world.told()
    assert told == kind
    assert says in message
    assert (severity == Severity.INFO) is ("is in use" in message)


async def test_a_file_that_breaks_works_and_breaks_again_is_told_each_time() -> None:
    world = World()
    for change in (BROKEN, REPAIRED, LOADED):
        world.reload.reports.changed(change)
    assert len(world.told()) == 3


async def test_growers_are_told_of_a_library_that_is_given_up_on() -> None:
    world = World()
    world.reload.reports.failing("probe", "1.0.0", "ValueError: no")
    ((kind, severity, message),) = world.told()
    assert (kind, severity) == (EventKind.LIBRARY_FAILING, Severity.ERROR)
    assert "probe 1.0.0 failed too often (ValueError: no)" in message


SHOWN = """name version sensorTypes state error loadedAt path builtIn unit source
           parameters { name } calibrationMethods calls failures p99Ms"""


async def test_libraries_show_how_they_fare() -> None:
    server = GraphqlServer()
    server.shelf.shown = [
        SensorLibrary(
            name="probe",
            version="1.0.0",
            state=LibraryState.FAILING,
            error="ValueError: no",
            path="/srv/own/probe.py",
            is_built_in=False,
            sensor_types=["probe"],
            unit="V",
            calls=3_000_000_000,
            failures=3,
            p99=0.002,
        )
    ]
    (shown,) = (await server.ask(f"{{ sensorLibraries {{ {SHOWN} }} }}"))["sensorLibraries"]
    assert shown["state"] == "FAILING"
    assert (shown["calls"], shown["failures"], shown["p99Ms"]) == (3e9, 3, 2.0)
    assert (shown["path"], shown["builtIn"]) == ("/srv/own/probe.py", False)


async def test_only_administrators_reload_and_what_is_broken_is_tried_again() -> None:
    server = GraphqlServer()
    server.shelf.changes = [BROKEN]
    reload = "mutation { reloadSensorLibraries { name } }"
    assert code_of(await server.execute(reload, role=Role.OPERATOR)) == "FORBIDDEN"
    assert (await server.ask(reload))["reloadSensorLibraries"] == [{"name": "probe"}]
    assert server.shelf.reloads == [True]
    assert len(server.record._waiting) == 1
