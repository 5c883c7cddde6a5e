"""What an operator does from the command line while the server may or may not run."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from uuid_utils.compat import uuid7

from app.clock import SystemClock
from app.data_directory import kept_secret_key, make_data_directory
from app.errors import StartError
from app.security import Argon2Passwords, JwtIssuer
from app.serve import running_parts
from app.settings import Settings
from domain.errors import DomainError
from domain.services.accounts import Accounts
from storage.connection import Database


async def migrate(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Bring the database to the newest form.

    Raises:
        StartError: The database cannot be reached.
    """
    async with _database(settings):
        say("the database has the newest form")


async def create_admin(
    settings: Settings, username: str, password: str, *, reset: bool, say: Callable[[str], None]
) -> None:
    """Make an administrator, or give an account a new password.

    Raises:
        StartError: The database cannot be reached, or the name or password is no good.
    """
    async with _database(settings) as database:
        accounts = Accounts(
            storage=database,
            passwords=Argon2Passwords(),
            tokens=JwtIssuer(kept_secret_key(settings.data_dir)),
            clock=SystemClock(),
            new_id=uuid7,
        )
        try:
            if reset:
                await accounts.reset_password(username, password)
            else:
                await accounts.create_admin(username, password)
        except DomainError as error:
            raise StartError(str(error)) from None
    say(f"{username} may log in with the new password")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    make_data_directory(settings.data_dir)
    async with running_parts(settings, broker=False) as parts:
        database = Database(parts.addresses.database)
        try:
            await database.connect()
            yield database
        except DomainError as error:
            raise StartError(f"KAISER_DATABASE_URL: {error}") from None
        finally:
            await database.close()
