"""What the tests of conversions share: sensors of one device, on real libraries."""

from collections.abc import Sequence
from datetime import timedelta

from domain.repositories import NewReading
from domain.sensors import Sample, Sensor
from domain.services.convert_samples import ConvertSamples
from domain.services.judge_readings import JudgeReadings
from domain.services.registry import Registry
from sensor_libs.limits import LibraryLimits
from sensor_libs.loader import Catalog, load_built_in
from sensor_libs.runner import LibraryRunner
from tests.fakes import START, FakeStorage
from tests.fakes.storage import FakeReadingWriter
from tests.makers import make_device, make_sensor

CATALOG = load_built_in()
ESP = "ESP_12AB34"


class House:
    """Sensors of one device, on real libraries and a store in memory."""

    def __init__(self, catalog: Catalog = CATALOG) -> None:
        self.storage = FakeStorage()
        self.writer = FakeReadingWriter(self.storage)
        self.registry = Registry()
        self.registry.add_device(make_device(ESP))
        self.libraries = LibraryRunner(catalog)
        self.convert = self.restarted()

    def restarted(self) -> ConvertSamples:
        self.convert = ConvertSamples(
            storage=self.storage,
            registry=self.registry,
            libraries=self.libraries,
            judge=JudgeReadings(
                registry=self.registry,
                library_limits=LibraryLimits(lambda: self.libraries.catalog),
            ),
        )
        return self.convert

    def has(self, sensor_type: str, gpio: int = 0, address: str = "", **fields: object) -> Sensor:
        number = len(list(self.registry.sensors())) + 1
        sensor = make_sensor(ESP, gpio, sensor_type, address, id=number, unit=None, **fields)
        self.registry.put_sensors([sensor])
        return sensor

    async def takes(self, *samples: Sample) -> Sequence[NewReading]:
        """Convert a batch and store it."""
        batch = await self.convert.batch()
        made = await batch(samples)
        await self.writer.write(made, [])
        batch.keep()
        return made


def at(sensor: Sensor, second: float, raw: float, *, late: float = 0.1) -> Sample:
    measured = START + timedelta(seconds=second)
    return Sample(
        sensor.key, raw, received_at=measured + timedelta(seconds=late), measured_at=measured
    )
