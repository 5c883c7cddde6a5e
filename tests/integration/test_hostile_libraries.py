"""What a library of the user can do to others: nothing. Each case runs in real processes."""

import asyncio
import errno
import re
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from domain.calibration_fits import fit
from domain.calibrations import CalibrationMethod, CalibrationPoint
from domain.sensor_libraries import LibraryState
from domain.sensors import ProcessingMode
from sensor_libs.calibrating import LibraryLaws
from sensor_libs.loader import Catalog, Source
from sensor_libs.processing import LibraryChips
from sensor_libs.runner import LibraryRunner
from sensor_libs.worker_frames import Answers, Call, Declaration, File
from sensor_libs.worker_process import WorkerEndedError, WorkerProcess
from sensor_libs.workers import BUDGET, FileWorker, worker_of
from tests.eventually import eventually
from tests.integration.own_libraries import (
    LIBRARY,
    POISON,
    loaded,
    sample,
    text,
    why,
    workers,
)
from tests.makers import make_sensor

FORK = """
if os.fork() == 0:
    while True: pass
"""

IN_CONVERT = {
    "loops": ("while True: pass", "longer than 200 ms"),
    "loops where Python does not look": ("sum(iter(int, 1))", "longer than 200 ms"),
    "sleeps": ("time.sleep(60)", "longer than 200 ms"),
    "catches everything and loops": (
        "while True:\n    try:\n        raise SystemExit\n    except BaseException: pass",
        "longer than 200 ms",
    ),
    "takes 2 GB": ("return bytearray(2 * 2**30)", "MemoryError"),
    "takes memory bit by bit": (
        "hoard = []\nwhile True: hoard.append(bytearray(2**20))",
        "MemoryError|longer than 200 ms",
    ),
    "leaves": ("os._exit(3)", "exit code 3"),
    "leaves politely": ("sys.exit(3)", "SystemExit: 3"),
    "recurses": ("return worst(raw)", "RecursionError"),
    "raises": ("raise KeyError('no luck')", "KeyError: 'no luck'"),
    "raises what is no exception of programs": (
        "class Odd(BaseException):\n    def __str__(self): raise Odd\nraise Odd",
        "it cannot be told why",
    ),
    "crashes": ("ctypes.string_at(1)", "SIGSEGV"),
    "kills the server": ("os.kill(os.getppid(), 9)", "only computes: no os.kill"),
    "forks": (FORK, "only computes: no os.fork"),
    "starts a program": ("os.system('sleep 60')", "only computes: no os.system"),
    "starts a thread": (
        "import threading\nthreading.Thread(target=iter, args=(int, 1)).start()",
        "only computes: no thread",
    ),
    "deletes its own file": ("os.remove('hostile.py')", "only computes: no os.remove"),
    "returns something without end": ("import itertools; return itertools.count()", "ValueError"),
    "writes a file": ("open('/tmp/hostile', 'w')", "only computes: no open"),
    "closes its connection": (
        "os.closerange(3, 100)",
        "it (closed its connection|ended its process)",
    ),
    "answers with garbage": (
        "for fd in range(3, 9):\n    try: os.write(fd, b'garbage' * 99)\n    except OSError: pass",
        "",
    ),
    "returns a word": ("return 'many'", "ValueError"),
    "returns None": ("return None", "TypeError"),
    "returns a word as value": ("return Converted('many', Quality.GOOD)", "ValueError"),
    "returns a quality of its own": ("return Converted(1.0, 'good')", "is no Quality"),
    "returns a number without end": ("return Converted(10**400, Quality.GOOD)", "OverflowError"),
}
"""What `convert` does, and what is said of it."""

AT_IMPORT = {
    "loops": ("while True: pass", "does not come to an end within 1 s"),
    "sleeps": ("import time; time.sleep(60)", "does not come to an end within 1 s"),
    "takes 2 GB": ("bytearray(2 * 2**30)", "MemoryError"),
    "leaves": ("import os; os._exit(3)", "exit code 3"),
    "leaves politely": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "recurses": ("def f(): f()\nf()", "RecursionError"),
    "forks": ("import os; os.fork()", "no os.fork"),
    "closes its connection": ("import os; os.closerange(3, 100)", "it ends its process"),
    "declares far too much": (
        "from sensor_libs import api\nSOURCE = 'x' * 2**23\n"
        + LIBRARY.format(name="hostile", version="1.0.0", worst="    pass").replace(
            '"made up"', "SOURCE"
        ),
        "far too much",
    ),
    "starts a thread": (
        "import threading\nthreading.Timer(1, print).start()",
        "only computes: no thread",
    ),
    "is empty": ("", "defines no tuple LIBRARIES"),
    "is no Python": ("def", "SyntaxError"),
}


