"""Reading JSON objects that people write: each complaint names the key and what it takes."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from domain.errors import BadInputError

_LONGEST = 40
_MOST_SECONDS = 366 * 86_400


def only(given: object, known: Sequence[str], what: str) -> Mapping[str, Any]:
    """Return an object, without keys that are null.

    Raises:
        BadInputError: It is no object, or has keys that nobody would read.
    """
    if not isinstance(given, Mapping):
        raise BadInputError(f"{what} must be a JSON object")
    for key in given:
        if key not in known:
            raise BadInputError(f"{what} has no {str(key)[:_LONGEST]!r}; it has {', '.join(known)}")
    return {key: value for key, value in given.items() if value is not None}


def number(entries: Mapping[str, Any], key: str, above: float | None = None) -> float | None:
    """Return a finite number; None: it is not there.

    Raises:
        BadInputError: It is something else, or not above what it must be above.
    """
    value = entries.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInputError(f"{key} must be a number")
    if above is not None and value <= above:
        raise BadInputError(f"{key} must be more than {above:g}")
    return float(value)


def text(entries: Mapping[str, Any], key: str) -> str | None:
    """Return a text; None: it is not there.

    Raises:
        BadInputError: It is something else.
    """
    value = entries.get(key)
    if value is not None and not isinstance(value, str):
        raise BadInputError(f"{key} must be a text")
    return value


def pair(entries: Mapping[str, Any], key: str) -> tuple[float, float] | None:
    """Return two numbers, the first below the second; None: they are not there.

    Raises:
        BadInputError: They are something else.
    """
    value = entries.get(key)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:  # noqa: PLR2004 - a pair
        raise BadInputError(f"{key} must be [low, high]")
    low, high = (number({key: edge}, key) for edge in value)
    if low is None or high is None or low >= high:
        raise BadInputError(f"{key} must be [low, high], low below high")
    return low, high


def seconds(entries: Mapping[str, Any], key: str) -> timedelta | None:
    """Return a duration, written as seconds; None: it is not there.

    Raises:
        BadInputError: It is something else, or longer than a year.
    """
    value = number(entries, key)
    if value is None:
        return None
    if not 0 <= value <= _MOST_SECONDS:
        raise BadInputError(f"{key} must be 0 to {_MOST_SECONDS} seconds")
    return timedelta(seconds=value)
