"""Conversions that somebody asks for: validate, choose the library, convert, judge, answer.

One pipeline behind every door: MQTT, REST and GraphQL all ask here, and get what the same raw value
would become among the readings, with the same libraries, parameters and limits. Nothing is stored,
and nothing is remembered: a judge without a past knows ranges, but no rates.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple, Protocol

from domain.conversion_plans import Origin, plan_of
from domain.errors import BadInputError, NotFoundError, StorageUnavailableError
from domain.limits import QualityLimits
from domain.parameters import Recipe, Takes
from domain.ports import Clock, SensorLibraries
from domain.quality import UNSAID, judge
from domain.sensors import (
    Measurement,
    ProcessingMode,
    Sample,
    Sensor,
    SensorKey,
    canonical_type,
)
from domain.services.convert_samples import ConvertSamples
from domain.services.registry import Registry
from domain.units import Dimension, convert, find_unit, shown, target

LARGEST = 1e15
"""The largest raw number that any sensor could mean."""

LONGEST_TYPE = 50
MOST_NUMBERS = 32

_NOBODY = SensorKey("", 0, "")

_QUANTITIES = {
    Dimension.TEMPERATURE: "temperature",
    Dimension.ACIDITY: "ph",
    Dimension.CONDUCTIVITY: "ec",
    Dimension.GAS_CONCENTRATION: "co2",
    Dimension.ILLUMINANCE: "light",
    Dimension.FLOW: "flow",
}
"""What a value is called by clients that look for the quantity."""

_NONE: Mapping[str, float] = MappingProxyType({})


class ProcessRequest(NamedTuple):
    """What is to be converted.

    Attributes:
        sensor_type: In any spelling that devices use.
        raw_value: What the chip said; None: `raw_values` say it.
        raw_values: Several numbers: a list of the chip's channels in their order, or by their
            names; or the raw values of a chip's quantities, such as temperature and humidity; or
            what a virtual sensor is computed from, by parameter.
        key: The sensor it is of; where it is known, its own parameters and limits hold.
        parameters: Over those of the known sensor.
        unit: In which the value is wanted; None: that of the library.
        strict: Whether a parameter that the library does not know is refused.
        fallback: Whether the raw value is passed through where nothing reads the sensor type.
    """

    sensor_type: str
    raw_value: float | None = None
    raw_values: Sequence[float] | Mapping[str, float] | None = None
    key: SensorKey | None = None
    parameters: Mapping[str, float] = _NONE
    unit: str | None = None
    strict: bool = False
    fallback: bool = False


class Outcome(Enum):
    """How a conversion went."""

    OK = auto()
    NO_VALUE = auto()
    """The library says that the raw value is no measurement."""

    FALLBACK = auto()
    """Nothing converted it: the raw value was passed through."""


class Processed(NamedTuple):
    """What became of a raw value.

    Attributes:
        measurement: Of the first quantity.
        values: By quantity, in the unit of each.
        milliseconds: That it took.
    """

    outcome: Outcome
    measurement: Measurement
    values: Mapping[str, float | None]
    milliseconds: float

    @property
    def reason(self) -> str | None:
        """Why the quality is what it is; None: there is nothing to say."""
        said = (self.measurement.notes or {}).get("reason")
        return None if said is None else str(said)


class Chips(Protocol):
    """What the libraries in use read."""

    def sensor_types(self) -> Sequence[str]:
        """Return what they read, by canonical names in alphabetical order."""
        ...

    def channels(self, sensor_type: str) -> Sequence[str]:
        """Return the names of the numbers that a chip says; none: it says only one."""
        ...

    async def pack(self, sensor_type: str, values: Sequence[float]) -> float:
        """Make the raw value of several numbers.

        Raises:
            BadInputError: They are none of this chip's; says why.
        """
        ...


@dataclass(slots=True, kw_only=True)
class ProcessReading:
    """Converts what it is asked to.

    Attributes:
        libraries: The same that readings on their way in are converted with.
        convert: Knows the parameters of known sensors.
        library_limits: What a sensor type's library says is believable; None: no library reads it.
    """

    libraries: SensorLibraries
    chips: Chips
    convert: ConvertSamples
    registry: Registry
    library_limits: Callable[[str], QualityLimits | None]
    clock: Clock

    async def __call__(self, request: ProcessRequest) -> Processed:
        """Convert.

        Raises:
            BadInputError: The request cannot be meant; it says why.
            NotFoundError: Nothing reads the sensor type; it says what is read.
        """
        began = self.clock.monotonic()
        parts = await self._parts(request)
        said = {part.sensor_type: part.raw_value or 0.0 for part in parts}
        made = [await self._made(part, said) for part in parts]
        values = {
            _quantity(part.sensor_type, each): each.value
            for part, each in zip(parts, made, strict=True)
        }
        spent = (self.clock.monotonic() - began) * 1000.0
        return Processed(_outcome(made[0]), made[0], values, spent)

    async def _parts(self, request: ProcessRequest) -> Sequence[ProcessRequest]:
        """Return one request for each quantity, checked, each with one raw value."""
        kind = canonical_type(_text(request.sensor_type, "sensor_type"))
        request = request._replace(sensor_type=kind)
        several = request.raw_values
        if several is None:
            return [request._replace(raw_value=_number(request.raw_value, "the raw value"))]
        if not 0 < len(several) <= MOST_NUMBERS:
            raise BadInputError(f"1 to {MOST_NUMBERS} raw values are taken, not {len(several)}")
        if not isinstance(several, Mapping):
            numbers = [_number(value, "each raw value") for value in several]
            return [await self._packed(request, numbers)]
        named = {name: _number(value, name) for name, value in several.items()}
        recipe = self.libraries.recipe(kind)
        if recipe is not None and recipe.is_virtual:
            given = {**request.parameters, **named}
            return [request._replace(raw_value=0.0, raw_values=None, parameters=given)]
        names = self.chips.channels(kind)
        if names and set(names) == set(named):
            return [await self._packed(request, [named[name] for name in names])]
        if named.keys() < set(names):
            missing = ", ".join(name for name in names if name not in named)
            raise BadInputError(f"{missing} of a {kind} is missing; it says {', '.join(names)}")
        return [self._of_quantity(request, name, raw) for name, raw in named.items()]

    async def _packed(self, request: ProcessRequest, values: Sequence[float]) -> ProcessRequest:
        if self.libraries.recipe(request.sensor_type) is None:
            raise self._unknown(request.sensor_type)
        raw = await self.chips.pack(request.sensor_type, values)
        return request._replace(raw_value=raw, raw_values=None)

    def _of_quantity(self, request: ProcessRequest, name: str, raw: float) -> ProcessRequest:
        chip = request.sensor_type.partition("_")[0]
        kind = canonical_type(f"{chip}_{name}")
        if self.libraries.recipe(kind) is None:
            if self.libraries.recipe(request.sensor_type) is None:
                raise self._unknown(request.sensor_type)
            known = self.chips.channels(request.sensor_type)
            takes = f"; it says {', '.join(known)}" if known else ""
            raise BadInputError(f"a {request.sensor_type} says no {name[:40]!r}{takes}")
        return request._replace(sensor_type=kind, raw_value=raw, raw_values=None)

    async def _made(self, request: ProcessRequest, said: Mapping[str, float]) -> Measurement:
        """Convert one raw value and judge it; `said` are those of all quantities of its chip."""
        kind, now = request.sensor_type, self.clock.now()
        recipe = self.libraries.recipe(kind)
        if recipe is None and not request.fallback:
            raise self._unknown(kind)
        key = (request.key or _NOBODY)._replace(sensor_type=kind)
        sensor = self.registry.sensor(key) if request.key else None
        given = await self._known(sensor, recipe, now) if sensor and recipe else {}
        given |= {**_beside(recipe, said), **_parameters(request, recipe)}
        sample = Sample(key=key, raw_value=request.raw_value or 0.0, received_at=now)
        (measured,) = await self.libraries.measure_all([(sample, given or None)])
        judged, _ = judge(sample, measured, self._limits(kind, sensor), None, None)
        return _in_unit(judged, request.unit)

    async def _known(self, sensor: Sensor, recipe: Recipe, now: datetime) -> dict[str, float]:
        """Return all that is known of a sensor's parameters; defaults are the library's matter."""
        try:
            effective = await self.convert.effective(sensor, now)
        except StorageUnavailableError:
            # What others said cannot be looked up; what people said is in memory.
            found = self.registry.calibration(sensor.id)
            return dict(plan_of(sensor, recipe, found, {}).given or {})
        return {
            each.parameter.name: each.value
            for each in effective
            if each.value is not None and each.origin is not Origin.DEFAULT
        }

    def _limits(self, sensor_type: str, sensor: Sensor | None) -> QualityLimits:
        library = self.library_limits(sensor_type)
        if sensor is None or sensor.limits is None:
            return library or UNSAID
        return sensor.limits.over(library)

    def _unknown(self, sensor_type: str) -> NotFoundError:
        known = ", ".join(self.chips.sensor_types())
        return NotFoundError(f"nothing reads {sensor_type!r}; these are read: {known}")


def _beside(recipe: Recipe | None, said: Mapping[str, float]) -> Mapping[str, float]:
    """Return what a quantity takes from another one of the same chip that is asked about, too."""
    return {
        companion.parameter: said[sensor_type]
        for companion in (recipe.companions if recipe else ())
        if companion.takes is Takes.RAW
        for sensor_type in companion.beside
        if sensor_type in said
    }


def _parameters(request: ProcessRequest, recipe: Recipe | None) -> Mapping[str, float]:
    names = [parameter.name for parameter in recipe.parameters] if recipe else []
    for name in request.parameters if request.strict else ():
        if name not in names:
            takes = f"it takes {', '.join(names)}" if names else "it takes none"
            raise BadInputError(f"a {request.sensor_type} has no parameter {name[:40]!r}; {takes}")
    return {
        name: _number(value, name) for name, value in request.parameters.items() if name in names
    }


def _outcome(measured: Measurement) -> Outcome:
    if measured.mode is ProcessingMode.RAW:
        return Outcome.FALLBACK
    return Outcome.NO_VALUE if measured.value is None else Outcome.OK


def _in_unit(measured: Measurement, unit: str | None) -> Measurement:
    if unit is None or measured.unit is None:
        return measured
    symbol = target(unit, measured.unit).symbol
    value = measured.value
    if value is not None:
        value = shown(convert(value, measured.unit, symbol))
    return measured._replace(value=value, unit=symbol)


def _quantity(sensor_type: str, measured: Measurement) -> str:
    unit = None if measured.unit is None else find_unit(measured.unit)
    if unit is None:
        return sensor_type
    if unit.symbol == "%RH":
        return "humidity"
    if unit.dimension is Dimension.PRESSURE and sensor_type.endswith("pressure"):
        return "pressure"
    return _QUANTITIES.get(unit.dimension, sensor_type)


def _text(value: str, name: str) -> str:
    text = value.strip()
    if not 0 < len(text) <= LONGEST_TYPE or not text.isprintable():
        raise BadInputError(f"{name} takes 1 to {LONGEST_TYPE} printable characters")
    return text


def _number(value: object, name: str) -> float:
    """Return a number that came from outside; True is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInputError(f"{name[:40]} must be a number")
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise BadInputError(f"{name[:40]} must be a finite number, of {LARGEST:g} at most")
    return float(value)
