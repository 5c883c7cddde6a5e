"""How many statements each operation costs: a query per row is noticed when it appears.

What frames a transaction is not counted (BEGIN and COMMIT come once per unit of work), nor what
asyncpg asks once per connection to learn a type.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLObjectType
from uuid_utils.compat import uuid7

from app.graphql import build_schema
from domain.actuators import Actuator, Command, CommandStatus
from domain.calibrations import CalibrationMethod
from domain.dead_letters import DeadLetter
from domain.devices import DeviceHealth
from domain.events import (
    ActuatorChanged,
    CommandChanged,
    DeviceHeard,
    Event,
    ReadingsStored,
    SystemEventRecorded,
)
from domain.library_installations import LibraryInstallation
from domain.relays import RelayHealth
from domain.repositories import UnitOfWork
from domain.sensors import Reading, Sensor
from domain.stability import Shown
from domain.system_events import EventKind, Severity
from resolvers.live import REPLAY_PAGE
from schema.ids import global_id
from storage.connection import Database
from tests.eventually import eventually
from tests.fakes import START
from tests.graphql_server import GraphqlServer
from tests.integration.counted_operations import (
    CALIBRATIONS,
    EMERGENCIES,
    MUTATIONS,
    NESTED,
    QUERIES,
    Operation,
)
from tests.integration.storing import new_reading
from tests.makers import (
    make_actuator,
    make_command,
    make_device,
    make_emergency_stop,
    make_installation,
    make_sensor,
    make_system_event,
    make_user,
    make_zone,
)
from tests.query_counting import counted_queries

FEW, MANY = 1, 30
"""Devices."""

SENSORS, ACTUATORS, READINGS = 3, 2, 6
"""Sensors and actuators of each device, readings of each sensor."""

REPORT = DeviceHealth(reported_at=START)

FRAGMENTS = {
    "reading": "on Reading { value sensor { name device { espId name } } }",
    "sensor": "on Sensor { name device { espId name } latest { ...reading } }",
    "actuator": "on Actuator { name state { value } device { espId name } }",
    "command": "on Command { status user { username } actuator { ...actuator } }",
    "libraryInstallation": "on LibraryInstallation { status device { espId name } }",
    "systemEvent": "on SystemEvent { message severity device { espId name } }",
    "emergencyStop": """on EmergencyStop {
        reason device { espId } triggeredBy { username } devices { note device { espId } }
    }""",
    "device": """on Device {
        espId health { systemState } sensors { ...sensor } actuators { ...actuator }
    }""",
}


def with_fragments(document: str) -> str:
    """Return a document with the fragments that it spreads, and that they spread."""
    for name, text in FRAGMENTS.items():
        if f"...{name}" in document and f"fragment {name} " not in document:
            return with_fragments(f"{document} fragment {name} {text}")
    return document


@dataclass(slots=True)
class Greenhouse:
    """Devices with everything that hangs on them, in PostgreSQL, behind GraphQL."""

    database: Database
    server: GraphqlServer = field(init=False)
    sensors: list[Sensor] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    actuators: list[Actuator] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    installations: list[LibraryInstallation] = field(default_factory=list)
    asked: dict[str, list[str]] = field(default_factory=dict)
    stop_id: UUID = field(init=False)
    calibration_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.server = GraphqlServer(user=make_user("anna", id=uuid7()), database=self.database)
        self.server.sources.has("ph", b"LIBRARIES = ()")

    async def grow(self, devices: int) -> None:
        """Bring it to so many devices."""
        known = len(self.sensors) // SENSORS
        async with self.database.unit_of_work() as work:
            if not known:
                await work.users.add(self.server.user)
                await work.zones.add(make_zone("plant"))
                await work.zones.add(make_zone("north", parent_zone_id="plant"))
            for number in range(known, devices):
                await self._add_device(work, f"ESP_{number:06X}")
            self.stop_id = UUID(int=911 + devices)
            stop = make_emergency_stop(id=self.stop_id, triggered_by=self.server.user.id)
            esp_ids = [f"ESP_{number:06X}" for number in range(devices)]
            await work.emergency_stops.save(stop.including(esp_ids))
        letter = DeadLetter(topic="kaiser/?", payload=b"?", reason="?", received_at=START)
        self.readings += await self.database.reading_writer().write(
            [
                new_reading(sensor, second)
                for sensor in self.sensors[known * SENSORS :]
                for second in range(READINGS)
            ],
            [letter] * (devices - known),
        )
        await self.server.registry.load(self.database)
        await self._begin_calibration()

    async def _begin_calibration(self) -> None:
        """Begin to calibrate the sensor that was added last: one point is taken, one can be."""
        calibrate, sensor = self.server.services.calibrate, self.sensors[-1]
        async with self.database.autocommit() as work:
            for left in await work.calibration_procedures.open():
                await calibrate.cancel(left.id)
        begun = await calibrate.start(sensor.key, CalibrationMethod.OFFSET, user_id=None)
        self.calibration_id = begun.id
        for reference in (21.0, None):
            seen = calibrate.stability(sensor.id)
            assert seen is not None
            for second in range(12):
                seen.add(START + timedelta(seconds=second), Shown(336.0, 21.0, 0.5))
            if reference is not None:
                await calibrate.add_point(begun.id, reference)

    async def _add_device(self, work: UnitOfWork, esp_id: str) -> None:
        await self.server.services.watch_relays.heard(esp_id, START, RelayHealth())
        await work.devices.add(make_device(esp_id, id=uuid7(), zone_id="north", kaiser_id=esp_id))
        await work.system_events.add([make_system_event(int(esp_id[-6:], 16) + 1, esp_id)])
        await work.devices.save_health(esp_id, REPORT)
        self.installations.append(make_installation(esp_id, id=uuid7()))
        await work.library_installations.add(self.installations[-1:])
        await work.library_installations.save_receiver(esp_id, START)
        self.sensors += await work.sensors.add([make_sensor(esp_id, pin) for pin in range(SENSORS)])
        for pin in range(ACTUATORS):
            actuator = await work.actuators.add(make_actuator(esp_id, pin))
            self.actuators.append(actuator)
            command = make_command(
                actuator,
                id=UUID(int=1_000_000 + len(self.commands)),
                user_id=self.server.user.id,
                status=CommandStatus.ACKNOWLEDGED,
            )
            self.commands.append(await work.commands.add(command))

    @property
    def variables(self) -> dict[str, object]:
        """What documents may ask about: the device that was added last, and things of anna's."""
        server = self.server
        return {
            "esp": self.sensors[-1].key.esp_id,
            "command": global_id("Command", self.commands[-1].id),
            "calibration": global_id("CalibrationProcedure", self.calibration_id),
            "stop": global_id("EmergencyStop", self.stop_id),
            "token": server.tokens.refresh(server.user, server.clock.now()),
        }

    async def ask(self, operation: Operation) -> tuple[Any, int]:
        """Return what an operation answers, and how many statements it took."""
        variables = self.variables
        async with counted_queries(self.database) as statements:
            answer = await self.server.ask(with_fragments(operation.document), **variables)
        self.asked[operation.document] = statements
        return answer[operation.name], len(statements)

    async def hear(self, subscription: Operation) -> tuple[Any, int]:
        """Return what a subscription tells of one event, and how many statements it took."""
        assert subscription.happening
        async with self.server.subscribed(with_fragments(subscription.document)) as heard:
            await heard.listening()
            async with counted_queries(self.database) as statements:
                await self.server.events.publish(subscription.happening(self))
                await eventually(lambda: bool(heard.results))
        ((told, errors),) = [(result.data, result.errors) for result in heard.results]
        assert told is not None, errors
        return told[subscription.name], len(statements)


