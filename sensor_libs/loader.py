"""Makes a catalog of libraries from the bytes of their files; broken ones never replace good ones.

Python caches what it imports, under a name and in `__pycache__`: importing a changed file again may
give the old code. So the bytes of a file are read and compiled here, and nothing is imported.
Reading is one step, and what becomes of the bytes another, which touches nothing outside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from errno import EINVAL
from pathlib import Path
from stat import S_ISREG
from types import MappingProxyType, ModuleType
from typing import NamedTuple

from sensor_libs.api import SensorLibrary
from sensor_libs.vectors import misses

BUILT_IN = Path(__file__).parent / "libraries"

LARGEST_FILE = 2**20
"""Bytes of a library file."""


class Source(NamedTuple):
    """A library file as it was read.

    Attributes:
        file: Its name in the catalog: without `.py`, and below `own/` where it is the user's.
        path: Where it is.
        content: Its bytes; None: it could not be read.
        is_built_in: Whether it came with the server.
        fault: Why it could not be read.
    """

    file: str
    path: Path
    content: bytes | None
    is_built_in: bool = True
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every library that works, as of one moment; a change makes another catalog.

    Attributes:
        files: The libraries of each file, by its name; the user's after those that came along.
        broken: Why the newest version of a file is not in use, by its name.
        paths: Where each file is, by its name.
        own: The names of the user's files: their code is not trusted.
        by_type: The library of each sensor type, and of each alias; the user's go first.
    """

    files: Mapping[str, tuple[SensorLibrary, ...]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    by_type: Mapping[str, SensorLibrary] = field(init=False)

    def __post_init__(self) -> None:
        by_type = {
            sensor_type: library
            for libraries in self.files.values()
            for library in libraries
            for sensor_type in (*library.sensor_types, *library.aliases)
        }
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))
        object.__setattr__(self, "broken", MappingProxyType(dict(self.broken)))
        object.__setattr__(self, "paths", MappingProxyType(dict(self.paths)))
        object.__setattr__(self, "by_type", MappingProxyType(by_type))


def load_built_in() -> Catalog:
    """Load the libraries that come with the server."""
    return load(BUILT_IN)


def load(folder: Path, previous: Catalog | None = None, *, own: Path | None = None) -> Catalog:
    """Read every library file afresh; see `catalog_of`.

    Args:
        folder: Where the files are that come with the server.
        previous: The catalog in use.
        own: Where the user's are, if there are any.
    """
    sources = [*read_folder(folder), *(read_folder(own, is_built_in=False) if own else ())]
    return catalog_of(sources, previous)


def read_folder(folder: Path, *, is_built_in: bool = True) -> Sequence[Source]:
    """Read the library files of a folder; one whose name starts with _ is none."""
    return [read_file(path, is_built_in=is_built_in) for path in sorted(folder.glob("[!_]*.py"))]


def read_file(path: Path, *, is_built_in: bool = True) -> Source:
    """Read one file; one that cannot be read says why."""
    file = path.stem if is_built_in else f"own/{path.stem}"
    try:
        content, fault = _read(path), None
    except OSError as error:
        content, fault = None, f"cannot be read: {error.strerror}"
    if content is None or len(content) > LARGEST_FILE:
        fault = fault or f"not read: larger than {LARGEST_FILE} bytes"
        return Source(file, path, None, is_built_in, fault)
    return Source(file, path, content, is_built_in)


def _read(path: Path) -> bytes:
    """Read no more of a file than shows that it is too large, and nothing that has no end."""
    if not S_ISREG(path.stat().st_mode):
        raise OSError(EINVAL, "it is no file")
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


class Tried(NamedTuple):
    """A file and what became of it.

    Attributes:
        libraries: What it defines; none when it is broken.
        fault: Why it is broken.
    """

    source: Source
    libraries: tuple[SensorLibrary, ...] = ()
    fault: str | None = None


def catalog_of(sources: Iterable[Source], previous: Catalog | None = None) -> Catalog:
    """Make a catalog of files that were read; runs all of them here.

    Args:
        sources: Those that came with the server first.
        previous: The catalog in use: a file that is broken now keeps the libraries it has there.

    Returns:
        The new catalog, with the reason for every file that could not be taken.
    """
    return assemble([try_here(source) for source in sources], previous)


def try_here(source: Source) -> Tried:
    """Run a file, and its vectors; one that is broken says why."""
    try:
        libraries = compile_source(source)
        for library in libraries:
            for miss in misses(library):
                return Tried(source, fault=f"{library.name}: {miss.says}")
    # Somebody else's code: it may raise anything, and must not end the server.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return Tried(source, fault=f"{type(error).__name__}: {error}")
    return Tried(source, libraries)


def assemble(tried: Sequence[Tried], previous: Catalog | None = None) -> Catalog:
    """Make a catalog of files that were tried; see `catalog_of`."""
    kept = previous.files if previous else {}
    claims = _Claims()
    for one in tried:
        claims.take(one.source, kept.get(one.source.file, ()))
    files: dict[str, tuple[SensorLibrary, ...]] = {}
    broken: dict[str, str] = {}
    for source, libraries, fault in tried:
        why = fault or claims.conflict(source, libraries)
        if why is None:
            claims.take(source, libraries)
            files[source.file] = libraries
            continue
        broken[source.file] = why
        if source.file in kept:
            files[source.file] = kept[source.file]
    paths = {one.source.file: one.source.path for one in tried}
    own = frozenset(one.source.file for one in tried if not one.source.is_built_in)
    return Catalog(files, broken, paths, own)


def compile_source(source: Source) -> tuple[SensorLibrary, ...]:
    """Run a library file and return what it defines; raises whatever it raises."""
    if source.content is None:
        raise OSError(source.fault)
    module = ModuleType(f"sensor_libs.libraries.{source.path.stem}")
    code = compile(source.content, str(source.path), "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - running library files is what this module is for
    libraries = module.__dict__.get("LIBRARIES")
    if not isinstance(libraries, tuple) or not libraries:
        raise TypeError("defines no tuple LIBRARIES")
    for library in libraries:
        if not isinstance(library, SensorLibrary):
            raise TypeError(f"{library!r} in LIBRARIES is no SensorLibrary")
    return libraries


class _Claims:
    """Which file a name or a sensor type belongs to.

    Names stand in stored readings, so there is one of each. A sensor type may be read by one
    library that came along and by one of the user's, which then goes first.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._types: dict[tuple[bool, str], str] = {}

    def take(self, source: Source, libraries: Iterable[SensorLibrary]) -> None:
        for library in libraries:
            self._names[library.name] = source.file
            for sensor_type in (*library.sensor_types, *library.aliases):
                self._types[source.is_built_in, sensor_type] = source.file

    def conflict(self, source: Source, libraries: Sequence[SensorLibrary]) -> str | None:
        """Say what of a file's libraries belongs to another; None: nothing does."""
        names = [library.name for library in libraries]
        types = [t for library in libraries for t in (*library.sensor_types, *library.aliases)]
        for sensor_type in types:
            owner = self._types.get((source.is_built_in, sensor_type), source.file)
            if owner != source.file:
                return f"{sensor_type} belongs to {owner} already"
        for name in names:
            if (owner := self._names.get(name, source.file)) != source.file:
                return f"the name {name} belongs to {owner} already"
        for word in (*types, *names):
            if types.count(word) > 1 or names.count(word) > 1:
                return f"{word} is named more than once"
        return None
