"""The whole pipeline of conversions on demand, over real libraries and no database."""

from dataclasses import dataclass, field

from domain.sensors import Sensor
from domain.services.convert_samples import ConvertSamples
from domain.services.judge_readings import JudgeReadings
from domain.services.process import ProcessReading
from domain.services.registry import Registry
from sensor_libs.limits import LibraryLimits
from sensor_libs.loader import load_built_in
from sensor_libs.processing import LibraryChips
from sensor_libs.runner import LibraryRunner
from tests.fakes.clock import FakeClock
from tests.fakes.storage import FakeStorage


@dataclass
class Pipeline:
    clock: FakeClock = field(default_factory=FakeClock)
    storage: FakeStorage = field(default_factory=FakeStorage)
    registry: Registry = field(default_factory=Registry)
    libraries: LibraryRunner = field(default_factory=lambda: LibraryRunner(load_built_in()))
    process: ProcessReading = field(init=False)

    def __post_init__(self) -> None:
        limits = LibraryLimits(lambda: self.libraries.catalog)
        self.process = ProcessReading(
            libraries=self.libraries,
            chips=LibraryChips(lambda: self.libraries.catalog),
            convert=ConvertSamples(
                storage=self.storage,
                registry=self.registry,
                libraries=self.libraries,
                judge=JudgeReadings(registry=self.registry, library_limits=limits),
            ),
            registry=self.registry,
            library_limits=limits,
            clock=self.clock,
        )

    async def has(self, *sensors: Sensor) -> None:
        self.registry.put_sensors(await self.storage.sensors.add(sensors))
