"""Probes that wear out, need time, and can be taken out of the tank and put into something known.

A chip of `simulator.sensors` is ideal: its raw word reads back as the true value. A probe stands
before it and shows it something else: less than a new one would, shifted, late and unsteady. So a
server that converts the raw words with the ideal formula is wrong, and one that is calibrated is
right again. Everything is told in the unit of what is measured; nothing reads a clock, and all
chance comes from a seed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import NamedTuple

from simulator.surroundings import DAY_SECONDS

REFERENCE_CELSIUS = 25.0
"""The temperature at which an ideal probe shows the true value."""

_KELVIN = 273.15
_PER_DEGREE = 0.02
"""How much better salt water conducts per degree: 2 %, as meters assume."""


class Liquid(NamedTuple):
    """Something known to put a probe into.

    Attributes:
        value: What it truly is at its temperature, in the unit of the probe.
        celsius: How warm it is.
    """

    value: float
    celsius: float = REFERENCE_CELSIUS


BUFFER_4, BUFFER_7, BUFFER_10 = Liquid(4.01), Liquid(7.0), Liquid(10.01)
"""The usual buffers for pH, as their bottles say for 25 °C."""

EC_1413, EC_12880 = Liquid(1413.0), Liquid(12_880.0)
"""The usual standards for conductivity, µS/cm at 25 °C (0.01 and 0.1 mol/l of KCl)."""

DRY_AIR, WATER = Liquid(0.0), Liquid(100.0)
"""The two ends of a soil moisture probe, percent."""


class Kind(NamedTuple):
    """What all probes of a kind have in common.

    Attributes:
        pivot: The value at which an ideal one gives no signal.
        warmth: From °C to the factor by which the signal is larger than at 25 °C.
        lag: Seconds after which it has followed two thirds of a change; 0: it follows at once.
        noise: Standard deviation of one measurement.
    """

    pivot: float
    warmth: Callable[[float], float]
    lag: float
    noise: float


PH_ELECTRODE = Kind(
    pivot=7.0,
    warmth=lambda celsius: (celsius + _KELVIN) / (REFERENCE_CELSIUS + _KELVIN),
    lag=5.0,
    noise=0.003,
)
"""Glass: the signal grows with the absolute temperature (Nernst); 95 % is there within 15 s."""

EC_CELL = Kind(
    pivot=0.0,
    warmth=lambda celsius: 1.0 + _PER_DEGREE * (celsius - REFERENCE_CELSIUS),
    lag=2.0,
    noise=3.0,
)
"""Conductivity; what it is to be at 25 °C is what is asked for."""

MOISTURE_PROBE = Kind(pivot=0.0, warmth=lambda _celsius: 1.0, lag=1.0, noise=0.03)
"""Two plates in the soil; temperature hardly matters to them."""


@dataclass(slots=True, eq=False, kw_only=True)
class Probe:
    """What is between a quantity and its chip.

    Attributes:
        efficiency: Part of an ideal probe's signal that it gives; 1: a new one.
        zero_error: What it shows at the pivot of its kind, minus that.
        fading: By how much `efficiency` falls in a day.
        drift: By how much `zero_error` grows in a day.
        seed: The same seed gives the same noise.
        stands_in: What it stands in; None: in its place, where it feels the surroundings.
    """

    kind: Kind
    efficiency: float = 1.0
    zero_error: float = 0.0
    fading: float = 0.0
    drift: float = 0.0
    seed: int = 0
    stands_in: Liquid | None = None
    _random: Random = field(init=False)
    _signal: float | None = field(default=None, init=False)
    _now: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def feel(self, around: Liquid, now: float) -> float:
        """Return what it makes its chip believe.

        Args:
            around: What is in its place.
            now: Unix seconds; a time before the last one changes nothing.
        """
        elapsed = 0.0 if self._now is None else max(0.0, now - self._now)
        self._now = now if self._now is None else max(now, self._now)
        self.grow_older(timedelta(seconds=elapsed))
        felt = self.stands_in or around
        target = (felt.value - self.kind.pivot) * self.kind.warmth(felt.celsius)
        before = target if self._signal is None else self._signal
        self._signal = target + (before - target) * self._left(elapsed)
        shown = self.kind.pivot + self.efficiency * self._signal + self.zero_error
        return self._random.gauss(shown, self.kind.noise)

    def grow_older(self, time: timedelta) -> None:
        """Wear out as it does in a time; it never stops giving a signal altogether."""
        days = time.total_seconds() / DAY_SECONDS
        self.efficiency = max(0.0, self.efficiency - self.fading * days)
        self.zero_error += self.drift * days

    def _left(self, elapsed: float) -> float:
        return math.exp(-elapsed / self.kind.lag) if self.kind.lag else 0.0
