"""What people decide about devices: who is let in, and what hangs on which pin."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from domain.actuators import MODES, Actuator, Pin
from domain.devices import Device
from domain.errors import BadInputError, NotFoundError
from domain.events import ActuatorChanged, DeviceHeard
from domain.ports import Clock, EventStream
from domain.repositories import Storage
from domain.services.registry import Registry

LONGEST_NAME = 100
LAST_PIN = 254


@dataclass(slots=True, kw_only=True)
class Configure:
    """Stores a decision, remembers it, and tells listeners.

    One decision at a time: each is made on what the one before left, in memory and on disk.
    """

    storage: Storage
    registry: Registry
    events: EventStream
    clock: Clock
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def approve_device(self, esp_id: str, name: str | None = None) -> Device:
        """Let a device in: from now on its events are told and it can be commanded.

        Raises:
            NotFoundError: No device of that name was ever heard.
            BadInputError: The name is empty or too long.
        """
        changes: dict[str, Any] = {"approved": True, "updated_at": self.clock.now()}
        if name is not None:
            changes["name"] = _checked_name(name)
        async with self._turn:
            device = self.registry.device(esp_id)
            if device is None:
                raise NotFoundError(
                    f"no device {esp_id} was ever heard: is it switched on and on this broker?"
                )
            async with self.storage.unit_of_work() as work:
                await work.devices.save(replace(device, **changes))
            approved = self.registry.change_device(esp_id, **changes)
            await self.events.publish(DeviceHeard(approved))
        return approved

    async def set_actuator(
        self,
        pin: Pin,
        actuator_type: str,
        *,
        name: str | None = None,
        enabled: bool | None = None,
        critical: bool | None = None,
    ) -> Actuator:
        """Create an actuator, or change the settings that are given.

        Raises:
            NotFoundError: The device is not known.
            BadInputError: The pin, type or name is not possible.
        """
        device = self.registry.device(pin.esp_id)
        if device is None:
            raise NotFoundError(f"no device {pin.esp_id} is known")
        kind = actuator_type.lower()
        if kind not in MODES:
            raise BadInputError(f"actuatorType must be one of {', '.join(MODES)}, not {kind!r}")
        if not 0 <= pin.gpio <= LAST_PIN:
            raise BadInputError(f"gpio must lie between 0 and {LAST_PIN}, not {pin.gpio}")
        now = self.clock.now()
        changes: dict[str, Any] = {"actuator_type": kind, "updated_at": now}
        if name is not None:
            changes["name"] = _checked_name(name)
        if enabled is not None:
            changes["enabled"] = enabled
        if critical is not None:
            changes["critical"] = critical
        async with self._turn:
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
                await work.actuators.save(replace(known, **changes))
            self.registry.add_actuator(known)
            actuator = self.registry.change_actuator(pin, **changes)
            if device.approved:
                await self.events.publish(ActuatorChanged(actuator))
        return actuator


def default_name(kind: str, gpio: int) -> str:
    """Return what a sensor or actuator is called until a person names it."""
    return f"{kind} on GPIO {gpio}"


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadInputError(f"a name has 1 to {LONGEST_NAME} printable characters")
    return name
