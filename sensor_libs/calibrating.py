"""What the arithmetic of calibration needs to know of a library, in the domain's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.calibration_fits import Law
from domain.calibrations import CalibrationMethod, Fit
from domain.errors import BadInputError
from domain.sensors import Sensor
from domain.stability import Shown
from sensor_libs.api import SensorLibrary
from sensor_libs.loader import Catalog
from sensor_libs.parameters import out_of_limits

STEADY = 0.0025
"""The part of its valid range within which a value stands still: 0.035 pH, 50 µS/cm."""


DRY_WET = CalibrationMethod.DRY_WET


class Catalogs(Protocol):
    """Where the libraries in use are found."""

    @property
    def catalog(self) -> Catalog:
        """The libraries in use."""
        ...


@dataclass(frozen=True, slots=True)
class LibraryLaws:
    """Implements domain.services.calibrate.CalibrationLaws."""

    _libraries: Catalogs

    def methods(self, sensor_type: str) -> Sequence[CalibrationMethod]:
        """Return the methods that a sensor type knows; none: it cannot be calibrated."""
        library = self._libraries.catalog.by_type.get(sensor_type)
        return [] if library is None else [known.method for known in library.calibrations]

    def law(self, sensor: Sensor, method: CalibrationMethod) -> Law:
        """Return what a method needs to know.

        Raises:
            BadInputError: The sensor cannot be calibrated so.
        """
        library = self._library(sensor)
        calibrates = next((c for c in library.calibrations if c.method is method), None)
        if calibrates is None or library.raw is None:
            known = ", ".join(c.method for c in library.calibrations) or "nothing"
            raise BadInputError(
                f"a {sensor.key.sensor_type} cannot be calibrated with {method}; it takes {known}"
            )
        given = {k: v for k, v in sensor.parameters.items() if k not in calibrates.sets}

        def seen(raw: float) -> float | None:
            try:
                return library.seen(calibrates, raw, given)
            except ValueError:
                return None

        def measure(raw: float, parameters: Mapping[str, float]) -> float | None:
            settled = library.settle({**given, **parameters})
            return None if settled.fault else library.convert(raw, settled.parameters).value

        return Law(
            sets=calibrates.sets,
            seen=seen,
            measure=measure,
            defaults=library.settle(given).parameters,
            raw=(library.raw.low, library.raw.high),
            valid=library.valid,
            unit=library.unit,
            doubt=lambda raw: _doubt(library, raw),
            library=library,
        )

    def check(self, sensor: Sensor, found: Fit) -> str:
        """Return the name of the library that will use what was found.

        Raises:
            BadInputError: A parameter lies outside its limits.
        """
        library = self._library(sensor)
        for parameter in library.parameters:
            value = found.parameters.get(parameter.name)
            if value is not None and not parameter.low <= value <= parameter.high:
                raise BadInputError(
                    f"these points cannot be true: {out_of_limits(parameter, f'{value:g}')}"
                )
        return library.name

    def meant(self, sensor: Sensor, raw: float) -> float | None:
        """Return the raw value that a device meant; None: it is none of this sensor."""
        form = self._library(sensor).raw
        return None if form is None else form.meant(raw)

    def shown(self, sensor: Sensor, raw: float, value: float) -> Shown | str:
        """Return what a live reading shows of a probe, or why it shows nothing.

        Between dry and wet libraries cut their values off. Which values those are is what has to
        be found; so there the raw value has to stand still.
        """
        library = self._libraries.catalog.by_type.get(sensor.key.sensor_type)
        if library is None or library.raw is None:
            return f"no library reads {sensor.key.sensor_type} now"
        meant = library.raw.meant(raw)
        if meant is None:
            return f"the raw value is {library.raw.refusal}"
        low, high = library.valid
        tolerance = STEADY * (high - low)
        ends = next((c.sets for c in library.calibrations if c.method is DRY_WET), None)
        if ends is not None:
            dry, wet = (library.settle().parameters[name] for name in ends)
            return Shown(meant, meant * (high - low) / (abs(wet - dry) or 1.0), tolerance)
        if (doubt := _doubt(library, meant)) is not None:
            return f"the raw value {meant:g} lies {doubt}"
        return Shown(meant, value, tolerance)

    def _library(self, sensor: Sensor) -> SensorLibrary:
        library = self._libraries.catalog.by_type.get(sensor.key.sensor_type)
        if library is None:
            raise BadInputError(
                f"no library reads {sensor.key.sensor_type}, so it cannot be calibrated"
            )
        return library


def _doubt(library: SensorLibrary, raw: float) -> str | None:
    """Say what speaks against a raw value; None: nothing."""
    form = library.raw
    return None if form is None or not form.is_clipped(raw) else form.doubt
