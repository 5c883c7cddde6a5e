"""What actuators did, how long they were on, and how often they were switched on, in GraphQL."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Self, TypeAlias

import strawberry

from domain import actuators, leases, runtimes
from domain.actuators import Pin
from domain.runtimes import Day
from schema.context import Info
from schema.pages import Connection, Cursors

RUNS = Cursors("runs")
CHANGES = Cursors("stateChanges")

strawberry.enum(
    actuators.EmergencyPhase,
    description=(
        "How far an emergency stop has come on one actuator. NORMAL: none. ACTIVE: stopped. "
        "CLEARING: being lifted. RESUMING: being brought back."
    ),
)

RuntimeFrom: TypeAlias = Annotated[
    datetime, strawberry.argument(name="from", description="From when on; at most 399 days long.")
]
RuntimeTo: TypeAlias = Annotated[
    datetime | None, strawberry.argument(name="to", description="Until when; now if left out.")
]


@strawberry.type(description="How an actuator was used on one day of the calendar.")
class DailyRuntime:
    """A day of a runtime."""

    day: date = strawberry.field(description="Which one, in the time zone of the runtime.")
    on_for: timedelta = strawberry.field(description="How long it was on.")
    starts: int = strawberry.field(description="How often it was switched on.")


@strawberry.type(description="How an actuator was used; by what its device confirmed.")
class Runtime:
    """A runtime as clients see it."""

    time_zone: str = strawberry.field(description="Whose days: the setting KAISER_TIMEZONE.")
    on_for: timedelta = strawberry.field(description="How long it was on, until now if it is.")
    starts: int = strawberry.field(description="How often it was switched on.")
    days: list[DailyRuntime] = strawberry.field(
        description="Each day, the earliest first; the first and the last may be parts of one."
    )

    @classmethod
    def of(cls, zone: str, days: Sequence[Day], used: Sequence[runtimes.Runtime]) -> Self:
        """Show a runtime to clients."""
        whole = runtimes.total(used)
        return cls(
            time_zone=zone,
            on_for=whole.on_for,
            starts=whole.starts,
            days=[
                DailyRuntime(day=day.date, on_for=part.on_for, starts=part.starts)
                for day, part in zip(days, used, strict=True)
            ],
        )


@strawberry.type(description="A time during which an actuator was on.")
class ActuatorRun:
    """A run as clients see it."""

    started_at: datetime = strawberry.field(description="When it was switched on.")
    ended_at: datetime = strawberry.field(description="When its device showed that it was off.")
    on_for: timedelta = strawberry.field(description="How long it was on.")

    @classmethod
    def of(cls, run: leases.Run) -> Self:
        """Show a run to clients."""
        return cls(started_at=run.began, ended_at=run.ended, on_for=run.ended - run.began)


@strawberry.type(description="A page of times during which an actuator was on, newest first.")
class ActuatorRunConnection(Connection[ActuatorRun]):
    """Runs, page by page."""


@strawberry.type(description="From when on a pin did something else than before, by its device.")
class ActuatorStateChange:
    """A change of a reported state."""

    at: datetime = strawberry.field(description="When the device said so.")
    value: float = strawberry.field(description="0.0 (off) to 1.0 (full), from then on.")
    is_active: bool = strawberry.field(description="Whether it is on at all.")
    emergency: actuators.EmergencyPhase = strawberry.field(
        description="How far an emergency stop had come here."
    )

    @classmethod
    def of(cls, change: actuators.StateChange) -> Self:
        """Show a change to clients."""
        return cls(**change._asdict())


@strawberry.type(description="A page of what an actuator did, newest first.")
class ActuatorStateChangeConnection(Connection[ActuatorStateChange]):
    """Changes of state, page by page."""


async def runtime_of(
    info: Info, pin: Pin, row_id: int, start: datetime, end: datetime | None
) -> Runtime:
    """Return how an actuator was used from a time until another, at most until now.

    Raises:
        BadInputError: It is no time, or too long a one.
    """
    services = info.context.services
    now = services.clock.now()
    days = runtimes.days(start, min(end or now, now), services.time_zone)
    async with services.storage.autocommit() as work:
        stored = await work.leases.runtimes(row_id, days)
    used = runtimes.with_lease(days, stored, services.send_command.leases.get(pin), now)
    return Runtime.of(services.time_zone.key, days, used)
