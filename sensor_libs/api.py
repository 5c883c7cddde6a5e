"""All that the author of a sensor library imports.

A library is a file with a tuple `LIBRARIES`. It knows one formula and says where it has it from;
everything that all sensors have in common is done here and by `sensor_libs.runner`.
docs/SENSOR_LIBRARIES.md shows how to write one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from domain.calibrations import CalibrationMethod
from domain.sensors import Quality, other_names
from sensor_libs.declarations import refuse_wrong
from sensor_libs.frames import (
    Channels,
    big_endian,
    float_of_bits,
    octets,
    sensirion_crc,
    sensirion_words,
)
from sensor_libs.parameters import (
    FACTOR,
    OFFSET,
    Calibrates,
    Companion,
    Parameter,
    Sees,
    Settled,
    Takes,
    is_number,
    settle,
)
from sensor_libs.raw_forms import (
    ADC12,
    ADC_ENDS,
    ADC_TOP,
    FLOAT,
    INT16,
    PPM,
    PULSES,
    WORD16,
    WORD24,
    WORD32,
    Range,
    RawForm,
    Wrap,
    adc_volts,
)

__all__ = [
    "ADC12",
    "ADC_ENDS",
    "ADC_TOP",
    "FACTOR",
    "FLOAT",
    "INT16",
    "OFFSET",
    "PPM",
    "PULSES",
    "WORD16",
    "WORD24",
    "WORD32",
    "Calibrates",
    "CalibrationMethod",
    "Channels",
    "Companion",
    "Converted",
    "OtherUnit",
    "Parameter",
    "Prepared",
    "Quality",
    "Range",
    "RawForm",
    "Sees",
    "SensorLibrary",
    "Settled",
    "Takes",
    "Vector",
    "Wrap",
    "adc_volts",
    "big_endian",
    "clamp",
    "float_of_bits",
    "graded",
    "octets",
    "sensirion_crc",
    "sensirion_words",
]

_NONE: Mapping[str, float] = MappingProxyType({})


class Converted(NamedTuple):
    """What a raw value means.

    Attributes:
        value: In the unit of the library; None when the raw value is no measurement.
        reason: Why the quality is what it is, where that is not plain from the value.
    """

    value: float | None
    quality: Quality
    reason: str | None = None


class Prepared(NamedTuple):
    """What a conversion starts from, checked and complete.

    Attributes:
        raw: The number that the device meant.
        settled: All parameters.
    """

    raw: float
    settled: Settled


class Vector(NamedTuple):
    """A golden vector: what a raw value is known to mean.

    Attributes:
        raw: The raw value, or the numbers of all channels.
        value: In the unit of the library, to its decimals; None: there must be none.
        parameters: Those that differ from the defaults.
    """

    raw: float | tuple[float, ...]
    value: float | None
    quality: Quality
    parameters: Mapping[str, float] = _NONE


class OtherUnit(NamedTuple):
    """Another unit that values can be told in: `value * factor + offset`."""

    name: str
    factor: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorLibrary:
    """How one quantity of one kind of chip is read.

    Attributes:
        name: Lower case, unique; stored with each reading.
        version: Three numbers; raised whenever the same raw value would get another result.
        sensor_types: Canonical names of the sensor types that it converts.
        aliases: Other names under which devices send the same thing.
        raw: The numbers that the chip can say; None: it has no chip, and computes its value from
            its companions alone. `convert` then gets a raw value without meaning.
        unit: Of its values.
        decimals: Digits behind the point that the chip can vouch for.
        valid: What the chip can measure; a value outside is an error.
        typical: What is usual; for charts, and for the judge of quality.
        source: The data sheet or guide that the formula is from.
        convert: From the raw value and all parameters to what it means; pure, and within
            microseconds.
        vectors: Checked whenever the library is loaded.
        parameters: What else the conversion depends on.
        companions: Which parameters other sensors fill.
        channels: How several numbers become the raw value; None: it is one number.
        calibrations: The methods that find parameters.
        volts: From the raw value to the voltage of the probe, for calibrations that compare it.
        units: Other units of its values.
        max_rate: The fastest that the quantity can change, in its unit per second; None: any.
        stuck_after: How long exactly the same raw value is believable; None: for ever.
        warm_up: How long after power-on the chip does not measure well.
    """

    name: str
    version: str
    sensor_types: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    raw: RawForm | None
    unit: str
    decimals: int
    valid: Range
    typical: Range
    source: str
    convert: Callable[[float, Mapping[str, float]], Converted]
    vectors: tuple[Vector, ...]
    parameters: tuple[Parameter, ...] = ()
    companions: tuple[Companion, ...] = ()
    channels: Channels | None = None
    calibrations: tuple[Calibrates, ...] = ()
    volts: Callable[[float], float] = adc_volts
    units: tuple[OtherUnit, ...] = ()
    max_rate: float | None = None
    stuck_after: timedelta | None = None
    warm_up: timedelta = timedelta(0)
    _settled: Settled = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_wrong(self)
        alone = settle(self.parameters, self.companions, _NONE)
        shared = alone._replace(parameters=MappingProxyType(dict(alone.parameters)))
        object.__setattr__(self, "_settled", shared)

    @property
    def is_virtual(self) -> bool:
        """Whether there is no chip: the value is computed from companions alone."""
        return self.raw is None

    @property
    def other_names(self) -> Sequence[str]:
        """Every name but its sensor types under which devices send what it converts."""
        known = (other for kind in self.sensor_types for other in other_names(kind))
        return (*self.aliases, *known)

    def settle(self, given: Mapping[str, float] | None = None) -> Settled:
        """Complete the parameters that are known of a sensor; None: nothing is known of it."""
        if not given:
            return self._settled
        return settle(self.parameters, self.companions, given)

    def measure(self, raw: float, parameters: Mapping[str, float] | None = None) -> Converted:
        """Convert a raw value, and refuse what the chip cannot have measured.

        May raise whatever `convert` raises, and TypeError for what is no result.

        Args:
            raw: As the device sent it.
            parameters: What is known of the sensor: what its owner set, what calibrations found,
                what its companions said. Every other one has its default.
        """
        prepared = self.prepare(raw, parameters)
        if isinstance(prepared, Converted):
            return prepared
        return self.conclude(prepared, self.convert(prepared.raw, prepared.settled.parameters))

    def prepare(
        self, raw: float, parameters: Mapping[str, float] | None = None
    ) -> "Prepared | Converted":
        """Return what `convert` is to be given; or the result, where it need not be asked."""
        form = self.raw
        if form is not None and not form.low <= raw <= form.high:
            meant = form.meant(raw)
            if meant is None:
                return Converted(None, Quality.ERROR, form.refusal)
            raw = meant
        settled = self._settled if not parameters else self.settle(parameters)
        if settled.fault is not None:
            return Converted(None, Quality.BAD, settled.fault)
        return Prepared(raw, settled)

    def conclude(self, prepared: "Prepared", converted: Converted) -> Converted:
        """Judge what `convert` said: a value that the chip cannot have measured is none.

        May raise TypeError for what is no result.
        """
        form, settled = self.raw, prepared.settled
        converted = self._judged(converted)
        if form is not None and form.clipped and form.is_clipped(prepared.raw):
            converted = _doubted(converted, form.doubt)
        if settled.note is not None and converted.value is not None:
            why = converted.reason
            return converted._replace(reason=f"{why}; {settled.note}" if why else settled.note)
        return converted

    def measure_channels(
        self, values: Sequence[float], parameters: Mapping[str, float] | None = None
    ) -> Converted:
        """Convert the several numbers of one reading; their checksum must fit."""
        try:
            raw = self.pack(values)
        except ValueError as error:
            return Converted(None, Quality.ERROR, str(error))
        return self.measure(raw, parameters)

    def pack(self, values: Sequence[float]) -> float:
        """Make the raw value of several numbers.

        Raises:
            ValueError: They are none of this chip's; says why.
        """
        if self.channels is None:
            raise ValueError(f"{self.name} takes one number, not several")
        names = self.channels.names
        if len(values) != len(names):
            wanted = ", ".join(names)
            raise ValueError(f"{len(values)} numbers, but {self.name} takes {wanted}")
        if not all(map(is_number, values)):
            raise ValueError("not every channel is a number")
        return self.channels.pack(values)

    def seen(
        self, calibrates: Calibrates, raw: float, parameters: Mapping[str, float] | None = None
    ) -> float:
        """Return what a calibration compares with its reference.

        Raises:
            ValueError: There is no such measurement; says why.
        """
        others = {k: v for k, v in (parameters or _NONE).items() if k not in calibrates.sets}
        if self.raw is not None and self.raw.meant(raw) is None:
            raise ValueError(self.raw.refusal)
        if calibrates.sees is Sees.RAW:
            return raw
        if calibrates.sees is Sees.VOLTS:
            return self.volts(raw)
        exact = self.measure(raw, others)
        if exact.value is None:
            raise ValueError(exact.reason)
        return exact.value

    def fault(self, value: float) -> str | None:
        """Say why a value cannot be what the chip measured; None: it can."""
        low, high = self.valid
        return None if low <= value <= high else f"outside {low:g} to {high:g} {self.unit}"

    def _judged(self, converted: Converted) -> Converted:
        value, quality, reason = converted
        if quality.__class__ is not Quality:
            raise TypeError(f"{quality!r} is no Quality")
        if value is None:
            return converted
        if (fault := self.fault(value)) is not None:
            return Converted(None, Quality.ERROR, fault)
        # Adding zero takes the sign off what was rounded to nothing.
        return Converted(round(float(value), self.decimals) + 0.0, quality, reason)


def clamp(value: float, low: float, high: float) -> float:
    """Return the nearest value within a range."""
    return min(max(value, low), high)


def graded(value: float, good: Range, fair: Range | None = None) -> Quality:
    """Return GOOD within one range, FAIR within a wider one, POOR beyond; no second: FAIR."""
    if good.low <= value <= good.high:
        return Quality.GOOD
    return Quality.FAIR if fair is None or fair.low <= value <= fair.high else Quality.POOR


def _doubted(converted: Converted, doubt: str) -> Converted:
    """Suspect a value; what is no value, or worse than suspect already, stays so."""
    if converted.value is None or converted.quality is Quality.ERROR:
        return converted
    return Converted(converted.value, Quality.SUSPECT, doubt)
