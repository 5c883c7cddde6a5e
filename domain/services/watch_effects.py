"""Whether what is on has the effect that it should: the zone warms, the water flows.

An effect is judged on what was measured since the actuator is on, so water that flowed before
proves nothing. When it was decided is stored: a run that was decided is not judged again after a
restart. One that was not goes on from what was measured before, and has its full time again, for
what was measured meanwhile may still be on its way.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from domain.actuators import Pin
from domain.lease_book import LeaseBook
from domain.leases import Lease, Moment
from domain.ports import Clock, SwitchOff
from domain.repositories import Storage
from domain.rules.conditions import Watched, watched_sensors
from domain.rules.evaluate import Verdict, evaluate
from domain.rules.objections import objections
from domain.rules.world import ConditionState
from domain.safeguards import Effect
from domain.safety import told
from domain.sensors import SensorKey
from domain.services.guard import Guard
from domain.services.recall_conditions import Forgotten, Recall
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.services.world import CLOCKS_AGREE, KnownWorld
from domain.system_events import EventKind, Severity

TICK = 0.25
"""Seconds between two looks at what is on."""


@dataclass(slots=True)
class _Awaited:
    """An effect that has not been seen yet in a run.

    Attributes:
        since: Since when the actuator is on.
        until: Monotonic seconds by which it must have been seen.
    """

    effect: Effect
    since: datetime
    until: float
    state: ConditionState = field(default_factory=ConditionState)


@dataclass(slots=True, kw_only=True)
class WatchEffects:
    """Tells where an effect is missing, and switches off where people want that.

    Attributes:
        recalled: Set once it remembers what there was before the server: readings may come in.
    """

    storage: Storage
    registry: Registry
    world: KnownWorld
    leases: LeaseBook
    clock: Clock
    guard: Guard
    record: RecordEvents
    switch_off: SwitchOff
    recall: Recall
    recalled: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _awaited: dict[Pin, _Awaited] = field(default_factory=dict, init=False)
    _decided: dict[Pin, datetime] = field(default_factory=dict, init=False)
    _unsaved: dict[Pin, datetime] = field(default_factory=dict, init=False)
    _saving: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _followed: int = field(default=-1, init=False)

    async def run(self) -> None:
        """Watch what is on, until cancelled."""
        await self.guard.insist(self._load)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._save_forever(), name="store effects")
            await self._recall()
            while True:
                self._look()
                await self.clock.sleep(TICK)

    async def _recall(self) -> None:
        self._follow()
        found = [self._await(lease.pin, lease) for lease in self.leases.leases]
        awaited = [one for one in found if one is not None]
        states = await self.recall(map(_forgotten, awaited))
        for one in awaited:
            one.state = states.get(_forgotten(one), one.state)
        self.recalled.set()

    def heard(self, key: SensorKey) -> None:
        """A sensor that is followed has said something."""
        for pin, awaited in tuple(self._awaited.items()):
            if key in watched_sensors(awaited.effect.condition):
                self._judge(pin, awaited)

    def _look(self) -> None:
        self._follow()
        now = Moment(self.clock.now(), self.clock.monotonic())
        leases = self.leases.leases
        running = {each.pin: each for each in leases if self.leases.is_surely_on(each.pin, now)}
        for pin in self._awaited.keys() - running.keys():
            del self._awaited[pin]
        for pin, lease in running.items():
            awaited = self._await(pin, lease)
            if awaited is not None and not self._judge(pin, awaited):
                self._look_how_late(pin, awaited)

    def _follow(self) -> None:
        if self._followed == self.registry.safeguards_revision:
            return
        self._followed = self.registry.safeguards_revision
        effects = (each.effect for each in self.registry.all_safeguards().values())
        keys = {key for each in effects if each for key in watched_sensors(each.condition)}
        self.world.follow(self.heard, keys)

    def _await(self, pin: Pin, lease: Lease) -> _Awaited | None:
        """Return the effect that is still to be seen; None: there is none, or it was decided."""
        effect = self.registry.safeguards(pin).effect
        known = self._awaited.get(pin)
        if known is not None and known.effect == effect:
            known.since = lease.on_since  # it moves with the wall clock
            return known
        self._awaited.pop(pin, None)
        decided = self._decided.get(pin)
        if effect is None or (decided is not None and decided >= lease.on_since):
            return None
        until = self.clock.monotonic() + effect.within.total_seconds()
        awaited = self._awaited[pin] = _Awaited(effect, lease.on_since, until)
        return awaited

    def _judge(self, pin: Pin, awaited: _Awaited) -> bool:
        """Say whether the effect is there."""
        verdict = self._verdict(awaited)
        awaited.state = verdict.state
        if verdict.holds is True:
            self._decide(pin)
        return verdict.holds is True

    def _verdict(self, awaited: _Awaited) -> Verdict:
        condition = awaited.effect.condition
        world = self.world.for_effects(Watched.of((condition,)), awaited.since)
        return evaluate(condition, world, awaited.state, self.clock.now())

    def _look_how_late(self, pin: Pin, awaited: _Awaited) -> None:
        if self.clock.monotonic() < awaited.until:
            return
        self._decide(pin)
        missing = "; ".join(objections(self._verdict(awaited).explanation))
        late = told(awaited.effect.within)
        if awaited.effect.switch_off:
            why = f"it did not have the effect that it should within {late}: {missing}"
            self.switch_off(pin, why, EventKind.EFFECT_MISSING, Severity.ERROR)
            return
        actuator = self.registry.actuator(pin)
        self.record(
            EventKind.EFFECT_MISSING,
            Severity.ERROR,
            f"{self.registry.called(pin.esp_id)}, {actuator.name if actuator else pin.gpio}: is on "
            f"and did not have the effect that it should within {late}: {missing}. Go and look.",
            esp_id=pin.esp_id,
            about=f"{pin.gpio} {awaited.since.isoformat()}",
            details={"gpio": pin.gpio, "on_since": awaited.since.isoformat()},
        )

    # ------------------------------------------------------------ what a restart must not forget

    def _decide(self, pin: Pin) -> None:
        del self._awaited[pin]
        self._decided[pin] = self._unsaved[pin] = self.clock.now()
        self._saving.set()

    async def _load(self) -> None:
        async with self.storage.autocommit() as work:
            self._decided.update(await work.safeguards.judged())

    async def _save_forever(self) -> None:
        while True:
            await self._saving.wait()
            self._saving.clear()
            unsaved, self._unsaved = self._unsaved, {}
            for pin, at in unsaved.items():
                await self._save(pin, at)

    async def _save(self, pin: Pin, at: datetime) -> None:
        async def save() -> None:
            async with self.storage.autocommit() as work:
                await work.safeguards.save_judged(pin, at)

        await self.guard.insist(save)


def _forgotten(awaited: _Awaited) -> Forgotten:
    since = awaited.since - CLOCKS_AGREE
    return Forgotten(awaited.effect.condition, since, good_only=True)
