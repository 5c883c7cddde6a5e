"""Turns samples into measurements, whatever devices send and whatever libraries do."""

import math
from asyncio import TaskGroup
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic, perf_counter
from typing import Any, NamedTuple

from domain.sensors import Measurement, ProcessingMode, Quality, Sample
from sensor_libs.api import Converted, Prepared, SensorLibrary
from sensor_libs.loader import Catalog
from sensor_libs.usage import TIMED_EVERY, Usage
from sensor_libs.worker_frames import Answer, Call, Failed, Function, Meant
from sensor_libs.worker_process import DEADLINE
from sensor_libs.workers import FileWorker, worker_of

_DOUBTS = {
    Quality.BAD: "the device calls it bad",
    Quality.STALE: "the device calls it stale",
    Quality.SUSPECT: "the device doubts it",
    Quality.ERROR: "the device reports an error",
}
"""What a device may say against a reading, in rising order; its praise counts for nothing."""

_SEVERITY = {quality: rank for rank, quality in enumerate(_DOUBTS, start=1)}


class LibraryRunner:
    """Implements domain.ports.SensorLibraries.

    What came with the server is computed in place. What a user's file computes is asked of the
    process of that file, all of a batch at once, and everything else goes on meanwhile.
    """

    def __init__(
        self,
        catalog: Catalog,
        failing: Callable[[SensorLibrary, str], None] = lambda _library, _why: None,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        """Begin with a catalog.

        Args:
            catalog: The libraries in use at first.
            failing: Told of a library that is not asked any more, and why.
            monotonic: Seconds that never go back.
        """
        self._failing = failing
        self._monotonic = monotonic
        self._usage: dict[str, Usage] = {}
        self._foreign: Mapping[str, tuple[Usage, FileWorker]] = {}
        self.swap(catalog)

    @property
    def catalog(self) -> Catalog:
        """The libraries in use."""
        return self._catalog

    @property
    def edition(self) -> object:
        """Another object whenever other libraries came into use."""
        return self._catalog

    def recipe(self, sensor_type: str) -> SensorLibrary | None:
        """Return the library that reads a sensor type; None: there is none."""
        return self._catalog.by_type.get(sensor_type)

    def is_virtual(self, sensor_type: str) -> bool:
        """Return whether sensors of a type have no chip: they are computed from others."""
        library = self._catalog.by_type.get(sensor_type)
        return library is not None and library.is_virtual

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each library failed since it was loaded, by name."""
        return {name: usage.failures for name, usage in self._usage.items() if usage.failures}

    def usage(self, library: SensorLibrary) -> Usage | None:
        """Return how a library fares; None: it is not in use."""
        usage = self._usage.get(library.name)
        return usage if usage is not None and usage.library is library else None

    def swap(self, catalog: Catalog) -> None:
        """Use other libraries from the next batch on; those that changed are tried again."""
        self._usage = {
            library.name: self.usage(library) or Usage(library, self._monotonic, self._failing)
            for libraries in catalog.files.values()
            for library in libraries
        }
        self._foreign = {
            sensor_type: (self._usage[library.name], worker)
            for sensor_type, library in catalog.by_type.items()
            if (worker := worker_of(library)) is not None
        }
        self._catalog = catalog

    def measure(self, sample: Sample, parameters: Mapping[str, float] | None = None) -> Measurement:
        """Convert a sample, or pass its raw value through with the reason; never raises.

        A value that the device calls final is kept. What the device says against a reading
        counts, and where it reports an error there is no value.

        Args:
            sample: As the device sent it.
            parameters: What is known of its sensor: what its owner set, what calibrations found,
                what its companions said. None: nothing; the library's defaults hold.
        """
        library = self._catalog.by_type.get(sample.key.sensor_type)
        if sample.device_value is not None:
            return _final(sample, sample.device_value, library)
        if not math.isfinite(sample.raw_value):
            return _passed_through(sample, "the raw value is no number")
        if library is None:
            return _passed_through(sample, f"no library reads {sample.key.sensor_type}")
        return self._convert(sample, library, parameters)

    async def measure_all(
        self, samples: Sequence[tuple[Sample, Mapping[str, float] | None]]
    ) -> Sequence[Measurement]:
        """Convert samples, each with the parameters that are known of its sensor.

        The libraries of the user together delay it by `BUDGET` at most.
        """
        measure = self.measure
        if not self._foreign:
            return [measure(sample, parameters) for sample, parameters in samples]
        made: list[Measurement] = []
        asked: dict[FileWorker, list[_Asked]] = {}
        for sample, parameters in samples:
            usage, worker = self._foreign.get(sample.key.sensor_type, (None, None))
            if usage is None or worker is None or usage.why or not _is_raw(sample):
                made.append(measure(sample, parameters))
                continue
            prepared = usage.library.prepare(sample.raw_value, parameters)
            if isinstance(prepared, Converted):
                made.append(_measured(sample, usage.library, prepared))
                continue
            asked.setdefault(worker, []).append(_Asked(len(made), sample, usage, prepared))
            made.append(_unasked(sample, usage.library))
        if asked:
            with ExitStack() as held:
                for worker in asked:
                    held.enter_context(worker.held())
                async with TaskGroup() as tasks:
                    for worker, theirs in asked.items():
                        tasks.create_task(_ask(worker, theirs, made))
        return made

    def _convert(
        self, sample: Sample, library: SensorLibrary, parameters: Mapping[str, float] | None
    ) -> Measurement:
        usage = self._usage[library.name]
        if usage.why is not None:
            return _resting(sample, library)
        if self._foreign and sample.key.sensor_type in self._foreign:
            return _passed_through(sample, f"library {library.name} cannot be asked here")
        timed = usage.calls % TIMED_EVERY == 0
        begun = perf_counter() if timed else 0.0
        usage.calls += 1
        try:
            converted = library.measure(sample.raw_value, parameters)
        # Somebody else's code: it may raise anything, and must not cost more than a conversion.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            usage.failed(f"{type(error).__name__}: {error}")
            return _failed(sample, library, type(error).__name__)
        usage.in_a_row = 0
        if timed:
            usage.durations.add(perf_counter() - begun)
        return _measured(sample, library, converted)


class _Asked(NamedTuple):
    """A conversion that a process is asked for.

    Attributes:
        place: Where its measurement belongs.
    """

    place: int
    sample: Sample
    usage: Usage
    prepared: Prepared


async def _ask(worker: FileWorker, asked: Sequence[_Asked], made: list[Measurement]) -> None:
    """Have conversions computed, and put what became of them in their places."""
    convert = Function.CONVERT
    told = await worker.ask(
        [
            Call(one.usage.library.name, convert, one.prepared.raw, one.prepared.settled.parameters)
            for one in asked
        ]
    )
    for one, answer in zip(asked, told.answers, strict=True):
        made[one.place] = _answered(one, answer)
    if told.late:
        asked[-1].usage.failed("it does not answer in time", delayed=True)
    for seconds in told.seconds:
        asked[0].usage.durations.add(seconds)


def _answered(asked: _Asked, answer: Answer) -> Measurement:
    sample, usage = asked.sample, asked.usage
    library = usage.library
    if isinstance(answer, Meant):
        usage.calls += 1
        usage.in_a_row = 0
        converted = library.conclude(asked.prepared, answer.converted)
        return _measured(sample, library, converted)
    if isinstance(answer, Failed):
        usage.calls += 1
        if answer.ended:
            usage.durations.add(DEADLINE)
        usage.failed(answer.why, delayed=answer.ended)
        return _failed(sample, library, answer.why)
    return _unasked(sample, library)


def _is_raw(sample: Sample) -> bool:
    return sample.device_value is None and math.isfinite(sample.raw_value)


def _measured(sample: Sample, library: SensorLibrary, converted: Converted) -> Measurement:
    value, quality, reason = converted
    if sample.device_quality in _DOUBTS:
        value, quality, reason = _with_doubts(sample.device_quality, value, quality, reason)
    return Measurement(
        value,
        library.unit,
        quality,
        ProcessingMode.PI_ENHANCED,
        library.name,
        library.version,
        _notes(reason),
    )


def _failed(sample: Sample, library: SensorLibrary, why: str) -> Measurement:
    return _passed_through(sample, f"library {library.name} {library.version} failed: {why}")


def _resting(sample: Sample, library: SensorLibrary) -> Measurement:
    return _passed_through(sample, f"library {library.name} {library.version} keeps failing")


def _unasked(sample: Sample, library: SensorLibrary) -> Measurement:
    return _passed_through(sample, f"library {library.name} {library.version} has no time for it")


def _final(sample: Sample, value: float, library: SensorLibrary | None) -> Measurement:
    unit = sample.device_unit or (library.unit if library else None)
    fault = None
    if not math.isfinite(value):
        fault = "the device's value is no number"
    elif library and unit == library.unit:
        fault = library.fault(value)
    doubted = sample.device_quality in _DOUBTS
    made = Converted(value, Quality.UNKNOWN if doubted else sample.device_quality)
    if fault:
        made = Converted(None, Quality.ERROR, fault)
    made = _with_doubts(sample.device_quality, *made)
    return Measurement(
        made.value, unit, made.quality, ProcessingMode.LOCAL, notes=_notes(made.reason)
    )


def _passed_through(sample: Sample, reason: str) -> Measurement:
    # The unit that a device names is that of its own preview, never that of the raw value.
    value = sample.raw_value if math.isfinite(sample.raw_value) else None
    made = _with_doubts(sample.device_quality, value, Quality.UNKNOWN, reason)
    return Measurement(
        made.value, None, made.quality, ProcessingMode.RAW, notes=_notes(made.reason)
    )


def _with_doubts(
    device: Quality, value: float | None, quality: Quality, reason: str | None
) -> Converted:
    """Add what the device says against its reading, where that is worse than what is known."""
    if _SEVERITY.get(device, 0) <= _SEVERITY.get(quality, 0):
        return Converted(value, quality, reason)
    doubt = _DOUBTS[device]
    return Converted(
        None if device is Quality.ERROR else value,
        device,
        f"{reason}; {doubt}" if reason else doubt,
    )


def _notes(reason: str | None) -> Mapping[str, Any] | None:
    return {"reason": reason} if reason else None
