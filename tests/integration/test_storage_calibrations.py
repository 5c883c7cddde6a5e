"""Calibrations are kept with who and when; what a value came from is kept with the value."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from domain.calibrations import (
    Calibration,
    CalibrationMethod,
    CalibrationPoint,
    CalibrationProcedure,
    Finding,
    Fit,
    ProcedureState,
)
from domain.errors import DomainError
from domain.pages import PageRequest
from domain.sensors import SensorKey
from storage.connection import Database
from tests.integration.storing import CELSIUS, NOON, new_reading, stored_sensors


def calibration(sensor_id: int, minutes: int = 0, expires: int | None = None) -> Calibration:
    return Calibration(
        id=uuid7(),
        sensor_id=sensor_id,
        library="ph",
        method=CalibrationMethod.PH_2POINT,
        points=(CalibrationPoint(1861, 7.0), CalibrationPoint(2519, 4.0, 21.5)),
        fit=Fit(
            parameters={"slope": -5.66, "offset": 15.49 + minutes},
            residuals=(0.0, -0.01),
            slope_percent=62.0,
            zero_error=0.01,
            findings=(Finding("slope_low", "clean it"),),
        ),
        calibrated_at=NOON + timedelta(minutes=minutes),
        expires_at=None if expires is None else NOON + timedelta(minutes=expires),
    )


async def test_the_newest_calibration_of_a_sensor_is_in_force_and_the_others_are_history(
    database: Database,
) -> None:
    first, second = await stored_sensors(database, (4, 5))
    rows = [calibration(first.id, 1), calibration(first.id, 2), calibration(second.id, 3)]
    async with database.unit_of_work() as work:
        for row in rows:
            await work.calibrations.add(row)
    async with database.autocommit() as work:
        assert await work.calibrations.in_force() == {first.id: rows[1], second.id: rows[2]}
        assert await work.calibrations.of_sensors([first.id]) == {first.id: rows[1]}
        assert await work.calibrations.by_id(rows[0].id) == rows[0]
        newest = await work.calibrations.page(first.id, PageRequest(first=1))
        assert [entry.item for entry in newest.entries] == [rows[1]]
        older = await work.calibrations.page(
            first.id, PageRequest(first=5, after=newest.entries[0].key)
        )
        assert [entry.item for entry in older.entries] == [rows[0]]
        await work.sensors.remove(first.id)
        assert await work.calibrations.in_force() == {second.id: rows[2]}


async def test_only_what_is_in_force_expires_and_is_told_once(database: Database) -> None:
    (sensor,) = await stored_sensors(database)
    old, new = calibration(sensor.id, 1, expires=5), calibration(sensor.id, 2, expires=10)
    async with database.autocommit() as work:
        await work.calibrations.add(old)
        await work.calibrations.add(new)
        assert await work.calibrations.expired(NOON + timedelta(minutes=9)) == []
        assert await work.calibrations.expired(NOON + timedelta(minutes=11)) == [new]
        await work.calibrations.mark_told(new.id)
        assert await work.calibrations.expired(NOON + timedelta(minutes=11)) == []


async def test_a_procedure_goes_on_where_it_was_and_a_sensor_has_one_at_a_time(
    database: Database,
) -> None:
    (sensor,) = await stored_sensors(database)
    begun = CalibrationProcedure(
        id=uuid7(),
        sensor_id=sensor.id,
        method=CalibrationMethod.OFFSET,
        started_at=NOON,
        changed_at=NOON,
    )
    further = replace(
        begun, points=(CalibrationPoint(1861.5, 7.0, 25.0),), changed_at=NOON + timedelta(minutes=1)
    )
    async with database.autocommit() as work:
        await work.calibration_procedures.add(begun)
        await work.calibration_procedures.save(further)
        assert await work.calibration_procedures.by_id(begun.id) == further
        assert await work.calibration_procedures.open() == [further]
    with pytest.raises(DomainError):
        async with database.unit_of_work() as work:
            await work.calibration_procedures.add(replace(begun, id=uuid7()))
    async with database.autocommit() as work:
        await work.calibration_procedures.save(replace(further, state=ProcedureState.FINISHED))
        assert await work.calibration_procedures.open() == []
        await work.calibration_procedures.add(replace(begun, id=uuid7()))


async def test_a_value_names_the_calibration_that_it_came_from(
    database: Database, database_url: str
) -> None:
    (sensor,) = await stored_sensors(database)
    made_with = uuid7()
    writer = database.reading_writer()
    await writer.write(
        [
            new_reading(sensor, 1),
            new_reading(sensor, 2, measurement=CELSIUS._replace(calibration_id=made_with)),
        ],
        [],
    )
    async with database.autocommit() as work:
        page = await work.readings.page(PageRequest(first=5), sensor_ids=[sensor.id])
    assert [entry.item.measurement.calibration_id for entry in page.entries] == [made_with, None]
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM conversion") == 2
    await connection.close()


async def test_what_people_set_of_a_sensor_comes_back(database: Database) -> None:
    (sensor,) = await stored_sensors(database)
    water = SensorKey("ESP_12AB34", 4, "ds18b20", "28FF641E8D3C0C79")
    changed = replace(sensor, parameters={"window_s": 2.5}, sources={"temperature": water})
    async with database.autocommit() as work:
        await work.sensors.save(changed)
        assert await work.sensors.by_key(sensor.key) == changed
