"""Global ids: opaque to clients, and enough to find the thing again.

An id is the unpadded URL-safe base64 of `Type:part:part`, each part percent-encoded, so that no
content of a part can be taken for a separator.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import strawberry

from domain.errors import BadInputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

LONGEST = 1000
"""Characters that an id or cursor may have."""


def to_base64(text: str) -> str:
    """Wrap a text so that clients do not take it apart."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_base64(wrapped: str) -> str:
    """Unwrap what `to_base64` made.

    Raises:
        ValueError: It did not make this.
    """
    if len(wrapped) > LONGEST:
        raise ValueError("too long")
    try:
        text = base64.b64decode(
            wrapped.encode("ascii") + b"=" * (-len(wrapped) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64 of text") from error
    return text


def global_id(type_name: str, *parts: object) -> strawberry.ID:
    """Make the id of a thing from its type and the parts of its key."""
    return strawberry.ID(to_base64(":".join((type_name, *(quote(str(p), safe="") for p in parts)))))


def read_id(wrapped: str) -> tuple[str, tuple[str, ...]]:
    """Return the type and the parts of the key that an id was made from.

    Raises:
        BadInputError: It is not one of ours.
    """
    try:
        type_name, *quoted = from_base64(wrapped).split(":")
        parts = tuple(unquote(part, errors="strict") for part in quoted)
    except ValueError:
        type_name, parts = "", ()
    if global_id(type_name, *parts) != wrapped:
        raise BadInputError(f"{wrapped[:100]!r} is not an id of this server")
    return type_name, parts


def key_of(type_name: str, wrapped: str) -> tuple[str, ...]:
    """Return the parts of the key that an id of one type was made from.

    Raises:
        BadInputError: It is not an id of that type.
    """
    found, parts = read_id(wrapped)
    if found != type_name:
        raise BadInputError(f"{wrapped[:100]!r} is not the id of a {type_name}")
    return parts


def microseconds(instant: datetime) -> int:
    """Return an instant as whole microseconds since 1970, which no rounding touches."""
    return (instant - _EPOCH) // _TICK


def instant_of(since_1970: int) -> datetime:
    """Return the instant so many microseconds after 1970, the inverse of `microseconds`.

    Raises:
        OverflowError: There is no such year.
    """
    return _EPOCH + since_1970 * _TICK
