"""What people decide is stored, remembered and told; what makes no sense changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.actuators import LAST_PIN, Actuator, ActuatorState, Pin
from domain.configs import NO_PIN
from domain.desired import sensor_item
from domain.devices import Device, DeviceStatus
from domain.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    StorageUnavailableError,
)
from domain.events import ActuatorChanged, DeviceHeard
from domain.lease_book import LeaseBook
from domain.leases import Moment
from domain.names import LONGEST_NAME
from domain.sensors import ProcessingMode, Sensor, SensorKey
from domain.services.configure import Configure
from domain.services.registry import Registry
from tests.fakes import START, FakeClock, FakeEventStream, FakeStorage
from tests.fakes.configs import FakeAdmissions
from tests.makers import make_actuator, make_device

ESP = "ESP_12AB34"
PIN = Pin(ESP, 5)
HOUR = timedelta(hours=1)
LATER = START + timedelta(hours=1)
RUNNING = ActuatorState(value=1.0, is_active=True, reported_at=START)


class Greenhouse:
    """A device with a pump on pin 5 that runs."""

    def __init__(self, *, approved: bool = True) -> None:
        self.storage = FakeStorage()
        self.events = FakeEventStream()
        self.registry = Registry()
        self.changed: list[str] = []
        self.admissions = FakeAdmissions()
        self.leases = LeaseBook()
        self.configure = Configure(
            storage=self.storage,
            registry=self.registry,
            events=self.events,
            clock=FakeClock(LATER),
            leases=self.leases,
            new_id=uuid4,
            changed=self.changed.append,
            admitted=self.admissions,
        )
        device = make_device(ESP, approved=approved, name="Bench", zone_id="north")
        actuator = make_actuator(ESP, 5, state=RUNNING)
        self.storage.devices.rows[ESP] = self.registry.add_device(device)
        self.storage.actuators.rows[PIN] = self.registry.add_actuator(actuator)

    def device(self) -> Device:
        """What is stored of the device, and remembered."""
        stored = self.storage.devices.rows[ESP]
        assert stored == self.registry.device(ESP)
        return stored

    def actuator(self, pin: Pin = PIN) -> Actuator:
        """What is stored of an actuator, and remembered."""
        stored = self.storage.actuators.rows[pin]
        assert stored == self.registry.actuator(pin)
        return stored


# ---------------------------------------------------------------- devices


async def test_an_approved_device_is_let_in_and_told() -> None:
    house = Greenhouse(approved=False)
    device = await house.configure.approve_device(ESP, "  North bed ")
    assert device.status is DeviceStatus.ONLINE
    assert (device.name, device.zone_id, device.updated_at) == ("North bed", "north", LATER)
    assert house.device() == device
    assert house.events.published == [DeviceHeard(device)]


async def test_approving_without_a_name_leaves_the_name() -> None:
    house = Greenhouse(approved=False)
    assert (await house.configure.approve_device(ESP)).name == "Bench"


async def test_a_device_that_was_never_heard_cannot_be_let_in() -> None:
    house = Greenhouse()
    with pytest.raises(NotFoundError, match="no device ESP_FFFFFF was ever heard"):
        await house.configure.approve_device("ESP_FFFFFF")


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1), "two\nlines", "a\x00b"])
async def test_a_name_that_is_none_changes_nothing(name: str) -> None:
    house = Greenhouse(approved=False)
    before, pump = house.device(), house.actuator()
    with pytest.raises(BadInputError, match="printable"):
        await house.configure.approve_device(ESP, name)
    with pytest.raises(BadInputError, match="printable"):
        await house.configure.set_actuator(PIN, "pump", name=name)
    assert (house.device(), house.actuator()) == (before, pump)
    assert house.events.published == []


# ---------------------------------------------------------------- actuators


async def test_a_new_actuator_is_named_after_its_pin() -> None:
    house = Greenhouse()
    actuator = await house.configure.set_actuator(Pin(ESP, 6), "Valve")
    assert (actuator.name, actuator.actuator_type) == ("valve on GPIO 6", "valve")
    assert (actuator.enabled, actuator.critical, actuator.state) == (True, False, ActuatorState())
    assert actuator.created_at == actuator.updated_at == LATER
    assert house.actuator(Pin(ESP, 6)) == actuator
    assert house.events.published == [ActuatorChanged(actuator)]


async def test_only_the_settings_that_are_given_change_and_never_the_state() -> None:
    house = Greenhouse()
    before = house.actuator()
    await house.configure.set_actuator(PIN, "pump", name="Irrigation")
    await house.configure.set_actuator(PIN, "pump", enabled=False)
    await house.configure.set_actuator(PIN, "relay", critical=True, max_runtime=HOUR)
    assert house.actuator() == replace(
        before,
        actuator_type="relay",
        name="Irrigation",
        enabled=False,
        critical=True,
        max_runtime=HOUR,
        updated_at=LATER,
    )


async def test_what_does_harm_must_not_be_on_for_as_long_as_it_likes() -> None:
    house = Greenhouse()
    before = house.actuator()
    with pytest.raises(BadInputError, match="maxRuntime"):
        await house.configure.set_actuator(PIN, "pump", critical=True)
    assert house.actuator() == before
    await house.configure.set_actuator(PIN, "pump", critical=True, max_runtime=HOUR)
    with pytest.raises(BadInputError, match="maxRuntime"):
        await house.configure.set_actuator(PIN, "pump", max_runtime=timedelta(0))
    assert house.actuator().max_runtime == HOUR


@pytest.mark.parametrize(
    ("setting", "possible", "none", "impossible"),
    [
        ("max_runtime", timedelta(days=7), timedelta(0), timedelta(days=8)),
        ("max_runtime", timedelta(seconds=1), timedelta(0), timedelta(milliseconds=1)),
        ("min_off_time", timedelta(days=1), timedelta(0), timedelta(days=2)),
        ("min_off_time", timedelta(seconds=1), timedelta(0), timedelta(seconds=-1)),
        ("max_starts_per_hour", 1000, 0, 1001),
        ("max_starts_per_hour", 1, 0, -1),
    ],
)
async def test_limits_of_an_actuator_stay_until_they_are_ended_by_zero(
    setting: str, possible: object, none: object, impossible: object
) -> None:
    house = Greenhouse()
    for given, kept in ((possible, possible), (None, possible), (none, None)):
        await house.configure.set_actuator(PIN, "pump", **{setting: given})  # type: ignore[arg-type]  # one of them
        assert getattr(house.actuator(), setting) == kept
    with pytest.raises(BadInputError):
        await house.configure.set_actuator(PIN, "pump", **{setting: impossible})  # type: ignore[arg-type]  # one of them


async def test_a_second_pin_stays_until_it_is_said_that_none_is_needed() -> None:
    house = Greenhouse()
    await house.configure.set_actuator(PIN, "valve", aux_gpio=6)
    await house.configure.set_actuator(PIN, "valve", name="Inlet")
    assert house.actuator().aux_gpio == 6
    await house.configure.set_actuator(PIN, "valve", aux_gpio=NO_PIN)
    assert house.actuator().aux_gpio is None


async def test_a_sensor_can_be_left_unconverted() -> None:
    house = Greenhouse()
    sensor = await house.configure.set_sensor(
        SensorKey(ESP, 34, "ph"), processing_mode=ProcessingMode.RAW
    )
    assert sensor_item(sensor).raw_mode is True


async def test_nothing_is_told_of_a_device_that_was_not_let_in() -> None:
    house = Greenhouse(approved=False)
    await house.configure.set_actuator(PIN, "pump", name="Irrigation")
    assert house.actuator().name == "Irrigation"
    assert house.events.published == []


@pytest.mark.parametrize(
    ("pin", "kind", "error"),
    [
        (Pin("ESP_FFFFFF", 5), "pump", NotFoundError),
        (Pin(ESP, -1), "pump", BadInputError),
        (Pin(ESP, LAST_PIN + 1), "pump", BadInputError),
        (Pin(ESP, 6), "catapult", BadInputError),
    ],
)
async def test_an_actuator_that_cannot_be_is_refused(
    pin: Pin, kind: str, error: type[Exception]
) -> None:
    house = Greenhouse()
    with pytest.raises(error):
        await house.configure.set_actuator(pin, kind)
    assert house.storage.actuators.rows.keys() == {PIN}
    assert house.registry.actuator(pin) is None


async def test_what_could_not_be_stored_is_neither_remembered_nor_told() -> None:
    house = Greenhouse(approved=False)
    before, pump = house.device(), house.actuator()
    house.storage.available = False
    with pytest.raises(StorageUnavailableError):
        await house.configure.approve_device(ESP, "North bed")
    with pytest.raises(StorageUnavailableError):
        await house.configure.set_actuator(PIN, "pump", enabled=False)
    assert (house.device(), house.actuator()) == (before, pump)
    assert house.events.published == []


async def test_a_device_is_told_at_once_that_it_was_let_in() -> None:
    greenhouse = Greenhouse(approved=False)
    await greenhouse.configure.approve_device(ESP)
    assert greenhouse.admissions.told == [ESP]
    with pytest.raises(NotFoundError):
        await greenhouse.configure.approve_device("ESP_FFFFFF")
    assert greenhouse.admissions.told == [ESP]


# ---------------------------------------------------------------- what is on is not forgotten

AT = Moment(LATER, 0.0)


async def test_what_is_on_is_not_removed_and_neither_is_its_device() -> None:
    house = Greenhouse()
    lease = house.leases.grant(uuid4(), house.actuator(), 1.0, None, AT)
    for removal in (house.configure.remove_actuator(PIN), house.configure.remove_device(ESP)):
        with pytest.raises(ConflictError, match="is on: switch it off first, with sendCommand OFF"):
            await removal
    house.leases.confirmed(PIN, lease.id)
    house.leases.end(PIN, AT)
    with pytest.raises(ConflictError, match="try again when its device has confirmed it"):
        await house.configure.remove_actuator(PIN)
    house.leases.off(PIN, AT)
    assert await house.configure.remove_actuator(PIN)
    assert await house.configure.remove_device(ESP)


async def test_what_was_told_to_switch_off_is_removed_where_its_device_is_gone() -> None:
    house = Greenhouse()
    house.leases.grant(uuid4(), house.actuator(), 1.0, None, AT)
    house.registry.change_device(ESP, online=False)
    with pytest.raises(ConflictError, match="is on"):
        await house.configure.remove_device(ESP)
    house.leases.end(PIN, AT)
    assert await house.configure.remove_device(ESP)


async def test_sensors_that_are_gone_are_told_once_they_are() -> None:
    house = Greenhouse()
    told: list[list[str]] = []

    def removed(sensors: Sequence[Sensor]) -> None:
        assert not any(house.registry.sensor(sensor.key) for sensor in sensors)
        told.append([sensor.key.sensor_type for sensor in sensors])

    house.configure.removed = removed
    for gpio, sensor_type in ((4, "ds18b20"), (34, "ph"), (35, "ec")):
        await house.configure.set_sensor(SensorKey(ESP, gpio, sensor_type))
    await house.configure.remove_sensor(SensorKey(ESP, 4, "ds18b20"))
    await house.configure.remove_sensor(SensorKey(ESP, 4, "ds18b20"))
    assert told == [["ds18b20"]]
    house.leases.off(PIN, AT)
    await house.configure.remove_device(ESP)
    assert told == [["ds18b20"], ["ph", "ec"]]
