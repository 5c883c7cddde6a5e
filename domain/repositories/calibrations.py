"""Stored calibrations, and the procedures that lead to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.calibrations import Calibration, CalibrationProcedure
from domain.pages import Page, PageRequest


class Calibrations(Protocol):
    """Stored calibrations of sensors; the newest of a sensor is in force."""

    async def add(self, calibration: Calibration) -> None:
        """Store a new calibration."""
        ...

    async def by_id(self, calibration_id: UUID) -> Calibration | None:
        """Return one calibration."""
        ...

    async def by_ids(self, ids: Sequence[UUID]) -> Mapping[UUID, Calibration]:
        """Return several calibrations; unknown ones are absent."""
        ...

    async def in_force(self) -> Mapping[int, Calibration]:
        """Return the newest calibration of every sensor that has one, by sensor id."""
        ...

    async def of_sensors(self, sensor_ids: Sequence[int]) -> Mapping[int, Calibration]:
        """Return the newest calibration of some sensors, by sensor id."""
        ...

    async def page(self, sensor_id: int, page: PageRequest) -> Page[Calibration]:
        """Return the calibrations of a sensor, newest first."""
        ...

    async def expired(self, now: datetime) -> Sequence[Calibration]:
        """Return those in force that are expired by now and were not marked as told."""
        ...

    async def mark_told(self, calibration_id: UUID) -> None:
        """Note that somebody was told of its expiry."""
        ...


class CalibrationProcedures(Protocol):
    """Stored guided calibrations."""

    async def add(self, procedure: CalibrationProcedure) -> None:
        """Store a new procedure."""
        ...

    async def save(self, procedure: CalibrationProcedure) -> None:
        """Store how far a known procedure has come."""
        ...

    async def by_id(self, procedure_id: UUID) -> CalibrationProcedure | None:
        """Return one procedure."""
        ...

    async def open(self) -> Sequence[CalibrationProcedure]:
        """Return the procedures that are OPEN, oldest first."""
        ...
