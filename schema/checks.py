"""What no argument may hold, checked once for all fields.

The database takes no NUL in text and no half of a character, and pins are small; whoever sends such
a thing is told which argument it was, instead of what the database thinks of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from strawberry.utils.str_converters import to_camel_case

from domain.errors import BadInputError

HIGHEST_PIN = 255
"""It stands for the whole device."""

DEEPEST = 20
"""Levels of objects and lists that free JSON may have."""

_PINS = {"gpio", "auxGpio", "gpios"}


def check(arguments: Mapping[str, object]) -> None:
    """Refuse what can never be meant.

    Args:
        arguments: The values by the names that clients know them by.

    Raises:
        BadInputError: The message names the argument.
    """
    for name, value in arguments.items():
        _check(name, value, 0)


def _check(name: str, value: object, depth: int) -> None:
    if isinstance(value, str):
        _check_text(name, value)
    elif isinstance(value, int) and name in _PINS and not 0 <= value <= HIGHEST_PIN:
        raise BadInputError(f"{name} takes a pin from 0 to {HIGHEST_PIN}, not {value}")
    elif depth >= DEEPEST and isinstance(value, dict | list):
        raise BadInputError(f"{name} is nested too deeply")
    else:
        for part_name, part in _parts(name, value):
            _check(part_name, part, depth + 1)


def _check_text(name: str, text: str) -> None:
    if "\x00" in text:
        raise BadInputError(f"{name} must not hold the character NUL")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadInputError(f"{name} holds half of a character")


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what a value is made of; parts of free JSON bear the name of the argument."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield name, key
            yield name, part
    elif isinstance(value, list | tuple):
        for part in value:
            yield name, part
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield to_camel_case(field.name), getattr(value, field.name)
