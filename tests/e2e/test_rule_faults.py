"""Exactly one execution for each edge, whatever is killed, and in whatever moment.

`make faults` lives through 120 outages of every kind; here it is some of them.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.dying_server import Mistake, Window
from tests.e2e.rule_faults import FAULTS, SERVER, Fault, plant

ROUNDS = int(os.environ.get("KAISER_FAULTS", "3"))
SEED = int(os.environ.get("KAISER_SEED", "1"))
KEPT = 0.9
"""How much of what the probe sent must be stored, or the test shows little."""


@pytest.mark.timeout(60 + 30 * ROUNDS)
async def test_every_edge_makes_one_execution_and_no_command_is_obeyed_twice(
    directory: Path,
) -> None:
    async with plant(directory, SEED) as here:
        faults = [FAULTS[number % len(FAULTS)] for number in range(ROUNDS)]
        counted = await here.live_through(faults)
        twice, share = await here.obeyed_twice(), await here.share_stored()
    sys.stdout.write(f"\n{ROUNDS} outages, {here.wave.sent} readings, {share:.1%} of them stored\n")
    sys.stdout.write("".join(f"{name}: {found}\n" for name, found in counted.items()))
    assert all(found.exact for found in counted.values())
    assert all(found.edges >= ROUNDS for found in counted.values())
    assert twice == []
    assert share > KEPT


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("mistake", "fault"),
    [
        (Mistake.FORGETS, Fault(SERVER, Window.ACTING)),
        (Mistake.LOOKS_ONLY_AHEAD, Fault(SERVER, Window.JUDGING, again=True)),
    ],
)
async def test_a_server_that_is_wrong_makes_more_or_fewer(
    directory: Path, mistake: Mistake, fault: Fault
) -> None:
    async with plant(directory, SEED, mistake) as here:
        counted = await here.live_through([fault])
    assert not all(found.exact for found in counted.values())
