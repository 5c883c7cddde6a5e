"""What is sent to a device is the text of the library in use, byte for byte, or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.library_installations import LARGEST_LIBRARY
from sensor_libs.loader import BUILT_IN, Catalog, load, load_built_in
from sensor_libs.sources import LibraryFiles

Copy = Callable[[str], Path]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Put a library that comes with the server where a test may spoil it."""

    def put(name: str) -> Path:
        file = tmp_path / f"{name}.py"
        file.write_bytes((BUILT_IN / f"{name}.py").read_bytes())
        return file

    return put


def test_every_library_can_be_sent_as_it_stands_in_its_file() -> None:
    catalog = load_built_in()
    files = LibraryFiles(lambda: catalog)
    for file, libraries in catalog.files.items():
        for library in libraries:
            found = files.find(library.name, None)
            assert found is not None, library.name
            assert found == files.find(library.name, library.version)
            assert (found.name, found.version) == (library.name, library.version)
            assert found.content == catalog.paths[file].read_bytes()
            assert 0 < len(found.content) <= LARGEST_LIBRARY


@pytest.mark.parametrize(("name", "version"), [("nothing", None), ("ph", "0.0.1")])
def test_what_is_not_in_use_is_not_found(name: str, version: str | None) -> None:
    catalog = load_built_in()
    assert LibraryFiles(lambda: catalog).find(name, version) is None


def test_the_catalog_of_the_moment_is_what_counts(copy: Copy) -> None:
    copy("ph")
    catalogs = [Catalog()]
    files = LibraryFiles(lambda: catalogs[-1])
    assert files.find("ph", None) is None
    catalogs.append(load(copy("ph").parent))
    assert files.find("ph", None) is not None


def test_a_text_that_is_broken_now_or_gone_is_not_sent(copy: Copy) -> None:
    file = copy("ph")
    good = load(file.parent)
    file.write_text("LIBRARIES = 'none'")
    broken = load(file.parent, good)
    assert "ph" in broken.files, "it goes on working here"
    assert LibraryFiles(lambda: broken).find("ph", None) is None
    file.unlink()
    assert LibraryFiles(lambda: good).find("ph", None) is None
