"""What the tests of the database share: things stored, and readings on their way in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from domain.actuators import Actuator
from domain.devices import Device
from domain.repositories import NewReading
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sample, Sensor
from storage.connection import Database
from tests.makers import make_actuator, make_device, make_sensor

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
CELSIUS = Measurement(21.5, "°C", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ds18b20", "1.0.0")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sample(
    sensor: Sensor,
    *,
    measured: float | None = None,
    received: float | None = None,
    raw: float = 344.0,
    **fields: Any,  # noqa: ANN401 - any field
) -> Sample:
    """Make a sample; times are seconds after noon, received a little after measured."""
    return Sample(
        key=sensor.key,
        raw_value=raw,
        received_at=at(received if received is not None else (measured or 0.0) + 0.02),
        measured_at=None if measured is None else at(measured),
        **fields,
    )


def new_reading(
    sensor: Sensor,
    measured: float | None = None,
    *,
    measurement: Measurement = CELSIUS,
    **fields: Any,  # noqa: ANN401 - any field of a sample
) -> NewReading:
    return NewReading(sensor, sample(sensor, measured=measured, **fields), measurement)


async def stored_device(database: Database, esp_id: str = "ESP_12AB34", **fields: Any) -> Device:  # noqa: ANN401 - any field
    async with database.unit_of_work() as work:
        return await work.devices.add(make_device(esp_id, id=uuid7(), **fields))


async def stored_sensors(
    database: Database, gpios: Sequence[int] = (4,), esp_id: str = "ESP_12AB34"
) -> Sequence[Sensor]:
    await stored_device(database, esp_id)
    async with database.unit_of_work() as work:
        return await work.sensors.add([make_sensor(esp_id, gpio) for gpio in gpios])


async def stored_actuator(
    database: Database, gpio: int = 5, esp_id: str = "ESP_12AB34"
) -> Actuator:
    await stored_device(database, esp_id)
    async with database.unit_of_work() as work:
        return await work.actuators.add(make_actuator(esp_id, gpio))


async def all_readings(database: Database) -> Sequence[Reading]:
    async with database.unit_of_work() as work:
        return await work.readings.since(0, 100_000)