@pytest.mark.parametrize("case", IN_CONVERT)
async def test_a_conversion_that_goes_wrong_costs_itself_and_nothing_else(
    tmp_path: Path, case: str
) -> None:
    worst, reason = IN_CONVERT[case]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with loaded(tmp_path, hostile=text("hostile", worst), fine=text("fine")) as libraries:
        made = await libraries.convert(
            ("hostile", 5.0), ("ds18b20", 344.0), ("hostile", POISON), ("fine", 5.0)
        )
        assert [each.value for each in made] == [10.0, 21.5, POISON, 10.0]
        assert made[2].mode is ProcessingMode.RAW
        assert "library hostile 1.0.0 failed" in why(made[2])
        assert re.search(reason, why(made[2]))
        await libraries.until_replaced()
        assert libraries.runner.failures == {"hostile": 1}
        assert libraries.shown("hostile").state is LibraryState.READY
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize(
    ("worst", "value", "reason"),
    [
        ("return Converted(float('nan'), Quality.GOOD)", None, "outside 0 to 1000 V"),
        ("return Converted(float('inf'), Quality.GOOD)", None, "outside 0 to 1000 V"),
        ("return Converted(1e300, Quality.GOOD)", None, "outside 0 to 1000 V"),
        ("return Converted(7.0, Quality.FAIR, 'x' * 10**8)", 7.0, "xxx"),
        ("sys.stdout.close(); os.closerange(0, 3); return Converted(7, Quality.GOOD)", 7, ""),
        ("print('x' * 10**6); os.write(1, b'x' * 10**6); return Converted(7, Quality.GOOD)", 7, ""),
    ],
)
async def test_nonsense_is_judged_as_that_of_any_library(
    tmp_path: Path, worst: str, value: float | None, reason: str
) -> None:
    async with loaded(tmp_path, hostile=text("hostile", worst)) as libraries:
        (made,) = await libraries.convert(("hostile", POISON))
    assert made.value == value
    assert reason in why(made)
    assert len(why(made)) < 1000


@pytest.mark.parametrize("case", AT_IMPORT)
async def test_a_file_that_goes_wrong_when_it_is_loaded_is_refused_with_the_reason(
    tmp_path: Path, case: str
) -> None:
    worst, reason = AT_IMPORT[case]
    async with loaded(tmp_path, hostile=worst, fine=text("fine")) as libraries:
        assert await libraries.values(("ds18b20", 344.0), ("fine", 5.0)) == [21.5, 10.0]
        shown = libraries.shown("hostile")
        assert (shown.state, shown.version, shown.loaded_at) == (LibraryState.BROKEN, "", None)
        assert reason in str(shown.error)
        assert len(workers()) <= 2, "more than that of the fine file, and the spare one"


async def test_a_process_that_hangs_at_its_third_call_costs_that_one_and_not_those_before(
    tmp_path: Path,
) -> None:
    third = "worst.n = getattr(worst, 'n', 0) + 1\nwhile worst.n > 2: pass\nreturn "
    worst = third + "Converted(raw * 2, Quality.GOOD)"
    async with loaded(tmp_path, hostile=text("hostile", worst)) as libraries:
        raws = [("hostile", POISON)] * 5
        assert await libraries.values(*raws) == [132.0, 132.0, POISON, POISON, 132.0]


async def test_readings_flow_while_a_file_hangs_in_its_import(tmp_path: Path) -> None:
    async with loaded(tmp_path, fine=text("fine")) as libraries:
        libraries.write("hostile", "while True: pass")
        async with asyncio.TaskGroup() as tasks:
            loading = tasks.create_task(libraries.shelf.reload())
            batches = 0
            while not loading.done():
                assert await libraries.values(("ds18b20", 344.0), ("fine", 5.0)) == [21.5, 10.0]
                batches += 1
                await asyncio.sleep(0)
        assert batches > 20


async def test_a_poisoned_reading_costs_those_behind_it_only_time(tmp_path: Path) -> None:
    async with loaded(tmp_path, hostile=text("hostile", "while True: pass")) as libraries:
        raws = [("hostile", raw) for raw in (1.0, 2.0, POISON, 3.0, 4.0)]
        assert await libraries.values(*raws) == [2.0, 4.0, POISON, 6.0, 8.0]


