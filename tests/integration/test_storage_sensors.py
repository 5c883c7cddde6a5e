from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import BadInputError, NotFoundError
from domain.limits import Band, QualityLimits
from domain.pages import Key, PageRequest
from domain.system_events import EventKind
from domain.thresholds import Thresholds, Zone
from storage.connection import Database
from tests.integration.storing import at, new_reading, stored_device, stored_sensors
from tests.makers import make_sensor, make_system_event
from tests.query_counting import counted_queries

# In the order of pages: by device, pin, type and address.
KEYS = [
    ("ESP_A", 0, "sht31_humidity", "68"),
    ("ESP_A", 0, "sht31_temp", "68"),
    ("ESP_A", 0, "sht31_temp", "69"),
    ("ESP_A", 4, "ds18b20", "28FF01"),
    ("ESP_A", 32, "ph", ""),
    ("ESP_B", 4, "ds18b20", ""),
]


async def stored_house(database: Database) -> None:
    for esp_id in ("ESP_A", "ESP_B"):
        await stored_device(database, esp_id)
    async with database.unit_of_work() as work:
        await work.sensors.add([make_sensor(*key) for key in reversed(KEYS)])


async def test_sensors_come_back_in_the_order_they_were_given_with_ids(database: Database) -> None:
    await stored_device(database, "ESP_A")
    await stored_device(database, "ESP_B")
    given = [make_sensor(*key, unit=None, enabled=False) for key in reversed(KEYS)]
    async with database.unit_of_work() as work:
        stored = await work.sensors.add(given)
    assert [replace(sensor, id=1) for sensor in stored] == given
    assert len({sensor.id for sensor in stored}) == len(KEYS)


async def test_a_known_key_returns_the_sensor_stored_first(database: Database) -> None:
    (first,) = await stored_sensors(database)
    again = make_sensor(name="another name")
    async with database.unit_of_work() as work:
        assert await work.sensors.add([again, again, make_sensor(gpio=5)]) == [
            first,
            first,
            await work.sensors.by_key(make_sensor(gpio=5).key),
        ]


async def test_a_sensor_needs_its_device(database: Database) -> None:
    with pytest.raises(NotFoundError, match="ESP_NOBODY"):
        async with database.unit_of_work() as work:
            await work.sensors.add([make_sensor("ESP_NOBODY")])


async def test_a_sensor_is_found_by_every_part_of_its_key(database: Database) -> None:
    await stored_house(database)
    async with database.unit_of_work() as work:
        for key in KEYS:
            sensor = await work.sensors.by_key(make_sensor(*key).key)
            assert sensor is not None
            assert sensor.key == key
        assert await work.sensors.by_key(make_sensor("ESP_A", 0, "sht31_temp", "70").key) is None


async def test_the_sensors_of_devices_come_in_order_and_a_device_without_any_has_none(
    database: Database,
) -> None:
    await stored_house(database)
    async with database.unit_of_work() as work:
        found = await work.sensors.of_devices(["ESP_B", "ESP_A", "ESP_X"])
    assert {esp_id: [s.key for s in sensors] for esp_id, sensors in found.items()} == {
        "ESP_A": KEYS[:5],
        "ESP_B": KEYS[5:],
        "ESP_X": [],
    }


@pytest.mark.parametrize("size", [1, 2, 4, 100])
async def test_pages_walk_all_sensors_in_order_once(database: Database, size: int) -> None:
    await stored_house(database)
    seen: list[Key] = []
    after: Key | None = None
    async with database.unit_of_work() as work:
        while True:
            page = await work.sensors.page(PageRequest(size, after))
            seen += [entry.item.key for entry in page.entries]
            if not page.has_next:
                break
            after = page.entries[-1].key
    assert seen == KEYS


async def test_filters_hold_for_pages_and_counts_alike(database: Database) -> None:
    await stored_house(database)
    async with database.unit_of_work() as work:
        for filters, count in [
            ({}, 6),
            ({"esp_id": "ESP_A"}, 5),
            ({"sensor_type": "ds18b20"}, 2),
            ({"esp_id": "ESP_A", "sensor_type": "ds18b20"}, 1),
            ({"enabled": True}, 6),
            ({"enabled": False}, 0),
        ]:
            page = await work.sensors.page(PageRequest(), **filters)  # type: ignore[arg-type]  # mixed
            assert len(page.entries) == count
            assert await work.sensors.count(**filters) == count  # type: ignore[arg-type]  # mixed


