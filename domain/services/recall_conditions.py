"""After a restart: what interlocks and effects remember, made again of the readings stored."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeAlias

from domain.ports import Clock
from domain.repositories import Storage
from domain.rules.conditions import Condition, Hysteresis, leaves
from domain.rules.recall import reaches, recall, undecided
from domain.rules.world import ConditionState, Observation
from domain.sensors import CLOCK_AHEAD, Reading, SensorKey
from domain.services.guard import Guard
from domain.services.registry import Registry

PAGE = 1000
"""Readings that are fetched at a time."""

MOST_RECALLED = 50_000
"""Readings of one sensor that are looked at: 14 hours of one that speaks every second."""

RECALLED_WITHIN = 10.0
"""Seconds that all of it may take; what is not known by then is in doubt, and means no."""

_EVER = datetime.min.replace(tzinfo=UTC)


class Forgotten(NamedTuple):
    """A condition whose memory is to be found again.

    Attributes:
        since: What was measured before it does not count.
        good_only: Whether it is judged on good readings alone, as effects are; interlocks are not.
    """

    condition: Condition
    since: datetime = _EVER
    good_only: bool = False


Recall: TypeAlias = Callable[[Iterable[Forgotten]], Awaitable[Mapping[Forgotten, ConditionState]]]
"""Returns what is remembered; absent: nothing, or it could not be found in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallConditions:
    """Makes memory of readings; no new ones may come in while it does.

    Attributes:
        within: What `RECALLED_WITHIN` is, unless said.
    """

    storage: Storage
    registry: Registry
    clock: Clock
    guard: Guard
    within: float = RECALLED_WITHIN

    async def __call__(self, every: Iterable[Forgotten]) -> Mapping[Forgotten, ConditionState]:
        """Implement `Recall`."""
        found: dict[Forgotten, ConditionState] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(self.within):
                for forgotten in every:
                    if forgotten not in found and (keys := reaches(forgotten.condition)):
                        readings = [
                            reading
                            for key, reach in keys.items()
                            for reading in await self._readings(forgotten, key, reach)
                        ]
                        found[forgotten] = await asyncio.to_thread(
                            recall, forgotten.condition, readings
                        )
        return found

    async def _readings(
        self, forgotten: Forgotten, key: SensorKey, reach: timedelta
    ) -> list[Reading]:
        """Fetch page after page, from the newest back to where nothing older matters."""
        condition, since, good_only = forgotten
        sensor, now = self.registry.sensor(key), self.clock.now()
        if sensor is None:
            return []
        open_sides = [
            leaf
            for leaf in leaves(condition)
            if isinstance(leaf, Hysteresis) and leaf.sensor == key
        ]
        readings: list[Reading] = []
        start = now + CLOCK_AHEAD
        while len(readings) < MOST_RECALLED:
            page = await self.guard.insist(partial(self._page, sensor.id, start))
            readings += page
            if len(page) < PAGE or page[0].measured_at < since:
                break
            start, open_sides = page[0].measured_at, undecided(open_sides, page)
            if start < now - reach and not open_sides:
                break
        return [
            reading
            for reading in readings
            if reading.measured_at >= since and (Observation.of(reading).good or not good_only)
        ]

    async def _page(self, sensor_id: int, before: datetime) -> Sequence[Reading]:
        async with self.storage.autocommit() as work:
            return await work.history.before(sensor_id, before, PAGE)
