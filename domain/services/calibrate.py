"""Calibrations: a person is led through them point by point, or hands in all points at once.

A point is taken only from a live value that stands still, so nobody has to judge that by eye. What
is found holds from the next reading on; the raw values of the past stay what they were.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.calibration_fits import MOST_POINTS, Law, check_known, fit
from domain.calibrations import (
    Calibration,
    CalibrationMethod,
    CalibrationPoint,
    CalibrationProcedure,
    Fit,
    ProcedureState,
)
from domain.errors import BadInputError, ConflictError, EventStreamLostError, NotFoundError
from domain.events import ReadingsStored
from domain.ports import Clock, EventStream
from domain.repositories import Storage, UnitOfWork
from domain.sensors import ProcessingMode, Reading, Sensor, SensorKey
from domain.services.guard import Guard
from domain.services.registry import Registry
from domain.stability import STILL_FOR, Shown, Stability

LONGEST_PATIENCE = timedelta(minutes=5)
"""How long somebody may wait for a value to stand still."""

SWEEP_EVERY = timedelta(hours=1)
"""How often calibrations that should be repeated are looked for."""

_WARMING_UP = "WARMING_UP"


class CalibrationLaws(Protocol):
    """What sensor libraries say of how their sensors can be calibrated."""

    def methods(self, sensor_type: str) -> Sequence[CalibrationMethod]:
        """Return the methods that a sensor type knows; none: it cannot be calibrated."""
        ...

    def law(self, sensor: Sensor, method: CalibrationMethod) -> Law:
        """Return what a method needs to know.

        Raises:
            BadInputError: The sensor cannot be calibrated so.
        """
        ...

    def check(self, sensor: Sensor, found: Fit) -> str:
        """Return the name of the library that will use what was found.

        Raises:
            BadInputError: A parameter lies outside its limits.
        """
        ...

    def meant(self, sensor: Sensor, raw: float) -> float | None:
        """Return the raw value that a device meant; None: it is none of this sensor."""
        ...

    def shown(self, sensor: Sensor, raw: float, value: float) -> Shown | str:
        """Return what a live reading shows of a probe, or why it shows nothing; never raises."""
        ...


class Reports(Protocol):
    """Where growers are told of calibrations."""

    def calibrated(self, sensor: Sensor, calibration: Calibration) -> None:
        """A sensor was calibrated."""
        ...

    def calibration_expired(self, sensor: Sensor, since: datetime) -> None:
        """A calibration should have been repeated."""
        ...


@dataclass(slots=True, kw_only=True)
class Calibrate:
    """Finds and stores what sensors need to be right.

    Attributes:
        laws: What libraries say.
        reports: Where growers are told.
        still_for: How long a value must stand still to be taken as a point.
    """

    storage: Storage
    registry: Registry
    laws: CalibrationLaws
    events: EventStream
    clock: Clock
    guard: Guard
    reports: Reports
    new_id: Callable[[], UUID]
    still_for: timedelta = STILL_FOR
    _watched: dict[int, Stability] = field(default_factory=dict, init=False)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    # ------------------------------------------------------------ guided

    async def start(
        self, key: SensorKey, method: CalibrationMethod, *, user_id: UUID | None
    ) -> CalibrationProcedure:
        """Begin a guided calibration.

        Raises:
            NotFoundError: The sensor is not known.
            BadInputError: It cannot be calibrated so.
            ConflictError: Another procedure of this sensor is open.
        """
        sensor = self._known(key)
        self.laws.law(sensor, method)
        now = self.clock.now()
        async with self._turn:
            async with self.storage.unit_of_work() as work:
                await self._make_room(work, sensor, now)
                procedure = CalibrationProcedure(
                    id=self.new_id(),
                    sensor_id=sensor.id,
                    method=method,
                    started_at=now,
                    changed_at=now,
                    started_by=user_id,
                )
                await work.calibration_procedures.add(procedure)
            self._watched[sensor.id] = self._fresh()
        return procedure

    async def add_point(
        self,
        procedure_id: UUID,
        reference: float,
        *,
        temperature: float | None = None,
        patience: timedelta = timedelta(0),
    ) -> CalibrationProcedure:
        """Take the live value as a point, once it stands still.

        Args:
            procedure_id: The procedure.
            reference: What is really measured, in the unit of the sensor's library.
            temperature: Of the liquid, in °C.
            patience: How long to wait for the value to stand still.

        Raises:
            NotFoundError: There is no such procedure, or no such sensor any more.
            BadInputError: The point makes no sense.
            ConflictError: The procedure has ended, or the value did not stand still in time.
        """
        if not timedelta(0) <= patience <= LONGEST_PATIENCE:
            raise BadInputError(f"wait must be at most {LONGEST_PATIENCE.total_seconds():.0f} s")
        procedure, sensor = await self.procedure(procedure_id)
        check_known(reference, temperature, self.laws.law(sensor, procedure.method))
        self._watched.setdefault(sensor.id, self._fresh())
        asked_at = self.clock.now()
        until = asyncio.get_running_loop().time() + patience.total_seconds()
        while True:
            stability = await self._still(sensor, asked_at, until)
            async with self._turn:
                procedure, _ = await self.procedure(procedure_id)
                seen = self._watched.setdefault(sensor.id, self._fresh())
                if seen is stability and (raw := seen.raw) is not None:
                    point = CalibrationPoint(raw, reference, temperature)
                    return await self._take(procedure, point)
                # Somebody else took a point of this liquid: the next one must settle anew.

    async def _take(
        self, procedure: CalibrationProcedure, point: CalibrationPoint
    ) -> CalibrationProcedure:
        if len(procedure.points) >= MOST_POINTS:
            raise BadInputError(f"a calibration takes at most {MOST_POINTS} points")
        # The same liquid again replaces what was taken of it before.
        others = [kept for kept in procedure.points if kept.reference != point.reference]
        procedure = replace(procedure, points=(*others, point), changed_at=self.clock.now())
        async with self.storage.unit_of_work() as work:
            await work.calibration_procedures.save(procedure)
        # What stands still now is this liquid; the next one must settle anew.
        self._watched[procedure.sensor_id] = self._fresh()
        return procedure

    async def preview(self, procedure_id: UUID) -> Fit:
        """Return what the points of a procedure tell so far, without any effect.

        Raises:
            NotFoundError: There is no such procedure, or no such sensor any more.
            BadInputError: The points do not suffice yet, or cannot be true.
        """
        procedure, sensor = await self.procedure(procedure_id)
        return (await self._fit(sensor, procedure.method, procedure.points))[0]

    async def finish(
        self, procedure_id: UUID, *, user_id: UUID | None, expires_at: datetime | None = None
    ) -> Calibration:
        """Calibrate the sensor with the points that were taken.

        Args:
            procedure_id: The procedure, whoever began it.
            user_id: Who puts it into force.
            expires_at: When it should be repeated.

        Raises:
            NotFoundError: There is no such procedure, or no such sensor any more.
            BadInputError: The points do not suffice, or cannot be true; it stays open.
            ConflictError: The procedure has ended.
        """
        async with self._turn:
            procedure, sensor = await self.procedure(procedure_id)
            calibration = await self._made(
                sensor, procedure.method, procedure.points, user_id, expires_at
            )
            ended = replace(procedure, state=ProcedureState.FINISHED, changed_at=self.clock.now())
            async with self.storage.unit_of_work() as work:
                await work.calibrations.add(calibration)
                await work.calibration_procedures.save(ended)
            await self._watch_no_more(sensor)
            self._take_into_force(sensor, calibration)
        return calibration

    async def cancel(self, procedure_id: UUID) -> CalibrationProcedure:
        """End a procedure without any effect.

        Raises:
            NotFoundError: There is no such procedure.
            ConflictError: It has ended already.
        """
        async with self._turn:
            procedure, sensor = await self.procedure(procedure_id)
            ended = replace(procedure, state=ProcedureState.CANCELLED, changed_at=self.clock.now())
            async with self.storage.unit_of_work() as work:
                await work.calibration_procedures.save(ended)
            await self._watch_no_more(sensor)
        return ended

    async def procedure(self, procedure_id: UUID) -> tuple[CalibrationProcedure, Sensor]:
        """Return an open procedure and its sensor.

        Raises:
            NotFoundError: There is none of this id, or its sensor was removed.
            ConflictError: It has ended.
        """
        async with self.storage.autocommit() as work:
            procedure = await work.calibration_procedures.by_id(procedure_id)
        sensor = self.registry.sensor_by_id(procedure.sensor_id) if procedure else None
        if procedure is None or sensor is None:
            raise NotFoundError("there is no such calibration: begin it with startCalibration")
        if procedure.state is not ProcedureState.OPEN:
            raise ConflictError(
                f"this calibration is {procedure.state.lower()}: begin another with "
                "startCalibration"
            )
        return procedure, sensor

    async def open_of(self, key: SensorKey) -> CalibrationProcedure | None:
        """Return the procedure of a sensor that is open; None: there is none.

        Raises:
            NotFoundError: The sensor is not known.
        """
        sensor = self._known(key)
        async with self.storage.autocommit() as work:
            return await self._open(work, sensor)

    def stability(self, sensor_id: int) -> Stability | None:
        """Return what is seen of a sensor that is being calibrated; None: it is not."""
        return self._watched.get(sensor_id)

    # ------------------------------------------------------------ all at once

    async def __call__(
        self,
        key: SensorKey,
        method: CalibrationMethod,
        points: Sequence[CalibrationPoint],
        *,
        user_id: UUID | None,
        expires_at: datetime | None = None,
    ) -> Calibration:
        """Calibrate a sensor with points that somebody noted.

        Raises:
            NotFoundError: The sensor is not known.
            BadInputError: It cannot be calibrated so, or the points cannot be true.
        """
        async with self._turn:
            sensor = self._known(key)
            self.laws.law(sensor, method)
            # What was noted is what the device sent: an early one sends -24 as 4294967272.
            meant = [(self.laws.meant(sensor, point.raw), point) for point in points]
            points = [p if raw is None else p._replace(raw=raw) for raw, p in meant]
            calibration = await self._made(sensor, method, points, user_id, expires_at)
            async with self.storage.unit_of_work() as work:
                await work.calibrations.add(calibration)
            self._take_into_force(sensor, calibration)
        return calibration

    # ------------------------------------------------------------ beside

    async def run(self) -> None:
        """Watch the sensors that are being calibrated, and what expires, until cancelled."""
        await self.guard.insist(self._resume)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._sweep())

    async def _resume(self) -> None:
        async with self.storage.autocommit() as work:
            for procedure in await work.calibration_procedures.open():
                self._watched.setdefault(procedure.sensor_id, self._fresh())

    async def _listen(self) -> None:
        while True:
            try:
                async with self.events.listen(ReadingsStored) as stored:
                    async for event in stored:
                        await self._see(event.readings)
            except EventStreamLostError:
                await self.clock.sleep(1)

    async def _see(self, readings: Sequence[Reading]) -> None:
        if not self._watched:
            return
        for reading in readings:
            stability = self._watched.get(reading.sensor.id)
            if stability is None:
                continue
            shown = self._shown(reading)
            if isinstance(shown, str):
                stability.disturb(shown)
            else:
                # What waited somewhere arrives all at once: nobody watched it stand still.
                stability.add(reading.received_at, shown)
        async with self._moved:
            self._moved.notify_all()

    async def _sweep(self) -> None:
        while True:
            await self.guard.insist(self._tell_expired)
            await self.clock.sleep(SWEEP_EVERY.total_seconds())

    async def _tell_expired(self) -> None:
        async with self.storage.autocommit() as work:
            for calibration in await work.calibrations.expired(self.clock.now()):
                sensor = self.registry.sensor_by_id(calibration.sensor_id)
                if sensor is not None and calibration.expires_at is not None:
                    self.reports.calibration_expired(sensor, calibration.expires_at)
                await work.calibrations.mark_told(calibration.id)

    # ------------------------------------------------------------ parts

    def _known(self, key: SensorKey) -> Sensor:
        sensor = self.registry.sensor(key)
        if sensor is None:
            raise NotFoundError(f"no {key.sensor_type} is known on GPIO {key.gpio} of {key.esp_id}")
        return sensor

    async def _make_room(self, work: UnitOfWork, sensor: Sensor, now: datetime) -> None:
        if (before := await self._open(work, sensor)) is None:
            return
        if not before.abandoned(now):
            raise ConflictError(
                "this sensor is being calibrated already: calibrationProcedure(sensor: ...) shows "
                "it; finish that or cancel it"
            )
        ended = replace(before, state=ProcedureState.CANCELLED, changed_at=now)
        await work.calibration_procedures.save(ended)

    @staticmethod
    async def _open(work: UnitOfWork, sensor: Sensor) -> CalibrationProcedure | None:
        procedures = await work.calibration_procedures.open()
        return next((one for one in procedures if one.sensor_id == sensor.id), None)

    def _fresh(self) -> Stability:
        return Stability(still_for=self.still_for)

    def _shown(self, reading: Reading) -> Shown | str:
        """Return what a live reading shows of its probe, or why it shows nothing."""
        made = reading.measurement
        notes = made.notes or {}
        why = notes.get("reason") or made.quality
        if made.value is None:
            return f"the sensor shows no measurement: {why}"
        if made.mode is ProcessingMode.RAW:
            return f"its raw values are not converted: {why}"
        if "device" in notes or _WARMING_UP in (one["code"] for one in notes.get("reasons", ())):
            return f"the value is not to be trusted now: {why}"
        return self.laws.shown(reading.sensor, reading.raw_value, made.value)

    async def _watch_no_more(self, sensor: Sensor) -> None:
        """Nobody is to wait any longer for what will not be watched."""
        self._watched.pop(sensor.id, None)
        async with self._moved:
            self._moved.notify_all()

    async def _still(self, sensor: Sensor, asked_at: datetime, until: float) -> Stability | None:
        """Wait until the value stands still; return who saw it, or None: nobody watches any more.

        Raises:
            ConflictError: It did not by this time of the event loop.
        """
        try:
            async with asyncio.timeout_at(until), self._moved:
                while (why := self._waiting(sensor, asked_at)) is not None:
                    await self._moved.wait()
        except TimeoutError:
            if (why := self._waiting(sensor, asked_at)) is not None:
                raise ConflictError(f"the value does not stand still yet: {why}") from None
        return self._watched.get(sensor.id)

    def _waiting(self, sensor: Sensor, asked_at: datetime) -> str | None:
        """Return why no point can be taken yet; None: one can be, or nobody watches any more.

        What stood still before somebody asked may have been the liquid before.
        """
        seen = self._watched.get(sensor.id)
        if seen is None:
            return None
        if seen.reason is not None:
            return seen.reason
        if seen.newest is None or seen.newest < asked_at:
            return "no value came since you asked: is the device online?"
        return None

    async def _fit(
        self, sensor: Sensor, method: CalibrationMethod, points: Sequence[CalibrationPoint]
    ) -> tuple[Fit, str]:
        """Find parameters; with another version of the library anew, if it came meanwhile."""
        while True:
            law = self.laws.law(sensor, method)
            try:
                # In a thread: the library may be the user's own, whose process may take long.
                found = await asyncio.to_thread(fit, method, points, law)
                library = self.laws.check(sensor, found)
            except BadInputError:
                if self.laws.law(sensor, method).library is law.library:
                    raise
            else:
                if self.laws.law(sensor, method).library is law.library:
                    return found, library

    async def _made(
        self,
        sensor: Sensor,
        method: CalibrationMethod,
        points: Sequence[CalibrationPoint],
        user_id: UUID | None,
        expires_at: datetime | None,
    ) -> Calibration:
        now = self.clock.now()
        if expires_at is not None and expires_at <= now:
            raise BadInputError("expiresAt must lie in the future")
        found, library = await self._fit(sensor, method, points)
        return Calibration(
            id=self.new_id(),
            sensor_id=sensor.id,
            library=library,
            method=method,
            points=tuple(points),
            fit=found,
            calibrated_at=now,
            calibrated_by=user_id,
            expires_at=expires_at,
        )

    def _take_into_force(self, sensor: Sensor, calibration: Calibration) -> None:
        self.registry.put_calibration(calibration)
        self.reports.calibrated(sensor, calibration)
