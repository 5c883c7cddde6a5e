"""What the server and the process of a user's library file say to each other.

What comes from such a process was written by foreign code as far as the server knows: every frame
is bounded, and read into exact types or not at all.
"""

import struct
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

import msgspec

from sensor_libs.api import (
    Calibrates,
    Companion,
    Converted,
    OtherUnit,
    Parameter,
    Range,
    RawForm,
    SensorLibrary,
    Vector,
    adc_volts,
)

LARGEST = 4 * 2**20
"""Bytes of a frame: a thousand conversions are a tenth of it."""

LONGEST_REASON = 300
"""Characters that a library may say about one reading, or about its failure."""

LENGTH = struct.Struct(">I")
"""What goes before each frame: its bytes."""

PROGRESS = struct.Struct("=qd")
"""In shared memory: the number of the call in hand, and since when (seconds, CLOCK_MONOTONIC)."""


class Function(StrEnum):
    """What a library can be asked to compute."""

    CONVERT = "convert"
    VOLTS = "volts"
    PACK = "pack"


class File(msgspec.Struct, frozen=True):
    """The first frame to a process: the library file that it is to run.

    Attributes:
        file: Its name in the catalog.
        path: What tracebacks call it.
    """

    file: str
    path: str
    content: bytes


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One computation.

    Attributes:
        library: Name of the library.
        raw: The raw value; for `PACK` all channels.
        parameters: All that the library declares; only for `CONVERT`.
    """

    library: str
    function: Function
    raw: float | tuple[float, ...]
    parameters: Mapping[str, float] = {}


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A computation that came to nothing, and why.

    Attributes:
        is_refusal: The library says so by itself: a checksum that does not fit.
        ended: It ended its process, or had to be ended with it: others waited for that.
    """

    why: str
    is_refusal: bool = False
    ended: bool = False


class Number(msgspec.Struct, frozen=True, tag="number"):
    """A voltage, or the raw value made of several numbers."""

    value: float


class Meant(msgspec.Struct, frozen=True, tag="meant"):
    """A conversion."""

    converted: Converted


class Unasked(msgspec.Struct, frozen=True, tag="unasked"):
    """A computation that nobody got to: the calls before it had used up the time."""


Answer: TypeAlias = Meant | Number | Failed | Unasked


class Calls(msgspec.Struct, frozen=True):
    """What is to be computed, and within how many seconds."""

    calls: list[Call]
    seconds: float


class Answers(msgspec.Struct, frozen=True):
    """What was computed, in order.

    Attributes:
        seconds: How long some of the calls took.
        late: Whether the time did not suffice for all of them.
    """

    answers: list[Answer]
    seconds: list[float]
    late: bool = False


class Declaration(msgspec.Struct, frozen=True):
    """All that a library says of itself but its functions; see `SensorLibrary`."""

    name: str
    version: str
    sensor_types: tuple[str, ...]
    aliases: tuple[str, ...]
    raw: RawForm | None
    unit: str
    decimals: int
    valid: Range
    typical: Range
    source: str
    vectors: tuple[Vector, ...]
    parameters: tuple[Parameter, ...]
    companions: tuple[Companion, ...]
    calibrations: tuple[Calibrates, ...]
    units: tuple[OtherUnit, ...]
    max_rate: float | None
    stuck_after: timedelta | None
    warm_up: timedelta
    channels: tuple[str, ...] | None
    packing: str
    is_adc: bool

    @classmethod
    def of(cls, library: SensorLibrary) -> "Declaration":
        """Return what a library says of itself."""
        channels = library.channels
        return cls(
            **{name: getattr(library, name) for name in SHARED},
            channels=None if channels is None else tuple(channels.names),
            packing="" if channels is None else channels.packing,
            is_adc=library.volts is adc_volts,
        )


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The file runs, and every vector is met."""

    libraries: list[Declaration]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The file cannot be used, and why."""

    why: str


SHARED = [
    name for name in Declaration.__struct_fields__ if name not in {"channels", "packing", "is_adc"}
]
"""The fields of a declaration that a library has by the same name."""


def encode(frame: msgspec.Struct) -> bytes:
    """Return a frame's bytes, without what goes before it."""
    return _ENCODER.encode(frame)


def _plain(value: object) -> object:
    """Make a dictionary of a mapping that is none."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be told")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
