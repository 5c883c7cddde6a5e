"""Conversions that somebody asks for, in GraphQL."""

from typing import Self

import strawberry
from strawberry.scalars import JSON

from domain import sensors
from domain.errors import BadInputError
from domain.sensors import Quality
from domain.services.process import Outcome, Processed, ProcessRequest


@strawberry.input(description="A raw value, and what it is to be converted with.")
class ProcessReadingInput:
    """A request as clients write it."""

    sensor_type: str = strawberry.field(
        description="The kind of sensor, such as `ds18b20` or `ph`; in any spelling that devices "
        "use."
    )
    raw_value: float = strawberry.field(
        description="What the chip said; without effect where `rawValues` say it."
    )
    raw_values: JSON | None = strawberry.field(
        default=None,
        description="Where the chip says several numbers: a list of its channels in their order, "
        "an object of them by name, or an object of raw values by quantity, such as "
        '`{"temperature": 24173, "humidity": 26551}` of an SHT31; or what a virtual sensor is '
        "computed from, by parameter.",
    )
    parameters: JSON | None = strawberry.field(
        default=None,
        description='Of the conversion, by name, such as `{"offset": -0.5}`; the library\'s '
        "defaults hold for all others.",
    )
    unit: str | None = strawberry.field(
        default=None,
        description="Another unit of the same kind, in any usual spelling, such as `°F`.",
    )

    @property
    def request(self) -> ProcessRequest:
        """The request as the domain says it.

        Raises:
            BadInputError: `rawValues` or `parameters` are of another shape.
        """
        several, given = self.raw_values, self.parameters
        if several is not None and not isinstance(several, list | dict):
            raise BadInputError("rawValues takes a list or an object of numbers")
        if given is not None and not isinstance(given, dict):
            raise BadInputError("parameters takes an object of numbers")
        return ProcessRequest(
            sensor_type=self.sensor_type,
            raw_value=self.raw_value,
            raw_values=several,
            parameters=given or {},
            unit=self.unit,
            strict=True,
        )


@strawberry.type(description="What a raw value means; it was not stored.")
class ProcessedReading:
    """The result of a conversion."""

    value: float | None = strawberry.field(
        description="In `unit`; of the first quantity where there are several. null: it is no "
        "measurement, `error` says why."
    )
    unit: str | None = strawberry.field(description="The unit of the value.")
    quality: Quality = strawberry.field(description="How far it can be trusted.")
    values: JSON = strawberry.field(
        description='Every value by its quantity, such as `{"temperature": 19.55}`.'
    )
    library_name: str | None = strawberry.field(
        description="The library that converted it; null: it failed, the raw value was passed on."
    )
    library_version: str | None = strawberry.field(description="Its version.")
    processing_mode: sensors.ProcessingMode = strawberry.field(description="Who made the value.")
    processing_time_ms: float = strawberry.field(description="How long it took, in milliseconds.")
    reason: str | None = strawberry.field(
        description="Why the quality is what it is; null: there is nothing to say."
    )
    error: str | None = strawberry.field(
        description="Why there is no converted value; null: there is one."
    )

    @classmethod
    def of(cls, processed: Processed) -> Self:
        """Show a result to clients."""
        measured = processed.measurement
        return cls(
            value=measured.value,
            unit=measured.unit,
            quality=measured.quality,
            values=JSON(dict(processed.values)),
            library_name=measured.library,
            library_version=measured.library_version,
            processing_mode=measured.mode,
            processing_time_ms=round(processed.milliseconds, 3),
            reason=processed.reason,
            error=None if processed.outcome is Outcome.OK else processed.reason,
        )
