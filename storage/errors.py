"""The border where errors of the database become errors of the domain.

Nobody outside `storage` can name an exception of asyncpg, so none may leave it. Only two things
matter to a caller: whether the same call can succeed later, or never.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from domain.errors import DomainError, StorageRejectedError, StorageUnavailableError

_REFUSALS = (
    asyncpg.DataError,  # class 22: a number out of range, bytes that are no text
    asyncpg.IntegrityConstraintViolationError,  # class 23
    asyncpg.CardinalityViolationError,  # class 21
    asyncpg.WithCheckOptionViolationError,  # class 44
    asyncpg.ProgramLimitExceededError,  # class 54: a key longer than an index can hold
)
"""What PostgreSQL says of data that it can never take (SQLSTATE classes, appendix A)."""


@contextmanager
def translated() -> Iterator[None]:
    """Translate what the database raises inside the block.

    Raises:
        StorageRejectedError: The data itself is refused.
        StorageUnavailableError: Anything else went wrong: no connection, no answer in time, a
            shutdown, a deadlock, a missing table. Trying again loses nothing.
    """
    try:
        yield
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,  # includes TimeoutError
    ) as error:
        raise _translation(error) from error


def _translation(error: Exception) -> DomainError:
    text = str(error) or type(error).__name__
    if isinstance(error, _REFUSALS) or _is_refused_by_the_driver(error):
        return StorageRejectedError(f"the database refuses the data: {text}")
    return StorageUnavailableError(f"the database cannot do its work now: {text}")


def _is_refused_by_the_driver(error: Exception) -> bool:
    # The driver's own DataError has no public name; among its interface errors, only it and the
    # one about a wrong configuration are ValueErrors.
    return (
        isinstance(error, asyncpg.InterfaceError)
        and isinstance(error, ValueError)
        and not isinstance(error, asyncpg.ClientConfigurationError)
    )
