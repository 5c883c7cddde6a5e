"""Converts stored readings again, as they would be converted if they came in now.

A reading tells what its conversion took from other sensors. Where it does not, because nobody had
named them yet, what those sensors said at that time is looked up.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from domain.companions import Said, noted, said
from domain.conversion_plans import Feed, Plan, complained
from domain.limits import QualityLimits
from domain.parameters import Recipe
from domain.ports import SensorLibraries
from domain.quality import Track, judge, worst
from domain.recomputations import Left, Outcome
from domain.relays import Relayed
from domain.repositories.recomputations import History
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sample

AT_ONCE = 50
"""Readings that are converted before others may go on: some 2 ms."""


class Again(NamedTuple):
    """Readings that were converted again.

    Attributes:
        outcomes: What came of each.
        track: What the judge of qualities remembers after the last one.
    """

    outcomes: Sequence[tuple[Reading, Outcome]]
    track: Track | None


@dataclass(slots=True)
class _Fed:
    """What other sensors give to one conversion."""

    inputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    qualities: list[Quality] = field(default_factory=list)


class _Asked(NamedTuple):
    """A reading on its way through its library."""

    reading: Reading
    sample: Sample
    fed: _Fed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertHistory:
    """Converts the history of one sensor.

    Attributes:
        plan: The sensor, its parameters, its calibration and where others come from.
        recipe: Of the library that reads it.
        limits: What is believable of it.
    """

    plan: Plan
    recipe: Recipe
    libraries: SensorLibraries
    limits: QualityLimits

    async def __call__(
        self, history: History, readings: Sequence[Reading], track: Track | None
    ) -> Again:
        """Convert readings of the sensor, in order of time measured.

        Args:
            history: Where the readings of other sensors are looked up.
            readings: What to convert; nothing is stored.
            track: What the judge of qualities remembers of those before.

        Raises:
            StorageUnavailableError: What other sensors said cannot be looked up.
        """
        outcomes: list[tuple[Reading, Outcome]] = []
        for start in range(0, len(readings), AT_ONCE):
            some = readings[start : start + AT_ONCE]
            for asked, made in zip(*await self._measured(history, some), strict=True):
                outcome, track = self._judged(asked, made, track)
                outcomes.append((asked.reading, outcome))
            await asyncio.sleep(0)
        return Again(outcomes, track)

    async def _measured(
        self, history: History, readings: Sequence[Reading]
    ) -> tuple[Sequence[_Asked], Sequence[Outcome]]:
        feeds = await self._feeds(history, readings)
        asked = [_asked(reading, fed) for reading, fed in zip(readings, feeds, strict=True)]
        made: list[Outcome] = [self._obstacle(one) or Left.UNCONVERTED for one in asked]
        free = [place for place, one in enumerate(asked) if self._obstacle(one) is None]
        measured = await self.libraries.measure_all(
            [(asked[place].sample, self._given(asked[place].fed)) for place in free]
        )
        for place, measurement in zip(free, measured, strict=True):
            if measurement.library is not None:
                told = complained(measurement, self.plan)
                made[place] = self._completed(told, asked[place].fed)
        return asked, made

    def _obstacle(self, asked: _Asked) -> Left | None:
        if asked.reading.measurement.mode is ProcessingMode.LOCAL:
            return Left.LOCAL
        if self.recipe.is_virtual and len(asked.fed.inputs) < len(self.plan.feeds):
            return Left.UNCONVERTED
        return None

    def _given(self, fed: _Fed) -> Mapping[str, float] | None:
        given = self.plan.given
        if not fed.inputs:
            return given
        return {**(given or {}), **{name: i["value"] for name, i in fed.inputs.items()}}

    def _completed(self, made: Measurement, fed: _Fed) -> Measurement:
        calibration = self.plan.calibration
        return made._replace(
            quality=worst(made.quality, *fed.qualities),
            notes={**(made.notes or {}), "inputs": fed.inputs} if fed.inputs else made.notes,
            calibration_id=None if calibration is None else calibration.id,
        )

    def _judged(
        self, asked: _Asked, made: Outcome, track: Track | None
    ) -> tuple[Outcome, Track | None]:
        reading = asked.reading
        # What is left as it is counts for those that follow all the same.
        compared = reading.measurement if isinstance(made, Left) else made
        judged, track = judge(asked.sample, compared, self.limits, track, _booted(reading))
        return (made if isinstance(made, Left) else judged), track

    # ------------------------------------------------------------ what other sensors said

    async def _feeds(self, history: History, readings: Sequence[Reading]) -> Sequence[_Fed]:
        fed = [_Fed(self._noted(reading)) for reading in readings]
        for feed in self.plan.feeds:
            missing = [
                number
                for number, reading in enumerate(readings)
                if feed.companion.parameter not in fed[number].inputs
                and reading.measurement.mode is not ProcessingMode.LOCAL
            ]
            if missing:
                moments = [_moment(readings[number]) for number in missing]
                held = await history.held_at(feed.source.id, moments, feed.companion.max_age)
                for number, at, other in zip(missing, moments, held, strict=True):
                    if other is not None:
                        self._feed(fed[number], feed, _said(other), at)
        return fed

    def _noted(self, reading: Reading) -> dict[str, Mapping[str, Any]]:
        """Return what a reading itself tells of what its conversion took.

        A virtual sensor tells less: how good its inputs were. So those are always looked up. And
        what came from a sensor that its owner no longer takes from is looked up, too.
        """
        inputs = (reading.measurement.notes or {}).get("inputs")
        if self.recipe.is_virtual or not isinstance(inputs, Mapping):
            return {}
        sources = {feed.companion.parameter: feed.path for feed in self.plan.feeds}
        return {
            name: entry
            for companion in self.recipe.companions
            if isinstance(entry := inputs.get(name := companion.parameter), Mapping)
            and isinstance(entry.get("value"), int | float)
            and sources.get(name) in {None, entry.get("sensor")}
        }

    def _feed(self, fed: _Fed, feed: Feed, found: Said, at: datetime) -> None:
        value = found.taken(feed.companion)
        if value is not None:
            fed.inputs[feed.companion.parameter] = noted(value, feed.path, at - found.at)
            if self.recipe.is_virtual:
                fed.qualities.append(found.quality)


def _said(reading: Reading) -> Said:
    made: Measurement = reading.measurement
    return said(_moment(reading), reading.raw_value, made, made)


def _moment(reading: Reading) -> datetime:
    return min(reading.measured_at, reading.received_at)


def _asked(reading: Reading, fed: _Fed) -> _Asked:
    """Return a reading with the sample that it was made from, as far as that matters."""
    notes = reading.measurement.notes or {}
    doubt, relay = notes.get("device"), notes.get("relay")
    sample = Sample(
        key=reading.sensor.key,
        raw_value=reading.raw_value,
        received_at=reading.received_at,
        measured_at=reading.measured_at,
        sequence=reading.sequence,
        device_quality=Quality.UNKNOWN if doubt is None else Quality(doubt),
        relayed=None if relay is None else Relayed.of(relay),
    )
    return _Asked(reading, sample, fed)


def _booted(reading: Reading) -> datetime | None:
    """Return a start of the device that has the same effect as the one back then: none is kept."""
    reasons = (reading.measurement.notes or {}).get("reasons", ())
    warming = any(reason.get("code") == "WARMING_UP" for reason in reasons)
    return _moment(reading) if warming else None
