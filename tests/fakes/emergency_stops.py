"""Emergency stops in memory, and devices that are told of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from domain.actuators import Pin
from domain.devices import Device
from domain.emergency_stops import EmergencyStop
from domain.errors import BrokerUnavailableError


@dataclass(slots=True)
class FakeEmergencyStops:
    """Stops in memory; while `hold` is there, storing waits for it."""

    rows: dict[UUID, EmergencyStop] = field(default_factory=dict)
    hold: asyncio.Event | None = None

    async def save(self, stop: EmergencyStop) -> None:
        if self.hold is not None:
            await self.hold.wait()
        self.rows[stop.id] = stop

    async def by_id(self, stop_id: UUID) -> EmergencyStop | None:
        return self.rows.get(stop_id)

    async def unfinished(self) -> Sequence[EmergencyStop]:
        return [
            stop
            for stop in self.rows.values()
            if stop.active
            or any(
                device.released_at is None or (stop.resume and device.resumed_at is None)
                for device in stop.devices.values()
            )
        ]

    async def newest(
        self, limit: int, *, active: bool | None = None, devices: int | None = None
    ) -> Sequence[EmergencyStop]:
        found = [stop for stop in self.rows.values() if active in {None, stop.active}]
        found.sort(key=lambda s: (s.active, s.triggered_at), reverse=True)
        before = accumulate((len(stop.devices) for stop in found), initial=0)
        return [
            stop
            for stop, more in zip(found[:limit], before, strict=False)
            if stop.active or devices is None or more < devices
        ]


@dataclass(slots=True)
class FakeEmergencyLink:
    """Notes what devices are told.

    `away` takes the broker away; `stuck` devices cannot clear, `deaf` ones may not hear.
    """

    told: list[tuple[str, str, int | None]] = field(default_factory=list)
    because: list[UUID] = field(default_factory=list)
    levels: set[str] = field(default_factory=set)
    away: bool = False
    stuck: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)

    async def _tell(
        self, what: str, esp_id: str, stop: EmergencyStop | None, gpio: int | None = None
    ) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise BrokerUnavailableError("no broker")
        self.told.append((what, esp_id, gpio))
        if stop is not None:
            self.because.append(stop.id)

    async def stop_all(self, stop: EmergencyStop) -> None:
        await self._tell("broadcast", "", stop)

    async def stop(self, device: Device, stop: EmergencyStop) -> None:
        await self._tell("stop", device.esp_id, stop)

    async def switch_off(self, pin: Pin, kaiser_id: str, stop: EmergencyStop) -> None:
        self.levels.add(kaiser_id)
        await self._tell("off", pin.esp_id, stop, pin.gpio)

    async def clear(self, device: Device, stop: EmergencyStop) -> None:
        await self._tell("clear", device.esp_id, stop)

    async def resume(self, device: Device) -> None:
        await self._tell("resume", device.esp_id, None)

    def obstacle(self, device: Device) -> str | None:
        return "switch it off and on again" if device.esp_id in self.stuck else None

    def doubt(self, device: Device) -> str | None:
        return "it may be deaf" if device.esp_id in self.deaf else None
