"""What the libraries in use read, as conversions on demand want to know it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.errors import BadInputError
from sensor_libs.loader import Catalog
from sensor_libs.workers import worker_of


@dataclass(frozen=True, slots=True)
class LibraryChips:
    """Implements domain.services.process.Chips."""

    _catalog: Callable[[], Catalog]

    def sensor_types(self) -> Sequence[str]:
        """Return what they read, by canonical names in alphabetical order."""
        files = self._catalog().files.values()
        return sorted({kind for file in files for each in file for kind in each.sensor_types})

    def channels(self, sensor_type: str) -> Sequence[str]:
        """Return the names of the numbers that a chip says; none: it says only one."""
        library = self._catalog().by_type.get(sensor_type)
        return () if library is None or library.channels is None else library.channels.names

    async def pack(self, sensor_type: str, values: Sequence[float]) -> float:
        """Make the raw value of several numbers.

        Raises:
            BadInputError: They are none of this chip's; says why.
        """
        library = self._catalog().by_type.get(sensor_type)
        if library is None:
            raise BadInputError(f"nothing reads {sensor_type}")
        try:
            worker = worker_of(library)
            if worker is None:
                return library.pack(values)
            # Code of the user's blocks until its process answers.
            with worker.held():
                return await asyncio.to_thread(library.pack, values)
        except ValueError as error:
            raise BadInputError(str(error)) from None
