"""Virtual readings are stored with those that caused them, once, whether devices have a clock."""

from datetime import timedelta

import pytest

from domain.sensors import Sample
from domain.services.convert_samples import ConvertSamples
from domain.services.judge_readings import JudgeReadings
from domain.services.registry import Registry
from sensor_libs.limits import LibraryLimits
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner
from storage.connection import Database
from tests.integration.storing import NOON, all_readings, stored_device
from tests.makers import make_sensor


@pytest.mark.parametrize("has_clock", [True, False])
async def test_a_batch_that_comes_again_after_a_restart_doubles_no_virtual_reading(
    database: Database, *, has_clock: bool
) -> None:
    await stored_device(database)
    kinds = ("sht31_temp", "sht31_humidity", "vpd")
    async with database.unit_of_work() as work:
        await work.sensors.add([make_sensor("ESP_12AB34", 0, kind, "68") for kind in kinds])
    libraries = LibraryRunner(load_built_in())
    limits = LibraryLimits(lambda: libraries.catalog)
    for delivery in range(2):
        registry = Registry()
        await registry.load(database)
        convert = ConvertSamples(
            storage=database,
            registry=registry,
            libraries=libraries,
            judge=JudgeReadings(registry=registry, library_limits=limits),
        )
        batch = await convert.batch()
        samples = [
            Sample(
                make_sensor("ESP_12AB34", 0, kind, "68").key,
                raw,
                received_at=NOON + timedelta(seconds=10 * delivery, milliseconds=number),
                measured_at=NOON if has_clock else None,
                ticks=5000,
                sequence=number,
            )
            for number, (kind, raw) in enumerate(zip(kinds, (26_214, 39_321), strict=False))
        ]
        await database.reading_writer().write(await batch(samples), [])
        batch.keep()
    stored = [(r.sensor.key.sensor_type, r.measurement.value) for r in await all_readings(database)]
    assert stored == [("sht31_temp", 25.0), ("sht31_humidity", 60.0), ("vpd", 1.27)]
