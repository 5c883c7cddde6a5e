"""Rules live through stored readings again: the work of a rehearsal, wherever it is done.

The past comes in columns, in stretches of so many readings that memory is bounded however often
sensors speak; only what was received long after it was measured waits beside them for its turn.
While rules live through one the next is fetched, so that the database and the rules each have a
core.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from domain.actuators import Actuator, Pin
from domain.repositories import PastReadings
from domain.rules.model import Rule
from domain.rules.past import AHEAD, Past, microseconds
from domain.rules.replay import Backtest, CancelledError, Replay
from domain.sensors import SensorKey

READ = 150_000
"""Readings in memory at a time, more or less: 6 MB, and as much again for those that follow."""

FIRST, SHORTEST, LONGEST = timedelta(hours=1), timedelta(minutes=10), timedelta(days=28)
"""How much time is read at once: at first, as nobody knows yet how many readings that is."""

_FASTEST_GROWTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What is to be lived through: all that is needed, so that it can be done anywhere.

    Attributes:
        rules: Each lives by itself; the past is read once for all.
        sensors: Under which number the readings of what they watch are stored.
        actuators: The limits of what they command, as far as they are known.
        skipping: Whether they are judged only where something can change.
    """

    rules: Sequence[Rule]
    sensors: Mapping[SensorKey, int]
    actuators: Mapping[Pin, Actuator]
    start: datetime
    end: datetime
    skipping: bool = True


Progress: TypeAlias = Callable[[float], None]
"""Told the part of the time that was lived through, 0.0 to 1.0."""


class Relive(Protocol):
    """Lets rules live through the past; whoever no longer waits cancels it."""

    async def __call__(self, rehearsal: Rehearsal, progress: Progress) -> Sequence[Backtest]:
        """Return what each rule would have done.

        Raises:
            StorageUnavailableError: The past cannot be read now.
            OverloadedError: It came to no end: there is not enough memory, or time.
        """
        ...


@dataclass(slots=True)
class _Flag:
    """Says to a thread that nobody waits for it any more."""

    up: bool = False

    def __call__(self) -> bool:
        return self.up


async def relive(
    past: PastReadings, rehearsal: Rehearsal, progress: Progress = lambda _: None
) -> Sequence[Backtest]:
    """Let rules live through the past, each by itself; it may be cancelled at any time.

    Args:
        past: Where readings come from.
        rehearsal: What is to be lived through.
        progress: Told how far it is.
    """
    start, end, sensors = rehearsal.start, rehearsal.end, rehearsal.sensors
    replays = [
        Replay(rule, start, rehearsal.actuators, skipping=rehearsal.skipping)
        for rule in rehearsal.rules
    ]
    newest = await past.latest([*sensors.values()], start)
    latest = {key: newest[number] for key, number in sensors.items() if number in newest}
    for each in replays:
        each.begin(latest)
    nobody_waits = _Flag()
    stretches = _Stretches(past, sensors, start, end)
    coming = await stretches.next()
    try:
        while coming is not None:
            until, stretch = coming
            coming, _ = await asyncio.gather(
                stretches.next(), asyncio.to_thread(_feed, replays, stretch, until, nobody_waits)
            )
            progress((until - start) / (end - start))
    finally:
        nobody_waits.up = True
    return [each.finish(end) for each in replays]


def _feed(
    replays: Sequence[Replay],
    stretch: Mapping[SensorKey, Past],
    until: datetime,
    cancelled: Callable[[], bool],
) -> None:
    for each in replays:
        if cancelled():
            raise CancelledError
        each.feed(stretch, until, cancelled)


class _Stretches:
    """The past in the order in which it was received, which is not how it lies there."""

    def __init__(
        self,
        past: PastReadings,
        sensors: Mapping[SensorKey, int],
        start: datetime,
        end: datetime,
    ) -> None:
        self._past = past
        self._sensors = sensors
        self._start = self._begun = start
        self._since = start - AHEAD
        self._end = end
        self._length = FIRST
        self._late: dict[SensorKey, Past] = {}

    async def next(self) -> tuple[datetime, Mapping[SensorKey, Past]] | None:
        """Return until when the next stretch goes, and what was received in it; None: no more."""
        if self._begun >= self._end:
            return None
        until = min(self._begun + self._length, self._end)
        read = until + AHEAD
        found = await self._past.of([*self._sensors.values()], self._since, read)
        stretch = {}
        for key, number in self._sensors.items():
            known = self._late.get(key, Past()).then(found.get(number, Past()))
            stretch[key], self._late[key] = known.split(microseconds(until))
        if self._begun == self._start:
            before = microseconds(self._start)
            stretch = {key: past.split(before)[1] for key, past in stretch.items()}
        self._adapt(sum(map(len, found.values())))
        self._begun, self._since = until, read
        return until, stretch

    def _adapt(self, readings: int) -> None:
        """Read more at once, or less, so that it is about `READ`."""
        factor = min(READ / max(1, readings), _FASTEST_GROWTH)
        self._length = min(max(SHORTEST, self._length * factor), LONGEST)
