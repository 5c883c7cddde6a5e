"""Who is there: heartbeats, last wills, silence, and what devices say their actuators do.

Presence is soft state: the network tells it again within a minute. So it is kept in the registry
even while the database is away, and a device is answered either way; what people configured is
never touched from here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.actuators import Actuator, ActuatorReport, ActuatorState
from domain.devices import (
    OFFLINE_AFTER,
    Device,
    DeviceHealth,
    Discovery,
    Heartbeat,
    LastWill,
    booted_at,
    restart_reason,
)
from domain.errors import StorageUnavailableError
from domain.events import ActuatorChanged, DeviceHeard
from domain.names import default_name
from domain.ports import Clock, EventStream
from domain.presence import Presence
from domain.repositories import Storage
from domain.services.registry import Registry

SWEEP_EVERY = timedelta(seconds=5)
"""How often silent devices are looked for."""

TALKING = timedelta(seconds=90)
"""Time without a heartbeat, which come every 60 s, after which other messages are noted as a sign
of life."""


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def info(self, event: str, **fields: object) -> object:
        """Note something that is as it should be."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


class Reports(Protocol):
    """Where growers are told of comings and goings."""

    def heartbeat(self, esp_id: str, at: datetime) -> None:
        """A device gave a sign of life."""
        ...

    def online(self, esp_id: str) -> None:
        """A device that was away is back."""
        ...

    def offline(self, esp_id: str, reason: str) -> None:
        """A device is gone."""
        ...

    def restarted(self, esp_id: str, reason: str) -> None:
        """A device began anew."""
        ...

    def discovered(self, esp_id: str, at: datetime) -> None:
        """A device that nobody let in was heard of for the first time."""
        ...

    def flapping(self, esp_id: str, reason: str) -> None:
        """A device's connection keeps breaking."""
        ...

    def steady(self, esp_id: str) -> None:
        """It holds again."""
        ...

    def safe_mode(self, esp_id: str, *, active: bool, reason: str = "") -> None:
        """A device entered its safe mode, or left it."""
        ...


