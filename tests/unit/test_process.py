"""One task group: a part that dies takes all with it; a signal lets the work in hand finish."""

import asyncio

import pytest

from app.process import JobEndedError, run_jobs
from tests.fakes import until


class Part:
    """Runs for ever and notes how it ended."""

    def __init__(self) -> None:
        self.started = False
        self.cancelled = False

    async def __call__(self) -> None:
        self.started = True
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def nothing() -> None:
    """Finishes at once."""


async def test_a_part_that_dies_ends_all_others_and_its_error_comes_out() -> None:
    other = Part()

    async def dies() -> None:
        await until(lambda: other.started)
        raise OSError("the heart stopped")

    with pytest.raises(ExceptionGroup) as caught:
        await run_jobs({"other": other, "heart": dies}, asyncio.Event(), nothing)
    assert caught.group_contains(OSError, match="the heart stopped")
    assert other.cancelled


async def test_a_part_that_ends_by_itself_is_an_error_too() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run_jobs({"short": nothing, "other": Part()}, asyncio.Event(), nothing)
    assert caught.group_contains(JobEndedError, match="short ended by itself")


async def test_when_told_to_stop_the_work_in_hand_is_finished_before_the_parts_end() -> None:
    part, stop, order = Part(), asyncio.Event(), list[str]()

    async def finish() -> None:
        assert not part.cancelled
        order.append("finished")

    async with asyncio.TaskGroup() as group:
        group.create_task(run_jobs({"part": part}, stop, finish))
        await until(lambda: part.started)
        stop.set()
    assert (order, part.cancelled) == (["finished"], True)


async def test_work_that_does_not_finish_in_time_is_left_to_redelivery() -> None:
    part, stop = Part(), asyncio.Event()

    async def finish() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(3), asyncio.TaskGroup() as group:
        group.create_task(run_jobs({"part": part}, stop, finish))
        await until(lambda: part.started)
        stop.set()
    assert part.cancelled
