"""Recomputations in memory, and the history that they walk through."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from domain.pages import Page, PageRequest
from domain.recomputations import UNFINISHED, Place, Recomputation, RecomputationState, Span
from domain.repositories.recomputations import Extent, Rewritten
from domain.sensors import Measurement, Reading
from tests.fakes.paging import paged

Kept: TypeAlias = dict[tuple[UUID, datetime, int], Measurement]


@dataclass(slots=True)
class FakeRecomputations:
    rows: dict[UUID, Recomputation] = field(default_factory=dict)
    kept: Kept = field(default_factory=dict)

    async def add(self, recomputation: Recomputation) -> None:
        self.rows[recomputation.id] = recomputation

    async def save(self, recomputation: Recomputation) -> None:
        self.rows[recomputation.id] = recomputation

    async def by_id(self, recomputation_id: UUID) -> Recomputation | None:
        return self.rows.get(recomputation_id)

    async def unfinished(self) -> Sequence[Recomputation]:
        return sorted(
            (row for row in self.rows.values() if row.state in UNFINISHED), key=lambda row: row.id
        )

    async def since(self, recomputation: Recomputation) -> Sequence[Recomputation]:
        sensor_id = recomputation.span.sensor_id
        return [
            row
            for row in self.rows.values()
            if row.span.sensor_id == sensor_id and row.id > recomputation.id
        ]

    async def page(self, page: PageRequest, *, sensor_id: int | None = None) -> Page[Recomputation]:
        found = [row for row in self.rows.values() if sensor_id in {None, row.span.sensor_id}]
        return paged(found, lambda row: (str(row.id),), page, descending=True)


@dataclass(frozen=True, slots=True)
class FakeHistory:
    """Works on the readings of a `FakeReadings`, and keeps with a `FakeRecomputations`."""

    readings: list[Reading]
    recomputations: FakeRecomputations

    def _of(self, sensor_id: int) -> list[Reading]:
        found = (reading for reading in self.readings if reading.sensor.id == sensor_id)
        return sorted(found, key=lambda reading: (reading.measured_at, reading.id))

    def _in(self, span: Span) -> list[Reading]:
        return [
            reading
            for reading in self._of(span.sensor_id)
            if span.start <= reading.measured_at < span.end and reading.id <= span.last_id
        ]

    async def newest_id(self) -> int:
        return max((reading.id for reading in self.readings), default=0)

    async def extent(self, span: Span) -> Extent:
        found = self._in(span)
        if not found:
            return Extent(0, None, None)
        return Extent(len(found), found[0].measured_at, found[-1].measured_at)

    async def forward(self, span: Span, after: Place | None, limit: int) -> Sequence[Reading]:
        return [
            reading
            for reading in self._in(span)
            if after is None or (reading.measured_at, reading.id) > after
        ][:limit]

    async def before(self, sensor_id: int, start: datetime, limit: int) -> Sequence[Reading]:
        return [reading for reading in self._of(sensor_id) if reading.measured_at < start][-limit:]

    async def held_at(
        self, sensor_id: int, moments: Sequence[datetime], max_age: timedelta
    ) -> Sequence[Reading | None]:
        known = self._of(sensor_id)
        return [
            next(
                (r for r in reversed(known) if moment - max_age <= r.measured_at <= moment),
                None,
            )
            for moment in moments
        ]

    async def rewrite(self, recomputation: Recomputation, rewritten: Sequence[Rewritten]) -> None:
        for reading, measurement in rewritten:
            key = (recomputation.id, reading.measured_at, reading.id)
            assert key not in self.recomputations.kept
            self.recomputations.kept[key] = reading.measurement
            place = self.readings.index(reading)
            self.readings[place] = reading._replace(measurement=measurement)

    async def restore(self, recomputation: Recomputation, limit: int) -> int:
        kept = self.recomputations.kept
        page = sorted(key for key in kept if key[0] == recomputation.id)[:limit]
        for key in page:
            place = next(n for n, reading in enumerate(self.readings) if reading.id == key[2])
            self.readings[place] = self.readings[place]._replace(measurement=kept.pop(key))
        return len(page)

    async def forget(self, before: datetime, limit: int) -> int:
        rows, kept = self.recomputations.rows, self.recomputations.kept
        gone = [
            key
            for key in kept
            if rows[key[0]].state is RecomputationState.DONE
            and (rows[key[0]].ended_at or before) < before
        ][:limit]
        for key in gone:
            del kept[key]
        return len(gone)
