"""What devices say of themselves, on the wire: heartbeats are answered, comings and goings told."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.actuators import ActuatorReport, CommandAction, CommandResponse
from domain.devices import Device, DeviceHealth, Heartbeat, LastWill
from domain.errors import BrokerUnavailableError
from domain.ports import Clock
from mqtt_bridge.control import Control, Sender
from mqtt_bridge.messages import (
    AckStatus,
    Diagnostics,
    EmergencyAck,
    EmergencyResponse,
    HeartbeatAck,
    SessionAnnounce,
)

MOST_EPOCHS = 10_000
"""Devices whose last epoch is remembered; the longest silent is forgotten first."""


class DeviceWatch(Protocol):
    """Who wants to know what devices say of themselves."""

    async def heartbeat(self, heartbeat: Heartbeat) -> Device | None:
        """Take in a sign of life; return the device, None while it cannot be stored."""
        ...

    async def announced(self, esp_id: str, handover_epoch: int) -> None:
        """Take in that a session began."""
        ...

    async def heard(self, esp_id: str, at: datetime) -> None:
        """Take in that a device said something."""
        ...

    async def last_will(self, will: LastWill) -> None:
        """Take in that a connection broke."""
        ...

    async def report(self, report: ActuatorReport, *, live: bool) -> None:
        """Take in what a pin does."""
        ...


class ConfigWatch(Protocol):
    """Who brings devices in line."""

    async def heard(self, device: Device, health: DeviceHealth) -> None:
        """Take in what a known device has, by each heartbeat."""
        ...

    def waits(self, esp_id: str) -> bool:
        """Whether a device is still to be told something."""
        ...


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True, kw_only=True)
class DeviceWire:
    """Answers heartbeats, and tells who watches the devices.

    Attributes:
        known: The devices that are known now, to be greeted when the broker is there again.
    """

    sender: Sender
    watch: DeviceWatch
    clock: Clock
    journal: Journal
    configs: ConfigWatch
    known: Callable[[], Iterable[Device]] = lambda: ()
    _connected: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _epochs: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on(Heartbeat, self._answer)
        control.on(Diagnostics, self._diagnostics)
        control.on(LastWill, self.watch.last_will)
        control.on(SessionAnnounce, self._announced)
        control.on(ActuatorReport, self._report)
        control.on(EmergencyAck, self._said)
        control.on(EmergencyResponse, self._said)
        control.on_history(ActuatorReport, self._old_report)
        control.on(CommandResponse, self._answered)

    def connected(self) -> None:
        """The broker is there: devices that found it before us were not answered."""
        self._connected.set()

    async def run(self) -> None:
        """Greet the devices each time the broker is there again, until cancelled.

        Firmware since February 2026 obeys nothing, not even OFF, until a heartbeat of its session
        is acknowledged, and says the next one only after a minute.
        """
        while True:
            await self._connected.wait()
            self._connected.clear()
            for device in self.known():
                # Who is taken for offline, too: it may have found the broker while we were away.
                if device.approved:
                    await self.admit(device)

    async def admit(self, device: Device) -> None:
        """Tell a device at once that it was let in: else it learns that by its next heartbeat.

        Until then newest firmware refuses commands (device protocol, section 3.4).
        """
        await self._acknowledge(
            device.esp_id,
            device.kaiser_id,
            approved=True,
            epoch=self._epochs.get(device.esp_id) or device.handover_epoch or 1,
        )

    async def _answered(self, response: CommandResponse) -> None:
        """Let in again who refuses to switch off: the acknowledgement of its session was lost."""
        if response.success or response.action != CommandAction.OFF:
            return
        for device in self.known():
            if device.esp_id == response.pin.esp_id and device.approved:
                await self.admit(device)

    async def _diagnostics(self, diagnostics: Diagnostics) -> None:
        await self.watch.heartbeat(_sign_of_life(diagnostics))

    async def _announced(self, announce: SessionAnnounce) -> None:
        self._remember_epoch(announce.esp_id, announce.handover_epoch)
        await self.watch.announced(announce.esp_id, announce.handover_epoch)

    async def _said(self, message: EmergencyAck | EmergencyResponse) -> None:
        await self.watch.heard(message.esp_id, message.received_at)

    async def _report(self, report: ActuatorReport) -> None:
        await self.watch.report(report, live=True)

    async def _old_report(self, report: ActuatorReport) -> None:
        await self.watch.report(report, live=False)

    async def _answer(self, heartbeat: Heartbeat) -> None:
        device = await self.watch.heartbeat(heartbeat)
        if heartbeat.handover_epoch:
            self._remember_epoch(heartbeat.esp_id, heartbeat.handover_epoch)
        await self._acknowledge(
            heartbeat.esp_id,
            heartbeat.kaiser_id,
            approved=device is not None and device.approved,
            epoch=self._epoch(heartbeat, device),
        )
        if device is not None:
            await self.configs.heard(device, heartbeat.health)

    async def _acknowledge(
        self, esp_id: str, kaiser_id: str, *, approved: bool, epoch: int
    ) -> None:
        ack = HeartbeatAck(
            esp_id=esp_id,
            kaiser_id=kaiser_id,
            status=AckStatus.ONLINE if approved else AckStatus.PENDING_APPROVAL,
            handover_epoch=epoch,
            server_time=int(self.clock.now().timestamp()),
            config_available=approved and self.configs.waits(esp_id),
        )
        try:
            await self.sender.send(ack)
        except BrokerUnavailableError as error:
            self.journal.warning("heartbeat.not_answered", esp_id=esp_id, error=str(error))

    def _epoch(self, heartbeat: Heartbeat, device: Device | None) -> int:
        announced = self._epochs.get(heartbeat.esp_id) or (device and device.handover_epoch)
        return heartbeat.handover_epoch or announced or 1

    def _remember_epoch(self, esp_id: str, epoch: int) -> None:
        self._epochs[esp_id] = epoch
        self._epochs.move_to_end(esp_id)
        if len(self._epochs) > MOST_EPOCHS:
            self._epochs.popitem(last=False)


def _sign_of_life(diagnostics: Diagnostics) -> Heartbeat:
    """Return what diagnostics say as a heartbeat would; no device waits for an answer to them."""
    return Heartbeat(
        esp_id=diagnostics.esp_id,
        kaiser_id=diagnostics.kaiser_id,
        received_at=diagnostics.received_at,
        health=diagnostics.health,
    )
