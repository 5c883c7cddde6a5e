"""Calibrations: guided point by point or all at once, in force at once, kept for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest
from typing_extensions import override
from uuid_utils.compat import uuid7

from domain.calibration_fits import Law
from domain.calibrations import Calibration, Fit, ProcedureState
from domain.calibrations import CalibrationMethod as Method
from domain.calibrations import CalibrationPoint as Point
from domain.errors import BadInputError, ConflictError, NotFoundError
from domain.events import ReadingsStored
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sensor, SensorKey
from domain.services.calibrate import SWEEP_EVERY, Calibrate
from domain.services.registry import Registry
from sensor_libs.calibrating import LibraryLaws
from sensor_libs.loader import Catalog, load_built_in
from sensor_libs.runner import LibraryRunner
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage, until
from tests.makers import make_device, make_guard, make_sensor

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
            guard=make_guard(self.clock),
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
        await self.settle(3 * times)

    async def shows(self, sensor: Sensor, raw: float, made: Measurement) -> None:
        """Have one reading come in."""
        self.seconds += 1
        at = START + timedelta(seconds=self.seconds)
        await self.events.publish(
            ReadingsStored((Reading(self.seconds, sensor, at, at, raw, made),))
        )
        await self.settle(3)

    @staticmethod
    async def settle(turns: int) -> None:
        for _ in range(turns):
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
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=None)
        await lab.read(1861)
        await lab.calibrate.add_point(procedure.id, 7.0, patience=timedelta(seconds=5))
        await lab.read(2700)
        await lab.calibrate.add_point(
            procedure.id, 4.0, temperature=25, patience=timedelta(1 / 9e4)
        )
        assert (await lab.calibrate.preview(procedure.id)).slope_percent == pytest.approx(79, abs=1)
        later = START + timedelta(days=30)
        made = await lab.calibrate.finish(procedure.id, user_id=USER, expires_at=later)
    assert lab.registry.calibration(lab.sensor.id) == made
    assert made.points == (Point(1861, 7.0), Point(2700, 4.0, 25))
    assert (made.library, made.calibrated_by) == ("ph", USER)
    ph = lab.runner.catalog.by_type["ph"]
    assert ph.measure(1861, made.fit.parameters).value == 7.0
    assert ph.measure(2700, made.fit.parameters).value == 4.0
    assert lab.reports.made == [made.fit]
    with pytest.raises(ConflictError, match="is finished"):
        await lab.calibrate.finish(procedure.id, user_id=USER)


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


async def test_what_stood_still_before_somebody_asked_may_be_the_liquid_before() -> None:
    lab = Laboratory()
    async with lab.running(), asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        await lab.read(1861)
        await lab.clock.advance(60)
        with pytest.raises(ConflictError, match="no value came since you asked"):
            await lab.calibrate.add_point(procedure.id, 4.0)
        added = tasks.create_task(
            lab.calibrate.add_point(procedure.id, 4.0, patience=timedelta(minutes=5))
        )
        lab.seconds = 60
        await lab.read(2925, times=3)
        assert not added.done()
        await lab.read(2925)
    assert added.result().points == (Point(2925, 4.0),)


async def test_whoever_waits_is_told_at_once_that_somebody_else_cancelled() -> None:
    lab = Laboratory()
    async with lab.running(), asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)

        async def wait() -> None:
            with pytest.raises(ConflictError, match="is cancelled"):
                await lab.calibrate.add_point(procedure.id, 7.0, patience=timedelta(minutes=5))

        tasks.create_task(wait())
        await lab.settle(5)
        await lab.calibrate.cancel(procedure.id)


async def test_of_two_who_wait_only_one_takes_the_liquid_and_the_other_the_next() -> None:
    lab = Laboratory()
    async with lab.running(), asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        waiting = [
            tasks.create_task(
                lab.calibrate.add_point(procedure.id, ph, patience=timedelta(minutes=5))
            )
            for ph in (7.0, 4.0)
        ]
        await lab.settle(5)
        await lab.read(1861)
        await until(lambda: any(task.done() for task in waiting))
        assert [task.done() for task in waiting].count(True) == 1
        await lab.read(2925)
        await asyncio.gather(*waiting)
        points = (await lab.calibrate.procedure(procedure.id))[0].points
    assert {point.raw for point in points} == {1861, 2925}


PI = ProcessingMode.PI_ENHANCED
WARM = {"reason": "warms up", "reasons": [{"code": "WARMING_UP", "text": "warms up"}]}


@pytest.mark.parametrize(
    ("raw", "made", "why"),
    [
        (4095, Measurement(0.7, "pH", Quality.SUSPECT, PI), "no probe connected"),
        (5000, Measurement(7.0, "pH", Quality.GOOD, PI), "not a value of the ADC"),
        (1861, Measurement(None, "pH", Quality.ERROR, PI), "shows no measurement"),
        (1861, Measurement(1861, None, Quality.UNKNOWN, ProcessingMode.RAW), "are not converted"),
        (1861, Measurement(7.0, "pH", Quality.SUSPECT, PI, notes=WARM), "warms up"),
        (1861, Measurement(7.0, "pH", Quality.BAD, PI, notes={"device": "BAD"}), "not to be trust"),
    ],
)
async def test_a_sensor_that_shows_nothing_of_its_probe_gives_no_point_and_the_reason(
    raw: float, made: Measurement, why: str
) -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        await lab.read(1861)
        await lab.shows(lab.sensor, raw, made)
        with pytest.raises(ConflictError, match=why):
            await lab.calibrate.add_point(procedure.id, 7.0)


async def test_moving_the_probe_or_leaving_it_long_in_one_buffer_speaks_against_no_point() -> None:
    lab = Laboratory()
    codes = [{"code": code, "text": code} for code in ("TOO_FAST", "STUCK", "ATYPICAL", "LATE")]
    made = Measurement(7.0, "pH", Quality.SUSPECT, PI, notes={"reasons": codes})
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        for _ in range(12):
            await lab.shows(lab.sensor, 1861, made)
        assert (await lab.calibrate.add_point(procedure.id, 7.0)).points


async def test_what_creeps_beyond_dry_does_not_stand_still_though_its_value_is_cut_off() -> None:
    lab = Laboratory()
    key = SensorKey(KEY.esp_id, 32, "moisture")
    soil = make_sensor(id=4, key=key)
    lab.registry.put_sensors([soil])
    dry = Measurement(0.0, "%", Quality.POOR, PI)
    async with lab.running():
        procedure = await lab.calibrate.start(key, Method.DRY_WET, user_id=USER)
        for raw in range(3300, 3600, 20):
            await lab.shows(soil, raw, dry)
        with pytest.raises(ConflictError, match="leave the probe where it is"):
            await lab.calibrate.add_point(procedure.id, 0.0)
        for _ in range(12):
            await lab.shows(soil, 3600, dry)
        taken = await lab.calibrate.add_point(procedure.id, 0.0)
    assert taken.points == (Point(3600, 0.0),)


async def test_a_library_that_goes_while_its_sensor_is_calibrated_takes_nothing_with_it() -> None:
    lab = Laboratory()
    async with lab.running():
        procedure = await lab.calibrate.start(KEY, Method.PH_2POINT, user_id=USER)
        libraries = lab.runner.catalog
        lab.runner.swap(Catalog())
        passed = Measurement(1861, None, Quality.UNKNOWN, ProcessingMode.RAW)
        await lab.shows(lab.sensor, 1861, passed)
        await lab.shows(lab.sensor, 1861, Measurement(7.0, "pH", Quality.GOOD, PI))
        with pytest.raises(BadInputError, match="no library reads ph"):
            await lab.calibrate.add_point(procedure.id, 7.0)
    after = Laboratory(lab.storage)
    after.runner.swap(Catalog())
    async with after.running():
        after.runner.swap(libraries)
        await after.read(1861)
        assert (await after.calibrate.add_point(procedure.id, 7.0)).points


@dataclass(frozen=True)
class ReplacedWhileAsked(LibraryLaws):
    """Laws of a library that another version replaces while it computes the first fit."""

    replaced: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    def law(self, sensor: Sensor, method: Method) -> Law:
        law = LibraryLaws.law(self, sensor, method)

        def gone(_raw: float) -> float | None:
            self.replaced.set()
            raise BadInputError("the library ph failed: it did not answer in time")

        return law if self.replaced.is_set() else replace(law, seen=gone, library="1.0.0")


async def test_a_fit_that_meets_a_new_version_of_its_library_is_made_anew_with_that() -> None:
    lab = Laboratory()
    lab.calibrate.laws = laws = ReplacedWhileAsked(lab.runner)
    made = await lab.calibrate(KEY, Method.PH_2POINT, BUFFERS, user_id=USER)
    assert made.fit.slope_percent == pytest.approx(100, abs=0.1)
    assert laws.replaced.is_set()


async def test_raw_values_that_were_noted_may_be_as_early_firmware_sends_them() -> None:
    lab = Laboratory()
    key = SensorKey(KEY.esp_id, 4, "ds18b20")
    lab.registry.put_sensors([make_sensor(id=4, key=key)])
    noted = [Point(2**32 - 80, -4.0)]
    made = await lab.calibrate(key, Method.OFFSET, noted, user_id=USER)
    assert made.points == (Point(-80, -4.0),)
    assert made.fit.parameters["offset"] == pytest.approx(1.0)


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
            await lab.calibrate.finish(procedure.id, user_id=USER)
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
