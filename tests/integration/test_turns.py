"""Who must be alone is alone, and is not kept waiting by those who need not."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.turns import Turns

ROOT = Path(__file__).parents[2]
TAKE_ONE = """
import sys
from pathlib import Path
from tests.turns import Turns
with Turns(Path(sys.argv[1])).take(alone=sys.argv[2] == "alone"):
    print("has its turn", flush=True)
    sys.stdin.readline()
"""


class Neighbour:
    """Another process that asks for a turn, and has it until it is told that it is enough."""

    def __init__(self, file: Path, how: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", TAKE_ONE, str(file), how],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def waits(self) -> None:
        """See in proc_locks(5) that it waits for a lock."""

        def blocked() -> bool:
            lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
            return any(words[1] == "->" and words[5] == str(self._process.pid) for words in lines)

        await eventually(blocked, what="it waits for its turn")

    def has_its_turn(self) -> bool:
        assert self._process.stdout is not None
        return self._process.stdout.readline() == "has its turn\n"

    def ends(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "turns"


@pytest.fixture
def turns(file: Path) -> Iterator[Turns]:
    turns = Turns(file)
    yield turns
    turns.close()


@pytest.fixture
def neighbour(file: Path) -> Iterator[Callable[[str], Neighbour]]:
    with ExitStack() as stack:

        def start(how: str) -> Neighbour:
            one = Neighbour(file, how)
            stack.callback(one.ends)
            return one

        yield start


def test_those_who_need_not_be_alone_have_their_turns_together(
    turns: Turns, neighbour: Callable[[str], Neighbour]
) -> None:
    with turns.take(alone=False):
        assert neighbour("shared").has_its_turn()


@pytest.mark.parametrize("how", ["shared", "alone"])
async def test_nobody_is_beside_one_who_must_be_alone(
    turns: Turns, neighbour: Callable[[str], Neighbour], how: str
) -> None:
    with turns.take(alone=True):
        other = neighbour(how)
        await other.waits()
    assert other.has_its_turn()


async def test_who_comes_later_does_not_overtake_one_who_must_be_alone(
    turns: Turns, neighbour: Callable[[str], Neighbour]
) -> None:
    with turns.take(alone=False):
        alone = neighbour("alone")
        await alone.waits()
        late = neighbour("shared")
        await late.waits()
    assert alone.has_its_turn()
    await late.waits()
    alone.ends()
    assert late.has_its_turn()
