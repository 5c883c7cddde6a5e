"""Root fields about libraries on their way to devices."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.users import Role
from schema.arguments import OnlyEspId
from schema.context import Context, Info
from schema.fields import field, mutation
from schema.library_installations import LibraryInstallation

MOST_SHOWN = 1000
"""Installations of one answer."""

LibraryName = Annotated[str, strawberry.argument(description="Its name in the catalog.")]
Version = Annotated[
    str | None, strawberry.argument(description="Which version; the one in use if left out.")
]
EspIds = Annotated[
    list[str] | None,
    strawberry.argument(
        description="The devices that shall take it, by their `espId`; all that take libraries if "
        "left out."
    ),
]


async def find_installation(context: Context, installation_id: UUID) -> LibraryInstallation | None:
    """Return one installation; None: it is not known, or has left to make room."""
    async with context.services.storage.autocommit() as work:
        found = await work.library_installations.by_id(installation_id)
    return LibraryInstallation.of(found) if found else None


@strawberry.type
class LibraryInstallationQueries:
    """Reading how libraries fare."""

    @field
    async def library_installations(
        self, info: Info, esp_id: OnlyEspId = None
    ) -> list[LibraryInstallation]:
        """The libraries that devices took or shall take, newest first; at most 1000."""
        info.context.require(Role.VIEWER)
        async with info.context.services.storage.autocommit() as work:
            found = await work.library_installations.newest(
                MOST_SHOWN, esp_ids=None if esp_id is None else [esp_id]
            )
        return [LibraryInstallation.of(installation) for installation in found]


@strawberry.type
class LibraryInstallationMutations:
    """Deciding which device takes which library."""

    @mutation
    async def install_library(
        self,
        info: Info,
        library_name: LibraryName,
        version: Version = None,
        esp_ids: EspIds = None,
    ) -> list[LibraryInstallation]:
        """Send a library to devices, one after the other of each; answers at once. Role: ADMIN.

        A device that is away is waited for, for seven days. One that never said that it takes
        libraries is refused: the server converts its values instead.
        """
        info.context.require(Role.ADMIN)
        ordered = await info.context.services.install_libraries.install(
            library_name, version, esp_ids
        )
        return [LibraryInstallation.of(installation) for installation in ordered]