@pytest.mark.parametrize("after", [("ESP_A",), (1, "x"), ("ESP_A", "4", "ds18b20", "")])
async def test_the_cursor_of_another_list_is_refused(database: Database, after: Key) -> None:
    with pytest.raises(BadInputError, match="another list"):
        async with database.unit_of_work() as work:
            await work.sensors.page(PageRequest(1, after))


async def test_many_sensors_cost_few_queries(database: Database) -> None:
    await stored_device(database, "ESP_A")
    new = [make_sensor("ESP_A", gpio) for gpio in range(40)]
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        await work.sensors.add(new)
    assert len(queries) == 3
    async with counted_queries(database) as queries, database.unit_of_work() as work:
        assert len(await work.sensors.all()) == 40
        await work.sensors.of_devices(["ESP_A"])
        await work.sensors.page(PageRequest(20))
    assert len(queries) == 3


async def test_thresholds_and_limits_are_kept_with_the_sensor_and_shown_with_its_readings(
    database: Database,
) -> None:
    (sensor,) = await stored_sensors(database)
    watched = replace(
        sensor,
        thresholds=Thresholds(unit="°C", alarm_high=30.0, hysteresis=0.5),
        limits=QualityLimits(unit="°C", typical=Band(10.0, 30.0), warm_up=timedelta(minutes=1)),
    )
    async with database.unit_of_work() as work:
        await work.sensors.save(watched)
    await database.reading_writer().write([new_reading(watched, 1.0)], [])
    async with database.unit_of_work() as work:
        assert await work.sensors.by_key(sensor.key) == watched
        assert (await work.readings.latest([sensor.id]))[sensor.id].sensor == watched
        await work.sensors.save(replace(watched, thresholds=None, limits=None))
        assert await work.sensors.by_key(sensor.key) == sensor


async def test_where_sensors_stand_is_kept_until_they_stand_nowhere(database: Database) -> None:
    first, second = await stored_sensors(database, (4, 5))
    async with database.autocommit() as work:
        await work.sensors.save_zones({first.id: Zone.ALARM_HIGH, second.id: Zone.WARNING_LOW})
        await work.sensors.save_zones({first.id: Zone.NORMAL, 999_999: Zone.ALARM_LOW})
        assert await work.sensors.zones() == {second.id: Zone.WARNING_LOW}


async def test_since_when_a_sensor_stands_where_it_stands_is_told_by_its_newest_edge(
    database: Database,
) -> None:
    alarmed, calm, moved, untold = await stored_sensors(database, (4, 5, 6, 7))
    edges = [
        (alarmed, EventKind.THRESHOLD_CROSSED, Zone.ALARM_HIGH),
        (alarmed, EventKind.THRESHOLD_RETURNED, Zone.NORMAL),
        (alarmed, EventKind.THRESHOLD_CROSSED, Zone.ALARM_HIGH),
        (calm, EventKind.THRESHOLD_CROSSED, Zone.ALARM_LOW),
        (calm, EventKind.THRESHOLD_RETURNED, Zone.NORMAL),
        (moved, EventKind.THRESHOLD_CROSSED, Zone.ALARM_LOW),
        (moved, EventKind.THRESHOLD_CROSSED, Zone.ALARM_HIGH),
        (untold, EventKind.DEVICE_ERROR, Zone.WARNING_LOW),
    ]
    async with database.autocommit() as work:
        await work.system_events.add(
            [
                make_system_event(
                    second,
                    kind=kind,
                    esp_id=sensor.key.esp_id,
                    details={
                        "gpio": sensor.key.gpio,
                        "sensor_type": sensor.key.sensor_type,
                        "address": sensor.key.address,
                        "zone": zone.value,
                        "measured_at": at(second).isoformat(),
                    },
                )
                for second, (sensor, kind, zone) in enumerate(edges, start=1)
            ]
        )
        await work.sensors.save_zones(
            {alarmed.id: Zone.ALARM_HIGH, moved.id: Zone.ALARM_LOW, untold.id: Zone.WARNING_LOW}
        )
        assert await work.sensors.zones_since() == {alarmed.id: at(3), calm.id: at(5)}
