"""What a device should have on its pins, in the words in which it is told."""

from collections.abc import Iterable, Mapping, Sequence

from domain.actuators import Actuator
from domain.configs import NO_PIN, ActuatorItem, Section, SensorItem
from domain.leases import longest_runtime
from domain.sensors import ProcessingMode, Sensor, SensorKey

_ROM_DIGITS = 16
_LAST_I2C = 127

Body = Mapping[str, str | int | bool | None]
"""An entry of the outbox."""


def sensor_item(sensor: Sensor, subzone_id: str | None = None) -> SensorItem:
    """Return what a device is told of a sensor."""
    mode, interval = sensor.processing_mode, sensor.interval
    return _sensor(
        sensor.key,
        name=sensor.name,
        active=sensor.enabled,
        raw_mode=None if mode is None else mode is not ProcessingMode.LOCAL,
        interval_seconds=None if interval is None else round(interval.total_seconds()),
        subzone_id=subzone_id,
    )


def _sensor(  # noqa: PLR0913 - the fields of an item
    key: SensorKey,
    *,
    name: str,
    active: bool,
    raw_mode: bool | None = None,
    interval_seconds: int | None = None,
    subzone_id: str | None = None,
) -> SensorItem:
    address = key.address
    onewire = len(address) == _ROM_DIGITS
    i2c = address.isdecimal() and not onewire and int(address) <= _LAST_I2C
    return SensorItem(
        gpio=key.gpio,
        sensor_type=key.sensor_type,
        name=name,
        active=active,
        raw_mode=raw_mode,
        interval_seconds=interval_seconds,
        subzone_id=subzone_id,
        onewire_address=address if onewire else None,
        i2c_address=int(address) if i2c else None,
    )


def actuator_item(actuator: Actuator, subzone_id: str | None = None) -> ActuatorItem:
    """Return what a device is told of an actuator.

    A disabled one stays on its pin: it is the server that gives it no commands.
    """
    return ActuatorItem(
        gpio=actuator.pin.gpio,
        actuator_type=actuator.actuator_type,
        name=actuator.name,
        critical=actuator.critical,
        inverted=actuator.inverted,
        aux_gpio=NO_PIN if actuator.aux_gpio is None else actuator.aux_gpio,
        default_value=actuator.default_value,
        subzone_id=subzone_id,
        # Also where nobody set one: what a device limits by itself may be an hour for everything.
        max_runtime_ms=round(longest_runtime(actuator).total_seconds() * 1000),
    )


def forget_sensor(sensor: Sensor) -> dict[str, str | int | bool | None]:
    """Return what must be remembered of a sensor that is removed."""
    key = sensor.key
    return {
        "section": Section.SENSOR.value,
        "esp_id": key.esp_id,
        "gpio": key.gpio,
        "type": key.sensor_type,
        "address": key.address,
        "name": sensor.name,
    }


def forget_actuator(actuator: Actuator) -> dict[str, str | int | bool | None]:
    """Return what must be remembered of an actuator that is removed."""
    return {
        "section": Section.ACTUATOR.value,
        "esp_id": actuator.pin.esp_id,
        "gpio": actuator.pin.gpio,
        "type": actuator.actuator_type,
        "name": actuator.name,
    }


def forgotten(
    bodies: Iterable[Body], sensors: Sequence[Sensor], actuators: Sequence[Actuator]
) -> tuple[tuple[SensorItem, ...], tuple[ActuatorItem, ...]]:
    """Return the items that a device is to forget; what came back since then is not among them."""
    keys = {sensor.key for sensor in sensors}
    pins = {actuator.pin.gpio for actuator in actuators}
    gone_sensors: dict[SensorKey, SensorItem] = {}
    gone_actuators: dict[int, ActuatorItem] = {}
    for body in bodies:
        gpio, kind, name = int(body["gpio"] or 0), str(body["type"]), str(body["name"])
        if body["section"] == Section.SENSOR:
            key = SensorKey(str(body["esp_id"]), gpio, kind, str(body["address"] or ""))
            if key not in keys:
                gone_sensors[key] = _sensor(key, name=name, active=False)
        elif gpio not in pins:
            gone_actuators[gpio] = ActuatorItem(
                gpio=gpio, actuator_type=kind, name=name, active=False
            )
    return tuple(gone_sensors.values()), tuple(gone_actuators.values())
