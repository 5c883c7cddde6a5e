"""The corner of the greenhouse around one device: what its sensors feel and its actuators change.

Every quantity is drawn towards a resting value that follows the day, and arrives there with its
own inertia: dx/dt = (rest(t) + pushes - x) / inertia. An actuator that runs pushes the resting
value, so that a pump makes the soil wetter while it is on, and the soil dries again by itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

DAY_SECONDS = 86_400.0
_SWAY_SECONDS = 420.0
"""Clouds and draughts: a slow wave, so that a demo of a few minutes sees every value move."""


class Quantity(StrEnum):
    """What can be measured around a device."""

    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    MOISTURE = "moisture"
    PH = "ph"
    LIGHT = "light"
    CONDUCTIVITY = "conductivity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How a quantity moves when nobody acts on it.

    Attributes:
        night: Resting value twelve hours from the peak, in the quantity's unit.
        noon: Resting value at the peak.
        peak_hour: Hour of the day (UTC) at which `noon` is reached.
        inertia: Seconds after which about two thirds of a change have happened.
        sway: Height of the slow wave on top.
        noise: Standard deviation of a single measurement.
        lowest: What the quantity never falls below.
        highest: What the quantity never exceeds.
    """

    night: float
    noon: float
    peak_hour: float
    inertia: float
    sway: float
    noise: float
    lowest: float
    highest: float

    def rest(self, now: float) -> float:
        """Return the value that the quantity is drawn to at a time (Unix seconds)."""
        turn = 2.0 * math.pi * (now / DAY_SECONDS - self.peak_hour / 24.0)
        middle, half = (self.noon + self.night) / 2.0, (self.noon - self.night) / 2.0
        wave = self.sway * math.sin(2.0 * math.pi * now / _SWAY_SECONDS)
        return middle + half * math.cos(turn) + wave

    def clamp(self, value: float) -> float:
        """Return the nearest value that can exist."""
        return min(self.highest, max(self.lowest, value))


CURVES: Mapping[Quantity, Curve] = {
    Quantity.TEMPERATURE: Curve(
        night=15.0, noon=25.0, peak_hour=14.0, inertia=300.0,
        sway=0.6, noise=0.05, lowest=-20.0, highest=60.0,
    ),
    Quantity.HUMIDITY: Curve(
        night=82.0, noon=58.0, peak_hour=14.0, inertia=240.0,
        sway=2.0, noise=0.3, lowest=5.0, highest=99.0,
    ),
    Quantity.MOISTURE: Curve(
        night=28.0, noon=22.0, peak_hour=14.0, inertia=600.0,
        sway=0.0, noise=0.2, lowest=0.0, highest=100.0,
    ),
    Quantity.PH: Curve(
        night=6.7, noon=6.9, peak_hour=16.0, inertia=900.0,
        sway=0.03, noise=0.01, lowest=3.0, highest=10.0,
    ),
    Quantity.LIGHT: Curve(
        night=0.0, noon=38_000.0, peak_hour=13.0, inertia=60.0,
        sway=900.0, noise=40.0, lowest=0.0, highest=54_000.0,
    ),
    Quantity.CONDUCTIVITY: Curve(
        night=1600.0, noon=1700.0, peak_hour=15.0, inertia=1800.0,
        sway=10.0, noise=5.0, lowest=0.0, highest=19_000.0,
    ),
}  # fmt: skip
"""A temperate greenhouse: °C, %RH, % of full saturation, pH, lux, µS/cm at 25 °C."""


@dataclass(slots=True)
class Surroundings:
    """The true values around one device; moves only when it is told the time."""

    seed: int
    _values: dict[Quantity, float] = field(default_factory=dict, init=False)
    _offsets: dict[Quantity, float] = field(default_factory=dict, init=False)
    _random: Random = field(init=False)
    _now: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        for quantity, curve in CURVES.items():
            spread = (curve.noon - curve.night) / 10.0
            self._offsets[quantity] = self._random.uniform(-spread, spread)

    def advance(self, now: float, pushes: Mapping[Quantity, float]) -> None:
        """Let time pass up to `now`.

        Args:
            now: Unix seconds; a time before the last one changes nothing.
            pushes: How far the actuators moved each resting value since the last call.
        """
        elapsed = 0.0 if self._now is None else max(0.0, now - self._now)
        for quantity, curve in CURVES.items():
            target = curve.rest(now) + self._offsets[quantity] + pushes.get(quantity, 0.0)
            value = self._values.get(quantity, target)
            value += (target - value) * -math.expm1(-elapsed / curve.inertia)
            self._values[quantity] = curve.clamp(value)
        self._now = now if self._now is None else max(now, self._now)

    def measure(self, quantity: Quantity) -> float:
        """Return what an ideal probe shows now: the true value with a little noise."""
        curve = CURVES[quantity]
        return curve.clamp(self._random.gauss(self._values[quantity], curve.noise))

    def true_value(self, quantity: Quantity) -> float:
        """Return the value without noise."""
        return self._values[quantity]
