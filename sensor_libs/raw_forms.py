"""What raw values look like before anybody converts them: which numbers a chip can say at all.

A number beyond its form is no measurement, whatever a formula would make of it; so every form is
checked once, here, and libraries only see raw values that their chip can have sent.
"""

from typing import NamedTuple

ADC_TOP = 4095
"""The largest value of the ESP32's ADC, at 3.3 V (device protocol, section 5.4)."""

_ADC_VOLTS = 3.3
_BEYOND_16_BITS, _BEYOND_32_BITS = 2**16, 2**32


class Range(NamedTuple):
    """From `low` to `high`, both included."""

    low: float
    high: float


class Wrap(NamedTuple):
    """Numbers that firmware sends where it read a word with the wrong sign.

    Attributes:
        low: The smallest of them.
        high: The largest.
        by: What must be added to have the number that was meant.
    """

    low: float
    high: float
    by: float


class RawForm(NamedTuple):
    """The numbers that a chip can say.

    Attributes:
        name: For people, with its article: "a word of 16 bits".
        low: The smallest.
        high: The largest.
        wraps: Numbers outside that stand for one inside: -24 is sent as 65512 or as 4294967272
            (device protocol, section 2, raw type).
        clipped: Where the true value may as well lie further out; such a reading is SUSPECT.
        doubt: What is said then.
    """

    name: str
    low: float
    high: float
    wraps: tuple[Wrap, ...] = ()
    clipped: tuple[Range, ...] = ()
    doubt: str = "at the end of what the chip can say"

    @property
    def refusal(self) -> str:
        """Why a number outside is no measurement."""
        return f"not {self.name}, {self.low:.10g} to {self.high:.10g}"

    def meant(self, raw: float) -> float | None:
        """Return the number of this form that a device meant; None: none."""
        if self.low <= raw <= self.high:
            return raw
        for low, high, by in self.wraps:
            if low <= raw <= high:
                return raw + by
        return None

    def is_clipped(self, raw: float) -> bool:
        """Return whether a raw value lies where the chip cannot say more."""
        for low, high in self.clipped:  # noqa: SIM110 - for each reading: twice as fast as any()
            if low <= raw <= high:
                return True
        return False


ADC_ENDS = (Range(0, 49), Range(4046, ADC_TOP))
"""Where a probe that is not connected ends up (device protocol, section 5.4)."""

ADC12 = RawForm(
    "a value of the ADC", 0, ADC_TOP, (), ADC_ENDS, "at the end of the ADC: no probe connected?"
)
INT16 = RawForm(
    "a signed word of 16 bits",
    -32_768,
    32_767,
    (
        Wrap(32_768, 65_535, -_BEYOND_16_BITS),
        Wrap(_BEYOND_32_BITS - 32_768, _BEYOND_32_BITS - 1, -_BEYOND_32_BITS),
    ),
)
WORD16 = RawForm("a word of 16 bits", 0, 65_535)
WORD24 = RawForm("a word of 24 bits", 0, 2**24 - 1)
WORD32 = RawForm(
    "a word of 32 bits", 0, _BEYOND_32_BITS - 1, (Wrap(-(2**31), -1, _BEYOND_32_BITS),)
)
PULSES = RawForm("a number of pulses", 0, 10_000_000)
PPM = RawForm("parts per million", 0, 65_535)
FLOAT = RawForm("a number", -3.5e38, 3.5e38)


def adc_volts(raw: float) -> float:
    """Return the voltage at the ADC for a raw value of 0..4095."""
    return raw / ADC_TOP * _ADC_VOLTS
