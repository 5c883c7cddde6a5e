import asyncpg
import pytest

from domain.errors import StorageRejectedError, StorageUnavailableError
from storage.errors import translated


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        FileNotFoundError(2, "no such socket"),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("closed in the middle"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("shutting down"),
        asyncpg.TooManyConnectionsError("sorry"),
        asyncpg.DiskFullError("no space left"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.QueryCanceledError("timeout"),
        asyncpg.ReadOnlySQLTransactionError("standby"),
        asyncpg.UndefinedTableError("no such table"),
        asyncpg.InvalidPasswordError("wrong"),
        asyncpg.InvalidCatalogNameError("no such database"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.InternalClientError("lost its place"),
        asyncpg.ClientConfigurationError("no such option"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_unavailable(error: Exception) -> None:
    with pytest.raises(StorageUnavailableError) as caught, translated():
        raise error
    assert caught.value.__cause__ is error
    assert (str(error) or "TimeoutError") in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.NumericValueOutOfRangeError("too big"),
        asyncpg.CharacterNotInRepertoireError("zero byte"),
        asyncpg.UntranslatableCharacterError("\\u0000"),
        asyncpg.UniqueViolationError("twice"),
        asyncpg.ForeignKeyViolationError("no parent"),
        asyncpg.CheckViolationError("not finite"),
        asyncpg.NotNullViolationError("missing"),
        asyncpg.CardinalityViolationError("twice in one statement"),
        asyncpg.ProgramLimitExceededError("index row too large"),
        asyncpg.exceptions._base.DataError("not an int"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_never_can_be_is_rejected(error: Exception) -> None:
    with pytest.raises(StorageRejectedError) as caught, translated():
        raise error
    assert caught.value.__cause__ is error
    assert str(error) in str(caught.value)


@pytest.mark.parametrize("error", [KeyError("a bug"), StorageRejectedError("known")])
def test_what_is_not_the_databases_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translated():
        raise error
    assert caught.value is error
