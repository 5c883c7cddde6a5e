"""Calibrations: guided point by point or all at once, in force at once, kept for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from domain.calibrations import Calibration, Fit, ProcedureState
from domain.calibrations import CalibrationMethod as Method
from domain.calibrations import CalibrationPoint as Point
from domain.errors import BadInputError, ConflictError, NotFoundError, StorageUnavailableError
from domain.events import ReadingsStored
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sensor, SensorKey
from domain.services.calibrate import SWEEP_EVERY, Calibrate
from domain.services.guard import Guard
from domain.services.registry import Registry
from sensor_libs.calibrating import LibraryLaws
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage, until
from tests.makers import make_device, make_sensor

KEY = SensorKey("ESP_12AB34", 34, "ph")
USER = UUID(int=7)
BUFFERS = (Point(1861, 7.0), Point(2925, 4.0))


class FakeCalibrationReports:
    def __init__(self) -> None:
        self.made: list[Fit] = []
        self.expired: list[Sensor] = []

    def calibrated(self, sensor: Sensor, calibration: Calibration) -> None:
        assert sensor.id == calibration.sensor_id
        self.made.append(calibration.fit)

    def calibration_expired(self, sensor: Sensor, since: object) -> None:
        assert since is not None
        self.expired.append(sensor)


class Laboratory:
    def __init__(self, storage: FakeStorage | None = None) -> None:
        self.clock = FakeClock()
        self.storage = storage or FakeStorage()
        self.registry = Registry()
        self.events = FakeEventStream()
        self.reports = FakeCalibrationReports()
        self.sensor = make_sensor(id=3, key=KEY)
        self.registry.add_device(make_device(KEY.esp_id))
        self.registry.put_sensors([self.sensor])
        self.runner = LibraryRunner(load_built_in())
        self.seconds = 0
        self.calibrate = Calibrate(
            storage=self.storage,
            registry=self.registry,
            laws=LibraryLaws(self.runner),
            events=self.events,
            clock=self.clock,
            guard=Guard(
                name="database",
                away=StorageUnavailableError,
                clock=self.clock,
                random=Random(1),
                failed=lambda *_: None,
            ),
            reports=self.reports,
            new_id=uuid7,
        )

    async def read(self, raw: float, times: int = 12, *, waited: bool = False) -> None:
        """Let the probe stand in something for some seconds; what waited arrives all at once."""
        end = START + timedelta(seconds=self.seconds + times)
        for _ in range(times):
            self.seconds += 1
            at = START + timedelta(seconds=self.seconds)
            received = end + timedelta(milliseconds=self.seconds) if waited else at
            value = self.runner.catalog.by_type["ph"].measure(raw).value
            made = Measurement(value, "pH", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ph", "1.1.0")
            reading = Reading(self.seconds, self.sensor, at, received, raw, made)
            await self.events.publish(ReadingsStored((reading,)))
        for _ in range(3 * times):
            await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.calibrate.run())
            await until(lambda: self.events.listeners > 0)
            yield
            task.cancel()


async def test_a_person_is_led_through_two_buffers_and_the_electrode_is_right() -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        await lab.read(1861)
        await lab.calibrate.add_point(procedure.id, 7.0, patience=timedelta(seconds=5))
        await lab.read(2700)
        await lab.calibrate.add_point(
            procedure.id, 4.0, temperature=25, patience=timedelta(1 / 9e4)
        )
        assert (await lab.calibrate.preview(procedure.id)).slope_percent == pytest.approx(79, abs=1)
        made = await lab.calibrate.finish(procedure.id, expires_at=START + timedelta(days=30))
    assert lab.registry.calibration(lab.sensor.id) == made
    assert made.points == (Point(1861, 7.0), Point(2700, 4.0, 25))
    assert (made.library, made.calibrated_by) == ("ph", USER)
    ph = lab.runner.catalog.by_type["ph"]
    assert ph.measure(1861, made.fit.parameters).value == 7.0
    assert ph.measure(2700, made.fit.parameters).value == 4.0
    assert lab.reports.made == [made.fit]
    with pytest.raises(ConflictError, match="is finished"):
        await lab.calibrate.finish(procedure.id)


async def test_a_point_waits_until_the_value_stands_still() -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        with pytest.raises(ConflictError, match="no live value came yet"):
            await lab.calibrate.add_point(procedure.id, 7.0)
        for raw in range(1500, 1860, 30):
            await lab.read(raw, times=1)
        with pytest.raises(ConflictError, match="leave the probe where it is"):
            await lab.calibrate.add_point(procedure.id, 7.0)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(
                lab.calibrate.add_point(procedure.id, 7.0, patience=timedelta(seconds=5))
            )
            await asyncio.sleep(0)
            await lab.read(1861)
        assert waiting.result().points == (Point(1861, 7.0),)


async def test_the_next_liquid_must_settle_anew_and_the_same_one_replaces_its_point() -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        await lab.read(1861)
        await lab.calibrate.add_point(procedure.id, 7.0)
        with pytest.raises(ConflictError, match="no live value"):
            await lab.calibrate.add_point(procedure.id, 4.0)
        await lab.read(1870)
        again = await lab.calibrate.add_point(procedure.id, 7.0)
    assert again.points == (Point(1870, 7.0),)


async def test_a_calibration_goes_on_after_a_restart() -> None:
    before = Laboratory()
    procedure = await before.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
    after = Laboratory(before.storage)
    async with after.running():
        await after.read(1861)
        assert (await after.calibrate.add_point(procedure.id, 7.0)).points


async def test_what_waited_while_the_server_was_away_shows_no_value_that_stands_still() -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        await lab.read(1861, times=60, waited=True)
        with pytest.raises(ConflictError, match="60 values in 0 s so far"):
            await lab.calibrate.add_point(procedure.id, 4.0)
        await lab.read(2925)
        taken = await lab.calibrate.add_point(procedure.id, 4.0)
    assert taken.points == (Point(2925, 4.0),)


async def test_a_conductivity_cell_is_calibrated_in_standards_of_any_temperature() -> None:
    lab = Laboratory()
    key = SensorKey(KEY.esp_id, 35, "ec")
    lab.registry.put_sensors([make_sensor(id=4, key=key)])
    standards = ((300, 1413, 18.0), (2400, 12_880, 30.0))
    points = [Point(*standard) for standard in standards]
    made = await lab.calibrate(key, Method.EC_2POINT, points, user_id=USER)
    ec = lab.runner.catalog.by_type["ec"]
    for raw, reference, celsius in standards:
        known = {**made.fit.parameters, "temperature": celsius}
        assert ec.measure(raw, known).value == pytest.approx(reference, abs=0.1)
    assert made.fit.residuals == pytest.approx([0, 0], abs=0.1)


async def test_points_that_cannot_be_true_leave_the_procedure_open_and_the_sensor_alone() -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        await lab.read(1861)
        await lab.calibrate.add_point(procedure.id, 7.0)
        with pytest.raises(BadInputError, match="takes 2 buffers"):
            await lab.calibrate.finish(procedure.id)
        with pytest.raises(BadInputError, match="between 0 and 14 pH"):
            await lab.calibrate.add_point(procedure.id, 15)
        assert (await lab.calibrate.cancel(procedure.id)).state is ProcedureState.CANCELLED
    assert lab.registry.calibration(lab.sensor.id) is None
    assert lab.reports.made == []


async def test_a_sensor_is_calibrated_once_at_a_time_unless_somebody_walked_away() -> None:
    lab = Laboratory()
    first = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
    with pytest.raises(ConflictError, match="already"):
        await lab.calibrate.start(KEY, Method.PH_3POINT, user_id=USER)
    await lab.clock.advance(3 * 3600)
    await lab.calibrate.start(KEY, Method.PH_3POINT, user_id=USER)
    with pytest.raises(ConflictError, match="is cancelled"):
        await lab.calibrate.cancel(first.id)


async def test_points_that_somebody_noted_calibrate_at_once() -> None:
    lab = Laboratory()
    made = await lab.calibrate(KEY, Method.PH_2POINT, BUFFERS, user_id=USER)
    assert made.fit.slope_percent == pytest.approx(100, abs=0.1)
    assert lab.storage.calibrations.rows[made.id] == made


@pytest.mark.parametrize(
    ("key", "method", "error", "reason"),
    [
        (KEY, Method.DRY_WET, BadInputError, "it takes ph_2point, ph_3point, linear"),
        (SensorKey("ESP_12AB34", 5, "ph"), Method.PH_2POINT, NotFoundError, "no ph is known"),
        (SensorKey("ESP_12AB34", 6, "odd"), Method.OFFSET, BadInputError, "no library reads odd"),
        (SensorKey("ESP_12AB34", 7, "vpd"), Method.OFFSET, BadInputError, "it takes nothing"),
    ],
)
async def test_what_cannot_be_calibrated_says_so(
    key: SensorKey, method: Method, error: type[Exception], reason: str
) -> None:
    lab = Laboratory()
    lab.registry.put_sensors(
        make_sensor(id=10 + gpio, key=SensorKey("ESP_12AB34", gpio, kind))
        for gpio, kind in ((6, "odd"), (7, "vpd"))
    )
    with pytest.raises(error, match=reason):
        await lab.calibrate(key, method, BUFFERS, user_id=USER)
    with pytest.raises(error, match=reason):
        await lab.calibrate.start(key, method, user_id=USER)


async def test_an_expiry_lies_in_the_future_and_is_told_once_it_has_come() -> None:
    lab = Laboratory()
    with pytest.raises(BadInputError, match="future"):
        await lab.calibrate(KEY, Method.PH_2POINT, BUFFERS, user_id=USER, expires_at=START)
    soon = START + timedelta(minutes=90)
    await lab.calibrate(KEY, Method.PH_2POINT, BUFFERS, user_id=USER, expires_at=soon)
    async with lab.running():
        for _ in range(4):
            await lab.clock.advance(SWEEP_EVERY.total_seconds())
            await asyncio.sleep(0)
        await until(lambda: bool(lab.reports.expired))
        await lab.clock.advance(SWEEP_EVERY.total_seconds())
        await asyncio.sleep(0)
    assert lab.reports.expired == [lab.sensor]
