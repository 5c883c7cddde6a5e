"""Loads library files; a file that is broken never replaces a library that works.

Python caches what it imports, under a name and in `__pycache__`: importing a changed file again may
give the old code. So the bytes of a file are read and compiled here, and nothing is imported.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType

from sensor_libs.api import SensorLibrary, Vector

BUILT_IN = Path(__file__).parent / "libraries"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every library that works, as of one moment; a change makes another catalog.

    Attributes:
        files: The libraries of each file, by its name.
        broken: Why the newest version of a file is not in use, by its name.
        by_type: The library of each sensor type.
    """

    files: Mapping[str, tuple[SensorLibrary, ...]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    by_type: Mapping[str, SensorLibrary] = field(init=False)

    def __post_init__(self) -> None:
        by_type = {
            sensor_type: library
            for libraries in self.files.values()
            for library in libraries
            for sensor_type in library.sensor_types
        }
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))
        object.__setattr__(self, "broken", MappingProxyType(dict(self.broken)))
        object.__setattr__(self, "by_type", MappingProxyType(by_type))


def load_built_in() -> Catalog:
    """Load the libraries that come with the server."""
    return load(BUILT_IN)


def load(folder: Path, previous: Catalog | None = None) -> Catalog:
    """Read every library file of a folder afresh; one whose name starts with _ is none.

    Args:
        folder: Where the files are.
        previous: The catalog in use: a file that is broken now keeps the libraries it has there.

    Returns:
        The new catalog, with the reason for every file that could not be taken.
    """
    paths = sorted(folder.glob("[!_]*.py"))
    kept = {p.stem: previous.files.get(p.stem, ()) for p in paths} if previous else {}
    owners = {t: stem for stem, libraries in kept.items() for t in _types(libraries)}
    files: dict[str, tuple[SensorLibrary, ...]] = {}
    broken: dict[str, str] = {}
    for path in paths:
        try:
            libraries = _read(path)
            _claim(path.stem, libraries, owners)
        # Somebody else's code: it may raise anything, and must not end the server.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            broken[path.stem] = f"{type(error).__name__}: {error}"
            libraries = kept.get(path.stem, ())
        if libraries:
            files[path.stem] = libraries
    return Catalog(files, broken)


def _read(path: Path) -> tuple[SensorLibrary, ...]:
    module = ModuleType(f"sensor_libs.libraries.{path.stem}")
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - running library files is what this module is for
    libraries = module.__dict__.get("LIBRARIES")
    if not isinstance(libraries, tuple) or not libraries:
        raise TypeError("defines no tuple LIBRARIES")
    for library in libraries:
        if not isinstance(library, SensorLibrary):
            raise TypeError(f"{library!r} in LIBRARIES is no SensorLibrary")
        for vector in library.vectors:
            _check(library, vector)
    return libraries


def _check(library: SensorLibrary, vector: Vector) -> None:
    value, quality, _ = library.measure(vector.raw)
    if quality is not vector.quality or not _same(value, vector.value):
        raise ValueError(
            f"{library.name}: {vector.raw} gives {value} {quality}, "
            f"but must give {vector.value} {vector.quality}"
        )


def _same(value: float | None, expected: float | None) -> bool:
    if value is None or expected is None:
        return value is expected
    return math.isclose(value, expected, abs_tol=1e-9)


def _types(libraries: tuple[SensorLibrary, ...]) -> list[str]:
    return [sensor_type for library in libraries for sensor_type in library.sensor_types]


def _claim(file: str, libraries: tuple[SensorLibrary, ...], owners: dict[str, str]) -> None:
    types = _types(libraries)
    for sensor_type in types:
        if (owner := owners.get(sensor_type, file)) != file:
            raise ValueError(f"{sensor_type} belongs to {owner} already")
        if types.count(sensor_type) > 1:
            raise ValueError(f"{sensor_type} is named more than once")
    owners.update(dict.fromkeys(types, file))
