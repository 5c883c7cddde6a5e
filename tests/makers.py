"""Ready-made things of the domain, for tests that care about only a few of their fields."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from domain.actuators import (
    Actuator,
    Command,
    CommandAction,
    CommandOrigin,
    CommandStatus,
    Pin,
)
from domain.calibrations import Calibration, CalibrationMethod, Fit
from domain.devices import Device
from domain.emergency_stops import EmergencyStop
from domain.errors import StorageUnavailableError
from domain.library_installations import LibraryInstallation
from domain.ports import Clock
from domain.relays import Relay
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sensor, SensorKey
from domain.services.guard import Guard
from domain.system_events import EventKind, Severity, SystemEvent
from domain.users import Role, User
from domain.zones import Zone
from tests.fakes import START


def make_device(esp_id: str = "ESP_12AB34", **changes: Any) -> Device:  # noqa: ANN401 - any field
    device = Device(
        id=UUID(int=sum(esp_id.encode())),
        esp_id=esp_id,
        kaiser_id="god",
        approved=True,
        online=True,
        last_seen=START,
        created_at=START,
        updated_at=START,
    )
    return replace(device, **changes)


def make_relay(kaiser_id: str = "kaiser_001", **changes: Any) -> Relay:  # noqa: ANN401 - any field
    relay = Relay(kaiser_id=kaiser_id, online=True, last_seen=START, created_at=START)
    return replace(relay, **changes)


def make_guard(clock: Clock, **changes: Any) -> Guard:  # noqa: ANN401 - any field
    """Return what waits for the database, unless it is said that it waits for something else."""
    usual: dict[str, Any] = {
        "name": "database",
        "away": StorageUnavailableError,
        "random": Random(1),
        "failed": lambda *_: None,
    }
    return Guard(clock=clock, **{**usual, **changes})


def make_emergency_stop(**changes: Any) -> EmergencyStop:  # noqa: ANN401 - any field
    stop = EmergencyStop(id=UUID(int=911), reason="water on the floor", triggered_at=START)
    return replace(stop, **changes)


def make_sensor(
    esp_id: str = "ESP_12AB34",
    gpio: int = 4,
    sensor_type: str = "ds18b20",
    address: str = "",
    **changes: Any,  # noqa: ANN401 - any field
) -> Sensor:
    sensor = Sensor(
        id=1,
        key=SensorKey(esp_id, gpio, sensor_type, address),
        name=f"{sensor_type.upper()} on GPIO {gpio}",
        unit="°C",
        created_at=START,
        updated_at=START,
    )
    return replace(sensor, **changes)


def make_calibration(sensor: Sensor, library: str = "ph", number: int = 1) -> Calibration:
    return Calibration(
        id=UUID(int=number),
        sensor_id=sensor.id,
        library=library,
        method=CalibrationMethod.PH_2POINT,
        points=(),
        fit=Fit(parameters={"slope": -5.66, "offset": 15.49}, residuals=()),
        calibrated_at=START,
    )


def make_reading(
    reading_id: int = 1,
    *,
    sensor: Sensor | None = None,
    value: float = 21.5,
    measured_at: datetime | None = None,
    **changes: Any,  # noqa: ANN401 - any field
) -> Reading:
    at = measured_at or START + timedelta(seconds=reading_id)
    reading = Reading(
        id=reading_id,
        sensor=sensor or make_sensor(),
        measured_at=at,
        received_at=at + timedelta(milliseconds=20),
        raw_value=value * 16,
        measurement=Measurement(
            value, "°C", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ds18b20", "1.0.0"
        ),
    )
    return reading._replace(**changes)


def make_actuator(
    esp_id: str = "ESP_12AB34",
    gpio: int = 5,
    actuator_type: str = "pump",
    **changes: Any,  # noqa: ANN401 - any field
) -> Actuator:
    actuator = Actuator(
        id=1,
        pin=Pin(esp_id, gpio),
        actuator_type=actuator_type,
        name=f"{actuator_type} on GPIO {gpio}",
        created_at=START,
        updated_at=START,
    )
    return replace(actuator, **changes)


def make_command(actuator: Actuator | None = None, **changes: Any) -> Command:  # noqa: ANN401 - any field
    target = actuator or make_actuator()
    command = Command(
        id=UUID(int=7),
        actuator_id=target.id,
        pin=target.pin,
        action=CommandAction.ON,
        value=1.0,
        status=CommandStatus.PENDING,
        origin=CommandOrigin.USER,
        created_at=START,
    )
    return replace(command, **changes)


def make_user(username: str = "anna", role: Role = Role.ADMIN, **changes: Any) -> User:  # noqa: ANN401 - any field
    user = User(
        id=UUID(int=sum(username.encode())),
        username=username,
        password_hash="hash of secret",  # noqa: S106 - what FakePasswords makes of "secret"
        role=role,
        created_at=START,
    )
    return replace(user, **changes)


def make_system_event(
    number: int = 1,
    esp_id: str | None = "ESP_12AB34",
    **changes: Any,  # noqa: ANN401 - any field
) -> SystemEvent:
    event = SystemEvent(
        id=UUID(int=number),
        kind=EventKind.DEVICE_ERROR,
        severity=Severity.ERROR,
        message="A sensor on the I2C bus did not answer in time.",
        esp_id=esp_id,
        details={"code": 1007},
        occurred_at=START + timedelta(seconds=number),
    )
    return replace(event, **changes)


def make_zone(zone_id: str = "north", **changes: Any) -> Zone:  # noqa: ANN401 - any field
    zone = Zone(
        id=UUID(int=sum(zone_id.encode())), zone_id=zone_id, name=zone_id.title(), created_at=START
    )
    return replace(zone, **changes)


def make_installation(
    esp_id: str = "ESP_12AB34",
    **changes: Any,  # noqa: ANN401 - any field
) -> LibraryInstallation:
    installation = LibraryInstallation(
        id=UUID(int=11),
        esp_id=esp_id,
        library_name="ec",
        version="1.0.0",
        size=3,
        chunk_size=1,
        crc32=0xA3830348,
        started_at=START,
    )
    return replace(installation, **changes)
