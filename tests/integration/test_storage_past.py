"""The past comes out of the database as columns: all that is good of it, as it was received."""

from datetime import timedelta

from domain.rules.past import Past, instant
from domain.rules.world import Observation
from domain.sensors import Measurement, ProcessingMode, Quality
from storage.connection import Database
from storage.past import past_readings
from tests.fakes.past import FakePast
from tests.integration.storing import CELSIUS, all_readings, at, new_reading, stored_sensors

FAHRENHEIT = Measurement(68.0, "°F", Quality.UNKNOWN, ProcessingMode.LOCAL)


def rows(past: Past) -> list[tuple[Observation, float]]:
    return [
        (past.observation(place), instant(past.received[place]).timestamp())
        for place in range(len(past))
    ]


async def test_columns_hold_what_rows_hold_in_the_order_in_which_they_were_received(
    database: Database, database_url: str
) -> None:
    sensor, other = await stored_sensors(database, (4, 5))
    bad = [
        CELSIUS._replace(value=None, quality=Quality.ERROR),
        CELSIUS._replace(quality=Quality.BAD),
        CELSIUS._replace(quality=Quality.SUSPECT),
    ]
    await database.reading_writer().write(
        [
            new_reading(sensor, 0.25, measurement=CELSIUS._replace(value=-3.5)),
            new_reading(sensor, 40, received=30),  # by a clock that is ahead
            new_reading(sensor, 20, received=300.000001),
            new_reading(sensor, 60, measurement=FAHRENHEIT),
            new_reading(sensor, -1),
            new_reading(sensor, 400),
            new_reading(other, 50),
            *(new_reading(sensor, 70 + n, measurement=each) for n, each in enumerate(bad)),
        ],
        [],
    )
    fake = FakePast([*await all_readings(database)])
    both = [sensor.id, other.id]
    async with past_readings(database_url) as found:
        pasts = await found.of(both, at(0), at(400))
        nothing = await found.of(both, at(1000), at(2000))
        latest = await found.latest(both, at(61))
        none = await found.latest(both, at(-100))
    past = pasts[sensor.id]
    assert [seen.value for seen, _ in rows(past)] == [-3.5, 21.5, 68.0, 21.5]
    assert [seen.unit for seen, _ in rows(past)] == ["°C", "°C", "°F", "°C"]
    expected = await fake.of(both, at(0), at(400))
    assert {key: rows(found) for key, found in pasts.items()} == {
        key: rows(found) for key, found in expected.items()
    }
    assert nothing == {}
    assert latest == await fake.latest(both, at(61))
    assert latest[sensor.id].measured_at == at(60)
    assert none == {}


async def test_a_past_of_several_months_comes_as_one(database: Database, database_url: str) -> None:
    (sensor,) = await stored_sensors(database)
    days = [new_reading(sensor, 86_400.0 * day) for day in range(0, 90, 10)]
    await database.reading_writer().write(days, [])
    async with past_readings(database_url) as found:
        past = (await found.of([sensor.id], at(0), at(0) + timedelta(days=90)))[sensor.id]
    assert [instant(moment) for moment in past.measured] == [
        at(86_400.0 * n) for n in range(0, 90, 10)
    ]
