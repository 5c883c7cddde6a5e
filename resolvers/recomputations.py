"""Root fields about recomputations of the past."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.errors import BadInputError, NotFoundError
from domain.users import Role
from schema.arguments import After, First
from schema.context import Context, Info
from schema.fields import field, mutation
from schema.ids import key_of
from schema.recomputations import (
    RECOMPUTATIONS,
    Recomputation,
    RecomputationConnection,
    RecomputationPreview,
)
from schema.sensors import SensorRefInput, SeriesFrom, SeriesTo

Ref = Annotated[SensorRefInput, strawberry.argument(name="sensor", description="Whose past it is.")]
OnlyRef = Annotated[
    SensorRefInput | None,
    strawberry.argument(name="sensor", description="Only of this sensor."),
]
WhichCalibration = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        name="calibration",
        description="The `id` of the calibration to use; the one in force if left out.",
    ),
]
RecomputationId = Annotated[
    strawberry.ID,
    strawberry.argument(name="id", description="The `id` that recomputeReadings returned."),
]


def _uuid(kind: str, text: str) -> UUID:
    """Return the id of a thing.

    Raises:
        BadInputError: It is the id of something else.
    """
    try:
        (part,) = key_of(kind, text)
        return UUID(part)
    except ValueError:
        raise BadInputError(f"this is not the id of a {kind}") from None


def _calibration(text: str | None) -> UUID | None:
    return None if text is None else _uuid("Calibration", text)


async def find_recomputation(context: Context, recomputation_id: UUID) -> Recomputation | None:
    """Return a recomputation by its id."""
    async with context.services.storage.autocommit() as work:
        found = await work.recomputations.by_id(recomputation_id)
    return Recomputation.of(found) if found else None


@strawberry.type
class RecomputationQueries:
    """Seeing what converting the past again would change, and what it did."""

    @field
    async def preview_recomputation(
        self,
        info: Info,
        sensor: Ref,
        start: SeriesFrom,
        end: SeriesTo = None,
        calibration: WhichCalibration = None,
    ) -> RecomputationPreview:
        """What recomputeReadings would change; nothing is changed. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        return RecomputationPreview.of(
            await info.context.services.recompute.preview(
                sensor.key, start, end, calibration_id=_calibration(calibration)
            )
        )

    @field
    async def recomputation(
        self, info: Info, recomputation: RecomputationId
    ) -> Recomputation | None:
        """A recomputation and how far it has come; null: it is not known."""
        info.context.require(Role.VIEWER)
        return await find_recomputation(info.context, _uuid("Recomputation", recomputation))

    @field
    async def recomputations(
        self, info: Info, sensor: OnlyRef = None, first: First = None, after: After = None
    ) -> RecomputationConnection:
        """The recomputations, newest first."""
        info.context.require(Role.VIEWER)
        services, sensor_id = info.context.services, None
        if sensor is not None:
            known = services.registry.sensor(sensor.key)
            if known is None:
                raise NotFoundError("this sensor is not known")
            sensor_id = known.id
        request = RECOMPUTATIONS.request(first, after)
        async with services.storage.autocommit() as work:
            page = await work.recomputations.page(request, sensor_id=sensor_id)
        return RecomputationConnection.of(RECOMPUTATIONS, request, page, Recomputation.of)


@strawberry.type
class RecomputationMutations:
    """Converting the past again."""

    @mutation
    async def recompute_readings(
        self,
        info: Info,
        sensor: Ref,
        start: SeriesFrom,
        end: SeriesTo = None,
        calibration: WhichCalibration = None,
    ) -> Recomputation:
        """Convert readings again, with the library as it is now; answers at once. Role: OPERATOR.

        What the owner of the sensor has set counts as it is now, too; previewRecomputation shows
        it. It runs in the background. Raw values never change, what devices made themselves is left
        alone, and what arrives meanwhile, too. Subscriptions do not tell of it.
        """
        identity = info.context.require(Role.OPERATOR)
        return Recomputation.of(
            await info.context.services.recompute(
                sensor.key,
                start,
                end,
                calibration_id=_calibration(calibration),
                user_id=identity.user_id,
            )
        )

    @mutation
    async def cancel_recomputation(
        self, info: Info, recomputation: RecomputationId
    ) -> Recomputation:
        """End one that is under way; all its readings become what they were. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        return Recomputation.of(
            await info.context.services.recompute.cancel(_uuid("Recomputation", recomputation))
        )

    @mutation
    async def take_back_recomputation(
        self, info: Info, recomputation: RecomputationId
    ) -> Recomputation:
        """Let all its readings become what they were, within 30 days. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        return Recomputation.of(
            await info.context.services.recompute.take_back(_uuid("Recomputation", recomputation))
        )
