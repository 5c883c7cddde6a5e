"""What the documents name is there: files, links, modules, make targets and settings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILES = {
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.*")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts[:-1])
}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
EXAMPLES = {"lm35.py"}
"""Files that a reader is to write."""

_QUOTED = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_FILE = re.compile(r"[\w./-]+\.(?:py|md|json|graphql|toml|js|lock)")
_MODULE = re.compile(r"\b((?:bench|tests|app|sensor_libs)(?:\.\w+)+)")


def missing(document: Path, text: str) -> Iterator[str]:
    """Yield what a document names, and is not there."""
    for link in _LINK.findall(text):
        if "://" not in link and not (document.parent / link).exists():
            yield link
    for said in _QUOTED.findall(text):
        words = said.split()
        if _FILE.fullmatch(said) and said not in EXAMPLES and not _is_there(said):
            yield said
        if words[0] == "python" or said.startswith("bench."):
            yield from (name for name in _MODULE.findall(said) if not _is_module(name))
        if words[0] == "make" and len(words) > 1 and f"\n{words[1]}:" not in MAKEFILE:
            yield said
        if said.startswith(PREFIX) and not _is_setting(said.partition("=")[0]):
            yield said


def _is_there(name: str) -> bool:
    return any(file == name or file.endswith(f"/{name}") for file in FILES)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def _is_setting(name: str) -> bool:
    return name.removeprefix(PREFIX).lower() in Settings.model_fields


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_everything_that_a_document_names_is_there(document: Path) -> None:
    assert list(missing(document, document.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "[0099](docs/decisions/0099-nothing.md)",
        "`domain/nothing.py`",
        "`python -m bench.nothing`",
        "`make nothing`",
        "`KAISER_NOTHING=1`",
    ],
)
def test_what_is_not_there_would_be_noticed(wrong: str) -> None:
    assert len(list(missing(ROOT / "README.md", wrong))) == 1
