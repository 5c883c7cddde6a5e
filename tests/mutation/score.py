"""Says how well the tests watch over what decides about safety: `python -m tests.mutation.score`.

mutmut changes the code a little, again and again; a change that no test notices has survived. The
score is the share of changes that were noticed, of those that make a difference; `equivalent.toml`
lists the others, each with the reason. The run is the same each time: property tests draw the same
examples, and state machines, which find by luck what nobody told them to look for, have no part.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

WATCHED = ("domain/safety.py", "domain/leases.py", "domain/emergency_latch.py")
TESTS = (
    "tests/unit/test_safety.py",
    "tests/unit/test_leases.py",
    "tests/unit/test_emergency_latch.py",
    "tests/unit/test_emergency_latch_orders.py",
    "tests/unit/test_emergency_latch_signs.py",
)
LOWEST = 95.0
"""Percent of the changes that must be noticed."""

_ROOT = Path(__file__).parents[2]
_EQUIVALENT = Path(__file__).with_name("equivalent.toml")
_PACKAGES = (
    *("domain", "schema", "resolvers", "mqtt_bridge", "sensor_libs", "storage", "simulator"),
    *("app", "tests"),
)
_LISTED = re.compile(r"^\s*(?P<name>\S+__mutmut_\d+): (?P<verdict>[a-z ]+)$", re.MULTILINE)
_FUNCTION = re.compile(r"\.x_?(?:ǁ(?P<owner>\w+)ǁ)?(?P<name>\w+?)__mutmut_\d+$")
_NOTICED = {"killed", "timeout"}
_MISSED = {"survived", "no tests"}

_SETUP = """
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]

[tool.mutmut]
source_paths = ["domain"]
only_mutate = {watched}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = {arguments}
also_copy = {packages}
timeout_constant = 10.0
"""
_ARGUMENTS = (
    *("-p", "tests.mutation.same_examples", "-p", "no:cacheprovider"),
    *("--noconftest", "-k", "not TestGreenhouse"),
)


class Change(NamedTuple):
    """A change of the code.

    Attributes:
        where: The function, such as `domain.safety._overused` or `domain.leases.Lease.moved`.
        before: Its line as it is; the first, if there are several.
        after: The line in its place.
    """

    where: str
    before: str
    after: str


def main() -> int:
    """Try every change, print the score, and return 1 where it is too low."""
    with tempfile.TemporaryDirectory(prefix="kaiser-mutants-") as place:
        _prepare(Path(place))
        verdicts = _try_all(Path(place))
        survivors = [
            _change(name, _mutmut(Path(place), "show", name))
            for name, verdict in verdicts.items()
            if verdict in _MISSED
        ]
    known = _equivalent()
    missed = [change for change in survivors if change not in known]
    wrong = sorted(known - set(survivors))
    for change in missed:
        print(f"not noticed: {change.where}\n  - {change.before}\n  + {change.after}")
    for change in wrong:
        print(f"listed as equivalent, but noticed or gone: {change.where}: {change.after}")
    differing = len(verdicts) - (len(survivors) - len(missed))
    score = 100.0 * (differing - len(missed)) / differing
    print(
        f"mutation score: {score:.1f} % ({differing - len(missed)} of {differing} changes noticed, "
        f"{len(verdicts) - differing} make no difference; at least {LOWEST:g} % wanted)"
    )
    return int(score < LOWEST or bool(wrong))


def _prepare(place: Path) -> None:
    for package in _PACKAGES:
        shutil.copytree(
            _ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    setup = _SETUP.format(
        watched=_toml(WATCHED),
        tests=_toml(TESTS),
        arguments=_toml(_ARGUMENTS),
        packages=_toml([package for package in _PACKAGES if package not in {"domain", "tests"}]),
    )
    (place / "pyproject.toml").write_text(setup, "utf-8")


def _toml(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _try_all(place: Path) -> Mapping[str, str]:
    """Try every change, and return what became of each, by its name."""
    said = _mutmut(place, "run")
    verdicts = {
        found["name"]: found["verdict"]
        for found in _LISTED.finditer(_mutmut(place, "results", "--all", "true"))
    }
    if not verdicts or set(verdicts.values()) - _NOTICED - _MISSED:
        raise SystemExit(f"mutmut did not come to its end:\n{said[-3000:]}")
    return verdicts


def _change(name: str, shown: str) -> Change:
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++"))]
    before = next((line[1:].strip() for line in lines if line.startswith("-")), "")
    after = next((line[1:].strip() for line in lines if line.startswith("+")), "")
    function = _FUNCTION.search(name)
    if function is None:
        raise SystemExit(f"mutmut names its changes differently than it did: {name}")
    module = name[: function.start()]
    parts = (module, function["owner"], function["name"])
    return Change(".".join(part for part in parts if part), before, after)


def _equivalent() -> set[Change]:
    listed = tomllib.loads(_EQUIVALENT.read_text("utf-8")).get("equivalent", [])
    if not all(entry["why"] for entry in listed):
        raise SystemExit(f"{_EQUIVALENT.name}: every change needs its reason")
    return {Change(entry["where"], entry["before"], entry["after"]) for entry in listed}


def _mutmut(place: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=place,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
