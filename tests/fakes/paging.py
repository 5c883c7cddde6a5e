"""Pages of lists in memory."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain.errors import BadInputError
from domain.pages import Entry, Key, Page, PageRequest

T = TypeVar("T")


def paged(
    items: Iterable[T], key: Callable[[T], Key], page: PageRequest, *, descending: bool = False
) -> Page[T]:
    """Cut a page out of a list, by key."""
    keyed = sorted(((key(item), item) for item in items), key=lambda e: e[0], reverse=descending)
    if page.after is not None:
        after = page.after
        if keyed and [*map(type, after)] != [*map(type, keyed[0][0])]:
            raise BadInputError("the cursor belongs to another list")
        keyed = [(k, i) for k, i in keyed if (k < after if descending else k > after)]
    chosen = keyed[: page.first]
    return Page(tuple(Entry(item, k) for k, item in chosen), len(keyed) > len(chosen))


def microseconds(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
