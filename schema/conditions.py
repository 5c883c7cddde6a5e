"""Conditions as clients write them, for interlocks and rules alike.

What is written goes on as plain JSON to `domain.rules.notation`, the one place that reads it: so a
complaint names its place in the same words wherever a condition came from.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from domain.rules import conditions, schedule, sun
from domain.times import write_duration
from schema.presence import DeviceStatus
from schema.sensors import SensorRefInput

if TYPE_CHECKING:
    from schema.actuators import ActuatorRefInput

strawberry.enum(
    conditions.Operator,
    name="ComparisonOperator",
    description="How two numbers are compared, exactly. BETWEEN: both ends included.",
)
strawberry.enum(
    schedule.DstPolicy,
    description=(
        "What becomes of a window on a day when the clock is put. ONCE: it opens exactly once. "
        "SKIP: one that falls into the leap altogether does not open. TWICE: of an hour that comes "
        "twice, both count."
    ),
)
strawberry.enum(sun.SunEvent, description="What the sun does at the horizon.")

_UNIT = "The unit of the numbers, such as `%` or `°C`; whatever the sensor measures in if left out."
_MAX_AGE = "How old a value may be to count, `PT1S` to `P7D`; 15 minutes if left out."

OptionalText = str | None
OptionalTime = timedelta | None


@strawberry.input(description="A sensor's value beyond a limit.")
class ThresholdInput:
    """A limit as clients write it."""

    sensor: SensorRefInput = strawberry.field(description="Which sensor.")
    operator: conditions.Operator = strawberry.field(description="How it is compared.")
    value: float = strawberry.field(description="The limit, in `unit`.")
    upper: float | None = strawberry.field(
        default=UNSET, description="The other end, in `unit`; only and always with BETWEEN."
    )
    unit: OptionalText = strawberry.field(default=UNSET, description=_UNIT)
    hold_for: OptionalTime = strawberry.field(
        default=UNSET, description="For how long without a break, up to `P7D`; no time if left out."
    )
    max_age: OptionalTime = strawberry.field(default=UNSET, description=_MAX_AGE)
    any_quality: bool | None = strawberry.field(
        default=UNSET,
        description="Whether a value counts that is BAD, SUSPECT or STALE, too: only in rules, and "
        "without `holdFor`. Such a rule cannot be backtested. No other condition takes one.",
    )


@strawberry.input(
    description="Holds beyond one limit until beyond another, and between them as it was. Either "
    "both for high values (`activateAbove`, `deactivateBelow`) or both for low ones."
)
class HysteresisInput:
    """Two limits as clients write them."""

    sensor: SensorRefInput = strawberry.field(description="Which sensor.")
    activate_above: float | None = strawberry.field(
        default=UNSET, description="Holds above it, in `unit`."
    )
    deactivate_below: float | None = strawberry.field(
        default=UNSET, description="No longer holds below it, in `unit`."
    )
    activate_below: float | None = strawberry.field(
        default=UNSET, description="Holds below it, in `unit`."
    )
    deactivate_above: float | None = strawberry.field(
        default=UNSET, description="No longer holds above it, in `unit`."
    )
    unit: OptionalText = strawberry.field(default=UNSET, description=_UNIT)
    max_age: OptionalTime = strawberry.field(default=UNSET, description=_MAX_AGE)


@strawberry.input(description="One sensor's value against another's: left operator right + offset.")
class ComparisonInput:
    """A comparison as clients write it."""

    left: SensorRefInput = strawberry.field(description="Whose value is compared.")
    operator: conditions.Operator = strawberry.field(description="How; any but BETWEEN.")
    right: SensorRefInput = strawberry.field(description="With whose value.")
    offset: float | None = strawberry.field(
        default=UNSET,
        description="Added to the right one, in the unit of the left one; 0 if left out.",
    )
    max_age: OptionalTime = strawberry.field(default=UNSET, description=_MAX_AGE)


@strawberry.input(description="How fast a sensor's value changes.")
class RateInput:
    """A rate as clients write it."""

    sensor: SensorRefInput = strawberry.field(description="Which sensor.")
    operator: conditions.Operator = strawberry.field(description="How it is compared.")
    value: float = strawberry.field(
        description="The limit of the change per minute, in `unit`; rising is positive."
    )
    upper: float | None = strawberry.field(
        default=UNSET, description="The other end; only and always with BETWEEN."
    )
    unit: OptionalText = strawberry.field(default=UNSET, description=_UNIT)
    over: timedelta = strawberry.field(
        description="The time over which it is taken, `PT1M` to `P7D`."
    )
    max_age: OptionalTime = strawberry.field(default=UNSET, description=_MAX_AGE)


@strawberry.input(description="A part of the day, by the wall clock of a place.")
class TimeWindowInput:
    """A window as clients write it."""

    start: str = strawberry.field(description="When it opens, `22:00`.")
    end: str = strawberry.field(
        description="When it closes, up to `24:00`; before `start`: on the day after."
    )
    days: list[int] | None = strawberry.field(
        default=UNSET, description="Days on which it opens, 0 = Monday; every day if left out."
    )
    time_zone: OptionalText = strawberry.field(
        default=UNSET,
        description="An IANA name such as `Europe/Berlin`; KAISER_TIMEZONE if left out.",
    )
    dst: schedule.DstPolicy | None = strawberry.field(
        default=UNSET, description="What happens when that clock is put; ONCE if left out."
    )


@strawberry.input(description="An event of the sun, with an offset.")
class SunEdgeInput:
    """An edge as clients write it."""

    event: sun.SunEvent = strawberry.field(description="Which event.")
    offset: OptionalText = strawberry.field(
        default=UNSET,
        description="How much later, `PT30M`, or earlier, `-PT30M`; at most 12 hours.",
    )


@strawberry.input(description="From one event of the sun to another.")
class SunInput:
    """A window of the sun as clients write it."""

    from_: SunEdgeInput = strawberry.field(name="from", description="When it opens.")
    to: SunEdgeInput = strawberry.field(description="When it closes.")
    latitude: float | None = strawberry.field(
        default=UNSET, description="Degrees, north is positive; KAISER_PLACE if left out."
    )
    longitude: float | None = strawberry.field(
        default=UNSET, description="Degrees, east is positive; KAISER_PLACE if left out."
    )


@strawberry.input(description="A sensor has said nothing good for a time.")
class StaleInput:
    """Silence as clients write it."""

    sensor: SensorRefInput = strawberry.field(description="Which sensor.")
    older_than: timedelta = strawberry.field(description="For how long, `PT1S` to `P7D`.")


@strawberry.input(description="A device is there, is not, or is in another state.")
class DeviceStatusInput:
    """A device's state as clients write it."""

    esp_id: str = strawberry.field(description="The device, by its `espId`.")
    status: DeviceStatus = strawberry.field(description="The state.")


