"""Who calls a legacy endpoint: accounts of ours, shown as they were by a bearer token."""

from app.legacy_rest.answers import refused
from domain.errors import UnauthenticatedError
from domain.services.accounts import Accounts
from domain.users import Identity, Role

_CHALLENGE = (b"WWW-Authenticate", b"Bearer")


def require(accounts: Accounts, authorization: str, role: Role) -> Identity:
    """Return who calls.

    Args:
        accounts: Knows the tokens.
        authorization: The header `Authorization`; empty where there was none.
        role: The least that is needed.

    Raises:
        RefusedError: 401 without a token that counts, 403 where the role does not suffice.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise refused(401, "Not authenticated", _CHALLENGE, close=True)
    try:
        identity = accounts.identify(token.strip())
    except UnauthenticatedError as error:
        raise refused(401, str(error), _CHALLENGE, close=True) from None
    if identity.role < role:
        raise refused(403, f"this needs the role {role.name.lower()}", close=True)
    return identity
