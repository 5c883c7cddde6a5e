"""The past is converted again in the background; whatever regrets it has it back exactly."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.conversion_plans import Origin
from domain.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    OverloadedError,
    StorageUnavailableError,
)
from domain.limits import QualityLimits
from domain.recomputations import (
    KEPT_FOR,
    RecomputationState,
    recomputed_at,
)
from domain.sensors import ProcessingMode, Quality, SensorKey
from domain.services.recompute import FEWEST_UNCONVERTED, MOST_WAITING, PAGE, PREVIEWED
from sensor_libs.api import Converted
from sensor_libs.loader import Catalog
from tests.archive import LATER, RAWS, Archive
from tests.converting import CATALOG, House, at
from tests.fakes import START

State = RecomputationState


# ------------------------------------------------------------ what it makes


async def test_the_past_becomes_what_it_would_have_been_had_the_calibration_been_there() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    before = archive.readings()
    calibration = await archive.again.calibrated(archive.sensor)
    done = await archive.recomputed()
    assert done.state is State.DONE
    assert [r.measurement.calibration_id for r in archive.readings()] == [calibration.id] * 4
    better = House()
    better.has("ds18b20", 4)
    better.registry.put_sensors([archive.sensor])
    better.registry.put_calibration(calibration)
    wanted = await better.takes(*(at(archive.sensor, n, raw) for n, raw in enumerate(RAWS)))
    assert archive.said() == [r.measurement for r in wanted]
    assert {recomputed_at(r.measurement) for r in archive.readings()} == {LATER}
    unchanged = [(r.id, r.raw_value, r.measured_at, r.received_at) for r in before]
    assert [(r.id, r.raw_value, r.measured_at, r.received_at) for r in archive.readings()] == (
        unchanged
    )


async def test_without_any_change_nothing_is_written_again() -> None:
    archive = Archive()
    await archive.measures([1861.0] * 30)
    before = archive.readings()
    done = await archive.recomputed()
    assert (done.summary.rows, done.summary.rewritten) == (30, 0)
    assert archive.readings() == before
    assert not archive.storage.recomputations.kept


async def test_what_a_device_made_itself_is_left_alone_and_counted() -> None:
    archive = Archive()
    final = at(archive.sensor, 9, 1861)._replace(device_value=6.9, device_unit="pH")
    await archive.measures([2500.0, 1900.0])
    await archive.takes(final)
    await archive.again.calibrated(archive.sensor)
    done = await archive.recomputed()
    assert (done.summary.rows, done.summary.local, done.summary.changed) == (3, 1, 2)
    assert archive.values()[-1] == 6.9


async def test_another_calibration_than_the_one_in_force_can_be_chosen() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    chosen = await archive.again.calibrated(archive.sensor, slope=-5.0)
    await archive.again.calibrated(archive.sensor, slope=-6.0)
    async with archive.again.running():
        done = await archive.again.ended(await archive.order(calibration_id=chosen.id))
    assert done.calibration_id == chosen.id
    assert {r.measurement.calibration_id for r in archive.readings()} == {chosen.id}


async def test_what_was_taken_from_another_sensor_then_is_taken_again() -> None:
    archive = Archive()
    await archive.takes(at(archive.probe, 0, 640))  # 40 °C
    await archive.measures(RAWS, first=1)
    archive.storage.readings.rows[:] = archive.readings()  # the probe's own are gone
    await archive.again.calibrated(archive.sensor)
    await archive.recomputed()
    inputs = [(r.measurement.notes or {})["inputs"]["temperature"] for r in archive.readings()]
    assert [taken["value"] for taken in inputs] == [40.0] * 4


async def test_what_another_sensor_said_then_is_looked_up_where_nothing_was_taken() -> None:
    archive = Archive()
    archive.registry.put_sensors([replace(archive.sensor, sources={})])
    await archive.takes(at(archive.probe, 0, 640))
    await archive.measures(RAWS, first=1)
    assert all("inputs" not in (r.measurement.notes or {}) for r in archive.readings())
    archive.registry.put_sensors([archive.sensor])
    done = await archive.recomputed()
    assert done.summary.changed
    taken = (archive.readings()[0].measurement.notes or {})["inputs"]["temperature"]
    assert (taken["value"], taken["age"]) == (40.0, 1.0)


async def test_a_virtual_sensor_follows_what_it_is_computed_from() -> None:
    archive = Archive()
    warm, damp = archive.has("sht31_temp", 21), archive.has("sht31_humidity", 21)
    vpd = archive.has("vpd", 21)
    await archive.takes(at(warm, 0, 26_000), at(damp, 0, 30_000))
    (virtual,) = archive.readings(vpd)
    archive.registry.put_sensors([replace(warm, parameters={"offset": 2.0})])
    for sensor in (warm, vpd):
        async with archive.again.running():
            order = await archive.again.recompute(sensor.key, START, user_id=None)
            assert (await archive.again.ended(order)).summary.changed == 1
    (after,) = archive.readings(vpd)
    assert after.raw_value == virtual.raw_value
    assert (after.measurement.value or 0) > (virtual.measurement.value or 0)


async def test_a_value_that_its_device_called_wrong_does_not_come_back() -> None:
    archive = Archive()
    await archive.takes(at(archive.sensor, 0, 1861)._replace(device_quality=Quality.ERROR))
    await archive.again.calibrated(archive.sensor)
    await archive.recomputed()
    (reading,) = archive.readings()
    assert (reading.measurement.value, reading.measurement.quality) == (None, Quality.ERROR)


async def test_what_nobody_could_read_then_is_read_now() -> None:
    archive = Archive()
    archive.libraries.swap(Catalog())
    await archive.measures(RAWS)
    assert archive.values() == RAWS
    archive.libraries.swap(CATALOG)
    done = await archive.recomputed()
    assert (done.summary.before.size, done.summary.after.size) == (0, 4)
    assert all(reading.measurement.unit == "pH" for reading in archive.readings())


async def test_a_value_that_does_not_move_is_found_stuck_across_pages_and_the_beginning() -> None:
    archive = Archive()
    calm = replace(archive.sensor, limits=QualityLimits(stuck_after=timedelta(seconds=PAGE)))
    archive.registry.put_sensors([calm])
    await archive.measures([1861.0] * (2 * PAGE))
    before = archive.readings()
    order = await archive.again.recompute(
        calm.key, START + timedelta(seconds=PAGE - 100), user_id=None
    )
    async with archive.again.running():
        done = await archive.again.ended(order)
    assert archive.readings()[-1].measurement.quality is Quality.SUSPECT
    assert (done.summary.rewritten, archive.readings()) == (0, before)


# ------------------------------------------------------------ the way back


@settings(max_examples=40, deadline=None)
@given(
    raws=st.lists(st.floats(-100, 5000), min_size=1, max_size=30),
    slopes=st.lists(st.floats(-8, -3), min_size=1, max_size=3),
)
async def test_taking_back_leaves_exactly_what_was_there(
    raws: list[float], slopes: list[float]
) -> None:
    archive = Archive()
    await archive.measures(raws)
    stages = []
    for slope in slopes:
        await archive.again.calibrated(archive.sensor, slope)
        stages.append((archive.readings(), await archive.recomputed()))
    for before, done in reversed(stages):
        back = await archive.taken_back(done)
        assert back.state is State.TAKEN_BACK
        assert archive.readings() == before
    assert not archive.storage.recomputations.kept


@settings(max_examples=25, deadline=None)
@given(raws=st.lists(st.floats(0, 4095), min_size=1, max_size=30), slope=st.floats(-8, -3))
async def test_twice_is_the_same_as_once(raws: list[float], slope: float) -> None:
    archive = Archive()
    await archive.takes(at(archive.probe, 0, 400))
    await archive.measures(raws, first=1)
    await archive.again.calibrated(archive.sensor, slope)
    await archive.recomputed()
    once = archive.readings()
    twice = await archive.recomputed()
    assert (archive.readings(), twice.summary.rewritten) == (once, 0)


async def test_one_that_others_rest_on_is_taken_back_after_them() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    await archive.again.calibrated(archive.sensor)
    first = await archive.recomputed()
    await archive.again.calibrated(archive.sensor, -6.0)
    second = await archive.recomputed()
    with pytest.raises(ConflictError, match="later"):
        await archive.again.recompute.take_back(first.id)
    await archive.taken_back(second)
    assert (await archive.taken_back(first)).state is State.TAKEN_BACK
    with pytest.raises(ConflictError, match="TAKEN_BACK"):
        await archive.again.recompute.take_back(first.id)


async def test_cancelling_leaves_everything_as_it_was() -> None:
    archive = Archive()
    await archive.measures([2500.0 + number % 7 for number in range(3 * PAGE)])
    before = archive.readings()
    await archive.again.calibrated(archive.sensor)
    order = await archive.order()
    for _ in range(2):
        await archive.again.recompute._go_on()
    half = await archive.again.found(order)
    assert half.state is State.RUNNING
    assert half.progress == pytest.approx(2 / 3)
    assert archive.readings() != before
    await archive.again.recompute.cancel(order.id)
    async with archive.again.running():
        end = await archive.again.ended(order)
    assert (end.state, end.progress) == (State.CANCELLED, 1.0)
    assert archive.readings() == before
    assert [told.state for told in archive.again.reports.told] == [State.CANCELLED]
    with pytest.raises(ConflictError):
        await archive.again.recompute.cancel(order.id)


async def test_what_is_kept_goes_after_a_month_and_then_there_is_no_way_back() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    await archive.again.calibrated(archive.sensor)
    done = await archive.recomputed()
    assert len(archive.storage.recomputations.kept) == 4
    archive.clock.start += KEPT_FOR + timedelta(hours=1)
    assert await archive.again.recompute._forget() == 4
    with pytest.raises(ConflictError, match="older than 30 days"):
        await archive.again.recompute.take_back(done.id)


# ------------------------------------------------------------ in the middle of things


async def test_a_restart_goes_on_and_ends_as_if_there_had_been_none() -> None:
    broken, whole = Archive(), Archive()
    calibration = None
    for archive in (broken, whole):
        await archive.measures([2500.0 + number % 5 for number in range(2 * PAGE + 7)])
        calibration = calibration or await archive.again.calibrated(archive.sensor)
        archive.registry.put_calibration(calibration)
        archive.storage.calibrations.rows[calibration.id] = calibration
    order = await broken.order()
    await broken.again.recompute._go_on()
    broken.reopened()
    async with broken.again.running():
        done = await broken.again.ended(order)
    summary = (await whole.recomputed()).summary
    assert done.summary == summary
    assert broken.said() == whole.said()


async def test_what_arrives_meanwhile_is_left_alone() -> None:
    archive = Archive()
    await archive.measures([1861.0] * (PAGE + 1))
    await archive.again.calibrated(archive.sensor)
    order = await archive.order()
    await archive.again.recompute._go_on()
    late = at(archive.sensor, PAGE + 0.5, 1861)._replace(received_at=LATER + timedelta(seconds=1))
    await archive.takes(late)
    newest = archive.readings()[-1]
    async with archive.again.running():
        done = await archive.again.ended(order)
    assert done.summary.rows == PAGE + 1
    assert newest in archive.readings()


async def test_a_clock_that_was_set_back_hides_nothing() -> None:
    archive = Archive()
    later = LATER + timedelta(days=9)
    await archive.takes(*(at(archive.sensor, n, 2500)._replace(received_at=later) for n in (1, 2)))
    await archive.again.calibrated(archive.sensor)
    assert (await archive.recomputed()).summary.changed == 2


async def test_a_database_that_goes_away_only_delays_it() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    await archive.again.calibrated(archive.sensor)
    order = await archive.order()
    archive.storage.available = False
    with pytest.raises(StorageUnavailableError):
        await archive.again.recompute._go_on()
    archive.storage.available = True
    async with archive.again.running():
        assert (await archive.again.ended(order)).state is State.DONE


async def test_two_versions_of_a_library_are_never_mixed() -> None:
    archive = Archive()
    await archive.measures([2500.0 + number % 7 for number in range(2 * PAGE)])
    before = archive.readings()
    await archive.again.calibrated(archive.sensor)
    order = await archive.order()
    await archive.again.recompute._go_on()
    newer = replace(CATALOG.by_type["ph"], version="9.0.0")
    archive.libraries.swap(Catalog({"ph": (newer,)}))
    async with archive.again.running():
        end = await archive.again.ended(order)
    assert end.state is State.FAILED
    assert "two versions" in (end.reason or "")
    assert archive.readings() == before


async def test_what_the_owner_sets_meanwhile_is_never_mixed_with_what_was() -> None:
    archive = Archive()
    await archive.measures([2500.0 + number % 7 for number in range(2 * PAGE)])
    before = archive.readings()
    order = await archive.order()
    await archive.again.recompute._go_on()
    archive.registry.put_sensors([replace(archive.sensor, parameters={"offset": 13.0})])
    async with archive.again.running():
        end = await archive.again.ended(order)
    assert end.state is State.FAILED
    assert "two settings" in (end.reason or "")
    assert archive.readings() == before


async def test_a_library_that_converts_nothing_leaves_everything_as_it_was() -> None:
    def fails(_raw: float, _parameters: object) -> Converted:
        raise ValueError

    archive = Archive()
    await archive.measures([1861.0] * FEWEST_UNCONVERTED)
    before = archive.readings()
    broken = replace(CATALOG.by_type["ph"], convert=fails)
    archive.libraries.swap(Catalog({"ph": (broken,)}))
    end = await archive.recomputed()
    assert (end.state, archive.readings()) == (State.FAILED, before)


# ------------------------------------------------------------ what is refused


async def test_what_cannot_be_converted_again_is_refused_with_the_reason() -> None:
    archive = Archive()
    service, key = archive.again.recompute, archive.sensor.key
    with pytest.raises(BadInputError, match="no readings"):
        await archive.order()
    with pytest.raises(BadInputError, match="from must lie before"):
        await service(key, LATER + timedelta(hours=1), user_id=None)
    with pytest.raises(NotFoundError):
        await service(SensorKey("ESP_FFFFFF", 1, "ph"), START, user_id=None)
    await archive.measures(RAWS)
    with pytest.raises(NotFoundError, match="no such calibration"):
        await archive.order(calibration_id=UUID(int=5))
    other = await archive.again.calibrated(archive.probe)
    with pytest.raises(NotFoundError, match="no such calibration"):
        await archive.order(calibration_id=other.id)
    archive.registry.put_sensors([replace(archive.sensor, processing_mode=ProcessingMode.RAW)])
    with pytest.raises(BadInputError, match="processingMode"):
        await archive.order()
    archive.registry.put_sensors([archive.sensor])
    archive.libraries.swap(Catalog())
    with pytest.raises(BadInputError, match="no library reads ph"):
        await archive.order()


async def test_a_sensor_is_recomputed_once_at_a_time_and_only_so_many_wait() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    await archive.order()
    with pytest.raises(ConflictError, match="under way"):
        await archive.order()
    await archive.takes(at(archive.probe, 0, 400))
    waiting = archive.storage.recomputations.rows
    (one,) = waiting.values()
    for number in range(MOST_WAITING - 1):
        other = replace(one, id=UUID(int=number), span=one.span._replace(sensor_id=1000 + number))
        waiting[other.id] = other
    with pytest.raises(OverloadedError):
        await archive.again.recompute(archive.probe.key, START, user_id=None)


# ------------------------------------------------------------ the preview


async def test_a_preview_says_what_would_change_and_changes_nothing() -> None:
    archive = Archive()
    await archive.measures([2500.0 + number % 9 for number in range(300)])
    before = archive.readings()
    await archive.again.calibrated(archive.sensor)
    preview = await archive.again.recompute.preview(archive.sensor.key, START)
    assert (preview.total, preview.complete) == (300, True)
    assert archive.readings() == before
    assert (await archive.recomputed()).summary == preview.summary


async def test_a_preview_says_with_what_the_past_would_be_converted() -> None:
    archive = Archive()
    await archive.measures(RAWS)
    archive.registry.put_sensors([replace(archive.sensor, parameters={"offset": 13.0})])
    preview = await archive.again.recompute.preview(archive.sensor.key, START)
    slope, offset, temperature, *_ = preview.parameters
    assert (offset.value, offset.origin) == (13.0, Origin.OWNER)
    assert (slope.origin, temperature.source) == (Origin.DEFAULT, archive.probe)


async def test_a_preview_of_very_many_takes_samples_and_says_so() -> None:
    archive = Archive()
    await archive.measures([2500.0 + number % 9 for number in range(PREVIEWED + 1000)])
    await archive.again.calibrated(archive.sensor)
    preview = await archive.again.recompute.preview(archive.sensor.key, START)
    assert (preview.total, preview.complete) == (PREVIEWED + 1000, False)
    assert preview.summary.rows == PREVIEWED
    assert preview.summary.changed == PREVIEWED
