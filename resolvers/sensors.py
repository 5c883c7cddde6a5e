"""Root fields about sensors and readings."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated

import strawberry

from domain.errors import BadInputError
from domain.repositories import UnitOfWork
from domain.sensors import SensorKey, canonical_type
from domain.users import Role
from resolvers.live import LIVE_READINGS, resume_id, stored_then_live, throttled
from schema.arguments import (
    After,
    EspId,
    First,
    From,
    Gpio,
    OnlyEspId,
    OnlyGpio,
    OnlySensorType,
    SensorType,
    To,
)
from schema.context import Context, Info
from schema.fields import field, mutation, subscription
from schema.ids import instant_of
from schema.live import Filter, wanted
from schema.sensors import (
    READINGS,
    SENSORS,
    Reading,
    ReadingConnection,
    ReadingEvent,
    Sensor,
    SensorConfigInput,
    SensorConnection,
    SensorRefInput,
)

Address = Annotated[
    str | None,
    strawberry.argument(
        description="I2C address (decimal) or OneWire ROM (hex); only where several share a pin."
    ),
]
Enabled = Annotated[
    bool | None, strawberry.argument(description="Only those that are, or are not, enabled.")
]
Since = Annotated[
    str | None,
    strawberry.argument(
        description="First replay what was stored after this: the `cursor` of an event, or an "
        "instant by the server's clock, such as `2026-05-01T06:30:00Z`. Then go on live, with no "
        "gap and no repeat."
    ),
]
Settings = Annotated[
    SensorConfigInput,
    strawberry.argument(name="input", description="Which sensor, and its settings."),
]
Ref = Annotated[SensorRefInput, strawberry.argument(name="input", description="Which sensor.")]
Throttle = Annotated[
    timedelta | None,
    strawberry.argument(
        description="At most one event per sensor in this time, always the latest; what comes in "
        "between is left out."
    ),
]


async def find_sensor(
    context: Context, esp_id: str, gpio: int, sensor_type: str, address: str
) -> Sensor | None:
    """Return one sensor by the parts of its key; None: it is not known."""
    async with context.services.storage.autocommit() as work:
        found = await work.sensors.by_key(SensorKey(esp_id, gpio, sensor_type, address))
    return Sensor.of(found) if found else None


async def find_reading(
    context: Context, sensor_id: int, measured: int, reading_id: int
) -> Reading | None:
    """Return one reading by the parts of its id; None: it is not known.

    Args:
        context: Who asks.
        sensor_id: The row of its sensor.
        measured: The time measured, in microseconds since 1970.
        reading_id: Its own row.
    """
    async with context.services.storage.autocommit() as work:
        found = await work.readings.by_key(sensor_id, instant_of(measured), reading_id)
    return Reading.of(found) if found else None


@strawberry.type
class SensorQueries:
    """Reading sensors and what they said."""

    @field
    async def sensor(
        self,
        info: Info,
        esp_id: EspId,
        gpio: Gpio,
        sensor_type: SensorType,
        address: Address = None,
    ) -> Sensor | None:
        """One sensor; null: it is not known."""
        info.context.require(Role.VIEWER)
        key = SensorKey(esp_id, gpio, canonical_type(sensor_type), address or "")
        return await find_sensor(info.context, *key)

    @field
    async def sensors(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        esp_id: OnlyEspId = None,
        sensor_type: OnlySensorType = None,
        enabled: Enabled = None,
        first: First = None,
        after: After = None,
    ) -> SensorConnection:
        """The sensors, in order of device, pin, kind and address."""
        info.context.require(Role.VIEWER)
        request = SENSORS.request(first, after)
        kind = sensor_type and canonical_type(sensor_type)
        storage = info.context.services.storage
        async with storage.autocommit() as work:
            page = await work.sensors.page(
                request, esp_id=esp_id, sensor_type=kind, enabled=enabled
            )

        async def count() -> int:
            async with storage.autocommit() as work:
                return await work.sensors.count(esp_id=esp_id, sensor_type=kind, enabled=enabled)

        return SensorConnection.of(SENSORS, request, page, Sensor.of).counted_by(count)

    @field
    async def readings(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        esp_id: OnlyEspId = None,
        gpio: OnlyGpio = None,
        sensor_type: OnlySensorType = None,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> ReadingConnection:
        """Readings, newest first; `from` and `to` bound the time measured."""
        info.context.require(Role.VIEWER)
        if gpio is not None and esp_id is None:
            raise BadInputError("gpio needs espId: a pin alone names no sensor")
        request = READINGS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.readings.page(
                request,
                sensor_ids=await _sensor_ids(work, esp_id, gpio, sensor_type),
                start=start,
                end=end,
            )
        return ReadingConnection.of(READINGS, request, page, Reading.of)


async def _sensor_ids(
    work: UnitOfWork, esp_id: str | None, gpio: int | None, sensor_type: str | None
) -> list[int] | None:
    """Return the sensors chosen; None: all."""
    if esp_id is None and sensor_type is None:
        return None
    if esp_id is None:
        found = await work.sensors.all()
    else:
        found = (await work.sensors.of_devices([esp_id])).get(esp_id, ())
    kind = sensor_type and canonical_type(sensor_type)
    return [
        sensor.id
        for sensor in found
        if gpio in {None, sensor.key.gpio} and kind in {None, sensor.key.sensor_type}
    ]


@strawberry.type
class SensorMutations:
    """Setting up sensors."""

    @mutation
    async def set_sensor(self, info: Info, settings: Settings) -> Sensor:
        """Set up a sensor, new or known; its device is told. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        return Sensor.of(
            await info.context.services.configure.set_sensor(
                settings.key,
                name=settings.name,
                enabled=settings.enabled,
                interval=settings.interval,
                processing_mode=settings.processing_mode,
                thresholds=settings.thresholds,
                limits=settings.quality_limits,
                parameters=settings.parameters,
                sources=settings.source_keys,
            )
        )

    @mutation
    async def remove_sensor(self, info: Info, ref: Ref) -> bool:
        """Forget a sensor, and have its device forget it; false: it was not known. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        return await info.context.services.configure.remove_sensor(ref.key)


@strawberry.type
class SensorSubscriptions:
    """Watching what sensors say."""

    @subscription
    async def readings(
        self, info: Info, only: Filter = None, since: Since = None, throttle: Throttle = None
    ) -> AsyncGenerator[ReadingEvent, None]:
        """Tells readings as they are stored, of approved devices."""
        info.context.require(Role.VIEWER)
        services = info.context.services
        wants = wanted(services.registry, only)
        after = await resume_id(since, services.storage)
        source = stored_then_live(services.storage, services.events, after)
        readings = (reading async for reading in source if wants.sensor(reading.sensor.key))
        if throttle:
            readings = throttled(
                readings,
                key=lambda reading: reading.sensor.id,
                seconds=throttle.total_seconds(),
                clock=services.clock,
            )
        async with aclosing(source), aclosing(readings):
            async for reading in readings:
                yield ReadingEvent(
                    cursor=LIVE_READINGS.write((reading.id,)), reading=Reading.of(reading)
                )
