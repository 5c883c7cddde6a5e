"""What is known is what the database held, and what was committed since."""

from datetime import timedelta

import pytest

from domain.actuators import ActuatorState, Pin
from domain.errors import StorageUnavailableError
from domain.sensors import SensorKey
from domain.services.registry import Registry
from tests.fakes import START, FakeStorage
from tests.makers import make_actuator, make_device, make_sensor


async def stored() -> FakeStorage:
    storage = FakeStorage()
    for esp_id in ("ESP_A", "ESP_B"):
        await storage.devices.add(make_device(esp_id))
        await storage.sensors.add([make_sensor(esp_id, 4), make_sensor(esp_id, 5)])
        await storage.actuators.add(make_actuator(esp_id, 5))
    return storage


async def test_it_knows_what_the_database_holds_and_nothing_else() -> None:
    registry = Registry()
    registry.add_device(make_device("ESP_GONE"))
    await registry.load(await stored())
    assert {device.esp_id for device in registry.devices()} == {"ESP_A", "ESP_B"}
    sensor = registry.sensor(SensorKey("ESP_B", 5, "ds18b20"))
    actuator = registry.actuator(Pin("ESP_B", 5))
    assert sensor is not None
    assert actuator is not None
    assert (sensor.key.gpio, actuator.pin.esp_id) == (5, "ESP_B")
    assert registry.device("ESP_GONE") is None
    assert registry.sensor(SensorKey("ESP_A", 6, "ds18b20")) is None
    assert registry.actuator(Pin("ESP_A", 6)) is None


async def test_a_database_that_is_away_takes_nothing_from_it() -> None:
    registry, storage = Registry(), await stored()
    await registry.load(storage)
    storage.available = False
    with pytest.raises(StorageUnavailableError):
        await registry.load(storage)
    assert registry.device("ESP_A") is not None


def test_whoever_comes_second_with_something_new_gets_what_is_known() -> None:
    registry = Registry()
    first = registry.add_device(make_device("ESP_A", name="first"))
    pump = registry.add_actuator(make_actuator("ESP_A", name="first"))
    assert registry.add_device(make_device("ESP_A", name="second")) is first
    assert registry.add_actuator(make_actuator("ESP_A", name="second")) is pump


def test_changes_of_different_fields_do_not_undo_each_other() -> None:
    registry = Registry()
    registry.add_device(make_device("ESP_A", approved=False, online=False))
    registry.add_actuator(make_actuator("ESP_A", 5))
    registry.change_device("ESP_A", online=True)
    device = registry.change_device("ESP_A", approved=True)
    assert (device.online, device.approved) == (True, True)
    state = ActuatorState(value=1.0)
    registry.change_actuator(Pin("ESP_A", 5), state=state)
    actuator = registry.change_actuator(Pin("ESP_A", 5), name="Pump")
    assert (actuator.state, actuator.name) == (state, "Pump")
    assert registry.device("ESP_A") is device
    assert registry.actuator(Pin("ESP_A", 5)) is actuator


def test_a_sensor_that_changed_takes_the_place_of_what_was_known() -> None:
    registry = Registry()
    registry.put_sensors([make_sensor("ESP_A", 4), make_sensor("ESP_A", 5)])
    registry.put_sensors([make_sensor("ESP_A", 4, name="Probe")])
    named = [registry.sensor(SensorKey("ESP_A", pin, "ds18b20")) for pin in (4, 5)]
    assert [sensor and sensor.name for sensor in named] == ["Probe", "DS18B20 on GPIO 5"]


def test_devices_may_come_and_go_while_somebody_walks_through_them() -> None:
    registry = Registry()
    for number in range(3):
        registry.add_device(make_device(f"ESP_{number}"))
    for device in registry.devices():
        registry.add_device(make_device(f"{device.esp_id}_NEW"))
        registry.change_device(device.esp_id, online=False)
    assert len(list(registry.devices())) == 6


def test_it_remembers_when_a_device_last_said_anything() -> None:
    registry = Registry()
    assert registry.last_heard("ESP_A") is None
    for seconds in (0, 5):
        registry.hear("ESP_A", START + timedelta(seconds=seconds))
    assert registry.last_heard("ESP_A") == START + timedelta(seconds=5)
    assert registry.last_heard("ESP_B") is None
