"""The text of the libraries, for devices that convert by themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.library_installations import LibrarySource
from sensor_libs.loader import BUILT_IN, Catalog


@dataclass(frozen=True, slots=True)
class LibraryFiles:
    """Implements domain.ports.LibrarySources.

    Attributes:
        catalog: Returns the catalog in use.
        folder: Where its files are.
    """

    catalog: Callable[[], Catalog]
    folder: Path = BUILT_IN

    def find(self, name: str, version: str | None) -> LibrarySource | None:
        """Return the file of a library that works; one whose newest text is broken is not sent."""
        catalog = self.catalog()
        for file, libraries in catalog.files.items():
            for library in libraries:
                if library.name == name and version in {None, library.version}:
                    if file in catalog.broken:
                        return None
                    try:
                        content = (self.folder / f"{file}.py").read_bytes()
                    except OSError:
                        return None  # deleted, and the catalog has not seen it yet
                    return LibrarySource(library.name, library.version, content)
        return None
