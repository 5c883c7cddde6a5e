"""The GraphQL side of the server over fakes: everything that an operation can reach."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from strawberry.types import ExecutionResult

from app.graphql import build_schema
from app.graphql.schema import Schema
from domain.actuators import Actuator
from domain.arbitration import Holders
from domain.devices import Device
from domain.emergency_latch import Latch
from domain.events import Event, ReadingsStored
from domain.lease_book import LeaseBook
from domain.leases import Moment
from domain.ports import Clock, TokenIssuer
from domain.quality import UNSAID
from domain.repositories import Storage
from domain.sensors import Reading, Sensor
from domain.services.accounts import Accounts
from domain.services.automate import Automate
from domain.services.calibrate import Calibrate
from domain.services.carry_out import CarryOut
from domain.services.command import SendCommand
from domain.services.configure import Configure
from domain.services.convert_samples import ConvertSamples
from domain.services.emergency import Emergency
from domain.services.guard import Guard
from domain.services.health import CheckHealth
from domain.services.install_libraries import InstallLibraries
from domain.services.judge_readings import JudgeReadings
from domain.services.manage_rules import ManageRules
from domain.services.order import SendOrder
from domain.services.process import ProcessReading
from domain.services.protect import Protect
from domain.services.recompute import Recompute
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.rehearse import Rehearse
from domain.services.reload_libraries import ReloadLibraries
from domain.services.remember_rules import RememberRules
from domain.services.report_calibrations import ReportCalibrations
from domain.services.report_events import ReportEvents
from domain.services.report_libraries import ReportLibraries
from domain.services.report_recomputations import ReportRecomputations
from domain.services.watch_interlocks import WatchInterlocks
from domain.services.watch_relays import WatchRelays
from domain.services.watch_thresholds import WatchThresholds
from domain.services.world import KnownWorld
from domain.users import Identity, Role, User
from mqtt_bridge.dialects import capabilities
from schema.context import Context, Services
from schema.loaders import Loaders
from sensor_libs.calibrating import LibraryLaws
from sensor_libs.limits import LibraryLimits
from sensor_libs.loader import load_built_in
from sensor_libs.processing import LibraryChips
from sensor_libs.runner import LibraryRunner
from tests.eventually import eventually
from tests.fakes import (
    FakeClock,
    FakeCommandLink,
    FakeEmergencyLink,
    FakeEventStream,
    FakePasswords,
    FakeStorage,
    FakeTokens,
    until,
)
from tests.fakes.configs import FakeAdmissions
from tests.fakes.libraries import FakeLibraryLink, FakeLibrarySources
from tests.fakes.orders import FakeOrderLink
from tests.fakes.past import FakeRelive
from tests.fakes.safeguards import recall_nothing
from tests.fakes.shelf import FakeJournal, FakeShelf
from tests.makers import make_guard, make_user


@dataclass(slots=True)
class GraphqlServer:
    """Services over fakes, and the schema in front of them.

    Attributes:
        database: A real one, in the place of the fake `storage`.
        changed: The devices that something was put out for.
    """

    clock: Clock = field(default_factory=FakeClock)
    tokens: TokenIssuer = field(default_factory=FakeTokens)
    storage: FakeStorage = field(default_factory=FakeStorage)
    events: FakeEventStream = field(default_factory=FakeEventStream)
    registry: Registry = field(default_factory=Registry)
    latch: Latch = field(default_factory=Latch)
    leases: LeaseBook = field(default_factory=LeaseBook)
    holders: Holders = field(init=False)
    emergency_link: FakeEmergencyLink = field(default_factory=FakeEmergencyLink)
    link: FakeCommandLink = field(default_factory=FakeCommandLink)
    schema: Schema = field(default_factory=build_schema)
    user: User = field(default_factory=lambda: make_user("anna"))
    sources: FakeLibrarySources = field(default_factory=FakeLibrarySources)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    libraries: LibraryRunner = field(default_factory=lambda: LibraryRunner(load_built_in()))
    database: Storage | None = None
    changed: list[str] = field(default_factory=list)
    orders: FakeOrderLink = field(default_factory=FakeOrderLink)
    record: RecordEvents = field(init=False)
    world: KnownWorld = field(init=False)
    interlocks: WatchInterlocks = field(init=False)
    services: Services = field(init=False)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.started.set()
        shared: dict[str, Any] = {
            "storage": self.database or self.storage,
            "registry": self.registry,
            "events": self.events,
            "clock": self.clock,
        }
        numbers = iter(range(1, 10_000))
        self.holders = Holders(lease=self.leases.get)
        self.storage.users.rows[self.user.id] = self.user
        self.record = RecordEvents(
            **shared, guard=self._guard(), new_id=lambda: UUID(int=next(numbers))
        )
        self._watch_interlocks(shared["storage"])
        watched = {name: part for name, part in shared.items() if name != "events"}
        self.services = Services(
            **shared,
            accounts=self._accounts(shared["storage"], lambda: UUID(int=next(numbers))),
            configure=self._configure(shared, lambda: UUID(int=next(numbers))),
            convert=(convert := self._convert()),
            process=self._process(convert),
            calibrate=self._calibrate(lambda: UUID(int=next(numbers))),
            recompute=self._recompute(lambda: UUID(int=next(numbers))),
            rehearse=Rehearse(
                measured_in=self.world.unit,
                relive=FakeRelive(self.storage),
                registry=self.registry,
                clock=self.clock,
                new_id=lambda: UUID(int=next(numbers)),
            ),
            send_command=(send := self._send_command(lambda: UUID(int=next(numbers)))),
            emergency=(stops := self._emergency(lambda: UUID(int=next(numbers)))),
            manage_rules=self._manage_rules(send, stops, lambda: UUID(int=next(numbers))),
            send_order=SendOrder(
                registry=self.registry,
                link=self.orders,
                record=self.record,
                new_id=lambda: UUID(int=next(numbers)),
            ),
            reload_libraries=self._reload_libraries(),
            install_libraries=self._install_libraries(lambda: UUID(int=next(numbers))),
            watch_relays=self._watch_relays(),
            watch_thresholds=WatchThresholds(**watched, guard=self._guard(), record=self.record),
            watch_interlocks=self.interlocks,
            protect=Protect(registry=self.registry, measured_in=self.world.unit),
            check_health=CheckHealth(
                probes={"database": self._sign_of_life},
                clock=self.clock,
                version="1.2.3",
                started=self.clock.monotonic(),
            ),
            started=self.started,
            capabilities=capabilities,
            time_zone=ZoneInfo("Europe/Berlin"),
        )

    def _watch_interlocks(self, storage: Storage) -> None:
        self.world = KnownWorld(
            storage=storage, registry=self.registry, leases=self.leases, clock=self.clock
        )
        self.interlocks = WatchInterlocks(
            registry=self.registry,
            world=self.world,
            leases=self.leases,
            clock=self.clock,
            switch_off=lambda pin, why, *_: self.leases.end(
                pin, Moment(self.clock.now(), self.clock.monotonic()), why
            ),
            recall=recall_nothing,
        )

    def _accounts(self, storage: Storage, new_id: Callable[[], UUID]) -> Accounts:
        return Accounts(
            storage=storage,
            passwords=FakePasswords(),
            tokens=self.tokens,
            clock=self.clock,
            new_id=new_id,
        )

    def _configure(self, shared: dict[str, Any], new_id: Callable[[], UUID]) -> Configure:
        return Configure(
            **shared,
            leases=self.leases,
            new_id=new_id,
            changed=self.changed.append,
            admitted=FakeAdmissions(),
            recipe=self.libraries.recipe,
            unit_of=LibraryLimits(lambda: self.libraries.catalog).unit,
        )

    def _send_command(self, new_id: Callable[[], UUID]) -> SendCommand:
        return SendCommand(
            storage=self.database or self.storage,
            registry=self.registry,
            events=self.events,
            clock=self.clock,
            latch=self.latch,
            leases=self.leases,
            link=self.link,
            guard=self._guard(),
            new_id=new_id,
            ended=lambda _command: None,
            people=self.holders.overridden,
            interlocks=self.interlocks.of,
        )

    def _manage_rules(
        self, send: SendCommand, emergency: Emergency, new_id: Callable[[], UUID]
    ) -> ManageRules:
        async def enable(rule_id: UUID, enabled: bool) -> object:  # noqa: FBT001 - as the port has it
            return await manage.set_enabled(rule_id, enabled)

        shared: dict[str, Any] = {
            "storage": self.database or self.storage,
            "clock": self.clock,
        }
        carry_out = CarryOut(
            **shared,
            registry=self.registry,
            holders=self.holders,
            leases=self.leases,
            send=send,
            emergency=emergency,
            record=self.record,
            events=self.events,
            guard=self._guard(),
            enable=enable,
        )
        remember = RememberRules(**shared, guard=self._guard())
        manage = ManageRules(
            **shared,
            registry=self.registry,
            automate=Automate(world=self.world, carry_out=carry_out, remember=remember),
            new_id=new_id,
        )
        return manage

    def _emergency(self, new_id: Callable[[], UUID]) -> Emergency:
        return Emergency(
            storage=self.database or self.storage,
            registry=self.registry,
            latch=self.latch,
            link=self.emergency_link,
            clock=self.clock,
            guard=self._guard(),
            record=self.record,
            new_id=new_id,
        )

    def _recompute(self, new_id: Callable[[], UUID]) -> Recompute:
        return Recompute(
            storage=self.database or self.storage,
            registry=self.registry,
            libraries=LibraryRunner(load_built_in()),
            limits=lambda _sensor: UNSAID,
            clock=self.clock,
            guard=self._guard(),
            reports=ReportRecomputations(record=self.record, registry=self.registry),
            new_id=new_id,
        )

    def _calibrate(self, new_id: Callable[[], UUID]) -> Calibrate:
        return Calibrate(
            storage=self.database or self.storage,
            registry=self.registry,
            laws=LibraryLaws(self.libraries),
            events=self.events,
            clock=self.clock,
            guard=self._guard(),
            reports=ReportCalibrations(record=self.record, registry=self.registry),
            new_id=new_id,
        )

    def _process(self, convert: ConvertSamples) -> ProcessReading:
        return ProcessReading(
            libraries=self.libraries,
            chips=LibraryChips(lambda: self.libraries.catalog),
            convert=convert,
            registry=self.registry,
            library_limits=LibraryLimits(lambda: self.libraries.catalog),
            clock=self.clock,
        )

    def _convert(self) -> ConvertSamples:
        limits = LibraryLimits(lambda: self.libraries.catalog)
        return ConvertSamples(
            storage=self.database or self.storage,
            registry=self.registry,
            libraries=self.libraries,
            judge=JudgeReadings(registry=self.registry, library_limits=limits),
        )

    def _install_libraries(self, new_id: Callable[[], UUID]) -> InstallLibraries:
        return InstallLibraries(
            storage=self.database or self.storage,
            registry=self.registry,
            link=FakeLibraryLink(),
            sources=self.sources,
            clock=self.clock,
            guard=self._guard(),
            new_id=new_id,
            reports=ReportEvents(record=self.record, registry=self.registry),
        )

    def _reload_libraries(self) -> ReloadLibraries:
        return ReloadLibraries(
            shelf=self.shelf,
            reports=ReportLibraries(record=self.record, journal=FakeJournal()),
            clock=self.clock,
        )

    def _watch_relays(self) -> WatchRelays:
        return WatchRelays(
            storage=self.database or self.storage,
            record=self.record,
            clock=self.clock,
            journal=FakeJournal(),
        )

    def _guard(self) -> Guard:
        return make_guard(self.clock)

    async def _sign_of_life(self) -> str | None:
        await self.services.storage.check()
        return "all is well"

    # ------------------------------------------------------------ what there is

    async def has_device(self, device: Device) -> Device:
        self.registry.add_device(device)
        return await self.storage.devices.add(device)

    async def has_sensor(self, sensor: Sensor) -> Sensor:
        (stored,) = await self.storage.sensors.add([sensor])
        self.registry.put_sensors([stored])
        return stored

    async def has_actuator(self, actuator: Actuator) -> Actuator:
        stored = await self.storage.actuators.add(actuator)
        self.registry.add_actuator(stored)
        return stored

    async def store(self, *readings: Reading) -> None:
        """Commit readings and tell them, as the ingest path does."""
        self.storage.readings.rows.extend(readings)
        await self.events.publish(ReadingsStored(readings))

    # ------------------------------------------------------------ asking

    def context(self, role: Role | None = Role.ADMIN) -> Context:
        """Return the context of somebody in a role; None: of a stranger."""
        stranger = Context(services=self.services, loaders=Loaders(self.services.storage))
        if role is None:
            return stranger
        identity = Identity(
            user_id=self.user.id,
            username=self.user.username,
            role=role,
            expires_at=self.clock.now() + timedelta(hours=1),
        )
        return replace(stranger, identity=identity)

    async def execute(
        self, query: str, variables: dict[str, Any] | None = None, *, role: Role | None = Role.ADMIN
    ) -> ExecutionResult:
        return await self.schema.execute(
            query, variable_values=variables, context_value=self.context(role)
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return the data of an operation that must go well."""
        result = await self.execute(query, variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def code(
        self,
        query: str,
        *,
        role: Role | None = Role.ADMIN,
        **variables: Any,  # noqa: ANN401 - any JSON
    ) -> str:
        """Return the code of the one error of an operation that must fail."""
        return code_of(await self.execute(query, variables, role=role))

    @asynccontextmanager
    async def commanding(self) -> AsyncIterator[None]:
        """Carry commands through while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(self.services.send_command.run())
            await eventually(lambda: self.services.send_command._tasks is not None)
            yield
            carrying.cancel()

    @asynccontextmanager
    async def ordering(self) -> AsyncIterator[None]:
        """Carry orders to devices through, and write them down, while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            jobs = (self.services.send_order.run, self.record.run)
            running = [tasks.create_task(job()) for job in jobs]
            await eventually(lambda: self.services.send_order._tasks is not None)
            yield
            for task in running:
                task.cancel()

    @asynccontextmanager
    async def stopping(self) -> AsyncIterator[None]:
        """Tell devices of emergency stops while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self.services.emergency.run())
            await eventually(lambda: self.services.emergency._tasks is not None)
            yield
            telling.cancel()

    @asynccontextmanager
    async def subscribed(
        self,
        query: str,
        *,
        role: Role | None = Role.ADMIN,
        **variables: Any,  # noqa: ANN401 - any JSON
    ) -> AsyncIterator["Heard"]:
        """Collect what a subscription tells while the block runs."""
        stream = await self.schema.subscribe(
            query, variable_values=variables, context_value=self.context(role)
        )
        heard = Heard(self.events)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(heard.collect(stream))
            yield heard
            listening.cancel()


@dataclass(slots=True)
class Heard:
    """What a subscription has told so far."""

    _events: FakeEventStream
    results: list[ExecutionResult] = field(default_factory=list)
    ended: bool = False

    async def collect(self, stream: AsyncGenerator[ExecutionResult, None]) -> None:
        try:
            async for result in stream:
                self.results.append(result)
            self.ended = True
        finally:
            await stream.aclose()

    async def listening(self) -> None:
        """Wait until the subscription listens to live events."""
        await until(lambda: self._events.listeners == 1, turns=20_000)

    async def count(self, expected: int) -> list[dict[str, Any]]:
        """Wait until so many results came, let more come if any will, and return their data."""
        await until(lambda: len(self.results) >= expected, turns=20 * expected + 1000)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(self.results) == expected, self.results
        assert all(result.errors is None for result in self.results), self.results
        return [result.data or {} for result in self.results]


def code_of(result: ExecutionResult) -> str:
    """Return the code that all errors share."""
    (code,) = {(error.extensions or {})["code"] for error in result.errors or ()}
    return str(code)


async def publish(server: GraphqlServer, *events: Event) -> None:
    for event in events:
        await server.events.publish(event)
