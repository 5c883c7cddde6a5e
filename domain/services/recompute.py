"""Converts the history of sensors again, in the background, and takes that back.

It works through one recomputation at a time, in pages: each is one transaction that also says how
far it has come, so that a restart goes on as if there had been none. It rests as long as it works,
since readings that arrive, and people who wait, need the database more.

Whatever does not come to its end (cancelled, failed) is taken back: half of a history converted by
one calibration and half by another is what nobody can read.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.calibrations import Calibration
from domain.conversion_plans import Effective, plan_of
from domain.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    OverloadedError,
    StorageRejectedError,
)
from domain.limits import QualityLimits
from domain.ports import Clock, SensorLibraries
from domain.quality import Track
from domain.recomputations import (
    KEPT_FOR,
    UNFINISHED,
    Left,
    Outcome,
    Place,
    Recomputation,
    RecomputationState,
    Span,
    Summary,
    compare,
    differs,
    marked,
)
from domain.repositories import Storage, UnitOfWork
from domain.repositories.recomputations import Extent, Rewritten
from domain.sensors import ProcessingMode, Reading, Sensor, SensorKey
from domain.services.convert_history import ConvertHistory
from domain.services.guard import Guard
from domain.services.registry import Registry

PAGE = 500
"""Readings of one transaction: some 30 ms."""

LEAD_IN = 500
"""Readings before the first one that are looked at to judge whether it is stuck, or too fast."""

SHORTEST_REST = 0.005
"""Seconds between two pages at the least."""

PREVIEWED = 2000
"""Readings that a preview converts; of more, it takes samples."""

SAMPLES = 20
"""Stretches that a preview takes, spread evenly over the time."""

MOST_WAITING = 100
"""Recomputations that may be under way or wait."""

FEWEST_UNCONVERTED = 20
"""Readings in one page of which none could be converted, that show that the library is at fault."""

SWEEP_EVERY = timedelta(hours=1)
"""How often what is kept for too long is looked for."""

_S = RecomputationState


class Reports(Protocol):
    """Where growers are told of recomputations."""

    def ended(self, recomputation: Recomputation) -> None:
        """A recomputation came to its end, one way or another."""
        ...


class Preview(NamedTuple):
    """What a recomputation would change.

    Attributes:
        total: Readings in that time.
        summary: Of all of them, or of samples.
        complete: Whether all of them were looked at.
        parameters: What is taken for each parameter: of the past, what owners had set is not kept.
    """

    total: int
    summary: Summary
    complete: bool
    parameters: Sequence[Effective] = ()


class _Order(NamedTuple):
    """What somebody wants to be converted again."""

    sensor: Sensor
    span: Span
    calibration: Calibration | None
    extent: Extent


class _FailedError(Exception):
    """A recomputation cannot go on; says why."""


@dataclass(slots=True, kw_only=True)
class Recompute:
    """Orders, previews, carries out and takes back recomputations.

    Attributes:
        limits: What is believable of a sensor.
        reports: Where growers are told.
    """

    storage: Storage
    registry: Registry
    libraries: SensorLibraries
    limits: Callable[[Sensor], QualityLimits]
    clock: Clock
    guard: Guard
    reports: Reports
    new_id: Callable[[], UUID]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _previewing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _rest: float = field(default=0.0, init=False)
    _settings: tuple[UUID, object] | None = field(default=None, init=False)

    # ------------------------------------------------------------ what people ask for

    async def preview(
        self,
        key: SensorKey,
        start: datetime,
        end: datetime | None = None,
        *,
        calibration_id: UUID | None = None,
    ) -> Preview:
        """Say what a recomputation would change, and change nothing; arguments as `__call__`.

        Samples are stretches of readings; whether a value is stuck is judged within each.
        """
        async with self._previewing, self.storage.autocommit() as work:
            order = await self._order(work, key, start, end, calibration_id)
            convert, total = self._converter(order.sensor, order.calibration), order.extent.size
            if total <= PREVIEWED:
                starts: Sequence[datetime] = [order.span.start]
                track = await self._lead_in(work, convert, order.span)
            else:
                starts, track = _spread(order.extent, SAMPLES), None
            summary = Summary()
            place: Place | None = None
            for begin in starts:
                # Where readings stand close, a stretch may begin behind the start of the next.
                behind = place if place is not None and place.measured_at >= begin else None
                readings = await work.history.forward(
                    order.span._replace(start=begin), behind, PREVIEWED // len(starts)
                )
                if readings:
                    outcomes, _ = await convert(work.history, readings, track)
                    summary, place = summary.plus(compare(outcomes)), _place(readings)
            return Preview(total, summary, total <= PREVIEWED, _taken(convert))

    async def __call__(
        self,
        key: SensorKey,
        start: datetime,
        end: datetime | None = None,
        *,
        calibration_id: UUID | None = None,
        user_id: UUID | None,
    ) -> Recomputation:
        """Order that a sensor's history is converted again; returns at once.

        Args:
            key: The sensor.
            start: From this time measured on.
            end: Before this time measured; None: now. What arrives from now on is left alone.
            calibration_id: Which calibration of this sensor to use; None: the one in force.
            user_id: Who orders it.

        Raises:
            NotFoundError: The sensor is not known, or the calibration is none of it.
            BadInputError: There is nothing to convert, or nobody who can.
            ConflictError: Another recomputation of this sensor is under way.
            OverloadedError: Too many wait.
        """
        async with self._turn:
            async with self.storage.unit_of_work() as work:
                order = await self._order(work, key, start, end, calibration_id)
                unfinished = await work.recomputations.unfinished()
                _refuse_beside(unfinished, order.sensor.id)
                if len(unfinished) >= MOST_WAITING:
                    raise OverloadedError(f"{MOST_WAITING} recomputations wait already")
                recomputation = Recomputation(
                    id=self.new_id(),
                    span=order.span,
                    calibration_id=None if order.calibration is None else order.calibration.id,
                    total=order.extent.size,
                    requested_by=user_id,
                    requested_at=self.clock.now(),
                )
                await work.recomputations.add(recomputation)
            self._woken.set()
        return recomputation

    async def cancel(self, recomputation_id: UUID) -> Recomputation:
        """End a recomputation that is under way; what it changed is taken back.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It is not under way.
        """
        return await self._turn_back(recomputation_id, lambda found: found.cancelled())

    async def take_back(self, recomputation_id: UUID) -> Recomputation:
        """Have the readings of a recomputation say what they said before.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It is not done, or too old, or later ones rest on it.
        """
        return await self._turn_back(
            recomputation_id, lambda found: found.taken_back(self.clock.now())
        )

    async def _turn_back(
        self, recomputation_id: UUID, turned: Callable[[Recomputation], Recomputation]
    ) -> Recomputation:
        async with self._turn:
            async with self.storage.unit_of_work() as work:
                found = await work.recomputations.by_id(recomputation_id)
                if found is None:
                    raise NotFoundError("there is no such recomputation")
                back = turned(found)
                others = await work.recomputations.unfinished()
                _refuse_beside([one for one in others if one.id != found.id], found.span.sensor_id)
                for later in await work.recomputations.since(found):
                    if later.state is _S.DONE and later.overlaps(found):
                        raise ConflictError(
                            "a later recomputation of the same readings rests on this one: take "
                            "that back first"
                        )
                await work.recomputations.save(back)
            self._woken.set()
        return back

    # ------------------------------------------------------------ beside

    async def run(self) -> None:
        """Carry out what was ordered until cancelled; first of all what was left unfinished."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work())
            tasks.create_task(self._sweep())

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            if await self.guard.insist(self._go_on):
                await self.clock.sleep(max(SHORTEST_REST, self._rest))
            else:
                await self._woken.wait()

    async def _go_on(self) -> bool:
        """Go one page further with whatever is next; return whether there was anything to do."""
        async with self.storage.autocommit() as work:
            unfinished = await work.recomputations.unfinished()
        # What goes back goes first: somebody regrets it.
        turns = sorted(unfinished, key=lambda one: one.state is not _S.TAKING_BACK)
        if turns:
            await self._step(turns[0].id)
        return bool(turns)

    async def _step(self, recomputation_id: UUID) -> None:
        """Go one page further; harmless to repeat."""
        begun = self.clock.monotonic()
        async with self._turn:
            try:
                found = await self._turn_page(recomputation_id, begun)
            except (_FailedError, StorageRejectedError) as error:
                found = await self._fail(recomputation_id, str(error))
        self._rest = self.clock.monotonic() - begun
        if found is not None and found.state not in UNFINISHED:
            self.reports.ended(found)

    async def _turn_page(self, recomputation_id: UUID, begun: float) -> Recomputation | None:
        async with self.storage.unit_of_work() as work:
            found = await work.recomputations.by_id(recomputation_id)
            if found is None or found.state not in UNFINISHED:
                return None
            if found.state is _S.TAKING_BACK:
                rows = await work.history.restore(found, PAGE)
                found = found.undid(rows, self.clock.now())
            else:
                found = await self._advance(work, found, begun)
            await work.recomputations.save(found)
        return found

    async def _advance(self, work: UnitOfWork, found: Recomputation, begun: float) -> Recomputation:
        readings = await work.history.forward(found.span, found.place, PAGE)
        if not readings:
            return found.done(self.clock.now())
        convert, track = await self._resumed(work, found)
        outcomes, track = await convert(work.history, readings, track)
        version = _version(found, outcomes)
        now = self.clock.now()
        await work.history.rewrite(
            found,
            [
                Rewritten(reading, marked(made, found.id, now))
                for reading, made in outcomes
                if not isinstance(made, Left) and differs(reading.measurement, made)
            ],
        )
        seconds = self.clock.monotonic() - begun
        seconds += max(SHORTEST_REST, seconds)
        return found.advanced(compare(outcomes), _place(readings), track, version, seconds)

    async def _resumed(
        self, work: UnitOfWork, found: Recomputation
    ) -> tuple[ConvertHistory, Track | None]:
        sensor = self.registry.sensor_by_id(found.span.sensor_id)
        if sensor is None:
            raise _FailedError("the sensor was removed")
        calibration = None
        if found.calibration_id is not None:
            calibration = await work.calibrations.by_id(found.calibration_id)
        try:
            convert = self._converter(sensor, calibration)
        except BadInputError as error:
            raise _FailedError(str(error)) from None
        mine = self._settings
        self._settings = found.id, _settings(convert)
        if mine is not None and mine[0] == found.id and mine != self._settings:
            raise _FailedError(
                "the sensor was set up otherwise meanwhile, and two settings must not be mixed"
            )
        if found.place is not None:
            return convert, found.track
        return convert, await self._lead_in(work, convert, found.span)

    async def _fail(self, recomputation_id: UUID, reason: str) -> Recomputation | None:
        async with self.storage.unit_of_work() as work:
            found = await work.recomputations.by_id(recomputation_id)
            if found is not None:
                found = found.failed(reason)
                await work.recomputations.save(found)
        return found

    async def _sweep(self) -> None:
        while True:
            while await self.guard.insist(self._forget):
                await self.clock.sleep(SHORTEST_REST)
            await self.clock.sleep(SWEEP_EVERY.total_seconds())

    async def _forget(self) -> int:
        async with self.storage.unit_of_work() as work:
            return await work.history.forget(self.clock.now() - KEPT_FOR, PAGE)

    # ------------------------------------------------------------ parts

    async def _order(
        self,
        work: UnitOfWork,
        key: SensorKey,
        start: datetime,
        end: datetime | None,
        calibration_id: UUID | None,
    ) -> _Order:
        sensor = self.registry.sensor(key)
        if sensor is None:
            raise NotFoundError(f"no {key.sensor_type} is known on GPIO {key.gpio} of {key.esp_id}")
        now = self.clock.now()
        end = min(end or now, now)
        if start >= end:
            raise BadInputError("from must lie before to, and not in the future")
        calibration = self.registry.calibration(sensor.id)
        if calibration_id is not None:
            calibration = await work.calibrations.by_id(calibration_id)
            if calibration is None or calibration.sensor_id != sensor.id:
                raise NotFoundError("this sensor has no such calibration")
        made_with = self._converter(sensor, calibration).plan.calibration
        if calibration_id is not None and made_with is None:
            raise BadInputError("this calibration was made for another library than is in use")
        span = Span(sensor.id, start, end, await work.history.newest_id())
        extent = await work.history.extent(span)
        if not extent.size:
            raise BadInputError("there are no readings of this sensor in that time")
        return _Order(sensor, span, made_with, extent)

    def _converter(self, sensor: Sensor, calibration: Calibration | None) -> ConvertHistory:
        recipe = self.libraries.recipe(sensor.key.sensor_type)
        if recipe is None:
            raise BadInputError(f"no library reads {sensor.key.sensor_type}")
        if sensor.processing_mode is ProcessingMode.RAW:
            raise BadInputError(
                "this sensor is set up so that nobody converts its values: set its "
                "processingMode first"
            )
        known = {other.key: other for other in self.registry.sensors()}
        return ConvertHistory(
            plan=plan_of(sensor, recipe, calibration, known),
            recipe=recipe,
            libraries=self.libraries,
            limits=self.limits(sensor),
        )

    @staticmethod
    async def _lead_in(work: UnitOfWork, convert: ConvertHistory, span: Span) -> Track | None:
        before = await work.history.before(span.sensor_id, span.start, LEAD_IN)
        return (await convert(work.history, before, None)).track


