"""Devices are brought in line with what people decided, however often either side goes away.

What must arrive waits in the outbox of the database; its content is read from the registry when it
is sent, so a device always gets the newest. A round of messages is carried out while the device is
there; cut short, it begins again, which is harmless: every item replaces itself.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.config_rounds import Answer, ConfigRound, Step, pause_after
from domain.configs import (
    CONFIG_ERRANDS,
    ERRAND_LIFETIME,
    LARGEST_GENERATION,
    ConfigSync,
    ConfigSyncState,
    DeviceConfig,
    Errand,
    OutboxEntry,
)
from domain.desired import actuator_item, forgotten, sensor_item
from domain.devices import Device, DeviceHealth
from domain.errors import BadInputError, BrokerUnavailableError, StorageUnavailableError
from domain.ports import Clock, ConfigLink, Receiver
from domain.repositories import Storage, UnitOfWork
from domain.sensors import Sensor
from domain.services.guard import Guard
from domain.services.registry import Registry
from domain.zones import SubzoneAssignment, SubzoneRemoval, ZoneAssignment

MOST_AT_ONCE = 64
"""Devices that are brought in line at the same time; further ones wait."""

TICK = 0.25
"""Seconds between two looks at deadlines and at who came back."""

BROKER_PAUSE = 1.0
"""Seconds until a message is tried again that the broker did not take."""

SETTLED_AFTER = timedelta(seconds=5)
"""How old a confirmation must be before fewer items in a heartbeat mean that some were lost."""

NOTHING_SINCE_RESET = "CONFIG_PENDING_AFTER_RESET"
"""The state of a device that lost its configuration, and waits for one (device protocol, 3.4)."""

_LONGEST_STAMP = 2**31
_SINGLE = {Errand.CONFIG, Errand.ZONE, Errand.SUBZONE}
"""Errands of which the last one says all."""


async def put_out(
    work: UnitOfWork,
    esp_id: str,
    errands: Sequence[tuple[Errand, dict[str, str | int | bool | None]]],
    *,
    now: datetime,
    config_id: UUID,
) -> ConfigSync:
    """Order that a device is told something, in the transaction that decides it."""
    single = {errand for errand, _ in errands} & _SINGLE
    waiting = await work.outbox.of_device(esp_id, CONFIG_ERRANDS)
    if outdated := [entry.id for entry in waiting if entry.errand in single]:
        await work.outbox.remove(outdated)
    await work.outbox.add(
        [
            OutboxEntry(
                esp_id=esp_id,
                errand=errand,
                body=body,
                created_at=now,
                expires_at=now + ERRAND_LIFETIME,
            )
            for errand, body in errands
        ]
    )
    known = (await work.config_syncs.by_esp_ids([esp_id])).get(esp_id, ConfigSync())
    sync = replace(
        known, state=ConfigSyncState.PENDING, config_id=str(config_id), error=None, items={}
    )
    await work.config_syncs.save(esp_id, sync)
    return sync


class _Told(NamedTuple):
    """What a device was told in vain: how often in a row, and when that last ended."""

    times: int
    at: datetime

    def rested(self, now: datetime) -> bool:
        """Whether it was left alone for long enough since."""
        return now >= self.at + pause_after(self.times)


@dataclass(slots=True, kw_only=True)
class Synchronise:
    """Drives the rounds of all devices.

    Attributes:
        rejected: Told what a device refused, each item with its reason, once a round is over.
        is_virtual: Whether sensors of a type are computed here: no device has them.
    """

    storage: Storage
    registry: Registry
    link: ConfigLink
    clock: Clock
    guard: Guard
    new_id: Callable[[], UUID]
    rejected: Callable[[str, Mapping[str, str]], None]
    is_virtual: Callable[[str], bool] = lambda _sensor_type: False
    _waiting: set[str] = field(default_factory=set, init=False)
    _silent: dict[str, _Told] = field(default_factory=dict, init=False)
    _emptied: dict[str, _Told] = field(default_factory=dict, init=False)
    _active: dict[str, asyncio.Event] = field(default_factory=dict, init=False)
    _rounds: dict[str, ConfigRound] = field(default_factory=dict, init=False)
    _settled: dict[str, ConfigSync] = field(default_factory=dict, init=False)
    _lost: dict[str, tuple[int | None, int | None]] = field(default_factory=dict, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def changed(self, esp_id: str) -> None:
        """Take in that something was put out for a device."""
        self._silent.pop(esp_id, None)
        self._settled.pop(esp_id, None)
        self._waiting.add(esp_id)
        self._arrived.set()

    def answered(self, answer: Answer) -> None:
        """Take in what a device says to what it was told."""
        carried = self._rounds.get(answer.esp_id)
        if carried is not None:
            carried.answered(answer, self.clock.now())
            self._active[answer.esp_id].set()

    def waits(self, esp_id: str) -> bool:
        """Whether a device is still to be told something, now or when it can be reached."""
        return esp_id in self._waiting or esp_id in self._active or esp_id in self._silent

    async def heard(self, device: Device, health: DeviceHealth) -> None:
        """Take in a heartbeat: a device that restarted, or lost items, is told everything again."""
        esp_id = device.esp_id
        if not device.approved or esp_id in self._waiting or esp_id in self._active:
            return
        sync = self._settled.get(esp_id)
        emptied = self._is_empty(device, health)
        if not emptied and (sync is None or not self._drifted(device, health, sync)):
            return
        # Without the database nothing can be ordered; the next heartbeat tells the same.
        with suppress(StorageUnavailableError):
            async with self.storage.unit_of_work() as work:
                errands = [Errand.CONFIG] + ([Errand.ZONE] if device.zone_id else [])
                errands += [Errand.SUBZONE] if device.subzone_id else []
                await put_out(
                    work,
                    esp_id,
                    [(errand, {}) for errand in errands],
                    now=self.clock.now(),
                    config_id=self.new_id(),
                )
            self.changed(esp_id)

    async def run(self) -> None:
        """Carry out rounds until cancelled; first those that a restart cut off."""
        await self.guard.insist(self._load)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_the_time(), name="deadlines of configurations")
            while True:
                for esp_id in sorted(self._waiting - self._active.keys()):
                    if len(self._active) < MOST_AT_ONCE and self._reachable(esp_id):
                        self._waiting.discard(esp_id)
                        self._active[esp_id] = asyncio.Event()
                        tasks.create_task(self._drive(esp_id), name=f"configuration of {esp_id}")
                self._arrived.clear()
                await self._arrived.wait()

    async def _load(self) -> None:
        esp_ids = [device.esp_id for device in self.registry.devices()]
        async with self.storage.autocommit() as work:
            self._waiting.update(await work.outbox.waiting(CONFIG_ERRANDS))
            self._settled.update(await work.config_syncs.by_esp_ids(esp_ids))
        for esp_id in self._waiting:
            self._settled.pop(esp_id, None)

    async def _tell_the_time(self) -> None:
        while True:
            await self.clock.sleep(TICK)
            for woken in self._active.values():
                woken.set()
            for esp_id, silence in tuple(self._silent.items()):
                if not self._reachable(esp_id):
                    self.changed(esp_id)
                elif esp_id not in self._active and self._may_try_again(esp_id, silence):
                    self._settled.pop(esp_id, None)
                    self._waiting.add(esp_id)
            self._arrived.set()

    def _sensors_of(self, esp_id: str) -> list[Sensor]:
        """Return the sensors that a device has on its pins."""
        return [
            sensor
            for sensor in self.registry.sensors_of(esp_id)
            if not self.is_virtual(sensor.key.sensor_type)
        ]

    def _reachable(self, esp_id: str) -> bool:
        device = self.registry.device(esp_id)
        return device is not None and device.approved and device.online

    def _may_try_again(self, esp_id: str, silence: _Told) -> bool:
        device = self.registry.device(esp_id)
        seen = None if device is None else device.last_seen
        signs = (seen, self.registry.last_heard(esp_id))
        lives = any(sign is not None and sign > silence.at for sign in signs)
        return lives and silence.rested(self.clock.now())

    def _is_empty(self, device: Device, health: DeviceHealth) -> bool:
        """Whether a device says that it lost its configuration, and should be told it now."""
        esp_id, now = device.esp_id, self.clock.now()
        if health.system_state != NOTHING_SINCE_RESET:
            self._emptied.pop(esp_id, None)
            return False
        pins = (self._sensors_of(esp_id), self.registry.actuators_of(esp_id))
        told = self._emptied.get(esp_id)
        # It stays in that state until it has both a sensor and an actuator: no use to insist.
        if not any(pins) or (told is not None and not (all(pins) and told.rested(now))):
            return False
        self._emptied[esp_id] = _Told(1 if told is None else told.times + 1, now)
        return True

    def _drifted(self, device: Device, health: DeviceHealth, sync: ConfigSync) -> bool:
        if sync.sent_at is None:
            return False
        if device.last_boot_at is not None and device.last_boot_at > sync.sent_at:
            return True
        if sync.state is not ConfigSyncState.IN_SYNC or sync.confirmed_at is None:
            return False
        if self.clock.now() - sync.confirmed_at < SETTLED_AFTER:
            return False
        counts = (health.sensor_count, health.actuator_count)
        sensors = sum(sensor.enabled for sensor in self._sensors_of(device.esp_id))
        actuators = len(self.registry.actuators_of(device.esp_id))
        fewer = (counts[0] is not None and counts[0] < sensors) or (
            counts[1] is not None and counts[1] < actuators
        )
        # Some firmware counts a chip of two values once: what telling it again did not cure stays.
        if not fewer or self._lost.get(device.esp_id) == counts:
            return False
        self._lost[device.esp_id] = counts
        return True

    # ------------------------------------------------------------ one device

    async def _drive(self, esp_id: str) -> None:
        try:
            while self._reachable(esp_id) and await self._one_round(esp_id):
                pass
        finally:
            del self._active[esp_id]
            self._arrived.set()

    async def _one_round(self, esp_id: str) -> bool:
        """Carry out a round; say whether another must follow."""
        entries, sync = await self.guard.insist(lambda: self._read(esp_id))
        device = self.registry.device(esp_id)
        if not entries or device is None:
            return False
        steps = self._steps(device, entries)
        carried = self._rounds[esp_id] = ConfigRound(steps=steps, sync=sync)
        try:
            await self._carry_out(esp_id, carried)
        finally:
            del self._rounds[esp_id]
        if not carried.over:
            self._waiting.add(esp_id)
            return False
        return await self.guard.insist(lambda: self._end(esp_id, carried.sync, entries))

    async def _read(self, esp_id: str) -> tuple[Sequence[OutboxEntry], ConfigSync]:
        now = self.clock.now()
        async with self.storage.unit_of_work() as work:
            entries = await work.outbox.of_device(esp_id, CONFIG_ERRANDS)
            late = [entry for entry in entries if entry.expires_at <= now]
            if late:
                await work.outbox.remove([entry.id for entry in late])
            sync = (await work.config_syncs.by_esp_ids([esp_id])).get(esp_id, ConfigSync())
            if late and len(late) == len(entries):
                sync = replace(
                    sync,
                    state=ConfigSyncState.TIMED_OUT,
                    error=f"the device was away for more than {ERRAND_LIFETIME.days} days",
                )
                await work.config_syncs.save(esp_id, sync)
        return [entry for entry in entries if entry.expires_at > now], sync

    async def _carry_out(self, esp_id: str, carried: ConfigRound) -> None:
        woken = self._active[esp_id]
        while self._reachable(esp_id):
            message = carried.due(self.clock.now())
            if carried.over:
                return
            if message is None:
                woken.clear()
                await woken.wait()
                continue
            device = self.registry.device(esp_id)
            level = message.kaiser_id if device is None else device.kaiser_id
            # Noted before: an answer may outrun the broker's word that it has the message.
            carried.sent(message, self.clock.now())
            try:
                await self.link.tell(replace(message, kaiser_id=level))
            except BrokerUnavailableError:
                carried.not_sent()
                await self.clock.sleep(BROKER_PAUSE)
            except BadInputError as error:
                carried.refuse(str(error), self.clock.now())
            else:
                await self.guard.insist(lambda: self._save(esp_id, carried.sync))

    async def _save(self, esp_id: str, sync: ConfigSync) -> None:
        async with self.storage.autocommit() as work:
            await work.config_syncs.save(esp_id, sync)

    async def _end(self, esp_id: str, sync: ConfigSync, entries: Sequence[OutboxEntry]) -> bool:
        async with self.storage.unit_of_work() as work:
            if sync.state is not ConfigSyncState.TIMED_OUT:
                await work.outbox.remove([entry.id for entry in entries])
            done = {entry.id for entry in entries}
            more = any(
                e.id not in done for e in await work.outbox.of_device(esp_id, CONFIG_ERRANDS)
            )
            if more:
                stored = (await work.config_syncs.by_esp_ids([esp_id])).get(esp_id, sync)
                state = ConfigSyncState.PENDING
                sync = replace(sync, state=state, config_id=stored.config_id)
            await work.config_syncs.save(esp_id, sync)
        if not more:
            self._settled[esp_id] = sync
        silence = self._silent.pop(esp_id, None)
        if sync.state is ConfigSyncState.TIMED_OUT:
            times = 1 if silence is None else silence.times + 1
            self._silent[esp_id] = _Told(times, self.clock.now())
        if sync.state is ConfigSyncState.REJECTED:
            self.rejected(esp_id, sync.items)
        return more

    # ------------------------------------------------------------ what it is told

    def _steps(self, device: Device, entries: Sequence[OutboxEntry]) -> list[Step]:
        receiver = self.link.receiver(device)
        errands = {entry.errand for entry in entries}
        steps: list[Step] = []
        if errands & {Errand.CONFIG, Errand.FORGET}:
            steps += self._config_steps(device, entries, receiver)
        if Errand.ZONE in errands:
            zone = device.zone_id or ""
            assignment = ZoneAssignment(
                esp_id=device.esp_id,
                kaiser_id=device.kaiser_id,
                zone_id=zone,
                master_zone_id=zone if device.is_zone_master else "",
                zone_name=self.registry.zone_name(zone),
                new_kaiser_id=device.kaiser_id or receiver.home,
            )
            steps.append(Step(assignment, answered=bool(zone) or receiver.answers_removal))
        if receiver.knows_subzones:
            steps += self._subzone_steps(device, entries)
        return steps

    def _config_steps(
        self, device: Device, entries: Sequence[OutboxEntry], receiver: Receiver
    ) -> list[Step]:
        gone = forgotten(
            [entry.body for entry in entries if entry.errand is Errand.FORGET],
            self._sensors_of(device.esp_id),
            self.registry.actuators_of(device.esp_id),
        )
        sensors = [
            sensor_item(sensor, device.subzone_id) for sensor in self._sensors_of(device.esp_id)
        ]
        actuators = [
            actuator_item(actuator, device.subzone_id)
            for actuator in self.registry.actuators_of(device.esp_id)
        ]
        longest = "0" * 48
        config = DeviceConfig(
            esp_id=device.esp_id,
            kaiser_id=device.kaiser_id,
            sensors=(*gone[0], *sensors),
            actuators=(*gone[1], *actuators),
            config_id=longest if receiver.both_spellings else "",
            correlation_id=longest,
            generation=LARGEST_GENERATION,
            timestamp=_LONGEST_STAMP,
            both_spellings=receiver.both_spellings,
        )
        return [Step(part) for part in self.link.parts(config, receiver) if part.sections]

    def _subzone_steps(self, device: Device, entries: Sequence[OutboxEntry]) -> list[Step]:
        gone = {
            str(entry.body["subzone_id"])
            for entry in entries
            if entry.errand is Errand.FORGET_SUBZONE
        }
        steps = [
            Step(
                SubzoneRemoval(
                    esp_id=device.esp_id, kaiser_id=device.kaiser_id, subzone_id=subzone_id
                )
            )
            for subzone_id in sorted(gone - {device.subzone_id})
        ]
        pins = {sensor.key.gpio for sensor in self._sensors_of(device.esp_id)}
        pins |= {actuator.pin.gpio for actuator in self.registry.actuators_of(device.esp_id)}
        wanted = any(entry.errand is Errand.SUBZONE for entry in entries)
        if wanted and device.subzone_id and device.zone_id:
            assignment = SubzoneAssignment(
                esp_id=device.esp_id,
                kaiser_id=device.kaiser_id,
                subzone_id=device.subzone_id,
                subzone_name=device.subzone_id,
                parent_zone_id=device.zone_id,
                gpios=tuple(sorted(pins)),
                safe_mode_active=False,
            )
            steps.append(Step(assignment))
        return steps
