"""Calibrations in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.calibrations import Calibration, CalibrationProcedure, ProcedureState
from domain.pages import Page, PageRequest
from tests.fakes.paging import paged


@dataclass(slots=True)
class FakeCalibrations:
    rows: dict[UUID, Calibration] = field(default_factory=dict)
    told: set[UUID] = field(default_factory=set)

    async def add(self, calibration: Calibration) -> None:
        self.rows[calibration.id] = calibration

    async def by_id(self, calibration_id: UUID) -> Calibration | None:
        return self.rows.get(calibration_id)

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, Calibration]:
        return {key: self.rows[key] for key in ids if key in self.rows}

    async def in_force(self) -> Mapping[int, Calibration]:
        return {row.sensor_id: row for row in self.rows.values()}

    async def of_sensors(self, sensor_ids: Sequence[int]) -> Mapping[int, Calibration]:
        return {key: row for key, row in (await self.in_force()).items() if key in sensor_ids}

    async def page(self, sensor_id: int, page: PageRequest) -> Page[Calibration]:
        found = [row for row in self.rows.values() if row.sensor_id == sensor_id]
        return paged(found, lambda row: (str(row.id),), page, descending=True)

    async def expired(self, now: datetime) -> Sequence[Calibration]:
        newest = (await self.in_force()).values()
        return [row for row in newest if row.expired(now) and row.id not in self.told]

    async def mark_told(self, calibration_id: UUID) -> None:
        self.told.add(calibration_id)


@dataclass(slots=True)
class FakeCalibrationProcedures:
    rows: dict[UUID, CalibrationProcedure] = field(default_factory=dict)

    async def add(self, procedure: CalibrationProcedure) -> None:
        self.rows[procedure.id] = procedure

    async def save(self, procedure: CalibrationProcedure) -> None:
        self.rows[procedure.id] = procedure

    async def by_id(self, procedure_id: UUID) -> CalibrationProcedure | None:
        return self.rows.get(procedure_id)

    async def open(self) -> Sequence[CalibrationProcedure]:
        return [row for row in self.rows.values() if row.state is ProcedureState.OPEN]
