"""Zones, how devices stand, and what must arrive come back as they were stored."""

from dataclasses import replace
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.configs import CONFIG_ERRANDS, ConfigSync, ConfigSyncState, Errand, OutboxEntry
from domain.errors import NotFoundError
from domain.sensors import ProcessingMode
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_actuator, stored_device, stored_sensors
from tests.makers import make_zone

ESP = "ESP_12AB34"
SYNC = ConfigSync(
    state=ConfigSyncState.REJECTED,
    config_id="c",
    sent_at=START,
    confirmed_at=START + timedelta(seconds=1),
    attempts=3,
    error="sensor on GPIO 4: no",
    items={"sensor on GPIO 4": "no"},
    generation=2**32 - 1,
)


def entry(errand: Errand, **body: str | int) -> OutboxEntry:
    return OutboxEntry(
        esp_id=ESP,
        errand=errand,
        body=body,
        created_at=START,
        expires_at=START + timedelta(days=30),
    )


async def test_a_zone_comes_back_as_it_was_stored_and_is_stored_once(database: Database) -> None:
    north = make_zone("north", id=uuid7(), parent_zone_id="plant")
    async with database.unit_of_work() as work:
        assert await work.zones.add(north) == north
        assert await work.zones.add(make_zone("north", id=uuid7())) == north
        await work.zones.save(replace(north, name="Nord", parent_zone_id=None))
        await work.zones.add(make_zone("east", id=uuid7()))
        assert [zone.name for zone in await work.zones.all()] == ["East", "Nord"]
        assert set(await work.zones.by_zone_ids(["north", "west"])) == {"north"}


async def test_how_a_device_stands_is_replaced(database: Database) -> None:
    await stored_device(database, ESP)
    async with database.unit_of_work() as work:
        assert await work.config_syncs.by_esp_ids([ESP]) == {}
        await work.config_syncs.save(ESP, SYNC)
        assert await work.config_syncs.by_esp_ids([ESP, "ESP_X"]) == {ESP: SYNC}
        await work.config_syncs.save(ESP, ConfigSync())
        assert await work.config_syncs.by_esp_ids([ESP]) == {ESP: ConfigSync()}


async def test_what_must_arrive_waits_in_order_until_it_is_removed(database: Database) -> None:
    await stored_device(database, ESP)
    async with database.unit_of_work() as work:
        assert await work.outbox.waiting(CONFIG_ERRANDS) == []
        await work.outbox.add([entry(Errand.FORGET, gpio=4, name="pH"), entry(Errand.ZONE)])
        waiting = await work.outbox.of_device(ESP, CONFIG_ERRANDS)
        assert [(each.errand, dict(each.body)) for each in waiting] == [
            (Errand.FORGET, {"gpio": 4, "name": "pH"}),
            (Errand.ZONE, {}),
        ]
        assert await work.outbox.waiting(CONFIG_ERRANDS) == [ESP]
        await work.outbox.remove([waiting[0].id])
        assert await work.outbox.of_device(ESP, CONFIG_ERRANDS) == [waiting[1]]
        with pytest.raises(NotFoundError):
            await work.outbox.add([replace(entry(Errand.ZONE), esp_id="ESP_NOBODY")])


async def test_a_device_that_is_removed_takes_everything_along(database: Database) -> None:
    await stored_sensors(database, esp_id=ESP)
    await stored_actuator(database, esp_id=ESP)
    async with database.unit_of_work() as work:
        await work.outbox.add([entry(Errand.CONFIG)])
        await work.config_syncs.save(ESP, SYNC)
        await work.devices.remove(ESP)
        assert await work.devices.all() == []
        assert await work.sensors.all() == []
        assert await work.actuators.all() == []
        assert await work.outbox.waiting(CONFIG_ERRANDS) == []
        assert await work.config_syncs.by_esp_ids([ESP]) == {}


async def test_settings_of_pins_and_devices_come_back_as_they_were_stored(
    database: Database,
) -> None:
    (sensor,) = await stored_sensors(database, esp_id=ESP)
    actuator = await stored_actuator(database, esp_id=ESP)
    sensor = replace(
        sensor,
        name="Tank",
        enabled=False,
        interval=timedelta(seconds=30),
        processing_mode=ProcessingMode.LOCAL,
    )
    actuator = replace(actuator, inverted=True, aux_gpio=6, default_value=0.25)
    async with database.unit_of_work() as work:
        device = await work.devices.by_esp_id(ESP)
        assert device is not None
        device = replace(
            device, zone_id="north", subzone_id="s", is_zone_master=True, metadata={"a": [1]}
        )
        await work.devices.save(device)
        await work.sensors.save(sensor)
        await work.actuators.save(actuator)
        assert await work.devices.by_esp_id(ESP) == device
        assert await work.sensors.by_key(sensor.key) == sensor
        assert await work.actuators.by_pin(actuator.pin) == actuator
        await work.sensors.remove(sensor.id)
        await work.actuators.remove(actuator.id)
        assert await work.sensors.all() == []
        assert await work.actuators.all() == []
