"""Events as bytes, for the way between processes: MessagePack, which keeps NaN, UTC and precision.

Each message names its publisher and counts up, since pub/sub promises nothing: a receiver that
sees a number missing knows that it missed something.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import get_args

import msgspec

from domain.events import Event, ReadingsStored

LARGEST_PART = 100
"""Readings in one message, about 220 bytes each: no message holds up those behind it."""


class Notice(StrEnum):
    """What a publisher says about itself."""

    TICK = "tick"
    """It lives, and this is how far it has counted."""
    LOST = "lost"
    """It had to drop events before it could send them."""
    GOODBYE = "goodbye"
    """It leaves, and has sent all that it had to say."""


class Message(msgspec.Struct, array_like=True, frozen=True):
    """An event on its way, opened only as far as it takes to judge whether anybody wants it.

    Attributes:
        publisher: Id of a process's event stream, new at each start.
        sequence: Of an event, its number, 1 or more; of a notice, that of the event before it.
        kind: A notice, or the class of an event.
        body: The event, still encoded.
    """

    publisher: str
    sequence: int
    kind: str
    body: msgspec.Raw


_KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
_DECODERS: Mapping[type[Event], msgspec.msgpack.Decoder[Event]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in get_args(Event)
}
_MESSAGES = msgspec.msgpack.Decoder(Message)
_ENCODER = msgspec.msgpack.Encoder()


def parts(event: Event) -> Iterator[Event]:
    """Cut an event into pieces fit to be sent."""
    if not isinstance(event, ReadingsStored) or len(event.readings) <= LARGEST_PART:
        yield event
        return
    for start in range(0, len(event.readings), LARGEST_PART):
        yield ReadingsStored(event.readings[start : start + LARGEST_PART])


def encode(publisher: str, sequence: int, what: Event | Notice) -> bytes:
    """Return an event or a notice as a message.

    Raises:
        ValueError: The event holds what MessagePack has no word for.
    """
    if isinstance(what, Notice):
        kind, event = what.value, None
    else:
        kind, event = type(what).__name__, what
    try:
        body = msgspec.Raw(_ENCODER.encode(event))
    except (TypeError, OverflowError, RecursionError, msgspec.EncodeError) as error:
        raise ValueError(f"{kind} cannot be sent: {error}") from error
    return _ENCODER.encode(Message(publisher, sequence, kind, body))


def open_message(data: bytes) -> Message:
    """Read everything of a message but its event.

    Raises:
        ValueError: These bytes are no message.
    """
    try:
        return _MESSAGES.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def event_kind(message: Message) -> type[Event] | None:
    """Return the class of its event; None for a notice, and for what only newer servers know."""
    return _KINDS.get(message.kind)


def decode(message: Message, kind: type[Event]) -> Event:
    """Read the event of a message.

    Raises:
        ValueError: It is not what the message says it is.
    """
    try:
        return _DECODERS[kind].decode(message.body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
