"""The text of the libraries, for devices that convert by themselves."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.library_installations import LibrarySource
from sensor_libs.loader import Catalog


@dataclass(frozen=True, slots=True)
class LibraryFiles:
    """Implements domain.ports.LibrarySources.

    Attributes:
        catalog: Returns the catalog in use.
    """

    catalog: Callable[[], Catalog]

    def find(self, name: str, version: str | None) -> LibrarySource | None:
        """Return the file of a library that works; one whose newest text is broken is not sent."""
        catalog = self.catalog()
        for file, libraries in catalog.files.items():
            for library in libraries:
                if library.name == name and version in {None, library.version}:
                    if file in catalog.broken:
                        return None
                    try:
                        content = catalog.paths[file].read_bytes()
                    except OSError:
                        return None  # deleted, and the catalog has not seen it yet
                    return LibrarySource(library.name, library.version, content)
        return None
