"""What the tests of recomputations share: the service over any storage, with a pH electrode."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.calibrations import Calibration, CalibrationMethod, Fit
from domain.ports import Clock, SensorLibraries
from domain.recomputations import UNFINISHED, Recomputation
from domain.repositories import Storage
from domain.sensors import Sensor
from domain.services.judge_readings import JudgeReadings
from domain.services.recompute import Recompute
from domain.services.registry import Registry
from sensor_libs.limits import LibraryLimits
from sensor_libs.runner import LibraryRunner
from tests.converting import CATALOG
from tests.eventually import eventually
from tests.fakes import START
from tests.makers import make_guard


def a_calibration(sensor: Sensor, slope: float = -5.66, offset: float = 15.49) -> Calibration:
    return Calibration(
        id=uuid7(),
        sensor_id=sensor.id,
        library="ph",
        method=CalibrationMethod.PH_2POINT,
        points=(),
        fit=Fit(parameters={"slope": slope, "offset": offset}, residuals=()),
        calibrated_at=START,
    )


@dataclass(slots=True)
class FakeRecomputationReports:
    told: list[Recomputation] = field(default_factory=list)

    def ended(self, recomputation: Recomputation) -> None:
        self.told.append(recomputation)


@dataclass(slots=True, kw_only=True)
class Recomputing:
    """The service, on real libraries."""

    storage: Storage
    registry: Registry
    clock: Clock
    libraries: SensorLibraries = field(default_factory=lambda: LibraryRunner(CATALOG))
    new_id: Callable[[], UUID] = uuid7
    reports: FakeRecomputationReports = field(default_factory=FakeRecomputationReports)
    recompute: Recompute = field(init=False)

    def __post_init__(self) -> None:
        judge = JudgeReadings(registry=self.registry, library_limits=LibraryLimits(lambda: CATALOG))
        self.recompute = Recompute(
            storage=self.storage,
            registry=self.registry,
            libraries=self.libraries,
            limits=judge.limits,
            clock=self.clock,
            guard=make_guard(self.clock),
            reports=self.reports,
            new_id=self.new_id,
        )

    async def calibrated(self, sensor: Sensor, slope: float = -5.66) -> Calibration:
        """Put a calibration into force."""
        calibration = a_calibration(sensor, slope)
        async with self.storage.unit_of_work() as work:
            await work.calibrations.add(calibration)
        self.registry.put_calibration(calibration)
        return calibration

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.recompute.run())
            yield
            task.cancel()

    async def found(self, recomputation: Recomputation) -> Recomputation:
        async with self.storage.autocommit() as work:
            found = await work.recomputations.by_id(recomputation.id)
        assert found is not None
        return found

    async def ended(self, recomputation: Recomputation, *, within: float = 10) -> Recomputation:
        """Wait until it has come to an end, whichever."""

        async def is_there() -> bool:
            return (await self.found(recomputation)).state not in UNFINISHED

        await eventually(is_there, within=within, what="the recomputation ends")
        return await self.found(recomputation)
