"""What people decide: who is let in, which zone it belongs to, what hangs on which pin.

A decision about a device that was let in is also put out for it, in the same transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.actuators import MODES, Actuator, Pin, check_pin
from domain.configs import NO_PIN, Errand
from domain.desired import forget_actuator, forget_sensor
from domain.devices import Device
from domain.errors import BadInputError, NotFoundError
from domain.events import ActuatorChanged, DeviceHeard
from domain.lease_book import LeaseBook
from domain.leases import Moment, check_bounded, check_removable, checked_limits
from domain.limits import check_fits, read_limits
from domain.names import checked_name, default_name
from domain.parameters import Recipe, check_source, read_parameters
from domain.ports import Clock, EventStream
from domain.repositories import Storage, UnitOfWork
from domain.sensors import ProcessingMode, Sensor, SensorKey
from domain.services.registry import Registry
from domain.services.synchronise import put_out
from domain.thresholds import read_thresholds
from domain.zones import LONGEST_ZONE_NAME, Zone, check_parent, checked_zone_id

SHORTEST_INTERVAL = timedelta(seconds=1)
LONGEST_INTERVAL = timedelta(seconds=300)
"""What every firmware takes as the time between two samples (device protocol, section 1.9)."""

Errands = list[tuple[Errand, dict[str, str | int | bool | None]]]

EVERYTHING: Errands = [(Errand.CONFIG, {})]


@dataclass(slots=True, kw_only=True)
class Configure:
    """Stores a decision, remembers it, and tells listeners.

    One decision at a time: each is made on what the one before left, in memory and on disk.

    Attributes:
        changed: Told which device something was put out for.
        admitted: Told which device was let in, once it is.
        unit_of: In which unit a sensor type is measured; None: nobody knows.
        recipe: What the conversion of a sensor type depends on; None: no library reads it.
        removed: Told which sensors are gone.
    """

    storage: Storage
    registry: Registry
    events: EventStream
    clock: Clock
    leases: LeaseBook
    new_id: Callable[[], UUID]
    changed: Callable[[str], None]
    admitted: Callable[[Device], Awaitable[None]]
    unit_of: Callable[[str], str | None] = lambda _sensor_type: None
    recipe: Callable[[str], Recipe | None] = lambda _sensor_type: None
    removed: Callable[[Sequence[Sensor]], None] = lambda _sensors: None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def approve_device(
        self, esp_id: str, name: str | None = None, zone_id: str | None = None
    ) -> Device:
        """Let a device in: from now on its events are told and it can be commanded.

        Raises:
            NotFoundError: No device of that name was ever heard.
            BadInputError: The name or zone is not possible.
        """
        if self.registry.device(esp_id) is None:
            raise NotFoundError(
                f"no device {esp_id} was ever heard: is it switched on and on this broker?"
            )
        changes: dict[str, Any] = {"approved": True}
        if zone_id is not None:
            changes["zone_id"] = zone_id
        device = await self._change_device(esp_id, name, changes)
        await self.admitted(device)
        return device

    async def update_device(  # noqa: PLR0913 - what can be changed of a device
        self,
        esp_id: str,
        *,
        name: str | None = None,
        zone_id: str | None = None,
        subzone_id: str | None = None,
        is_zone_master: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Device:
        """Change what is given of a device; an empty zone or subzone takes it out of it.

        A zone that nobody named before comes into being.

        Raises:
            NotFoundError: The device is not known.
            BadInputError: A name, zone or subzone is not possible.
        """
        given = {
            "zone_id": zone_id,
            "subzone_id": subzone_id,
            "is_zone_master": is_zone_master,
            "metadata": metadata,
        }
        changes = {key: value for key, value in given.items() if value is not None}
        return await self._change_device(esp_id, name, changes)

    async def _change_device(
        self, esp_id: str, name: str | None, changes: dict[str, Any]
    ) -> Device:
        now = self.clock.now()
        changes["updated_at"] = now
        if name is not None:
            changes["name"] = checked_name(name)
        for key, shown in (("zone_id", "zoneId"), ("subzone_id", "subzoneId")):
            if key in changes:
                changes[key] = checked_zone_id(changes[key], shown) if changes[key] else None
        async with self._turn:
            before = self._known(esp_id)
            if changes.get("zone_id", before.zone_id) is None:
                changes.setdefault("subzone_id", None)
            after = replace(before, **changes)
            if after.subzone_id and not after.zone_id:
                raise BadInputError("a subzone needs a zone: give zoneId, too")
            errands = _device_errands(before, after)
            zone = None
            async with self.storage.unit_of_work() as work:
                if after.zone_id and after.zone_id != before.zone_id:
                    zone = await work.zones.add(
                        Zone(
                            id=self.new_id(),
                            zone_id=after.zone_id,
                            name=after.zone_id,
                            created_at=now,
                        )
                    )
                await work.devices.save(after)
                await self._put_out(work, after, errands)
            if zone is not None:
                self.registry.put_zone(zone)
            device = self.registry.change_device(esp_id, **changes)
            self._tell_changed(device, errands)
            if device.approved:
                await self.events.publish(DeviceHeard(device))
        return device

    async def set_zone(
        self, zone_id: str, name: str | None = None, parent_zone_id: str | None = None
    ) -> Zone:
        """Create a zone, or change what is given of it; an empty parent makes it nobody's part.

        Raises:
            BadInputError: A name is not possible, or the zone would be a part of itself.
        """
        checked_zone_id(zone_id)
        title = None if name is None else checked_name(name, LONGEST_ZONE_NAME)
        async with self._turn:
            async with self.storage.unit_of_work() as work:
                zones = {zone.zone_id: zone for zone in await work.zones.all()}
                if parent_zone_id:
                    check_parent(zone_id, parent_zone_id, zones)
                known = zones.get(zone_id) or await work.zones.add(
                    Zone(
                        id=self.new_id(),
                        zone_id=zone_id,
                        name=title or zone_id,
                        created_at=self.clock.now(),
                    )
                )
                parent = known.parent_zone_id if parent_zone_id is None else parent_zone_id or None
                zone = replace(known, name=title or known.name, parent_zone_id=parent)
                await work.zones.save(zone)
                renamed = [
                    device
                    for device in self.registry.devices()
                    if device.zone_id == zone_id and zone.name != known.name
                ]
                for device in renamed:
                    await self._put_out(work, device, [(Errand.ZONE, {})])
            self.registry.put_zone(zone)
            for device in renamed:
                self._tell_changed(device, [(Errand.ZONE, {})])
        return zone

    async def remove_device(self, esp_id: str) -> bool:
        """Forget a device and everything that hangs on it; say whether it was known.

        One that is still switched on is discovered anew.

        Raises:
            ConflictError: One of its actuators is on.
        """
        async with self._turn:
            if (device := self.registry.device(esp_id)) is None:
                return False
            for actuator in self.registry.actuators_of(esp_id):
                self._check_removable(actuator, device)
            gone = self.registry.sensors_of(esp_id)
            async with self.storage.unit_of_work() as work:
                await work.devices.remove(esp_id)
            self.registry.remove_device(esp_id)
            self.removed(gone)
        return True

    async def set_sensor(  # noqa: PLR0913 - the settings of a sensor
        self,
        key: SensorKey,
        *,
        name: str | None = None,
        enabled: bool | None = None,
        interval: timedelta | None = None,
        processing_mode: ProcessingMode | None = None,
        thresholds: object = None,
        limits: object = None,
        parameters: object = None,
        sources: Sequence[tuple[str, SensorKey]] | None = None,
    ) -> Sensor:
        """Create a sensor, or change the settings that are given; its device is told.

        A virtual sensor is none of its device's business.

        Raises:
            NotFoundError: The device, or a source, is not known.
            BadInputError: The pin, type, name, interval, mode or a parameter is not possible.
        """
        check_pin(key.gpio)
        if not key.sensor_type or not key.sensor_type.isprintable():
            raise BadInputError("sensorType is missing")
        if interval is not None and not SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL:
            raise BadInputError("interval must lie between PT1S and PT5M")
        now = self.clock.now()
        given = {
            "name": None if name is None else checked_name(name),
            "enabled": enabled,
            "interval": interval,
            "processing_mode": processing_mode,
        }
        changes: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        changes |= self._watching(key.sensor_type, thresholds, limits)
        changes |= self._converting(key, parameters, sources)
        errands = self._errands(key, EVERYTHING)
        async with self._turn:
            device = self._known(key.esp_id)
            async with self.storage.unit_of_work() as work:
                known = self.registry.sensor(key)
                if known is None:
                    (known,) = await work.sensors.add(
                        [
                            Sensor(
                                id=0,
                                key=key,
                                name=default_name(key.sensor_type, key.gpio),
                                created_at=now,
                                updated_at=now,
                            )
                        ]
                    )
                sensor = replace(known, **changes, updated_at=now)
                await work.sensors.save(sensor)
                await self._put_out(work, device, errands)
            self.registry.put_sensors([sensor])
            self._tell_changed(device, errands)
        return sensor

    def _converting(
        self,
        key: SensorKey,
        parameters: object,
        sources: Sequence[tuple[str, SensorKey]] | None,
    ) -> dict[str, Any]:
        """Read what is given of parameters and sources; empty ones end what was set before."""
        changes: dict[str, Any] = {}
        recipe = self.recipe(key.sensor_type)
        if parameters is not None:
            changes["parameters"] = read_parameters(parameters, recipe, key.sensor_type)
        if sources is not None:
            for parameter, named in sources:
                source = self.registry.sensor(named)
                if source is None:
                    raise NotFoundError(
                        f"sources: no {named.sensor_type} is known on GPIO {named.gpio} of "
                        f"{named.esp_id}"
                    )
                measured = self.recipe(named.sensor_type)
                check_source(parameter, source, measured, key, recipe)
            changes["sources"] = dict(sources)
            if len(changes["sources"]) < len(sources):
                raise BadInputError("sources: a parameter comes from one sensor")
        return changes

    def _errands(self, key: SensorKey, errands: Errands) -> Errands:
        recipe = self.recipe(key.sensor_type)
        return [] if recipe is not None and recipe.is_virtual else errands

    def _watching(self, sensor_type: str, thresholds: object, limits: object) -> dict[str, Any]:
        """Read what is given of thresholds and limits; empty objects end what was set before."""
        changes: dict[str, Any] = {}
        measured = self.unit_of(sensor_type)
        if thresholds is not None:
            changes["thresholds"] = read = read_thresholds(thresholds)
            check_fits(read.unit if read else None, measured, "thresholds")
        if limits is not None:
            changes["limits"] = believed = read_limits(limits)
            check_fits(believed.unit if believed else None, measured, "qualityLimits")
        return changes

    async def remove_sensor(self, key: SensorKey) -> bool:
        """Forget a sensor, and have its device forget it; say whether it was known."""
        async with self._turn:
            sensor, device = self.registry.sensor(key), self.registry.device(key.esp_id)
            if sensor is None or device is None:
                return False
            errands = self._errands(key, [(Errand.FORGET, forget_sensor(sensor))])
            async with self.storage.unit_of_work() as work:
                await work.sensors.remove(sensor.id)
                await self._put_out(work, device, errands)
            self.registry.remove_sensor(key)
            self.removed([sensor])
            self._tell_changed(device, errands)
        return True

    async def set_actuator(  # noqa: PLR0913 - the settings of an actuator
        self,
        pin: Pin,
        actuator_type: str,
        *,
        name: str | None = None,
        enabled: bool | None = None,
        critical: bool | None = None,
        inverted: bool | None = None,
        aux_gpio: int | None = None,
        default_value: float | None = None,
        max_runtime: timedelta | None = None,
        min_off_time: timedelta | None = None,
        max_starts_per_hour: int | None = None,
        safeguards: Mapping[str, Any] | None = None,
    ) -> Actuator:
        """Create an actuator, or change the settings that are given; its device is told.

        Args:
            pin: Where it hangs.
            actuator_type: One of `MODES`.
            name: What people call it.
            enabled: Whether it takes commands.
            critical: Whether its failure does harm.
            inverted: Whether the pin is low when it is on.
            aux_gpio: A second pin that it needs; `NO_PIN`: it needs none any more.
            default_value: What it does from the device's start on, 0.0 to 1.0.
            max_runtime: The longest time on without a pause; zero: what is usual for its type.
            min_off_time: How long it rests before it is switched on again; zero: not at all.
            max_starts_per_hour: How often it may be switched on; 0: any number.
            safeguards: The fields of `Safeguards` that change.

        Raises:
            NotFoundError: The device is not known.
            BadInputError: The pin, type, name, value or limit is not possible, or nobody said how
                long something may be on whose failure does harm.
        """
        self._known(pin.esp_id)
        kind = actuator_type.lower()
        if kind not in MODES:
            raise BadInputError(f"actuatorType must be one of {', '.join(MODES)}, not {kind!r}")
        check_pin(pin.gpio)
        if aux_gpio not in {None, NO_PIN}:
            check_pin(aux_gpio, "auxGpio")
        if default_value is not None and not 0.0 <= default_value <= 1.0:
            raise BadInputError("defaultValue must lie between 0.0 and 1.0")
        limits = checked_limits(max_runtime, min_off_time, max_starts_per_hour)
        now = self.clock.now()
        given = {
            "name": None if name is None else checked_name(name),
            "enabled": enabled,
            "critical": critical,
            "inverted": inverted,
            "aux_gpio": aux_gpio,
            "default_value": default_value,
        }
        changes: dict[str, Any] = {"actuator_type": kind, "updated_at": now}
        changes |= {key: value for key, value in given.items() if value is not None}
        if aux_gpio == NO_PIN:
            changes["aux_gpio"] = None
        return await self._change_actuator(pin, changes | limits, safeguards or {})

    async def _change_actuator(
        self, pin: Pin, changes: dict[str, Any], declared: Mapping[str, Any]
    ) -> Actuator:
        now, kind = changes["updated_at"], changes["actuator_type"]
        async with self._turn:
            device = self._known(pin.esp_id)
            async with self.storage.unit_of_work() as work:
                known = self.registry.actuator(pin) or await work.actuators.add(
                    Actuator(
                        id=0,
                        pin=pin,
                        actuator_type=kind,
                        name=default_name(kind, pin.gpio),
                        created_at=now,
                        updated_at=now,
                    )
                )
                changed = replace(known, **changes)
                check_bounded(changed)
                await work.actuators.save(changed)
                safeguards = replace(self.registry.safeguards(pin), **declared)
                if declared:
                    await work.safeguards.save(changed.id, safeguards)
                await self._put_out(work, device, EVERYTHING)
            self.registry.add_actuator(known)
            if declared:
                self.registry.put_safeguards(pin, safeguards)
            actuator = self.registry.change_actuator(pin, **changes)
            self._tell_changed(device, EVERYTHING)
            if device.approved:
                await self.events.publish(ActuatorChanged(actuator))
        return actuator

    async def remove_actuator(self, pin: Pin) -> bool:
        """Forget an actuator, and have its device forget it; say whether it was known.

        Raises:
            ConflictError: It is on.
        """
        async with self._turn:
            actuator, device = self.registry.actuator(pin), self.registry.device(pin.esp_id)
            if actuator is None or device is None:
                return False
            self._check_removable(actuator, device)
            errands = [(Errand.FORGET, forget_actuator(actuator))]
            async with self.storage.unit_of_work() as work:
                await work.actuators.remove(actuator.id)
                await self._put_out(work, device, errands)
            self.registry.remove_actuator(pin)
            self._tell_changed(device, errands)
        return True

    def _known(self, esp_id: str) -> Device:
        device = self.registry.device(esp_id)
        if device is None:
            raise NotFoundError(f"no device {esp_id} is known")
        return device

    def _check_removable(self, actuator: Actuator, device: Device) -> None:
        now = Moment(self.clock.now(), self.clock.monotonic())
        check_removable(actuator, self.leases.usage(actuator.pin, now), online=device.online)

    async def _put_out(self, work: UnitOfWork, device: Device, errands: Errands) -> None:
        if errands:
            await put_out(
                work,
                device.esp_id,
                errands,
                now=self.clock.now(),
                config_id=self.new_id(),
            )

    def _tell_changed(self, device: Device, errands: Errands) -> None:
        if errands:
            self.changed(device.esp_id)


def _device_errands(before: Device, after: Device) -> Errands:
    errands: Errands = []
    if (after.zone_id, after.is_zone_master) != (before.zone_id, before.is_zone_master):
        errands.append((Errand.ZONE, {}))
    if before.subzone_id and after.subzone_id != before.subzone_id:
        errands.append((Errand.FORGET_SUBZONE, {"subzone_id": before.subzone_id}))
    if (after.zone_id, after.subzone_id) != (before.zone_id, before.subzone_id) and (
        after.subzone_id or before.subzone_id
    ):
        errands += [(Errand.CONFIG, {}), (Errand.SUBZONE, {})]
    return errands
