"""Interlocks: asked before anything is switched on, and watched while it is on.

Readings are judged at once, in their order, so that conditions over time see each of them; what
other actuators and devices do, and what time alone changes, is looked at four times a second. What
conditions remember is made again of stored readings when the server starts, before a new one comes
in; where that cannot be done, what hangs on it does not hold.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from domain.actuators import Pin
from domain.lease_book import LeaseBook
from domain.leases import Moment
from domain.ports import Clock, SwitchOff
from domain.rules.conditions import (
    Condition,
    Watched,
    watched_sensors,
)
from domain.rules.evaluate import Verdict
from domain.rules.objections import objections
from domain.rules.world import ConditionState
from domain.safeguards import (
    LOST_AFTER,
    NO_INTERLOCKS,
    Interlock,
    Interlocks,
    OnServerLoss,
)
from domain.sensors import SensorKey
from domain.services.recall_conditions import Forgotten, Recall
from domain.services.registry import Registry
from domain.services.world import KnownWorld
from domain.system_events import EventKind, Severity
from domain.times import write_instant

NOTHING = ConditionState()

_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)

TICK = 0.25
"""Seconds between two looks at what is on."""


@dataclass(slots=True)
class _Guarded:
    """The interlocks of one actuator.

    Attributes:
        watched: What they look at.
        wake_at: When time alone could change it.
    """

    every: tuple[Interlock, ...]
    watched: Watched
    wake_at: datetime = _AT_ONCE

    @property
    def by_readings(self) -> bool:
        """Whether nothing but readings and time can change what they come to."""
        return not (self.watched.devices or self.watched.actuators)

    def is_due(self, now: datetime) -> bool:
        return not self.by_readings or now >= self.wake_at

    def remember(self, verdicts: Sequence[Verdict]) -> None:
        self.every = tuple(
            Interlock(interlock.condition, verdict.state)
            for interlock, verdict in zip(self.every, verdicts, strict=True)
        )
        self.wake_at = min((v.wake_at for v in verdicts if v.wake_at is not None), default=_NEVER)


@dataclass(slots=True, kw_only=True)
class WatchInterlocks:
    """Says what holds, and switches off what must not be on any more.

    Attributes:
        recalled: Set once it remembers what there was before the server: readings may come in.
    """

    registry: Registry
    world: KnownWorld
    leases: LeaseBook
    clock: Clock
    switch_off: SwitchOff
    recall: Recall
    recalled: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _guarded: dict[Pin, _Guarded] = field(default_factory=dict, init=False)
    _pins: dict[SensorKey, tuple[Pin, ...]] = field(default_factory=dict, init=False)
    _revision: int = field(default=-1, init=False)
    _sensors: int = field(default=-1, init=False)

    # ------------------------------------------------------------ for those who ask

    def of(self, pin: Pin) -> Interlocks:
        """Return the interlocks of an actuator, and what they are judged on now."""
        self._keep_up()
        guarded = self._guarded.get(pin)
        if guarded is None:
            return NO_INTERLOCKS
        world = self.world.for_interlocks(guarded.watched)
        return Interlocks(guarded.every, world, self.clock.now())

    def verdicts(self, pin: Pin) -> list[Verdict]:
        """Return what each interlock of an actuator comes to now."""
        every, world, now = self.of(pin)
        return [interlock.judge(world, now) for interlock in every]

    # ------------------------------------------------------------ at work

    async def run(self) -> None:
        """Watch what is on, until cancelled."""
        self._end_what_was_left_alone()
        await self._recall()
        while True:
            self._look()
            await self.clock.sleep(TICK)

    async def _recall(self) -> None:
        self._keep_up()
        every = [each for guarded in self._guarded.values() for each in guarded.every]
        states = await self.recall(Forgotten(interlock.condition) for interlock in every)
        self._keep_up()  # somebody may have declared something meanwhile
        for guarded in self._guarded.values():
            guarded.every = tuple(
                Interlock(each.condition, states.get(Forgotten(each.condition), each.state))
                for each in guarded.every
            )
        self.recalled.set()

    def heard(self, key: SensorKey) -> None:
        """A sensor that is followed has said something."""
        self._keep_up()
        for pin in self._pins.get(key, ()):
            self._judge(pin, self._guarded[pin])

    def _look(self) -> None:
        self._keep_up()
        now = self.clock.now()
        for lease in self.leases.leases:
            guarded = self._guarded.get(lease.pin)
            if guarded is not None and guarded.is_due(now):
                self._judge(lease.pin, guarded)
            self._look_who_is_lost(lease.pin, now)

    def _judge(self, pin: Pin, guarded: _Guarded) -> None:
        now, world = self.clock.now(), self.world.for_interlocks(guarded.watched)
        verdicts = [interlock.judge(world, now) for interlock in guarded.every]
        guarded.remember(verdicts)
        unmet = [verdict.explanation for verdict in verdicts if verdict.holds is not True]
        if unmet and self._is_on(pin):
            why = "; ".join(text for explanation in unmet for text in objections(explanation))
            self.switch_off(
                pin,
                f"an interlock does not hold: {why}",
                EventKind.INTERLOCK_BROKEN,
                Severity.WARNING,
            )

    def _is_on(self, pin: Pin) -> bool:
        usage = self.leases.usage(pin, Moment(self.clock.now(), self.clock.monotonic()))
        return usage.on_for is not None and not usage.ending

    def _keep_up(self) -> None:
        """Take in what people declared since the last time, and which sensors they removed."""
        if self._sensors != self.registry.revision:
            self._sensors = self.registry.revision
            for guarded in self._guarded.values():
                guarded.wake_at = _AT_ONCE
        if self._revision == self.registry.safeguards_revision:
            return
        self._revision = self.registry.safeguards_revision
        before, self._guarded = self._guarded, {}
        pins: dict[SensorKey, tuple[Pin, ...]] = {}
        for pin, safeguards in self.registry.all_safeguards().items():
            if safeguards.interlocks:
                known = before[pin].every if pin in before else ()
                self._guarded[pin] = _guard(safeguards.interlocks, known)
            for key in {key for each in safeguards.interlocks for key in watched_sensors(each)}:
                pins[key] = (*pins.get(key, ()), pin)
        self._pins = pins
        self.world.follow(self.heard, pins)

    # ------------------------------------------------------------ loss of the server

    def _end_what_was_left_alone(self) -> None:
        """The server is back: switch off what was to go off without it."""
        now = self.clock.now()
        for lease in self.leases.leases:
            if self._goes_off_alone(lease.pin) and now - lease.seen_at > LOST_AFTER:
                since = write_instant(lease.seen_at)
                self._end(
                    lease.pin, f"it goes off without the server, which was away since {since}"
                )

    def _look_who_is_lost(self, pin: Pin, now: datetime) -> None:
        """Switch off what is to go off where its device cannot be told anything any more."""
        device = self.registry.device(pin.esp_id)
        if device is None or device.online or not self._goes_off_alone(pin):
            return
        heard = [at for at in (device.last_seen, self.registry.last_heard(pin.esp_id)) if at]
        if heard and now - max(heard) > LOST_AFTER and self._is_on(pin):
            self._end(pin, f"its device is lost since {write_instant(max(heard))}")

    def _goes_off_alone(self, pin: Pin) -> bool:
        return self.registry.safeguards(pin).on_server_loss is OnServerLoss.OFF

    def _end(self, pin: Pin, why: str) -> None:
        why = f"it goes off without the server, and {why}"
        self.switch_off(pin, why, EventKind.SERVER_WAS_LOST, Severity.WARNING)


def _guard(conditions: tuple[Condition, ...], known: tuple[Interlock, ...]) -> _Guarded:
    states = {interlock.condition: interlock.state for interlock in known}
    return _Guarded(
        every=tuple(Interlock(each, states.get(each, NOTHING)) for each in conditions),
        watched=Watched.of(conditions),
    )
