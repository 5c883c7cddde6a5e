"""The rules that the layout stands on; a rule without a check is a wish."""

import ast
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = (
    "app",
    "bench",
    "domain",
    "migrations",
    "mqtt_bridge",
    "resolvers",
    "schema",
    "sensor_libs",
    "simulator",
    "storage",
    "tests",
)
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


EVERY_MODULE = modules(*OURS)
SERVER_MODULES = modules(*(set(OURS) - {"tests", "bench", "migrations"}))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_the_arrows_between_the_layers_point_where_they_should() -> None:
    result = subprocess.run(  # noqa: S603 - a program of our own environment
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", EVERY_MODULE, ids=label)
def test_no_file_is_longer_than_500_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", modules(*(set(OURS) - {"migrations"})), ids=label)
def test_no_function_is_longer_than_60_lines(path: Path) -> None:
    long = {f.name: code_lines(f) for f in functions(ast.parse(path.read_text()))}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", SERVER_MODULES, ids=label)
def test_every_module_says_why_it_exists(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


BANNED = {
    "datetime.now": "time comes in through domain.ports.Clock",
    "datetime.utcnow": "time comes in through domain.ports.Clock",
    "time.time": "time comes in through domain.ports.Clock",
    "asyncio.create_task": "start tasks in a TaskGroup",
    "asyncio.ensure_future": "start tasks in a TaskGroup",
    "asyncio.Queue()": "every queue has a size",
    "print": "log an event, or hand in what tells the operator",
}


def calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield name
            if not node.args and not node.keywords:
                yield f"{name}()"


@pytest.mark.parametrize("path", SERVER_MODULES, ids=label)
def test_nothing_banned_is_called(path: Path) -> None:
    if path == ROOT / "app" / "clock.py":
        return  # the adapter that the ban points to
    found = {name: BANNED[name] for name in calls(ast.parse(path.read_text())) if name in BANNED}
    assert found == {}


def test_the_ban_would_notice() -> None:
    assert set(calls(ast.parse("asyncio.create_task(job())\nasyncio.Queue()"))) & set(BANNED)


@pytest.mark.parametrize("path", EVERY_MODULE, ids=label)
def test_no_mock_library_is_used(path: Path) -> None:
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, ast.alias(getattr(node, "module", None) or "")]
    }
    assert not {name for name in imported if "mock" in name.split(".")}


def test_no_installed_distribution_provides_one_of_our_names() -> None:
    assert set(OURS) & set(importlib.metadata.packages_distributions()) == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_pin_by_hash_and_hold_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)
