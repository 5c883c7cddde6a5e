"""What the fields of all messages have in common: sane numbers, safe text, and who is speaking.

Numbers may come as strings, since some senders quote them; a boolean never counts as a number.
Text from a device ends up in the database and on screens, so it is cut and cleaned here.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import islice
from typing import Annotated, TypedDict, TypeVar

import msgspec

from domain.system_events import Detail
from mqtt_bridge.topics import Topic

T = TypeVar("T")

LARGEST = 1e15
"""The largest number that any sensor could mean."""

EARLIEST = 1_577_836_800
"""Unix seconds of 2020-01-01; whatever is earlier counts from the device's boot."""

Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
"""A finite number."""

Pin = Annotated[int, msgspec.Meta(ge=0, le=255)]
"""A pin; 255 stands for the whole device."""

Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
"""A part of full power."""

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
"""A name, an id or a command word that the server sends."""

Text = Annotated[str, msgspec.Meta(max_length=200)]
"""A sentence that the server sends."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
"""Unix time."""

WORD_LIMIT = 64
"""Characters kept of a name, an id or a word."""

MESSAGE_LIMIT = 500
"""Characters kept of a sentence."""

_KEY_LIMIT = 64
_VALUE_LIMIT = 200
_MOST = 40

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


def real(value: object, *, lowest: float = -LARGEST, highest: float = LARGEST) -> float | None:
    """Return a value that is a number within limits; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if lowest <= value <= highest else None


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


class Origin(TypedDict):
    """What all messages from devices begin with."""

    esp_id: str
    kaiser_id: str
    received_at: datetime


def origin(topic: Topic, received_at: datetime) -> Origin:
    """Return who says something, and when it arrived."""
    return {"esp_id": topic.esp_id, "kaiser_id": topic.kaiser_id, "received_at": received_at}


def details(values: object, *, without: Collection[str] = ()) -> dict[str, Detail]:
    """Return what is plain in an object, few and short; empty where it is no object.

    Args:
        values: What was sent.
        without: Keys to leave out, because they are told elsewhere.
    """
    if not isinstance(values, dict):
        return {}
    clean = (
        (text(key, _KEY_LIMIT), _detail(value))
        for key, value in values.items()
        if key not in without
    )
    return dict(islice(((key, value) for key, value in clean if key and value is not None), _MOST))


def _detail(value: object) -> Detail:
    if isinstance(value, str):
        return text(value, _VALUE_LIMIT)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and -LARGEST <= value <= LARGEST:
        return value
    return None


def fill(body: msgspec.Struct, field: str, said: str, largest: int, *, cut: bool = True) -> None:
    """Set a field to as much of a text as leaves the payload small enough; to nothing, if it must.

    Args:
        body: The payload, complete but for this field.
        field: Which field; unset while there is nothing to say.
        said: The text.
        largest: Bytes that the payload may have.
        cut: Whether a part of the text is of use.
    """
    while said:
        setattr(body, field, said)
        if len(msgspec.json.encode(body)) <= largest:
            return
        said = said[:-1].rstrip() if cut else ""
    setattr(body, field, msgspec.UNSET)


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
