"""A million random steps through the real services, in virtual time, and where one fails: which.

Each life of a plant has a seed of its own, and each step of it, too, so that steps can be left out:
of the life that failed as few are told as it takes. `make soak` runs it.
"""

import gc
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from random import Random
from typing import Any, NamedTuple

from typing_extensions import override

from tests.plant_operations import OPERATIONS, Operation, look
from tests.virtual_plant import Plant

PER_LIFE = 200
"""Steps of one plant: long enough that its start costs little, short enough to be told."""

LIVES_AT_ONCE = 50
"""Lives after which it is said how far it has come."""

LEAST_LIKELY = 0.05
"""How often each operation happens at least, beside one that happens often."""


class Step(NamedTuple):
    """An operation, and the seed of what it draws."""

    operation: Operation
    seed: int


class Spoken(Random):
    """Remembers what was drawn, to be told."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.drawn: list[Any] = []

    @override
    def uniform(self, a: float, b: float) -> float:
        self.drawn.append(super().uniform(a, b))
        return float(self.drawn[-1])

    @override
    def choice(self, seq: Any) -> Any:
        self.drawn.append(super().choice(seq))
        return self.drawn[-1]


def steps_of(seed: int) -> Sequence[Step]:
    """Return the steps of a life; what happens often differs from life to life."""
    random = Random(seed)
    weights = [max(LEAST_LIKELY, random.random()) ** 2 for _ in OPERATIONS]
    chosen = random.choices(OPERATIONS, weights, k=PER_LIFE)
    return [Step(operation, random.getrandbits(32)) for operation in chosen]


def failure_of(seed: int, steps: Sequence[Step], *, watched: bool = True) -> tuple[int, str] | None:
    """Live through these steps; return how many were taken and what is wrong; None: nothing."""
    plant = Plant(expires=seed % 2 == 0, watched=watched, ruled=True)
    with closing(plant):
        number = 0
        try:
            plant.measure(50.0)
            look(plant)
            for number, step in enumerate(steps, start=1):  # noqa: B007 - told where one fails
                step.operation(plant, Random(step.seed))
                look(plant)
        except Exception as error:  # noqa: BLE001 - whatever is wrong is told with its seed
            return number, f"{type(error).__name__}: {error}"
    return None


def shortest(seed: int, steps: Sequence[Step], *, watched: bool = True) -> Sequence[Step]:
    """Leave out what a failure does not need, in pieces that become smaller."""
    size = len(steps) // 2
    while size:
        start = 0
        while start < len(steps):
            fewer = [*steps[:start], *steps[start + size :]]
            found = failure_of(seed, fewer, watched=watched)
            if found is None:
                start += size
            else:
                steps = fewer[: found[0]]
        size //= 2
    return steps


def live(seed: int) -> str | None:
    """Live a life; return what failed and how to see it again; None: nothing did."""
    steps = steps_of(seed)
    found = failure_of(seed, steps)
    if found is None:
        return None
    fewest = shortest(seed, steps[: found[0]])
    last = failure_of(seed, fewest)
    told = [f"life {seed}, step {found[0]}: {found[1]}"]
    told.append(f"again: KAISER_SEED={seed} KAISER_STEPS={PER_LIFE} make soak; its steps:")
    for step in fewest:
        plant, spoken = Plant(), Spoken(step.seed)
        with closing(plant):
            step.operation(plant, spoken)
        told.append(f"  {step.operation.__name__} {spoken.drawn}")
    told.append(f"  -> {last[1] if last else 'only with all of its steps'}")
    return "\n".join(told)


def main() -> int:
    """Take as many steps as `KAISER_STEPS` says, from the life `KAISER_SEED` on."""
    lives = max(1, int(os.environ.get("KAISER_STEPS", "1000000")) // PER_LIFE)
    first = int(os.environ.get("KAISER_SEED", "1"))
    workers = min(lives, int(os.environ.get("KAISER_CORES", "1")))
    began, failed = time.perf_counter(), 0
    gc.freeze()
    with ProcessPoolExecutor(workers) as pool:
        for done, found in enumerate(pool.map(live, range(first, first + lives)), start=1):
            if found is not None:
                failed += 1
                sys.stdout.write(f"{found}\n")
            if done % LIVES_AT_ONCE == 0 or done == lives:
                seconds = time.perf_counter() - began
                speed = done * PER_LIFE / seconds
                sys.stdout.write(
                    f"{done * PER_LIFE} steps in {seconds:.0f} s ({speed:.0f} a second), "
                    f"{failed} of {done} lives failed\n"
                )
                sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
