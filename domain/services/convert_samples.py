"""Makes readings of samples with all that is known of their sensors, and computes virtual sensors.

Parameters come from the owner of a sensor, over them from its calibration, over them from what
other sensors said by the time the sample was measured. A virtual sensor has a reading for every
moment by which each of its inputs has said something new, so as often as the slowest of them.

What other sensors said is remembered only once it is stored: a batch that the database did not take
comes again and must find everything as it was. Virtual readings are stored together with those that
caused them, under the time of the newest, so redelivery cannot double them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from domain.companions import Recent, Said, moment, newest, noted, said, take
from domain.conversion_plans import (
    Effective,
    Feed,
    Origin,
    Plan,
    Plans,
    complained,
    plan_all,
)
from domain.ports import SensorLibraries
from domain.quality import worst
from domain.repositories import NewReading, Storage
from domain.right_of_way import RightOfWay
from domain.sensors import Measurement, ProcessingMode, Quality, Reading, Sample, Sensor
from domain.services.judge_readings import JudgedBatch, JudgeReadings
from domain.services.registry import Registry

PIECE = 250
"""Readings that are judged in a row, before all others have a turn."""

Inputs: TypeAlias = dict[str, Mapping[str, Any]]
"""What was taken from other sensors, by parameter, as the reading tells it."""

_Asked: TypeAlias = tuple[Sensor, Sample, Plan | None]
"""A sample, and on what its conversion depends; None: on nothing else."""


@dataclass(slots=True, kw_only=True)
class ConvertSamples:
    """Knows on what each sensor's conversion depends, and what others said lately."""

    storage: Storage
    registry: Registry
    libraries: SensorLibraries
    judge: JudgeReadings
    way: RightOfWay = field(default_factory=RightOfWay)
    _plans: Plans = field(default_factory=Plans, init=False)
    _planned: tuple[int, object] | None = field(default=None, init=False)
    _recent: dict[int, Recent] = field(default_factory=dict, init=False)

    @property
    def virtual(self) -> frozenset[int]:
        """The ids of sensors that no device has: they are computed."""
        return self._plans.virtual

    async def batch(self) -> "ConvertedBatch":
        """Begin to convert what will be stored together.

        Raises:
            StorageUnavailableError: What other sensors said before the start cannot be looked up.
        """
        return ConvertedBatch(
            plans=await self.plans(),
            recent=self._recent,
            registry=self.registry,
            libraries=self.libraries,
            judged=self.judge.batch(),
            way=self.way,
        )

    async def plans(self) -> Plans:
        """Return the plans of all sensors as of now.

        Raises:
            StorageUnavailableError: What other sensors said before the start cannot be looked up.
        """
        current = (self.registry.revision, self.libraries.edition)
        if current != self._planned:
            plans = plan_all(
                self.registry.sensors(), self.libraries.recipe, self.registry.calibration
            )
            recalled = await self._recalled(plans.remembered)
            # Somebody else may have looked it up meanwhile, and learnt more since.
            self._recent = {key: self._recent.get(key) or one for key, one in recalled.items()}
            self._plans, self._planned = plans, current
        return self._plans

    async def effective(self, sensor: Sensor, now: datetime) -> Sequence[Effective]:
        """Return what a conversion now would take for each parameter, and where it comes from.

        Raises:
            StorageUnavailableError: What other sensors said before the start cannot be looked up.
        """
        plan = (await self.plans()).by_sensor.get(sensor.id) or Plan(sensor)
        recipe = self.libraries.recipe(sensor.key.sensor_type)
        feeds = {feed.companion.parameter: feed for feed in plan.feeds}
        return [
            self._effective(plan.known(parameter), feeds.get(parameter.name), now)
            for parameter in (recipe.parameters if recipe else ())
        ]

    def _effective(self, known: Effective, feed: Feed | None, now: datetime) -> Effective:
        if feed is None:
            return known
        recent = self._recent.get(feed.source.id)
        taken = take(recent.until(now) if recent else None, feed.companion, now)
        if taken is None:
            return known._replace(source=feed.source)
        return Effective(known.parameter, taken.value, Origin.COMPANION, feed.source, taken.at)

    async def _recalled(self, wanted: Iterable[int]) -> dict[int, Recent]:
        recalled = {key: Recent() for key in wanted}
        if unheard := [key for key in recalled if key not in self._recent]:
            async with self.storage.autocommit() as work:
                for key, reading in (await work.readings.latest(unheard)).items():
                    recalled[key].add(_said(reading))
        return recalled


