"""Recomputations; what they read and write stands in `storage.history`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.pages import Page, PageRequest
from domain.quality import Track
from domain.recomputations import (
    UNFINISHED,
    Place,
    Recomputation,
    RecomputationState,
    Span,
    Summary,
    Tally,
)
from domain.sensors import Quality
from storage.client import TransactionClient
from storage.pages import cut, key_after
from storage.recomputation_tables import RecomputationRow


@dataclass(frozen=True, slots=True)
class RecomputationRepository:
    """Implements domain.repositories.Recomputations; ids grow with time, so they are the order."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[RecomputationRow]:
        return RecomputationRow.all().using_db(self._client)

    async def add(self, recomputation: Recomputation) -> None:
        """Insert."""
        fixed, span = recomputation, recomputation.span
        await RecomputationRow.create(
            id=fixed.id,
            sensor_id=span.sensor_id,
            start_at=span.start,
            end_at=span.end,
            last_id=span.last_id,
            calibration_id=fixed.calibration_id,
            total=fixed.total,
            requested_by=fixed.requested_by,
            requested_at=fixed.requested_at,
            **_changing(recomputation),
            using_db=self._client,
        )

    async def save(self, recomputation: Recomputation) -> None:
        """Update what can change."""
        await self._rows().filter(id=recomputation.id).update(**_changing(recomputation))

    async def by_id(self, recomputation_id: UUID) -> Recomputation | None:
        """Select one."""
        row = await self._rows().get_or_none(id=recomputation_id)
        return None if row is None else _recomputation(row)

    async def unfinished(self) -> Sequence[Recomputation]:
        """Select by state: a partial index holds only these."""
        rows = await self._rows().filter(state__in=sorted(UNFINISHED)).order_by("id")
        return [_recomputation(row) for row in rows]

    async def since(self, recomputation: Recomputation) -> Sequence[Recomputation]:
        """Select the later ones of a sensor."""
        rows = self._rows().filter(sensor_id=recomputation.span.sensor_id, id__gt=recomputation.id)
        return [_recomputation(row) for row in await rows.order_by("id")]

    async def page(self, page: PageRequest, *, sensor_id: int | None = None) -> Page[Recomputation]:
        """Select a page, newest first."""
        found = self._rows()
        if sensor_id is not None:
            found = found.filter(sensor_id=sensor_id)
        if (key := key_after(page, str)) is not None:
            found = found.filter(id__lt=UUID(str(key[0])))
        rows = await found.order_by("-id").limit(page.first + 1)
        return cut(rows, page, _recomputation, lambda one: (str(one.id),))


def _changing(recomputation: Recomputation) -> Mapping[str, Any]:
    place, track = recomputation.place, recomputation.track
    return {
        "state": recomputation.state,
        "library_version": recomputation.library_version,
        "place_at": None if place is None else place.measured_at,
        "place_id": None if place is None else place.reading_id,
        "track": None if track is None else _written_track(track),
        "summary": _written_summary(recomputation.summary),
        "undone": recomputation.undone,
        "seconds": recomputation.seconds,
        "outcome": recomputation.outcome,
        "reason": recomputation.reason,
        "ended_at": recomputation.ended_at,
    }


def _recomputation(row: RecomputationRow) -> Recomputation:
    place = (
        None if row.place_at is None or row.place_id is None else Place(row.place_at, row.place_id)
    )
    return Recomputation(
        id=row.id,
        span=Span(row.sensor_id, row.start_at, row.end_at, row.last_id),
        calibration_id=row.calibration_id,
        total=row.total,
        state=row.state,
        library_version=row.library_version,
        place=place,
        track=None if row.track is None else _read_track(row.track),
        summary=_read_summary(row.summary),
        undone=row.undone,
        seconds=row.seconds,
        outcome=None if row.outcome is None else RecomputationState(row.outcome),
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        ended_at=row.ended_at,
    )


# Floats come back from JSON as they went in, to the last bit.
def _written_track(track: Track) -> list[object]:
    return [
        track.at.isoformat(),
        track.raw,
        track.same_since.isoformat(),
        track.same,
        track.value,
        track.value_at.isoformat(),
        [{"uuid": str(part)} if isinstance(part, UUID) else part for part in track.made],
    ]


def _read_track(stored: Any) -> Track:  # noqa: ANN401 - what `_written_track` wrote
    at, raw, same_since, same, value, value_at, made = stored
    return Track(
        datetime.fromisoformat(at),
        float(raw),
        datetime.fromisoformat(same_since),
        same,
        None if value is None else float(value),
        datetime.fromisoformat(value_at),
        tuple(UUID(part["uuid"]) if isinstance(part, dict) else part for part in made),
    )


def _written_summary(summary: Summary) -> dict[str, object]:
    changes = summary.quality_changes.items()
    return {
        **asdict(summary),
        "before": list(summary.before),
        "after": list(summary.after),
        "quality_changes": [[old, new, count] for (old, new), count in changes],
    }


def _read_summary(stored: Mapping[str, Any]) -> Summary:
    return Summary(
        **{
            **stored,
            "before": _read_tally(stored["before"]),
            "after": _read_tally(stored["after"]),
            "largest_change": float(stored["largest_change"]),
            "quality_changes": {
                (Quality(old), Quality(new)): count for old, new, count in stored["quality_changes"]
            },
        }
    )


def _read_tally(stored: Sequence[float]) -> Tally:
    count, total, low, high = stored
    return Tally(int(count), float(total), float(low), float(high))