@pytest.fixture
def greenhouse(database: Database) -> Greenhouse:
    return Greenhouse(database)


# ---------------------------------------------------------------- what happens


def stored(house: Greenhouse) -> Event:
    return ReadingsStored((house.readings[-1],))


def heard(house: Greenhouse) -> Event:
    return DeviceHeard(make_device(house.sensors[-1].key.esp_id), REPORT)


def changed(house: Greenhouse) -> Event:
    return ActuatorChanged(house.actuators[-1])


def commanded(house: Greenhouse) -> Event:
    return CommandChanged(house.commands[-1])


def recorded(house: Greenhouse) -> Event:
    return SystemEventRecorded(make_system_event(1, house.sensors[-1].key.esp_id))


SUBSCRIPTIONS = [
    Operation("subscription { readings { reading { value sensor { name } } } }", 0, stored),
    Operation("subscription { readings { reading { ...reading } } }", 1, stored),
    Operation("subscription { deviceHealth { device { espId } } }", 0, heard),
    Operation("subscription { deviceHealth { device { ...device } } }", 5, heard),
    Operation("subscription { actuatorStates { actuator { name } } }", 0, changed),
    Operation("subscription { actuatorStates { actuator { ...actuator } } }", 1, changed),
    Operation("subscription { commands { command { status } } }", 0, commanded),
    Operation("subscription { commands { command { ...command } } }", 3, commanded),
    Operation("subscription { systemEvents { message } }", 0, recorded),
    Operation("subscription { systemEvents { ...systemEvent } }", 1, recorded),
]