@dataclass(slots=True, kw_only=True)
class ConvertedBatch:
    """Samples of one transaction; what they say is remembered when they are stored."""

    plans: Plans
    recent: Mapping[int, Recent]
    registry: Registry
    libraries: SensorLibraries
    judged: JudgedBatch
    way: RightOfWay
    _learnt: dict[int, Recent] = field(default_factory=dict, init=False)
    _causes: dict[tuple[datetime, int], tuple[Plan, Sample]] = field(
        default_factory=dict, init=False
    )

    async def __call__(self, samples: Sequence[Sample]) -> list[NewReading]:
        """Return the readings of all samples whose sensor is known, and those of virtual sensors.

        They are in order; virtual ones come last.
        """
        sensor, plans = self.registry.sensor, self.plans.by_sensor
        asked = [
            (known, sample, plans.get(known.id))
            for sample in samples
            if (known := sensor(sample.key)) is not None
        ]
        readings = await self._by_rank(asked)
        return readings + await self._made(self._due()) if self._causes else readings

    def keep(self) -> None:
        """Remember what was learnt: it is stored."""
        self.judged.keep()
        for key, learnt in self._learnt.items():
            recent = self.recent[key]
            for one in learnt:
                recent.add(one)

    async def _by_rank(self, asked: Sequence[_Asked]) -> list[NewReading]:
        """Convert those that others take from first, wherever they stand in the batch."""
        informed = self._informed
        ranks = [0 if plan is None else plan.rank for _, _, plan in asked]
        if not any(ranks):
            return await self._made([informed(*one) for one in asked])
        made: dict[int, NewReading] = {}
        for rank in sorted({*ranks}):
            turns = [turn for turn, theirs in enumerate(ranks) if theirs == rank]
            readings = await self._made([informed(*asked[turn]) for turn in turns])
            made.update(zip(turns, readings, strict=True))
        return [made[turn] for turn in range(len(asked))]

    async def _made(self, cases: Sequence["_Case"]) -> list[NewReading]:
        """Convert what does not depend on each other."""
        raw, judged, remembered = ProcessingMode.RAW, self.judged, self.plans.remembered
        asked = [
            (case.sample, case.given) for case in cases if case.sensor.processing_mode is not raw
        ]
        answers = iter(await self.libraries.measure_all(asked))
        readings: list[NewReading] = []
        for case in cases:
            if not len(readings) % PIECE:
                await self.way.give()
            sensor, sample = case.sensor, case.sample
            made = _as_it_is(sample) if sensor.processing_mode is raw else next(answers)
            if case.plan is not None:
                made = _told(complained(made, case.plan), case)
            known = judged(sensor, sample, made)
            if sensor.id in remembered:
                self._learn(sensor, sample, made, known)
            readings.append(NewReading(sensor, sample, known))
        return readings

    def _informed(self, sensor: Sensor, sample: Sample, plan: Plan | None) -> "_Case":
        """Return a sample with all that is known of its sensor's parameters at its time."""
        if plan is None:
            return _Case(sensor, sample, None)
        if not plan.feeds or sample.device_value is not None:
            return _Case(sensor, sample, plan, plan.given)
        at = moment(sample)
        given: dict[str, float] = dict(plan.given or {})
        inputs: Inputs = {}
        for feed in plan.feeds:
            taken = take(self._newest(feed.source.id, at), feed.companion, at)
            if taken is not None:
                name = feed.companion.parameter
                given[name] = taken.value
                inputs[name] = noted(taken.value, feed.path, at - taken.at)
        return _Case(sensor, sample, plan, given, inputs)

    def _newest(self, sensor_id: int, at: datetime) -> Said | None:
        return newest(self._learnt.get(sensor_id), self.recent.get(sensor_id), at)

    def _learn(
        self, sensor: Sensor, sample: Sample, made: Measurement, judged: Measurement
    ) -> None:
        if sensor.id in self.plans.virtual:
            return
        learnt = said(moment(sample), sample.raw_value, made, judged)
        if learnt.value is None and learnt.raw is None:
            return
        self._remember(sensor.id, learnt)
        for plan in self.plans.computed.get(sensor.id, ()):
            self._causes[learnt.at, plan.sensor.id] = plan, sample

    def _remember(self, sensor_id: int, learnt: Said) -> None:
        recent = self._learnt.get(sensor_id)
        if recent is None:
            recent = self._learnt[sensor_id] = Recent()
        recent.add(learnt)

    # ------------------------------------------------------------ virtual sensors

    def _due(self) -> list["_Case"]:
        """Return what virtual sensors are to be computed, in order of time."""
        causes = sorted(self._causes.items(), key=itemgetter(0))
        return [
            case
            for (at, _), (plan, cause) in causes
            if (case := self._virtual(plan, cause, at)) is not None
        ]

    def _virtual(self, plan: Plan, cause: Sample, at: datetime) -> "_Case | None":
        """Return what to compute; None: not all of its inputs have said something new."""
        sensor = plan.sensor
        last = self._newest(sensor.id, at)
        inputs = []
        for feed in plan.feeds:
            taken = take(self._newest(feed.source.id, at), feed.companion, at)
            if taken is None or (last is not None and taken.at <= last.at):
                return None
            inputs.append(taken)
        quality = worst(*(taken.quality for taken in inputs))
        self._remember(sensor.id, Said(at, None, None, None, quality))
        sample = _caused(sensor, cause, inputs[0].value)
        return self._informed(sensor, sample, plan)._replace(worst=quality)


