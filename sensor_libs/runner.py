"""Turns samples into measurements, whatever devices send and whatever libraries do."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from domain.sensors import Measurement, ProcessingMode, Quality, Sample
from sensor_libs.api import Converted, SensorLibrary
from sensor_libs.loader import Catalog

MOST_FAILURES = 3
"""Failures in a row after which a library rests until it changes."""

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

    Attributes:
        failures: How often each library failed since the start, by name.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.failures: Counter[str] = Counter()
        self._catalog = catalog
        self._in_a_row: Counter[str] = Counter()

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

    def swap(self, catalog: Catalog) -> None:
        """Use other libraries from the next sample on; those that rested are tried again."""
        self._catalog = catalog
        self._in_a_row.clear()

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
        """Convert samples, each with the parameters that are known of its sensor."""
        measure = self.measure
        return [measure(sample, parameters) for sample, parameters in samples]

    def _convert(
        self, sample: Sample, library: SensorLibrary, parameters: Mapping[str, float] | None
    ) -> Measurement:
        name = library.name
        if self._in_a_row and self._in_a_row[name] >= MOST_FAILURES:
            return _passed_through(sample, f"library {name} {library.version} keeps failing")
        try:
            value, quality, reason = library.measure(sample.raw_value, parameters)
        # Somebody else's code: it may raise anything, and must not cost more than a conversion.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self.failures[name] += 1
            self._in_a_row[name] += 1
            return _passed_through(
                sample, f"library {name} {library.version} failed with {type(error).__name__}"
            )
        if self._in_a_row:
            self._in_a_row.pop(name, None)
        if sample.device_quality in _DOUBTS:
            value, quality, reason = _with_doubts(sample.device_quality, value, quality, reason)
        return Measurement(
            value,
            library.unit,
            quality,
            ProcessingMode.PI_ENHANCED,
            name,
            library.version,
            _notes(reason),
        )


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