async def test_three_failures_in_a_row_open_the_breaker_and_a_new_version_closes_it(
    tmp_path: Path,
) -> None:
    async with loaded(tmp_path, hostile=text("hostile", "raise ValueError('no')")) as libraries:
        await libraries.convert(*[("hostile", POISON)] * 3)
        assert libraries.failing == ["hostile 1.0.0: ValueError: no"]
        (made,) = await libraries.convert(("hostile", 5.0))
        assert (made.value, made.mode) == (5.0, ProcessingMode.RAW)
        assert "keeps failing" in why(made)
        shown = libraries.shown("hostile")
        assert (shown.state, shown.error) == (LibraryState.FAILING, "ValueError: no")
        assert (shown.calls, shown.failures) == (3, 3)
        libraries.write("hostile", text("hostile", version="1.0.1"))
        await libraries.shelf.reload()
        (made,) = await libraries.convert(("hostile", 5.0))
        assert (made.value, made.library_version) == (10.0, "1.0.1")
        assert libraries.shown("hostile").version == "1.0.1"


async def test_whoever_makes_others_wait_rests_although_it_succeeds_in_between(
    tmp_path: Path,
) -> None:
    async with loaded(tmp_path, hostile=text("hostile", "while True: pass")) as libraries:
        for _ in range(2):
            await libraries.convert(("hostile", POISON))
            await libraries.until_replaced()
        await libraries.convert(("hostile", POISON))
        assert len(libraries.failing) == 1


async def test_a_library_that_is_slow_at_all_gets_its_share_of_a_batch_and_no_more(
    tmp_path: Path,
) -> None:
    slow = text("hostile", "time.sleep(0.05)\nreturn Converted(1, Quality.GOOD)")
    async with loaded(tmp_path, hostile=slow) as libraries:
        made = await libraries.convert(*[("hostile", POISON)] * 100)
        converted = [each for each in made if each.mode is ProcessingMode.PI_ENHANCED]
        assert 5 <= len(converted) <= 11
        assert "has no time for it" in why(made[-1])


async def test_no_secret_of_the_server_reaches_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAISER_SECRET_KEY", "0" * 32)
    leak = "raise ValueError(sorted(os.environ))"
    async with loaded(tmp_path, hostile=text("hostile", leak)) as libraries:
        (made,) = await libraries.convert(("hostile", POISON))
    assert "LC_ALL" in why(made)
    assert "KAISER" not in why(made)


@asynccontextmanager
async def working(
    content: str, begin: Callable[[], Awaitable[WorkerProcess]] = WorkerProcess.start
) -> AsyncIterator[tuple[LibraryRunner, FileWorker, asyncio.Task[None]]]:
    """Have one file in use, whose process a test may retire."""
    source = Source("own/fine", Path("fine.py"), content.encode(), is_built_in=False)
    worker = FileWorker(source, begin=begin)
    runner = LibraryRunner(Catalog(files={"own/fine": await worker.load()}))
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(worker.live())
        await asyncio.sleep(0)  # it begins
        yield runner, worker, life
        life.cancel()
    assert workers() == []


async def test_a_batch_that_took_a_process_is_answered_though_that_is_retired_meanwhile() -> None:
    async with working(text("fine")) as (runner, worker, life), asyncio.TaskGroup() as tasks:
        batch = tasks.create_task(runner.measure_all([(sample("fine", 5.0), None)]))
        await asyncio.sleep(0)  # it has taken the process, and not asked it yet
        await worker.retire(life)
        (made,) = await batch
        assert (made.value, made.mode) == (10.0, ProcessingMode.PI_ENHANCED)


class SlowlyMissed(WorkerProcess):
    """A process whose end is told only when the next one has loaded the file."""

    loaded = 0

    @override
    async def load(self, file: File, within: float) -> Sequence[Declaration]:
        declared = await super().load(file, within)
        SlowlyMissed.loaded += 1
        return declared

    @override
    async def ask(self, calls: Sequence[Call], seconds: float) -> Answers:
        loaded = SlowlyMissed.loaded
        try:
            return await super().ask(calls, seconds)
        except WorkerEndedError:
            await eventually(lambda: SlowlyMissed.loaded > loaded)
            raise


async def test_a_process_that_is_replaced_before_its_end_is_told_keeps_nobody_waiting() -> None:
    async with working(text("fine", "os._exit(3)"), SlowlyMissed.start) as (runner, _, _):
        raws = (5.0, POISON, 6.0)
        made = await runner.measure_all([(sample("fine", raw), None) for raw in raws])
        assert [each.value for each in made] == [10.0, POISON, 12.0]


