"""Several numbers of a chip made into its one raw value: checksums and byte orders."""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

_BYTE_TOP = 255
_CRC_START = 0xFF
_CRC_POLYNOMIAL = 0x31


class Channels(NamedTuple):
    """How a chip that says several numbers is read.

    Attributes:
        names: Of the numbers, in their order.
        pack: From all of them to the raw value; raises ValueError with the reason when they
            contradict each other.
        packing: In words, how a device that can send only one number makes it from them.
    """

    names: tuple[str, ...]
    pack: Callable[[Sequence[float]], float]
    packing: str


def octets(values: Sequence[float]) -> bytes:
    """Return numbers as bytes.

    Raises:
        ValueError: One is not 0..255.
    """
    if any(not 0 <= value <= _BYTE_TOP or value != int(value) for value in values):
        raise ValueError("not every number is a byte, 0 to 255")
    return bytes(map(int, values))


def big_endian(values: Sequence[float]) -> int:
    """Return bytes as one number, the highest first."""
    return int.from_bytes(octets(values), "big")


def sensirion_crc(data: bytes) -> int:
    """Return the check byte behind each word of Sensirion's chips (SHT3x-DIS, section 4.12)."""
    crc = _CRC_START
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ _CRC_POLYNOMIAL if crc & 0x80 else crc << 1) & _BYTE_TOP
    return crc


def sensirion_words(values: Sequence[float]) -> bytes:
    """Return the data of words that are each followed by a check byte.

    Raises:
        ValueError: A check byte is not that of its word.
    """
    data = octets(values)
    words = [(data[i : i + 2], data[i + 2]) for i in range(0, len(data), 3)]
    for word, crc in words:
        if sensirion_crc(word) != crc:
            raise ValueError(f"the check byte {crc} does not fit the word {word.hex()}")
    return b"".join(word for word, _ in words)


def float_of_bits(bits: int) -> float:
    """Return the number whose IEEE 754 single precision is 32 bits."""
    number: float = struct.unpack(">f", bits.to_bytes(4, "big"))[0]
    return number
