"""Everything that can go wrong, named once; each transport translates the codes in one place."""

from typing import ClassVar


class DomainError(Exception):
    """Base of all expected failures; the message is fit to be shown to a person."""

    code: ClassVar[str] = "DOMAIN_ERROR"


class BadInputError(DomainError):
    """What was asked for cannot be understood or lies outside its range."""

    code = "BAD_INPUT"


class NotFoundError(DomainError):
    """The thing asked for does not exist."""

    code = "NOT_FOUND"


class UnauthenticatedError(DomainError):
    """Nobody is logged in, or the token is expired or not ours."""

    code = "UNAUTHENTICATED"


class ForbiddenError(DomainError):
    """The person logged in may not do this."""

    code = "FORBIDDEN"


class ConflictError(DomainError):
    """The request contradicts something that already happened."""

    code = "CONFLICT"


class OverloadedError(DomainError):
    """Too much of this is asked for at once; the same call may succeed later."""

    code = "OVERLOADED"


class StorageUnavailableError(DomainError):
    """The database cannot be reached; the same call may succeed later."""

    code = "STORAGE_UNAVAILABLE"


STARTING = "the server is starting; ask again in a moment"
"""Why nothing is answered yet that depends on what is still being loaded: STORAGE_UNAVAILABLE."""


class StorageRejectedError(DomainError):
    """The database refuses the data itself; trying again cannot help."""

    code = "STORAGE_REJECTED"


class BrokerUnavailableError(DomainError):
    """The MQTT broker cannot be reached; the same call may succeed later."""

    code = "BROKER_UNAVAILABLE"


class DeviceSilentError(DomainError):
    """The device did not answer in time."""

    code = "DEVICE_SILENT"


class EventStreamLostError(DomainError):
    """A live stream missed events that it can no longer vouch for; subscribe again."""

    code = "EVENT_STREAM_LOST"
