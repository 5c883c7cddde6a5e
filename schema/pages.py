"""Relay connections over keyset pages: a cursor names a place in a list, never a count."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import strawberry

from domain.errors import BadInputError
from domain.pages import DEFAULT_SIZE, Key, Page, PageRequest
from schema.fields import field
from schema.ids import from_base64, to_base64

T = TypeVar("T")
D = TypeVar("D")

LARGEST_INTEGER = 2**63 - 1
"""What a 64-bit column can hold; a larger number in a cursor is not ours."""


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list: opaque, base64 of the list's name and the key of an entry."""

    name: str

    def write(self, key: Key) -> str:
        """Return the cursor of the entry with this key."""
        return to_base64(json.dumps((self.name, *key), separators=(",", ":")))

    def read(self, cursor: str) -> Key:
        """Return the key that a cursor was made from.

        Raises:
            BadInputError: It is not a cursor of this list.
        """
        try:
            name, *key = json.loads(from_base64(cursor))
        except (ValueError, TypeError, RecursionError):
            name, key = None, []
        if name != self.name or not key or not all(map(_is_key_part, key)):
            raise BadInputError(f"{cursor[:100]!r} is not a cursor of this list")
        return tuple(key)

    def request(self, first: int | None, after: str | None) -> PageRequest:
        """Read the arguments of a connection.

        Raises:
            BadInputError: `first` lies outside its range, or `after` is not a cursor of this list.
        """
        return PageRequest(
            DEFAULT_SIZE if first is None else first, None if after is None else self.read(after)
        )


def _is_key_part(part: object) -> bool:
    return isinstance(part, str) or (type(part) is int and abs(part) <= LARGEST_INTEGER)


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """The Relay page information; pages are only walked forward."""

    has_next_page: bool = strawberry.field(description="Whether more follows behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page starts at a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last entry: `after` of the next page."
    )


@strawberry.type(description="An entry of a list.")
class Edge(Generic[T]):
    """A node and its place."""

    node: T = strawberry.field(description="What the list is of.")
    cursor: str = strawberry.field(description="Its place in the list: `after` of what follows it.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A Relay connection."""

    edges: list[Edge[T]] = strawberry.field(description="The entries of the page, in order.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")

    @classmethod
    def of(
        cls, cursors: Cursors, request: PageRequest, page: Page[D], show: Callable[[D], T]
    ) -> Self:
        """Show a page of the domain to clients."""
        edges = [Edge(node=show(e.item), cursor=cursors.write(e.key)) for e in page.entries]
        info = PageInfo(
            has_next_page=page.has_next,
            has_previous_page=request.after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return cls(edges=edges, page_info=info)


@strawberry.type(description="A page of a list whose length is known.")
class CountedConnection(Connection[T]):
    """A Relay connection that can say how long its list is."""

    count: strawberry.Private[Callable[[], Awaitable[int]] | None] = None

    def counted_by(self, count: Callable[[], Awaitable[int]]) -> Self:
        """Remember how to count the list, for when somebody asks."""
        self.count = count
        return self

    @field
    async def total_count(self) -> int | None:
        """How many entries the whole list has; counted when asked for."""
        return await self.count() if self.count else None
