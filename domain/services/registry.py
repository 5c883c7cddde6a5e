"""Devices, sensors and actuators in memory: the ingest path cannot ask the database per message.

The database is the authority. The registry is filled from it at start, and changed only after the
change was committed; it is what the hot paths (ingest, command) decide on.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.actuators import Actuator, Pin
from domain.calibrations import Calibration
from domain.devices import Device, DeviceHealth
from domain.repositories import Storage
from domain.safeguards import UNGUARDED, Safeguards
from domain.sensors import Sensor, SensorKey
from domain.zones import Zone


@dataclass(slots=True)
class Registry:
    """What is known of every device, sensor and actuator right now.

    Attributes:
        revision: Grows with every change of sensors and calibrations.
        safeguards_revision: Grows with every change of what is declared of actuators.
    """

    revision: int = 0
    safeguards_revision: int = 0
    _devices: dict[str, Device] = field(default_factory=dict)
    _sensors: dict[SensorKey, Sensor] = field(default_factory=dict)
    _keys: dict[int, SensorKey] = field(default_factory=dict)
    _calibrations: dict[int, Calibration] = field(default_factory=dict)
    _actuators: dict[Pin, Actuator] = field(default_factory=dict)
    _safeguards: dict[Pin, Safeguards] = field(default_factory=dict)
    _zones: dict[str, Zone] = field(default_factory=dict)
    _heard: dict[str, datetime] = field(default_factory=dict)
    _health: dict[str, DeviceHealth] = field(default_factory=dict)

    async def load(self, storage: Storage) -> None:
        """Replace everything by what the database holds.

        Raises:
            StorageUnavailableError: The database cannot be reached; nothing was replaced.
        """
        async with storage.unit_of_work() as work:
            devices = await work.devices.all()
            sensors = await work.sensors.all()
            actuators = await work.actuators.all()
            safeguards = await work.safeguards.all()
            health = await work.devices.all_health()
            zones = await work.zones.all()
            calibrations = await work.calibrations.in_force()
        self._devices = {device.esp_id: device for device in devices}
        self._sensors = {sensor.key: sensor for sensor in sensors}
        self._keys = {sensor.id: sensor.key for sensor in sensors}
        self._calibrations = dict(calibrations)
        self._actuators = {actuator.pin: actuator for actuator in actuators}
        self._safeguards = dict(safeguards)
        self.safeguards_revision += 1
        self._health = dict(health)
        self._zones = {zone.zone_id: zone for zone in zones}
        self.revision += 1

    def device(self, esp_id: str) -> Device | None:
        """Return a device, if it is known."""
        return self._devices.get(esp_id)

    def called(self, esp_id: str) -> str:
        """Return what people call a device, and where it is; its id while they call it nothing."""
        device = self.device(esp_id)
        if device is None:
            return esp_id
        name = device.name or esp_id
        return f"{name} ({self.zone_name(device.zone_id)})" if device.zone_id else name

    def devices(self) -> Iterator[Device]:
        """Return every known device, as of now."""
        return iter(tuple(self._devices.values()))

    def hear(self, esp_id: str, at: datetime) -> None:
        """Note that a device said something; cheap enough for every reading."""
        self._heard[esp_id] = at

    def last_heard(self, esp_id: str) -> datetime | None:
        """Return when a device last said anything, since the server started."""
        return self._heard.get(esp_id)

    def health(self, esp_id: str) -> DeviceHealth | None:
        """Return what a device last said of itself, if it ever did."""
        return self._health.get(esp_id)

    def put_health(self, esp_id: str, health: DeviceHealth) -> None:
        """Remember what a device says of itself; stored or not, it is told again soon."""
        self._health[esp_id] = health

    def sensor(self, key: SensorKey) -> Sensor | None:
        """Return a sensor, if it is known."""
        return self._sensors.get(key)

    def sensor_by_id(self, sensor_id: int) -> Sensor | None:
        """Return a sensor, if it is known."""
        key = self._keys.get(sensor_id)
        return None if key is None else self._sensors.get(key)

    def calibration(self, sensor_id: int) -> Calibration | None:
        """Return the calibration that is in force of a sensor, if it has one."""
        return self._calibrations.get(sensor_id)

    def put_calibration(self, calibration: Calibration) -> None:
        """Remember a calibration as it was committed."""
        self._calibrations[calibration.sensor_id] = calibration
        self.revision += 1

    def actuator(self, pin: Pin) -> Actuator | None:
        """Return an actuator, if it is known."""
        return self._actuators.get(pin)

    def pins(self) -> Collection[Pin]:
        """Return where actuators are known to be."""
        return self._actuators.keys()

    def safeguards(self, pin: Pin) -> Safeguards:
        """Return what is declared of an actuator."""
        return self._safeguards.get(pin, UNGUARDED)

    def all_safeguards(self) -> Mapping[Pin, Safeguards]:
        """Return what is declared, of those of which anything is."""
        return self._safeguards

    def put_safeguards(self, pin: Pin, safeguards: Safeguards) -> None:
        """Remember what is declared of an actuator, as it was committed."""
        self._safeguards = {**self._safeguards, pin: safeguards}
        self.safeguards_revision += 1

    def sensors(self) -> Iterator[Sensor]:
        """Return every known sensor, as of now."""
        return iter(tuple(self._sensors.values()))

    def sensors_of(self, esp_id: str) -> list[Sensor]:
        """Return the sensors of a device, in order of pin, type and address."""
        return sorted(
            (sensor for key, sensor in self._sensors.items() if key.esp_id == esp_id),
            key=lambda sensor: sensor.key,
        )

    def actuators_of(self, esp_id: str) -> list[Actuator]:
        """Return the actuators of a device, in order of pin."""
        return sorted(
            (actuator for pin, actuator in self._actuators.items() if pin.esp_id == esp_id),
            key=lambda actuator: actuator.pin,
        )

    def zone_name(self, zone_id: str) -> str:
        """Return what people call a zone; its own name while they call it nothing."""
        zone = self._zones.get(zone_id)
        return zone_id if zone is None else zone.name

    def put_zone(self, zone: Zone) -> None:
        """Remember a zone as it was committed."""
        self._zones[zone.zone_id] = zone

    def remove_sensor(self, key: SensorKey) -> None:
        """Forget a sensor."""
        sensor = self._sensors.pop(key, None)
        if sensor is not None:
            self._keys.pop(sensor.id, None)
            self._calibrations.pop(sensor.id, None)
            self.revision += 1

    def remove_actuator(self, pin: Pin) -> None:
        """Forget an actuator."""
        self._actuators.pop(pin, None)
        if pin in self._safeguards:
            self._safeguards = {k: v for k, v in self._safeguards.items() if k != pin}
            self.safeguards_revision += 1

    def remove_device(self, esp_id: str) -> None:
        """Forget a device and everything that hangs on it."""
        self._devices.pop(esp_id, None)
        self._heard.pop(esp_id, None)
        self._health.pop(esp_id, None)
        for sensor in self.sensors_of(esp_id):
            self.remove_sensor(sensor.key)
        for actuator in self.actuators_of(esp_id):
            self.remove_actuator(actuator.pin)

    def add_device(self, device: Device) -> Device:
        """Remember a new device as it was committed; one known by now is returned as it is."""
        return self._devices.setdefault(device.esp_id, device)

    def change_device(self, esp_id: str, **changes: Any) -> Device:  # noqa: ANN401 - field values
        """Change some fields of a known device and return it.

        People and devices change different fields of one record at the same time, so a change
        never carries the other fields along.
        """
        device = self._devices[esp_id] = replace(self._devices[esp_id], **changes)
        return device

    def put_sensors(self, sensors: Iterable[Sensor]) -> None:
        """Remember sensors as they were committed."""
        for sensor in sensors:
            self._sensors[sensor.key] = sensor
            self._keys[sensor.id] = sensor.key
        self.revision += 1

    def add_actuator(self, actuator: Actuator) -> Actuator:
        """Remember a new actuator as it was committed; one known by now is returned as it is."""
        return self._actuators.setdefault(actuator.pin, actuator)

    def change_actuator(self, pin: Pin, **changes: Any) -> Actuator:  # noqa: ANN401 - field values
        """Change some fields of a known actuator and return it; see `change_device`."""
        actuator = self._actuators[pin] = replace(self._actuators[pin], **changes)
        return actuator
