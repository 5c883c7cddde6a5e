"""How long a sample takes to become a reading, by what is known of its sensor.

`python -m bench.conversion`. Conversion and judgement alone, in one process: no broker and no
database. The floor is a sensor of which nothing is known.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self, cast
from uuid import UUID

from app.clock import SystemClock
from bench.reporting import Report
from domain.calibrations import Calibration, CalibrationMethod, Fit
from domain.repositories import Storage
from domain.sensors import Sample, Sensor, SensorKey
from domain.services.convert_samples import ConvertSamples
from domain.services.judge_readings import JudgeReadings
from domain.services.registry import Registry
from sensor_libs.limits import LibraryLimits
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner

SENSORS = 100
BATCH = 1000
ROUNDS = 40
_CLOCK = SystemClock()
_START = _CLOCK.now()
_PROBE = SensorKey("ESP_000000", 4, "ds18b20")


class _Nothing:
    """A database without any reading."""

    def autocommit(self) -> "_Nothing":
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None: ...

    @property
    def readings(self) -> "_Nothing":
        return self

    async def latest(self, _sensor_ids: object) -> dict[int, object]:
        return {}


@dataclass(slots=True)
class House:
    """Sensors of one kind, and a thermometer."""

    registry: Registry = field(default_factory=Registry)
    libraries: LibraryRunner = field(default_factory=lambda: LibraryRunner(load_built_in()))
    convert: ConvertSamples = field(init=False)

    def __post_init__(self) -> None:
        limits = LibraryLimits(lambda: self.libraries.catalog)
        self.convert = ConvertSamples(
            storage=cast(Storage, _Nothing()),
            registry=self.registry,
            libraries=self.libraries,
            judge=JudgeReadings(registry=self.registry, library_limits=limits),
        )

    def has(self, number: int, key: SensorKey, **fields: Any) -> Sensor:  # noqa: ANN401 - any field
        """Make a sensor known."""
        sensor = Sensor(id=number, key=key, name="", created_at=_START, updated_at=_START, **fields)
        self.registry.put_sensors([sensor])
        return sensor

    async def take(self, samples: list[Sample]) -> float:
        """Convert a batch as if it was stored; return how many seconds that took."""
        begun = _CLOCK.monotonic()
        batch = await self.convert.batch()
        await batch(samples)
        batch.keep()
        return _CLOCK.monotonic() - begun


def _calibrated(house: House, sensor: Sensor) -> None:
    house.registry.put_calibration(
        Calibration(
            id=UUID(int=sensor.id),
            sensor_id=sensor.id,
            library="ph",
            method=CalibrationMethod.PH_2POINT,
            points=(),
            fit=Fit(parameters={"slope": -5.66, "offset": 15.49}, residuals=()),
            calibrated_at=_START,
        )
    )


def _compensated(house: House, sensor: Sensor) -> None:
    _calibrated(house, sensor)
    house.registry.put_sensors([replace(sensor, sources={"temperature": _PROBE})])


def _offset(house: House, sensor: Sensor) -> None:
    house.registry.put_sensors([replace(sensor, parameters={"offset": -0.5})])


async def measure(
    sensor_type: str, raw: float, known: Callable[[House, Sensor], None] | None
) -> float:
    """Return the best time of a sample, in microseconds."""
    house = House()
    probe = house.has(1, _PROBE)
    keys = [SensorKey(f"ESP_{n:06X}", 5, sensor_type) for n in range(SENSORS)]
    for number, key in enumerate(keys, start=2):
        sensor = house.has(number, key)
        if known is not None:
            known(house, sensor)
    at = _START
    await house.take([Sample(probe.key, 400, received_at=at, measured_at=at)])
    best = float("inf")
    for _ in range(ROUNDS):
        samples = []
        for number in range(BATCH):
            at += timedelta(milliseconds=10)
            samples.append(Sample(keys[number % SENSORS], raw, received_at=at, measured_at=at))
        best = min(best, await house.take(samples))
    return best / BATCH * 1e6


async def run(report: Report) -> None:
    """Fill the report."""
    aim = "< 20 us"
    cases: list[tuple[str, str, float, Callable[[House, Sensor], None] | None]] = [
        ("ds18b20, nothing known", "ds18b20", 400, None),
        ("ds18b20, owner's offset", "ds18b20", 400, _offset),
        ("ph, nothing known", "ph", 1861, None),
        ("ph, calibrated", "ph", 1861, _calibrated),
        ("ph, calibrated, live temperature", "ph", 1861, _compensated),
    ]
    for name, sensor_type, raw, known in cases:
        floor = f"{sensor_type}, nothing known" if known else ""
        value = await measure(sensor_type, raw, known)
        report.add(name, value, "us/sample", floor=floor, target=aim)


def main() -> None:
    """Run from the command line."""
    report = Report(benchmark="conversion", settings={"batch": BATCH, "sensors": SENSORS})
    asyncio.run(run(report))
    report.finish()


if __name__ == "__main__":
    main()
