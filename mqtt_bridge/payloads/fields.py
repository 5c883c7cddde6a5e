"""What the fields of all messages have in common: sane numbers, safe text, and who is speaking.

Numbers may come as strings, since some senders quote them; a boolean never counts as a number.
Text from a device ends up in the database and on screens, so it is cut and cleaned here.
"""

from typing import Annotated, TypeVar

import msgspec

from mqtt_bridge.topics import Topic

T = TypeVar("T")

LARGEST = 1e15
"""The largest number that any sensor could mean."""

Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
"""A finite number."""

Pin = Annotated[int, msgspec.Meta(ge=0, le=255)]
"""A pin; 255 stands for the whole device."""

Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
"""A part of full power."""

LARGEST_WHOLE = 2**31 - 1
"""The largest whole number that both the database and the firmware's parser can hold."""


def whole(*values: object, lowest: int = 0, highest: int = LARGEST_WHOLE) -> int | None:
    """Return the first value that is a whole number within limits; None when none is."""
    for value in values:
        try:
            number = msgspec.convert(value, int, strict=False)
        except msgspec.ValidationError:
            continue
        if lowest <= number <= highest:
            return number
    return None


def first(*values: T | None) -> T | None:
    """Return the first value that is there: the aliases of a field, the preferred name first."""
    for value in values:
        if value is not None:
            return value
    return None


def text(value: object, limit: int) -> str:
    """Return a text without what cannot be printed or stored, at most `limit` characters long.

    What is no text counts as empty.
    """
    if not isinstance(value, str):
        return ""
    if not value.isprintable():
        value = "".join(letter for letter in value if letter.isprintable())
    return value.strip()[:limit]


def check_sender(topic: Topic, esp_id: str | None, gpio: int | None = None) -> None:
    """Refuse a payload that contradicts its topic; the topic is the authority.

    Raises:
        ValueError: Device or pin are not those of the topic.
    """
    if esp_id and esp_id != topic.esp_id:
        raise ValueError(f"esp_id {esp_id[:40]!r} contradicts {topic.esp_id} in the topic")
    if gpio is not None and gpio != topic.gpio:
        raise ValueError(f"gpio {gpio} contradicts {topic.gpio} in the topic")


def pin_of(topic: Topic) -> int:
    """Return the pin of a topic.

    Raises:
        ValueError: It has none.
    """
    if topic.gpio is None:
        raise ValueError(f"{topic} names no pin")
    return topic.gpio