# ---------------------------------------------------------------- what it costs


@pytest.mark.parametrize(
    ("root", "operations"),
    [
        ("Query", QUERIES),
        ("Mutation", MUTATIONS + CALIBRATIONS + EMERGENCIES),
        ("Subscription", SUBSCRIPTIONS),
    ],
    ids=["queries", "mutations", "subscriptions"],
)
def test_no_operation_is_forgotten(root: str, operations: Sequence[Operation]) -> None:
    kind = build_schema()._schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    elsewhere = ("ecomput", "ule", "why", "acktest", "lueprint")  # they have modules of their own
    here = {name for name in kind.fields if not any(part in name for part in elsewhere)}
    assert {operation.name for operation in operations} == here


async def test_a_query_costs_the_same_however_much_there_is(greenhouse: Greenhouse) -> None:
    for devices in (FEW, MANY):
        await greenhouse.grow(devices)
        answers = {query.document: await greenhouse.ask(query) for query in QUERIES}
        costs = {document: cost for document, (_, cost) in answers.items()}
        assert costs == {query.document: query.statements for query in QUERIES}
        for document, (answer, _) in answers.items():
            assert answer, document
            if "edges" in answer and "$esp" not in document:
                assert len(answer["edges"]) >= devices, document


async def test_a_list_inside_a_list_costs_one_statement_for_each_of_its_pages(
    greenhouse: Greenhouse,
) -> None:
    for devices in (FEW, MANY):
        await greenhouse.grow(devices)
        for query in NESTED:
            answer, cost = await greenhouse.ask(query)
            assert cost == query.statements + len(answer["edges"]), query.document


async def test_a_mutation_costs_the_same_however_much_there_is(greenhouse: Greenhouse) -> None:
    server = greenhouse.server
    async with server.commanding(), server.ordering():
        # What is old leaves after the first event, and then only after many.
        server.record(EventKind.RELAY_ONLINE, Severity.INFO, "There.")
        await eventually(lambda: server.record._untrimmed == 0)
        for devices in (FEW, MANY):
            await greenhouse.grow(devices)
            for mutation in MUTATIONS:
                _, cost = await greenhouse.ask(mutation)
                assert cost == mutation.statements, greenhouse.asked[mutation.document]


async def test_a_stop_costs_the_same_however_much_there_is(greenhouse: Greenhouse) -> None:
    async with greenhouse.server.stopping():
        for devices in (FEW, MANY):
            await greenhouse.grow(devices)
            costs = {m.document: (await greenhouse.ask(m))[1] for m in EMERGENCIES}
            assert costs == {m.document: m.statements for m in EMERGENCIES}


async def test_a_calibration_costs_the_same_however_much_there_is(greenhouse: Greenhouse) -> None:
    for devices in (FEW, MANY):
        costs = {}
        for change in CALIBRATIONS:
            await greenhouse.grow(devices)
            costs[change.document] = (await greenhouse.ask(change))[1]
        assert costs == {m.document: m.statements for m in CALIBRATIONS}


async def test_an_event_costs_the_same_however_much_there_is(greenhouse: Greenhouse) -> None:
    for devices in (FEW, MANY):
        await greenhouse.grow(devices)
        costs = {s.document: (await greenhouse.hear(s))[1] for s in SUBSCRIPTIONS}
        assert costs == {s.document: s.statements for s in SUBSCRIPTIONS}


async def test_a_replay_costs_a_statement_for_each_page_and_one_to_find_its_end(
    greenhouse: Greenhouse,
) -> None:
    query = 'subscription { readings(since: "2026-01-01T00:00:00Z") { reading { value } } }'

    async def replay(pages: int) -> int:
        async with (
            greenhouse.server.subscribed(query) as heard,
            counted_queries(greenhouse.database) as statements,
        ):
            await eventually(lambda: len(heard.results) == len(greenhouse.readings))
            await eventually(lambda: len(statements) > pages)
        return len(statements)

    for devices in (FEW, MANY):
        await greenhouse.grow(devices)
        pages = len(greenhouse.readings) // REPLAY_PAGE + 1
        assert await replay(pages) == pages + 1
