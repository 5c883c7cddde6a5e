"""Libraries of a user, in real processes: what tests about them share."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

from domain.sensor_libraries import SensorLibrary
from domain.sensors import Measurement, ProcessingMode, Sample, SensorKey
from sensor_libs import api
from sensor_libs.loader import load_built_in
from sensor_libs.runner import LibraryRunner
from sensor_libs.shelf import LibraryShelf
from sensor_libs.worker_process import DEADLINE
from sensor_libs.workers import BUDGET
from tests.eventually import eventually

POISON = 66.0
"""The raw value at which a library does its worst."""

LATEST = BUDGET + 2 * DEADLINE
"""Seconds that one batch may take at most, whatever libraries do."""

LIBRARY = """
import ctypes, os, sys, time
from sensor_libs.api import FLOAT, Converted, Quality, Range, SensorLibrary, Vector

def worst(raw):
{worst}

def convert(raw, parameters):
    if raw == 66:
        return worst(raw)
    return Converted(raw * 2, Quality.GOOD)

LIBRARIES = (
    SensorLibrary(
        name="{name}", version="{version}", sensor_types=("{name}",), raw=FLOAT, unit="V",
        decimals=1, valid=Range(0, 1000), typical=Range(10, 90), source="made up", convert=convert,
        vectors=(Vector(1, 2.0, Quality.GOOD),),
    ),
)
"""


def text(name: str, worst: str = "pass", version: str = "1.0.0") -> str:
    return LIBRARY.format(name=name, version=version, worst=indent(worst.strip(), "    "))


def sample(sensor_type: str, raw: float) -> Sample:
    return Sample(SensorKey("ESP_AAAA01", 4, sensor_type), raw, datetime.now(UTC))  # noqa: TID251 - a test needs no clock


def why(made: Measurement) -> str:
    return str((made.notes or {}).get("reason"))


class Libraries:
    """Built-in ones and those of a directory, in use."""

    def __init__(self, own: Path) -> None:
        self.own = own
        self.failing: list[str] = []
        self.runner = LibraryRunner(load_built_in(), self._failed)
        self.shelf = LibraryShelf(self.runner, self._now, own=own, load_within=1.0)

    def _failed(self, library: api.SensorLibrary, reason: str) -> None:
        self.failing.append(f"{library.name} {library.version}: {reason}")

    @staticmethod
    def _now() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def write(self, name: str, content: str) -> None:
        (self.own / f"{name}.py").write_text(content)

    async def convert(self, *raws: tuple[str, float]) -> Sequence[Measurement]:
        begun = asyncio.get_running_loop().time()
        made = await self.runner.measure_all([(sample(*raw), None) for raw in raws])
        assert asyncio.get_running_loop().time() - begun < LATEST
        return made

    async def values(self, *raws: tuple[str, float]) -> list[float | None]:
        return [made.value for made in await self.convert(*raws)]

    def shown(self, name: str) -> SensorLibrary:
        (found,) = [each for each in self.shelf.libraries() if each.name == name]
        return found

    async def until_replaced(self) -> None:
        """Wait until the process of the hostile file is there again."""

        async def answers() -> bool:
            (made,) = await self.convert(("hostile", 5.0))
            return made.value == 10.0 and made.mode is ProcessingMode.PI_ENHANCED

        await eventually(answers, within=10, what="another process took over")


@asynccontextmanager
async def loaded(own: Path, **files: str) -> AsyncIterator[Libraries]:
    libraries = Libraries(own)
    for name, content in files.items():
        libraries.write(name, content)
    async with libraries.shelf.tended():
        await libraries.shelf.reload()
        yield libraries
    assert workers() == []


def workers() -> list[str]:
    """Return the processes of library files that are ours."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(") ")[2].split()
            command = (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and "sensor_libs.worker" in command:
            found.append(status.parent.name)
    return found
