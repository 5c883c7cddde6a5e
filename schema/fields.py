"""Fields that are answered by a function: its docstring is the description that clients read."""

from collections.abc import Callable
from inspect import cleandoc
from typing import TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., object])


def field(resolver: F) -> F:
    """Make a field of a type, or of Query, out of its resolver."""
    return cast("F", strawberry.field(resolver, description=_description(resolver)))


def mutation(resolver: F) -> F:
    """Make a field of Mutation out of its resolver."""
    return cast("F", strawberry.mutation(resolver, description=_description(resolver)))


def subscription(resolver: F) -> F:
    """Make a field of Subscription out of its resolver, an asynchronous generator."""
    return cast("F", strawberry.subscription(resolver, description=_description(resolver)))


def _description(resolver: Callable[..., object]) -> str:
    return cleandoc(resolver.__doc__ or "")
