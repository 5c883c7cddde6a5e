"""Keyset pages in SQL: rows behind a key, in the order of the key."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from tortoise.expressions import Q

from domain.errors import BadInputError
from domain.pages import Entry, Key, Page, PageRequest

R = TypeVar("R")
T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def key_after(page: PageRequest, *types: type[str | int]) -> Key | None:
    """Return the key that a page starts behind.

    Raises:
        BadInputError: It is not made of these types: it was handed out for another list.
    """
    key = page.after
    if key is not None and tuple(map(type, key)) != types:
        raise BadInputError("the cursor belongs to another list")
    return key


def behind(columns: Sequence[str], values: Sequence[Any], *, descending: bool = False) -> Q:
    """Say in Tortoise's terms: the columns, compared one after another, lie behind the values."""
    operator = "lt" if descending else "gt"
    return reduce(
        or_,
        (
            Q(
                **dict(zip(columns[:place], values[:place], strict=True)),
                **{f"{column}__{operator}": values[place]},
            )
            for place, column in enumerate(columns)
        ),
    )


def cut(
    rows: Sequence[R], page: PageRequest, item: Callable[[R], T], key: Callable[[T], Key]
) -> Page[T]:
    """Make a page of rows, one more of which was asked for than the page may hold."""
    items = [item(row) for row in rows[: page.first]]
    return Page(tuple(Entry(item, key(item)) for item in items), len(rows) > page.first)


def microseconds(instant: datetime) -> int:
    """Return an instant as microseconds since 1970, which is all that PostgreSQL keeps of it."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(since_1970: int) -> datetime:
    """Return the instant so many microseconds after 1970.

    Raises:
        BadInputError: There is no such year.
    """
    try:
        return _EPOCH + timedelta(microseconds=since_1970)
    except OverflowError:
        raise BadInputError("the cursor belongs to another list") from None
