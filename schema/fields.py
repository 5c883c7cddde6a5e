"""Fields that are answered by a function: its docstring is the description that clients read."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import cache, wraps
from inspect import cleandoc, isasyncgenfunction, iscoroutinefunction, signature
from typing import Any, TypeVar, cast, get_args, get_type_hints

import strawberry
from strawberry.types.arguments import StrawberryArgumentAnnotation
from strawberry.utils.str_converters import to_camel_case

from schema.checks import check

F = TypeVar("F", bound=Callable[..., object])

_NO_ARGUMENTS = {"self", "info"}


def field(resolver: F) -> F:
    """Make a field of a type, or of Query, out of its resolver."""
    return cast("F", strawberry.field(_checked(resolver), description=_description(resolver)))


def mutation(resolver: F) -> F:
    """Make a field of Mutation out of its resolver: refused while the server is starting."""

    @wraps(resolver)
    async def once_started(*args: Any, **arguments: Any) -> Any:  # noqa: ANN401 - what the resolver takes
        arguments["info"].context.require_started()
        return await cast("Awaitable[Any]", resolver(*args, **arguments))

    return early_mutation(cast("F", once_started))


def early_mutation(resolver: F) -> F:
    """Make a field of Mutation that depends on nothing that the server loads when it starts."""
    return cast("F", strawberry.mutation(_checked(resolver), description=_description(resolver)))


def subscription(resolver: F) -> F:
    """Make a field of Subscription out of its resolver, an asynchronous generator."""
    return cast(
        "F", strawberry.subscription(_checked(resolver), description=_description(resolver))
    )


def _description(resolver: Callable[..., object]) -> str:
    return cleandoc(resolver.__doc__ or "")


def _checked(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """Return the resolver with its arguments checked first; one that takes none as it is."""
    if not signature(resolver).parameters.keys() - _NO_ARGUMENTS:
        return resolver

    @cache
    def names() -> dict[str, str]:
        # Behind `info` is the whole server: the more it knows, the longer a look through it takes.
        hints = _hints(resolver).items()
        return {name: _shown(name, hint) for name, hint in hints if name not in _NO_ARGUMENTS}

    def look(arguments: dict[str, object]) -> None:
        # Only known once all modules are there: types may name each other.
        check({names()[name]: arguments[name] for name in arguments if name in names()})

    if isasyncgenfunction(resolver):

        @wraps(resolver)
        async def checked_stream(*args: Any, **arguments: Any) -> AsyncGenerator[Any, None]:  # noqa: ANN401 - what the resolver takes
            look(arguments)
            async with aclosing(resolver(*args, **arguments)) as events:
                async for event in events:
                    yield event

        return checked_stream

    if iscoroutinefunction(resolver):

        @wraps(resolver)
        async def checked(*args: Any, **arguments: Any) -> Any:  # noqa: ANN401 - what the resolver takes
            look(arguments)
            return await cast("Awaitable[Any]", resolver(*args, **arguments))

        return checked

    @wraps(resolver)
    def checked_at_once(*args: Any, **arguments: Any) -> Any:  # noqa: ANN401 - what the resolver takes
        look(arguments)
        return resolver(*args, **arguments)

    return checked_at_once


def _hints(resolver: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(resolver, include_extras=True)
    except NameError:
        # A type of another module that only strawberry.lazy finds: its names need no translation.
        return dict(resolver.__annotations__)


def _shown(name: str, hint: object) -> str:
    """Return the name by which clients know an argument."""
    told = (part for part in get_args(hint) if isinstance(part, StrawberryArgumentAnnotation))
    return next((part.name for part in told if part.name), to_camel_case(name))
