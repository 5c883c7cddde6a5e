"""Keyset pages: a page starts after a key, never after a count, so inserts never shift it."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from domain.errors import BadInputError

Key: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is wanted: `first` items (1..1000) behind the key `after`."""

    first: int = DEFAULT_SIZE
    after: Key | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= LARGEST_SIZE:
            raise BadInputError(f"first must lie between 1 and {LARGEST_SIZE}, not {self.first}")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One item and the key that a following page would start after."""

    item: T
    key: Key


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One part of a list, and whether more follows."""

    entries: tuple[Entry[T], ...]
    has_next: bool
