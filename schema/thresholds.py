"""Where a sensor stands to its thresholds, in GraphQL."""

from datetime import datetime
from typing import Self

import strawberry

from domain.services.watch_thresholds import Standing
from domain.thresholds import Zone

strawberry.enum(
    Zone,
    name="ThresholdZone",
    description=(
        "Between which thresholds a value lies. A zone is left only when the value is "
        "`hysteresis` behind its limit."
    ),
)


@strawberry.type(description="Where a sensor stands to its thresholds.")
class ThresholdState:
    """A zone, and since when."""

    zone: Zone = strawberry.field(description="Which limit was reached; NORMAL: none.")
    since: datetime | None = strawberry.field(
        description="When the reading was measured that brought it there; null: no system event "
        "that is kept tells of one."
    )

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """Show it to clients."""
        return cls(zone=standing.zone, since=standing.since)
