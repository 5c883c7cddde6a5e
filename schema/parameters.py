"""What conversions depend on, in GraphQL: parameters of sensors, and the sensors that fill them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from domain import conversion_plans

if TYPE_CHECKING:
    from schema.sensors import Sensor

LazySensor = Annotated["Sensor", strawberry.lazy("schema.sensors")]

strawberry.enum(
    conversion_plans.Origin,
    name="ParameterOrigin",
    description=(
        "Where a parameter comes from, from the weakest to the strongest. DEFAULT: the library. "
        "OWNER: `SensorConfigInput.parameters`. CALIBRATION: the one in force. COMPANION: what "
        "another sensor said last."
    ),
)


@strawberry.type(description="A parameter that another sensor fills, because its owner said so.")
class ParameterSource:
    """A source that was named."""

    parameter: str = strawberry.field(description="The name of the parameter.")
    sensor: LazySensor | None = strawberry.field(
        description="Who fills it; null: that sensor was removed."
    )


@strawberry.type(description="What a conversion would take for a parameter now.")
class EffectiveParameter:
    """A parameter with its value and where that comes from."""

    name: str = strawberry.field(description="As in `SensorConfigInput.parameters`.")
    value: float | None = strawberry.field(
        description="Its value; null: there is none, and nothing can be said without it."
    )
    unit: str | None = strawberry.field(description="The unit of the value, such as `°C`.")
    origin: conversion_plans.Origin = strawberry.field(description="Where it comes from.")
    sensor: LazySensor | None = strawberry.field(
        description="Who fills it, or would if it said something fresh and good; null: no sensor."
    )
    at: datetime | None = strawberry.field(
        description="When that sensor measured the value; null: it is not from there."
    )
    low: float = strawberry.field(description="The smallest that may be set.")
    high: float = strawberry.field(description="The largest that may be set.")
    description: str = strawberry.field(description="What it is.")

    @classmethod
    def of(cls, known: conversion_plans.Effective) -> Self:
        """Show a parameter to clients."""
        from schema.sensors import Sensor  # noqa: PLC0415 - sensors show parameters

        parameter = known.parameter
        return cls(
            name=parameter.name,
            value=known.value,
            unit=parameter.unit or None,
            origin=known.origin,
            sensor=Sensor.of(known.source) if known.source else None,
            at=known.at,
            low=parameter.low,
            high=parameter.high,
            description=parameter.description,
        )
