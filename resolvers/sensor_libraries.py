"""Root fields about sensor libraries."""

import strawberry

from domain.users import Role
from schema.context import Info
from schema.fields import field, mutation
from schema.sensor_libraries import SensorLibrary


@strawberry.type
class SensorLibraryQueries:
    """Reading what converts."""

    @field
    async def sensor_libraries(self, info: Info) -> list[SensorLibrary]:
        """All sensor libraries and how each fares; files that offer none, with the reason."""
        info.context.require(Role.VIEWER)
        libraries = info.context.services.reload_libraries.libraries()
        return [SensorLibrary.of(library) for library in libraries]


@strawberry.type
class SensorLibraryMutations:
    """Taking library files into use."""

    @mutation
    async def reload_sensor_libraries(self, info: Info) -> list[SensorLibrary]:
        """Load the library files that changed, without waiting to be noticed. Role: ADMIN.

        What is broken or failing is tried again although its file is the same. Answers when the
        new versions are in use; nothing is lost or converted twice meanwhile.
        """
        info.context.require(Role.ADMIN)
        libraries = await info.context.services.reload_libraries()
        return [SensorLibrary.of(library) for library in libraries]
