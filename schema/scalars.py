"""Instants, durations and free JSON as they are written on the wire."""

from datetime import date, datetime, timedelta

from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition, scalar

from domain.times import read_duration, read_instant, write_duration, write_instant

SCALARS: dict[object, ScalarDefinition] = {
    datetime: scalar(
        name="DateTime",
        description="An instant in UTC, RFC 3339. An input must say its offset: `Z` or `+02:00`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=write_instant,
        parse_value=read_instant,
    ),
    date: scalar(
        name="Date",
        description="A day of the calendar, such as `2026-05-01`, in the time zone of the place.",
        serialize=date.isoformat,
        parse_value=date.fromisoformat,
    ),
    timedelta: scalar(
        name="Duration",
        description=(
            "A length of time, ISO 8601, in days, hours, minutes and seconds: `PT5M`, `PT1.5S`, "
            "`P1DT12H`."
        ),
        serialize=write_duration,
        parse_value=read_duration,
    ),
    JSON: scalar(name="JSON", description="Any JSON value."),
}
"""How Python types are spelled in GraphQL; `app.graphql` hands it to the schema."""
