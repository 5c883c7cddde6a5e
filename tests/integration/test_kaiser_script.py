import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.integration.embedded import PROJECT

OLD = 'case "$*" in *version_info*) exit 1;; *) echo Python 3.9.2;; esac'
WITHOUT_VENV = 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac'
THIS_PYTHON = f'exec "{sys.executable}" "$@"'
SAYS_ITS_ARGUMENTS = 'echo "$PYTHONPATH" "$@"'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a directory with the script and a lock file, its name as awkward as people's are."""
    root = tmp_path / "my green house"
    root.mkdir()
    shutil.copy(PROJECT / "kaiser", root)
    (root / "requirements.lock").write_text("nothing==1.0\n")
    return root


def wheel(directory: Path) -> str:
    """Make a package `nothing` for pip to find, and return its hash."""
    directory.mkdir()
    path = directory / "nothing-1.0-py3-none-any.whl"
    info = "nothing-1.0.dist-info"
    with ZipFile(path, "w") as archive:
        archive.writestr("nothing.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return sha256(path.read_bytes()).hexdigest()


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(checkout: Path, *words: str, python: str = "exit 1") -> "subprocess.CompletedProcess[str]":
    """Run the script from another directory, on a computer where every python3 is as given."""
    programs = checkout.parent / "bin"
    for name in ("python3", *(f"python3.{minor}" for minor in range(11, 15))):
        program(programs / name, python)
    return subprocess.run(  # noqa: S603 - our own script
        [str(checkout / "kaiser"), *words],
        cwd="/",
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(checkout.parent / "wheels"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def has_environment(checkout: Path) -> None:
    python = checkout / ".venv/bin/python"
    program(python, SAYS_ITS_ARGUMENTS)
    digest = sha256((checkout / "requirements.lock").read_bytes()).hexdigest()
    (checkout / ".venv/installed-requirements.lock").write_text(f"{digest}  - {python}\n")


def test_an_environment_that_is_up_to_date_is_used_without_a_word(checkout: Path) -> None:
    has_environment(checkout)
    result = run(checkout, "serve", "--an option")
    assert result.stdout == f"{checkout} -P -m app serve --an option\n"
    assert result.stderr == ""


def test_it_is_found_through_a_link(checkout: Path) -> None:
    has_environment(checkout)
    link = checkout.parent / "kaiser"
    link.symlink_to(checkout / "kaiser")
    assert str(checkout) in run(link.parent, "serve").stdout


def test_a_changed_lock_file_is_noticed(checkout: Path) -> None:
    has_environment(checkout)
    (checkout / "requirements.lock").write_text("nothing==2.0\n")
    result = run(checkout, "setup")
    assert "installing the packages of requirements.lock" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("python", "advice"),
    [
        (OLD, "needs Python 3.11 or later, and finds Python 3.9.2"),
        (WITHOUT_VENV, "run: sudo apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_told_in_one_line(
    checkout: Path, python: str, advice: str
) -> None:
    result = run(checkout, "serve", python=python)
    assert result.returncode == 1
    assert advice in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_what_the_lock_file_names_is_installed_once(checkout: Path) -> None:
    digest = wheel(checkout.parent / "wheels")
    (checkout / "requirements.lock").write_text(f"nothing==1.0 --hash=sha256:{digest}\n")
    first = run(checkout, "setup", python=THIS_PYTHON)
    assert first.returncode == 0, first.stderr
    assert list((checkout / ".venv").glob("lib/python3.*/site-packages/nothing.py"))
    second = run(checkout, "setup", python=THIS_PYTHON)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_a_package_without_its_hash_is_not_installed(checkout: Path) -> None:
    wheel(checkout.parent / "wheels")
    result = run(checkout, "setup", python=THIS_PYTHON)
    assert result.returncode == 1
    assert "hash" in result.stderr.lower()
    assert "cannot install the packages" in result.stderr
    assert not (checkout / ".venv/installed-requirements.lock").exists()