@dataclass(slots=True, kw_only=True)
class WatchDevices:
    """Keeps presence, health and reported actuator states."""

    storage: Storage
    registry: Registry
    events: EventStream
    clock: Clock
    new_id: Callable[[], UUID]
    discovery: Discovery
    journal: Journal
    reports: Reports
    offline_after: timedelta = OFFLINE_AFTER
    _presences: dict[str, Presence] = field(default_factory=dict, init=False)
    _began: datetime | None = field(default=None, init=False)

    async def heartbeat(self, heartbeat: Heartbeat) -> Device | None:
        """Take in a sign of life, with what the device reports of its health.

        Returns:
            The device as it is known now; None when it is new and cannot be stored yet.
        """
        device = await self._known(heartbeat.esp_id, heartbeat.kaiser_id)
        if device is None:
            return None
        before = self.registry.health(heartbeat.esp_id)
        restart = None if before is None else restart_reason(before, heartbeat.health)
        health = heartbeat.health.after(before)
        self.registry.put_health(heartbeat.esp_id, health)
        changed = self.registry.change_device(
            heartbeat.esp_id,
            kaiser_id=heartbeat.kaiser_id,
            online=True,
            last_seen=heartbeat.received_at,
            ip_address=heartbeat.ip_address or device.ip_address,
            mac_address=heartbeat.mac_address or device.mac_address,
            firmware_version=heartbeat.firmware_version or device.firmware_version,
            hardware_type=heartbeat.hardware_type or device.hardware_type,
            last_boot_at=self._last_boot(device, heartbeat, restart),
        )
        if not device.online:
            self._note_online(device, heartbeat.received_at)
        if health.safe_mode is not (before is not None and before.safe_mode):
            self.reports.safe_mode(changed.esp_id, active=health.safe_mode)
        if restart is not None:
            self.journal.warning(
                "device.restarted",
                esp_id=changed.esp_id,
                reason=restart,
                reset_reason=health.reset_reason,
            )
            self.reports.restarted(changed.esp_id, restart)
        self.reports.heartbeat(changed.esp_id, heartbeat.received_at)
        await self._store_heartbeat(device, changed, health)
        if changed.approved:
            await self.events.publish(DeviceHeard(changed, health))
        return changed

    async def announced(self, esp_id: str, handover_epoch: int) -> None:
        """Take in that a known device began a session; its number outlives a restart of ours."""
        device = self.registry.device(esp_id)
        if device is None or device.handover_epoch == handover_epoch:
            return
        device = self.registry.change_device(esp_id, handover_epoch=handover_epoch)
        await self._store(device)

    async def heard(self, esp_id: str, at: datetime) -> None:
        """Take in that a known device said something: whoever talks is there."""
        self.registry.hear(esp_id, at)
        device = self.registry.device(esp_id)
        if device is None or device.online:
            return
        self._note_online(device, at)
        device = self.registry.change_device(esp_id, online=True, last_seen=at)
        self._presence(esp_id).seen(at, changed=True)
        await self._store(device)
        if device.approved:
            await self.events.publish(DeviceHeard(device))

    async def discovered(self, esp_id: str, kaiser_id: str) -> None:
        """Take in that somebody found a device on the network; it said nothing itself yet."""
        device = await self._known(esp_id, kaiser_id)
        if device is not None:
            self._introduce(device, self.clock.now())

    async def safe_mode(self, esp_id: str, at: datetime, *, active: bool, reason: str) -> None:
        """Take in that a known device entered or left its safe mode."""
        if self.registry.device(esp_id) is None:
            return
        before = self.registry.health(esp_id) or DeviceHealth(reported_at=at)
        if before.safe_mode is not active:
            # The rest of the report stays as old as it is: restarts are told from its times.
            health = replace(before, safe_mode=active)
            self.registry.put_health(esp_id, health)
            self.reports.safe_mode(esp_id, active=active, reason=reason)
            await self._store(self.registry.change_device(esp_id), health, seen=False)
        await self.heard(esp_id, at)

    async def last_will(self, will: LastWill) -> None:
        """The broker lost the device: it is offline at once."""
        device = self.registry.device(will.esp_id)
        if device is None or not device.online:
            return
        presence = self._presence(will.esp_id)
        begins = presence.lost(will.received_at)
        await self._offline(device, will.reason, told=not presence.flapping)
        if begins:
            self.reports.flapping(will.esp_id, will.reason)
            self.journal.warning(
                "device.flapping",
                esp_id=will.esp_id,
                note="its connection keeps breaking: look at its WiFi and its power supply",
            )

    async def report(self, report: ActuatorReport, *, live: bool) -> None:
        """Take in what a device says a pin does.

        Args:
            report: The device's word.
            live: False for a message that the broker had retained: history, which may fill an
                empty state but is neither an event nor proof that the device said so now.
        """
        actuator = self.registry.actuator(report.pin)
        if not live and (actuator is None or actuator.state.reported_at is not None):
            return
        if actuator is None:
            actuator = await self._new_actuator(report)
            if actuator is None:
                return
        state = ActuatorState(
            value=report.value,
            is_active=report.is_active,
            emergency=report.emergency,
            runtime_ms=report.runtime_ms,
            last_command_at=actuator.state.last_command_at,
            reported_at=report.received_at if live else None,
        )
        actuator = self.registry.change_actuator(report.pin, state=state)
        try:
            async with self.storage.autocommit() as work:
                await work.actuators.save_state(actuator.id, state)
        except StorageUnavailableError as error:
            self.journal.warning("actuator.state_not_stored", pin=report.pin, error=str(error))
        if live:
            await self.heard(report.pin.esp_id, report.received_at)
        device = self.registry.device(report.pin.esp_id)
        if live and device is not None and device.approved:
            await self.events.publish(ActuatorChanged(actuator))

    async def run(self) -> None:
        """Look for silent devices until cancelled."""
        self._began = self.clock.now()
        while True:
            await self.clock.sleep(SWEEP_EVERY.total_seconds())
            await self.sweep(self.clock.now())

    async def sweep(self, now: datetime) -> None:
        """Take devices for offline that were silent for too long.

        What they said before this watch began nobody may have heard: silence counts from then.
        """
        self._tell_settled(now)
        for known in self.registry.devices():
            # Storing takes a while: meanwhile others come back, or are removed by people.
            device = self.registry.device(known.esp_id)
            if device is None or not device.online:
                continue
            last = self._last_sign(device)
            silent_since = max(filter(None, (last, self._began)), default=None)
            if silent_since is None or now - silent_since > self.offline_after:
                seconds = int(self.offline_after.total_seconds())
                await self._offline(device, f"silent for {seconds} s")
            elif last is not None and last - (device.last_seen or device.created_at) > TALKING:
                self._presence(device.esp_id).seen(last, changed=True)
                await self._store(self.registry.change_device(device.esp_id, last_seen=last))

    def _last_sign(self, device: Device) -> datetime | None:
        signs = (device.last_seen, self.registry.last_heard(device.esp_id))
        return max(filter(None, signs), default=None)

    def _presence(self, esp_id: str) -> Presence:
        return self._presences.setdefault(esp_id, Presence())

    def _last_boot(
        self, device: Device, heartbeat: Heartbeat, restart: str | None
    ) -> datetime | None:
        # Not from every heartbeat: it would move with every delay on the way.
        if device.last_boot_at is not None and restart is None:
            return device.last_boot_at
        return booted_at(heartbeat.health) or (heartbeat.received_at if restart else None)

    def _note_online(self, device: Device, at: datetime) -> None:
        """Tell that a device is there, which until now was as given."""
        self.journal.info("device.online", esp_id=device.esp_id, approved=device.approved)
        self._introduce(device, at)
        if not self._presence(device.esp_id).flapping:
            self.reports.online(device.esp_id)

    def _introduce(self, device: Device, at: datetime) -> None:
        presence = self._presence(device.esp_id)
        if device.approved or device.last_seen is not None or presence.introduced:
            return
        presence.introduced = True
        self.reports.discovered(device.esp_id, at)

    def _tell_settled(self, now: datetime) -> None:
        for esp_id, presence in self._presences.items():
            device = self.registry.device(esp_id)
            if device is None or not presence.settled(now):
                continue
            if device.online:
                self.reports.steady(esp_id)
            else:
                self.reports.offline(esp_id, "its connection kept breaking, and stayed away")

    async def _offline(self, device: Device, reason: str, *, told: bool = True) -> None:
        device = self.registry.change_device(
            device.esp_id, online=False, last_seen=self._last_sign(device)
        )
        self.journal.warning("device.offline", esp_id=device.esp_id, reason=reason)
        if told:
            self.reports.offline(device.esp_id, reason)
        await self._store(device)
        if device.approved:
            await self.events.publish(DeviceHeard(device))

    async def _known(self, esp_id: str, kaiser_id: str) -> Device | None:
        device = self.registry.device(esp_id)
        if device is not None:
            return device
        now = self.clock.now()
        new = Device(
            id=self.new_id(),
            esp_id=esp_id,
            kaiser_id=kaiser_id,
            approved=self.discovery is Discovery.AUTO,
            created_at=now,
            updated_at=now,
        )
        try:
            async with self.storage.unit_of_work() as work:
                stored = await work.devices.add(new)
        except StorageUnavailableError as error:
            self.journal.warning("device.not_stored", esp_id=esp_id, error=str(error))
            return None
        self._presence(esp_id).introduced = False
        self.journal.info("device.discovered", esp_id=esp_id, approved=stored.approved)
        return self.registry.add_device(stored)

    async def _store_heartbeat(self, before: Device, device: Device, health: DeviceHealth) -> None:
        at, presence = health.reported_at, self._presence(device.esp_id)
        changed = replace(before, last_seen=device.last_seen) != device
        seen = presence.seen(at, changed=changed)
        reported = presence.reported(at, changed=changed)
        if seen or reported:
            await self._store(device, health if reported else None, seen=seen)

    async def _store(
        self, device: Device, health: DeviceHealth | None = None, *, seen: bool = True
    ) -> None:
        try:
            async with self.storage.autocommit() as work:
                if seen:
                    await work.devices.save_presence(device)
                if health is not None:
                    await work.devices.save_health(device.esp_id, health)
        except StorageUnavailableError as error:
            self.journal.warning(
                "device.presence_not_stored", esp_id=device.esp_id, error=str(error)
            )

    async def _new_actuator(self, report: ActuatorReport) -> Actuator | None:
        if await self._known(report.pin.esp_id, report.kaiser_id) is None:
            return None
        now = self.clock.now()
        new = Actuator(
            id=0,
            pin=report.pin,
            actuator_type=report.actuator_type,
            name=default_name(report.actuator_type, report.pin.gpio),
            created_at=now,
            updated_at=now,
        )
        try:
            async with self.storage.unit_of_work() as work:
                stored = await work.actuators.add(new)
        except StorageUnavailableError as error:
            self.journal.warning("actuator.not_stored", pin=report.pin, error=str(error))
            return None
        return self.registry.add_actuator(stored)
