"""A library file may become anything; what is no text is refused, and never read to no end."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from domain.sensor_libraries import LibraryState
from tests.integration.own_libraries import loaded, text


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


NO_TEXTS: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "a directory": (Path.mkdir, "it is no file"),
    "a pipe that nobody writes to": (os.mkfifo, "it is no file"),
    "a device without end": (lambda path: path.symlink_to("/dev/zero"), "it is no file"),
    "a link to nowhere": (lambda path: path.symlink_to("nowhere"), "No such file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "Too many levels"),
    "far too large": (large, "larger than"),
    "in no known encoding": (lambda path: path.write_bytes(b"x = '\xff'"), "SyntaxError"),
    "nothing but zeros": (lambda path: path.write_bytes(bytes(99)), "null bytes"),
}
"""What a file may become, and what is said of it."""


@pytest.mark.parametrize("case", NO_TEXTS)
async def test_a_file_that_becomes_what_is_no_text_keeps_its_last_good_version(
    tmp_path: Path, case: str
) -> None:
    become, reason = NO_TEXTS[case]
    async with loaded(tmp_path, hostile=text("hostile")) as libraries:
        file = tmp_path / "hostile.py"
        file.unlink()
        become(file)
        async with asyncio.timeout(5):
            assert await libraries.shelf.signature()
            await libraries.shelf.reload()
        assert await libraries.values(("hostile", 5.0)) == [10.0]
        shown = libraries.shown("hostile")
        assert (shown.state, shown.version) == (LibraryState.BROKEN, "1.0.0")
        assert reason in str(shown.error)


async def test_a_link_is_as_good_as_the_file_that_it_leads_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "text").write_text(text("hostile"))
    (tmp_path / "hostile.py").symlink_to(elsewhere / "text")
    async with loaded(tmp_path) as libraries:
        before = await libraries.shelf.signature()
        assert await libraries.values(("hostile", 5.0)) == [10.0]
        (elsewhere / "text").write_text(text("hostile", version="1.0.10"))
        assert await libraries.shelf.signature() != before
