"""Calibrations and the procedures that lead to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.queryset import QuerySet

from domain.calibrations import (
    Calibration,
    CalibrationPoint,
    CalibrationProcedure,
    Finding,
    Fit,
    ProcedureState,
)
from domain.pages import Page, PageRequest
from storage.calibration_tables import CalibrationProcedureRow, CalibrationRow
from storage.client import TransactionClient
from storage.pages import cut, key_after


@dataclass(frozen=True, slots=True)
class CalibrationRepository:
    """Implements domain.repositories.Calibrations."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[CalibrationRow]:
        return CalibrationRow.all().using_db(self._client)

    async def add(self, calibration: Calibration) -> None:
        """Insert."""
        found = calibration.fit
        await CalibrationRow.create(
            id=calibration.id,
            sensor_id=calibration.sensor_id,
            library=calibration.library,
            method=calibration.method,
            points=_lists(calibration.points),
            parameters=dict(found.parameters),
            residuals=list(found.residuals),
            findings=[list(finding) for finding in found.findings],
            slope_percent=found.slope_percent,
            zero_error=found.zero_error,
            calibrated_at=calibration.calibrated_at,
            calibrated_by=calibration.calibrated_by,
            expires_at=calibration.expires_at,
            using_db=self._client,
        )

    async def by_id(self, calibration_id: UUID) -> Calibration | None:
        """Select one."""
        row = await self._rows().get_or_none(id=calibration_id)
        return None if row is None else _calibration(row)

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, Calibration]:
        """Select several."""
        return {row.id: _calibration(row) for row in await self._rows().filter(id__in=ids)}

    async def in_force(self) -> Mapping[int, Calibration]:
        """Select the newest of each sensor."""
        return await self._newest(_NEWEST, [])

    async def of_sensors(self, sensor_ids: Sequence[int]) -> Mapping[int, Calibration]:
        """Select the newest of some sensors."""
        return await self._newest(_NEWEST_OF, [list(sensor_ids)])

    async def page(self, sensor_id: int, page: PageRequest) -> Page[Calibration]:
        """Select a page, newest first."""
        found = self._rows().filter(sensor_id=sensor_id)
        # Ids grow with time, so they alone are the order.
        if (key := key_after(page, str)) is not None:
            found = found.filter(id__lt=UUID(str(key[0])))
        rows = await found.order_by("-id").limit(page.first + 1)
        return cut(rows, page, _calibration, lambda calibration: (str(calibration.id),))

    async def expired(self, now: datetime) -> Sequence[Calibration]:
        """Select those in force that nobody was told of."""
        newest = await self._newest(_NEWEST_EXPIRED, [now])
        return list(newest.values())

    async def mark_told(self, calibration_id: UUID) -> None:
        """Update one."""
        await self._rows().filter(id=calibration_id).update(expiry_told=True)

    async def _newest(self, query: str, values: list[object]) -> Mapping[int, Calibration]:
        found = await self._client.execute_query_dict(query, values)
        rows = await self._rows().filter(id__in=[row["id"] for row in found])
        return {row.sensor_id: _calibration(row) for row in rows}


@dataclass(frozen=True, slots=True)
class CalibrationProcedureRepository:
    """Implements domain.repositories.CalibrationProcedures."""

    _client: TransactionClient

    def _rows(self) -> QuerySet[CalibrationProcedureRow]:
        return CalibrationProcedureRow.all().using_db(self._client)

    async def add(self, procedure: CalibrationProcedure) -> None:
        """Insert."""
        await CalibrationProcedureRow.create(
            id=procedure.id,
            sensor_id=procedure.sensor_id,
            method=procedure.method,
            points=_lists(procedure.points),
            state=procedure.state,
            started_at=procedure.started_at,
            changed_at=procedure.changed_at,
            started_by=procedure.started_by,
            using_db=self._client,
        )

    async def save(self, procedure: CalibrationProcedure) -> None:
        """Update what can change."""
        await (
            self._rows()
            .filter(id=procedure.id)
            .update(
                points=_lists(procedure.points),
                state=procedure.state,
                changed_at=procedure.changed_at,
            )
        )

    async def by_id(self, procedure_id: UUID) -> CalibrationProcedure | None:
        """Select one."""
        row = await self._rows().get_or_none(id=procedure_id)
        return None if row is None else _procedure(row)

    async def open(self) -> Sequence[CalibrationProcedure]:
        """Select those that are open."""
        rows = self._rows().filter(state=ProcedureState.OPEN)
        return [_procedure(row) for row in await rows.order_by("started_at")]


def _lists(points: Iterable[CalibrationPoint]) -> list[list[float | None]]:
    return [list(point) for point in points]


def _points(stored: Iterable[list[float | None]]) -> tuple[CalibrationPoint, ...]:
    return tuple(
        CalibrationPoint(float(raw or 0), float(reference or 0), temperature)
        for raw, reference, temperature in stored
    )


def _calibration(row: CalibrationRow) -> Calibration:
    return Calibration(
        id=row.id,
        sensor_id=row.sensor_id,
        library=row.library,
        method=row.method,
        points=_points(row.points),
        fit=Fit(
            parameters=row.parameters,
            residuals=tuple(row.residuals),
            slope_percent=row.slope_percent,
            zero_error=row.zero_error,
            findings=tuple(Finding(*finding) for finding in row.findings),
        ),
        calibrated_at=row.calibrated_at,
        calibrated_by=row.calibrated_by,
        expires_at=row.expires_at,
    )


def _procedure(row: CalibrationProcedureRow) -> CalibrationProcedure:
    return CalibrationProcedure(
        id=row.id,
        sensor_id=row.sensor_id,
        method=row.method,
        points=_points(row.points),
        state=row.state,
        started_at=row.started_at,
        changed_at=row.changed_at,
        started_by=row.started_by,
    )


_NEWEST = """
SELECT DISTINCT ON (sensor_id) id FROM calibration ORDER BY sensor_id, id DESC
"""

_NEWEST_OF = """
SELECT DISTINCT ON (sensor_id) id FROM calibration
WHERE sensor_id = ANY($1::int[]) ORDER BY sensor_id, id DESC
"""

_NEWEST_EXPIRED = """
SELECT id FROM (
    SELECT DISTINCT ON (sensor_id) id, expires_at, expiry_told FROM calibration
    ORDER BY sensor_id, id DESC
) newest WHERE expires_at <= $1 AND NOT expiry_told
"""