class _Case(NamedTuple):
    """A sample with all that is known for its conversion.

    Attributes:
        given: Its parameters; None: the defaults hold.
        inputs: Which of them others said.
        worst: The quality of the worst of them, where the value is nothing but them.
    """

    sensor: Sensor
    sample: Sample
    plan: Plan | None
    given: Mapping[str, float] | None = None
    inputs: Inputs | None = None
    worst: Quality = Quality.EXCELLENT


def _told(made: Measurement, case: _Case) -> Measurement:
    """Write down how a value came about."""
    calibration = case.plan.calibration if case.plan else None
    if made.library is None or not (calibration or case.inputs):
        return made
    return Measurement(
        made.value,
        made.unit,
        made.quality if case.worst is Quality.EXCELLENT else worst(made.quality, case.worst),
        made.mode,
        made.library,
        made.library_version,
        {**(made.notes or {}), "inputs": case.inputs} if case.inputs else made.notes,
        calibration.id if calibration else None,
    )


def _caused(sensor: Sensor, cause: Sample, raw: float) -> Sample:
    """Return the sample of a virtual sensor: it has the time of what caused it.

    That alone identifies it, and where the device has no clock, the same that identifies the cause.
    """
    clockless = cause.measured_at is None
    return Sample(
        key=sensor.key,
        raw_value=raw,
        received_at=cause.received_at,
        measured_at=cause.measured_at,
        ticks=cause.ticks if clockless else 0,
        sequence=cause.sequence if clockless else None,
        kaiser_id=cause.kaiser_id,
    )


def _as_it_is(sample: Sample) -> Measurement:
    """Return what becomes of a sample that nobody is to convert."""
    if not math.isfinite(sample.raw_value):
        return Measurement(None, None, Quality.ERROR, ProcessingMode.RAW)
    return Measurement(sample.raw_value, None, sample.device_quality, ProcessingMode.RAW)


def _said(reading: Reading) -> Said:
    at = min(reading.measured_at, reading.received_at)
    return said(at, reading.raw_value, reading.measurement, reading.measurement)