@strawberry.input(description="What an actuator does; either `on` or `atLeast`.")
class ActuatorStateInput:
    """An actuator's state as clients write it."""

    actuator: Annotated["ActuatorRefInput", strawberry.lazy("schema.actuators")] = strawberry.field(
        description="Which actuator."
    )
    on: bool | None = strawberry.field(
        default=UNSET, description="Whether it must be on, or must be off."
    )
    at_least: float | None = strawberry.field(
        default=UNSET, description="The least power, more than 0.0 up to 1.0."
    )
    max_age: OptionalTime = strawberry.field(
        default=UNSET,
        description="How old its device's word may be; it counts until the next if left out.",
    )


@strawberry.input(
    one_of=True,
    description="Something that holds, does not, or is not known: what is missing, stale, or of "
    "bad quality is not known. At most 64 parts, 8 deep.",
)
class ConditionInput:
    """A condition as clients write it."""

    all: list["ConditionInput"] | None = strawberry.field(
        default=UNSET, description="Every one of these holds."
    )
    any: list["ConditionInput"] | None = strawberry.field(
        default=UNSET, description="One of these holds."
    )
    not_: "ConditionInput | None" = strawberry.field(
        name="not", default=UNSET, description="This does not hold."
    )
    threshold: ThresholdInput | None = strawberry.field(
        default=UNSET, description="A sensor's value beyond a limit."
    )
    hysteresis: HysteresisInput | None = strawberry.field(
        default=UNSET, description="On beyond one limit, off beyond another."
    )
    comparison: ComparisonInput | None = strawberry.field(
        default=UNSET, description="One sensor's value against another's."
    )
    rate: RateInput | None = strawberry.field(
        default=UNSET, description="How fast a sensor's value changes."
    )
    time_window: TimeWindowInput | None = strawberry.field(
        default=UNSET, description="A part of the day."
    )
    sun: SunInput | None = strawberry.field(
        default=UNSET, description="From one event of the sun to another."
    )
    stale: StaleInput | None = strawberry.field(
        default=UNSET, description="A sensor has said nothing good for a time."
    )
    device_status: DeviceStatusInput | None = strawberry.field(
        default=UNSET, description="A device is there or not."
    )
    actuator_state: ActuatorStateInput | None = strawberry.field(
        default=UNSET, description="An actuator is on or off."
    )


def written(given: object) -> Any:  # noqa: ANN401 - JSON
    """Return an input as the JSON that it was written as; what was left out is left out."""
    if is_dataclass(given) and not isinstance(given, type):
        found = {field.name: getattr(given, field.name) for field in fields(given)}
        return {
            to_camel_case(name.rstrip("_")): written(value)
            for name, value in found.items()
            if value is not UNSET and value is not None
        }
    match given:
        case Enum():
            return given.value
        case timedelta():
            return write_duration(given)
        case Mapping():
            return {key: written(value) for key, value in given.items()}
        case list():
            return [written(value) for value in given]
        case _:
            return given
