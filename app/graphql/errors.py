"""What clients are told when something goes wrong: a code always, a secret never."""

import secrets

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext

from domain.errors import BadInputError, DomainError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
INTERNAL = "INTERNAL"
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"

_NOTHING_TO_RUN = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)

_log = structlog.get_logger()


def shown(error: GraphQLError, operation: ExecutionContext | None) -> GraphQLError:
    """Return an error as clients may see it.

    Expected errors keep their message and carry a code. Anything else is logged with its traceback
    under a fresh id, and only the id is told.
    """
    if error.extensions and "code" in error.extensions:
        return error
    code = _code(error)
    if code is not None:
        error.extensions = {**(error.extensions or {}), "code": code}
        return error
    error_id = secrets.token_hex(8)
    _log.error(
        "graphql.error",
        id=error_id,
        path=".".join(map(str, error.path or ())),
        operation=operation.operation_name if operation else None,
        exc_info=_cause(error),
    )
    return GraphQLError(
        f"Something went wrong; the log has it under id {error_id}",
        nodes=error.nodes,
        path=error.path,
        extensions={"code": INTERNAL, "id": error_id},
    )


def _code(error: GraphQLError) -> str | None:
    """Return the code of an expected error; None: it was not expected."""
    cause = _cause(error)
    if isinstance(cause, DomainError):
        return cause.code
    if isinstance(cause, GraphQLSyntaxError):
        return PARSE_FAILED
    if isinstance(cause, _NOTHING_TO_RUN):
        return BadInputError.code
    if isinstance(cause, GraphQLError):
        # Validation has marked its own; what is left are variables that do not fit their type.
        return BadInputError.code
    return None


def _cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause
