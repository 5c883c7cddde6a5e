"""The executable schema: the contract, with limits, remembered documents and coded errors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import strawberry
from graphql import DocumentNode, Executor, GraphQLError, parse, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext, validate_document
from strawberry.types import ExecutionContext
from typing_extensions import override

from app.graphql.errors import VALIDATION_FAILED, shown
from app.graphql.limits import MOST_TOKENS, SizeRule
from resolvers.root import Mutation, Query, Subscription
from schema.scalars import SCALARS

REMEMBERED = 128
"""Documents that are kept parsed and judged, which costs fifteen times what running them does."""

RULES = (*specified_rules, SizeRule)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed document, and what validation found wrong with it."""

    document: DocumentNode
    errors: tuple[GraphQLError, ...]


Prepare = Callable[[str], Prepared]


class Preparation(SchemaExtension):
    """Parses and validates; the documents of people who are logged in are remembered.

    Those of strangers are not: they shall not fill the memory. A document that cannot be parsed
    is left to Strawberry, which parses it again and reports it on every transport.
    """

    def __init__(self, afresh: Prepare, remembered: Prepare) -> None:
        self._afresh = afresh
        self._remembered = remembered
        self._prepared: Prepared | None = None

    @override
    def on_operation(self) -> Iterator[None]:
        # A WebSocket has one context for all its operations: what one fetched is old for the next.
        self.execution_context.context = self.execution_context.context.fresh()
        yield

    @override
    def on_parse(self) -> Iterator[None]:
        operation = self.execution_context
        operation.parse_options["max_tokens"] = MOST_TOKENS
        prepare = self._afresh if operation.context.identity is None else self._remembered
        try:
            self._prepared = prepare(operation.query or "")
        except GraphQLError:
            self._prepared = None
        else:
            operation.graphql_document = self._prepared.document
        yield

    @override
    def on_validate(self) -> Iterator[None]:
        if self._prepared is not None:
            self.execution_context.pre_execution_errors = list(self._prepared.errors)
        yield


class EventExecutor(StrawberryGraphQLCoreExecutionContext):
    """Gives every event of a subscription its own context: no loader serves stale values."""

    @override
    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        executor = super().build_per_event_executor(payload)
        executor.context_value = executor.context_value.fresh()
        return executor


class Schema(strawberry.Schema):
    """Strawberry's schema with our errors."""

    @override
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Replace every error in the list by what clients may see of it."""
        errors[:] = [shown(error, execution_context) for error in errors]


def build_schema() -> Schema:
    """Assemble the schema, without any running service behind it."""

    def prepare(query: str) -> Prepared:
        document = parse(query, max_tokens=MOST_TOKENS)
        errors = validate_document(schema._schema, document, RULES)  # noqa: SLF001 - it has no public name
        for error in errors:
            if error.original_error is None:
                error.extensions = {"code": VALIDATION_FAILED}
        return Prepared(document, tuple(errors))

    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=EventExecutor,
        extensions=[partial(Preparation, prepare, lru_cache(REMEMBERED)(prepare))],
    )
    return schema