def _refuse_beside(unfinished: Sequence[Recomputation], sensor_id: int) -> None:
    if any(other.span.sensor_id == sensor_id for other in unfinished):
        raise ConflictError(
            "a recomputation of this sensor is under way: wait for it, or cancel it"
        )


def _version(found: Recomputation, outcomes: Sequence[tuple[Reading, Outcome]]) -> str | None:
    """Return the one version that made all values; None: none was made."""
    made = [new for _, new in outcomes if not isinstance(new, Left)]
    unconverted = sum(new is Left.UNCONVERTED for _, new in outcomes)
    if not made and unconverted >= FEWEST_UNCONVERTED:
        raise _FailedError("the library of this sensor cannot convert them")
    versions = {new.library_version for new in made}
    if found.library_version is not None:
        versions.add(found.library_version)
    if len(versions) > 1:
        raise _FailedError("the library was replaced meanwhile, and two versions must not be mixed")
    return versions.pop() if versions else None


def _taken(convert: ConvertHistory) -> Sequence[Effective]:
    """Return what is taken for each parameter, where one is filled when its sensor said nothing."""
    fed = {feed.companion.parameter: feed.source for feed in convert.plan.feeds}
    known = map(convert.plan.known, convert.recipe.parameters)
    return [each._replace(source=fed.get(each.parameter.name)) for each in known]


def _settings(convert: ConvertHistory) -> object:
    """Return all that people can change of a sensor, and that its values depend on."""
    plan = convert.plan
    return plan.given, plan.sensor.sources, convert.limits


def _place(readings: Sequence[Reading]) -> Place:
    return Place(readings[-1].measured_at, readings[-1].id)


def _spread(extent: Extent, count: int) -> Sequence[datetime]:
    """Return times spread evenly over those at which there are readings."""
    first = extent.first or datetime.min.replace(tzinfo=UTC)
    span = (extent.last or first) - first
    return [first + span * number / count for number in range(count)]
