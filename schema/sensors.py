"""Sensors and their readings in GraphQL."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain import sensors
from domain.conversion_plans import lacking
from domain.errors import BadInputError, NotFoundError
from domain.recomputations import recomputed_at
from domain.series import DEFAULT_POINTS, MOST_POINTS, Bucket, told_in, window
from domain.units import convert, shown
from schema.arguments import After, First, From, To
from schema.context import Info
from schema.fields import field
from schema.ids import global_id, microseconds
from schema.nodes import Node
from schema.pages import Connection, CountedConnection, Cursors
from schema.parameters import EffectiveParameter, ParameterSource
from schema.thresholds import ThresholdState

if TYPE_CHECKING:
    from schema.calibrations import Calibration, CalibrationConnection
    from schema.devices import Device

Every = Annotated[
    timedelta | None,
    strawberry.argument(
        description="How long a bucket is; if left out, as long as `maxPoints` demands, and round."
    ),
]
MaxPoints = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many buckets at most, 1 to {MOST_POINTS}; if left out {DEFAULT_POINTS}, "
        f"or {MOST_POINTS} where `every` is given."
    ),
]
OtherUnit = Annotated[
    str | None,
    strawberry.argument(
        description="Another unit of the same kind, in any usual spelling, such as `°F` or `mS/cm`."
    ),
]
SeriesFrom = Annotated[
    datetime, strawberry.argument(name="from", description="Only what was measured then or later.")
]
SeriesTo = Annotated[
    datetime | None,
    strawberry.argument(name="to", description="Only what was measured before; now if left out."),
]

SENSORS = Cursors("sensors")
READINGS = Cursors("readings")

strawberry.enum(
    sensors.Quality,
    description=(
        "How far a reading can be trusted. EXCELLENT to BAD: graded by the device or the library. "
        "STALE: too old. SUSPECT: implausible. ERROR: the sensor failed. UNKNOWN: nobody said."
    ),
)
strawberry.enum(
    sensors.ProcessingMode,
    description=(
        "Who made the value. PI_ENHANCED: a library of the server. LOCAL: the device itself. RAW: "
        "nobody, the raw value was passed through."
    ),
)


@strawberry.type(description="A sensor: one quantity that one chip on one pin measures.")
class Sensor(Node):
    """A sensor with its readings."""

    gpio: int = strawberry.field(description="The pin, 0 to 255; sensors on a bus report 0.")
    sensor_type: str = strawberry.field(
        description="The kind of sensor, lower case, such as `ds18b20`, `sht31_temp` or `ph`."
    )
    address: str | None = strawberry.field(
        description="I2C address (decimal) or OneWire ROM (hex) where several share a pin."
    )
    name: str = strawberry.field(description="What people call it.")
    enabled: bool = strawberry.field(description="Whether its device reads it.")
    interval: timedelta | None = strawberry.field(
        description="The time between two samples; null: as the device does by itself."
    )
    processing_mode: sensors.ProcessingMode | None = strawberry.field(
        description="Who is to convert its raw values; null: as the device does by itself."
    )
    thresholds: JSON | None = strawberry.field(
        description="Where people want to be told, as in `SensorConfigInput`; null: nowhere."
    )
    quality_limits: JSON | None = strawberry.field(
        description="What is believable of it where that is not as its library says, as "
        "`SensorConfigInput.qualityLimits`."
    )
    parameters: JSON = strawberry.field(
        description="What its owner set of its library's parameters, by name; "
        "`effectiveParameters` tells what holds."
    )
    created_at: datetime = strawberry.field(description="When the server first knew it.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    named_sources: strawberry.Private[Mapping[str, sensors.SensorKey]]
    own_unit: strawberry.Private[str | None]
    row_id: strawberry.Private[int]
    esp_id: strawberry.Private[str]

    @classmethod
    def of(cls, sensor: sensors.Sensor) -> Self:
        """Show a sensor to clients."""
        return cls(
            id=global_id("Sensor", *sensor.key),
            gpio=sensor.key.gpio,
            sensor_type=sensor.key.sensor_type,
            address=sensor.key.address or None,
            name=sensor.name,
            enabled=sensor.enabled,
            interval=sensor.interval,
            processing_mode=sensor.processing_mode,
            thresholds=JSON(sensor.thresholds.as_json()) if sensor.thresholds else None,
            quality_limits=JSON(sensor.limits.as_json()) if sensor.limits else None,
            parameters=JSON(dict(sensor.parameters)),
            created_at=sensor.created_at,
            updated_at=sensor.updated_at,
            named_sources=sensor.sources,
            own_unit=sensor.unit,
            row_id=sensor.id,
            esp_id=sensor.key.esp_id,
        )

    @field
    def unit(self, info: Info) -> str | None:
        """The unit of its values, such as `°C`: that of its library where nobody names another.

        Null where no library reads it, and where nobody converts it.
        """
        return self._known_unit(info)

    @field
    def threshold_state(self, info: Info) -> ThresholdState | None:
        """Where it stands to its thresholds; null: it has none, or nothing could be compared yet.

        What cannot be compared: readings that are bad, late, or in a unit that does not fit.
        """
        standing = info.context.services.watch_thresholds.standing(self.row_id)
        return ThresholdState.of(standing) if standing else None

    @field
    async def device(self, info: Info) -> Annotated["Device", strawberry.lazy("schema.devices")]:
        """The device it hangs on."""
        from schema.devices import Device  # noqa: PLC0415 - devices show sensors, sensors devices

        device = await info.context.loaders.devices.load(self.esp_id)
        if device is None:
            raise NotFoundError(f"the device {self.esp_id} is gone")
        return Device.of(device)

    @field
    async def sources(self, info: Info) -> list[ParameterSource]:
        """Which sensors its owner named to fill its parameters, by name of the parameter."""
        registry = info.context.services.registry
        found = {name: registry.sensor(key) for name, key in sorted(self.named_sources.items())}
        return [
            ParameterSource(parameter=name, sensor=Sensor.of(source) if source else None)
            for name, source in found.items()
        ]

    @field
    async def lacks(self, info: Info) -> str | None:
        """What it needs of another sensor, and none gives it; null: nothing.

        A virtual sensor has no readings meanwhile; others assume something, and say so in theirs.
        """
        services = info.context.services
        sensor = services.registry.sensor_by_id(self.row_id)
        recipe = services.convert.libraries.recipe(self.sensor_type)
        plan = (await services.convert.plans()).by_sensor.get(self.row_id)
        if sensor is None or recipe is None or plan is None:
            return None
        known = await services.convert.effective(sensor, services.clock.now())
        return lacking(plan, recipe, known)

    @field
    async def effective_parameters(self, info: Info) -> list[EffectiveParameter]:
        """What its next conversion would take for each parameter of its library, and from where.

        None where no library reads it.
        """
        services = info.context.services
        sensor = services.registry.sensor_by_id(self.row_id)
        if sensor is None:
            raise NotFoundError("this sensor is gone")
        effective = await services.convert.effective(sensor, services.clock.now())
        return [EffectiveParameter.of(known) for known in effective]

    @field
    async def latest(self, info: Info) -> "Reading | None":
        """Its newest reading by time measured; null: it has none."""
        reading = await info.context.loaders.latest.load(self.row_id)
        return Reading.of(reading) if reading else None

    @field
    async def readings(
        self,
        info: Info,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> "ReadingConnection":
        """Its readings, newest first; `from` and `to` bound the time measured."""
        info.context.loaders.spend_page()
        request = READINGS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.readings.page(request, sensor_ids=[self.row_id], start=start, end=end)
        return ReadingConnection.of(READINGS, request, page, Reading.of)

    @field
    async def calibration(
        self, info: Info
    ) -> Annotated["Calibration", strawberry.lazy("schema.calibrations")] | None:
        """The calibration in force; null: it was never calibrated."""
        from schema.calibrations import Calibration  # noqa: PLC0415 - they show sensors

        found = await info.context.loaders.calibrations.load(self.row_id)
        return Calibration.of(found) if found else None

    @field
    async def calibrations(
        self, info: Info, first: First = None, after: After = None
    ) -> Annotated["CalibrationConnection", strawberry.lazy("schema.calibrations")]:
        """All its calibrations, newest first."""
        from schema.calibrations import (  # noqa: PLC0415 - they show sensors
            CALIBRATIONS,
            Calibration,
            CalibrationConnection,
        )

        info.context.loaders.spend_page()
        request = CALIBRATIONS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.calibrations.page(self.row_id, request)
        return CalibrationConnection.of(CALIBRATIONS, request, page, Calibration.of)

    @field
    async def series(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        start: SeriesFrom,
        end: SeriesTo = None,
        every: Every = None,
        max_points: MaxPoints = None,
        unit: OtherUnit = None,
    ) -> "Series":
        """Its readings over time, put together in buckets; empty ones are left out.

        Of readings that have a value, and of a quality other than BAD, SUSPECT and ERROR.
        """
        info.context.loaders.spend_page()
        services = info.context.services
        chosen = window(start, end or services.clock.now(), every, max_points)
        async with services.storage.autocommit() as work:
            buckets = await work.series.buckets(self.row_id, chosen)
        told, points = told_in(buckets, unit)
        return Series(
            sensor=self,
            every=chosen.every,
            unit=told or self._known_unit(info),
            points=[SeriesPoint.of(bucket) for bucket in points],
        )

    def _known_unit(self, info: Info) -> str | None:
        if self.own_unit is not None or self.processing_mode is sensors.ProcessingMode.RAW:
            return self.own_unit
        return info.context.services.configure.unit_of(self.sensor_type)


@strawberry.type(description="The readings of a sensor over time.")
class Series:
    """A series of buckets."""

    sensor: Sensor = strawberry.field(description="Whose readings they are.")
    every: timedelta = strawberry.field(
        description="How long a bucket is; all begin at multiples of it since 2000-01-01 UTC."
    )
    unit: str | None = strawberry.field(
        description="The unit of all values: the one asked for, else that of the newest value "
        "that has one."
    )
    points: list["SeriesPoint"] = strawberry.field(
        description="The buckets that are not empty, oldest first."
    )


@strawberry.type(description="What was measured in one bucket of a series.")
class SeriesPoint:
    """A bucket of readings."""

    start: datetime = strawberry.field(
        description="When the bucket begins; the first may begin before `from`."
    )
    count: int = strawberry.field(description="How many readings are in it, 1 or more.")
    mean: float | None = strawberry.field(description="Their mean, in the unit of the series.")
    min: float | None = strawberry.field(description="The smallest.")
    max: float | None = strawberry.field(description="The largest.")
    last: float | None = strawberry.field(description="The one that was measured last.")

    @classmethod
    def of(cls, bucket: Bucket) -> Self:
        """Show a bucket to clients."""
        return cls(
            start=bucket.start,
            count=bucket.size,
            mean=bucket.mean,
            min=bucket.low,
            max=bucket.high,
            last=bucket.last,
        )


@strawberry.type(
    description="One measurement. What the device sent never changes, what was made of it only by "
    "`recomputeReadings`."
)
class Reading(Node):
    """A reading of a sensor."""

    sensor: Sensor = strawberry.field(description="The sensor, as it was known at the time.")
    timestamp: datetime = strawberry.field(
        description="When it was measured, by the device's clock; when it was received where that "
        "clock was unknown."
    )
    received_at: datetime = strawberry.field(description="When the server had it.")
    raw_value: float = strawberry.field(
        description="What the chip said, in its own steps (volts, ADC counts, ...)."
    )
    unit: str | None = strawberry.field(
        description="The unit of `value` where no other is asked for, such as `°C`."
    )
    quality: sensors.Quality = strawberry.field(description="How far it can be trusted.")
    processing_mode: sensors.ProcessingMode = strawberry.field(description="Who made `value`.")
    library_version: str | None = strawberry.field(
        description="The version of the library that converted it; null where none did."
    )
    metadata: JSON | None = strawberry.field(
        description="Why the quality is what it is, where there is something to say: `reason` is a "
        "sentence, `reasons` lists `code` and `text` of each. And `inputs`: what was taken from "
        "other sensors, by parameter."
    )
    recomputed_at: datetime | None = strawberry.field(
        description="When it was converted again; null: it says what it said when it came in."
    )
    measured: strawberry.Private[float | None]
    calibration_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, reading: sensors.Reading) -> Self:
        """Show a reading to clients."""
        made = reading.measurement
        return cls(
            id=global_id(
                "Reading", reading.sensor.id, microseconds(reading.measured_at), reading.id
            ),
            sensor=Sensor.of(reading.sensor),
            timestamp=reading.measured_at,
            received_at=reading.received_at,
            raw_value=reading.raw_value,
            measured=made.value,
            calibration_id=made.calibration_id,
            unit=made.unit,
            quality=made.quality,
            processing_mode=made.mode,
            library_version=made.library_version,
            metadata=None if made.notes is None else JSON(dict(made.notes)),
            recomputed_at=recomputed_at(made),
        )

    @field
    async def calibration(
        self, info: Info
    ) -> Annotated["Calibration", strawberry.lazy("schema.calibrations")] | None:
        """The calibration whose parameters it was converted with; null: none was in force."""
        from schema.calibrations import Calibration  # noqa: PLC0415 - they show sensors

        if self.calibration_id is None:
            return None
        found = await info.context.loaders.calibrations_by_id.load(self.calibration_id)
        return Calibration.of(found) if found else None

    @field
    def value(self, unit: OtherUnit = None) -> float | None:
        """The converted value, in `unit` or the unit asked for; null: nothing true can be said."""
        if unit is None:
            return self.measured
        if self.unit is None:
            raise BadInputError(f"this reading has no unit, so there is none in {unit[:40]}")
        converted = convert(self.measured or 0.0, self.unit, unit)
        return None if self.measured is None else shown(converted)


@strawberry.type(description="A page of sensors, in order of device, pin, kind and address.")
class SensorConnection(CountedConnection[Sensor]):
    """Sensors, page by page."""


@strawberry.type(description="A page of readings, newest first.")
class ReadingConnection(Connection[Reading]):
    """Readings, page by page; they are too many to be counted."""


@strawberry.type(description="A reading was stored.")
class ReadingEvent:
    """What the subscription readings tells."""

    cursor: str = strawberry.field(
        description="`since` of a subscription that goes on behind this reading."
    )
    reading: Reading = strawberry.field(description="What was measured.")


@strawberry.input(description="Which sensor.")
class SensorRefInput:
    """A sensor's key as clients write it."""

    esp_id: str = strawberry.field(description="The device, by its `espId`.")
    gpio: int = strawberry.field(description="The pin, 0 to 254; 0 for a sensor on a bus.")
    sensor_type: str = strawberry.field(
        description="The kind of sensor, in any spelling that devices use."
    )
    address: str | None = strawberry.field(
        default=None,
        description="I2C address (decimal) or OneWire ROM (hex); only where several share a pin.",
    )

    @property
    def key(self) -> sensors.SensorKey:
        """The key as the domain says it."""
        kind = sensors.canonical_type(self.sensor_type)
        return sensors.SensorKey(self.esp_id, self.gpio, kind, self.address or "")


