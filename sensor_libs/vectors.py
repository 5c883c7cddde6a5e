"""Golden vectors: whether a library still says what its data sheet says."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from sensor_libs.api import Converted, SensorLibrary, Vector


class Miss(NamedTuple):
    """A vector that a library misses.

    Attributes:
        number: Which one, from 0.
        says: What it gives and what it must give.
    """

    number: int
    says: str


def misses(library: SensorLibrary) -> Iterator[Miss]:
    """Compute every vector of a library; raises whatever its code raises."""
    for number, vector in enumerate(library.vectors):
        made = run(library, vector)
        if made.quality is not vector.quality or not _same(made.value, vector.value):
            yield Miss(
                number,
                f"{vector.raw} gives {_told(made.value, made.quality)}, "
                f"but must give {_told(vector.value, vector.quality)}",
            )


def run(library: SensorLibrary, vector: Vector) -> Converted:
    """Convert what a vector starts from."""
    if isinstance(vector.raw, tuple):
        return library.measure_channels(vector.raw, vector.parameters)
    return library.measure(vector.raw, vector.parameters)


def _told(value: float | None, quality: object) -> str:
    return f"{'no value' if value is None else value} {quality}"


def _same(value: float | None, expected: float | None) -> bool:
    if value is None or expected is None:
        return value is expected
    return math.isclose(value, expected, abs_tol=1e-9)
