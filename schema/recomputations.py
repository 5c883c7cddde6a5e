"""Recomputations in GraphQL: the past of a sensor, before and after."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from domain import recomputations
from domain.errors import NotFoundError
from domain.sensors import Quality
from domain.services import recompute
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node
from schema.pages import Connection, Cursors
from schema.parameters import EffectiveParameter
from schema.users import User

if TYPE_CHECKING:
    from schema.calibrations import Calibration
    from schema.sensors import Sensor

RECOMPUTATIONS = Cursors("recomputations")

strawberry.enum(
    recomputations.RecomputationState,
    description="PLANNED: it waits for its turn. RUNNING. DONE: it can be taken back for 30 days. "
    "TAKING_BACK: readings become what they were. TAKEN_BACK, CANCELLED, FAILED: all readings are "
    "as they were before.",
)


@strawberry.type(description="What many values have in common.")
class ValueSummary:
    """A tally."""

    count: int = strawberry.field(description="How many there are.")
    mean: float | None = strawberry.field(description="Their mean; null: there are none.")
    min: float | None = strawberry.field(description="The smallest; null: there are none.")
    max: float | None = strawberry.field(description="The largest; null: there are none.")

    @classmethod
    def of(cls, tally: recomputations.Tally) -> Self:
        """Show a tally to clients."""
        low, high = (tally.low, tally.high) if tally.size else (None, None)
        return cls(count=tally.size, mean=tally.mean, min=low, max=high)


@strawberry.type(description="How often one quality became another.")
class QualityChange:
    """A change of quality."""

    before: Quality = strawberry.field(description="What it was.")
    after: Quality = strawberry.field(description="What it became.")
    count: int = strawberry.field(description="How often.")


@strawberry.type(description="Readings before and after they are converted again.")
class RecomputationSummary:
    """A summary."""

    rows: int = strawberry.field(description="How many readings were looked at.")
    changed: int = strawberry.field(description="Of how many the value differs.")
    local: int = strawberry.field(
        description="How many are left alone because their devices made the value."
    )
    unconverted: int = strawberry.field(
        description="How many are left alone because nobody can convert them now."
    )
    before: ValueSummary = strawberry.field(
        description="What values were, as far as they had the unit that they have now."
    )
    after: ValueSummary = strawberry.field(description="What they became.")
    largest_change: float = strawberry.field(
        description="The largest difference of a value from what it was, in the same unit."
    )
    quality_changes: list[QualityChange] = strawberry.field(
        description="Which qualities became others; the rest stayed."
    )

    @classmethod
    def of(cls, summary: recomputations.Summary) -> Self:
        """Show a summary to clients."""
        changes = sorted(summary.quality_changes.items(), key=lambda change: -change[1])
        return cls(
            rows=summary.rows,
            changed=summary.changed,
            local=summary.local,
            unconverted=summary.unconverted,
            before=ValueSummary.of(summary.before),
            after=ValueSummary.of(summary.after),
            largest_change=summary.largest_change,
            quality_changes=[
                QualityChange(before=before, after=after, count=count)
                for (before, after), count in changes
            ],
        )


@strawberry.type(description="What converting the past again would change.")
class RecomputationPreview:
    """A preview."""

    total: int = strawberry.field(description="How many readings there are in that time.")
    complete: bool = strawberry.field(
        description=f"Whether the summary is of all of them. Of more than {recompute.PREVIEWED} it "
        "is of samples: stretches, spread evenly over that time."
    )
    summary: RecomputationSummary = strawberry.field(description="Before and after.")
    parameters: list[EffectiveParameter] = strawberry.field(
        description="What is taken for each parameter of the library, whatever its owner had set "
        "at that time: that is not kept. What a named `sensor` said then goes first."
    )

    @classmethod
    def of(cls, preview: recompute.Preview) -> Self:
        """Show a preview to clients."""
        return cls(
            total=preview.total,
            complete=preview.complete,
            summary=RecomputationSummary.of(preview.summary),
            parameters=[EffectiveParameter.of(known) for known in preview.parameters],
        )


@strawberry.type(description="The past of a sensor, converted again; raw values never change.")
class Recomputation(Node):
    """A recomputation and how far it has come."""

    state: recomputations.RecomputationState = strawberry.field(description="How far it has come.")
    progress: float = strawberry.field(
        description="The part that is done, 0 to 1; while TAKING_BACK, of taking it back."
    )
    rows_per_second: float | None = strawberry.field(
        description="How many readings are converted in a second, rests included; null: none yet."
    )
    start: datetime = strawberry.field(
        name="from", description="Readings measured then or later are converted."
    )
    end: datetime = strawberry.field(
        name="to", description="Readings measured before are converted."
    )
    total: int = strawberry.field(description="How many readings that were when it was ordered.")
    library_version: str | None = strawberry.field(
        description="The version of the library that converts all of them; null: not known yet."
    )
    summary: RecomputationSummary = strawberry.field(
        description="Before and after, of the readings that were converted so far."
    )
    reason: str | None = strawberry.field(description="Why it failed; null: it did not.")
    requested_at: datetime = strawberry.field(description="When it was ordered.")
    ended_at: datetime | None = strawberry.field(
        description="When it came to its end; null: it is under way."
    )
    sensor_id: strawberry.Private[int]
    calibration_id: strawberry.Private[UUID | None]
    requested_by_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, recomputation: recomputations.Recomputation) -> Self:
        """Show a recomputation to clients."""
        return cls(
            id=global_id("Recomputation", recomputation.id),
            state=recomputation.state,
            progress=recomputation.progress,
            rows_per_second=recomputation.rows_per_second,
            start=recomputation.span.start,
            end=recomputation.span.end,
            total=recomputation.total,
            library_version=recomputation.library_version,
            summary=RecomputationSummary.of(recomputation.summary),
            reason=recomputation.reason,
            requested_at=recomputation.requested_at,
            ended_at=recomputation.ended_at,
            sensor_id=recomputation.span.sensor_id,
            calibration_id=recomputation.calibration_id,
            requested_by_id=recomputation.requested_by,
        )

    @field
    def sensor(self, info: Info) -> Annotated["Sensor", strawberry.lazy("schema.sensors")]:
        """The sensor whose past it is."""
        from schema.sensors import Sensor  # noqa: PLC0415 - it is lazy above for the same reason

        sensor = info.context.services.registry.sensor_by_id(self.sensor_id)
        if sensor is None:
            raise NotFoundError("the sensor was removed")
        return Sensor.of(sensor)

    @field
    async def calibration(
        self, info: Info
    ) -> Annotated["Calibration", strawberry.lazy("schema.calibrations")] | None:
        """The calibration that is used; null: none."""
        from schema.calibrations import Calibration  # noqa: PLC0415 - lazy above, as well

        if self.calibration_id is None:
            return None
        found = await info.context.loaders.calibrations_by_id.load(self.calibration_id)
        return Calibration.of(found) if found else None

    @field
    async def requested_by(self, info: Info) -> User | None:
        """Who ordered it; null: the account is gone."""
        if self.requested_by_id is None:
            return None
        user = await info.context.loaders.users.load(self.requested_by_id)
        return User.of(user) if user else None


@strawberry.type(description="A page of recomputations, newest first.")
class RecomputationConnection(Connection[Recomputation]):
    """Recomputations, page by page."""