@strawberry.input(description="Which sensor fills a parameter of another.")
class ParameterSourceInput:
    """A source as clients write it."""

    parameter: str = strawberry.field(description="The name of the parameter.")
    sensor: SensorRefInput = strawberry.field(description="Who fills it, on any device.")


@strawberry.input(description="How a sensor is set up; what is left out stays as it is.")
class SensorConfigInput(SensorRefInput):
    """The settings of a sensor as clients write them."""

    name: str | None = strawberry.field(default=None, description="What people call it.")
    enabled: bool | None = strawberry.field(
        default=None, description="Whether its device reads it; a new one is read."
    )
    interval: timedelta | None = strawberry.field(
        default=None, description="The time between two samples, `PT1S` to `PT5M`."
    )
    processing_mode: sensors.ProcessingMode | None = strawberry.field(
        default=None, description="Who converts its raw values; RAW: nobody."
    )
    thresholds: JSON | None = strawberry.field(
        default=None,
        description="Where to tell people, in `systemEvents`: an object of `unit`, `warning` and "
        "`alarm`, each with `low`, `high` or both, and `hysteresis`, how far a value must come "
        "back behind a limit. "
        '`{"unit": "°C", "alarm": {"high": 35}, "hysteresis": 1}`; `{}` ends it.',
    )
    quality_limits: JSON | None = strawberry.field(
        default=None,
        description="What is believable of it, where that is not as its library says: an object of "
        "`unit`, `valid` and `typical` ([low, high]), `maxRate` (unit per second), `stuckAfter`, "
        "`warmUp` and `lateAfter` (seconds); `{}` ends it.",
    )
    parameters: JSON | None = strawberry.field(
        default=None,
        description="What its library needs to know of it, by name, as `Sensor.effectiveParameters`"
        ' lists them; all that were set before are replaced. `{"offset": -0.5}`; `{}` ends it.',
    )
    sources: list[ParameterSourceInput] | None = strawberry.field(
        default=None,
        description="Which sensors fill which of its parameters with what they said last, such as "
        "the temperature of a pH meter; all that were named before are replaced. `[]` ends it.",
    )

    @property
    def source_keys(self) -> list[tuple[str, sensors.SensorKey]] | None:
        """The sources as the domain says them; None: nothing is said of them."""
        if self.sources is None:
            return None
        return [(source.parameter, source.sensor.key) for source in self.sources]