class ShortLived(WorkerProcess):
    """A process that dies as soon as it has loaded its file."""

    @override
    async def load(self, file: File, within: float) -> Sequence[Declaration]:
        declared = await super().load(file, within)
        self.kill()
        return declared


async def test_a_process_that_never_lives_long_is_started_ever_more_rarely() -> None:
    async with working(text("fine"), ShortLived.start) as (_, worker, _):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await eventually(lambda: worker.ended >= 7, within=20, what="it died seven times")
        assert loop.time() - begun > 1.5


async def test_where_no_process_can_be_started_any_more_only_that_library_rests() -> None:
    room = [1]

    async def start() -> WorkerProcess:
        if not room:
            raise BlockingIOError(errno.EAGAIN, "no room")
        room.pop()
        return await WorkerProcess.start()

    async with working(text("fine", "os._exit(3)"), start) as (runner, worker, life):
        await runner.measure_all([(sample("fine", POISON), None)])
        await eventually(lambda: worker.ended == 1)
        for _ in range(3):
            (made,) = await runner.measure_all([(sample("fine", 5.0), None)])
            assert made.mode is ProcessingMode.RAW
        begun = asyncio.get_running_loop().time()
        (made,) = await runner.measure_all([(sample("fine", 5.0), None)])
        assert "keeps failing" in why(made)
        assert asyncio.get_running_loop().time() - begun < BUDGET / 2
        assert not life.done()


CHANNELS = "channels=Channels(('a', 'b'), sum, 'a + b'), vectors="
PAIR = text("fine").replace("vectors=", CHANNELS).replace("FLOAT,", "FLOAT, Channels,", 1)
"""A chip that says two numbers."""


async def test_several_numbers_are_packed_though_the_process_is_retired_meanwhile() -> None:
    async with working(PAIR) as (runner, worker, life), asyncio.TaskGroup() as tasks:
        packed = tasks.create_task(LibraryChips(lambda: runner.catalog).pack("fine", (2.0, 3.0)))
        await asyncio.sleep(0)  # a thread is about to ask
        await worker.retire(life)
        assert await packed == 5.0


async def test_nobody_waits_for_a_process_that_is_retired() -> None:
    async with working(text("fine")) as (runner, worker, life):
        await worker.retire(life)
        begun = asyncio.get_running_loop().time()
        (made,) = await runner.measure_all([(sample("fine", 5.0), None)])
        assert asyncio.get_running_loop().time() - begun < BUDGET / 2
        assert made.mode is ProcessingMode.RAW


async def test_whoever_cannot_wait_asks_from_a_thread(tmp_path: Path) -> None:
    async with loaded(tmp_path, fine=text("fine")) as libraries:
        library = libraries.runner.catalog.by_type["fine"]
        assert worker_of(library) is not None
        made = await asyncio.to_thread(library.measure, 5.0)
        assert made.value == 10.0


CALIBRATED = """
from sensor_libs.api import (
    FLOAT, OFFSET, Calibrates, CalibrationMethod, Converted, Quality, Range, SensorLibrary, Vector,
)

def convert(raw, parameters):
    return Converted(raw * 2 + parameters["offset"], Quality.GOOD)

LIBRARIES = (
    SensorLibrary(
        name="own", version="1.0.0", sensor_types=("own",), raw=FLOAT, unit="V", decimals=1,
        valid=Range(0, 1000), typical=Range(10, 90), source="made up", convert=convert,
        parameters=(OFFSET,), calibrations=(Calibrates(CalibrationMethod.OFFSET, ("offset",)),),
        vectors=(Vector(1, 2.0, Quality.GOOD),),
    ),
)
"""


async def test_a_sensor_of_a_library_of_the_user_is_calibrated_with_it(tmp_path: Path) -> None:
    async with loaded(tmp_path, mine=CALIBRATED) as libraries:
        laws, sensor = LibraryLaws(libraries.runner), make_sensor("ESP_12AB34", 4, "own")
        law = laws.law(sensor, CalibrationMethod.OFFSET)
        points = [CalibrationPoint(10, 20.5), CalibrationPoint(20, 40.7)]
        found = await asyncio.to_thread(fit, CalibrationMethod.OFFSET, points, law)
        assert found.parameters["offset"] == pytest.approx(0.6)
        assert laws.check(sensor, found) == "own"
